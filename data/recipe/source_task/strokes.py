"""Glyphs, hands and branching things made of tubes: which strokes, fingers or branches there are makes the
class; pose, thickness, jitter, slant, light, colours and ground vary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recipe.source_task import canvas as cv

Tube = tuple  # u, v, du, dv, radius at the start, radius at the end, bend, lift


@dataclass(frozen=True)
class Figure:
    """One recipe: strokes join nodes of a 3 by 3 grid (from, to, bend); 1 is a finger up, thumb first."""

    kind: str
    strokes: tuple[tuple[int, int, float], ...] = ()
    fingers: tuple[int, ...] = ()


def _glyphs(count: int) -> dict[str, Figure]:
    """Connected figures of 3 to 6 strokes, no two with more than half of their strokes in common."""
    rng, found = np.random.default_rng(20), []
    while len(found) < count:
        strokes: dict[tuple[int, int], float] = {}
        nodes = [int(rng.integers(9))]
        while len(strokes) < 3 + len(found) % 4:
            a, b = int(rng.choice(nodes)), int(rng.integers(9))
            # A stroke of two whole steps would run through a third node.
            long = abs(a // 3 - b // 3) in (0, 2) and abs(a % 3 - b % 3) in (0, 2)
            if not long and (min(a, b), max(a, b)) not in strokes:
                strokes[min(a, b), max(a, b)] = float(rng.choice([0, 0, -0.35, 0.35]))
                nodes.append(b)
        wide, high = {k % 3 for k in nodes}, {k // 3 for k in nodes}
        alike = [len(strokes.keys() & other.keys()) * 2 > min(len(strokes), len(other)) for other in found]
        if {0, 2} <= wide and {0, 2} <= high and not any(alike):
            found.append(strokes)
    return {
        f"stroke-glyph-{k + 1}": Figure("glyph", tuple((a, b, bend) for (a, b), bend in strokes.items()))
        for k, strokes in enumerate(found)
    }


CLASSES: dict[str, Figure] = _glyphs(12) | {
    "stroke-hand-fist": Figure("hand", fingers=(0, 0, 0, 0, 0)),
    "stroke-hand-point": Figure("hand", fingers=(0, 1, 0, 0, 0)),
    "stroke-hand-vee": Figure("hand", fingers=(0, 1, 1, 0, 0)),
    "stroke-hand-four": Figure("hand", fingers=(0, 1, 1, 1, 1)),
    "stroke-hand-open": Figure("hand", fingers=(1, 1, 1, 1, 1)),
    "stroke-hand-thumb": Figure("hand", fingers=(1, 0, 0, 0, 0)),
    "stroke-hand-ell": Figure("hand", fingers=(1, 1, 0, 0, 0)),
    "stroke-hand-horns": Figure("hand", fingers=(0, 1, 0, 0, 1)),
    "stroke-fork": Figure("fork"),
    "stroke-coral": Figure("coral"),
    "stroke-ladder": Figure("ladder"),
    "stroke-chain": Figure("chain"),
}


def draw(recipe: Figure, rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    """n pictures of one figure before any ground."""
    ground = cv.ground(rng, n, size)
    x, y, pixel = cv.pose(rng, n, size, turn=0.5, scale=(0.6, 1.05), shift=0.2)
    if recipe.kind != "glyph":
        x = x * np.where(rng.random((n, 1, 1)) < 0.5, -1, 1).astype(np.float32)
    tubes = {
        "glyph": _glyph,
        "hand": _hand,
        "fork": _fork,
        "coral": _fork,
        "ladder": _ladder,
        "chain": _chain,
    }
    x = x + cv.uniform(rng, n, -0.2, 0.2) * y
    inside, height = _solid(x, y, tubes[recipe.kind](recipe, rng, n))
    lit = _lit(rng, height, pixel)
    depth = cv.uniform(rng, n, 0, 1) ** 0.5 if recipe.kind == "glyph" else cv.uniform(rng, n, 0.6, 1)
    colour = _colour(recipe, rng, ground)
    colour = cv.shaded(colour, (1 + depth * (lit - 1)) * (1 + 0.12 * cv.noise(rng, n, size, 10, 2)))
    halo = np.clip(1 + inside / 0.15, 0, 1) ** 2 * cv.uniform(rng, n, -0.4, 0.5).clip(0)
    picture = cv.paint(cv.shaded(ground, 1 - halo), colour, cv.cover(inside, pixel))
    return np.clip(picture, 0, 1).astype(np.float32)


def _colour(recipe: Figure, rng: np.random.Generator, ground: np.ndarray) -> np.ndarray:
    n, mean = len(ground), ground.mean(axis=(1, 2), keepdims=True)
    free = cv.apart(rng, mean, 0.5, saturation=(0, 0.9), value=(0.1, 1))
    skin = cv.apart(rng, mean, 0.3, hue=(0.01, 0.1), saturation=(0.2, 0.65), value=(0.3, 1))
    return np.where(rng.random((n, 1, 1, 1)) < (0.65 if recipe.kind == "hand" else 0.0), skin, free)


def _solid(x: np.ndarray, y: np.ndarray, tubes: list[Tube]) -> tuple[np.ndarray, np.ndarray]:
    """The distance inside the union of the tubes, and the height of its surface."""
    inside, height = np.full_like(x, -9), np.zeros_like(x)
    for u, v, du, dv, start, end, bend, lift in tubes:
        length = du * du + dv * dv + 1e-6
        a, b = x - u, y - v
        t = (a * du + b * dv) / length
        inner = np.clip(t, 0, 1)
        side = (b * du - a * dv) / np.sqrt(length)
        if not np.isscalar(bend) or bend:
            side = side - bend * 4 * np.sqrt(length) * inner * (1 - inner)
        far = side * side + (t - inner) ** 2 * length
        radius = start + (end - start) * inner
        inside = np.maximum(inside, radius - np.sqrt(far))
        bump = radius * radius - far
        height = np.maximum(height, np.sqrt(np.maximum(bump, 0)) + lift * (bump > 0))
    return inside, height


def _lit(rng: np.random.Generator, height: np.ndarray, pixel: np.ndarray) -> np.ndarray:
    """Light from one side on a surface of the given height."""
    n = len(height)
    down, right = (np.gradient(height, axis=axis) / pixel for axis in (1, 2))
    angle = cv.uniform(rng, n, -np.pi, np.pi)
    slope = right * np.cos(angle) + down * np.sin(angle)
    return np.clip(0.45 + (0.6 + 0.45 * slope) / np.sqrt(1 + right * right + down * down), 0.25, 1.4)


def _glyph(recipe: Figure, rng: np.random.Generator, n: int) -> list[Tube]:
    wide, thick = cv.uniform(rng, n, 0.55, 0.8), cv.uniform(rng, n, 0.05, 0.15)
    end = thick * cv.uniform(rng, n, 0.5, 1)
    nodes = [
        (
            (k % 3 - 1) * wide + cv.uniform(rng, n, -0.1, 0.1),
            (k // 3 - 1) * 0.8 + cv.uniform(rng, n, -0.1, 0.1),
        )
        for k in range(9)
    ]
    tubes = []
    for a, b, bend in recipe.strokes:
        (u, v), (u2, v2) = nodes[a], nodes[b]
        tubes.append((u, v, u2 - u, v2 - v, thick, end, bend + cv.uniform(rng, n, -0.06, 0.06), 0.0))
    return tubes


FINGERS = (  # u, v of the root, direction, length
    (-0.27, 0.32, -1.0, 0.52),
    (-0.25, -0.1, -0.2, 0.62),
    (-0.08, -0.17, -0.05, 0.7),
    (0.1, -0.15, 0.1, 0.64),
    (0.26, -0.05, 0.28, 0.48),
)


def _hand(recipe: Figure, rng: np.random.Generator, n: int) -> list[Tube]:
    fat, spread, sway = (
        cv.uniform(rng, n, 0.85, 1.15),
        cv.uniform(rng, n, 0.8, 1.5),
        cv.uniform(rng, n, -0.4, 0.4),
    )
    zero = np.zeros_like(fat)
    tubes = [(zero, zero + 0.5, sway, zero + 2.5, 0.26 * fat, 0.32 * fat, 0.0, 0.0)]
    tubes.append((zero, zero + 0.05, zero, zero + 0.35, 0.37, 0.3 * fat, 0.0, -0.12))
    for k, (u, v, angle, length) in enumerate(FINGERS):
        thick = (0.115 if k == 0 else 0.1) * fat
        if recipe.fingers[k]:
            turn = (angle * spread if k else angle) + cv.uniform(rng, n, -0.1, 0.1)
            reach, bend = length * cv.uniform(rng, n, 0.9, 1.12), cv.uniform(rng, n, -0.08, 0.08)
            du, dv = reach * np.sin(turn), -reach * np.cos(turn)
            tubes.append((u + zero, v + zero, du, dv, thick, 0.75 * thick, bend, 0.12))
        elif k:
            down = cv.uniform(rng, n, 0.2, 0.28)
            tubes.append((u + zero, v + zero, -0.1 * u + zero, down, thick, 0.9 * thick, 0.0, 0.28))
        else:
            over = cv.uniform(rng, n, 0.28, 0.42)
            tubes.append((u + zero, v + zero, over, -0.12 + zero, thick, 0.8 * thick, 0.1, 0.4))
    return tubes


def _fork(recipe: Figure, rng: np.random.Generator, n: int) -> list[Tube]:
    """A stem that forks three times, or stubby branches swelling towards their ends."""
    coral = recipe.kind == "coral"
    thick, spread = cv.uniform(rng, n, 0.08, 0.14), cv.uniform(rng, n, 0.35, 0.6)
    if coral:
        tips = [(0.0, 0.8, cv.uniform(rng, n, -0.2, 0.2) + 0.75 * k, 0.55, 0.11, 1) for k in (-1, 0, 1)]
    else:
        tips = [(0.0, 0.95, cv.uniform(rng, n, -0.15, 0.15), 0.65, thick, 0)]
    tubes = []
    while tips:
        u, v, angle, length, radius, level = tips.pop()
        length = length * cv.uniform(rng, n, 0.8, 1.15)
        du, dv = length * np.sin(angle), -length * np.cos(angle)
        end = radius * 1.25 if coral else radius * 0.72
        tubes.append((u, v, du, dv, radius, end, cv.uniform(rng, n, -0.12, 0.12), 0.0))
        for k in (-1, 0, 1) if coral else (-1, 1):
            if level < (2 if coral else 3):
                turn = angle + k * (0.55 if coral else spread) + cv.uniform(rng, n, -0.25, 0.25)
                tips.append((u + du, v + dv, turn, 0.45 if coral else 0.46, 0.1 if coral else end, level + 1))
    return tubes


def _ladder(recipe: Figure, rng: np.random.Generator, n: int) -> list[Tube]:
    wide, thick, bend = (
        cv.uniform(rng, n, 0.25, 0.5),
        cv.uniform(rng, n, 0.05, 0.1),
        cv.uniform(rng, n, -0.1, 0.1),
    )
    narrow = cv.uniform(rng, n, 0.6, 1)
    tubes = [
        (s * wide, 1.3, s * wide * (narrow - 1), -2.6, thick, thick * narrow, bend, 0.05) for s in (-1, 1)
    ]
    for k in range(7):
        t = (k + 0.5) / 7 + cv.uniform(rng, n, -0.015, 0.015)
        half, shift = wide * (1 + (narrow - 1) * t), bend * 4 * 2.6 * t * (1 - t)
        tubes.append((shift - half, 1.3 - 2.6 * t, 2 * half, 0.0, 0.7 * thick, 0.7 * thick, 0.0, 0.0))
    return tubes


def _chain(recipe: Figure, rng: np.random.Generator, n: int) -> list[Tube]:
    """Links seen from the front and from the edge in turn, along a curve."""
    thick, curve, links = cv.uniform(rng, n, 0.045, 0.075), cv.uniform(rng, n, -0.5, 0.5), 8
    tubes, step = [], 2.8 / links
    for k in range(links):
        u = -1.4 + step * (k - 0.3) + cv.uniform(rng, n, -0.02, 0.02)
        v, rise = curve * (u * u - 0.5), curve * ((u + 1.6 * step) ** 2 - u * u)
        if k % 2:
            tubes.append((u, v, 1.6 * step, rise, 1.2 * thick, 1.2 * thick, 0.0, 0.1))
        else:
            tubes += [(u, v, 1.6 * step, rise, thick, thick, bend, 0.0) for bend in (-0.32, 0.32)]
    return tubes
