"""What a network says of a split, and how good that is."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from vgglab.engine.step import Compiled
from vgglab.engine.control import Control
from vgglab.datasets import Split

IMAGES_A_CALL = 64


def evaluate(model: keras.Model, split: Split) -> tuple[float, float]:
    """Accuracy and mean cross-entropy of a model on clean images, in inference mode.

    The cross-entropy leaves the weight penalty out, so that runs with and without L2 compare.
    """
    probabilities, _ = outputs(Compiled(model).predict(0), split, Control())
    return score(probabilities, split.labels)


def outputs(predict: Callable, split: Split, control: Control) -> tuple[np.ndarray, list[np.ndarray]]:
    """Probabilities and pooled features of all images, or features, that `predict` takes.

    Between two calls it obeys `control`.
    """
    calls = []
    for start in range(0, len(split), IMAGES_A_CALL):
        control.check()
        part = as_input(split.images[start : start + IMAGES_A_CALL])
        calls.append([output.numpy() for output in predict(part)])
    probabilities, *pooled = (np.concatenate(parts) for parts in zip(*calls))
    return probabilities, pooled


def score(probabilities: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Accuracy and mean cross-entropy of probabilities (n, classes) for labels (n,)."""
    loss = keras.losses.sparse_categorical_crossentropy(labels, probabilities)
    return float(np.mean(np.argmax(probabilities, axis=1) == labels)), float(np.mean(loss))


def as_input(array: np.ndarray | tf.Tensor) -> tf.Tensor:
    """Images of whole numbers as the floats that the network takes; everything else as it is."""
    tensor = tf.convert_to_tensor(array)
    return tf.cast(tensor, tf.float32) if tensor.dtype.is_integer else tensor


def calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = 10) -> float:
    """The expected calibration error: how far, on average, a network's confidence is from how often it is right.

    `probabilities` (n, classes), `labels` (n,); confidence is the largest probability, in `bins` of equal
    width. 0 is honest, 1 the worst. Guo et al. 2017, arXiv:1706.04599, equation 3.
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(np.sum(right[which == each]) - np.sum(confidence[which == each])) for each in range(bins)]
    return float(sum(gaps) / len(labels))
