"""What several seeds did, from the tables of the study, with the reader's own run on top."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from vgglab.charts.curves import SHARES, TRAIN, VALIDATION, line, new_axes
from vgglab.charts.text import as_given, legend_above, name_cells
from vgglab.history import History

_PAIR = (("train_accuracy", "train", TRAIN), ("validation_accuracy", "validation", VALIDATION))


def plot_on_seeds(history: History, curves: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Your run, on bands from the lowest to the highest of all seeds.

    `curves`: the rows of one arm, with `seed`, `epoch`, `train_accuracy` and `validation_accuracy`.
    """
    ax = new_axes(ax)
    rows, seeds = history.frame(), curves["seed"].nunique()
    for column, name, style in _PAIR:
        by_epoch = curves.groupby("epoch")[column]
        low, high = by_epoch.min(), by_epoch.max()
        ax.fill_between(
            low.index,
            low,
            high,
            color=style["color"],
            alpha=0.18,
            linewidth=0,
            label=f"{name}, {seeds} seeds",
        )
        line(ax, rows["epoch"], rows[column], f"{name}, yours", style)
    ax.set(ylim=SHARES, xlabel="epoch", ylabel="accuracy")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    legend_above(ax, columns=2)
    return ax


def plot_arms(
    ends: pd.DataFrame,
    metric: str = "validation_accuracy",
    mine: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A dot for every seed of every arm and a bar at their mean; `mine` marks your own runs by arm.

    `ends`: one row an arm and seed, with the column `metric`.
    """
    ax = new_axes(ax)
    arms = list(dict.fromkeys(ends["arm"]))
    for place, arm in enumerate(arms):
        values = ends.loc[ends["arm"] == arm, metric]
        ax.plot(values, np.full(len(values), place), "o", color="0.5", markersize=5, alpha=0.9, clip_on=False,
                label="a seed" if place == 0 else None)  # fmt: skip
        ax.plot(values.mean(), place, "|", color="0.1", markersize=18, markeredgewidth=2.5, clip_on=False,
                label="their mean" if place == 0 else None)  # fmt: skip
    label: str | None = "yours"
    for arm, value in (mine or {}).items():
        colour = VALIDATION["color"]
        ax.plot(value, arms.index(arm), "*", color=colour, markersize=14, clip_on=False, label=label)
        label = None
    ax.set_yticks(range(len(arms)), arms)
    ax.set(ylim=(len(arms) - 0.5, -0.5), xlabel=metric.replace("_", " "))
    as_given([*ax.get_yticklabels(), ax.xaxis.label])
    if "accuracy" in metric or metric == "gap":
        ax.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))  # no 2.5 %, which would be rounded
        ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.grid(axis="y", visible=False)
    legend_above(ax)
    return ax


def plot_growth(sizes: Mapping[str, Mapping[int, pd.DataFrame]], ax: Axes | None = None) -> Axes:
    """Learning curves: train and validation accuracy against training images, the gap between them shaded.

    `sizes`: for every way of training, its ends by the number of training images; bars reach over the seeds.
    """
    ax = new_axes(ax)
    for (way, by_size), tone in zip(sizes.items(), itertools.cycle(("-", ":", "--", "-."))):
        x = sorted(by_size)
        for column, name, style in _PAIR:
            values = [by_size[size][column] for size in x]
            means = np.array([each.mean() for each in values])
            reach = [
                [m - v.min() for m, v in zip(means, values)],
                [v.max() - m for m, v in zip(means, values)],
            ]
            ax.errorbar(x, means, reach, label=f"{name}, {way}", color=style["color"], marker=style["marker"],
                        linestyle=tone, linewidth=2, capsize=3)  # fmt: skip
        low, high = (
            [by_size[size][column].mean() for size in x]
            for column in ("validation_accuracy", "train_accuracy")
        )
        ax.fill_between(x, low, high, color="0.5", alpha=0.1, linewidth=0)
    ax.set_xscale("log")
    ticks = sorted({size for by_size in sizes.values() for size in by_size})
    ax.set_xticks(ticks, [str(each) for each in ticks])
    ax.minorticks_off()
    ax.set(ylim=SHARES, xlabel="training images a class", ylabel="accuracy")
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    legend_above(ax, columns=2)
    return ax


def plot_matrix(
    table: pd.DataFrame,
    ax: Axes | None = None,
    *,
    difference: bool = False,
    label: str = "validation accuracy",
) -> Axes:
    """A table of accuracies (fractions) as a heatmap; `difference`: of what was gained, in points.

    `label` says what the colours mean; rows and columns are named by the table's own names.
    """
    ax = new_axes(ax, width=8.4, height=5)
    if difference:
        scale, label = dict(cmap="vlag_r", center=0, fmt="+.0f"), "points gained"
        table = (100 * table).round() + 0.0  # which makes -0 a plain 0
    else:
        scale = dict(cmap="mako", vmin=0, vmax=1, fmt=".0%")
    unnamed = dict(xticklabels=False, yticklabels=False)
    sns.heatmap(table, ax=ax, annot=True, linewidths=0.5, annot_kws=dict(size=8), **unnamed, **scale)
    name_cells(ax, table)
    bar = ax.collections[0].colorbar
    assert bar is not None  # seaborn draws one
    bar.set_label(label)
    as_given([bar.ax.yaxis.label])
    if max(len(str(each)) for each in table.columns) > 8:
        for tick in ax.get_xticklabels():
            tick.set(rotation=35, ha="right", rotation_mode="anchor")
    return ax
