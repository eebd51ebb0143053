"""How well a run recognises each class, with how sure that is."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from vgglab.charts import colours
from vgglab.charts.curves import SHARES, new_axes
from vgglab.charts.text import as_given, legend_above
from vgglab.datasets.dataset import Dataset
from vgglab.history import History
from vgglab.measures.classes import ClassReport, class_report

MOST = 30  # classes that have room; of more, those of least recall
_LOOKS: dict[str, dict[str, Any]] = {
    "recall": dict(color=colours.TRAIN, marker="o", label="recall"),
    "precision": dict(color=colours.VALIDATION, marker="s", label="precision"),
}


def plot_class_report(
    history: History, data: Dataset | None = None, part: str = "validation", ax: Axes | None = None
) -> Axes:
    """Recall and precision of each class of `class_report`, with 95 % intervals; the least recall is at the top.

    A line stands at the balanced accuracy, their mean recall. Of more than 30 classes those of least recall are shown.
    `InputError` as for `class_report`.
    """
    report = class_report(history, data, part)
    order = np.argsort(report.classes["recall"].to_numpy(), kind="stable")[:MOST]
    ax = new_axes(ax, width=6.4, height=max(2.4, 0.36 * len(order) + 1.3))
    rows = np.arange(len(order))
    for name, shift in (("recall", -0.15), ("precision", 0.15)):
        _draw(ax, report, order, name, rows + shift)
    mean = report.balanced_accuracy.value
    ax.axvline(
        mean,
        color="0.45",
        linewidth=1,
        linestyle=(0, (4, 2)),
        label=f"balanced accuracy {mean:.1%}",
        zorder=1,
    )
    images = report.classes["images"].to_numpy()
    names = [f"{report.classes.index[place]} ({images[place]})" for place in order]
    ax.set_yticks(rows, names)
    as_given(ax.get_yticklabels())
    ax.set(xlim=SHARES, ylim=(len(order) - 0.5, -0.5), xlabel=_what(report, len(order)))
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.grid(False, axis="y")
    legend_above(ax)
    return ax


def _what(report: ClassReport, shown: int) -> str:
    which = (
        f"the {shown} classes of least recall of {len(report.classes)}; "
        if shown < len(report.classes)
        else ""
    )
    return f"{which}{report.part} images in brackets, 95 % intervals"


def _draw(ax: Axes, report: ClassReport, order: np.ndarray, name: str, at: np.ndarray) -> None:
    """A mark and its interval for each class; what is not defined has none, and says so."""
    figures = [report.figure(name, place) for place in order.tolist()]
    known = np.array([each.is_defined for each in figures])
    values = np.array(figures)[known]
    look = _LOOKS[name]
    if len(values):
        around = np.abs(values[:, 1:] - values[:, :1]).T
        ax.errorbar(values[:, 0], at[known], xerr=around, linestyle="", markersize=5, linewidth=1.4, **look)
    for row in at[~known]:
        words = "no images" if name == "recall" else "never given: no precision"
        ax.text(0.01, row, words, fontsize=7.5, va="center", color=look["color"])
