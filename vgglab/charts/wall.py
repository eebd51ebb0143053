"""The runs of a group as one picture: the gap of each against its validation accuracy."""

from __future__ import annotations

import io
import math
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.text import Annotation, Text
from matplotlib.ticker import FuncFormatter, PercentFormatter
from matplotlib.transforms import Bbox

from vgglab.charts import colours
from vgglab.charts.curves import detached_axes, new_axes
from vgglab.charts.text import as_given
from vgglab.errors import InputError, shown

LONGEST = 24  # characters of a name on the chart
NEAR = 8  # points from a mark to its name: further away a line leads to it
_INK = "#010203"  # stands for the colour of text
_STYLE: dict[str, Any] = dict(
    xytext=(0, 0),
    textcoords="offset points",
    fontsize=10,
    arrowprops=dict(arrowstyle="-", color=colours.MARK, linewidth=0.7, shrinkA=0, shrinkB=4),
)


def _offset(distance: float, degrees: float) -> tuple[float, float]:
    """So far to the right and upwards, in points; what is as good as zero is zero."""
    angle = math.radians(degrees)
    return round(distance * math.cos(angle), 3) + 0.0, round(distance * math.sin(angle), 3) + 0.0


# Where a name may stand, from its mark, the nearest first.
_PLACES = [
    _offset(distance, degrees)
    for distance in (NEAR, 14, 22, 32, 44, 58, 75, 95, 120, 150, 190)
    for degrees in range(0, 360, 45 if distance == NEAR else 15)
]


def plot_wall(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Each run of a `wall` as a named mark: validation accuracy to the right, the gap upwards.

    Best is the lower right corner. No name covers another or a mark; one that has no room within the axes is left out,
    and the chart says how many are. What was not measured is not drawn. `InputError` when `table` is none
    that `wall` returned.
    """
    if not isinstance(table, pd.DataFrame) or not {"name", "validation", "gap"} <= set(table.columns):
        raise InputError(
            f"`plot_wall` draws a table of runs, as in plot_wall(wall(FOLDER)). Received: {shown(table)}."
        )
    ax = new_axes(ax)
    rows = table.dropna(subset=["validation", "gap"])
    ax.set(xlabel="validation accuracy", ylabel="gap: train minus validation, points")
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda gap, _: f"{100 * gap:.3g}"))
    if len(rows):
        ax.scatter(
            rows["validation"], rows["gap"], s=42, color=colours.VALIDATION, edgecolors=colours.GREY, zorder=3
        )
        _leave_room(ax, rows)
        left_out = _name_marks(ax, rows)
        if (
            left_out
        ):  # here, because a title would move the axes, and with them what the names were fitted into
            ax.set_xlabel(f"validation accuracy ({left_out} of {len(rows)} names have no room here)")
    else:
        ax.text(0.5, 0.5, "no run yet", transform=ax.transAxes, ha="center", va="center")
    return ax


def wall_svg(table: pd.DataFrame) -> str:
    """The same as an SVG for a page, without a ground: its words have the colour of the page's text."""
    ax = plot_wall(table, detached_axes(11, 5.2))
    figure = ax.get_figure(root=True)
    assert figure is not None
    for text in ax.findobj(Text):
        text.set_color(_INK)
    ax.tick_params(colors=_INK)
    ax.grid(color=colours.MARK, alpha=0.3)
    for spine in ax.spines.values():
        spine.set_color(colours.MARK)
    page = io.StringIO()
    with plt.rc_context({"svg.hashsalt": "vgglab", "svg.fonttype": "path"}):  # outlines cannot be markup
        figure.savefig(page, format="svg", transparent=True, metadata={"Date": None})
    drawn = page.getvalue()
    return drawn[drawn.index("<svg") :].replace(_INK, "currentColor")


def _leave_room(ax: Axes, rows: pd.DataFrame) -> None:
    """Limits with room for names around the outermost marks."""
    for name, limit in (("validation", ax.set_xlim), ("gap", ax.set_ylim)):
        low, high = rows[name].min(), rows[name].max()
        room = max(0.15 * (high - low), 0.03)
        limit(low - room, high + room)


def _name_marks(ax: Axes, rows: pd.DataFrame) -> int:
    """Write each name where it is free; returns how many have no place."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # only now is it known where the axes are
    inside, point = ax.get_window_extent(), figure.dpi / 72
    marks = ax.transData.transform(rows[["validation", "gap"]].to_numpy(float))
    taken = np.hstack([marks - 5 * point, marks + 5 * point])  # left, bottom, right, top of each
    left_out = 0
    # Those with most marks around them first: the others have more places to go to.
    crowd = [np.sum(np.hypot(*(marks - mark).T) < 60 * point) for mark in marks]
    for place in np.argsort(crowd)[::-1]:
        row = rows.iloc[place]
        text = ax.annotate(_short(str(row["name"])), (row["validation"], row["gap"]), **_STYLE)
        as_given([text])
        size = text.get_window_extent().padded(2)
        for across, up in _PLACES:
            box = _box(marks[place], across * point, up * point, size)
            if _contains(inside, box) and not _covers(box, taken):
                taken = np.vstack([taken, box.extents])
                _put(text, across, up)
                break
        else:
            text.remove()
            left_out += 1
    return left_out


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _aligned(across: float, up: float) -> tuple[float, float]:
    """The share of a name's width and height that lies left of its place, and below."""
    return (1 - np.sign(across)) / 2, (1 - np.sign(up)) / 2


def _box(mark: np.ndarray, across: float, up: float, size: Bbox) -> Bbox:
    """Where a name of this size would be, in pixels, so far from its mark."""
    left, below = _aligned(across, up)
    x, y = mark[0] + across - left * size.width, mark[1] + up - below * size.height
    return Bbox.from_bounds(x, y, size.width, size.height)


def _put(text: Annotation, across: float, up: float) -> None:
    left, below = _aligned(across, up)
    text.set(
        position=(across, up),
        ha={0: "left", 0.5: "center", 1: "right"}[left],
        va={0: "bottom", 0.5: "center", 1: "top"}[below],
    )
    assert text.arrow_patch is not None
    text.arrow_patch.set_visible(math.hypot(across, up) > NEAR)


def _covers(box: Bbox, taken: np.ndarray) -> bool:
    """Whether a box lies over any of the rectangles."""
    left, bottom, right, top = taken.T
    x0, y0, x1, y1 = box.extents
    return bool(np.any((left < x1) & (x0 < right) & (bottom < y1) & (y0 < top)))


def _contains(outer: Bbox, inner: Bbox) -> bool:
    return bool(
        outer.x0 <= inner.x0 and inner.x1 <= outer.x1 and outer.y0 <= inner.y0 and inner.y1 <= outer.y1
    )
