"""The random numbers of each change of images: matrices that move them and recolour them, boxes to erase or paste."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

Draw = Callable[[np.random.Generator, int, float], np.ndarray]

_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601: how bright red, green and blue look


def _matrices(n: int, entries: dict[tuple[int, int], np.ndarray | float]) -> np.ndarray:
    """n unit matrices, 3 by 3, with entries set by their (row, column)."""
    matrices = np.tile(np.eye(3), (n, 1, 1))
    for (row, column), value in entries.items():
        matrices[:, row, column] = value
    return matrices


def _flip(rng: np.random.Generator, n: int, strength: float) -> np.ndarray:
    return _matrices(n, {(0, 0): np.where(rng.random(n) < 0.5 * strength, -1.0, 1.0)})


def _rotation(rng: np.random.Generator, n: int, strength: float) -> np.ndarray:
    angle = np.radians(strength) * rng.uniform(-1, 1, n)
    cos, sin = np.cos(angle), np.sin(angle)
    return _matrices(n, {(0, 0): cos, (0, 1): -sin, (1, 0): sin, (1, 1): cos})


def _width_shift(rng: np.random.Generator, n: int, strength: float) -> np.ndarray:
    return _matrices(n, {(0, 2): 2 * strength * rng.uniform(-1, 1, n)})


def _height_shift(rng: np.random.Generator, n: int, strength: float) -> np.ndarray:
    return _matrices(n, {(1, 2): 2 * strength * rng.uniform(-1, 1, n)})


def _shear(rng: np.random.Generator, n: int, strength: float) -> np.ndarray:
    return _matrices(n, {(0, 1): strength * rng.uniform(-1, 1, n)})


def _zoom(rng: np.random.Generator, n: int, strength: float) -> np.ndarray:
    scale = 1 + strength * rng.uniform(-1, 1, n)
    return _matrices(n, {(0, 0): scale, (1, 1): scale})


def _crop(rng: np.random.Generator, n: int, strength: float) -> np.ndarray:
    across, down = strength * rng.uniform(-1, 1, (2, n))
    return _matrices(n, {(0, 0): 1 - strength, (1, 1): 1 - strength, (0, 2): across, (1, 2): down})


# From a point of the result to the point of the image it shows; the frame reaches from -1 to 1.
# A shift by a fraction of the width is twice that fraction there. In the table's order.
GEOMETRY: dict[str, Draw] = {
    "flip": _flip,
    "rotation": _rotation,
    "width_shift": _width_shift,
    "height_shift": _height_shift,
    "shear": _shear,
    "zoom": _zoom,
    "crop": _crop,
}


def _brightness(rng: np.random.Generator, n: int, strength: float) -> np.ndarray:
    return colour_changes(np.tile(np.eye(3), (n, 1, 1)), shift=255 * strength * rng.uniform(-1, 1, n))


def _contrast(rng: np.random.Generator, n: int, strength: float) -> np.ndarray:
    return colour_changes(np.tile(np.eye(3), (n, 1, 1)), contrast=1 + strength * rng.uniform(-1, 1, n))


def _color_jitter(rng: np.random.Generator, n: int, strength: float) -> np.ndarray:
    saturation = 1 + strength * rng.uniform(-1, 1, n)
    turn = 2 * math.pi * strength / 4 * rng.uniform(-1, 1, n)
    grey = np.broadcast_to(_LUMA, (3, 3))
    recolour = grey + saturation[:, None, None] * (np.eye(3) - grey)
    contrast, shift = 1 + strength * rng.uniform(-1, 1, n), 255 * strength * rng.uniform(-1, 1, n)
    return colour_changes(recolour @ _hue(turn), contrast, shift)


def _hue(angle: np.ndarray) -> np.ndarray:
    """Turns of the colour space around its grey axis (Rodrigues' formula)."""
    axis = np.full(3, 1 / math.sqrt(3))
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    cos, sin = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    return cos * np.eye(3) + sin * cross + (1 - cos) * np.outer(axis, axis)


def colour_changes(
    linear: np.ndarray, contrast: np.ndarray | float = 1.0, shift: np.ndarray | float = 0.0
) -> np.ndarray:
    """Colour changes as (n, 3, 7): of the colour, of the image's mean colour, and a constant."""
    n = len(linear)
    contrast = np.broadcast_to(contrast, n)[:, None, None]
    constant = np.broadcast_to(np.asarray(shift).reshape(-1, 1, 1), (n, 3, 1))
    return np.concatenate([contrast * linear, (1 - contrast) * linear, constant], axis=2)


def one_after_another(second: np.ndarray, first: np.ndarray) -> np.ndarray:
    """The colour change that does `first` and then `second`; the mean colour changes along."""
    (own1, mean1, constant1), (own2, mean2, constant2) = (
        np.split(each, (3, 6), 2) for each in (first, second)
    )
    both = own2 + mean2
    return np.concatenate(
        [own2 @ own1, own2 @ mean1 + mean2 @ (own1 + mean1), both @ constant1 + constant2], axis=2
    )


COLOUR: dict[str, Draw] = {"brightness": _brightness, "contrast": _contrast, "color_jitter": _color_jitter}


def erased_boxes(rng: np.random.Generator, n: int, strength: float) -> np.ndarray:
    """A box for each image as fractions (top, left, bottom, right): 2 to 33 % of the area, or empty."""
    area, aspect = rng.uniform(0.02, 0.33, n), np.exp(rng.uniform(math.log(0.3), math.log(1 / 0.3), n))
    size = np.minimum(np.sqrt(area * np.stack([aspect, 1 / aspect])), 1)
    corner = rng.random((2, n)) * (1 - size)
    return np.stack([*corner, *(corner + size * (rng.random(n) < strength))], axis=1)


def pasted_boxes(rng: np.random.Generator, share: np.ndarray) -> np.ndarray:
    """A box for each image that leaves it about `share` of its area, cut off at the border."""
    size = np.sqrt(1 - share) / 2
    centre = rng.random((2, len(share)))
    return np.stack([*(centre - size), *(centre + size)], axis=1).clip(0, 1)
