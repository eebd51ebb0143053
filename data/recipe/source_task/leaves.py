"""Leaves: outline, margin, fingers or leaflets and venation make the class.

Colour, spots, light, stalk, pose and ground vary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recipe.source_task import canvas as cv


@dataclass(frozen=True)
class Leaf:
    """One recipe; widths in leaf lengths, `base` and `tip` from 0.3 (round) to 1.5 (drawn out)."""

    width: float
    base: float = 0.6
    tip: float = 0.8
    heart: float = 0.0
    teeth: int = 0
    bite: float = 0.0
    lobes: int = 0
    depth: float = 0.0
    fingers: int = 0
    spread: float = 0.0
    web: float = 0.0
    leaflets: int = 0
    veins: int = 6
    slant: float = 0.5


CLASSES: dict[str, Leaf] = {
    "leaf-lance": Leaf(0.16, 0.9, 1.0, veins=0, slant=0.0),
    "leaf-ellipse": Leaf(0.42, 0.6, 0.6, veins=7),
    "leaf-egg": Leaf(0.6, 0.35, 0.95, veins=5),
    "leaf-spoon": Leaf(0.48, 1.6, 0.42, veins=6),
    "leaf-round": Leaf(0.95, 0.45, 0.45, veins=3, slant=0.9),
    "leaf-heart": Leaf(0.95, 0.36, 0.85, heart=0.24, veins=4, slant=0.7),
    "leaf-heart-toothed": Leaf(0.95, 0.36, 0.85, heart=0.24, teeth=9, bite=0.22, veins=5, slant=0.7),
    "leaf-birch": Leaf(0.75, 0.28, 1.3, teeth=10, bite=0.22, veins=8),
    "leaf-elm": Leaf(0.48, 0.6, 0.75, teeth=15, bite=0.22, veins=15, slant=0.6),
    "leaf-saw": Leaf(0.24, 0.8, 0.8, teeth=10, bite=0.5, veins=10),
    "leaf-oak": Leaf(0.58, 1.0, 0.5, lobes=4, depth=0.45, veins=4),
    "leaf-deep-oak": Leaf(0.8, 0.7, 0.6, lobes=3, depth=0.8, veins=3, slant=0.4),
    "leaf-thistle": Leaf(0.42, 0.5, 0.8, lobes=8, depth=0.7, teeth=8, bite=0.4, veins=8, slant=0.3),
    "leaf-plantain": Leaf(0.5, 0.9, 0.9, veins=-3),
    "leaf-maple": Leaf(0.42, 0.6, 0.9, fingers=5, spread=0.8, web=0.46, teeth=4, bite=0.35, veins=4),
    "leaf-ivy": Leaf(0.62, 0.7, 0.8, fingers=3, spread=0.95, web=0.5, veins=3),
    "leaf-hemp": Leaf(0.17, 1.0, 1.0, fingers=7, spread=0.55, teeth=9, bite=0.3, veins=9),
    "leaf-clover": Leaf(0.95, 0.9, 0.35, fingers=3, spread=2.05, veins=5),
    "leaf-rowan": Leaf(0.55, 0.5, 0.7, leaflets=6, veins=4),
    "leaf-fern": Leaf(0.5, 0.25, 0.9, leaflets=16, veins=0),
}


def draw(recipe: Leaf, rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    """n pictures of leaves of one recipe."""
    picture = cv.ground(rng, n, size)
    more = rng.random(n) < 0.3
    if more.any():
        picture[more] = _leaf(recipe, rng, picture[more], blur=cv.uniform(rng, int(more.sum()), 2, 6))
    return _leaf(recipe, rng, picture)


def _leaf(
    leaf: Leaf, rng: np.random.Generator, picture: np.ndarray, blur: np.ndarray | float = 1.0
) -> np.ndarray:
    n, size = picture.shape[:2]
    shift = 0.25 if isinstance(blur, float) else 0.9
    x, y, pixel = cv.pose(rng, n, size, scale=(0.62, 1.15), shift=shift)
    bent = x + cv.uniform(rng, n, -0.15, 0.15) * y * y
    inside, along, across, half = _parts(leaf, bent, y)
    rough = cv.noise(rng, n, size, 6, 2)
    shadow = np.clip(1 + inside / 0.2, 0, 1) ** 2 * cv.uniform(rng, n, -0.3, 0.55).clip(0)
    picture = cv.shaded(picture, 1 - shadow)
    green = cv.colours(rng, n, (0.19, 0.4), (0.25, 0.9), (0.2, 0.85))
    autumn = cv.colours(rng, n, (-0.05, 0.17))
    first = np.where(rng.random((n, 1, 1, 1)) < 0.55, green, autumn)
    second = np.where(rng.random((n, 1, 1, 1)) < 0.5, green, autumn)
    mixed = np.clip(0.3 + rough * cv.uniform(rng, n, 0, 1.2) - along * cv.uniform(rng, n, -0.6, 0.6), 0, 1)
    colour = first + (second - first) * (mixed * cv.uniform(rng, n))[..., None]
    lit = 1 + cv.uniform(rng, n, -0.15, 0.15) * np.sign(across) + 0.12 * rough
    lines = _veins(leaf, along, across, half, pixel) * cv.uniform(rng, n, -0.45, 0.6)
    spots = cv.cover(rough - cv.uniform(rng, n, 0.35, 1.6), 0.1)
    colour = cv.shaded(colour, lit * (1 + lines) * (1 - 0.6 * spots))
    stalk = cv.cover(np.minimum(0.025 - np.abs(bent), y - _foot(leaf)), pixel * blur)
    alpha = np.maximum(cv.cover(inside, pixel * blur), stalk * cv.cover(1.15 - y, pixel))
    return cv.paint(picture, np.clip(colour, 0, 1), alpha)


def _foot(leaf: Leaf) -> float:
    if leaf.leaflets:
        return -0.6
    return 0.35 if leaf.fingers else 0.8 - 1.3 * leaf.heart


def _parts(leaf: Leaf, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    """Distance inside the whole leaf, and place along, across and half width of the pixel's blade."""
    if leaf.fingers:
        return _palmate(leaf, x, y)
    if leaf.leaflets:
        return _pinnate(leaf, x, y)
    inside, along, half = _blade(leaf, 0.5 - 0.55 * y, x, 1.8 * leaf.width / 2)
    return inside, along, x, half


def _blade(leaf: Leaf, along: np.ndarray, across: np.ndarray, half: float | np.ndarray) -> tuple:
    """One blade, from 0 to 1 along: distance inside, along, and the half width there."""
    side = np.abs(across)
    t = np.clip(along, 0, 1)
    widest = leaf.base / (leaf.base + leaf.tip)
    scale = half / (widest**leaf.base * (1 - widest) ** leaf.tip)
    half = scale * t**leaf.base * (1 - t) ** leaf.tip
    cut = t - 0.3 * side
    if leaf.lobes:
        half = half * (1 - leaf.depth * (0.5 + 0.5 * np.cos(2 * np.pi * leaf.lobes * cut)))
    if leaf.teeth:
        half = half * (1 - leaf.bite * (leaf.teeth * cut % 1))
    inside = np.minimum(np.minimum(half - side, along * 2), 2 - along * 2)
    if leaf.heart:
        inside = np.minimum(inside, side - 0.9 * (leaf.heart - along))
    return inside, t, half


def _palmate(leaf: Leaf, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    y = y - (0.0 if leaf.spread * leaf.fingers > 5 else 0.4)
    angle, most = np.arctan2(x, -y), (leaf.fingers - 1) / 2
    finger = np.clip(np.round(angle / leaf.spread + most % 1) - most % 1, -most, most)
    length = (1.35 if leaf.spread < 1.5 else 0.95) * (1 - 0.3 * (finger / most) ** 2 * (leaf.spread < 1.5))
    turned, across = cv.rotate(-y, x, finger * leaf.spread)
    inside, along, half = _blade(leaf, turned / length, across, leaf.width * length / 2)
    web = leaf.web - np.hypot(x, y) if leaf.web else inside
    return np.maximum(inside, web), along, across, half


def _pinnate(leaf: Leaf, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    side, k = np.abs(x), leaf.leaflets
    place = (0.55 - 0.5 * y - 0.2 * side) * k
    row = np.clip(np.floor(place), 0, k - 1)
    middle = (row + 0.5) / k
    length = leaf.width * 2.6 * middle**leaf.base * (1 - middle) ** leaf.tip + 0.08
    across = (place - row - 0.5) * 2 / k
    inside, along, half = _blade(Leaf(0.4, 0.5, 0.8), side / length, across, 0.85 / k)
    rib = np.minimum(0.02 - side, 0.95 - np.abs(y))
    return np.maximum(inside, rib), along, across, half


def _veins(leaf: Leaf, along, across, half, pixel) -> np.ndarray:
    """Midrib and side veins, or for negative `veins` lines from base to tip, as strength 0..1."""
    side = np.abs(across)
    lines = cv.cover(0.015 - side, pixel)
    if leaf.veins < 0:
        off = np.abs((side / (half + 1e-3) * -leaf.veins + 0.5) % 1 - 0.5) * half / -leaf.veins
        lines = np.maximum(lines, cv.cover(0.008 - off, pixel))
    elif leaf.veins:
        off = np.abs((along - leaf.slant * side) * leaf.veins % 1 - 0.5) / leaf.veins * 2
        lines = np.maximum(lines, cv.cover(0.01 - off, pixel))
    return lines
