"""What every source of images becomes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Split:
    """Images and what they show; its length is their number.

    `images`: uint8, shape (n, image_size, image_size, 3), RGB. `labels`: int, shape (n,), an index
    into the data set's class names. Where some labels were redrawn, `truth` has what they were.
    """

    images: np.ndarray
    labels: np.ndarray
    truth: np.ndarray | None = None

    def __len__(self) -> int:
        return self.labels.shape[0]

    @property
    def wrong(self) -> np.ndarray:
        """Which labels are wrong: bool, shape (n,)."""
        return np.zeros(len(self), bool) if self.truth is None else self.labels != self.truth

    def counts(self, classes: int) -> list[int]:
        """How many labels of each class there are, wrong ones included."""
        return np.bincount(self.labels, minlength=classes).tolist()

    def part(self, chosen: np.ndarray) -> Split:
        """The images with these numbers, in this order."""
        truth = None if self.truth is None else self.truth[chosen]
        return Split(self.images[chosen], self.labels[chosen], truth)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images split into those to train on, those to validate on, and, where there are any, those to test on.

    `skipped` lists the files of the folder that could not be read, as (path, reason).
    """

    name: str
    class_names: tuple[str, ...]
    train: Split
    validation: Split
    test: Split | None = None
    skipped: tuple[tuple[str, str], ...] = ()

    @property
    def image_size(self) -> int:
        return self.train.images.shape[1]

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all training and validation pixels, labels and class names."""
        digest = hashlib.sha256("\n".join(self.class_names).encode())
        for split in (self.train, self.validation):
            digest.update(str(split.images.shape).encode())
            digest.update(np.ascontiguousarray(split.images).data)
            digest.update(split.labels.astype("<i8").data)
        return digest.hexdigest()[:16]

    @cached_property
    def odd_pixels(self) -> list[str]:
        """What about the pixels does not look like 0-255 RGB images, in sentences; empty when nothing does.

        The network has its preprocessing inside, so pixels that were already preprocessed are a mistake.
        """
        odd = []
        brightest = int(self.train.images.max())
        if brightest <= 1:
            odd.append(
                "The brightest pixel is 1: the images look divided by 255, but the network takes 0-255."
            )
        if (self.train.images == self.train.images[:1]).all() and len(self.train) > 1:
            odd.append("All training images are the same.")
        brightness = [float(split.images.mean()) for split in (self.train, self.validation)]
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
