"""What the study trains on. The difficulty was chosen once, here, for all of its claims."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from recipe.study import photographs
from vgglab.datasets import (
    NARROW,
    WIDE,
    Dataset,
    Nuisances,
    Split,
    draw_blossoms,
    draw_twins,
    load,
    shuffled_labels,
    validation_by_nuisance,
)


@dataclass(frozen=True)
class Task:
    """A data set for every seed, and other images, by name, on which the trained network is tested as well."""

    data: Callable[[int], Dataset]
    elsewhere: Callable[[int], dict[str, Split]] = lambda seed: {}


def _flowers(train_images: int, train: Nuisances = WIDE, **drawn: int) -> Task:
    return Task(lambda seed: draw_blossoms(train, WIDE, train_images=train_images, seed=seed, **drawn))


def _tested(task: Task) -> Task:
    """The same with a test part of 2,000: half of the noise between seeds is that of 400 validation images."""

    def data(seed: int) -> Dataset:
        drawn = task.data(seed)
        return dataclasses.replace(drawn, test=_test_part(drawn.image_size, seed))

    return Task(data)


@lru_cache(maxsize=4)
def _test_part(image_size: int, seed: int) -> Split | None:
    """The same for all tasks of a seed and size, so that it is drawn once."""
    one = dict(train_images=1, validation_images=1)
    return draw_blossoms(WIDE, WIDE, **one, test_images=250, image_size=image_size, seed=seed).test


def _shuffled(seed: int) -> Dataset:
    return shuffled_labels(TASKS["small"].data(seed), seed)


TASKS: dict[str, Task] = {
    # For everything that starts from the embedded weights; few images, as there usually are.
    **{f"{count} a species": _flowers(count) for count in (5, 10, 20, 50)},
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
    "narrow to wide": _flowers(20, NARROW),
    # Fewer validation images, because all thirteen layers run on them after every epoch.
    "20 small a species": _flowers(20, image_size=32, validation_images=10),
}
# What the atlas is judged on.
_JUDGED = (*(f"{count} a species" for count in (5, 10, 20, 50)), "narrow to wide", "20 small a species")
TASKS |= {f"{name}, tested": _tested(TASKS[name]) for name in _JUDGED}


def task(name: str, folder: str) -> Task:
    """The task of a name; that of photographs reads them from `folder`, with their test part only to judge on."""
    if name == photographs.TASK:
        return Task(lambda seed: dataclasses.replace(_photographs(folder, seed), test=None))
    if name == f"{photographs.TASK}, tested":
        return Task(lambda seed: _photographs(folder, seed))
    return TASKS[name]


def _photographs(folder: str, seed: int) -> Dataset:
    """A folder in three parts: where it has none to test on, a quarter of each class's training images."""
    data = load(folder, seed=seed)
    if data.test is not None:
        return data
    rng, aside = np.random.default_rng(seed), np.zeros(len(data.train), bool)
    for label in range(len(data.class_names)):
        places = rng.permutation(np.flatnonzero(data.train.labels == label))
        aside[places[: round(len(places) / 4)]] = True
    train, test = (data.train.part(np.flatnonzero(which)) for which in (~aside, aside))
    return dataclasses.replace(data, train=train, test=test)
