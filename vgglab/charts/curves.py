"""Histories as charts: each function takes `ax=None`, draws, and returns the Axes.

Train is a solid blue line and validation a dashed orange one, in colours that people with any kind
of colour vision tell apart, at least 3:1 against white (WCAG 2.2, 1.4.11), and with the dash as a second cue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from vgglab.charts import colours
from vgglab.charts.baselines import baselines, grouped
from vgglab.charts.text import as_given, legend_above, named_as_given
from vgglab.errors import InputError
from vgglab.experiment import what_changed
from vgglab.history import DRIFT, History, Row

TRAIN: dict[str, Any] = dict(color=colours.TRAIN, linestyle="-", marker="o")
VALIDATION: dict[str, Any] = dict(color=colours.VALIDATION, linestyle=(0, (4, 2)), marker="s")
LOGGED: dict[str, Any] = dict(color="0.45", linestyle=":", marker=None)
MEMORISED: dict[str, Any] = dict(color=colours.MEMORISED, linestyle=(0, (4, 1.5, 1, 1.5, 1, 1.5)), marker="^")
# Cold to warm from the first block to the last, each with a dash and a marker of its own.
_BLOCKS: tuple[dict[str, Any], ...] = (
    dict(color="#12355b", linestyle="-", marker="o"),
    dict(color=colours.TRAIN, linestyle=(0, (5, 1)), marker="v"),
    dict(color="#a57485", linestyle=(0, (3, 1, 1, 1)), marker="D"),
    dict(color=colours.VALIDATION, linestyle=(0, (2, 1)), marker="^"),
    dict(color="#8b1a1a", linestyle=(0, (1, 1)), marker="X"),
)
SHARES = -0.03, 1.03  # of an axis from 0 to 100 %, with room for whole marks at its ends
_STYLE = {"axes.spines.top": False, "axes.spines.right": False, "grid.color": "0.92", "axes.edgecolor": "0.4"}


def detached_axes(width: float = 7.0, height: float = 4.2) -> Axes:
    """Axes on a figure that pyplot does not know: for drawing in a thread, into a file or a widget."""
    with sns.axes_style("whitegrid", _STYLE):
        figure = Figure(figsize=(width, height), layout="constrained", dpi=110)
        FigureCanvasAgg(figure)
        return named_as_given(figure.add_subplot())


def save_chart(ax: Axes, path: Path) -> None:
    """Write the figure of these Axes, as what the path's suffix names; the same chart is the same file."""
    figure = ax.get_figure(root=True)
    assert figure is not None  # Axes of a chart are never without one
    # An SVG would have the time in it, and names of its parts that are drawn anew each time.
    with plt.rc_context({"svg.hashsalt": "vgglab"}):
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def plot_accuracy(history: History, ax: Axes | None = None, *, logged: bool = False) -> Axes:
    """Clean train and validation accuracy by epoch, the gap between them shaded and its size written.

    `logged` adds the train accuracy that Keras logs, for comparison. Where training labels are wrong, a
    third line says how many of them are known by heart. Thin lines stand at chance and, where classes are unequal, at
    the accuracy of always giving the most frequent one.
    """
    ax = new_axes(ax)
    rows = history.frame()
    _pair(ax, rows, "accuracy")
    if rows["memorised"].notna().any():
        line(ax, rows["epoch"], rows["memorised"], "wrong labels memorised", MEMORISED)
    if logged and len(rows):
        line(ax, rows["epoch"], rows["logged_accuracy"], "train, as Keras logs it", LOGGED)
    ax.set(ylim=SHARES, ylabel="accuracy")
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    _epoch_axis(ax, history)
    _phase_marks(ax, history, at=0.08)
    _baselines(ax, history)
    if len(rows):
        _write_gap(ax, rows.iloc[-1])
        legend_above(ax)
    return ax


def plot_loss(history: History, ax: Axes | None = None, *, logged: bool = False) -> Axes:
    """Clean train and validation cross-entropy by epoch, on an axis that starts just below zero.

    `logged` adds the train loss that Keras logs, weight penalty included.
    """
    ax = new_axes(ax)
    rows = history.frame()
    _pair(ax, rows, "loss")
    if logged and len(rows):
        line(ax, rows["epoch"], rows["logged_loss"], "train, as Keras logs it", LOGGED)
    ax.set_ylim(bottom=SHARES[0] * ax.get_ylim()[1])
    ax.set_ylabel("cross-entropy")
    _epoch_axis(ax, history)
    _phase_marks(ax, history, at=0.94)
    if len(rows):
        legend_above(ax)
    return ax


def plot_drift(history: History, ax: Axes | None = None) -> Axes:
    """How far each block's features have drifted by epoch, and the accuracy left on the source task.

    Drift is 1 - linear CKA, of which features with nothing in common have less than 1 where images are few: see
    `vgglab.measures.forgetting.drift`. The accuracy is there for runs from the embedded weights only.
    """
    ax = new_axes(ax)
    rows = history.frame()
    for name, style in zip(DRIFT, _BLOCKS):
        line(ax, rows["epoch"], rows[name], f"drift of {name.removeprefix('drift_')}", style)
    if rows["source_accuracy"].notna().any():
        style = dict(color="0.25", linestyle=(0, (4, 2)), marker="s")
        line(ax, rows["epoch"], rows["source_accuracy"], "accuracy on the source task", style)
    ax.set(ylim=SHARES, ylabel="drift, accuracy")
    _epoch_axis(ax, history)
    if len(rows):
        legend_above(ax, columns=3)
    return ax


def plot_forgetting(histories: Sequence[History], ax: Axes | None = None) -> Axes:
    """What each unfreeze depth and learning rate leave of the source task, as a heatmap.

    Runs from the embedded weights show their last accuracy on it, all others the last drift of
    block 5. Runs that share depth and rate (other seeds) are averaged; those of their last phase count.
    `InputError` when no run measured it.
    """
    settings = [_depth_and_rate(history) for history in histories]  # first: a fit of one's own has none
    known = all(history.kept.get("source_accuracy") is not None for history in histories)
    column, label = (
        ("source_accuracy", "accuracy on the source task") if known else (DRIFT[4], "drift of block 5")
    )
    ax = new_axes(ax)
    runs = pd.DataFrame(
        [(*setting, history.kept.get(column)) for setting, history in zip(settings, histories)],
        columns=["unfreeze depth", "learning rate", label],
    ).astype({label: float})
    if runs[label].isna().all():
        raise InputError(f"None of these runs measured the {label}. Received: {len(runs)} runs.")
    grid = runs.pivot_table(label, "unfreeze depth", "learning rate").sort_index(ascending=False)
    colours = "mako" if known else "mako_r"
    sns.heatmap(
        grid,
        ax=ax,
        vmin=0,
        vmax=1,
        cmap=colours,
        annot=True,
        fmt=".0%" if known else ".2f",
        cbar_kws=dict(label=label),
    )
    ax.set_xticklabels([f"{rate:g}" for rate in grid.columns])
    return ax


def _depth_and_rate(history: History) -> tuple[int, float]:
    last = history.experiment.phases[-1] if history.experiment.phases else history.experiment
    return last.unfreeze, last.learning_rate


def plot_images(
    images: np.ndarray, labels: Sequence[str] = (), columns: int = 8, ax: Axes | None = None
) -> Axes:
    """A grid of images in rows of `columns`, from left to right, with a label above each where given.

    `images`: (n, height, width, 3), 0-255. `InputError` when there are labels, but not one for each.
    """
    images = np.asarray(images)
    count, height, width = images.shape[:3]
    if len(labels) not in (0, count):
        raise InputError(f"`labels` must be one for each of the {count} images. Received: {len(labels)}.")
    rows = -(-count // columns)
    space = 0.24 if len(labels) else 0.06  # between the images, as a fraction of their height
    ax = (
        plt.subplots(figsize=(columns * 1.15, rows * 1.15 * (1 + space)), layout="constrained")[1]
        if ax is None
        else ax
    )
    for place, image in enumerate(images):
        row, column = divmod(place, columns)
        left, top = column * 1.06, row * (1 + space)
        ax.imshow(image.astype(np.uint8), extent=(left, left + 1, top + 1, top), interpolation="lanczos")
        if len(labels):
            as_given([ax.text(left + 0.5, top - 0.04, labels[place], ha="center", va="bottom", fontsize=8)])
    ax.set(xlim=(-0.02, columns * 1.06), ylim=(rows * (1 + space), -space), aspect=height / width)
    ax.axis("off")
    return ax


def new_axes(ax: Axes | None, width: float = 7.0, height: float = 4.2) -> Axes:
    """The Axes given, or those of a new figure of pyplot."""
    if ax is not None:
        return ax
    with sns.axes_style("whitegrid", _STYLE):
        return named_as_given(plt.subplots(figsize=(width, height), layout="constrained")[1])


def line(ax: Axes, x: pd.Series, y: pd.Series, label: str, style: Mapping[str, Any]) -> None:
    """A line in the style of train or validation."""
    # A marker for each epoch while they can still be told apart.
    marker = style["marker"] if len(x) <= 40 else None
    ax.plot(x, y, label=label, linewidth=2, markersize=4, **{**style, "marker": marker})


def _pair(ax: Axes, rows: pd.DataFrame, what: str) -> None:
    if rows.empty:
        return
    train, validation = rows[f"train_{what}"], rows[f"validation_{what}"]
    line(ax, rows["epoch"], train, "train", TRAIN)
    line(ax, rows["epoch"], validation, "validation", VALIDATION)
    ax.fill_between(rows["epoch"], train, validation, color="0.5", alpha=0.15, linewidth=0, label="gap")


def _write_gap(ax: Axes, row: Row) -> None:
    train, validation = row["train_accuracy"], row["validation_accuracy"]
    ax.annotate(
        "",
        (row["epoch"], train),
        xytext=(row["epoch"], validation),
        arrowprops=dict(arrowstyle="<->", color="0.3", shrinkA=0, shrinkB=0),
    )
    ax.annotate(
        f"gap {100 * row['gap']:.1f} points",
        (row["epoch"], (train + validation) / 2),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        annotation_clip=False,
        weight="bold",
        color="0.25",
    )


def _baselines(ax: Axes, history: History) -> None:
    lines = baselines([history])
    for each in lines:
        ax.axhline(each.accuracy, color="0.55", linewidth=0.8, linestyle=(0, (1, 2)), zorder=1)
    for at, words in grouped(lines, least=0.05):
        ax.annotate(
            words,
            (1, at),
            xycoords=ax.get_yaxis_transform(),
            xytext=(0, 2),
            textcoords="offset points",
            ha="right",
            fontsize=8,
            color="0.4",
        )


def _epoch_axis(ax: Axes, history: History) -> None:
    planned = history.experiment.planned_epochs
    # Room on the right for the gap's size, from the first epoch on, so that nothing jumps.
    ax.set_xlim(0.5, max(planned, len(history.epochs)) * 1.16 + 1)
    ticks = MaxNLocator(integer=True, nbins=8).tick_values(1, planned)
    ax.set_xticks([tick for tick in ticks if 1 <= tick <= planned])
    ax.set_xlabel("epoch")
    ax.grid(True, color="0.92")  # clearing Axes to draw on them again takes the style's grid away


def _phase_marks(ax: Axes, history: History, at: float) -> None:
    phases = history.experiment.phases
    firsts = {row["phase"]: row["epoch"] for row in reversed(history.epochs)}
    for number in sorted(firsts.keys() - {1}):
        first = firsts[number]
        ax.axvline(first - 0.5, color="0.5", linewidth=1)
        ax.text(
            first - 0.4,
            at,
            "\n".join(what_changed(phases[number - 2], phases[number - 1])),
            transform=ax.get_xaxis_transform(),
            va="center",
            fontsize=8,
            color="0.35",
        )
