"""The atlas of the study: what each brake changes, in every condition in one picture, or in one with its intervals."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from vgglab.charts.curves import SHARES, VALIDATION, new_axes
from vgglab.charts.text import as_given, legend_above, name_cells
from vgglab.errors import InputError, unknown

_MARKS = {"helps": "▲", "harms": "▼", "no gain of 2 points": "·", "cannot tell": "?"}


class _Outcome(NamedTuple):
    """How an outcome is drawn: in which words and unit, how many of it are one, and whether more (1) or less (-1) is
    better."""

    words: str
    better: int
    times: int = 100
    form: str = "{:+.1f}"


_OUTCOMES = dict(
    test_accuracy=_Outcome("test accuracy, points", 1),
    gap=_Outcome("gap, points", -1),
    test_loss=_Outcome("test loss, nats", -1, 1, "{:+.2f}"),
    test_calibration_error=_Outcome("calibration error, points", -1),
)


def plot_atlas(atlas: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """What each brake changes in each condition, as a heatmap: green is better than without a brake, purple is worse.

    `atlas`: what `study_atlas` returns, or some of its rows. Numbers are means over the seeds, in points, or in nats
    for the loss. Of the accuracy every cell has its verdict: ▲ helps, ▼ harms, · no gain of 2 points, ? nobody can
    tell. A cell is empty where a brake was not run.
    """
    outcome = _outcome(atlas)
    means, words = _wide(atlas, atlas["mean"]), _wide(atlas, _written(atlas, outcome))
    ax = new_axes(ax, width=3 + 1.25 * len(means.columns), height=1.6 + 0.33 * len(means))
    sns.heatmap(
        means * outcome.better,
        annot=words.fillna(""),
        fmt="",
        ax=ax,
        cmap="PRGn",
        center=0,
        vmin=-0.15,  # as shares, or in nats
        vmax=0.15,
        linewidths=0.8,
        cbar=False,
        annot_kws=dict(size=9),
        xticklabels=False,
        yticklabels=False,
    )
    ax.set_title(f"change in {outcome.words}")
    ax.xaxis.tick_top()
    in_lines = [each.replace("_", "\n", 1).replace("_", " ") for each in means.columns]
    name_cells(ax, means.set_axis(in_lines, axis="columns"))
    ax.tick_params(length=0)
    ax.grid(visible=False)
    return ax


def plot_brakes(atlas: pd.DataFrame, column: str, ax: Axes | None = None) -> Axes:
    """What each brake changes in one condition of the atlas: the mean over the seeds and its 95 % interval.

    `atlas`: what `study_atlas` returns. Colours and marks are those of `plot_atlas`. The grey band is what is too small
    to matter, two points to either side; of the loss there is none. The setting that was chosen for a brake stands
    behind its name. `InputError` for a condition that the atlas does not have.
    """
    if column not in set(atlas["column"]):
        raise unknown("condition of the atlas", column, dict.fromkeys(atlas["column"]))
    outcome = _outcome(atlas)
    rows = atlas[atlas["column"] == column].iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, width=7, height=1.4 + 0.3 * len(rows))
    if outcome.times == 100:
        ax.axvspan(-2, 2, color="0.93", zorder=0)
    ax.axvline(0, color="0.4", linewidth=1, zorder=1)
    for place, row in rows.iterrows():
        colour = _colour(row, outcome.better)
        low, mean, high = (outcome.times * row[name] for name in ("low", "mean", "high"))
        ax.plot([low, high], [place, place], color=colour, linewidth=2.5, zorder=2)
        ax.plot(mean, place, "o", color=colour, markersize=7, zorder=3)
    settings = rows["setting"] if "setting" in rows else pd.Series("", rows.index)
    names = [f"{arm} {each}" if isinstance(each, str) else arm for arm, each in zip(rows["arm"], settings)]
    if "verdict" in rows:
        names = [f"{name}  {_MARKS[verdict]}" for name, verdict in zip(names, rows["verdict"])]
    ax.set_yticks(range(len(names)), names)
    as_given(ax.get_yticklabels())
    ax.set(xlabel=f"change in {outcome.words}", ylim=(-0.6, len(rows) - 0.4))
    ax.grid(axis="y", visible=False)
    return ax


def plot_cell(curves: pd.DataFrame, arm: str, ax: Axes | None = None) -> Axes:
    """The runs behind a cell of the atlas: train and validation accuracy of every seed, plain and with a brake.

    `curves`: what `study_curves` returns for the condition. `InputError` for a brake that it does not have.
    """
    if arm not in set(curves["arm"]):
        raise unknown("brake", arm, dict.fromkeys(curves["arm"]))
    ax = new_axes(ax)
    for name, colour in (("plain", "0.45"), (arm, VALIDATION["color"])):
        runs = curves[curves["arm"] == name]
        for column, dash in (("train_accuracy", ":"), ("validation_accuracy", "-")):
            label = f"{column.partition('_')[0]}, {name}"
            for _, run in runs.groupby("seed"):
                ax.plot(run["epoch"], run[column], dash, color=colour, linewidth=1, alpha=0.75, label=label)
                label = ""
    ax.set(ylim=SHARES, xlabel="epoch", ylabel="accuracy")
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    legend_above(ax, columns=2)
    return ax


def _outcome(atlas: pd.DataFrame) -> _Outcome:
    """The one that its numbers are of."""
    found = atlas["outcome"].unique()
    if len(found) != 1 or found[0] not in _OUTCOMES:
        raise InputError(
            f"`atlas` must be of one outcome of {', '.join(_OUTCOMES)}. Received: {', '.join(found)}."
        )
    return _OUTCOMES[found[0]]


def _colour(row: pd.Series, better: int) -> str:
    """Green where the whole interval is better than plain, purple where it is worse, grey between."""
    low, high = sorted((better * row["low"], better * row["high"]))
    return "#1b7837" if low > 0 else "#762a83" if high < 0 else "0.45"


def _wide(rows: pd.DataFrame, values: pd.Series) -> pd.DataFrame:
    """A row an arm, a column a condition, both in the order of the table; arms that most conditions have come first."""
    table = rows.assign(value=values).pivot(index="arm", columns="column", values="value")
    arms = list(dict.fromkeys(rows["arm"]))
    arms.sort(key=lambda arm: -int(table.loc[arm].notna().sum() > 1))
    return table.loc[arms, list(dict.fromkeys(rows["column"]))].rename_axis(index=None, columns=None)


def _written(rows: pd.DataFrame, outcome: _Outcome) -> pd.Series:
    marks = rows["verdict"].map(_MARKS) + " " if "verdict" in rows else ""
    return marks + (rows["mean"] * outcome.times).map(outcome.form.format)
