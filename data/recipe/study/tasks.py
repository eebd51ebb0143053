"""What the study trains on. The difficulty was chosen once, here, for all of its claims."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vgglab.datasets import (
    NARROW,
    Dataset,
    Split,
    draw_blossoms,
    draw_twins,
    shuffled_labels,
    validation_by_nuisance,
)


@dataclass(frozen=True)
class Task:
    """A data set for every seed, and other images, by name, on which the trained network is tested as well."""

    data: Callable[[int], Dataset]
    elsewhere: Callable[[int], dict[str, Split]] = lambda seed: {}


def _flowers(train_images: int, image_size: int = 64) -> Task:
    return Task(lambda seed: draw_blossoms(train_images=train_images, image_size=image_size, seed=seed))


def _shuffled(seed: int) -> Dataset:
    return shuffled_labels(TASKS["small"].data(seed), seed)


TASKS = {
    # Few images, as there usually are: for everything that starts from the embedded weights.
    "few": _flowers(5),
    **{f"{count} a species": _flowers(count) for count in (10, 20, 50)},
    # Small images, because all thirteen layers learn them from nothing.
    "small": _flowers(20, image_size=32),
    **{f"{count} small a species": _flowers(count, image_size=32) for count in (5, 80)},
    "shuffled": Task(_shuffled),
    # They all look alike, and elsewhere they vary in one thing each.
    "small narrow": Task(
        lambda seed: draw_blossoms(NARROW, NARROW, image_size=32, seed=seed),
        lambda seed: validation_by_nuisance(image_size=32, seed=seed),
    ),
    "twins": Task(lambda seed: draw_twins(seed=seed)),
}
