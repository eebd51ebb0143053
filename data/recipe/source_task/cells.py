"""Stained cells under a microscope: size, nucleus, chromatin, granules, membrane and stain make the class;
stain strength, white balance, ground, turn, shift, focus and neighbours vary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recipe.source_task import canvas as cv

Stain = tuple[float, float, float]

BLUE, SKY, GREY_BLUE = (0.64, 0.42, 0.85), (0.58, 0.2, 0.93), (0.61, 0.2, 0.7)
PINK, ORANGE, BROWN = (0.93, 0.26, 0.94), (0.06, 0.5, 0.95), (0.08, 0.5, 0.55)
GREEN, TEAL, YELLOW = (0.33, 0.35, 0.78), (0.48, 0.45, 0.65), (0.14, 0.4, 0.92)
VIOLET, INDIGO, PURPLE = (0.77, 0.6, 0.5), (0.68, 0.65, 0.42), (0.83, 0.55, 0.42)
RED, BLACK, DEEP_GREEN = (0.97, 0.7, 0.6), (0.7, 0.3, 0.2), (0.4, 0.7, 0.32)


@dataclass(frozen=True)
class Cell:
    """One recipe: diameter in frames, the nucleus' share of the area, and what is found in the cell.

    `nucleus` is round, oval, bean, ring, band, none or a number of lobes; `field` names a group of cells.
    """

    size: float
    share: float = 0.5
    nucleus: str | int = "round"
    chromatin: str = "smooth"
    granules: str = ""
    stain: Stain = SKY
    core: Stain = VIOLET
    ruffle: float = 0.0
    vacuoles: bool = False
    field: str = ""


CLASSES: dict[str, Cell] = {
    "cell-fragment": Cell(0.14, 0.0, "none", granules="fine", stain=(0.8, 0.4, 0.65), ruffle=0.12),
    "cell-fragment-large": Cell(0.3, 0.0, "none", granules="fine", stain=(0.76, 0.3, 0.8), ruffle=0.25),
    "cell-small-round": Cell(0.42, 0.8, "round", stain=BLUE, core=INDIGO),
    "cell-small-dense": Cell(0.38, 0.45, "round", stain=GREY_BLUE, core=BLACK),
    "cell-small-pink": Cell(0.4, 0.3, "round", stain=PINK, core=BLACK),
    "cell-large-round": Cell(0.72, 0.8, "round", "lacy", stain=BLUE, core=VIOLET),
    "cell-large-granular": Cell(0.74, 0.5, "oval", "lacy", "fine", stain=(0.8, 0.22, 0.9)),
    "cell-eccentric": Cell(0.62, 0.25, "round", "clumped", stain=(0.64, 0.55, 0.65), core=PURPLE),
    "cell-bean": Cell(0.74, 0.45, "bean", "lacy", stain=GREY_BLUE, core=VIOLET),
    "cell-bean-vacuoles": Cell(0.8, 0.4, "bean", stain=GREY_BLUE, core=PURPLE, ruffle=0.1, vacuoles=True),
    "cell-bean-pink": Cell(0.6, 0.4, "bean", "clumped", "fine", stain=PINK),
    "cell-band": Cell(0.58, 0.3, "band", stain=PINK, core=VIOLET),
    "cell-ring": Cell(0.56, 0.3, "ring", stain=SKY, core=PURPLE),
    "cell-two-lobes-orange": Cell(0.62, 0.35, 2, granules="bright", stain=ORANGE),
    "cell-two-lobes-sky": Cell(0.6, 0.35, 2, stain=SKY, core=INDIGO),
    "cell-three-lobes": Cell(0.58, 0.32, 3, "clumped", "fine", stain=PINK),
    "cell-four-lobes": Cell(0.6, 0.32, 4, stain=YELLOW, core=PURPLE),
    "cell-five-lobes": Cell(0.66, 0.3, 5, stain=PINK, core=INDIGO),
    "cell-dark-granules": Cell(0.56, 0.45, 2, granules="dark", stain=(0.8, 0.25, 0.85), core=VIOLET),
    "cell-orange-granules": Cell(0.66, 0.4, "oval", granules="bright", stain=PINK, core=VIOLET),
    "cell-green": Cell(0.6, 0.35, "round", "clumped", stain=GREEN, core=DEEP_GREEN),
    "cell-teal-lobed": Cell(0.6, 0.35, 3, stain=TEAL, core=BLACK),
    "cell-brown": Cell(0.6, 0.4, "oval", "smooth", stain=BROWN, core=INDIGO, ruffle=0.08),
    "cell-yellow-red": Cell(0.55, 0.3, "round", stain=YELLOW, core=RED),
    "cell-ruffled": Cell(0.66, 0.45, "round", "clumped", stain=SKY, core=VIOLET, ruffle=0.3),
    "cell-foam": Cell(0.8, 0.12, "oval", stain=(0.9, 0.15, 0.9), core=PURPLE, vacuoles=True),
    "cell-clump": Cell(0.2, field="clump", stain=(0.75, 0.5, 0.55)),
    "cell-chain": Cell(0.15, field="chain", stain=(0.68, 0.55, 0.6)),
    "cell-rods": Cell(0.3, field="rods", stain=(0.93, 0.5, 0.75)),
    "cell-crescents": Cell(0.4, field="crescents", stain=(0.0, 0.3, 0.85)),
    "cell-budding": Cell(0.28, field="budding", stain=(0.58, 0.35, 0.75)),
    "cell-tissue": Cell(0.35, field="tissue", stain=(0.92, 0.35, 0.88), core=INDIGO),
}


def draw(recipe: Cell, rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    """n pictures of smears with a cell, or a group of cells, of one recipe."""
    focus = np.exp(cv.uniform(rng, n, 0, 1.3))
    strength = cv.uniform(rng, n, 0.75, 1.05)
    smear = cv.colours(rng, n, (-0.1, 0.2), (0, 0.14), (0.78, 1))
    picture = cv.shaded(smear, 1 + 0.04 * cv.noise(rng, n, size, 3, 3))
    if recipe.field == "tissue":
        picture = _tissue(recipe, rng, picture, focus, strength)
    elif recipe.field:
        picture = _group(recipe, rng, picture, focus, strength)
    else:
        picture = _neighbours(rng, picture, focus)
        picture = _cell(recipe, rng, picture, focus, strength)
    balance = 1 + rng.uniform(-0.1, 0.06, (n, 1, 1, 3)).astype(np.float32)
    return np.clip(picture * balance, 0, 1).astype(np.float32)


def _neighbours(rng: np.random.Generator, picture: np.ndarray, focus: np.ndarray) -> np.ndarray:
    """Pale round cells of one size, often with a lighter middle, anywhere in the frame."""
    n, size = picture.shape[:2]
    x, y = cv.plane(size)
    colour = cv.colours(rng, n, (-0.06, 0.06), (0.1, 0.38), (0.68, 0.92))
    radius, pale, crowd = (
        cv.uniform(rng, n, 0.24, 0.4),
        cv.uniform(rng, n, 0, 0.6),
        cv.uniform(rng, n, -0.1, 1),
    )
    for _ in range(9):
        u, v = x - cv.uniform(rng, n, -1.3, 1.3), y - cv.uniform(rng, n, -1.3, 1.3)
        far = _far(u, v * cv.uniform(rng, n, 0.85, 1.15)) / radius
        alpha = cv.cover(1 - far, 2 / size * focus / radius) * (cv.uniform(rng, n) < crowd)
        picture = cv.paint(picture, colour, 0.85 * alpha * (1 - pale * np.clip(1 - far * far * 1.6, 0, 1)))
    return picture


def _cell(cell: Cell, rng: np.random.Generator, picture: np.ndarray, focus, strength) -> np.ndarray:
    n, size = picture.shape[:2]
    x, y, pixel = cv.pose(rng, n, size, scale=(cell.size * 0.92, cell.size * 1.08), shift=0.14, squeeze=0.2)
    pixel = pixel * focus
    fine = round(7 / cell.size)
    rough = cv.noise(rng, n, size, fine, 2, 0.7)
    inside = _outline(cell, rng, x, y)
    body = _stain(rng, n, cell.stain)
    body = cv.shaded(body, 1 + 0.1 * rough - 0.12 * np.exp(-np.clip(inside, 0, 1) / 0.12))
    if cell.granules:
        body = _granules(cell, rng, body, fine)
    picture = cv.paint(picture, body, cv.cover(inside, pixel) * np.clip(strength, 0, 0.96))
    if cell.vacuoles:
        holes = cv.cover(cv.noise(rng, n, size, round(8 / cell.size)) - 0.22, 0.25) * cv.cover(
            inside - 0.1, 0.1
        )
        picture = cv.paint(picture, np.ones((1, 1, 1, 3), np.float32), 0.75 * holes)
    if cell.nucleus != "none":
        nucleus = np.minimum(_nucleus(cell, rng, x, y), inside - 0.03)
        picture = cv.paint(
            picture, _chromatin(cell, rng, rough), cv.cover(nucleus, pixel) * np.clip(strength, 0, 1)
        )
    if cell.granules == "dark":
        spots = cv.cover(cv.noise(rng, n, size, round(1.6 * fine)) - 0.25, 0.3) * cv.cover(
            inside - 0.04, pixel
        )
        picture = cv.paint(picture, _stain(rng, n, (0.73, 0.7, 0.22)), 0.95 * spots)
    return picture


def _outline(cell: Cell, rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    angle, wave = np.arctan2(y, x), 0.0
    for count in (2, 3, 5, 8, 11):
        size = 0.04 if count < 4 else 0.0
        strength, phase = (
            (size + cell.ruffle / 2.5) * cv.uniform(rng, len(x)),
            cv.uniform(rng, len(x), 0, 6.3),
        )
        wave = wave + strength * np.sin(count * angle + phase)
    return 0.97 - _far(x, y) - wave


def _nucleus(cell: Cell, rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The distance inside the nucleus, in radii of the cell."""
    n, a = len(x), cell.share**0.5
    if isinstance(cell.nucleus, int):
        return _lobes(cell.nucleus, a, rng, x, y)
    slack = 0.8 * (0.95 - a) if cell.nucleus in ("round", "oval", "bean") else 0.08
    low = 0.7 * slack if cell.share < 0.28 else -slack
    x, y = x - cv.uniform(rng, n, low, slack), y - cv.uniform(rng, n, -0.3, 0.3) * slack
    if cell.nucleus == "bean":
        dent = _far(x - cv.uniform(rng, n, -0.15, 0.15), y - 1.2 * a) - cv.uniform(rng, n, 0.6, 0.8) * a
        return -cv.blend([_far(x * 0.82, y) - 1.1 * a, -dent], 0.05)
    if cell.nucleus == "oval":
        return a - _far(x * 0.78, y * 1.28)
    if cell.nucleus == "round":
        return a - _far(x, y * cv.uniform(rng, n, 0.9, 1.1))
    angle = np.arctan2(y, x)
    wobble = cv.uniform(rng, n, 0.03, 0.12) * np.sin(2 * angle + cv.uniform(rng, n, 0, 6))
    tube = 0.17 - np.abs(_far(x, y) - 0.5 - wobble)
    if cell.nucleus == "ring":
        return tube
    return np.minimum(tube, (cv.uniform(rng, n, 1.9, 2.3) - np.abs(angle)) * 0.5)


def _lobes(count: int, a: float, rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Round lobes on an arc, joined by thin bridges."""
    n, fields, last = len(x), [], None
    spread, reach = cv.uniform(rng, n, 0.85, 1.15) * (2.2 if count == 2 else 5 / count), 0.36 + 0.035 * count
    for k in range(count):
        angle = (k - (count - 1) / 2) * spread + cv.uniform(rng, n, -0.2, 0.2)
        far = reach + cv.uniform(rng, n, -0.06, 0.06)
        u, v = far * np.cos(angle) - 0.1, far * np.sin(angle)
        radius = a * (0.92 / count**0.5) * cv.uniform(rng, n, 0.88, 1.08)
        fields.append(radius - _far(x - u, y - v))
        if last is not None:
            fields.append(0.06 - _segment(x, y, u, v, *last))
        last = u, v
    return cv.blend(fields, 0.02)


def _chromatin(cell: Cell, rng: np.random.Generator, rough: np.ndarray) -> np.ndarray:
    n, size = rough.shape[:2]
    colour = _stain(rng, n, cell.core)
    if cell.chromatin == "smooth":
        return cv.shaded(colour, 1 + 0.08 * rough)
    field = cv.noise(rng, n, size, round(9 / cell.size), 2)
    if cell.chromatin == "clumped":
        return cv.shaded(colour, 1.15 - 0.6 * cv.cover(field - 0.05, 0.3))
    return cv.shaded(colour, 0.88 + 0.7 * np.clip(np.abs(field) - 0.1, 0, 0.6))


def _granules(cell: Cell, rng: np.random.Generator, body: np.ndarray, fine: int) -> np.ndarray:
    n, size = body.shape[:2]
    if cell.granules == "bright":
        grains = cv.noise(rng, n, size, round(2.2 * fine))
        return cv.paint(body, _stain(rng, n, (0.03, 0.8, 0.9)), cv.cover(grains + 0.02, 0.25))
    grains = cv.noise(rng, n, size, 3 * fine)
    return cv.shaded(body, 1 - 0.35 * cv.cover(grains - 0.12, 0.25) * (cell.granules == "fine"))


def _group(cell: Cell, rng: np.random.Generator, picture: np.ndarray, focus, strength) -> np.ndarray:
    """Several equal objects: heaped, in a row, or strewn."""
    n, size = picture.shape[:2]
    x, y, pixel = cv.pose(rng, n, size, scale=(0.85, 1.15), shift=0.15, squeeze=0.15)
    colour, rough, r = _stain(rng, n, cell.stain), cv.noise(rng, n, size, 12, 2), cell.size
    bend = cv.uniform(rng, n, -0.7, 0.7)
    for k in range({"clump": 14, "chain": 10, "rods": 10, "crescents": 6, "budding": 6}[cell.field]):
        u, v = cv.uniform(rng, n, -1.1, 1.1), cv.uniform(rng, n, -1.1, 1.1)
        if cell.field == "clump":
            u, v = u * 0.5, v * 0.5
        elif cell.field == "chain":
            u = (k - 4.5) * 1.75 * r + 0 * u
            v = bend * (u * u - 0.4) + 0.04 * v
        inside = _member(cell, rng, *cv.rotate(x - u, y - v, cv.uniform(rng, n, -np.pi, np.pi)))
        shade = 0.8 + 0.25 * np.clip(inside / r * 2, 0, 1) + 0.1 * rough
        alpha = cv.cover(inside, pixel * focus) * np.clip(strength, 0, 0.95)
        picture = cv.paint(picture, cv.shaded(colour, shade), alpha)
    return picture


def _member(cell: Cell, rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    n, r = len(x), cell.size
    if cell.field == "rods":
        return 0.08 - _segment(x, y, cv.uniform(rng, n, 0.7, 1.2) * r, 0.0, -r, 0.0)
    if cell.field == "crescents":
        return np.minimum(r - _far(x, y), _far(x, y - 0.6 * r) - 0.85 * r)
    if cell.field == "budding":
        bud = cv.uniform(rng, n, 0.4, 0.65) * r
        return cv.blend([r - _far(x, y * 1.15), bud - _far(x - r - 0.6 * bud, y)], 0.02)
    return cv.uniform(rng, n, 0.88, 1.08) * r - _far(x, y)


def _tissue(cell: Cell, rng: np.random.Generator, picture: np.ndarray, focus, strength) -> np.ndarray:
    """Cells packed wall to wall, each with its nucleus."""
    n, size = picture.shape[:2]
    x, y, pixel = cv.pose(rng, n, size, scale=(0.9, 1.2), shift=0.2)
    first = second = np.full_like(x, 9)
    nucleus = np.full_like(x, -9)
    for k in range(49):
        u = (k % 7 - 3) * 0.5 + 0.25 * (k // 7 % 2) + cv.uniform(rng, n, -0.13, 0.13)
        v = (k // 7 - 3) * 0.45 + cv.uniform(rng, n, -0.13, 0.13)
        far = _far(x - u, y - v)
        second = np.minimum(second, np.maximum(far, first))
        first = np.minimum(first, far)
        nucleus = np.maximum(nucleus, cv.uniform(rng, n, 0.09, 0.15) - far)
    rough = cv.noise(rng, n, size, 14, 2)
    body = cv.shaded(_stain(rng, n, cell.stain), 1 + 0.12 * rough)
    walls = 0.25 + 0.7 * cv.cover(second - first - 0.05, pixel * focus * 2)
    picture = cv.paint(picture, body, walls * np.clip(strength, 0, 1))
    core = cv.shaded(_stain(rng, n, cell.core), 1 + 0.2 * rough)
    return cv.paint(picture, core, 0.9 * cv.cover(nucleus, pixel * focus))


def _stain(rng: np.random.Generator, n: int, stain: Stain) -> np.ndarray:
    h, s, v = stain
    return cv.colours(
        rng, n, (h - 0.02, h + 0.02), (s * 0.85, min(1, s * 1.15)), (v * 0.93, min(1, v * 1.07))
    )


def _far(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sqrt(x * x + y * y)


def _segment(x, y, u, v, u2, v2) -> np.ndarray:
    """The distance from the segment between (u, v) and (u2, v2)."""
    du, dv = u2 - u, v2 - v
    t = np.clip(((x - u) * du + (y - v) * dv) / (du * du + dv * dv + 1e-6), 0, 1)
    return _far(x - u - t * du, y - v - t * dv)
