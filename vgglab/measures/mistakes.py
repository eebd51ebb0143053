"""Which validation images a network gets wrong, how sure it is of that, and what it takes for what."""

from __future__ import annotations

import numpy as np
import pandas as pd

from vgglab.datasets.dataset import Dataset
from vgglab.errors import InputError, shown
from vgglab.history import History
from vgglab.measures.class_counts import counted
from vgglab.predictions import Predictions


def mistakes(history: History, data: Dataset | None = None, most: int = 12) -> pd.DataFrame:
    """The validation images that the kept weights get wrong, those that they are surest about first, at most `most`.

    A row for each: `image` is its place in `data.validation`, `true` and `given` its class and the one that the
    network takes it for, `probability` that of the given class, `probability_of_true` that of the true one. Classes
    stand by the names in `data` or, without it, those that the history has, and by their numbers where it has none.
    `InputError` when the history has no predictions, or `data` other validation images.
    """
    if isinstance(most, bool) or not isinstance(most, (int, np.integer)) or most < 1:
        raise InputError(f"`most` must be a whole number from 1 on. Received: {shown(most)}.")
    found = predictions_of(history, data)
    names = np.array(class_names(history, data), dtype=object)
    wrong = np.flatnonzero(~found.right)
    worst = surest(found, wrong)[:most]
    true, given = found.labels[worst], found.predicted[worst]
    return pd.DataFrame(
        dict(
            image=worst,
            true=names[true],
            given=names[given],
            probability=found.probabilities[worst, given],
            probability_of_true=found.probabilities[worst, true],
        )
    )


def confusion(history: History, data: Dataset | None = None) -> pd.DataFrame:
    """How many validation images of each class the kept weights take for which: true classes down, given ones across.

    The names of the classes are those of `mistakes`; the counts add up to the number of images. `InputError` as there.
    """
    found = predictions_of(history, data)
    names = class_names(history, data)
    counts = counted(found.labels, found.predicted, len(names))
    return pd.DataFrame(counts, pd.Index(names, name="true"), pd.Index(names, name="given"))


def confused(table: pd.DataFrame, most: int = 10) -> list[tuple[int, int]]:
    """The places (true, given) of the most frequent mistakes in a `confusion`, the most frequent first."""
    counts = table.to_numpy(copy=True)
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[: min(most, np.count_nonzero(counts))]
    return [(int(place) // len(table), int(place) % len(table)) for place in order]


def surest(found: Predictions, images: np.ndarray) -> np.ndarray:
    """These images, (n,) places in the validation part, in falling order of the probability of the given class."""
    confidence = found.probabilities[images].max(axis=1)
    return images[np.argsort(-confidence, kind="stable")]


def predictions_of(history: History, data: Dataset | None = None) -> Predictions:
    """What a history keeps of the validation images; `InputError` where it keeps none, or `data` has others."""
    if not isinstance(history, History):
        raise InputError(f"`history` must be a History, such as `train` returns. Received: {shown(history)}.")
    found = history.predictions
    if found is None:
        raise InputError(
            "This run has no predictions on the validation images: it finished no epoch, its record is of an older "
            "version or leaves out so many, or vgglab did not train it. Train the experiment again to see its mistakes."
        )
    if data is None:
        return found
    if not isinstance(data, Dataset):
        raise InputError(f"`data` must be a Dataset, such as `load` returns. Received: {shown(data)}.")
    if not are_of(found, data):
        images, classes = found.probabilities.shape
        raise InputError(
            f"`data` must be what the run was validated on: {images} images of {classes} classes. "
            f"Received: other images, {data.name}, with {len(data.validation)} of {len(data.class_names)} classes."
        )
    return found


def are_of(found: Predictions, data: Dataset) -> bool:
    """Whether predictions are of the validation images of a data set, and of its classes."""
    classes = found.probabilities.shape[1]
    return (data.validation.fingerprint, len(data.class_names)) == (found.images, classes)


def class_names(history: History, data: Dataset | None = None) -> list[str] | list[int]:
    """The names of the classes that a history predicts."""
    assert history.predictions is not None  # whoever asks has looked at them
    return names_for(history.predictions.probabilities.shape[1], history, data)


def names_for(classes: int, history: History, data: Dataset | None = None) -> list[str] | list[int]:
    """The names of so many classes, of `data` or of the record; their numbers where neither has them."""
    names = list(data.class_names) if data else list(history.data.get("classes", []))
    return names if len(names) == classes else list(range(classes))
