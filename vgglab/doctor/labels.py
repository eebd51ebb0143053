"""Labels that are probably wrong: confident learning, from what a linear probe says of images that it was not shown.

Northcutt, Jiang & Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels" (arXiv:1911.00068).
"""

from __future__ import annotations

import numpy as np

from vgglab.doctor.findings import Finding
from vgglab.doctor.pictures import Pictures

SURE_ENOUGH = 0.015  # of the probability that the given label has, at most, and
SURELY_OTHER = 0.5  # what the other class has, at least
MOST = 0.1  # of the images; where more look wrong, it is the probe that does not know


def confident_joint(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """How many images of each given label are confidently of which class, (classes, classes).

    `labels` (n,) the given ones, `probabilities` (n, classes) from folds that did not have the image. An image counts
    for the likeliest of the classes whose probability reaches that class's mean among the images which bear its label:
    equation 1 of the paper.
    """
    joint = np.zeros((probabilities.shape[1],) * 2, int)
    confident = _confident_class(labels, probabilities)
    np.add.at(joint, (labels[confident >= 0], confident[confident >= 0]), 1)
    return joint


def probable_errors(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Numbers of the images that are confidently of another class than their label.

    First come those whose own label is the least likely: the self-confidence of the paper.
    """
    confident = _confident_class(labels, probabilities)
    own = probabilities[np.arange(len(labels)), labels]
    wrong = np.flatnonzero((confident >= 0) & (confident != labels))
    return wrong[np.argsort(own[wrong], kind="stable")]


def _confident_class(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """The class that each image is confidently of, -1 where there is none."""
    classes = probabilities.shape[1]
    thresholds = np.array(
        [
            probabilities[labels == each, each].mean() if (labels == each).any() else np.inf
            for each in range(classes)
        ]
    )
    above = np.where(probabilities >= thresholds, probabilities, -1)
    return np.where(above.max(axis=1) >= 0, above.argmax(axis=1), -1)


def findings_of_labels(pictures: Pictures, probabilities: np.ndarray, told: set[int]) -> list[Finding]:
    """Images whose labels are probably wrong; those that are `told` of already, such as copies, are left out."""
    labels = pictures.labels
    found = [
        image
        for image in probable_errors(labels, probabilities)
        if probabilities[image, labels[image]] <= SURE_ENOUGH and probabilities[image].max() >= SURELY_OTHER
    ]
    right = float((probabilities.argmax(axis=1) == labels).mean())
    found = [int(image) for image in found if image not in told][: max(1, int(MOST * len(labels)))]
    if not found:
        return []
    given = probabilities.argmax(axis=1)
    notes = tuple(
        f"labelled {pictures.class_of(image)}, looks like {pictures.data.class_names[given[image]]} "
        f"({100 * probabilities[image, given[image]]:.0f} %)"
        for image in found
    )
    many = len(found) > 1
    sentence = (
        f"{len(found):,} image{'s look' if many else ' looks'} like another class than the label says. The probe that "
        f"says so was not trained on {'them' if many else 'it'}, and gets {100 * right:.0f} % of all images right. "
        "Look before you change or leave out anything."
    )
    look = {image: f"probably a wrong label: {note}" for image, note in zip(found, notes)}
    return [Finding("probable label errors", sentence, tuple((each,) for each in found), notes, look=look)]
