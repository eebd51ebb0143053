"""What every source of images becomes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from vgglab.datasets.reading import Reading
from vgglab.errors import InputError, shown
from vgglab.stored.file_store import remembered
from vgglab.stored.stored_rows import Images, Rows, chunks, rows_of


@dataclass(frozen=True, eq=False)
class Split:
    """Images and what they show; its length is their number.

    `images`: uint8, shape (n, image_size, image_size, 3), RGB: an array, or `Rows` where they are too many for memory,
    which are read by `images[numbers]` as they are needed. `labels`: int, shape (n,), an index
    into the data set's class names. Where some labels were redrawn, `truth` has what they were. Images that were read
    from files have their `paths`, and those that belong together one name in `groups`: both arrays of str, shape (n,).
    """

    images: Images
    labels: np.ndarray
    truth: np.ndarray | None = None
    paths: np.ndarray | None = None
    groups: np.ndarray | None = None

    def __len__(self) -> int:
        return self.labels.shape[0]

    @property
    def true_labels(self) -> np.ndarray:
        """What the images show, whether their labels say so or not."""
        return self.labels if self.truth is None else self.truth

    @property
    def wrong(self) -> np.ndarray:
        """Which labels are wrong: bool, shape (n,)."""
        return np.zeros(len(self), bool) if self.truth is None else self.labels != self.truth

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all pixels and labels."""
        return _fingerprint(b"", [self])

    def counts(self, classes: int) -> list[int]:
        """How many labels of each class there are, wrong ones included."""
        return np.bincount(self.labels, minlength=classes).tolist()

    def part(self, chosen: np.ndarray) -> Split:
        """The images with these numbers, in this order; many are not copied but read when they are asked for."""
        named = {name: getattr(self, name) for name in ("truth", "paths", "groups")}
        parts = {name: None if each is None else each[chosen] for name, each in named.items()}
        return Split(rows_of(self.images, chosen), self.labels[chosen], **parts)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images split into those to train on, those to validate on, and, where there are any, those to test on.

    The labels of a class are its place in `class_names`, the first being 0. All images are of one size, and neither
    train nor validation is empty; otherwise `InputError`. `skipped` lists the files of the folder that were left out,
    as (path, reason). `reading` is how files became these images, None where they were not read from files.
    """

    name: str
    class_names: tuple[str, ...]
    train: Split
    validation: Split
    test: Split | None = None
    skipped: tuple[tuple[str, str], ...] = ()
    reading: Reading | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "class_names", checked_names(self.class_names))
        parts = dict(train=self.train, validation=self.validation, test=self.test)
        for part, split in parts.items():
            if split is not None or part != "test":
                _check_split(part, split, len(self.class_names))
            if part != "test" and not split:
                raise InputError(f"The {part} part must hold at least one image. Received: none.")
        sizes = {part: split.images.shape[1] for part, split in parts.items() if split}
        if len(set(sizes.values())) > 1:
            received = ", ".join(f"{part} {size}" for part, size in sizes.items())
            raise InputError(f"All images must have one size, in pixels a side. Received: {received}.")

    @property
    def image_size(self) -> int:
        return self.train.images.shape[1]

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all training and validation pixels, labels and class names."""
        names = "\n".join(self.class_names).encode("utf-8", "surrogatepass")
        return _fingerprint(names, [self.train, self.validation])

    @cached_property
    def odd_pixels(self) -> list[str]:
        """What about the pixels does not look like 0-255 RGB images, in sentences; empty when nothing does.

        The network has its preprocessing inside, so pixels that were already preprocessed are a mistake. Of more than a
        thousand images a part, some are looked at: all only where those are odd.
        """
        odd = []
        if _brightest(_some(self.train.images)) <= 1 and _brightest(self.train.images) <= 1:
            odd.append(
                "The brightest pixel is 1: the images look divided by 255, but the network takes 0-255."
            )
        if len(self.train) > 1 and _all_same(_some(self.train.images)) and _all_same(self.train.images):
            odd.append("All training images are the same.")
        brightness = [_brightness(_some(split.images)) for split in (self.train, self.validation)]
        if max(brightness) > 3 * min(brightness) + 1:
            low, high = sorted(brightness)
            odd.append(f"Train and validation differ in brightness, {low:.0f} against {high:.0f} on average.")
        return odd

    def describe(self) -> dict[str, Any]:
        """What a History keeps of it: plain values, no pixels."""
        return dict(
            name=self.name,
            classes=list(self.class_names),
            image_size=self.image_size,
            train=len(self.train),
            validation=len(self.validation),
            train_counts=self.train.counts(len(self.class_names)),
            validation_counts=self.validation.counts(len(self.class_names)),
            wrong_labels=int(self.train.wrong.sum()),
            skipped=len(self.skipped),
            fingerprint=self.fingerprint,
        )

    def clean_slice(self) -> Split:
        """The training images that are evaluated at the end of each epoch: fixed, and no more than validation has.

        Every k-th image, so that each class has its share, and so have the wrong labels.
        """
        keep = min(len(self.train), len(self.validation))
        by_class = np.argsort(self.train.labels, kind="stable")
        chosen = by_class[np.linspace(0, len(by_class) - 1, keep).round().astype(int)]
        return self.train.part(chosen)


def _fingerprint(start: bytes, splits: list[Split]) -> str:
    """A hash of `start`, pixels and labels; of images in a file it is kept with them, so that they are read once."""

    def compute() -> bytes:
        digest = hashlib.sha256(start)
        for split in splits:
            digest.update(str(split.images.shape).encode())
            for chunk in chunks(split.images):
                digest.update(np.ascontiguousarray(chunk).data)
            digest.update(split.labels.astype("<i8").data)
        return digest.digest()[:8]

    stored = [each.images for each in splits if isinstance(each.images, Rows) and each.images.identity]
    if len(stored) < len(splits):
        return compute().hex()
    content = [each.identity for each in stored] + [each.labels.tolist() for each in splits]
    key = hashlib.blake2b(start + repr(content).encode(), digest_size=16).hexdigest()
    return remembered(stored[0], key, 8, compute).hex()


def _some(images: Images) -> Images:
    """Every k-th image, a thousand at most."""
    return rows_of(images, np.linspace(0, len(images) - 1, min(len(images), 1000)).astype(int))


def _brightest(images: Images) -> int:
    return max(int(chunk.max()) for chunk in chunks(images))


def _all_same(images: Images) -> bool:
    first = images[0]
    return all((chunk == first).all() for chunk in chunks(images))


def _brightness(images: Images) -> float:
    return float(sum(chunk.sum(dtype=np.int64) for chunk in chunks(images)) / np.prod(images.shape))


def checked_names(names: Any) -> tuple[str, ...]:
    """Two or more different names; `InputError` for others."""
    found = tuple(names) if isinstance(names, Iterable) and not isinstance(names, str) else ()
    if len(found) < 2 or not all(isinstance(each, str) for each in found) or len(set(found)) < len(found):
        raise InputError(f"`class_names` must be two or more different names. Received: {shown(names)}.")
    return tuple(str(each) for each in found)


def _check_split(part: str, split: Any, classes: int) -> None:
    """`InputError` unless images and labels are as `Split` and `Dataset` say."""
    if not isinstance(split, Split):
        raise InputError(f"The {part} part must be a Split(images, labels). Received: {shown(split)}.")
    images, labels = split.images, split.labels
    is_array = isinstance(images, np.ndarray | Rows) and images.dtype == np.uint8 and images.ndim == 4
    if not is_array or images.shape[1] != images.shape[2] or images.shape[3] != 3:
        raise InputError(
            f"The images of the {part} part must be square 0-255 RGB, an array of uint8 and of shape "
            f"(n, size, size, 3). Received: {_array(images)}."
        )
    for name, values in dict(labels=labels, truth=split.true_labels).items():
        right = (
            f"whole numbers, one for each of the {len(images)} images, 0 for the first class to {classes - 1}"
        )
        if (
            not isinstance(values, np.ndarray)
            or values.shape != images.shape[:1]
            or values.dtype.kind not in "iu"
        ):
            one_hot = (
                " One-hot rows become such labels by `.argmax(axis=1)`."
                if getattr(values, "ndim", 0) == 2
                else ""
            )
            raise InputError(
                f"The {name} of the {part} part must be {right}. Received: {_array(values)}.{one_hot}"
            )
        if len(values) and not 0 <= values.min() <= values.max() < classes:
            received = f"{values.min()} to {values.max()}"
            raise InputError(f"The {name} of the {part} part must be {right}. Received: {received}.")
    for name, each in dict(paths=split.paths, groups=split.groups).items():
        if each is not None and not (isinstance(each, np.ndarray) and each.shape == labels.shape):
            right = f"an array with one name for each of the {len(images)} images, or None"
            raise InputError(f"The {name} of the {part} part must be {right}. Received: {_array(each)}.")


def _array(value: Any) -> str:
    """What an array is, in the words of an error; another value as it is."""
    return f"{value.dtype}, shape {value.shape}" if isinstance(value, np.ndarray | Rows) else shown(value)
