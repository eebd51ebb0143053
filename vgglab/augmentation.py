"""The random changes of training images: first all random numbers of a batch are drawn, then applied.

Every geometric change of an image is a matrix, and so is every change of its colours. An image's
matrices are multiplied, so that it is resampled once and recoloured once, whatever is switched on;
a chain of layers would blur it and read it anew for each change, and cost many times as much.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from vgglab.experiment import Experiment, is_random
from vgglab.image_draws import COLOUR, GEOMETRY, colour_changes, erased_boxes, one_after_another, pasted_boxes

Augmenter = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
OneChanger = Callable[["Draws", int, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


class Draws(NamedTuple):
    """All random numbers of one batch of n images.

    `transforms` (n, 8) lead from a pixel of the result to the pixel of the image, `colours` (n, 3, 7) are
    as `colour_changes` makes them, boxes (n, 4) are top, left, bottom, right as fractions, `noise` (size,
    size, 3) fills what is erased. Where images are mixed, image i keeps `share[i]` and takes the rest
    from image `partner[i]`: blended where `blends`, else as the box `pasted[i]`.
    """

    transforms: np.ndarray
    colours: np.ndarray
    erased: np.ndarray
    noise: np.ndarray
    partner: np.ndarray
    share: np.ndarray
    pasted: np.ndarray
    blends: bool


_OF_EACH = ("transforms", "colours", "erased", "share", "pasted")  # what a batch's draws hold for each image


def augmenter(phase: Experiment, number: int = 1, epoch: int = 0) -> Augmenter | None:
    """The random change that an epoch of a run's `number`-th phase makes to each batch; None when it makes none.

    The result takes float images (n, size, size, 3), 0-255 RGB, and one-hot targets (n, classes);
    it returns both, the targets soft where MixUp or CutMix are on. With both on, each batch gets
    one or the other by the toss of a coin. Every change has a random stream of its own, from the
    seed, the phase's number and the epoch, so that adding one leaves the draws of the others alone.

    MixUp: Zhang et al. 2018, arXiv:1710.09412. CutMix: Yun et al. 2019, arXiv:1905.04899. Random
    erasing: Zhong et al. 2020, arXiv:1708.04896.
    """
    if not is_random(phase):
        return None
    draw, apply = _drawer(phase, number, epoch), _applier(*_built_from(phase))
    return lambda images, targets: apply(images, targets, *draw(len(images)))


def for_one(phase: Experiment, number: int, epoch: int) -> tuple[Callable[[int], Draws], OneChanger]:
    """What `augmenter` does, for one image of a batch at a time: the draws of a batch, and what they make of an image.

    The first takes a batch's size and must be called for all batches in their order. The second takes a batch's draws
    and images and targets of the image's place and of its partner's alone, (2, size, size, 3) and (2, classes). It
    runs the same function that training compiles as it stands, since to compile it takes longer than to look at it.
    """
    apply = _applier(*_built_from(phase)).python_function

    def change(
        draws: Draws, place: int, images: tf.Tensor, targets: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        pair = np.array([place, draws.partner[place]])
        of_two = {name: getattr(draws, name)[pair] for name in _OF_EACH}
        two = draws._replace(partner=np.array([1, 1], np.int32), **of_two)
        changed, mixed = apply(*map(tf.convert_to_tensor, (images, targets, *two)))
        return changed[0], mixed[0]

    return _drawer(phase, number, epoch), change


def _built_from(phase: Experiment) -> tuple[tuple[str, ...], bool, int, str]:
    names = tuple(name for name, _ in phase.augment)
    return names, bool(phase.mixup or phase.cutmix), phase.image_size, phase.fill_mode


def _drawer(phase: Experiment, number: int, epoch: int) -> Callable[[int], Draws]:
    streams = {
        name: np.random.default_rng((phase.seed, number, epoch, *name.encode()))
        for name in (*dict(phase.augment), "noise", "mixup", "cutmix", "coin")
    }
    size = phase.image_size

    def draw(n: int) -> Draws:
        geometry, colours = np.tile(np.eye(3), (n, 1, 1)), colour_changes(np.tile(np.eye(3), (n, 1, 1)))
        for name, strength in phase.augment:
            if name in GEOMETRY:
                geometry = geometry @ GEOMETRY[name](streams[name], n, strength)
            elif name in COLOUR:
                colours = one_after_another(COLOUR[name](streams[name], n, strength), colours)
        erasing = dict(phase.augment).get("erasing", 0.0)
        erased = erased_boxes(streams["erasing"], n, erasing) if erasing else np.zeros((n, 4))
        noise = streams["noise"].uniform(0, 255, (size, size, 3)) if erasing else np.zeros((size, size, 3))
        moves, recolours, boxes, filling = _as_floats(_in_pixels(geometry, size), colours, erased, noise)
        return Draws(moves, recolours, boxes, filling, *_mixing(streams, phase, n))

    return draw


def _mixing(
    streams: dict[str, np.random.Generator], phase: Experiment, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
    blends = bool(phase.mixup) and (not phase.cutmix or streams["coin"].random() < 0.5)
    alpha, rng = (phase.mixup, streams["mixup"]) if blends else (phase.cutmix, streams["cutmix"])
    share = rng.beta(alpha, alpha, n) if alpha else np.ones(n)
    pasted = np.zeros((n, 4)) if blends else _on_pixels(pasted_boxes(rng, share), phase.image_size)
    if not blends:  # what the border cut off stays with the image
        share = 1 - (pasted[:, 2] - pasted[:, 0]) * (pasted[:, 3] - pasted[:, 1])
    shares, boxes = _as_floats(share, pasted)
    return rng.permutation(n).astype(np.int32), shares, boxes, blends


def _on_pixels(boxes: np.ndarray, size: int) -> np.ndarray:
    return np.round(boxes * size) / size


def _in_pixels(matrices: np.ndarray, size: int) -> np.ndarray:
    """Matrices of the frame from -1 to 1 as the eight numbers between pixels that TensorFlow takes."""
    half, middle = size / 2, (size - 1) / 2
    to_frame = np.array([[1 / half, 0, -middle / half], [0, 1 / half, -middle / half], [0, 0, 1]])
    to_pixels = np.array([[half, 0, middle], [0, half, middle], [0, 0, 1]])
    return (to_pixels @ matrices @ to_frame).reshape(-1, 9)[:, :8]


def _as_floats(*arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    return tuple(np.asarray(array, np.float32) for array in arrays)


@functools.lru_cache(maxsize=32)
def _applier(
    names: tuple[str, ...], mixes: bool, size: int, fill_mode: str
) -> tf.types.experimental.PolymorphicFunction:
    """A compiled function of images, targets and the fields of `Draws`; only what is on is in it."""
    shapes = [(None, size, size, 3), (None, None), (None, 8), (None, 3, 7), (None, 4), (size, size, 3)]
    signature = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
    signature += [tf.TensorSpec((None,), tf.int32), tf.TensorSpec((None,)), tf.TensorSpec((None, 4))]
    signature += [tf.TensorSpec((), tf.bool)]

    @tf.function(input_signature=signature, jit_compile=False)
    def apply(images, targets, transforms, colours, erased, noise, partner, share, pasted, blends):
        if GEOMETRY.keys() & names:
            images = _move(images, transforms, fill_mode)
        if COLOUR.keys() & names:
            images = _recolour(images, colours)
        if "erasing" in names:
            images = tf.where(_inside(erased, size), noise, images)
        if mixes:
            keep = tf.reshape(share, (-1, 1, 1, 1))
            other = tf.gather(images, partner)
            images = tf.cond(
                blends,
                lambda: keep * images + (1 - keep) * other,
                lambda: tf.where(_inside(pasted, size), other, images),
            )
            targets = share[:, None] * targets + (1 - share[:, None]) * tf.gather(targets, partner)
        return tf.ensure_shape(images, (None, size, size, 3)), targets

    return apply


def _move(images: tf.Tensor, transforms: tf.Tensor, fill_mode: str) -> tf.Tensor:
    return keras.ops.image.affine_transform(
        images, transforms, interpolation="bilinear", fill_mode=fill_mode, data_format="channels_last"
    )


def _recolour(images: tf.Tensor, colours: tf.Tensor) -> tf.Tensor:
    own, of_mean, constant = tf.split(colours, (3, 3, 1), axis=2)
    mean = tf.reduce_mean(images, axis=(1, 2))[:, :, None]
    offset = tf.linalg.matrix_transpose(of_mean @ mean + constant)
    pixels = tf.reshape(images, (tf.shape(images)[0], -1, 3))
    recoloured = tf.matmul(pixels, own, transpose_b=True) + offset
    return tf.clip_by_value(tf.reshape(recoloured, tf.shape(images)), 0.0, 255.0)


def _inside(boxes: tf.Tensor, size: int) -> tf.Tensor:
    """Whether the middle of each pixel lies in its image's box, (n, size, size, 1)."""
    middle = (tf.range(size, dtype=tf.float32) + 0.5) / size
    top, left, bottom, right = (side[:, None] for side in tf.unstack(boxes, axis=1))
    rows, columns = (top <= middle) & (middle < bottom), (left <= middle) & (middle < right)
    return rows[:, :, None, None] & columns[:, None, :, None]


def augmented(experiment: Experiment, images: Iterable[np.ndarray], copies: int = 6) -> np.ndarray:
    """What the experiment's augmentation, MixUp and CutMix make of the given images.

    `images`: (n, size, size, 3), 0-255 RGB, with the size of the experiment. Returns uint8
    (copies, n, size, size, 3), each copy another draw; the images themselves where nothing is on.
    """
    images = np.asarray(images, dtype=np.float32)
    change = augmenter(experiment) or (lambda images, targets: (images, targets))
    nobody = np.zeros((len(images), 1), np.float32)
    changed = np.stack([change(images, nobody)[0] for _ in range(copies)])
    return changed.clip(0, 255).round().astype(np.uint8)
