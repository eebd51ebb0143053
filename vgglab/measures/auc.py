"""How well probabilities put the images of a class above those of the others: the area under the ROC curve."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from vgglab.measures.class_intervals import Estimate, auc_interval, mean_auc_interval


class OneAgainstRest(NamedTuple):
    """The AUC of each class (classes,), NaN where it is not defined, and of all: their mean, or of two the second's."""

    of_each: np.ndarray
    overall: Estimate


def one_against_rest(probabilities: np.ndarray, labels: np.ndarray) -> OneAgainstRest:
    """The AUC of each class against all others, from its own column of probabilities (n, classes), `labels` (n,).

    That is the share of pairs, an image of the class and one of another, in which the first has the higher probability,
    ties counting half: Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747. Not defined where all images are of
    the class, or none is.
    """
    classes = probabilities.shape[1]
    of_each, influence = np.full(classes, np.nan), np.zeros(len(labels))
    sizes = np.bincount(labels, minlength=classes)
    for which, (area, of_images) in _areas(probabilities, labels, sizes):
        of_each[which] = area
        influence += of_images
    there = np.flatnonzero(~np.isnan(of_each))
    if classes == 2 or not len(there):
        return OneAgainstRest(
            of_each, auc_interval(float(of_each[-1]), int(sizes[-1]), int(sizes[:-1].sum()))
        )
    variance = float((influence**2).sum()) / len(there) ** 2
    return OneAgainstRest(of_each, mean_auc_interval(of_each[there], sizes[there], len(labels), variance))


def _areas(
    probabilities: np.ndarray, labels: np.ndarray, sizes: np.ndarray
) -> Iterator[tuple[int, tuple[float, np.ndarray]]]:
    for which in np.flatnonzero((sizes > 0) & (sizes < len(labels))).tolist():
        yield which, _area(probabilities[:, which], labels == which)


def _area(scores: np.ndarray, of_class: np.ndarray) -> tuple[float, np.ndarray]:
    """The AUC, and how much each image (n,) moves it: the structural components of DeLong et al. 1988.

    doi:10.2307/2531595, computed from ranks as in Sun & Xu 2014, doi:10.1109/LSP.2014.2337313.
    """
    inside, outside = int(of_class.sum()), int((~of_class).sum())
    ranks = _ranks(scores)
    above = (
        ranks[of_class] - _ranks(scores[of_class])
    ) / outside  # share of the others that each one is above
    below = 1 - (ranks[~of_class] - _ranks(scores[~of_class])) / inside
    area, influence = float(above.mean()), np.empty(len(scores))
    influence[of_class], influence[~of_class] = (above - area) / inside, (below - area) / outside
    return area, influence


def _ranks(scores: np.ndarray) -> np.ndarray:
    """From 1 on; equal ones share the mean of their places."""
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]
