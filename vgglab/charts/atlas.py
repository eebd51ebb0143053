"""The atlas of the study: what each brake changes, in every condition in one picture, or in one with its intervals."""

from __future__ import annotations

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from vgglab.charts.curves import new_axes
from vgglab.errors import InputError, unknown

# How a cell is written, by its verdict: what helps or harms is bold, what nobody can tell is grey.
_MARKS = {"helps": "▲", "harms": "▼", "no gain of 2 points": "·", "cannot tell": "?"}
_BETTER = dict(test_accuracy=1, gap=-1, test_loss=-1, test_calibration_error=-1)
_IN_WORDS = dict(
    test_accuracy="test accuracy, points",
    gap="gap, points",
    test_loss="test loss, nats",
    test_calibration_error="calibration error, points",
)


def plot_atlas(atlas: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """What each brake changes in each condition, as a heatmap: green is better than without a brake, purple is worse.

    `atlas`: what `study_atlas` returns, or some of its rows. Numbers are means over the seeds, in points, or in nats
    for the loss. Of the accuracy every cell has its verdict: ▲ helps, ▼ harms, · no gain of 2 points, ? nobody can
    tell. A cell is empty where a brake was not run.
    """
    rows, outcome = atlas, _outcome(atlas)
    unit = 1 if outcome == "test_loss" else 100
    means, words = _wide(rows, rows["mean"] * unit), _wide(rows, _written(rows, unit))
    ax = new_axes(ax, width=3 + 1.25 * len(means.columns), height=1.6 + 0.33 * len(means))
    sns.heatmap(
        means * _BETTER[outcome],
        annot=words.fillna(""),
        fmt="",
        ax=ax,
        cmap="PRGn",
        center=0,
        vmin=-15 * unit / 100,
        vmax=15 * unit / 100,
        linewidths=0.8,
        cbar=False,
        annot_kws=dict(size=9),
    )
    ax.set(xlabel="", ylabel="", title=f"change in {_IN_WORDS[outcome]}")
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.set_xticklabels([each.get_text().replace("_", "\n") for each in ax.get_xticklabels()], rotation=0)
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
    rows, outcome = atlas, _outcome(atlas)
    rows = rows[rows["column"] == column].iloc[::-1].reset_index(drop=True)
    unit = 1 if outcome == "test_loss" else 100
    ax = new_axes(ax, width=7, height=1.4 + 0.3 * len(rows))
    if unit != 1:
        ax.axvspan(-2, 2, color="0.93", zorder=0)
    ax.axvline(0, color="0.4", linewidth=1, zorder=1)
    for place, row in rows.iterrows():
        colour = _colour(row, _BETTER[outcome])
        ax.plot(
            [unit * row["low"], unit * row["high"]], [place, place], color=colour, linewidth=2.5, zorder=2
        )
        ax.plot(unit * row["mean"], place, "o", color=colour, markersize=7, zorder=3)
    settings = rows["setting"] if "setting" in rows else pd.Series("", rows.index)
    names = [f"{arm} {each}" if isinstance(each, str) else arm for arm, each in zip(rows["arm"], settings)]
    if "verdict" in rows:
        names = [f"{name}  {_MARKS[verdict]}" for name, verdict in zip(names, rows["verdict"])]
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel=f"change in {_IN_WORDS[outcome]}", ylim=(-0.6, len(rows) - 0.4))
    ax.grid(axis="y", visible=False)
    return ax


def _outcome(atlas: pd.DataFrame) -> str:
    """The one that its numbers are of."""
    found = atlas["outcome"].unique()
    if len(found) != 1 or found[0] not in _BETTER:
        raise InputError(
            f"`atlas` must be of one outcome of {', '.join(_BETTER)}. Received: {', '.join(found)}."
        )
    return str(found[0])


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


def _written(rows: pd.DataFrame, unit: int) -> pd.Series:
    marks = rows["verdict"].map(_MARKS) + " " if "verdict" in rows else ""
    form = "{:+.2f}" if unit == 1 else "{:+.1f}"
    return marks + (rows["mean"] * unit).map(form.format)
