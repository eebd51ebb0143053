"""Exact copies, by a hash of their pixels."""

from __future__ import annotations

import hashlib

import numpy as np

from vgglab.doctor.pictures import Pictures


def exact_copies(pictures: Pictures) -> list[tuple[int, ...]]:
    """Groups of images with the same pixels, at the size at which they are read."""
    by_hash: dict[bytes, list[int]] = {}
    for numbers, images in pictures.chunks():
        for number, image in zip(range(numbers.start, numbers.stop), images):
            key = hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()
            by_hash.setdefault(key, []).append(number)
    return [tuple(group) for group in by_hash.values() if len(group) > 1]
