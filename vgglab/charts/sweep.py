"""A sweep as a heatmap: a mean over the seeds in each cell, and how far chance may have moved it."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from vgglab.charts.curves import detached_axes, new_axes, save_chart
from vgglab.charts.text import name_cells
from vgglab.combinations import LATER, counted
from vgglab.errors import InputError, unknown
from vgglab.experiment import FIELDS
from vgglab.files import written_whole
from vgglab.measures.sweep_table import MEASURES

_LONGEST, _LINE = 40, 16  # characters of the name of a row or column, and of a line of it


def plot_sweep(table: pd.DataFrame, measure: str = "validation_accuracy", ax: Axes | None = None) -> Axes:
    """What every setting of a sweep came to, as a heatmap of two fields that vary; of one, a single row.

    `table`: what `sweep` returns, or reads from its sweep.csv. `measure`: one of `MEASURES`, such as gap.
    A cell has the mean over the seeds, and below it half the width of its 95 % interval, where there are two seeds
    at least. The last field that varies runs from left to right; where more than two vary, the others together name
    the rows. A cell is empty where no run is finished. `InputError` for another measure, and for another table.
    """
    if measure not in MEASURES:
        raise unknown("measure of a sweep", measure, MEASURES)
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
    most = int(table["seeds"].max()) if len(table) else 0
    ax.set_title(f"{measure.replace('_', ' ')}, mean of {counted(most, 'seed')} ± 95 % interval", fontsize=10)
    bar = ax.collections[0].colorbar
    assert bar is not None  # seaborn draws one
    bar.ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return ax


def save_sweep(table: pd.DataFrame, path: Path) -> None:
    """Write the heatmap of a table to a file, whole or not at all."""
    with written_whole(path) as beside:
        save_chart(plot_sweep(table, ax=detached_axes(*_size(_wide(table, table["seeds"])))), beside)


def _size(cells: pd.DataFrame) -> tuple[float, float]:
    """The width and the height of the figure for so many cells, in inches."""
    lines = [each.split("\n") for each in cells.columns]
    column = max(1.0, 0.1 * max(len(line) for each in lines for line in each))
    names = 0.1 * max(len(each) for each in cells.index)
    height = 1.5 + 0.2 * max(len(each) for each in lines) + 0.5 * len(cells)
    return min(max(4.6, 2.2 + names + column * len(lines)), 24), min(height, 40)


def _wide(table: pd.DataFrame, values: pd.Series) -> pd.DataFrame:
    """The values with the last field that varies from left to right, and all others from top to bottom."""
    names = [name for name in table if name in FIELDS or name == LATER]
    *above, across = names or [""]
    rows = [
        ", ".join(_named(name, row[name], len(above) > 1) for name in above) for _, row in table.iterrows()
    ]
    columns = [fill(_named(across, each), _LINE) for each in table[across]] if across else ["all runs"]
    wide = pd.DataFrame(
        np.nan, index=list(dict.fromkeys(rows)), columns=list(dict.fromkeys(columns)), dtype=object
    )
    for row, column, value in zip(rows, columns, values):
        wide.loc[row, column] = value
    return wide.rename_axis(
        index=_label(above[0]) if len(above) == 1 else None, columns=_label(across) or None
    )


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
