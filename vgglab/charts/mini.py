"""Both curves of a run in a few pixels, for a bar that has no room for the chart."""

from __future__ import annotations

import math

from vgglab.charts.colours import TRAIN, VALIDATION
from vgglab.charts.scale import Epochs, fitted, share_scale
from vgglab.charts.shown import course_of
from vgglab.charts.svg import curve, svg
from vgglab.charts.told import outcome
from vgglab.history import History

_EDGE = 4  # pixels, so that a dot at the edge is whole


def mini_svg(history: History, width: int = 120, height: int = 32) -> str:
    """The accuracy of a run, train and validation, as an `<svg>` of so many pixels without any text.

    The width is that of all epochs that are planned; a dot is at the one whose weights were kept. Its alternative text
    says the outcome.
    """
    course = course_of([history])
    means = course.means
    planned = history.experiment.planned_epochs
    first, last = (course.first, course.last) if len(course) else (1, 1)
    epochs = Epochs(first, max(first, planned, last), _EDGE, width - _EDGE)
    pair = {TRAIN: "train_accuracy", VALIDATION: "validation_accuracy"}
    scale = share_scale(_EDGE, height - _EDGE)
    if not history.metric.is_share:
        values = [value for column in pair.values() for value in means[column]]
        scale = fitted(values, _EDGE, height - _EDGE)
    lines = [
        curve(
            [
                (epochs.x(epoch), scale.y(value))
                for epoch, value in zip(means["epoch"].tolist(), means[column].tolist())
                if not math.isnan(value)
            ],
            colour,
            dot=course.dot(column, epochs, scale),
            dash="" if colour == TRAIN else "4 2",
            width=1.8,
        )
        for colour, column in pair.items()
    ]
    return svg(lines, f"{outcome(history)}.", width, height)
