"""Winged insects: the wings' outlines and pattern, and for half of them the colours, make the class.

Pose, how far the wings open, light, other colours and the leafy ground vary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recipe.source_task import canvas as cv

Span = tuple[float, float]


@dataclass(frozen=True)
class Wings:
    """One recipe: wings as (direction, half angle, length), in degrees up from the side; colours as hues."""

    fore: tuple[float, float, float]
    hind: tuple[float, float, float]
    power: float = 0.36
    skew: float = 0.55
    scallops: int = 0
    tail: float = 0.0
    bands: float = 0.0
    eyes: int = 0
    rim: float = 0.0
    dots: int = 0
    veins: int = 0
    marbling: float = 0.0
    body: float = 0.07
    clear: float = 0.0
    hues: tuple[Span, Span] | None = None
    values: tuple[Span, Span] = ((0.3, 1.0), (0.0, 1.0))


DARK: Span = (0.02, 0.2)
LIGHT: Span = (0.8, 1.0)
CLASSES: dict[str, Wings] = {
    "wings-monarch": Wings((32, 43, 1.05), (-35, 53, 0.75), rim=0.16, veins=5, hues=((0.04, 0.1), (0, 1)),
                           values=(LIGHT, DARK)),
    "wings-azure": Wings((35, 51, 0.9), (-35, 56, 0.75), rim=0.1, hues=((0.55, 0.63), (0.6, 0.7)),
                         values=((0.65, 1.0), DARK)),
    "wings-brimstone": Wings((30, 55, 0.95), (-40, 54, 0.8), 0.85, dots=1, hues=((0.14, 0.19), (0.02, 0.07)),
                             values=(LIGHT, (0.7, 0.9))),
    "wings-peacock": Wings((32, 53, 0.95), (-40, 54, 0.8), scallops=7, eyes=1,
                           hues=((-0.03, 0.03), (0.55, 0.65)),
                           values=((0.4, 0.75), (0.5, 1.0))),
    "wings-swallowtail": Wings((35, 47, 1), (-48, 48, 0.75), tail=0.5, bands=3.0, hues=((0.12, 0.17), (0, 1)),
                               values=(LIGHT, DARK)),
    "wings-emerald": Wings((20, 49, 1), (-45, 50, 0.7), bands=1.2, body=0.1, hues=((0.3, 0.42), (0.25, 0.4)),
                           values=((0.35, 0.8), LIGHT)),
    "wings-white": Wings((33, 53, 0.95), (-38, 58, 0.8), rim=0.22, dots=2, hues=((0.1, 0.2), (0, 1)),
                         values=((0.9, 1.0), DARK)),
    "wings-admiral": Wings((30, 47, 1), (-38, 53, 0.78),
                           bands=0.9, rim=0.12, hues=((0.0, 1.0), (-0.02, 0.05)),
                           values=(DARK, LIGHT)),
    "wings-eyes-two": Wings((30, 53, 0.95), (-40, 58, 0.85), eyes=2, rim=0.08),
    "wings-marbled": Wings((32, 53, 0.95), (-38, 58, 0.8), scallops=9, marbling=1.0),
    "wings-ribs": Wings((28, 45, 1.05), (-40, 52, 0.75), veins=8),
    "wings-dotted": Wings((32, 51, 0.95), (-38, 56, 0.8), dots=4),
    "wings-moth": Wings((-12, 45, 1), (-55, 42, 0.75), 0.6, marbling=0.5, bands=2.0, body=0.12),
    "wings-banded": Wings((25, 41, 1.1), (-35, 46, 0.85), bands=5.0),
    "wings-dragonfly": Wings((14, 11, 1.05), (-14, 12, 1), 0.5, veins=3, body=0.06, clear=0.6),
    "wings-bee": Wings((8, 18, 0.95), (-22, 14, 0.65), 0.5, veins=2, body=0.27, clear=0.65),
}  # fmt: skip


def draw(recipe: Wings, rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    """n pictures of insects of one recipe."""
    picture = _clutter(rng, cv.ground(rng, n, size))
    x, y, pixel = cv.pose(rng, n, size, scale=(0.75, 1.3), shift=0.2)
    spans = recipe.hues or ((0.0, 1.0), (0.0, 1.0))
    grey = (0.45, 0.95) if recipe.hues else (0.1, 0.95)
    if recipe.values[0][0] >= 0.9:
        grey = (0.0, 0.12)
    main = cv.colours(rng, n, spans[0], grey, recipe.values[0])
    mark = cv.colours(rng, n, spans[1], (0.45, 0.95), recipe.values[1])
    if not recipe.hues:
        mark = cv.apart(rng, main, 0.5, value=(0.0, 1.0))
    side = np.abs(x) / cv.uniform(rng, n, 0.6, 1.0)
    rough = cv.noise(rng, n, size, 8, 2)
    lit = 1 + cv.uniform(rng, n, -0.15, 0.15) * np.sign(x) + cv.uniform(rng, n, 0, 0.2) * rough
    tilt = cv.uniform(rng, n, -0.12, 0.12)
    for wing, low in ((recipe.hind, True), (recipe.fore, False)):
        picture = _wing(recipe, rng, picture, wing, low, (side, y, pixel), (main, mark), lit, tilt)
    return _body(recipe, rng, picture, x, y, pixel).astype(np.float32)


def _clutter(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Blurred leaf-like blades behind the insect in half of the pictures."""
    n, size = picture.shape[:2]
    some = np.flatnonzero(rng.random(n) < 0.5)
    for _ in range(2):
        k = len(some)
        x, y, pixel = cv.pose(rng, k, size, scale=(0.5, 1.2), shift=0.9)
        blade = cv.uniform(rng, k, 0.15, 0.5) * (1 - y * y) - np.abs(x)
        colour = cv.colours(rng, k, (0.15, 0.45), (0.2, 0.9), (0.15, 0.9))
        rib = 1 - 0.25 * cv.cover(0.03 - np.abs(x), pixel * 2)
        picture[some] = cv.paint(picture[some], cv.shaded(colour, rib), cv.cover(blade, pixel * 3))
    return picture


def _wing(recipe, rng, picture, wing, low, place, paints, lit, tilt) -> np.ndarray:
    """Both wings of one pair, with their pattern, laid over the picture."""
    (side, y, pixel), (main, mark) = place, paints
    middle, half, length = np.deg2rad(wing[0]), np.deg2rad(wing[1]), wing[2]
    y = y + (0.12 if not low else -0.05)
    angle = np.arctan2(-y, side) - middle - tilt
    radius = np.hypot(side, y)
    v = np.clip(angle / half, -1, 1)
    bent = np.clip(v - (-0.2 if low else recipe.skew) * (1 - v * v), -1, 1)
    edge = np.cos(bent * np.pi / 2).clip(0) ** recipe.power
    if recipe.scallops:
        edge = edge * (1 - 0.09 * np.abs(np.sin(recipe.scallops * v * 1.57)))
    u = radius / (length * edge + 1e-3)
    inside = (length * edge - radius) * 0.7
    if low and recipe.tail:
        off = np.abs(radius * np.sin(angle + 0.45 * half))
        tail = np.minimum(0.06 - off, length * (1 + recipe.tail) - radius)
        inside = np.maximum(inside, tail * (radius > 0.3))
    marks = _pattern(recipe, rng, u, v, radius / length, low, pixel)
    if low:
        shadow = np.clip(1 + inside / 0.15, 0, 1) ** 2 * cv.uniform(rng, len(picture), 0, 0.4)
        picture = cv.shaded(picture, 1 - shadow)
    colour = cv.shaded(cv.paint(main, mark, marks), lit * (1 - 0.25 * low * (u < 0.35)))
    dim = 1 - recipe.clear * (1 - 0.7 * np.maximum(marks, u > 0.93))
    return cv.paint(picture, np.clip(colour, 0, 1), cv.cover(inside, pixel) * dim)


def _pattern(recipe, rng, u, v, r, low, pixel) -> np.ndarray:
    """How much of the second colour lies at u from the root (1: rim) and v across the wing (-1 to 1)."""
    n, soft = len(u), pixel * 2
    fields = [0 * u - 1]
    if recipe.rim:
        fields.append((u - 1 + recipe.rim * cv.uniform(rng, n, 0.85, 1.15)) * 0.7)
    if recipe.bands:
        often = 2 * np.pi * recipe.bands
        fields.append((np.cos(often * (r - 0.12 * v * v - 0.62)) - 0.3) / often)
    if recipe.veins:
        fields.append(0.022 - np.abs((v * recipe.veins / 2) % 1 - 0.5) * r / recipe.veins * 1.2)
    if recipe.dots:
        row = np.abs((v * recipe.dots / 2 + (recipe.dots % 2) * 0.5) % 1 - 0.5) * 2 * r / recipe.dots
        fields.append(0.075 - np.hypot(row, r - (0.55 if recipe.dots < 3 else 0.68)))
    for k in range(recipe.eyes):
        away = np.hypot((v - (0.1 - 0.75 * k + 0.35 * (recipe.eyes > 1))) * r * 0.75, r - 0.62)
        fields.append(np.maximum(0.07 - away, 0.045 - np.abs(away - 0.17)))
    if recipe.marbling:
        wave = np.sin(9 * r + 3 * np.sin(5 * v + cv.uniform(rng, n, 0, 6)) + cv.uniform(rng, n, 0, 6))
        fields.append((wave * np.sin(7 * v * r + 4 * r + 2 * low + cv.uniform(rng, n, 0, 6)) - 0.25) * 0.15)
    return cv.cover(np.max([np.broadcast_to(f, u.shape) for f in fields], axis=0), soft)


def _body(recipe: Wings, rng: np.random.Generator, picture: np.ndarray, x, y, pixel) -> np.ndarray:
    """Abdomen, thorax, head and antennae."""
    n, wide = len(picture), recipe.body
    long = 0.95 if recipe.clear and wide < 0.1 else 0.5
    belly = (1 - np.hypot(x / wide, (y - 0.5 * long) / (0.6 * long))) * wide
    chest = (1 - np.hypot(x / (1.25 * wide), (y + 0.12) / 0.2)) * wide
    head = wide * 0.9 - np.hypot(x, y + 0.36)
    bend = np.abs(np.abs(x) - 0.05 - cv.uniform(rng, n, 0.2, 0.6) * (-y - 0.38).clip(0))
    feelers = np.minimum(0.014 - bend, 0.3 - np.abs(y + 0.62))
    colour = cv.colours(rng, n, (0.0, 0.2), (0.1, 0.8), (0.05, 0.5))
    rings = 1 + 0.5 * np.cos(y * 30) * cv.uniform(rng, n) * (y > 0.05) - 0.4 * np.abs(x) / wide
    alpha = cv.cover(np.maximum(np.maximum(belly, chest), np.maximum(head, feelers)), pixel)
    return cv.paint(picture, np.clip(cv.shaded(colour, rings), 0, 1), alpha)
