"""Blossoms: eight species of procedurally drawn flowers that share their colours.

What makes a species is geometry alone: how many petals, their outline, twist, rings and core.
Everything else (colour, pose, light, ground, leaves in front) is a nuisance with its own dial.
"""

from __future__ import annotations

import colorsys
import math
import zlib
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from vgglab.errors import InputError

SUPERSAMPLE = 2  # samples per pixel side, averaged away at the end: antialiasing
MAX_RINGS, MAX_PETALS = 3, 24  # how many petals get individual numbers, whatever the species has
OCTAVES = (3, 6, 12, 24, 48)  # cells per side of the noise grids, coarse to fine
GROUNDS = (  # dark and light HSV, and how much each finer octave keeps of the one before
    ((0.30, 0.55, 0.20), (0.24, 0.50, 0.52), 0.45),  # out-of-focus meadow
    ((0.27, 0.70, 0.14), (0.21, 0.62, 0.50), 0.85),  # moss
    ((0.07, 0.50, 0.14), (0.09, 0.38, 0.48), 0.90),  # soil
    ((0.48, 0.35, 0.18), (0.40, 0.22, 0.52), 0.60),  # shaded grass, bluish
    ((0.13, 0.45, 0.30), (0.14, 0.40, 0.68), 0.65),  # dry grass
)


@dataclass(frozen=True)
class Species:
    """The geometry that makes a flower one species and not another.

    Lengths are in bloom radii. A petal's half-width at a fraction x of its length is
    `width * x**base * (1 - x)**tip`, scaled so that its widest point is `width`.
    """

    name: str  # folder name
    petals: int  # petals in a ring, 3 to 24
    rings: int  # rings of petals, 1 to 3, each smaller than the one under it
    width: float  # largest half-width of a petal
    base: float  # small: broad at the core; large: stalked
    tip: float  # below 0.5: blunt; 0.5: round; 1 and above: pointed
    notch: float  # how far the tip is cut back: heart-shaped petals
    twist: float  # radians the petals turn between core and tip
    core: float  # radius of the core


SPECIES = (
    Species("campion", 5, 1, 0.42, 0.90, 0.35, 0.22, 0.0, 0.12),
    Species("clematis", 6, 1, 0.33, 0.80, 0.80, 0.0, 0.0, 0.18),
    Species("cosmos", 8, 1, 0.29, 0.80, 0.30, 0.06, 0.0, 0.26),
    Species("dahlia", 8, 3, 0.27, 0.60, 0.55, 0.0, 0.0, 0.11),
    Species("lotus", 7, 2, 0.29, 0.70, 0.95, 0.0, 0.0, 0.20),
    Species("pinwheel", 5, 1, 0.36, 0.90, 0.45, 0.0, 1.0, 0.12),
    Species("primrose", 5, 2, 0.42, 0.70, 0.40, 0.10, 0.0, 0.15),
    Species("starflower", 6, 1, 0.20, 0.55, 1.10, 0.0, 0.0, 0.15),
)


@dataclass(frozen=True)
class Nuisances:
    """How widely each thing that does not name the species varies, from 0 (fixed) to 1 (widest), the default.

    `InputError` names a dial that is outside of that.
    """

    rotation: float = 1.0  # any angle, and mirrored a quarter of the time
    position: float = 1.0  # where in the frame
    scale: float = 1.0  # how much of the frame it fills
    aspect: float = 1.0  # foreshortening: seen from the side
    light: float = 1.0  # where it comes from, how bright, how uneven
    hue: float = 1.0  # colours of petals and core
    texture: float = 1.0  # ground: colours, noise, leaves behind the bloom
    occlusion: float = 1.0  # leaves in front of the bloom

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 <= value <= 1:
                raise InputError(f"`{field.name}` must be 0 to 1. Received: {value}.")


NARROW = Nuisances(*[0.0] * 8)
SMALLEST = 16  # pixels a side that a flower can be drawn with
WIDE = Nuisances(*[1.0] * 8)


@dataclass(frozen=True)
class Scene:
    """All numbers of one picture, the dials already applied."""

    angle: float  # of the bloom in the picture plane
    mirror: float  # 1, or -1 for a mirror image
    centre: tuple  # of the bloom; the frame reaches from -1 to 1
    radius: float
    aspect: float  # shorter over longer axis of the foreshortened bloom
    tilt: float  # direction of the longer axis
    light: float  # direction the light comes from
    brightness: float
    gradient: float
    hue: float
    saturation: float
    throat: float
    core_value: float
    ground: np.ndarray  # dark and light RGB
    noise: list  # a grid per octave
    behind: list  # leaves under the bloom, five numbers 0 to 1 each
    foliage: float  # opacity of those leaves
    front: list  # leaves over the bloom
    reach: float  # how far those have grown
    petals: np.ndarray  # swing, stretch and tint of every petal of every ring


def sample_scene(rng: np.random.Generator, dials: Nuisances) -> Scene:
    """Draw every number first, then apply the dials, so that no dial moves another's numbers."""
    u = rng.uniform(-1, 1, 16).tolist()  # Python floats: they leave float32 arrays float32
    leaves = rng.uniform(0, 1, (5, 5)).tolist()
    petals = rng.normal(size=(3, MAX_RINGS, MAX_PETALS)).clip(-2, 2).astype(np.float32)
    grids = [rng.uniform(-1, 1, (n, n)).astype(np.float32) for n in OCTAVES]
    *pair, keep = GROUNDS[int((u[14] + 1) / 2 * len(GROUNDS))]
    plain, ground = (np.stack([_rgb(*hsv) for hsv in hsvs]) for hsvs in (GROUNDS[0][:2], pair))
    return Scene(
        angle=math.pi * dials.rotation * u[0],
        mirror=-1.0 if dials.rotation * u[1] > 0.5 else 1.0,
        centre=(0.16 * dials.position * u[2], 0.16 * dials.position * u[3]),
        radius=0.76 * 1.25 ** (dials.scale * u[4]),
        aspect=1 - 0.27 * dials.aspect * abs(u[5]),
        tilt=math.pi * u[6],
        light=math.pi * (-0.75 + dials.light * u[7]),
        brightness=1.08 + 0.15 * dials.light * u[8],
        gradient=0.1 + 0.1 * dials.light * (1 + u[9]),
        hue=0.92 + 0.24 * dials.hue * u[10],
        saturation=0.49 + 0.25 * dials.hue * u[11],
        throat=dials.hue * u[12],
        core_value=0.9 - 0.3 * dials.hue * (1 + u[13]),
        ground=_mix(plain, ground, dials.texture),
        noise=[0.31 * dials.texture * keep**i * grid for i, grid in enumerate(grids)],
        behind=leaves[2:],
        foliage=0.65 * dials.texture,
        front=leaves[:2],
        reach=dials.occlusion,
        petals=petals,
    )


def _rgb(hue, saturation, value):
    return np.array(colorsys.hsv_to_rgb(hue % 1, saturation, value), np.float32)


def _mix(a, b, t):
    return a + (b - a) * t


def _ramp(t):
    return np.clip(t, 0, 1)


@lru_cache
def interpolation(cells: int, size: int, shift: float = 0.0) -> np.ndarray:
    """Matrix (size, cells) from a grid to pixels, with a smooth step between neighbours."""
    place = np.clip((np.arange(size) + 0.5) / size - shift, 0, 1) * (cells - 1)
    cell = np.minimum(place.astype(int), cells - 2)
    t = place - cell
    t = t * t * (3 - 2 * t)
    matrix = np.zeros((size, cells), np.float32)
    matrix[np.arange(size), cell] = 1 - t
    matrix[np.arange(size), cell + 1] = t
    return matrix


def _enlarge(grid, size, shift=(0.0, 0.0)):
    down, right = (interpolation(len(grid), size, s) for s in shift)
    return down @ grid @ right.T


def _shrink(image, cells):
    matrix = interpolation(cells, len(image))
    matrix = matrix / matrix.sum(0)
    return matrix.T @ image @ matrix


def _turn(x, y, angle):
    """Coordinates in a frame whose x axis points in the direction of `angle`."""
    cos, sin = math.cos(angle), math.sin(angle)
    return x * cos + y * sin, y * cos - x * sin


def _petal(x, y, width, base, tip, notch=0.0):
    """Distance inside the outline of a petal from 0 to 1 on the x axis, and -1..1 across it."""
    widest = base / (base + tip)
    scale = width / (widest**base * (1 - widest) ** tip)
    if notch:
        x = x * (1 + notch * _ramp(1 - np.abs(y) / (0.7 * width)) ** 2)
    on = _ramp(x)
    half = scale * on**base * (1 - on) ** tip
    slope = half * (base / (on + 1e-3) - tip / (1 - on + 1e-3))
    inside = (half - np.abs(y)) / np.sqrt(1 + slope**2) - np.abs(x - on)
    return inside, np.clip(y / (half + 1e-3), -1, 1)


def _rings(species, scene, r, theta, light, pixel):
    """Lay the petals over each other: cover, tone (0 throat to 1 tip) and shade of each point."""
    wedge = 2 * math.pi / species.petals
    cover, tone, shade = np.zeros((3, *r.shape), np.float32)
    for ring in range(species.rings):
        place = (theta + species.twist * r) / wedge + ring / 2
        before = np.floor(place)
        axes = wedge * (np.arange(species.petals) - ring / 2)
        sides = np.sin(light - axes).astype(np.float32)
        # Of the petals before and after a point the latter is on top; no other reaches it.
        for step in (0, 1):
            petal = (before + step).astype(int) % species.petals
            swing, stretch, tint = scene.petals[:, ring, petal]
            d = (place - before - step + 0.05 * swing) * wedge
            distance = r / ((1 - 0.27 * ring) * (0.95 + 0.04 * stretch))
            x, y = distance * np.cos(d), distance * np.sin(d)
            inside, v = _petal(x, y, species.width, species.base, species.tip, species.notch)
            lit = (
                0.97 + 0.06 * ring + 0.03 * tint
                + (0.14 * sides[petal] - 0.22 * v) * v  # the petal is arched across
                + 0.10 * np.cos(16 * v) * x * (1 - x)  # veins
                - 0.16 * _ramp(1 - 4 * np.abs(v)) * (1 - x)  # crease
                - 0.35 * _ramp(1 - 2.2 * x) ** 2  # it dips to the core
            )  # fmt: skip
            alpha = _ramp(inside / pixel + 0.5)
            shadow = 0.45 * _ramp(1 + 10 * inside) ** 2
            shade = _mix(shade * (1 - shadow), lit, alpha)
            tone = _mix(tone, x, alpha)
            cover = _mix(cover, 1, alpha)
    return cover, tone, shade


def _core(species, r, theta, light, pixel):
    """Cover and shade of the domed core; its seeds lie where two families of spirals cross."""
    q = r / species.core
    spiral = 6 * np.log(q + 0.15)
    seeds = np.cos(8 * theta + spiral) * np.cos(5 * theta - spiral)
    dome = 0.85 + 0.25 * q * np.cos(theta - light) - 0.3 * q**4
    return _ramp((species.core - r) / pixel + 0.5), dome * (1 + 0.28 * seeds * _ramp(2 * q))


def _leaf(canvas, x, y, numbers, start, length, width, pixel, opacity=1.0):
    """Composite a leaf that starts so far from the bloom's centre and grows away, or back to it."""
    turn, lean, yellow, pale = numbers
    x, y = _turn(x, y, 2 * math.pi * turn)
    x, y = _turn(x - start, y, (math.pi if start else 0) + lean - 0.5)
    x, y = x / length, y / length
    inside, v = _petal(x, y, width, 0.7, 0.9)
    colour = _rgb(0.35 - 0.13 * yellow, 0.45 + 0.2 * pale, 0.45 + 0.25 * pale)
    veins = 0.05 * np.cos(40 * (x - 0.35 * np.abs(y) / width))
    lit = 0.85 + 0.18 * v - 0.25 * _ramp(1 - 6 * np.abs(v)) + veins
    shadow = 0.35 * opacity * _ramp(1 + 8 * inside) ** 2
    alpha = opacity * _ramp(inside * length / pixel + 0.5)
    return canvas * ((1 - shadow) * (1 - alpha)) + colour[:, None, None] * (lit * alpha)


def render(species: Species, scene: Scene, size: int) -> np.ndarray:
    """One picture, float32 (3, size, size), black 0 and white 1."""
    side = ((np.arange(size, dtype=np.float32) + 0.5) * 2 / size) - 1
    x, y = np.meshgrid(side, side)
    light_x, light_y = math.cos(scene.light), math.sin(scene.light)
    lit = scene.brightness * (1 + scene.gradient * (x * light_x + y * light_y))

    level = _ramp(0.5 + sum(_enlarge(grid, size) for grid in scene.noise))
    dark, pale = scene.ground[:, :, None, None]
    canvas = _mix(dark, pale, level)

    # From here on lengths are in bloom radii, from the bloom's centre.
    x, y = (x - scene.centre[0]) / scene.radius, (y - scene.centre[1]) / scene.radius
    pixel = 2 / size / scene.radius
    for long, *numbers in scene.behind:
        canvas = _leaf(canvas, x, y, numbers, 0, 1.15 + 0.35 * long, 0.2, pixel, scene.foliage)

    across, along = _turn(x, y, scene.tilt)
    along = along / scene.aspect
    r = np.hypot(across, along)
    theta = scene.mirror * (np.arctan2(along, across) + (scene.tilt + scene.angle))
    light = scene.mirror * (scene.light + scene.angle)
    cover, tone, shade = _rings(species, scene, r, theta, light, pixel)

    # The bloom's shadow is its own outline, blurred and moved away from the light.
    away = -0.05 * light_y, -0.05 * light_x
    canvas = canvas * (1 - 0.6 * _enlarge(_shrink(cover, 14), size, away))

    hue, saturation = scene.hue, scene.saturation
    throat = _rgb(hue - 0.06, saturation * (1 + 0.2 * scene.throat), 0.85 - 0.2 * scene.throat)
    stops = throat, _rgb(hue, saturation, 0.97), _rgb(hue + 0.03, 0.65 * saturation, 1)
    throat, middle, tip = (colour[:, None, None] for colour in stops)
    petals = _mix(_mix(throat, middle, _ramp(2.2 * tone)), tip, _ramp(1.6 * tone - 0.6))
    canvas = _mix(canvas, petals * shade, cover)

    canvas = canvas * (1 - 0.45 * cover * _ramp(1 - (r - species.core) / 0.10) ** 2)
    alpha, dome = _core(species, r, theta, light, pixel)
    core = _rgb(0.075 + 0.05 * scene.core_value, 0.8, scene.core_value)
    canvas = _mix(canvas, core[:, None, None] * dome, alpha)

    for (long, *numbers), growth, width in zip(scene.front, (1.1, 1.8), (0.16, 0.06)):
        length = max(scene.reach * (0.6 + growth * long), 0.01)
        canvas = _leaf(canvas, x, y, numbers, 2, length, width, pixel)
    return canvas * lit


def draw(
    species: Species, count: int, nuisances: Nuisances = WIDE, image_size: int = 64, seed: int = 0
) -> np.ndarray:
    """Draw `count` pictures of one species: uint8 (count, image_size, image_size, 3), RGB.

    `species` is one of `SPECIES`, or one of your own; `nuisances` says how widely all else varies, `seed`, 0 or
    more, which pictures: the shipped training images are those of 0, the validation images those of 1. Picture i
    depends on its number i and on these, never on `count`. A larger `image_size`, in pixels a side, shows the same
    scene in more detail; `InputError` for one below `SMALLEST`.
    """
    if image_size < SMALLEST:
        raise InputError(f"`image_size` must be at least {SMALLEST}. Received: {image_size}.")
    images = np.empty((count, image_size, image_size, 3), np.uint8)
    for index in range(count):
        key = zlib.crc32(species.name.encode()), index
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
        canvas = render(species, sample_scene(rng, nuisances), SUPERSAMPLE * image_size)
        blocks = canvas.reshape(3, image_size, SUPERSAMPLE, image_size, SUPERSAMPLE)
        images[index] = np.round(255 * _ramp(blocks.mean((2, 4)))).transpose(1, 2, 0)
    return images
