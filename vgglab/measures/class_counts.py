"""What follows from a confusion alone: recall, precision and F1 of each class, and means that count all classes alike.

All take `counts` (classes, classes), true classes down and given ones across, and give NaN where a figure is not
defined; what is defined is that of scikit-learn.
"""

from __future__ import annotations

import numpy as np


def counted(labels: np.ndarray, given: np.ndarray, classes: int) -> np.ndarray:
    """The confusion: how many images of each class, `labels` (n,), are taken for which, `given` (n,)."""
    places = labels.astype(np.int64) * classes + given
    return np.bincount(places, minlength=classes**2).reshape(classes, classes)


def recalls(counts: np.ndarray) -> np.ndarray:
    """Of the images of each class, the share that is recognised; not defined where there is none."""
    return _share(np.diag(counts), counts.sum(axis=1))


def precisions(counts: np.ndarray) -> np.ndarray:
    """Of the images that are taken for each class, the share that is of it; not defined where there is none."""
    return _share(np.diag(counts), counts.sum(axis=0))


def f1s(counts: np.ndarray) -> np.ndarray:
    """The harmonic mean of recall and precision; not defined for a class that is neither there nor given.

    2 * right / (images + given), so that it is 0, and not undefined, for a class that is there and never given.
    """
    return _share(2 * np.diag(counts), counts.sum(axis=1) + counts.sum(axis=0))


def balanced_accuracy(counts: np.ndarray) -> float:
    """The mean recall of the classes that have images: Brodersen et al. 2010, doi:10.1109/ICPR.2010.764."""
    return float(np.nanmean(recalls(counts)))


def macro_f1(counts: np.ndarray) -> float:
    """The mean F1 of the classes that are there or given."""
    return float(np.nanmean(f1s(counts)))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
