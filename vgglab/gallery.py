"""Photographs with what a network takes them for, and where in them it looks."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from vgglab.answers import Model, in_words, read_in_parts
from vgglab.charts.mistakes import plot_grad_cam, short
from vgglab.classifier import open_classifier
from vgglab.datasets.found import Named, Refused, find_images
from vgglab.datasets.reading import Reading
from vgglab.errors import InputError, shown
from vgglab.measures.grad_cam import grad_cam

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_predictions(
    model: Model,
    files: Named,
    most: int = 12,
    ax: Axes | None = None,
    *,
    class_names: Sequence[str] | None = None,
    reading: Reading | None = None,
) -> Axes:
    """The first `most` of these files that can be read, as the network sees them, and where it looks in each.

    The other arguments are those of `predict`. Above each image stand the likeliest class and its probability; beside
    it is its map of `grad_cam`, the brighter, the more speaks for that class. `InputError` where no file can be read.
    """
    if isinstance(most, bool) or not isinstance(most, (int, np.integer)) or most < 1:
        raise InputError(f"`most` must be a whole number from 1 on. Received: {shown(most)}.")
    classifier = open_classifier(model, class_names, reading)
    found = find_images(files)
    refused: list[Refused] = [*found.refused]
    read = read_in_parts(found.files, classifier.reading, refused)
    images = list(islice((image for _, part in read for image in part), most))
    if refused:
        said = in_words(refused, len(images))
        if not images:
            raise InputError(said)
        warnings.warn(said, stacklevel=2)
    pixels = np.stack(images)
    probabilities = classifier.probabilities(pixels)
    given = probabilities.argmax(axis=1)
    sure = [
        f"{short(classifier.class_names[each])} {100 * p[each]:.0f} %"
        for each, p in zip(given, probabilities)
    ]
    return plot_grad_cam(pixels, grad_cam(classifier.model, pixels, classes=given), sure, ax=ax)
