"""Exact copies, by a hash of their pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from vgglab.doctor.pictures import Pictures


def exact_copies(pictures: Pictures) -> list[tuple[int, ...]]:
    """Groups of images with the same pixels, at the size at which they are read."""
    by_hash: dict[bytes, list[int]] = {}
    for number, image in _candidates(pictures):
        key = hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()
        by_hash.setdefault(key, []).append(number)
    return [tuple(group) for group in by_hash.values() if len(group) > 1]


def _candidates(pictures: Pictures) -> Iterator[tuple[int, np.ndarray]]:
    """The images that may have copies: of those in a file, whose checksums are known, most need not be read."""
    checksums = [getattr(split.images, "checksums", None) for split in pictures.splits.values()]
    known = [each for each in checksums if each is not None]
    if len(known) < len(checksums):
        for numbers, images in pictures.chunks():
            yield from zip(range(numbers.start, numbers.stop), images)
        return
    _, whose, count = np.unique(np.concatenate(known), return_inverse=True, return_counts=True)
    for number in np.flatnonzero(count[whose] > 1).tolist():
        yield number, pictures.image(number)
