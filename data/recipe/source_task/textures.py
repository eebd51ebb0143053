"""Textures filling the frame: the pattern, its number of repeats and at times its colours make the class;
scale, angle, perspective, warp, colours, contrast and light vary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from recipe.source_task import canvas as cv

Fields = tuple[np.ndarray, np.ndarray]
Triple = tuple[np.ndarray, np.ndarray, np.ndarray]
Span = tuple[float, float]


def _stripes(rng, x, y, pixel, amount) -> Fields:
    return _band(x, amount, pixel), np.ones_like(x)


def _wavy(rng, x, y, pixel, amount) -> Fields:
    return _band(x + amount * np.sin(y * 2.2), 0.5, pixel * 1.5), np.ones_like(x)


def _gingham(rng, x, y, pixel, amount) -> Fields:
    return (_band(x, amount, pixel) + _band(y, amount, pixel)) / 2, np.ones_like(x)


def _checks(rng, x, y, pixel, amount) -> Fields:
    return 0.5 - 2 * (_band(x, 0.5, pixel) - 0.5) * (_band(y, 0.5, pixel) - 0.5), np.ones_like(x)


def _houndstooth(rng, x, y, pixel, amount) -> Fields:
    over = _band((x + y) * 2, 0.5, pixel * 3)
    return over * _band(x, 0.5, pixel) + (1 - over) * _band(y, 0.5, pixel), np.ones_like(x)


def _dots(rng, x, y, pixel, amount) -> Fields:
    """`amount` is the dots' radius; below 0 the rows are staggered."""
    row = np.floor(y / 0.87) if amount < 0 else np.floor(y)
    v = y / 0.87 - row if amount < 0 else y - row
    u = x + 0.5 * (row % 2) * (amount < 0)
    return cv.cover(abs(amount) - _far(u - np.floor(u) - 0.5, v - 0.5), pixel), np.ones_like(x)


def _scales(rng, x, y, pixel, amount) -> Fields:
    level, tone = np.zeros_like(x), np.ones_like(x)
    for back in (0, 1, 2):
        row = np.floor(y * 2) - 2 + back
        u = x + 0.5 * (row % 2)
        u = u - np.floor(u) - 0.5
        inside = 0.56 - _far(u, (y - row / 2) * 0.75)
        on = cv.cover(inside, pixel)
        level += (np.exp(-((np.clip(inside, 0, 1) / 0.09) ** 2)) - level) * on
        tone += (0.6 + 0.9 * np.clip(y - row / 2, 0, 0.8) - tone) * on
    return level, tone


def _bricks(rng, x, y, pixel, amount) -> Fields:
    row = np.floor(y)
    u = x / 2.2 + 0.5 * (row % 2)
    column = np.floor(u)
    inside = np.minimum(0.5 - np.abs(y - row - 0.5), 2.2 * (0.5 - np.abs(u - column - 0.5))) - amount
    shade = _look(rng.random((len(x) * 1024, 1), np.float32), column, row)[..., 0]
    return 1 - cv.cover(inside, pixel), 0.75 + 0.4 * shade


def _weave(rng, x, y, pixel, amount) -> Fields:
    parity = (np.floor(x) + np.floor(y)) % 2
    along = np.where(parity > 0, x, y) % 1 - 0.5
    across = np.where(parity > 0, y, x) % 1 - 0.5
    return amount * parity, (1.15 - 1.2 * along**2) * (0.25 + 0.85 * cv.cover(0.42 - np.abs(across), 0.25))


def _mud(rng, x, y, pixel, amount) -> Fields:
    first, second, value = _voronoi(rng, x, y)
    return 1 - cv.cover(second - first - amount, pixel * 1.5), 0.85 + 0.25 * value[0]


def _mosaic(rng, x, y, pixel, amount) -> Fields:
    first, second, value = _voronoi(rng, x, y)
    return value[0], 1 - amount * (1 - cv.cover(second - first - 0.08, pixel))


def _pebbles(rng, x, y, pixel, amount) -> Fields:
    first, second, value = _voronoi(rng, x, y)
    rim = np.clip((second - first) * 2.2, 0, 1)
    return value[0], (0.2 + 0.95 * np.sqrt(rim)) * (1.1 - 0.45 * first) * (0.8 + 0.4 * value[1])


def _bubbles(rng, x, y, pixel, amount) -> Fields:
    level, tone = np.zeros_like(x), np.ones_like(x)
    for u, v, value in _near(rng, x, y):
        radius = 0.25 + 0.5 * value[..., 2]
        inside = radius - _far(u, v)
        rim = np.exp(-np.clip(inside, 0, 1) / 0.07)
        level = np.maximum(level, cv.cover(inside, pixel) * (0.25 + 0.75 * rim))
        glint = 0.28 * radius - _far(u + 0.35 * radius, v + 0.4 * radius)
        tone = np.maximum(tone, 1 + 0.5 * cv.cover(glint, pixel * 2))
    return level, tone


def _noise(rng, x, y, pixel, amount) -> Fields:
    """`amount` is what each octave keeps."""
    return np.clip(0.5 + 0.6 * _cloud(rng, x, y, 3, amount), 0, 1), np.ones_like(x)


def _marble(rng, x, y, pixel, amount) -> Fields:
    bend = _cloud(rng, x * 0.8, y * 0.8, 4, 0.6)
    return (1 - np.abs(np.sin(x + amount * bend))) ** 2.5, 1 + 0.12 * bend


def _wood(rng, x, y, pixel, amount) -> Fields:
    bend = cv.noise(rng, len(x), x.shape[-1], 3, 2)
    rings = _far(x - cv.uniform(rng, len(x), -3, 3), y * amount + cv.uniform(rng, len(x), -1, 1)) + bend
    fibre = cv.noise(rng, len(x), x.shape[-1], 24, 1)
    return (rings % 1) ** 1.5, 1 + 0.12 * fibre


def _fur(rng, x, y, pixel, amount) -> Fields:
    """Noise smeared along a flow; `amount` tells how far the flow turns."""
    size = x.shape[-1]
    angle = amount * cv.noise(rng, len(x), size, 2) * 2.5
    u, v = np.sin(angle) * 0.16, np.cos(angle) * 0.16
    table = rng.random((len(x) * 1024, 1), np.float32)
    steps = (_look(table, np.floor(2 * (x + k * u)), np.floor(2 * (y + k * v))) for k in range(-6, 7))
    field = (sum(steps)[..., 0] / 13 - 0.5) * 3.2
    return np.clip(0.5 + field, 0, 1), 1 + 0.35 * field


def _grass(rng, x, y, pixel, amount) -> Fields:
    level, tone = np.full_like(x, 0.5), np.full_like(x, 0.35)
    for layer in range(2):
        for u, v, value in _near(rng, x + 0.5 * layer, y * 0.35 + 0.5 * layer):
            lean = (value[..., 2] - 0.5) * 1.5
            inside = (0.2 - 0.3 * np.abs(v)) - np.abs(u - lean * v)
            on = cv.cover(np.minimum(inside, 0.65 - np.abs(v)), pixel)
            level += (value[..., 3] - level) * on
            tone += (0.7 + 0.5 * value[..., 2] - 0.5 * v - tone) * on
    return level, tone


def _knit(rng, x, y, pixel, amount) -> Fields:
    u = np.abs(x % 1 - 0.5)
    stitch = (y * 1.1 + u * 1.5) % 1 - 0.5
    tone = (1.2 - 2.6 * stitch**2) * (0.45 + 2 * np.minimum(u, 0.5 - u) ** 0.7)
    return _band(y * 1.1 + u * 1.5, 0.3, pixel * 2) * amount, tone


def _blotches(rng, x, y, pixel, amount) -> Fields:
    """`amount` is the share of the middle colour."""
    field = _cloud(rng, x, y, 2, 0.5)
    edge = 0.06
    return (cv.cover(field - amount, edge) + cv.cover(field + amount, edge)) / 2, np.ones_like(x)


def _spiral(rng, x, y, pixel, amount) -> Fields:
    """`amount` arms turning about a centre, or rings for 0."""
    radius, angle = _far(x, y), np.arctan2(y, x) / (2 * np.pi)
    return _band(radius + amount * angle, 0.5, pixel), np.ones_like(x)


def _rays(rng, x, y, pixel, amount) -> Fields:
    angle = np.arctan2(y, x) / (2 * np.pi) * amount
    return _band(angle, 0.5, amount * pixel / (6.3 * _far(x, y) + 0.1)), np.ones_like(x)


def _zigzag(rng, x, y, pixel, amount) -> Fields:
    return _band(y + amount * np.abs(x % 1 - 0.5), 0.5, pixel * 2), np.ones_like(x)


def _hatching(rng, x, y, pixel, amount) -> Fields:
    turned = (np.floor(x / amount) + np.floor(y / amount)) % 2
    return _band(np.where(turned > 0, x + y, x - y) * 1.5, 0.35, pixel * 2), np.ones_like(x)


def _scatter(square: bool, layers: int, low: float, high: float) -> Callable[..., Fields]:
    def pattern(rng, x, y, pixel, amount) -> Fields:
        level, tone = np.zeros_like(x), np.ones_like(x)
        for layer in range(layers):
            for u, v, value in _near(rng, x + 0.37 * layer, y + 0.61 * layer):
                radius = low + (high - low) * value[..., 2] ** 2
                if square:
                    u, v = cv.rotate(u, v, 6.3 * value[..., 0])
                far = np.maximum(np.abs(u), np.abs(v) * amount) if square else _far(u, v)
                on = cv.cover(radius - far, pixel)
                level += (0.2 + 0.8 * value[..., 3] - level) * on
                tone += (0.75 + 0.4 * value[..., 1] + 0.1 * u / radius - tone) * on
        return level, tone

    return pattern


def _labyrinth(rng, x, y, pixel, amount) -> Fields:
    """Waves of one length in all directions, cut at `amount`: winding bands, or spots when it is high."""
    angle, phase = rng.uniform(0, 2 * np.pi, (2, 14, len(x), 1, 1)).astype(np.float32)
    field = (
        sum(np.cos(6.28 * (x * np.cos(a) + y * np.sin(a)) + p) for a, p in zip(angle, phase, strict=True))
        / 2.6
    )
    return cv.cover(field - amount, pixel * 5), np.ones_like(x)


@dataclass(frozen=True)
class Texture:
    """One recipe: a pattern repeated about `count` times a frame; `paints` are (hue, saturation, value)."""

    pattern: Callable[..., Fields]
    count: float
    amount: float = 0.5
    three: bool = False
    turn: float = np.pi
    paints: tuple[tuple[Span, Span, Span], ...] = ()


GREEN = (((0.24, 0.36), (0.5, 0.9), (0.15, 0.4)), ((0.2, 0.3), (0.4, 0.8), (0.55, 0.95)))
BLUE = (((0.56, 0.66), (0.55, 0.9), (0.35, 0.8)), ((0.53, 0.62), (0.0, 0.3), (0.8, 1.0)))
RUST = (((0.0, 0.06), (0.5, 0.9), (0.15, 0.4)), ((0.03, 0.09), (0.5, 0.9), (0.5, 0.9)))
STRAW = (((0.08, 0.12), (0.4, 0.7), (0.3, 0.5)), ((0.11, 0.15), (0.35, 0.65), (0.8, 1.0)))
GREY = (((0.0, 1.0), (0.0, 0.1), (0.2, 0.45)), ((0.0, 1.0), (0.0, 0.1), (0.65, 1.0)))

CLASSES: dict[str, Texture] = {
    "texture-stripes-thin": Texture(_stripes, 8, 0.22),
    "texture-stripes-thick": Texture(_stripes, 4, 0.5),
    "texture-stripes-wavy": Texture(_wavy, 5, 0.45),
    "texture-gingham": Texture(_gingham, 5),
    "texture-checks": Texture(_checks, 3.5),
    "texture-houndstooth": Texture(_houndstooth, 4),
    "texture-dots-square": Texture(_dots, 5, 0.3),
    "texture-dots-hexagonal": Texture(_dots, 5, -0.42),
    "texture-scales": Texture(_scales, 4.5, turn=0.5),
    "texture-bricks": Texture(_bricks, 7, 0.07, turn=0.5),
    "texture-weave": Texture(_weave, 7, 1.0),
    "texture-mud": Texture(_mud, 5, 0.07),
    "texture-mosaic": Texture(_mosaic, 6, 0.6, three=True),
    "texture-clouds": Texture(_noise, 3, 0.1),
    "texture-grain": Texture(_noise, 26, 1.0),
    "texture-marble": Texture(_marble, 5, 2.6),
    "texture-wood": Texture(_wood, 7, 0.22),
    "texture-knit": Texture(_knit, 6, 0.6),
    "texture-bubbles": Texture(_bubbles, 5),
    "texture-blotches-two": Texture(_blotches, 6.5, 0.0),
    "texture-blotches-three": Texture(_blotches, 6.5, 0.25, three=True),
    "texture-spiral": Texture(_spiral, 6, 2),
    "texture-rings": Texture(_spiral, 7, 0),
    "texture-rays": Texture(_rays, 4, 16),
    "texture-zigzag": Texture(_zigzag, 4, 1.3),
    "texture-hatching": Texture(_hatching, 8, 2.0),
    "texture-discs": Texture(_scatter(False, 2, 0.35, 0.95), 4, three=True),
    "texture-squares": Texture(_scatter(True, 2, 0.35, 0.8), 4, 1.0, three=True),
    "texture-confetti": Texture(_scatter(True, 1, 0.36, 0.44), 6, 2.6, three=True),
    "texture-labyrinth": Texture(_labyrinth, 6, 0.0),
    "texture-specks": Texture(_scatter(False, 1, 0.05, 0.22), 9, three=True),
    "texture-moss": Texture(_noise, 8, 0.75, paints=GREEN),
    "texture-sky": Texture(_noise, 8, 0.75, paints=BLUE),
    "texture-soil": Texture(_noise, 8, 0.75, paints=RUST),
    "texture-pebbles-grey": Texture(_pebbles, 5, paints=GREY),
    "texture-pebbles-rust": Texture(_pebbles, 5, paints=RUST),
    "texture-grass": Texture(_grass, 9, turn=0.4, paints=GREEN),
    "texture-hay": Texture(_grass, 9, turn=0.4, paints=STRAW),
    "texture-fur-brown": Texture(_fur, 18, 0.6, paints=RUST),
    "texture-fur-grey": Texture(_fur, 18, 0.6, paints=GREY),
}


def draw(recipe: Texture, rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    """n pictures of surfaces of one recipe."""
    x, y, pixel = _surface(recipe, rng, n, size)
    level, tone = recipe.pattern(rng, x, y, pixel, recipe.amount)
    first, second = _pair(recipe, rng, n)
    picture = cv.paint(np.broadcast_to(first, (n, size, size, 3)), second, level)
    if recipe.three:
        third = cv.apart(rng, (first + second) / 2)
        picture = cv.paint(picture, third, np.clip(1 - np.abs(level - 0.5) * 4, 0, 1))
    light = 1 + cv.uniform(rng, n, 0, 0.3) * cv.noise(rng, n, size, 2) + cv.uniform(rng, n, -0.2, 0.1)
    return np.clip(cv.shaded(picture, light * tone), 0, 1).astype(np.float32)


def _surface(recipe: Texture, rng: np.random.Generator, n: int, size: int) -> Triple:
    """Coordinates on a surface turned, tilted and crumpled, in repeats of the pattern."""
    x, y = cv.plane(size)
    x, y = cv.rotate(x, y, cv.uniform(rng, n, -recipe.turn, recipe.turn))
    x, y = x - cv.uniform(rng, n, -0.5, 0.5), y - cv.uniform(rng, n, -0.5, 0.5)
    depth = 1 + cv.uniform(rng, n, -0.3, 0.3) * x + cv.uniform(rng, n, -0.3, 0.3) * y
    warp = 0.12 * cv.uniform(rng, n)
    step = recipe.count / 2 / np.exp(cv.uniform(rng, n, np.log(0.6), np.log(1.6)))
    x = (x / depth + warp * cv.noise(rng, n, size, 3)) * step
    y = (y / depth + warp * cv.noise(rng, n, size, 3)) * step
    return x, y, 2 / size * step


def _pair(recipe: Texture, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    if recipe.paints:
        return cv.colours(rng, n, *recipe.paints[0]), cv.colours(rng, n, *recipe.paints[1])
    first = cv.colours(rng, n, saturation=(0, 0.9), value=(0.1, 1))
    second = cv.apart(rng, first, 0.5, saturation=(0, 0.9), value=(0.1, 1))
    flip = rng.random((n, 1, 1, 1)) < 0.5
    return np.where(flip, second, first), np.where(flip, first, second)


def _band(x: np.ndarray, share: float, pixel: np.ndarray) -> np.ndarray:
    return cv.cover(share / 2 - np.abs(x - np.floor(x) - 0.5), pixel)


def _far(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sqrt(x * x + y * y)


def _look(table: np.ndarray, column: np.ndarray, row: np.ndarray) -> np.ndarray:
    """The row of each lattice cell in a table of 1024 rows a picture."""
    place = (column.astype(np.intp) & 31) * 32 + (row.astype(np.intp) & 31)
    return table.take(place + 1024 * np.arange(len(place))[:, None, None], axis=0, mode="clip")


def _cloud(rng: np.random.Generator, x: np.ndarray, y: np.ndarray, octaves: int, keep: float) -> np.ndarray:
    """Smooth noise around 0 on the surface itself, one lattice cell a bump; see `canvas.noise`."""
    field = np.zeros_like(x)
    for octave in range(octaves):
        table = rng.uniform(-1, 1, (len(x) * 1024, 1)).astype(np.float32)
        u, v = x * 2**octave, y * 2**octave
        i, j = np.floor(u), np.floor(v)
        a, b = (t * t * (3 - 2 * t) for t in (u - i, v - j))
        corners = [_look(table, i + k % 2, j + k // 2)[..., 0] for k in range(4)]
        upper, lower = (corners[k] + (corners[k + 1] - corners[k]) * a for k in (0, 2))
        field += keep**octave * (upper + (lower - upper) * b)
    return field


def _near(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> Iterator[Triple]:
    """Offsets from the points strewn in the nine nearest lattice cells, and each point's four numbers."""
    table = rng.random((len(x) * 1024, 4), np.float32)
    column, row = np.floor(x), np.floor(y)
    for k in (0, 8, 3, 5, 1, 7, 2, 6, 4):
        i, j = column + k % 3 - 1, row + k // 3 - 1
        value = _look(table, i, j)
        yield x - i - 0.15 - 0.7 * value[..., 0], y - j - 0.15 - 0.7 * value[..., 1], value


def _voronoi(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> Triple:
    """Distances to the nearest and second nearest strewn point, and two numbers of the nearest."""
    first, second, nearest = np.full_like(x, 9), np.full_like(x, 9), np.zeros((2, *x.shape), np.float32)
    for u, v, value in _near(rng, x, y):
        far = u * u + v * v
        second = np.minimum(second, np.maximum(far, first))
        for k in (0, 1):
            np.copyto(nearest[k], value[..., 2 + k], where=far < first)
        first = np.minimum(far, first)
    return np.sqrt(first), np.sqrt(second), nearest
