"""The brushes of the source families: batches of points, noise, colours and grounds, in NumPy.

A batch of n pictures is drawn at once. Fields are float32 (n, size, size), pictures float32
(n, size, size, 3) with black 0 and white 1, numbers of one picture each (n, 1, 1). Lengths are in
half sides: the frame reaches from -1 to 1, x to the right and y down.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vgglab.datasets.blossoms import interpolation


def uniform(rng: np.random.Generator, n: int, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """One number for each picture, (n, 1, 1)."""
    return rng.uniform(low, high, (n, 1, 1)).astype(np.float32)


def plane(size: int) -> tuple[np.ndarray, np.ndarray]:
    """x and y of every pixel's centre, each (1, size, size)."""
    side = (np.arange(size, dtype=np.float32) + 0.5) * 2 / size - 1
    x, y = np.meshgrid(side, side)
    return x[None], y[None]


def pose(
    rng: np.random.Generator,
    n: int,
    size: int,
    *,
    turn: float = np.pi,
    scale: tuple[float, float] = (0.5, 0.95),
    shift: float = 0.25,
    squeeze: float = 0.25,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates of an object placed at random in each picture: x, y and the side of a pixel.

    The object reaches from -1 to 1 in its own coordinates. It is turned by at most `turn` radians to
    either side, fills `scale` of the frame, lies off the centre by at most `shift`, and is
    foreshortened by at most `squeeze` along a random direction.
    """
    x, y = plane(size)
    radius = uniform(rng, n, *scale)
    x = (x - uniform(rng, n, -shift, shift)) / radius
    y = (y - uniform(rng, n, -shift, shift)) / radius
    lean = uniform(rng, n, -np.pi, np.pi)
    x, y = rotate(x, y, lean)
    y = y / (1 - squeeze * uniform(rng, n))
    x, y = rotate(x, y, uniform(rng, n, -turn, turn) - lean)
    return x, y, 2 / size / radius


def rotate(x: np.ndarray, y: np.ndarray, angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates in a frame whose x axis points in the direction of `angle`."""
    cos, sin = np.cos(angle), np.sin(angle)
    return x * cos + y * sin, y * cos - x * sin


def noise(
    rng: np.random.Generator, n: int, size: int, cells: int = 4, octaves: int = 1, keep: float = 0.5
) -> np.ndarray:
    """Smooth value noise around 0, within about -1 to 1, of `cells` cells a side.

    Each of the further octaves doubles the cells and keeps `keep` of the strength.
    """
    field = np.zeros((n, size, size), np.float32)
    for octave in range(octaves):
        count = cells * 2**octave + 1
        values = rng.uniform(-1, 1, (n, count, count)).astype(np.float32)
        matrix = interpolation(count, size)
        field += keep**octave * (matrix @ values @ matrix.T)
    return field


def colours(
    rng: np.random.Generator,
    n: int,
    hue: tuple[float, float] = (0.0, 1.0),
    saturation: tuple[float, float] = (0.1, 0.9),
    value: tuple[float, float] = (0.25, 1.0),
) -> np.ndarray:
    """A random colour for each picture from ranges of hue (1 is once round), saturation and value: (n, 1, 1, 3)."""
    h, s, v = (rng.uniform(*span, (n, 1)).astype(np.float32) for span in (hue, saturation, value))
    waves = np.abs((h * 6 + np.array([[0.0, 4.0, 2.0]], np.float32)) % 6 - 3) - 1
    return (v * (1 - s + s * np.clip(waves, 0, 1)))[:, None, None, :].astype(np.float32)


def apart(rng: np.random.Generator, colour: np.ndarray, least: float = 0.35, **ranges) -> np.ndarray:
    """Colours like `colours(...)`, each at least about `least` away from `colour` in RGB."""
    best = colours(rng, len(colour), **ranges)
    for _ in range(4):
        other = colours(rng, len(colour), **ranges)
        near = np.linalg.norm(best - colour, axis=-1, keepdims=True) < least
        best = np.where(near, other, best)
    return best


def cover(inside: np.ndarray, pixel: np.ndarray | float) -> np.ndarray:
    """How much of a pixel is covered, from the distance inside an outline and the side of a pixel."""
    return np.clip(inside / pixel + 0.5, 0, 1).astype(np.float32)


def paint(canvas: np.ndarray, colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The canvas with a colour, (n, 1, 1, 3) or (n, size, size, 3), laid over it."""
    return canvas + (colour - canvas) * alpha[..., None]


def shaded(colour: np.ndarray, shade: np.ndarray) -> np.ndarray:
    """A colour made darker and lighter over the picture: shade 1 leaves it."""
    return colour * shade[..., None]


def ground(rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    """A background for each picture: plain, graded, cloudy, speckled, or cluttered with patches."""
    first = colours(rng, n)
    second = np.where(uniform(rng, n)[..., None] < 0.5, first * 0.8 + 0.1, colours(rng, n))
    x, y = plane(size)
    slope, _ = rotate(x, y, uniform(rng, n, -np.pi, np.pi))
    smooth = noise(rng, n, size, 3, 2)
    rough = noise(rng, n, size, 8, 3, 0.9)
    patches = np.sign(noise(rng, n, size, 3)) * 0.7 + 0.2 * rough
    plain = np.zeros_like(smooth)
    pick = rng.integers(0, 5, (n, 1, 1))
    level = np.select([pick == k for k in range(5)], [plain, slope * 0.6, smooth, 0.7 * rough, patches])
    return first + (second - first) * np.clip(0.5 + 0.5 * level, 0, 1)[..., None]


def finish(rng: np.random.Generator, canvas: np.ndarray) -> np.ndarray:
    """What a camera adds: uneven light, exposure, a tint, a little blur and grain. Returns uint8."""
    n, size = canvas.shape[:2]
    x, y = plane(size)
    slope, _ = rotate(x, y, uniform(rng, n, -np.pi, np.pi))
    light = 1 + uniform(rng, n, 0, 0.25) * slope + uniform(rng, n, -0.2, 0.15)
    tint = 1 + rng.uniform(-0.08, 0.08, (n, 1, 1, 3)).astype(np.float32)
    canvas = canvas * light[..., None] * tint
    blurred = _blur(canvas)
    canvas = canvas + (blurred - canvas) * (uniform(rng, n) ** 2)[..., None]
    grain = (
        rng.standard_normal((n, size, size, 1), dtype=np.float32) * (0.04 * uniform(rng, n) ** 2)[..., None]
    )
    return (255 * np.clip(canvas + grain, 0, 1) + 0.5).astype(np.uint8)


def _blur(canvas: np.ndarray) -> np.ndarray:
    for axis in (1, 2):
        canvas = (np.roll(canvas, 1, axis) + 2 * canvas + np.roll(canvas, -1, axis)) / 4
    return canvas


def blend(fields: Iterable[np.ndarray], smooth: float = 0.05) -> np.ndarray:
    """The union of shapes given by their distance inside, its corners rounded by about `smooth`."""
    fields = np.stack(list(fields))
    top = fields.max(axis=0)
    return top + smooth * np.log(np.exp((fields - top) / smooth).sum(axis=0))
