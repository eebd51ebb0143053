"""What a trained network says of image files: their classes, read as its training images were."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import keras
import numpy as np
import pandas as pd

from vgglab.classifier import Classifier, open_classifier
from vgglab.datasets.found import Named, Refused, find_images
from vgglab.datasets.reading import Reading, Unreadable, read_image
from vgglab.engine.step import IMAGES_A_CALL
from vgglab.errors import InputError

FILE, CLASS, PROBABILITY = "file", "class", "probability"  # the first columns of a table of answers
FEW = 10  # refused files that a warning names
Model: TypeAlias = str | os.PathLike | keras.Model | Classifier


class Answers(NamedTuple):
    """A row for each file that was read, as `predict` says; those that were `refused`, and those left `beside`."""

    table: pd.DataFrame
    refused: list[Refused]
    beside: list[Path]


def predict(
    model: Model, files: Named, *, class_names: Sequence[str] | None = None, reading: Reading | None = None
) -> pd.DataFrame:
    """What a trained network takes image files for: `file`, `class`, `probability`, and a column for each class.

    `model` is the folder of a run, a `.keras` file, or a `keras.Model` with its `class_names` in the order of its
    outputs. `files` is a path or several; folders are searched, and patterns such as "photos/*.jpg" are understood. A
    row for each file in their order: the likeliest class, its probability, and those of all classes, which add up to
    1. A class that is called as one of the first columns has " (class)" behind its name. Files are read just as those
    that the network was trained on; `reading` is for a network that does not say how. What cannot be read as an image
    is left out, with a warning that says why. `InputError` where the network cannot be used, and where no file can.
    """
    answers = answer(open_classifier(model, class_names, reading), files)
    if answers.refused:
        said = in_words(answers.refused, len(answers.table))
        if answers.table.empty:
            raise InputError(said)
        warnings.warn(said, stacklevel=2)
    return answers.table


def answer(classifier: Classifier, files: Named) -> Answers:
    """What a classifier says of files, with what it cannot read."""
    found = find_images(files)
    refused, paths, said = [*found.refused], [], [np.empty((0, len(classifier.class_names)), np.float32)]
    for part, images in read_in_parts(found.files, classifier.reading, refused):
        paths += part
        said.append(classifier.probabilities(images))
    return Answers(_table(paths, np.concatenate(said), classifier.class_names), refused, found.beside)


def read_in_parts(
    files: Sequence[Path], reading: Reading, refused: list[Refused]
) -> Iterator[tuple[list[Path], np.ndarray]]:
    """The images of files, (n, image_size, image_size, 3), a few dozen at a time; the unreadable become `refused`."""
    for start in range(0, len(files), IMAGES_A_CALL):
        paths, images = [], []
        for path in files[start : start + IMAGES_A_CALL]:
            try:
                images.append(read_image(path, reading))
                paths.append(path)
            except Unreadable as error:
                refused.append(Refused(str(path), str(error)))
        if paths:
            yield paths, np.stack(images)


def in_words(refused: Sequence[Refused], read: int) -> str:
    """How many files were refused beside those that were `read`, and which and why for the first of them."""
    lines = "".join(f"\n  {each}" for each in refused[:FEW])
    more = len(refused) - FEW
    rest = f"\n  and {more:,} more" if more > 0 else ""
    return f"Of {read + len(refused):,} files {len(refused):,} could not be read:{lines}{rest}"


def class_columns(class_names: Sequence[str]) -> list[str]:
    """The names of the columns of the classes: their own, unless a column or another class is called so."""
    taken = {FILE, CLASS, PROBABILITY}
    columns = []
    for name in class_names:
        while name in taken:
            name += " (class)"
        taken.add(name)
        columns.append(name)
    return columns


def _table(paths: Sequence[Path], probabilities: np.ndarray, class_names: Sequence[str]) -> pd.DataFrame:
    likeliest = probabilities.argmax(axis=1)
    first = pd.DataFrame(
        {
            FILE: [str(path) for path in paths],
            CLASS: [class_names[place] for place in likeliest],
            PROBABILITY: probabilities[np.arange(len(paths)), likeliest],
        }
    )
    return pd.concat([first, pd.DataFrame(probabilities, columns=class_columns(class_names))], axis=1)
