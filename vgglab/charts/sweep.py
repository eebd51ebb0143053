"""A sweep as a heatmap: a mean over the seeds in each cell, and how far chance may have moved it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from vgglab.charts.curves import detached_axes, new_axes, save_chart
from vgglab.charts.text import as_given, name_cells
from vgglab.errors import InputError, unknown
from vgglab.experiment import FIELDS
from vgglab.files import written_whole

_LONGEST = 40  # characters of the name of a row or column
_MEASURES = ("validation_accuracy", "train_accuracy", "gap")


def plot_sweep(table: pd.DataFrame, measure: str = "validation_accuracy", ax: Axes | None = None) -> Axes:
    """What every setting of a sweep came to, as a heatmap of two fields that vary; of one, a single row.

    `table`: what `sweep` returns, or reads from its sweep.csv. `measure`: validation_accuracy, train_accuracy or gap.
    A cell has the mean over the seeds, and below it half the width of its 95 % interval, where there are two seeds
    at least. The last field that varies runs from left to right; where more than two vary, the others together name
    the rows. A cell is empty where no run is finished. `InputError` for another measure, and for another table.
    """
    if measure not in _MEASURES:
        raise unknown("measure of a sweep", measure, _MEASURES)
    if not isinstance(table, pd.DataFrame) or not {measure, f"{measure}_low", "seeds"} <= set(table):
        raise InputError("`table` must be a table that `sweep` returned, with a row for each setting.")
    means, words = _wide(table, table[measure]), _wide(table, _written(table, measure))
    ax = new_axes(ax, *_size(means))
    sns.heatmap(
        means.astype(float),
        annot=words.fillna(""),
        fmt="",
        ax=ax,
        cmap="mako_r" if measure == "gap" else "mako",
        linewidths=0.5,
        annot_kws=dict(size=8),
        xticklabels=False,
        yticklabels=False,
    )
    name_cells(ax, means)
    ax.grid(visible=False)
    bar = ax.collections[0].colorbar
    assert bar is not None  # seaborn draws one
    bar.ax.yaxis.set_major_formatter(PercentFormatter(1))
    most = int(table["seeds"].max()) if len(table) else 0
    bar.set_label(f"{measure.replace('_', ' ')}, mean of {most} seed{'' if most == 1 else 's'}")
    as_given([bar.ax.yaxis.label])
    if max(len(each) for each in means.columns) > 8:
        for tick in ax.get_xticklabels():
            tick.set(rotation=35, ha="right", rotation_mode="anchor")
    return ax


def save_sweep(table: pd.DataFrame, path: Path) -> None:
    """Write the heatmap of a table to a file, whole or not at all."""
    with written_whole(path) as beside:
        save_chart(plot_sweep(table, ax=detached_axes(*_size(_wide(table, table["seeds"])))), beside)


def _size(cells: pd.DataFrame) -> tuple[float, float]:
    """The width and the height of the figure for so many cells, in inches."""
    longest = max(len(each) for each in cells.columns)
    names = 0.085 * max(len(each) for each in cells.index)
    return min(2.8 + names + max(0.9, 0.04 * longest) * len(cells.columns), 16), 1.7 + 0.5 * len(cells)


def _wide(table: pd.DataFrame, values: pd.Series) -> pd.DataFrame:
    """The values with the last field that varies from left to right, and all others from top to bottom."""
    names = [name for name in table if name in FIELDS or name == "later"]
    *above, across = names or [""]
    rows = [", ".join(_named(name, row[name], len(above) > 1) for name in above) for _, row in table.iterrows()]
    columns = [_named(across, each) for each in table[across]] if across else ["all runs"]
    wide = pd.DataFrame(
        np.nan, index=list(dict.fromkeys(rows)), columns=list(dict.fromkeys(columns)), dtype=object
    )
    for row, column, value in zip(rows, columns, values):
        wide.loc[row, column] = value
    return wide.rename_axis(index=_label(above[0]) if len(above) == 1 else None, columns=_label(across) or None)


def _named(name: str, value: object, with_field: bool = False) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    text = f"{_label(name)} {text}" if with_field else text
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]}…{text[-_LONGEST // 4 :]}"


def _label(name: str) -> str:
    return FIELDS[name].label if name in FIELDS else name


def _written(table: pd.DataFrame, measure: str) -> pd.Series:
    half = (table[f"{measure}_high"] - table[f"{measure}_low"]) / 2
    means = table[measure].map(lambda each: "" if pd.isna(each) else f"{100 * each:.1f}")
    return means + half.map(lambda each: "" if pd.isna(each) else f"\n± {100 * each:.1f}")
