"""What a network says of a split, and how good that is."""

from __future__ import annotations

import keras
import numpy as np

from vgglab.datasets import Split
from vgglab.engine.control import Control
from vgglab.engine.owner import alone
from vgglab.engine.step import Compiled, outputs


def evaluate(model: keras.Model, split: Split) -> tuple[float, float]:
    """Accuracy and mean cross-entropy of a model on clean images, in inference mode.

    The cross-entropy leaves the weight penalty out, so that runs with and without L2 compare.
    """
    with alone():
        probabilities, _ = outputs(Compiled(model).predict(0), split, Control())
    return score(probabilities, split.labels)


def score(probabilities: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Accuracy and mean cross-entropy of probabilities (n, classes) for labels (n,)."""
    loss = keras.losses.sparse_categorical_crossentropy(labels, probabilities)
    return float(np.mean(np.argmax(probabilities, axis=1) == labels)), float(np.mean(loss))


def judged(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """What a History keeps of a test part: accuracy, loss, calibration error, and how many images there were."""
    accuracy, loss = score(probabilities, labels)
    error = calibration_error(probabilities, labels)
    return dict(accuracy=accuracy, loss=loss, calibration_error=error, images=len(labels))


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
