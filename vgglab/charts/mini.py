"""Both curves of a run in a few pixels, for a bar that has no room for the chart."""

from __future__ import annotations

import math

from vgglab.charts.colours import TRAIN, VALIDATION
from vgglab.charts.scale import Epochs, fitted, share_scale
from vgglab.charts.shown import course_of
from vgglab.charts.svg import curve, svg
from vgglab.history import History

_EDGE = 4  # pixels, so that a dot at the edge is whole


def mini_svg(history: History, width: int = 120, height: int = 32) -> str:
    """The accuracy of a run, train and validation, as an `<svg>` of so many pixels without any text.

    The width is that of all epochs that are planned. Its alternative text says the outcome.
    """
    course = course_of([history])
    means = course.means
    planned = history.experiment.planned_epochs
    first, last = (course.first, course.last) if len(course) else (1, 1)
    epochs = Epochs(first, max(first, planned, last), _EDGE, width - _EDGE)
    pair = {TRAIN: means["train_accuracy"], VALIDATION: means["validation_accuracy"]}
    scale = share_scale(_EDGE, height - _EDGE)
    if not history.metric.is_share:
        values = [value for column in pair.values() for value in column]
        scale = fitted(values, _EDGE, height - _EDGE)
    lines = [
        curve(
            [
                (epochs.x(epoch), scale.y(value))
                for epoch, value in zip(means["epoch"].tolist(), column.tolist())
                if not math.isnan(value)
            ],
            colour,
            dash="" if colour == TRAIN else "4 2",
            width=1.8,
        )
        for colour, column in pair.items()
    ]
    return svg(lines, f"{history.summary().removesuffix('.')}.", width, height)
