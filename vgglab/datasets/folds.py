"""k folds: every image validates once, and groups stay whole."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator

import numpy as np

from vgglab.datasets.dataset import Dataset, Split
from vgglab.datasets.division import deal, numbers_of
from vgglab.errors import InputError, shown
from vgglab.experiment import FIELDS
from vgglab.stored.stored_rows import joined

MOST = 100  # folds; each is a training


def k_folds(data: Dataset, folds: int = 5, seed: int = 0) -> list[Dataset]:
    """Divide train and validation anew, `folds` times, so that each image validates in one of them.

    Groups stay whole, and every class is spread as evenly as its groups allow; `seed` chooses. The test part is that of
    `data` in each. Few images are copied for each; many are read from `data` as they are needed. A warning where a
    class has fewer groups than there are folds. `InputError` for a number that is none, or larger than the number of
    groups, and for a class with one group only.
    """
    return list(iterate_folds(data, folds, seed))


def iterate_folds(data: Dataset, folds: int = 5, seed: int = 0) -> Iterator[Dataset]:
    """The same one after another, so that the images of one fold at a time are in memory; errors come at once."""
    if not isinstance(data, Dataset):
        raise InputError(f"`data` must be a Dataset, such as `load` returns. Received: {shown(data)}.")
    seed = FIELDS["seed"].check("seed", seed)
    labels, groups = _labels(data), _pooled(data, "groups")
    count = len(np.unique(numbers_of(groups, len(labels))))
    check_folds(folds)
    if folds > count:
        what = "images" if groups is None else "groups of images"
        raise InputError(f"`folds` must be at most the number of {what}, {count}. Received: {folds}.")
    fold_of = deal(labels, groups, int(folds), seed, data.class_names)
    for label, name in enumerate(data.class_names):
        there = len(np.unique(fold_of[labels == label]))
        if 0 < there < folds:
            warnings.warn(
                f"Class '{name}' is in {there} of the {folds} folds, for it has no more groups of images; the others "
                "validate none of it.",
                stacklevel=2,
            )
    return (_fold(data, fold_of, fold, int(folds)) for fold in range(folds))


def check_folds(folds: int) -> None:
    """`InputError` for what is no number of folds, whatever the images."""
    is_whole = isinstance(folds, (int, np.integer)) and not isinstance(folds, bool)
    if not is_whole or not 2 <= folds <= MOST:
        raise InputError(f"`folds` must be a whole number, 2 to {MOST}. Received: {shown(folds)}.")


def _fold(data: Dataset, fold_of: np.ndarray, fold: int, folds: int) -> Dataset:
    return dataclasses.replace(
        data,
        name=f"{data.name}, fold {fold + 1} of {folds}",
        train=_chosen(data, np.flatnonzero(fold_of != fold)),
        validation=_chosen(data, np.flatnonzero(fold_of == fold)),
    )


def _labels(data: Dataset) -> np.ndarray:
    return np.concatenate([data.train.labels, data.validation.labels])


def _pooled(data: Dataset, name: str) -> np.ndarray | None:
    """What both parts have of this, train first; None where neither has any."""
    parts = [(len(split), getattr(split, name)) for split in (data.train, data.validation)]
    if all(values is None for _, values in parts):
        return None
    return np.concatenate([np.full(count, None) if its is None else its for count, its in parts])


def _chosen(data: Dataset, numbers: np.ndarray) -> Split:
    """The images of train and validation with these numbers, those of train first."""
    truth = None
    if data.train.truth is not None or data.validation.truth is not None:
        truth = _pooled(data, "true_labels")
    named = dict(truth=truth, paths=_pooled(data, "paths"), groups=_pooled(data, "groups"))
    return Split(
        joined(data.train.images, data.validation.images, numbers),
        _labels(data)[numbers],
        **{name: None if values is None else values[numbers] for name, values in named.items()},
    )
