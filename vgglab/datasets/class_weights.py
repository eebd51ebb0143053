"""How much an image of each class counts in the loss, so that a rare class counts as much as a frequent one."""

from __future__ import annotations

import numpy as np

from vgglab.datasets.dataset import Dataset


def class_weights(labels: np.ndarray, classes: int) -> np.ndarray:
    """The weight of each class, float32 of shape (classes,): n / (classes * n of the class), 1 on average over images.

    `labels` (n,) are those that are trained on. A class without an image does not count among the classes and has the
    weight 1, which nothing is multiplied by. "Balanced" of scikit-learn's `compute_class_weight`, after King & Zeng
    2001, "Logistic Regression in Rare Events Data".
    """
    counts = np.bincount(labels, minlength=classes)
    weights = counts.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return np.where(counts > 0, weights, 1).astype(np.float32)


def weights_in_words(data: Dataset) -> list[str]:
    """What class weights do to the training images of a data set, in a sentence, and where they can do nothing."""
    counts = np.array(data.train.counts(len(data.class_names)))
    missing = [f"'{name}'" for name, count in zip(data.class_names, counts) if not count]
    lost = f"No training image is labelled {' or '.join(missing)}, so no class weight makes the network learn it."
    return [_range(data, counts)] + ([lost] if missing else [])


def _range(data: Dataset, counts: np.ndarray) -> str:
    weights, there = class_weights(data.train.labels, len(counts)), np.flatnonzero(counts)
    rarest, commonest = there[np.argmin(counts[there])], there[np.argmax(counts[there])]
    if counts[rarest] == counts[commonest]:
        each = counts[rarest]
        return (
            f"All classes have the same number of training images, {each}, so class weights change nothing."
        )

    def said(which: np.intp) -> str:
        return f"{weights[which]:.3g} times for '{data.class_names[which]}' ({counts[which]} training images)"

    return f"Class weights: an image counts {said(rarest)}, and {said(commonest)}."
