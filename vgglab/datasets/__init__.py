"""Images and their labels: the embedded flowers, flowers drawn on request, or a folder of photographs."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence

import numpy as np

from vgglab.datasets.blossoms import NARROW, SMALLEST, SPECIES, WIDE, Nuisances, Species, draw
from vgglab.datasets.conditions import check_fits, in_words, under_conditions
from vgglab.datasets.dataset import Dataset, Split
from vgglab.datasets.decoding import Progress
from vgglab.datasets.folder import read_folder
from vgglab.datasets.folds import k_folds
from vgglab.datasets.memory import image_memory
from vgglab.datasets.reading import Reading
from vgglab.datasets.sources import is_table
from vgglab.errors import InputError, shown
from vgglab.experiment import FIELDS, Experiment, loaded_from
from vgglab.files import shipped

__all__ = [
    "NARROW",
    "SPECIES",
    "WIDE",
    "Dataset",
    "Nuisances",
    "Reading",
    "Species",
    "Split",
    "check_fits",
    "draw_blossoms",
    "draw_twins",
    "in_words",
    "is_there",
    "k_folds",
    "load",
    "load_for",
    "shuffled_labels",
    "under_conditions",
    "validation_by_nuisance",
]

_EMBEDDED = "blossoms"
BLOSSOMS = shipped(_EMBEDDED)


def load(
    dataset: str | os.PathLike = "blossoms",
    image_size: int = 64,
    seed: int = 0,
    *,
    fit: str = "crop",
    group: str | None = None,
    exclude: str | os.PathLike | None = None,
    memory: float | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Read a data set as RGB images of `image_size` pixels a side.

    `dataset` is "blossoms", the path of an image folder, `folder/<class>/*` or
    `folder/{train,validation,test}/<class>/*`, or of a table (.csv) with the columns `file` and `label`, and `group`
    and `split` where they are wanted; `valid`, `Training` and other common spellings of the parts are read as well.
    Where there is no validation part, one training image in five of every class becomes it; `seed` says which. `group`
    says which images belong together, such as those of one patient, so that none are in both parts: "folder", the
    sub-folders of class folders; a pattern such as "(P\\d+)_", searched in the file's name; or a column of the table.
    `exclude` is a text file that names files to leave out, a line each, relative to the folder. `fit` is how a
    photograph becomes square: "crop" to its centre, "pad" with black, or "squash". Grey images of more than 8 bits are
    made 0-255 by one range for the whole folder, so that dark ones stay darker than bright ones; a warning names it.
    `memory` is how many GB the images may take in memory: by default what the variable VGGLAB_IMAGE_MEMORY says, or
    half of what is free. Images that take more are decoded once into a file in the cache folder (VGGLAB_CACHE, or
    ~/.cache/vgglab), from which they are read as they are needed; a warning says so before anything is decoded.
    `progress(done, total)` is called after each file. `InputError` says what is wrong with a folder.
    """
    dataset = FIELDS["dataset"].check("dataset", dataset)
    image_size = FIELDS["image_size"].check("image_size", image_size)
    seed = FIELDS["seed"].check("seed", seed)
    reading = Reading(image_size, FIELDS["fit"].check("fit", fit))
    chosen = dict(
        group=FIELDS["group"].check("group", group), exclude=FIELDS["exclude"].check("exclude", exclude)
    )
    place, name = (BLOSSOMS, _EMBEDDED) if dataset == _EMBEDDED else (dataset, None)
    return read_folder(place, reading, seed, name, **chosen, memory=image_memory(memory), progress=progress)


def load_for(experiment: Experiment, seed: int | None = None, *, progress: Progress | None = None) -> Dataset:
    """Read the data set that an experiment names, in the way that it says.

    Divided by another `seed` than the experiment's where one is given. The conditions, such as `images_a_class`, are
    left to `under_conditions`.
    """
    seed = experiment.seed if seed is None else seed
    return load(seed=seed, progress=progress, **loaded_from(experiment))


def is_there(dataset: str | os.PathLike) -> bool:
    """Whether `load` would find it: the embedded flowers, a folder or a table."""
    place = os.path.expanduser(dataset)
    return os.fspath(dataset) == _EMBEDDED or os.path.isdir(place) or is_table(place)


def draw_blossoms(
    train: Nuisances = WIDE,
    validation: Nuisances = WIDE,
    *,
    train_images: int = 20,
    validation_images: int = 50,
    test_images: int = 0,
    image_size: int = 64,
    seed: int = 0,
    species: Sequence[Species] = SPECIES,
) -> Dataset:
    """Draw flowers instead of reading them: so many images a species, train and validation with their own nuisances.

    `species` are the classes: the eight of the embedded data set, or your own. The test part, of which there is none
    by default, varies as the validation part does. No image is in two parts, and with `seed` below 2**31, as those
    of experiments are, a test image is in no part of any other seed's data either.
    `image_size` is in pixels a side. `InputError` when a number of images or the size is too small.
    """
    train_images = _whole("train_images", train_images, 1)
    validation_images = _whole("validation_images", validation_images, 1)
    test_images = _whole("test_images", test_images, 0)
    image_size, seed = _whole("image_size", image_size, SMALLEST), _whole("seed", seed, 0)
    return Dataset(
        "blossoms drawn on request",
        tuple(each.name for each in species),
        _draw_split(species, train, train_images, image_size, 2 * seed),
        _draw_split(species, validation, validation_images, image_size, _validation_seed(seed)),
        _draw_split(species, validation, test_images, image_size, _test_seed(seed)) if test_images else None,
    )


def _whole(name: str, value: int, least: int) -> int:
    """A whole number as it is; `InputError` for what is none, or less than it may be."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        raise InputError(f"`{name}` must be a whole number of at least {least}. Received: {shown(value)}.")
    return int(value)


def _validation_seed(seed: int) -> int:
    return 2 * seed + 1


def _test_seed(seed: int) -> int:
    """Above the seeds that train and validation are drawn with, which end at 2**32 - 1."""
    return 2**32 + seed


def _draw_split(
    species: Sequence[Species], nuisances: Nuisances, count: int, image_size: int, split_seed: int
) -> Split:
    images = [draw(each, count, nuisances, image_size, split_seed) for each in species]
    return Split(np.concatenate(images), np.repeat(np.arange(len(species)), count))


def draw_twins(
    *,
    train_images: int = 20,
    validation_images: int = 50,
    test_images: int = 0,
    image_size: int = 64,
    seed: int = 0,
) -> Dataset:
    """Draw two classes of flowers, of which one is the other in a mirror: only their hand tells them apart.

    They are turned by up to 72 degrees; all else varies widely. Mirrored half of the time, the two classes are
    the same. The other arguments are those of `draw_blossoms`.
    """
    pinwheel = next(each for each in SPECIES if each.name == "pinwheel")
    left, right = (dataclasses.replace(pinwheel, name=name) for name in ("left-handed", "right-handed"))
    turned = Nuisances(rotation=0.4)
    data = draw_blossoms(
        turned,
        turned,
        train_images=train_images,
        validation_images=validation_images,
        test_images=test_images,
        image_size=image_size,
        seed=seed,
        species=(left, right),
    )
    return dataclasses.replace(
        data,
        name="twins drawn on request",
        train=_mirrored(data.train),
        validation=_mirrored(data.validation),
        test=_mirrored(data.test) if data.test else None,
    )


def _mirrored(split: Split) -> Split:
    """The first class as in a mirror, the others as they are."""
    first = (split.labels == 0)[:, None, None, None]
    return Split(np.where(first, split.images[:, :, ::-1], split.images), split.labels)


def shuffled_labels(data: Dataset, seed: int = 0) -> Dataset:
    """The same images with the training labels dealt out at random: nothing is left to learn but the images themselves.

    Zhang et al. 2017, arXiv:1611.03530. The validation part stays as it is.
    """
    labels = np.random.default_rng(seed).permutation(data.train.labels)
    return dataclasses.replace(
        data,
        name=f"{data.name}, labels shuffled",
        train=dataclasses.replace(data.train, labels=labels, truth=None),
    )


def validation_by_nuisance(
    validation_images: int = 50, image_size: int = 64, seed: int = 0
) -> dict[str, Split]:
    """For each nuisance, validation images in which it varies as widely as it can and all others not at all.

    The flowers are otherwise those of `draw_blossoms(NARROW, NARROW)` with the same seed, so that only the
    nuisance tells the splits apart.
    """
    return {
        each.name: _draw_split(
            SPECIES,
            dataclasses.replace(NARROW, **{each.name: 1.0}),
            validation_images,
            image_size,
            _validation_seed(seed),
        )
        for each in dataclasses.fields(Nuisances)
    }
