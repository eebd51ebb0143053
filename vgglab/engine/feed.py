"""What the network is fed with in a phase: images, or what its frozen layers make of them, from the cache."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from vgglab.architecture import BYTES, CONV_NAMES, layers_of
from vgglab.augmentation import augmenter
from vgglab.datasets import Dataset, Split
from vgglab.engine.cache import FeatureCache, content_key
from vgglab.engine.control import Control
from vgglab.engine.step import IMAGES_A_CALL, Compiled, as_input
from vgglab.experiment import CONV_LAYERS, Experiment, is_random, of_role
from vgglab.files import readable
from vgglab.stored.stored_file import VERSION
from vgglab.stored.stored_rows import Images, Rows

BYTES_A_CALL = 2 * 2**20  # of cached features; small batches share a call, whose overhead they would feel

_WHERE = {"memory": "in memory", "disk": "in files under {folder}"}
_NO_ROOM = "Not cached: the features would take {size}, for which there is no room."
_NOT_KEPT = "Not cached: every image is computed anew in every epoch."  # and the cache's note says why

Batches = Iterator[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Feed:
    """What one phase is fed with; `how` says in a sentence whether the cache is used, and if not, why.

    `batches` gives an epoch's images and targets, several batches at once where they are small.
    Training enters the network above its lowest `train_below` conv layers, evaluation above the
    lowest `below`; the images of the `evaluated` splits are the features at that place.
    """

    how: str
    train_below: int
    batches: Callable[[int], Batches]
    below: int
    evaluated: Mapping[str, Split]


def feed(
    compiled: Compiled,
    phase: Experiment,
    number: int,
    data: Dataset,
    evaluated: Mapping[str, Split],
    cache: FeatureCache | None,
    control: Control,
) -> Feed:
    """Decide what a phase, the run's `number`-th, is fed with, and fill the cache where it helps.

    `evaluated` are the splits that are measured after every epoch.
    """
    keeper = _keeper(compiled, phase, cache, control)
    below, splits = _evaluation(keeper, evaluated)
    train_below, batches, how = _training(keeper, phase, number, data)
    if keeper:
        how = " ".join([how, *dict.fromkeys(keeper.notes)])  # several files may have met with the same
    return Feed(how, train_below, batches, below, splits)


def as_features(
    compiled: Compiled, phase: Experiment, split: Split, cache: FeatureCache | None, control: Control
) -> tuple[int, Split]:
    """What a phase's frozen layers make of a split, and how many they are; the images and 0 where nothing is kept."""
    below, kept = _evaluation(_keeper(compiled, phase, cache, control), dict(split=split))
    return below, kept["split"]


def why_not_cached(phase: Experiment) -> str | None:
    """Why a phase's training images cannot be kept as features, in a sentence; None when they can."""
    if phase.unfreeze == CONV_LAYERS:
        return "Not cached: nothing is frozen, so every layer has to compute every image in every epoch."
    if is_random(phase) and phase.views is None:
        return (
            "Not cached: augmentation draws new images in every epoch, which the frozen layers have to compute. "
            "With `views=8`, eight epochs are drawn once and reused in turn."
        )
    return None


def forecast(phase: Experiment, data: Dataset, cache: FeatureCache) -> str:
    """What a phase will keep of its training images and how large that is, before anything is computed."""
    why_not = why_not_cached(phase)
    size = cached_bytes(phase, data)
    if why_not or cache.place(size) is None:
        return why_not or _NO_ROOM.format(size=_readable(size))
    return f"The frozen layers run once; their output will take {_readable(size)} {_where(cache, size)}."


def cached_bytes(phase: Experiment, data: Dataset) -> int:
    """How large the features of a phase's training images are, or would be; the head's are float32 always."""
    layers = layers_of(phase.backbone, phase.image_size, len(data.class_names), phase.head)
    width = BYTES["float32"] if phase.unfreeze == 0 else BYTES[phase.precision]
    images = len(data.train) * (phase.views or 1 if is_random(phase) else 1)
    return images * layers[CONV_LAYERS - phase.unfreeze].inputs * width


def _evaluation(keeper: _Keeper | None, splits: Mapping[str, Split]) -> tuple[int, Mapping[str, Split]]:
    """The splits as features and how many layers made them; all of them, or none."""
    kept: dict[str, Split] = {}
    for name, split in splits.items():
        features = keeper.split(split) if keeper else None
        if features is None:
            return 0, splits
        kept[name] = features
    return (keeper.below if keeper else 0), kept


def _training(
    keeper: _Keeper | None, phase: Experiment, number: int, data: Dataset
) -> tuple[int, Callable[[int], Batches], str]:
    plain = functools.partial(_from_images, phase, number, data)
    why_not = why_not_cached(phase)
    if why_not or keeper is None:
        return 0, plain, why_not or "Not cached: the cache is switched off."
    batches = (_views if is_random(phase) else _features)(keeper, phase, number, data)
    size = cached_bytes(phase, data)
    if batches is None:
        no_room = keeper.cache.place(size) is None
        return 0, plain, _NO_ROOM.format(size=_readable(size)) if no_room else _NOT_KEPT
    return keeper.below, batches, _report(keeper, phase, size)


def _views(keeper: _Keeper, phase: Experiment, number: int, data: Dataset) -> Callable[[int], Batches] | None:
    kept = keeper.views(phase, number, data)
    return None if kept is None else functools.partial(_from_views, phase, len(data.train), kept)


def _features(
    keeper: _Keeper, phase: Experiment, number: int, data: Dataset
) -> Callable[[int], Batches] | None:
    kept = keeper.split(data.train)
    classes = len(data.class_names)
    return None if kept is None else functools.partial(_from_features, phase, number, kept, classes)


def _report(keeper: _Keeper, phase: Experiment, size: int) -> str:
    what = f"{phase.views} epochs of augmented images" if is_random(phase) else "each training image"
    layers = f"the frozen layers up to {CONV_NAMES[keeper.below - 1]}"
    return f"Cached: {layers} run once for {what}; their output takes {_readable(size)} {_where(keeper.cache, size)}."


def _where(cache: FeatureCache, size: int) -> str:
    return _WHERE[cache.place(size) or "disk"].format(folder=readable(cache.folder))


def _readable(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"


def _keeper(
    compiled: Compiled, phase: Experiment, cache: FeatureCache | None, control: Control
) -> _Keeper | None:
    frozen = CONV_LAYERS - phase.unfreeze
    return _Keeper(compiled, frozen, cache, control) if frozen and cache is not None else None


class _Keeper:
    """Runs images through the frozen layers of a network, unless the cache has what they make of them."""

    def __init__(self, compiled: Compiled, below: int, cache: FeatureCache, control: Control) -> None:
        self.compiled, self.below, self.cache, self.control = compiled, below, cache, control
        self.notes: list[str] = []
        self._boundary = compiled.boundary(below)
        frozen = [compiled.model.get_layer(name) for name in CONV_NAMES[:below]]
        weights = [weight for layer in frozen for weight in layer.get_weights()]
        shape, dtype = tuple(self._boundary.shape), str(self._boundary.dtype)
        # Pooled features are float32 whatever the conv layers computed in, so the boundary does not tell it.
        precision = [layer.compute_dtype for layer in frozen]
        self._key = content_key(VERSION, compiled.model.name, below, shape, dtype, precision, *weights)

    def split(self, split: Split) -> Split | None:
        """A split with features in place of its images; None when they cannot be kept."""
        features = self._get(content_key(self._key, _named(split.images)), len(split), lambda: [split.images])
        return None if features is None else dataclasses.replace(split, images=features)

    def views(self, phase: Experiment, number: int, data: Dataset) -> tuple[Images, np.ndarray] | None:
        """Features and targets of the epochs that a phase draws once, one after another."""
        targets: list[np.ndarray] = []

        def changed() -> Iterator[np.ndarray]:
            for view in range(phase.views or 0):
                for images, mixed in _from_images(phase, number, data, view):
                    targets.append(mixed)
                    yield images

        what_is_drawn = phase.seed, number, of_role(phase, "images")
        key = content_key(self._key, _named(data.train.images), data.train.labels, what_is_drawn)
        features = self._get(key, (phase.views or 0) * len(data.train), changed)
        if features is None:
            return None
        if not targets:  # the features were kept already; only the targets are still to be drawn
            for _ in changed():
                self.control.check()
        return features, np.concatenate(targets)

    def _get(self, key: str, count: int, images: Callable[[], Iterable[Images]]) -> Images | None:
        dtype = tf.as_dtype(self._boundary.dtype).as_numpy_dtype
        shape = (count, *self._boundary.shape[1:])
        return self.cache.get(key, shape, dtype, lambda array: self._fill(array, images()), self.notes.append)

    def _fill(self, features: np.ndarray, parts: Iterable[Images]) -> None:
        prefix, done = self.compiled.prefix(self.below), 0
        for part in parts:
            for start in range(0, len(part), IMAGES_A_CALL):
                self.control.check()
                images = part[start : start + IMAGES_A_CALL]
                features[done : done + len(images)] = prefix(as_input(images))[0].numpy()
                done += len(images)


def _from_images(phase: Experiment, number: int, data: Dataset, epoch: int) -> Batches:
    """The batches of an epoch as images, in random order, changed at random where the phase says so.

    With `views`, the epochs repeat: the same order, the same changes.
    """
    epoch = drawn_epoch(phase, epoch)
    change = augmenter(phase, number, epoch)
    one_hot = np.eye(len(data.class_names), dtype=np.float32)
    for chosen in batches_of(phase, number, epoch, len(data.train)):
        images, targets = data.train.images[chosen].astype(np.float32), one_hot[data.train.labels[chosen]]
        yield change(images, targets) if change else (images, targets)


def drawn_epoch(phase: Experiment, epoch: int) -> int:
    """The epoch, from 0, that an epoch repeats; itself without `views`."""
    return epoch % phase.views if is_random(phase) and phase.views else epoch


def batches_of(phase: Experiment, number: int, epoch: int, count: int) -> Iterator[np.ndarray]:
    """Which of `count` images are in each batch of an epoch, in their order."""
    return _in_batches(_order(phase, number, epoch, count), phase.batch_size)


def _from_features(phase: Experiment, number: int, kept: Split, classes: int, epoch: int) -> Batches:
    """The same epoch as features, several batches at once."""
    one_hot = np.eye(classes, dtype=np.float32)
    size = phase.batch_size * _batches_a_call(kept.images, phase.batch_size)
    for chosen in _in_batches(_order(phase, number, epoch, len(kept)), size):
        yield kept.images[chosen], one_hot[kept.labels[chosen]]


def _from_views(phase: Experiment, count: int, kept: tuple[Images, np.ndarray], epoch: int) -> Batches:
    first = epoch % (phase.views or 1) * count
    size = phase.batch_size * _batches_a_call(kept[0], phase.batch_size)
    for chosen in _in_batches(np.arange(first, first + count), size):
        yield kept[0][chosen], kept[1][chosen]


def _order(phase: Experiment, number: int, epoch: int, count: int) -> np.ndarray:
    return np.random.default_rng((phase.seed, number, epoch)).permutation(count)


def _in_batches(order: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (order[start : start + size] for start in range(0, len(order), size))


def _named(images: Images) -> object:
    """Images for a key: those of a file by what the file is known by, so that they are not read for it."""
    return (images.identity if isinstance(images, Rows) else None) or images


def _batches_a_call(features: Images, batch_size: int) -> int:
    return max(1, BYTES_A_CALL // (batch_size * features[:1].nbytes))
