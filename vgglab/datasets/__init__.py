"""Images and their labels: the embedded flowers, flowers drawn on request, or a folder of photographs."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from vgglab.datasets.blossoms import SPECIES, WIDE, Nuisances, draw
from vgglab.datasets.dataset import Dataset, Split
from vgglab.datasets.folder import read_folder
from vgglab.experiment import InputError

__all__ = ["Dataset", "Nuisances", "Split", "draw_blossoms", "load"]

_PACKAGE = Path(__file__).parent.parent
# Beside the package in a checkout, inside it when installed from a wheel.
BLOSSOMS = next(
    (folder for root in (_PACKAGE, _PACKAGE.parent) if (folder := root / "data" / "blossoms").is_dir()),
    _PACKAGE / "data" / "blossoms",
)


def load(dataset: str | os.PathLike = "blossoms", image_size: int = 64, seed: int = 0) -> Dataset:
    """Read a data set into memory as RGB images of `image_size` pixels a side.

    `dataset` is "blossoms" or the path of an image folder, `folder/<class>/*` or
    `folder/{train,validation,test}/<class>/*`. Where the folder has no validation part, one image in
    five of every class becomes it; `seed` says which. `InputError` says what is wrong with a folder.
    """
    if os.fspath(dataset) == "blossoms":
        return read_folder(BLOSSOMS, image_size, seed, name="blossoms")
    return read_folder(dataset, image_size, seed)


def draw_blossoms(
    train: Nuisances = WIDE,
    validation: Nuisances = WIDE,
    *,
    train_images: int = 20,
    validation_images: int = 50,
    image_size: int = 64,
    seed: int = 0,
) -> Dataset:
    """Draw flowers instead of reading them: so many images a species, each split with its own nuisances.

    The validation images are never among the training images, whatever the two counts are.
    """
    for name, count in (("train_images", train_images), ("validation_images", validation_images)):
        if count < 1:
            raise InputError(f"`{name}` must be at least 1. Received: {count!r}.")
    parts = []
    for nuisances, count, split_seed in (
        (train, train_images, 2 * seed),
        (validation, validation_images, 2 * seed + 1),
    ):
        images = [draw(species, count, nuisances, image_size, split_seed) for species in SPECIES]
        parts.append(Split(np.concatenate(images), np.repeat(np.arange(len(SPECIES)), count)))
    return Dataset("blossoms drawn on request", tuple(species.name for species in SPECIES), *parts)
