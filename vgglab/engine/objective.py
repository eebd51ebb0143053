"""What a training step lowers: the cross-entropy, by class weights, and the penalties on weights.

All of it are arguments of a traced step, so that none of them is a reason to trace it again.
"""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from vgglab.datasets import Dataset
from vgglab.datasets.class_weights import class_weights
from vgglab.experiment import FIELDS, Experiment
from vgglab.toggles import Number

# The names of the fields that are numbers.
OBJECTIVE = tuple(
    name for name, toggle in FIELDS.items() if toggle.role == "objective" and isinstance(toggle, Number)
)
SIGNATURE = dict.fromkeys(OBJECTIVE, tf.TensorSpec(())) | dict(class_weight=tf.TensorSpec((None,)))


def objective_of(phase: Experiment, data: Dataset) -> dict[str, float | np.ndarray]:
    """The objective of a phase as a training step takes it: `OBJECTIVE`, and a weight for each class, (classes,)."""
    classes = len(data.class_names)
    weights = np.ones(classes, np.float32)
    if FIELDS["class_weight"].is_on(phase.class_weight):
        weights = class_weights(data.train.labels, classes)
    return {name: getattr(phase, name) for name in OBJECTIVE} | dict(class_weight=weights)


def cross_entropy(
    targets: tf.Tensor, probabilities: tf.Tensor, objective: Mapping[str, tf.Tensor]
) -> tf.Tensor:
    """Mean cross-entropy of the images of a batch, each times its weight, against smoothed targets (n, classes).

    An image's weight is that of its class or, where its target is mixed of several, their mean by the target; the mean
    is over the number of images, and not over the sum of weights. That is `fit(class_weight=...)` of Keras, which takes
    the largest part of a mixed target for all of it. Smoothing: Szegedy et al. 2016, arXiv:1512.00567, section 7.
    """
    smoothing = objective["label_smoothing"]
    smoothed = (1.0 - smoothing) * targets + smoothing / tf.cast(tf.shape(targets)[1], tf.float32)
    # A target adds up to 1. Written like this, weights of 1 give exactly 1, whatever a mixed target is rounded to.
    weights = 1.0 + tf.linalg.matvec(targets, objective["class_weight"] - 1.0)
    return tf.reduce_mean(weights * keras.losses.categorical_crossentropy(smoothed, probabilities))


def sum_of_squares(kernels: list[tf.Tensor]) -> tf.Tensor:
    """Of all numbers in these kernels."""
    return tf.add_n([tf.reduce_sum(tf.square(kernel)) for kernel in kernels])
