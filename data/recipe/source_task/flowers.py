"""Flowers of species that the embedded data set does not have: petals, rings, twist and core make one.

Drawn by the renderer of the blossoms, in every hue; pose, light, ground and leaves vary.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from vgglab.datasets.blossoms import SPECIES, WIDE, Species, render, sample_scene

COUNT = 28
# What a difference in each number counts for: about how much of it a person can tell.
_UNITS = dict(petals=1.0, rings=0.5, width=0.07, base=0.25, tip=0.3, notch=0.1, twist=0.5, core=0.07)
NEAREST = 2.5


def _candidate(rng: np.random.Generator) -> Species:
    petals = int(rng.choice([3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17]))
    crowd = math.pi / petals
    return Species(
        name="",
        petals=petals,
        rings=int(rng.integers(1, 4)),
        width=float(np.clip(crowd * rng.uniform(0.4, 1.1), 0.1, 0.6)),
        base=float(rng.uniform(0.4, 1.2)),
        tip=float(rng.choice([0.3, 0.5, 0.9, 1.4])),
        notch=float(rng.choice([0.0, 0.0, 0.2, 0.35])),
        twist=float(rng.choice([0.0, 0.0, -0.8, 0.8, 1.4])),
        core=float(rng.uniform(0.08, 0.4)),
    )


def distance(one: Species, other: Species) -> float:
    """How far two species are apart, in differences that a person can just tell."""
    return math.sqrt(
        sum(((getattr(one, key) - getattr(other, key)) / unit) ** 2 for key, unit in _UNITS.items())
    )


def _choose() -> dict[str, Species]:
    """Species far from those of the data set and from each other."""
    rng, chosen = np.random.default_rng(7), []
    while len(chosen) < COUNT:
        new = _candidate(rng)
        if all(distance(new, old) >= NEAREST for old in (*SPECIES, *chosen)):
            chosen.append(replace(new, name=f"flower-{len(chosen) + 1:02}"))
    return {species.name: species for species in chosen}


CLASSES = _choose()


def draw(recipe: Species, rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    """Draw n flowers of a species, float32 (n, size, size, 3) in 0 to 1."""
    pictures = np.empty((n, size, size, 3), np.float32)
    for picture in pictures:
        scene = sample_scene(rng, WIDE)
        scene = replace(
            scene, hue=rng.uniform(), saturation=rng.uniform(0.05, 0.9), radius=rng.uniform(0.4, 0.9)
        )
        picture[:] = render(recipe, scene, size).transpose(1, 2, 0)
    return pictures
