"""What a network says of a split, and how good that is."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from vgglab.datasets import Split
from vgglab.engine.control import Control
from vgglab.engine.owner import alone
from vgglab.engine.step import Compiled, outputs
from vgglab.measures.auc import one_against_rest
from vgglab.measures.class_counts import balanced_accuracy, counted, macro_f1
from vgglab.predictions import MOST_WRITTEN


def evaluate(model: keras.Model, split: Split) -> tuple[float, float]:
    """Accuracy and mean cross-entropy of a model on clean images, in inference mode.

    The cross-entropy leaves the weight penalty out, so that runs with and without L2 compare. The accuracy is a
    fraction, the cross-entropy in nats. `split` is a part of a Dataset, such as `data.validation`.
    """
    with alone():
        probabilities, _ = outputs(Compiled(model).predict(0), split, Control())
    return score(probabilities, split.labels)


def score(probabilities: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Accuracy and mean cross-entropy of probabilities (n, classes) for labels (n,)."""
    loss = keras.losses.sparse_categorical_crossentropy(labels, probabilities)
    return float(np.mean(np.argmax(probabilities, axis=1) == labels)), float(np.mean(loss))


def class_scores(counts: np.ndarray) -> dict[str, float]:
    """What gives all classes the same weight, from a confusion (classes, classes)."""
    return dict(balanced_accuracy=balanced_accuracy(counts), macro_f1=macro_f1(counts))


def judged(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """What a History keeps of a test part: its overall figures, how many images there were, and what is taken for what.

    The AUC of each class is None where it is not defined. The confusion is left out where it would have more numbers
    than a record has room for.
    """
    accuracy, loss = score(probabilities, labels)
    error, classes = calibration_error(probabilities, labels), probabilities.shape[1]
    figures: dict[str, Any] = dict(accuracy=accuracy, loss=loss, calibration_error=error, images=len(labels))
    if classes**2 > MOST_WRITTEN:
        return figures
    counts, areas = (
        counted(labels, probabilities.argmax(axis=1), classes),
        one_against_rest(probabilities, labels),
    )
    figures |= class_scores(counts) | dict(confusion=counts.tolist())
    figures["auc"] = [None if np.isnan(area) else area for area in areas.of_each.tolist()]
    if areas.overall.is_defined:
        figures["auc_interval"] = [areas.overall.low, areas.overall.high]
    return figures


def known_by_heart(probabilities: np.ndarray, split: Split) -> float | None:
    """Of the images whose label is wrong, the share for which that label is the likeliest; None without wrong labels.

    `probabilities` (n, classes), one row for each image of the split. A network that has learned only what is right
    says a wrong label no more often than it errs.
    """
    if not split.wrong.any():
        return None
    return float(np.mean((probabilities.argmax(axis=1) == split.labels)[split.wrong]))


def calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = 10) -> float:
    """The expected calibration error: how far, on average, a network's confidence is from how often it is right.

    `probabilities` (n, classes), `labels` (n,); confidence is the largest probability, in `bins` of equal
    width. 0 is honest, 1 the worst. Guo et al. 2017, arXiv:1706.04599, equation 3.
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(np.sum(right[which == each]) - np.sum(confidence[which == each])) for each in range(bins)]
    return float(sum(gaps) / len(labels))
