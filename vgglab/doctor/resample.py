"""Pictures made smaller, cut, mirrored and turned, by matrices: many at a time, without a loop over them."""

from __future__ import annotations

import numpy as np


def window(size: int, wanted: int, start: float = 0.0, stop: float = 1.0) -> np.ndarray:
    """The matrix (wanted, size) that makes the stretch from `start` to `stop` of a line, in shares, `wanted` long.

    A triangle as wide as what becomes one pixel, as Pillow's BILINEAR; applied from both sides it resizes a picture.
    """
    step = (stop - start) * size / wanted
    centres = start * size + (np.arange(wanted) + 0.5) * step
    places = np.arange(size) + 0.5
    weights = np.maximum(0, 1 - np.abs(places[None] - centres[:, None]) / max(1.0, step))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def turned(pictures: np.ndarray, way: int) -> np.ndarray:
    """Pictures (n, side, side), mirrored where `way` is odd, then turned by `way` // 2 quarters."""
    flipped = pictures[:, :, ::-1] if way % 2 else pictures
    return np.rot90(flipped, way // 2, axes=(1, 2))


def gauss(side: int, share: float) -> np.ndarray:
    """The matrix (side, side) that blurs a line by a Gauss of this share of it."""
    away = (np.arange(side)[:, None] - np.arange(side)[None]) / (side * share)
    weights = np.exp(-0.5 * away**2)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
