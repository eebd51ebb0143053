"""Upright things as in product photographs: a half-width profile and its parts make the class.

Colours, cloth, folds, light, crumpling, pose and ground vary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recipe.source_task import canvas as cv


@dataclass(frozen=True)
class Thing:
    """One recipe: half widths from `top` to `bottom` (ends of 0 are round), their axis, and parts.

    A limb is (x, y, degrees below the horizontal, length, half width at its end, sides), a neck (half width,
    depth, 1 for pointed), a handle (x, y, radius, sides), a brim (x, y, half width, half height).
    """

    profile: tuple[float, ...]
    top: float = -0.9
    bottom: float = 0.9
    axis: tuple[float, ...] = (0.0, 0.0)
    limb: tuple[float, ...] = ()
    slit: float = 0.0
    neck: tuple[float, ...] = ()
    handle: tuple[float, ...] = ()
    brim: tuple[float, ...] = ()
    bands: tuple[float, ...] = ()
    buttons: int = 0
    seam: bool = False
    feet: float = 0.0


CLASSES: dict[str, Thing] = {
    "thing-vest": Thing((0.34, 0.33, 0.42, 0.44, 0.44, 0.45), -0.8, 0.8, neck=(0.2, 0.34, 0)),
    "thing-tee": Thing((0.46, 0.47, 0.46, 0.46, 0.47), -0.7, 0.75, limb=(0.34, -0.5, 38, 0.48, 0.17, 2),
                       neck=(0.2, 0.16, 0)),
    "thing-pullover": Thing((0.4, 0.45, 0.47, 0.48, 0.42), -0.75, 0.7, limb=(0.32, -0.55, 66, 1.15, 0.11, 2),
                            neck=(0.17, 0.1, 0), bands=(0.62, 0.09)),
    "thing-shirt": Thing((0.36, 0.42, 0.4, 0.41, 0.43), -0.8, 0.8, limb=(0.3, -0.62, 40, 0.95, 0.1, 2),
                         neck=(0.15, 0.22, 1), seam=True, buttons=6),
    "thing-jacket": Thing((0.2, 0.26, 0.45, 0.5, 0.5, 0.48), -0.85, 0.5, limb=(0.36, -0.4, 58, 0.95, 0.12, 2),
                          seam=True, bands=(0.42, 0.08)),
    "thing-coat": Thing((0.3, 0.36, 0.33, 0.36, 0.42, 0.48), -0.9, 0.95,
                        limb=(0.24, -0.68, 64, 0.95, 0.09, 2),
                        neck=(0.15, 0.45, 1), seam=True, buttons=3, bands=(0.0, 0.06)),
    "thing-dress": Thing((0.22, 0.26, 0.2, 0.36, 0.5, 0.6, 0.68), neck=(0.13, 0.28, 1)),
    "thing-gown": Thing((0.26, 0.28, 0.26, 0.28, 0.3, 0.32), limb=(0.2, -0.72, 50, 0.42, 0.12, 2),
                        neck=(0.14, 0.12, 0), bands=(-0.15, 0.05)),
    "thing-skirt": Thing((0.3, 0.42, 0.54, 0.64, 0.72), -0.6, 0.6, bands=(-0.52, 0.09)),
    "thing-trousers": Thing((0.34, 0.38, 0.37, 0.38, 0.4), slit=1.3, bands=(-0.84, 0.06), seam=True),
    "thing-leggings": Thing((0.24, 0.3, 0.25, 0.22, 0.17), -0.95, 0.95, slit=1.45),
    "thing-shorts": Thing((0.5, 0.54, 0.6, 0.66), -0.55, 0.5, slit=0.55, bands=(-0.47, 0.08)),
    "thing-boot": Thing((0.21, 0.2, 0.19, 0.21, 0.42, 0.45), -0.9, 0.7, (0, 0, 0, 0.02, 0.24, 0.27)),
    "thing-shoe": Thing((0.2, 0.3, 0.55, 0.82, 0.86), -0.3, 0.35, (-0.55, -0.45, -0.2, 0.0, 0.03),
                        bands=(0.29, 0.07)),
    "thing-mitten": Thing((0, 0.34, 0.4, 0.38, 0.3, 0.3), limb=(0.15, 0.2, -50, 0.62, 0.13, 1),
                          bands=(0.75, 0.15)),
    "thing-sock": Thing((0.22, 0.21, 0.2, 0.28, 0.42, 0), -0.9, 0.75, (0, 0, 0, 0.06, 0.22, 0.3),
                        bands=(-0.78, 0.12)),
    "thing-hat": Thing((0.3, 0.42, 0.46, 0.5), -0.5, 0.35, brim=(0, 0.32, 0.95, 0.09), bands=(0.15, 0.1)),
    "thing-cap": Thing((0, 0.42, 0.56, 0.6), -0.5, 0.3, (-0.2, -0.2), brim=(0.35, 0.25, 0.6, 0.07)),
    "thing-beanie": Thing((0, 0.4, 0.54, 0.6, 0.6), -0.65, 0.6, bands=(0.42, 0.18)),
    "thing-bag": Thing((0.55, 0.6, 0.64, 0.66), -0.25, 0.85, handle=(0, -0.25, 0.4, 1)),
    "thing-pouch": Thing((0.35, 0.12, 0.45, 0.68, 0.7, 0.5), -0.8, 0.8, bands=(-0.48, 0.05)),
    "thing-vase": Thing((0.3, 0.16, 0.2, 0.5, 0.52, 0.34, 0.24)),
    "thing-amphora": Thing((0.24, 0.15, 0.3, 0.46, 0.4, 0.22, 0.12, 0.22), handle=(0.3, -0.5, 0.24, 2)),
    "thing-bottle": Thing((0.12, 0.12, 0.13, 0.28, 0.32, 0.32, 0.32, 0.32), bands=(0.35, 0.3)),
    "thing-flask": Thing((0.16, 0.12, 0.12, 0.2, 0.58, 0.68, 0.5)),
    "thing-bell": Thing((0, 0.26, 0.34, 0.38, 0.48, 0.75), -0.7, 0.65, handle=(0, -0.78, 0.13, 1),
                        bands=(0.3, 0.04)),
    "thing-goblet": Thing((0.5, 0.48, 0.36, 0.08, 0.05, 0.08, 0.42)),
    "thing-mug": Thing((0.45, 0.44, 0.44, 0.42), -0.6, 0.6, (-0.15, -0.15), handle=(0.32, 0, 0.3, 1)),
    "thing-jug": Thing((0.3, 0.22, 0.3, 0.52, 0.5, 0.36), -0.85, 0.85, (-0.12, -0.15, -0.12),
                       handle=(0.2, -0.3, 0.38, 1)),
    "thing-bowl": Thing((0.9, 0.85, 0.72, 0.42, 0.3), -0.4, 0.45, bands=(-0.34, 0.05)),
    "thing-lamp": Thing((0.28, 0.42, 0.58, 0.06, 0.05, 0.05, 0.05, 0.38), bands=(-0.2, 0.04)),
    "thing-mushroom": Thing((0, 0.6, 0.8, 0.2, 0.17, 0.2, 0.24), -0.75, 0.85),
    "thing-fir": Thing((0, 0.22, 0.18, 0.42, 0.3, 0.6, 0.1, 0.1)),
    "thing-pot": Thing((0.44, 0.4, 0.6, 0.68, 0.6, 0.3), -0.6, 0.55, handle=(0.58, -0.3, 0.18, 2), feet=0.4),
    "thing-doll": Thing((0, 0.2, 0.06, 0.26, 0.22, 0.24, 0.22, 0.2),
                        limb=(0.15, -0.25, 25, 0.65, 0.07, 2), slit=0.75),
    "thing-stool": Thing((0.62, 0.64, 0.6, 0.6), -0.35, -0.05, feet=0.48),
}  # fmt: skip


def draw(recipe: Thing, rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    """n pictures of things of one recipe."""
    picture = _behind(rng, n, size)
    x, y, pixel = cv.pose(rng, n, size, turn=0.4, scale=(0.62, 1.25), shift=0.2)
    x, y = cv.rotate(x, y, np.where(rng.random((n, 1, 1)) < 0.15, cv.uniform(rng, n, -np.pi, np.pi), 0))
    x = x * np.where(rng.random((n, 1, 1)) < 0.5, -1, 1).astype(np.float32)
    crumple = 0.14 * cv.uniform(rng, n) ** 2
    x = x + crumple * cv.noise(rng, n, size, 4, 2)
    y = y + crumple * cv.noise(rng, n, size, 4, 2)
    inside, across, crease = _outline(recipe, x, y)
    shadow = np.clip(1 + inside / cv.uniform(rng, n, 0.05, 0.4), 0, 1) ** 2
    picture = cv.shaded(picture, 1 - shadow * cv.uniform(rng, n, -0.3, 0.5).clip(0))
    near = picture.mean((1, 2), keepdims=True)
    main = cv.apart(rng, near, 0.3, saturation=(0.0, 0.9), value=(0.05, 1.0))
    other = cv.apart(rng, main, 0.3, saturation=(0.0, 0.9), value=(0.0, 1.0))
    colour = cv.paint(main, other, _cloth(rng, x, y))
    colour = _details(recipe, rng, colour, other, x, y, pixel)
    lit = _light(rng, inside, across) - 0.35 * cv.cover(0.02 - crease, pixel) * (inside > pixel)
    opening = _neck(recipe, x, y, pixel) * np.where(rng.random((n, 1, 1)) < 0.6, 0.55, 0.1)
    colour = np.clip(cv.shaded(colour, lit * (1 - opening)), 0, 1)
    return cv.paint(picture, colour, cv.cover(inside, pixel)).astype(np.float32)


def _behind(rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    """Any ground, or in 2 of 5 pictures a plain light one."""
    picture = cv.ground(rng, n, size)
    plain = cv.colours(rng, n, saturation=(0.0, 0.15), value=(0.75, 1.0))
    return np.where(rng.random((n, 1, 1, 1)) < 0.4, plain + 0.03 * (picture - 0.5), picture).clip(0, 1)


def _spline(values: tuple[float, ...], place: np.ndarray) -> np.ndarray:
    """Catmull-Rom through evenly spaced values, at places 0..1, without dips below them."""
    v = np.array((values[0], *values, values[-1]))
    cell = np.minimum((place * (len(values) - 1)).astype(int), len(values) - 2)
    t = place * (len(values) - 1) - cell
    a, b, c, d = v[cell], v[cell + 1], v[cell + 2], v[cell + 3]
    curve = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return np.maximum(curve, np.minimum(b, c))


def _outline(thing: Thing, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    """Distance inside the whole thing, place across its body (-1 to 1), and distance from its creases."""
    place = np.linspace(0, 1, 512)
    # Squares, so that an end of 0 becomes round.
    table = np.sqrt(_spline(tuple(w * w for w in thing.profile), place).clip(1e-4))
    slope = np.hypot(1, np.gradient(table, (thing.bottom - thing.top) / 511))
    row = ((y - thing.top) * (511 / (thing.bottom - thing.top))).clip(0, 511).astype(np.int32)
    off = x - _spline(thing.axis, place).astype(np.float32)[row]
    half = table.astype(np.float32)[row]
    inside = (half - np.abs(off)) * (1 / slope).astype(np.float32)[row]
    inside = np.minimum(inside, np.minimum(y - thing.top, thing.bottom - y))
    if thing.slit:
        gap = 0.09 * (y - thing.bottom + thing.slit)
        inside = np.minimum(inside, np.maximum(np.abs(x) - gap, thing.bottom - thing.slit - y))
    parts = [inside]
    if thing.limb:
        parts.append(_limb(x, y, *thing.limb))
    if thing.handle:
        hx, hy, radius, sides = thing.handle
        parts.append(0.055 - np.abs(np.hypot((np.abs(x) if sides == 2 else x) - hx, y - hy) - radius))
    if thing.brim:
        bx, by, wide, high = thing.brim
        parts.append((1 - np.hypot((x - bx) / wide, (y - by) / high)) * high)
    if thing.feet:
        leg = np.abs(np.abs(x) - thing.feet - 0.15 * (y - thing.bottom))
        parts.append(np.minimum(0.07 - leg, np.minimum(y - thing.bottom + 0.1, 0.9 - y)))
    crease = np.abs(parts[1] - inside) if thing.limb else np.ones_like(inside)
    return np.max(parts, axis=0), np.clip(off / half, -1, 1), crease


def _limb(x, y, x0, y0, degrees, length, thick, sides) -> np.ndarray:
    """A tube that narrows to `thick`, on one or both sides."""
    along, across = cv.rotate((np.abs(x) if sides == 2 else x) - x0, y - y0, np.deg2rad(degrees))
    width = thick + 0.3 * thick * (1 - along / length)
    return np.minimum(width - np.abs(across), np.minimum(along + 0.15, length - along))


def _neck(thing: Thing, x: np.ndarray, y: np.ndarray, pixel: np.ndarray) -> np.ndarray:
    if not thing.neck:
        return np.zeros_like(y)
    wide, deep, pointed = thing.neck
    u, v = np.abs(x) / wide, (y - thing.top) / deep
    return cv.cover((1 - (u + v if pointed else np.hypot(u, v))) * min(wide, deep), pixel)


def _details(thing, rng, colour, other, x, y, pixel) -> np.ndarray:
    """Bands, seam and buttons."""
    n = len(x)
    if thing.bands:
        middle, half = thing.bands
        strength = cv.uniform(rng, n, 0.5, 1.0)
        colour = cv.paint(colour, other, cv.cover(half - np.abs(y - middle), pixel) * strength)
    if thing.seam:
        colour = cv.shaded(colour, 1 - 0.5 * cv.cover(0.018 - np.abs(x - 0.02), pixel))
    if thing.buttons:
        pitch = (thing.bottom - thing.top) * 0.75 / thing.buttons
        off = y - 0.1 - pitch * np.clip(np.round((y - 0.1) / pitch), -thing.buttons / 2, thing.buttons / 2)
        colour = cv.paint(colour, other, cv.cover(0.045 - np.hypot(x, off), pixel))
    return colour


def _cloth(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How much of the second colour: none, stripes, checks, dots, cloudy print, a patch or a gradient."""
    n, size = x.shape[:2]
    often = cv.uniform(rng, n, 8, 34)
    straight = np.pi / 2 * rng.integers(0, 2, (n, 1, 1))
    lean = np.where(cv.uniform(rng, n) < 0.3, cv.uniform(rng, n, -1, 1), straight)
    u, v = cv.rotate(x, y, lean.astype(np.float32))
    up, over = np.sin(often * u), np.sin(often * v)
    middle = cv.uniform(rng, n, -0.4, 0.3)
    levels = [2 * up - cv.uniform(rng, n), np.sign(up) * 0.5 + np.sign(over) * 0.5, 6 * (up * over - 0.6),
              3 * cv.noise(rng, n, size, 8, 2) - 0.5, 20 * (0.22 - np.hypot(x, y - middle)), y]  # fmt: skip
    pick = rng.integers(0, 14, (n, 1, 1))
    level = np.select([pick == k for k in range(6)], levels, -1)
    return np.clip(0.5 + 0.5 * level, 0, 1) * cv.uniform(rng, n, 0.4, 1.0)


def _light(rng: np.random.Generator, inside: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Light from a side on a round body, folds, and a rim darker than the middle."""
    n, size = across.shape[:2]
    side = cv.uniform(rng, n, -0.35, 0.35) * across - cv.uniform(rng, n, -0.1, 0.35) * across * across
    ridges = np.abs(cv.noise(rng, n, size, 5, 2)) - 0.25
    folds = cv.uniform(rng, n) ** 1.5 * 0.7 * ridges + cv.uniform(rng, n, 0, 0.12) * cv.noise(rng, n, size, 3)
    rim = cv.uniform(rng, n, -0.1, 0.4).clip(0) * np.clip(1 - inside / 0.07, 0, 1)
    return 1 + side + folds - rim
