"""Plane figures: the outline (corners, points, teeth, nesting) makes the class.

Filling, line, shadow, wobble, pose and ground vary.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from recipe.source_task import canvas as cv

Recipe = tuple  # the name of a shape below and its numbers

CLASSES: dict[str, Recipe] = {
    "figure-triangle": ("star", 3, 1.0),
    "figure-square": ("star", 4, 1.0),
    "figure-pentagon": ("star", 5, 1.0),
    "figure-hexagon": ("star", 6, 1.0),
    "figure-octagon": ("star", 8, 1.0),
    "figure-star-3-slim": ("star", 3, 0.38),
    "figure-star-4-slim": ("star", 4, 0.36),
    "figure-star-5-slim": ("star", 5, 0.38),
    "figure-star-5-fat": ("star", 5, 0.72),
    "figure-star-6": ("star", 6, 0.62),
    "figure-star-8": ("star", 8, 0.55),
    "figure-cross-slim": ("bars", ((0, 0, 0.9, 0.17), (0, 0, 0.17, 0.9))),
    "figure-cross-fat": ("bars", ((0, 0, 0.88, 0.36), (0, 0, 0.36, 0.88))),
    "figure-l": ("bars", ((-0.4, 0, 0.2, 0.85), (0.05, 0.65, 0.65, 0.2))),
    "figure-t": ("bars", ((0, -0.6, 0.75, 0.22), (0, 0.1, 0.2, 0.8))),
    "figure-arrow": ("arrow", 0.17),
    "figure-chevron": ("chevron", 0.26),
    "figure-crescent": ("crescent", 0.45),
    "figure-ring": ("ring", 0.28),
    "figure-half-disc": ("half", 0.0),
    "figure-heart": ("heart", 1.0),
    "figure-gear-7": ("gear", 7, 0.22),
    "figure-gear-14": ("gear", 14, 0.14),
    "figure-squares-nested": ("nested", 4, 3),
    "figure-triangles-nested": ("nested", 3, 2),
    "figure-circle-in-square": ("pair", 4, 0.0),
    "figure-square-in-circle": ("pair", 0, 4.0),
    "figure-triangles-in-row": ("row", 3, 3),
}


def draw(recipe: Recipe, rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    """n pictures of figures of one recipe."""
    picture = cv.ground(rng, n, size)
    x, y, pixel = cv.pose(rng, n, size, scale=(0.5, 1.1))
    wobble = cv.uniform(rng, n) ** 2 * 0.12
    x = x + wobble * cv.noise(rng, n, size, 4)
    y = y + wobble * cv.noise(rng, n, size, 4)
    inside = _inside(recipe, x, y)
    away = cv.uniform(rng, n, -0.15, 0.15), cv.uniform(rng, n, -0.15, 0.15)
    shadow = cv.cover(_inside(recipe, x + away[0], y + away[1]), cv.uniform(rng, n, 0.05, 0.3))
    picture = cv.shaded(picture, 1 - shadow * cv.uniform(rng, n, -0.5, 0.6).clip(0))
    near = picture.mean((1, 2), keepdims=True)
    fill, line = cv.apart(rng, near), cv.apart(rng, near, value=(0.0, 1.0))
    style = cv.uniform(rng, n)
    hollow, ruled = style < 0.25, style > 0.6
    width = cv.uniform(rng, n, 0.04, 0.12) + pixel
    edge = cv.cover(width / 2 - np.abs(inside - width / 2), pixel) * (hollow | ruled)
    body = cv.cover(inside, pixel) * np.where(hollow, 0, np.where(cv.uniform(rng, n) < 0.15, 0.7, 1))
    return cv.paint(cv.paint(picture, _filling(rng, fill, x, y), body), line, edge).astype(np.float32)


def _filling(rng: np.random.Generator, fill: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A fill that is plain, graded, cloudy, striped or checked, across the figure."""
    n, size = x.shape[:2]
    u, v = cv.rotate(x, y, cv.uniform(rng, n, -np.pi, np.pi))
    often = cv.uniform(rng, n, 6, 22)
    pick = rng.integers(0, 6, (n, 1, 1))
    waves = np.sin(often * u)
    cloudy = cv.noise(rng, n, size, 6, 3, 0.8)
    levels = [0 * u, 0.8 * u, cloudy, np.sign(waves), np.sign(waves * np.sin(often * v))]
    level = np.select([pick == k for k in range(1, 6)], levels, 0)
    other = np.clip(fill + rng.uniform(-0.5, 0.5, fill.shape), 0, 1)
    return fill + (other - fill) * np.clip(0.4 + 0.4 * level, 0, 1)[..., None]


def _inside(recipe: Recipe, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return SHAPES[recipe[0]](x, y, *recipe[1:])


def _star(x: np.ndarray, y: np.ndarray, points: int, slim: float, radius: float = 0.95) -> np.ndarray:
    """A star whose inner corners are `slim` times as far out as on the regular polygon (1: the polygon)."""
    half = np.pi / points
    angle = np.abs((np.arctan2(x, -y) + half) % (2 * half) - half)
    length = np.hypot(x, y)
    inner = radius * np.cos(half) * slim
    tip, notch = np.array([radius, 0]), inner * np.array([np.cos(half), np.sin(half)])
    along = (notch - tip) / np.hypot(*(notch - tip))
    across = length * np.sin(angle)
    return (along[1] * (tip[0] - length * np.cos(angle)) + along[0] * across).astype(np.float32)


def _bars(x: np.ndarray, y: np.ndarray, boxes: tuple) -> np.ndarray:
    return np.max([np.minimum(w - np.abs(x - a), h - np.abs(y - b)) for a, b, w, h in boxes], axis=0)


def _arrow(x: np.ndarray, y: np.ndarray, thick: float) -> np.ndarray:
    head = np.minimum((0.9 + y - 1.0 * np.abs(x)) * 0.7, -0.15 - y)
    return np.maximum(head, np.minimum(thick - np.abs(x), 0.9 - np.abs(y)))


def _chevron(x: np.ndarray, y: np.ndarray, thick: float) -> np.ndarray:
    return np.minimum(thick - np.abs(y + 0.2 - 0.8 * np.abs(x)) * 0.78, 0.85 - np.abs(x))


def _crescent(x: np.ndarray, y: np.ndarray, shift: float) -> np.ndarray:
    return np.minimum(0.9 - np.hypot(x, y), np.hypot(x - shift, y) - 0.75)


def _ring(x: np.ndarray, y: np.ndarray, thick: float) -> np.ndarray:
    return thick / 2 - np.abs(np.hypot(x, y) - 0.9 + thick / 2)


def _half(x: np.ndarray, y: np.ndarray, cut: float) -> np.ndarray:
    return np.minimum(0.9 - np.hypot(x, y - 0.4), cut + 0.4 - y)


def _heart(x: np.ndarray, y: np.ndarray, scale: float) -> np.ndarray:
    x, y = np.abs(x) / scale, -(y + 0.02) / scale
    return 0.85 - np.hypot(x, 1.15 * y - 0.75 * np.sqrt(x + 0.01) + 0.25)


def _gear(x: np.ndarray, y: np.ndarray, teeth: int, depth: float) -> np.ndarray:
    radius, wave = np.hypot(x, y), np.cos(teeth * np.arctan2(x, y))
    return np.minimum(0.92 - depth / 2 + depth / 2 * np.clip(3 * wave, -1, 1) - radius, radius - 0.25)


def _nested(x: np.ndarray, y: np.ndarray, corners: int, rings: int) -> np.ndarray:
    gap = 0.95 * np.cos(np.pi / corners) / rings
    depth = _star(x, y, corners, 1.0)
    lines = gap / 4 - np.abs(depth % gap - gap / 4)
    return np.where(depth < gap * (rings - 0.5), np.minimum(lines, depth), depth - gap * (rings - 1))


def _pair(x: np.ndarray, y: np.ndarray, outer: int, inner: float) -> np.ndarray:
    big = _star(x, y, 4, 1.0, 1.15) if outer else 0.92 - np.hypot(x, y)
    small = _star(x, y, 4, 1.0, 0.62) if inner else 0.5 - np.hypot(x, y)
    return np.maximum(np.minimum(big, 0.14 - big), small)


def _row(x: np.ndarray, y: np.ndarray, corners: int, count: int) -> np.ndarray:
    pitch = 1.9 / count
    middle = (np.clip(np.floor(x / pitch + count / 2), 0, count - 1) + 0.5 - count / 2) * pitch
    return _star(x - middle, y, corners, 1.0, 0.54 * pitch)


SHAPES: dict[str, Callable[..., np.ndarray]] = {
    "star": _star, "bars": _bars, "arrow": _arrow, "chevron": _chevron, "crescent": _crescent, "ring": _ring,
    "half": _half, "heart": _heart, "gear": _gear, "nested": _nested, "pair": _pair, "row": _row,
}  # fmt: skip
