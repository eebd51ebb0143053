"""Simple scenes: what stands in front of which ground makes the class; time of day, horizon, scale, tilt,
colours and clutter vary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recipe.source_task import canvas as cv

WHITE = np.ones((1, 1, 1, 3), np.float32)


@dataclass(frozen=True)
class View:
    """Coordinates of a batch of pictures, the side of a pixel, and the height of the horizon."""

    rng: np.random.Generator
    x: np.ndarray
    y: np.ndarray
    pixel: np.ndarray
    horizon: np.ndarray

    def number(self, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        return cv.uniform(self.rng, len(self.x), low, high)

    def noise(self, cells: int, octaves: int = 1) -> np.ndarray:
        return cv.noise(self.rng, len(self.x), self.x.shape[-1], cells, octaves)

    def paint(self, hue=(0.0, 1.0), saturation=(0.1, 0.8), value=(0.3, 1.0), free: float = 0.3) -> np.ndarray:
        """A colour of the given ranges, at times any colour."""
        n = len(self.x)
        mine, other = cv.colours(self.rng, n, hue, saturation, value), cv.colours(self.rng, n)
        return np.where(self.rng.random((n, 1, 1, 1)) < free, other, mine)


def _sky(view: View, dark: float = 1.0) -> np.ndarray:
    top, low = view.paint((0.53, 0.66), (0.1, 0.8), (0.4, 1)), view.paint((-0.05, 0.65), (0, 0.5), (0.6, 1))
    picture = dark * (top + (low - top) * np.clip((view.y + 1) / (view.horizon + 1.2), 0, 1)[..., None])
    clouds = np.clip(view.noise(3, 3) * view.number(0, 1) - 0.1, 0, 1)
    return cv.paint(picture, WHITE * dark, clouds * 0.8)


def _land(view: View, picture: np.ndarray, hue=(0.15, 0.38)) -> np.ndarray:
    """Ground below the horizon, finer grained far away."""
    depth = np.clip(view.y - view.horizon, 0, 2)
    shade = 0.8 + 0.25 * depth + 0.15 * view.noise(10, 3)
    colour = cv.shaded(view.paint(hue, (0.15, 0.7), (0.3, 0.8)), shade)
    return cv.paint(picture, colour, cv.cover(view.y - view.horizon, view.pixel))


def _water(view: View, picture: np.ndarray) -> np.ndarray:
    depth = np.clip(view.y - view.horizon, 0.02, 2)
    waves = np.sin(12 * np.log(depth) + 3 * view.noise(4, 3) + 2 * view.x) * view.noise(8, 2)
    colour = cv.shaded(view.paint((0.48, 0.66), (0.2, 0.8), (0.3, 0.8)), 0.9 + view.number(0.1, 0.5) * waves)
    return cv.paint(picture, colour, cv.cover(view.y - view.horizon, view.pixel))


def _fill(view: View, picture: np.ndarray, colour: np.ndarray, inside: np.ndarray) -> np.ndarray:
    return cv.paint(picture, colour, cv.cover(inside, view.pixel))


def _disc(x: np.ndarray, y: np.ndarray, radius) -> np.ndarray:
    return radius - np.sqrt(x * x + y * y)


def _box(x: np.ndarray, y: np.ndarray, wide, high) -> np.ndarray:
    return np.minimum(wide - np.abs(x), high - np.abs(y))


def _pick(view: View, place: np.ndarray, numbers: int = 4) -> np.ndarray:
    """Random numbers of each column or cell a place falls into, from a table of 64 a picture."""
    table = view.rng.random((len(view.x) * 64, numbers), np.float32)
    first = 64 * np.arange(len(view.x))[:, None, None]
    return table.take((np.floor(place).astype(np.intp) & 63) + first, axis=0, mode="clip")


def _sea(view: View) -> np.ndarray:
    picture, u = _sky(view), view.x - view.number(-0.5, 0.5)
    sun = view.paint((0.0, 0.16), (0.1, 0.8), (0.9, 1), 0.1)
    height, radius = view.horizon - view.number(-0.05, 0.6), view.number(0.1, 0.25)
    picture = cv.paint(picture, sun, 0.6 * np.exp(-((u**2 + (view.y - height) ** 2) / (6 * radius**2))))
    picture = _water(view, _fill(view, picture, sun, _disc(u, view.y - height, radius)))
    path = np.exp(-((u / (0.1 + 0.3 * np.clip(view.y - view.horizon, 0, 2))) ** 2))
    glitter = path * np.clip(0.4 + view.noise(24), 0, 1)
    return cv.paint(picture, sun, glitter * cv.cover(view.y - view.horizon, view.pixel))


def _hills(view: View) -> np.ndarray:
    picture, haze = _sky(view), view.paint((0.5, 0.65), (0.1, 0.3), (0.7, 0.95))
    colour, rough = view.paint((0.15, 0.4), (0.3, 0.8), (0.2, 0.6)), view.noise(16, 2)
    for k in range(4):
        top = view.horizon - 0.2 + 0.28 * k + 0.3 * view.noise(3 + k)[:, :1]
        near = haze + (colour - haze) * ((k + 1) / 4)
        picture = _fill(
            view, picture, cv.shaded(near, 1.05 - 0.3 * (view.y - top) + 0.1 * rough), view.y - top
        )
    return picture


def _mountains(view: View) -> np.ndarray:
    picture, rough, snow = _sky(view), view.noise(9, 3), view.number(0.2, 0.4)
    for k in range(2):
        u = view.x * view.number(0.8, 1.3) + view.number(-3, 3)
        peak = (
            np.abs((u % 1) - 0.5) * 1.5 + 0.4 * np.abs((u * 1.7 % 1) - 0.5) + 0.08 * view.noise(16, 2)[:, :1]
        )
        top = view.horizon - 0.75 + 0.35 * k + peak * view.number(0.7, 1)
        lit = 0.75 + 0.35 * np.sign(u % 1 - 0.5) * view.number(0.3, 1) + 0.25 * rough
        rock = cv.shaded(view.paint((0.55, 0.75), (0.05, 0.35), (0.35, 0.6)), lit)
        white = cv.shaded(WHITE * 0.97, np.clip(lit + 0.25, 0, 1))
        above = view.horizon - 0.75 + 0.35 * k + snow + 0.25 * rough - view.y
        rock = cv.paint(rock, white, cv.cover(above, view.pixel * 2))
        picture = _fill(view, picture, rock, view.y - top)
    horizon = view.horizon + 0.35
    return _land(View(view.rng, view.x, view.y, view.pixel, horizon), picture)


def _forest(view: View) -> np.ndarray:
    leaves = view.paint((0.15, 0.4), (0.1, 0.6), (0.5, 1))
    picture = _land(view, cv.shaded(leaves, 0.9 + 0.3 * view.noise(8, 3)))
    fog = view.paint((0.2, 0.6), (0.05, 0.2), (0.6, 0.9), 0.1)
    bark = view.paint((0.02, 0.12), (0.1, 0.6), (0.1, 0.4))
    for k in range(3):
        u = view.x * (5 - 1.4 * k) + view.number(0, 9) + 0.1 * view.y * view.noise(2)
        value = _pick(view, u)
        side = u - np.floor(u) - 0.3 - 0.4 * value[..., 0] + 0.15 * (value[..., 2] - 0.5) * view.y
        wide = (0.1 + 0.12 * value[..., 1]) * (1 + 0.5 * np.clip(view.y - view.horizon, -0.3, 1))
        colour = cv.shaded(fog + (bark - fog) * (0.4 + 0.3 * k), 1 + 0.6 * side / wide + 0.2 * view.noise(20))
        inside = np.minimum((wide - np.abs(side)) / (5 - 1.4 * k), view.horizon + 0.05 + 0.25 * k - view.y)
        picture = _fill(view, picture, colour, inside)
    return picture


def _tree(view: View) -> np.ndarray:
    picture = _land(view, _sky(view))
    u, foot, tall = (
        view.x - view.number(-0.35, 0.35),
        view.horizon + view.number(0.1, 0.4),
        view.number(0.6, 1),
    )
    bark = view.paint((0.02, 0.12), (0.2, 0.6), (0.15, 0.45))
    v, wide = view.y - foot + tall, view.number(0.4, 0.65)
    trunk = np.minimum(0.07 + 0.06 * np.clip(v - tall + 0.3, 0, 1) - np.abs(u), np.minimum(tall - v, v))
    picture = _fill(view, picture, cv.shaded(bark, 1 + 4 * u), trunk)
    rough = view.noise(9, 3)
    crown = _disc(u / wide, v / view.number(0.4, 0.6), 1) * 0.5 + 0.22 * rough
    colour = view.paint((0.05, 0.4), (0.4, 0.9), (0.3, 0.8))
    return _fill(
        view, picture, cv.shaded(colour, np.clip(0.85 - 0.5 * v - 0.3 * u + 0.4 * rough, 0.3, 1.4)), crown
    )


def _house(view: View) -> np.ndarray:
    picture = _land(view, _sky(view))
    u, v = view.x - view.number(-0.3, 0.3), view.y - view.horizon - 0.15
    wide, high, roof = view.number(0.4, 0.65), view.number(0.35, 0.6), view.number(0.3, 0.6)
    wall = cv.shaded(view.paint((0, 0.15), (0.05, 0.5), (0.5, 1)), 1 + 0.08 * view.noise(12))
    dark = view.paint(value=(0.05, 0.4), free=0)
    picture = _fill(view, picture, wall, np.minimum(wide - np.abs(u), np.minimum(-v, v + high)))
    tiles = 1 + 0.15 * np.sign(np.sin(v * 60))
    gable = np.minimum(-v - high, (v + high + roof) - (roof / (wide + 0.12)) * np.abs(u))
    picture = _fill(view, picture, cv.shaded(view.paint((-0.03, 0.08), (0.3, 0.8), (0.3, 0.7)), tiles), gable)
    pane = np.abs(np.abs(u) - 0.55 * wide)
    picture = _fill(view, picture, dark, _box(pane, v + 0.62 * high, 0.2 * wide, 0.17 * high))
    return _fill(view, picture, dark * 0.8, np.minimum(_box(u, v, 0.16 * wide, 0.6 * high), -v))


def _houses(view: View) -> np.ndarray:
    picture, u = _land(view, _sky(view), (0, 1)), view.x * view.number(1.5, 2.4) + view.number(0, 9)
    value, v = _pick(view, u), view.y - view.horizon - 0.2
    top, side = 0.45 + 0.4 * value[..., 0], u - np.floor(u) - 0.5
    warm, cool = view.paint(), view.paint(value=(0.5, 1))
    wall = warm + (cool - warm) * value[..., 1:2]
    picture = _fill(view, picture, wall * (0.75 + 0.3 * value[..., 2:3]), np.minimum(-v, v + top))
    roof = view.paint((-0.03, 0.1), (0.2, 0.8), (0.2, 0.6)) * (0.8 + 0.4 * value[..., 3:4])
    picture = _fill(view, picture, roof, np.minimum(-v - top, v + top + 0.35 - 0.75 * np.abs(side)))
    panes = _box(np.abs(side) - 0.22, (v + top + 0.02) % 0.27 - 0.14, 0.09, 0.075)
    return _fill(
        view, picture, view.paint(value=(0.05, 0.35)), np.minimum(panes, np.minimum(-v - 0.04, v + top))
    )


def _skyline(view: View) -> np.ndarray:
    dark = view.number(0.15, 1)[..., None]
    picture = _sky(view) * dark
    for k in range(2):
        u = view.x * (4.5 - k) + view.number(0, 9)
        value = _pick(view, u)
        top = 0.35 - 0.35 * k - view.horizon + 0.9 * value[..., 0] ** 1.3
        wall = view.paint((0.5, 0.8), (0, 0.4), (0.2, 0.6)) * (0.3 + 0.7 * dark) * (1 - 0.15 * k)
        wall = wall * (0.8 + 0.4 * value[..., 1:2])
        inside = np.minimum((0.44 + 0.06 * value[..., 2] - np.abs(u % 1 - 0.5)) / (4.5 - k), view.y + top)
        picture = _fill(view, picture, wall, inside)
        a, b = u * 4, view.y * 11
        lit = _pick(view, np.floor(a) * 7 + np.floor(b) * 13, 1)[..., 0] < 0.55
        panes = cv.cover(_box(a % 1 - 0.5, b % 1 - 0.5, 0.3, 0.3), view.pixel * 8)
        lamp = view.paint((0.08, 0.16), (0.2, 0.8), (0.9, 1), 0.1)
        picture = cv.paint(picture, lamp, 0.9 * panes * lit * cv.cover(inside - 0.02, view.pixel))
    return picture


def _road(view: View) -> np.ndarray:
    picture, depth = _land(view, _sky(view)), np.clip(view.y - view.horizon, 0.01, 2)
    bend = view.number(-0.4, 0.4)
    u = (view.x - view.number(-0.3, 0.3) - bend * (1 - depth) ** 2) / depth - view.number(-0.2, 0.2)
    below, wide = view.y - view.horizon, view.number(0.5, 0.9)
    grey = cv.shaded(view.paint((0, 1), (0, 0.2), (0.25, 0.6), 0.15), 1 + 0.12 * view.noise(16, 2))
    picture = _fill(view, picture, grey, np.minimum((wide - np.abs(u)) * depth, below))
    dashes = np.minimum(0.04 - np.abs(u), (2.5 / depth % 2 - 1) * 0.2)
    line = np.maximum(dashes, 0.035 - np.abs(np.abs(u) - wide * 0.9))
    return _fill(
        view, picture, view.paint((0.1, 0.15), (0, 0.7), (0.85, 1), 0), np.minimum(line * depth, below)
    )


def _bridge(view: View) -> np.ndarray:
    picture = _water(view, _sky(view))
    v = view.y - view.horizon + view.number(0, 0.3) + view.number(-0.15, 0.15) * view.x
    u = (view.x * view.number(0.9, 1.8) + view.number(0, 1)) % 1 - 0.5
    shade = 0.95 + 0.2 * view.noise(20, 2) - 0.25 * np.clip(v, 0, 1)
    stone = cv.shaded(view.paint((0, 0.15), (0.05, 0.5), (0.3, 0.8)), shade)
    arch = -_disc(u, (v - 0.52) * 0.9, 0.4)
    body = np.minimum(np.minimum(v + 0.12, 0.6 - v), np.where(v > 0.52, np.abs(u) - 0.4, arch))
    picture = _fill(view, picture, stone, body)
    return _fill(view, picture, stone * 0.7, 0.025 - np.abs(v + 0.12))


def _boat(view: View) -> np.ndarray:
    picture, big = _water(view, _sky(view)), view.number(0.35, 0.75)
    u = (view.x - view.number(-0.35, 0.35)) / big * np.sign(view.number(-1, 1))
    v = (view.y - view.horizon - view.number(0.1, 0.4)) / big
    hull = np.minimum(np.minimum(v, 0.38 - v), 0.95 - 0.75 * v - np.abs(u))
    picture = _fill(view, picture, cv.shaded(view.paint(), 1 - 0.6 * v), hull * big)
    sail = np.minimum(np.minimum(u - 0.05, -v - 0.1), (v + 1.5) * 0.6 - u)
    jib = np.minimum(np.minimum(-u - 0.05, -v - 0.15), (v + 1.25) * 0.55 + u)
    cloth = cv.shaded(view.paint((0, 1), (0, 0.5), (0.75, 1)), 0.9 + 0.2 * u)
    picture = _fill(view, picture, cloth, np.maximum(sail, jib) * big)
    return _fill(
        view,
        picture,
        view.paint(value=(0.1, 0.4)),
        np.minimum(0.035 - np.abs(u), np.minimum(-v, v + 1.55)) * big,
    )


def _clouds(view: View) -> np.ndarray:
    low = View(view.rng, view.x, view.y, view.pixel, view.number(0.75, 1.2))
    picture = _sky(low)
    field = view.noise(3, 4)
    grey = cv.shaded(WHITE, 0.95 - 0.35 * np.clip(view.noise(3, 2), 0, 1))
    picture = cv.paint(picture, grey, cv.cover(field - view.number(-0.1, 0.25), 0.3))
    return _land(low, picture)


def _night(view: View) -> np.ndarray:
    picture = cv.shaded(view.paint((0.58, 0.75), (0.3, 0.9), (0.08, 0.35), 0.1), 1 + 0.5 * view.y)
    star = view.x * 9, view.y * 9
    value = _pick(view, np.floor(star[0]) * 5 + np.floor(star[1]) * 23)
    a, b = (star[k] % 1 - 0.2 - 0.6 * value[..., k] for k in (0, 1))
    glow = _disc(a, b, 0.17 * value[..., 2])
    picture = cv.paint(picture, WHITE, cv.cover(glow, view.pixel * 6) * (value[..., 3] < 0.5))
    u, v, r = view.x - view.number(-0.6, 0.6), view.y + view.number(0.2, 0.7), view.number(0.15, 0.32)
    moon = np.minimum(_disc(u, v, r), -_disc(u - r * view.number(0.4, 1.6), v + 0.1 * r, r))
    pale = cv.shaded(view.paint((0.1, 0.16), (0, 0.3), (0.9, 1), 0), 0.95 + 0.2 * view.noise(14))
    picture = _fill(view, picture, pale, moon)
    top = view.horizon + 0.3 + 0.25 * view.noise(4, 3)[:, :1]
    return _fill(view, picture, view.paint((0.5, 0.8), (0.2, 0.6), (0.02, 0.12), 0), view.y - top)


def _rows(view: View) -> np.ndarray:
    picture, below = _land(view, _sky(view), (0.03, 0.12)), view.y - view.horizon
    u = (view.x - view.number(-0.7, 0.7)) / np.clip(below, 0.03, 2) * view.number(2, 3.5)
    crop = view.paint((0.15, 0.4), (0.4, 0.9), (0.3, 0.8))
    band = (
        (view.number(0.2, 0.32) - np.abs(u % 1 - 0.5) + 0.12 * view.noise(24)) * np.clip(below, 0.03, 2) / 2.7
    )
    return cv.paint(
        picture, cv.shaded(crop, 0.9 + 0.3 * view.noise(20)), cv.cover(np.minimum(band, below), view.pixel)
    )


def _room(view: View) -> np.ndarray:
    wall, u, slope = (
        view.paint((0, 1), (0.05, 0.5), (0.5, 1)),
        view.x - view.number(-0.5, 0.3),
        view.number(0.2, 0.6),
    )
    picture = cv.shaded(wall, np.where(u > 0, 1.0, view.number(0.55, 0.85)) + 0.04 * view.noise(3))
    edge = view.number(0.25, 0.6) + slope * np.abs(u) * 0.7
    planks = 0.9 + 0.15 * np.sign(np.sin((view.x - 0.5 * view.y) * view.number(8, 20))) * view.number(0, 1)
    picture = _fill(
        view, picture, cv.shaded(view.paint((0.03, 0.12), (0.2, 0.7), (0.3, 0.8)), planks), view.y - edge
    )
    picture = _fill(view, picture, WHITE * 0.9, 0.02 - np.abs(view.y - edge))
    a, b = u - view.number(0.35, 0.6), view.y + view.number(0.1, 0.5) - slope * 0.3 * u
    wide, high = view.number(0.2, 0.35), view.number(0.25, 0.45)
    picture = _fill(
        view, picture, WHITE * view.number(0.3, 1)[..., None], _box(a, b, wide + 0.05, high + 0.05)
    )
    panes = np.minimum(_box(a, b, wide, high), np.minimum(np.abs(a), np.abs(b)) - 0.02)
    return cv.paint(picture, _sky(view), cv.cover(panes, view.pixel))


def _plate(view: View) -> np.ndarray:
    planks = 0.9 + 0.08 * np.sin(view.x * view.number(4, 14) + view.noise(3, 2)) + 0.1 * view.noise(16)
    picture = cv.shaded(view.paint((0.02, 0.14), (0.05, 0.7), (0.2, 0.9)), planks)
    x, y, r = view.x - view.number(-0.15, 0.15), view.y - view.number(-0.15, 0.15), view.number(0.7, 1.0)
    y = y / view.number(0.7, 1)
    far = np.sqrt(x * x + y * y) / r
    picture = cv.shaded(picture, 1 - 3 * np.clip(0.12 + _disc(x - 0.05, y - 0.08, r) / r, 0, 0.15))
    rim = np.exp(-(((far - 0.72) / 0.05) ** 2)) * np.sign(x + y)
    china = cv.shaded(view.paint((0, 1), (0, 0.25), (0.75, 1), 0.2), 0.97 - 0.15 * rim)
    picture = _fill(view, picture, china, (1 - far) * r)
    rough = view.noise(12, 3)
    for _ in range(7):
        angle, out = view.number(0, 6.3), view.number(0, 0.45) * r
        u, v = cv.rotate(x - out * np.cos(angle), y - out * np.sin(angle), view.number(0, 6.3))
        radius = view.number(0.14, 0.36) * r
        inside = _disc(u, v * view.number(1, 2), radius) + 0.05 * rough
        shade = 0.55 + 0.6 * np.sqrt(np.clip(inside / radius, 0, 1)) + 0.25 * rough
        colour = view.paint((-0.03, 0.35), (0.3, 0.95), (0.3, 0.95), 0.05)
        picture = cv.paint(
            picture, cv.shaded(colour, shade), cv.cover(inside, view.pixel) * (view.number() < 0.8)
        )
    return picture


def _shelf(view: View) -> np.ndarray:
    v = view.y * view.number(0.9, 1.6) + view.number(0, 3)
    back, wood = view.paint(value=(0.1, 0.5)), view.paint((0.04, 0.12), (0.2, 0.7), (0.3, 0.9))
    u = view.x * view.number(1.5, 4) + np.floor(v) * 2.7 + view.number(0, 9)
    value, side, up = _pick(view, u + 9 * np.floor(v)), u % 1 - 0.5, 1 - v % 1
    first, second, third = view.paint(), view.paint(), view.paint()
    colour = cv.paint(first + (second - first) * value[..., 2:3], third, (value[..., 3] > 0.7) * 1.0)
    inside = np.minimum(0.32 + 0.16 * value[..., 0] - np.abs(side), 0.4 + 0.5 * value[..., 1] - up)
    label = 1 + 0.35 * (np.abs(up - 0.35) < 0.08) - 0.5 * np.clip(np.abs(side) - 0.25, 0, 1)
    picture = _fill(view, cv.shaded(back, 0.6 + 0.5 * up), cv.shaded(colour, label), inside * 0.4)
    return _fill(view, picture, cv.shaded(wood, 1 + 0.1 * view.noise(20)), 0.05 - np.abs(up - 0.06))


def _car(view: View) -> np.ndarray:
    picture, big = _land(view, _sky(view), (0, 1)), view.number(0.55, 0.9)
    u = (view.x - view.number(-0.2, 0.2)) / big * np.sign(view.number(-1, 1))
    v = (view.y - view.horizon - view.number(0.15, 0.4)) / big
    picture = cv.shaded(picture, 1 - 0.6 * np.exp(-((v - 0.1) ** 2 / 0.01) - (u / 0.9) ** 6))
    high, roof = view.number(0.3, 0.42), view.number(0.28, 0.42)
    body = _box(u, v + high / 2, 1 - 0.25 * np.clip(-v, 0, 1), high / 2)
    top, back, front = -v - high + 0.02, view.number(0.5, 0.9), view.number(0.2, 0.5)
    cabin = 0.8 * np.minimum(u + back - 0.4 * top, front + 0.2 - 0.8 * top - u)
    cabin = np.minimum(np.minimum(top, roof - top), cabin)
    gloss = 0.9 + 0.5 * np.clip(-v - 0.25, 0, 0.5) - 0.4 * np.clip(v + 0.12, 0, 1)
    picture = _fill(
        view,
        picture,
        cv.shaded(view.paint((0, 1), (0, 0.95), (0.15, 1)), gloss),
        np.maximum(body, cabin) * big,
    )
    glass = np.minimum(cabin - 0.06, np.abs(u + 0.15) - 0.03)
    picture = _fill(
        view,
        picture,
        view.paint((0.5, 0.65), (0.05, 0.4), (0.1, 0.7), 0),
        np.minimum(glass, top - 0.05) * big,
    )
    wheel, radius = np.abs(u + 0.02) - 0.58, view.number(0.17, 0.24)
    picture = _fill(view, picture, WHITE * 0.08, _disc(wheel, v - 0.02, radius) * big)
    return _fill(
        view, picture, WHITE * view.number(0.4, 0.8)[..., None], _disc(wheel, v - 0.02, radius * 0.5) * big
    )


def _ball(view: View) -> np.ndarray:
    back = cv.shaded(view.paint(), 1 + 0.15 * view.noise(3, 2))
    picture, r, side = _land(view, back, (0, 1)), view.number(0.25, 0.5), view.number(-0.6, 0.6)
    u, v = view.x - view.number(-0.4, 0.4), view.y - view.horizon - view.number(0, 0.25)
    shadow = np.exp(-(((u + side * r) / r) ** 2) - ((v - 0.9 * r) / (0.3 * r)) ** 2)
    picture = cv.shaded(picture, 1 - 0.6 * shadow)
    height = np.sqrt(np.clip(1 - (u * u + v * v) / r**2, 0, 1))
    light = np.clip(0.6 * height + 0.55 * side * u / r - 0.5 * v / r, 0, 2)
    a, b = cv.rotate(u / r, v / r, view.number(0, 6.3))
    stripe = cv.cover(view.number(-0.3, 0.35) - np.abs(a + 0.3 * b * b), view.pixel / r)
    skin = cv.paint(np.broadcast_to(view.paint(), picture.shape), view.paint(), stripe)
    skin = cv.shaded(skin, 0.3 + 0.75 * light) + 0.6 * (light**12)[..., None] * view.number(0, 1)[..., None]
    return _fill(view, picture, skin, _disc(u, v, r))


PILE = (  # u and v of a box, in sides, and how often it is there
    (0, -0.6, 0.8),
    (-0.87, 0.0, 1),
    (0.87, 0.0, 1),
    (0, 0.5, 0.7),
    (-0.44, -0.75, 0.5),
    (0.44, -0.75, 0.5),
)


def _boxes(view: View) -> np.ndarray:
    picture, s = _land(view, cv.shaded(view.paint(), 1 + 0.1 * view.noise(3)), (0, 1)), view.number(0.38, 0.5)
    x, y, rough = view.x - view.number(-0.15, 0.15), view.y - view.number(-0.05, 0.2), view.noise(16, 2)
    right, first, second = view.number(0.45, 0.95), view.paint((0.02, 0.14)), view.paint()
    for u, v, chance in PILE:
        there = view.number() < chance
        colour = first + (second - first) * view.number()[..., None]
        p, q = (x - u * s - 0.05 * view.number(-1, 1)) / (0.87 * s), (y - v * s) / s
        side = np.minimum(1 - np.abs(p), 0.5 - np.abs(q + 0.5 * np.abs(p) - 0.5))
        top = 0.8 * _box(p / 2 - q - 0.5, -p / 2 - q - 0.5, 0.5, 0.5)
        shade = (
            np.where(p > 0, right, 1.4 - right) * (1 - 0.25 * (np.abs(np.abs(p) - 0.5) < 0.07)) + 0.08 * rough
        )
        shade = np.where(top > side, 1.3, shade)
        picture = cv.paint(
            picture, cv.shaded(colour, shade), cv.cover(np.maximum(side, top) * s, view.pixel) * there
        )
    return picture


Scene = tuple[Callable[[View], np.ndarray], float]

CLASSES: dict[str, Scene] = {
    "scene-sea": (_sea, 0.15),
    "scene-hills": (_hills, 0.3),
    "scene-mountains": (_mountains, 0.2),
    "scene-forest": (_forest, 0.2),
    "scene-tree": (_tree, 0.3),
    "scene-house": (_house, 0.5),
    "scene-houses": (_houses, 0.5),
    "scene-skyline": (_skyline, 0.1),
    "scene-road": (_road, 0.4),
    "scene-bridge": (_bridge, 0.2),
    "scene-boat": (_boat, 0.15),
    "scene-clouds": (_clouds, 0.1),
    "scene-night": (_night, 0.0),
    "scene-field": (_rows, 0.2),
    "scene-room": (_room, 0.2),
    "scene-plate": (_plate, 0.0),
    "scene-shelf": (_shelf, 0.0),
    "scene-car": (_car, 0.3),
    "scene-ball": (_ball, 0.2),
    "scene-boxes": (_boxes, 0.2),
}


def draw(recipe: Scene, rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    """n pictures of one kind of scene; a recipe is its painter and how likely a bush or pole stands in it."""
    scene, clutter = recipe
    x, y = cv.plane(size)
    zoom, pixel = cv.uniform(rng, n, 0.8, 1.2), np.float32(2 / size)
    flip = np.where(rng.random((n, 1, 1)) < 0.5, -1, 1)
    x, y = cv.rotate(x * zoom * flip, y * zoom, cv.uniform(rng, n, -0.1, 0.1))
    view = View(rng, x.astype(np.float32), y.astype(np.float32), pixel * zoom, cv.uniform(rng, n, -0.15, 0.4))
    picture = _clutter(view, scene(view), clutter)
    time = rng.uniform(0.8, 1.1, (n, 1, 1, 3)).astype(np.float32) * cv.uniform(rng, n, 0.7, 1.2)[..., None]
    return np.clip(picture * time, 0, 1).astype(np.float32)


def _clutter(view: View, picture: np.ndarray, chance: float) -> np.ndarray:
    """Bushes and a pole in front, in some of the pictures."""
    rough = view.noise(12, 2)
    for k in range(3):
        u, v, r = view.x - view.number(-1, 1), view.y - view.number(0.5, 1.1), view.number(0.1, 0.3)
        bush = (
            _disc(u, v, r) + 0.1 * rough
            if k
            else _box(u, view.y - view.horizon, 0.025, view.number(0.4, 1.2))
        )
        colour = cv.shaded(view.paint((0.1, 0.4), (0.1, 0.7), (0.15, 0.6)), 0.9 + 0.4 * rough)
        picture = cv.paint(picture, colour, cv.cover(bush, view.pixel) * (view.number() < chance))
    return picture
