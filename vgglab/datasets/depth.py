"""Grey images of more than 8 bits a pixel: which of their values is black, and which is white.

All such images of a data set share one range. Were each stretched by its own, a dark image would come out as bright
as a bright one, and what tells them apart would be gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

BITS = (1, 8, 10, 12, 14, 16)  # that cameras, scanners and masks have


class Deep(NamedTuple):
    """An image of 16 or 32 bits a pixel, made small.

    `values`: float32, shape (image_size, image_size). `low` and `high` are the least and the largest value of the
    whole file, and `whole` says whether its values are whole numbers.
    """

    values: np.ndarray
    low: float
    high: float
    whole: bool


class Range(NamedTuple):
    black: float
    white: float


def common_range(images: Sequence[Deep]) -> Range:
    """The range that all these images lie in, whole numbers or not.

    Whole numbers: 0 to the largest that 1, 8, 10, 12, 14 or 16 bits can hold, the fewest that are enough. Others: 0
    to 1, or as whole numbers where one is larger than 1. Where values are negative or need more than 16 bits, from
    the least to the largest.
    """
    low, high = min(each.low for each in images), max(each.high for each in images)
    if low < 0 or high > 2 ** BITS[-1] - 1:
        return Range(min(low, 0), max(high, 0))
    if not images[0].whole and high <= 1:
        return Range(0, 1)
    return Range(0, next(2**bits - 1 for bits in BITS if high <= 2**bits - 1))


def to_bytes(image: Deep, within: Range) -> np.ndarray:
    """The image as 0-255 RGB: uint8, shape (image_size, image_size, 3)."""
    grey = 255 * (image.values - within.black) / (within.white - within.black)
    return np.repeat(grey.clip(0, 255).round().astype(np.uint8)[..., None], 3, axis=2)


def ranges_of(images: Sequence[Deep]) -> tuple[dict[bool, Range], list[str]]:
    """The common range of whole numbers and of others, by `Deep.whole`; and a sentence for each that is not 16 bits."""
    ranges, remarks = {}, []
    for whole in sorted({each.whole for each in images}):
        alike = [each for each in images if each.whole == whole]
        ranges[whole] = common_range(alike)
        if ranges[whole] != Range(0, 2**16 - 1):
            remarks.append(_in_words(alike, ranges[whole]))
    return ranges, remarks


def _in_words(images: Sequence[Deep], within: Range) -> str:
    low, high = min(each.low for each in images), max(each.high for each in images)
    files = "1 image has" if len(images) == 1 else f"{len(images):,} images have"
    numbers = "whole numbers" if images[0].whole else "fractions"
    return (
        f"{files} more than 8 bits a pixel, {numbers} from {low:g} to {high:g}: in all of them {within.black:g} was "
        f"made black and {within.white:g} white."
    )
