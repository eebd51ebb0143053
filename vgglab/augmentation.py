"""The random changes of training images, made of Keras's own layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from vgglab.experiment import AUGMENTATIONS, Experiment

Augmenter = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def _crop(strength: float, size: int, fill_mode: str, seed: int) -> Callable:
    enlarged = round(size / (1 - strength))
    enlarge, crop = layers.Resizing(enlarged, enlarged), layers.RandomCrop(size, size, seed=seed)
    # Image by image: given a batch, the layer draws one place for all of it.
    return lambda images: tf.map_fn(crop, enlarge(images))


# Strengths are in the units of `AUGMENTATIONS`. Images are 0-255 RGB, which is also what the
# layers that change colours take by default.
_MAKERS: dict[str, Callable[[float, int, str, int], Callable]] = {
    "flip": lambda strength, size, fill, seed: layers.RandomFlip("horizontal", seed=seed),
    "rotation": lambda strength, size, fill, seed: layers.RandomRotation(
        strength / 360, fill_mode=fill, seed=seed
    ),
    "width_shift": lambda strength, size, fill, seed: layers.RandomTranslation(
        0.0, strength, fill_mode=fill, seed=seed
    ),
    "height_shift": lambda strength, size, fill, seed: layers.RandomTranslation(
        strength, 0.0, fill_mode=fill, seed=seed
    ),
    "shear": lambda strength, size, fill, seed: layers.RandomShear(
        x_factor=strength, fill_mode=fill, seed=seed
    ),
    "zoom": lambda strength, size, fill, seed: layers.RandomZoom(strength, fill_mode=fill, seed=seed),
    "crop": _crop,
    "brightness": lambda strength, size, fill, seed: layers.RandomBrightness(strength, seed=seed),
    "contrast": lambda strength, size, fill, seed: layers.RandomContrast(strength, seed=seed),
    "color_jitter": lambda strength, size, fill, seed: layers.RandomColorJitter(
        brightness_factor=strength,
        contrast_factor=strength,
        saturation_factor=strength,
        hue_factor=strength / 4,
        seed=seed,
    ),
    # A pair, because the layer draws the probability itself between 0 and a single number.
    "erasing": lambda strength, size, fill, seed: layers.RandomErasing((strength, strength), seed=seed),
}


def augmenter(experiment: Experiment, phase: int = 1) -> Augmenter | None:
    """The random change that one phase makes to each training batch; None when it makes none.

    The result takes float images (n, size, size, 3), 0-255 RGB, and one-hot targets (n, classes);
    it returns both, the targets soft where MixUp or CutMix are on. With both on, each batch gets
    one or the other by the toss of a coin. Every change has a random stream of its own, from the
    experiment's seed and the phase, so that adding one leaves the draws of the others alone.

    MixUp: Zhang et al. 2018, arXiv:1710.09412. CutMix: Yun et al. 2019, arXiv:1905.04899. Random
    erasing: Zhong et al. 2020, arXiv:1708.04896.
    """
    seed_of = {
        name: _seed(experiment.seed, phase, name) for name in (*AUGMENTATIONS, "mixup", "cutmix", "coin")
    }
    changes = [
        _MAKERS[name](strength, experiment.image_size, experiment.fill_mode, seed_of[name])
        for name, strength in experiment.augment
    ]
    mixers = []
    if experiment.mixup:
        mixers.append(layers.MixUp(alpha=experiment.mixup, seed=seed_of["mixup"]))
    if experiment.cutmix:
        # A pair, because the layer draws alpha itself between 0 and a single number.
        mixers.append(layers.CutMix(factor=(experiment.cutmix, experiment.cutmix), seed=seed_of["cutmix"]))
    if not changes and not mixers:
        return None
    coin = keras.random.SeedGenerator(seed_of["coin"])
    size = experiment.image_size

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, size, size, 3), tf.float32),
            tf.TensorSpec((None, None), tf.float32),
        ],
        jit_compile=False,
    )
    def augment(images, targets):
        for change in changes:
            images = tf.ensure_shape(change(images), (None, size, size, 3))
        if len(mixers) == 2:
            return tf.cond(
                keras.random.uniform((), seed=coin) < 0.5,
                lambda: _mix(mixers[0], images, targets),
                lambda: _mix(mixers[1], images, targets),
            )
        return _mix(mixers[0], images, targets) if mixers else (images, targets)

    return augment


def _mix(mixer: Callable, images: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    mixed = mixer({"images": images, "labels": targets})
    return mixed["images"], mixed["labels"]


def _seed(*parts: int | str) -> int:
    numbers = [part if isinstance(part, int) else int.from_bytes(part.encode(), "little") for part in parts]
    return int(np.random.SeedSequence(numbers).generate_state(1)[0] & 0x7FFFFFFF)


def augmented(experiment: Experiment, images: Iterable[np.ndarray], copies: int = 6) -> np.ndarray:
    """What the experiment's augmentation, MixUp and CutMix make of the given images.

    `images`: (n, size, size, 3), 0-255 RGB, with the size of the experiment. Returns uint8
    (copies, n, size, size, 3), each copy another draw; the images themselves where nothing is on.
    """
    images = np.asarray(images, dtype=np.float32)
    change = augmenter(experiment) or (lambda images, targets: (images, targets))
    nobody = np.zeros((len(images), 1), np.float32)
    drawn = np.stack([change(images, nobody)[0] for _ in range(copies)])
    return drawn.clip(0, 255).round().astype(np.uint8)
