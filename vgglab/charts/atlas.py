"""The atlas of the study in one picture: what each brake changes in each condition."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from vgglab.charts.curves import new_axes
from vgglab.errors import unknown
from vgglab.studies import OUTCOMES, study_atlas

# How a cell is written, by its verdict: what helps or harms is bold, what nobody can tell is grey.
_MARKS = {"helps": "▲", "harms": "▼", "no gain of 2 points": "·", "cannot tell": "?"}
_BETTER = dict(test_accuracy=1, gap=-1, test_loss=-1, test_calibration_error=-1)
_IN_WORDS = dict(
    test_accuracy="test accuracy, points",
    gap="gap, points",
    test_loss="test loss, nats",
    test_calibration_error="calibration error, points",
)


def plot_atlas(
    outcome: str = OUTCOMES[0], columns: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """What each brake changes in each condition, as a heatmap: green is better than without a brake, purple is worse.

    `outcome`: one of `vgglab.studies.OUTCOMES`; numbers are means over the seeds, in points, or in nats for the loss.
    Of the accuracy every cell has its verdict: ▲ helps, ▼ harms, · no gain of 2 points, ? nobody can tell.
    `columns`: the conditions, all by default. A cell is empty where a brake was not run.
    """
    rows = study_atlas(outcome)
    for name in columns or ():
        if name not in set(rows["column"]):
            raise unknown("condition of the atlas", name, dict.fromkeys(rows["column"]))
    rows = rows[rows["column"].isin(columns)] if columns else rows
    unit = 1 if outcome == "test_loss" else 100
    means, words = _wide(rows, rows["mean"] * unit), _wide(rows, _written(rows, unit))
    ax = new_axes(ax, width=1.5 + 1.25 * len(means.columns), height=1.6 + 0.33 * len(means))
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
