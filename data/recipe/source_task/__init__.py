"""The source task: procedurally drawn pictures of many kinds, on which vgg16-mini was pretrained.

Each module here is a family: its `CLASSES` are recipes, `draw` makes pictures of one of them. None of
the data sets that the course trains on is among them.
"""

from __future__ import annotations

import zlib

import numpy as np

from recipe.source_task import (
    canvas,
    cells,
    flowers,
    leaves,
    polygons,
    scenes,
    silhouettes,
    strokes,
    textures,
    wings,
)

FAMILIES = (flowers, leaves, polygons, silhouettes, wings, textures, cells, scenes, strokes)
_FAMILY_OF = {name: family for family in FAMILIES for name in family.CLASSES}
CLASS_NAMES = tuple(_FAMILY_OF)
_TOGETHER = 50  # pictures drawn at once: more do not fit the processor's cache


def draw_source(name: str, count: int, image_size: int = 64, seed: int = 0) -> np.ndarray:
    """Draw `count` pictures of the source class `name`: uint8 (count, image_size, image_size, 3), RGB.

    `seed` says which; the first pictures of a larger `count` in fifties are those of a smaller one.
    """
    family = _FAMILY_OF[name]
    parts = []
    for start in range(0, count, _TOGETHER):
        key = (zlib.crc32(name.encode()), start)
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
        pictures = family.draw(family.CLASSES[name], rng, min(_TOGETHER, count - start), image_size)
        parts.append(canvas.finish(rng, pictures))
    return np.concatenate(parts)
