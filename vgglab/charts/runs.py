"""Several runs in one chart: their whole curves, or what they ended with."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from vgglab.charts import colours
from vgglab.charts.colours import Look, looks
from vgglab.charts.curves import SHARES, TRAIN, VALIDATION, new_axes
from vgglab.charts.shown import Course, course_of
from vgglab.charts.text import as_given, legend_above
from vgglab.charts.told import Metric
from vgglab.errors import InputError
from vgglab.history import History

MOST = len(colours.RUNS)  # runs whose curves are told apart
SHADED = 2  # runs whose gaps can be shaded without a muddle
_THICK, _THIN = 2.4, 1.1
_NAME = 24  # letters of a name in a line
_LINE, _SPACE = 11.5, 5  # points: of a line of a label, and between two labels


def plot_runs(histories: Mapping[str, History | Sequence[History]], ax: Axes | None = None) -> Axes:
    """The accuracy curves of up to six runs: validation thick, train thin, each with its name at its end.

    `histories` maps the runs' names to their histories. The figures beside a name, and the dots, belong to the epoch
    whose weights were kept. The gap of one or two runs is shaded. Several histories under a name (seeds) are drawn as
    their mean, with a band from the lowest to the highest validation accuracy, as far as all of them go; their figures
    are the means of what each kept, with dots where all kept the same epoch. `InputError` for more than six runs, which
    `plot_gaps` draws, and for a run that finished no epoch.
    """
    runs = {name: [run] if isinstance(run, History) else list(run) for name, run in histories.items()}
    _check(runs)
    courses = [course_of(seeds) for seeds in runs.values()]
    ax = new_axes(ax)
    places = looks([""] * len(runs))
    for seeds, course, look in zip(runs.values(), courses, places):
        _draw(ax, seeds, course, look, shaded=len(runs) <= SHADED and len(seeds) == 1)
    every = [history for seeds in runs.values() for history in seeds]
    longest = max((history.epochs[-1]["epoch"] for history in every), default=1)
    ax.set(xlim=(0.5, longest + 0.5), xlabel="epoch", ylabel=_measured(every))
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    if all(history.metric.is_share for history in every):
        ax.set_ylim(SHARES)
        ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.grid(True, color="0.92")
    names = [
        f"{textwrap.fill(name, _NAME)}\n{_figures(course, seeds[0].metric)}".rstrip()
        for (name, seeds), course in zip(runs.items(), courses)
    ]
    _label(ax, names, list(runs.values()), places)
    if every:
        _legend(ax, has_band=any(len(seeds) > 1 for seeds in runs.values()))
    return ax


def _check(runs: Mapping[str, Sequence[History]]) -> None:
    if len(runs) > MOST:
        raise InputError(
            f"`plot_runs` draws at most {MOST} runs, whose curves can be told apart. Received: {len(runs)}. "
            "`plot_gaps` draws what any number of runs ended with."
        )
    for name, seeds in runs.items():
        if not seeds:
            raise InputError(f"The run {name!r} must be a History, or several. Received: none.")
        for history in seeds:
            _ = history.kept  # which a run without an epoch has not


def _measured(histories: Sequence[History]) -> str:
    """What the vertical axis holds."""
    return next((history.metric.name for history in histories if history.metric.name), "accuracy")


def _draw(ax: Axes, seeds: Sequence[History], course: Course, look: Look, *, shaded: bool) -> None:
    style: dict[str, Any] = dict(color=look.colour, linestyle=_dashes(look))
    if shaded:
        both = _by_epoch(seeds, "train_accuracy").join(
            _by_epoch(seeds, "validation_accuracy"), lsuffix="_train", how="inner"
        )
        ax.fill_between(
            both.index, both["mean_train"], both["mean"], color=look.colour, alpha=0.13, linewidth=0
        )
    for column, width in (("train_accuracy", _THIN), ("validation_accuracy", _THICK)):
        rows = _by_epoch(seeds, column)
        ax.plot(rows.index, rows["mean"], linewidth=width, **style)
        figure = course.kept.get(column)
        if figure and figure.epoch is not None:
            dot: dict[str, Any] = dict(marker="o", markersize=2.8 * width, color=look.colour)
            ax.plot(figure.epoch, figure.value, linestyle="", clip_on=False, **dot)
    if len(seeds) > 1:
        ax.fill_between(rows.index, rows["min"], rows["max"], color=look.colour, alpha=0.18, linewidth=0)


def _by_epoch(seeds: Sequence[History], column: str) -> pd.DataFrame:
    """Mean, lowest and highest of all histories, for the epochs that each of them has measured."""
    rows = pd.concat([history.frame()[["epoch", column]] for history in seeds]).dropna()
    table = rows.groupby("epoch")[column].agg(["mean", "min", "max", "count"])
    return table[table["count"] == len(seeds)]


def _dashes(look: Look) -> str | tuple[int, tuple[float, ...]]:
    """As the live chart has them, whose dashes are in pixels; Matplotlib's are in widths of the line."""
    return (0, tuple(int(each) / 2.2 for each in look.dash.split())) if look.dash else "-"


def _label(ax: Axes, names: Sequence[str], runs: Sequence[Sequence[History]], places: Sequence[Look]) -> None:
    """Names and figures in a column at the right, each with a dotted line to the end of its curve."""
    ends = [_by_epoch(seeds, "validation_accuracy")["mean"].iloc[-1:] for seeds in runs]
    wanted = [float(end.iloc[0]) if len(end) else 0.0 for end in ends]
    for name, look, end, y in zip(names, places, ends, _apart(ax, wanted, names)):
        label = ax.annotate(
            name,
            (end.index[0], end.iloc[0]) if len(end) else (1, y),
            xytext=(1.03, y),
            textcoords=("axes fraction", "data"),
            arrowprops=dict(
                arrowstyle="-", color=look.colour, linestyle=":", shrinkA=0, shrinkB=4, relpos=(0, 0.5)
            ),
            va="center",
            fontsize=9,
            color="0.2",
            annotation_clip=False,
        )
        as_given([label])


def _figures(course: Course, metric: Metric) -> str:
    """What a run kept: validation and gap, and of which epoch where that is not the last; "" without validation."""
    kept = course.kept
    if "validation_accuracy" not in kept:
        return ""
    parts = [metric.written(kept["validation_accuracy"].value)]
    parts += [f"gap {metric.difference(kept['gap'].value)}"] if "gap" in kept else []
    parts += [course.when("validation_accuracy")] if course.when("validation_accuracy") else []
    return (f"mean of {course.seeds}: " if course.seeds > 1 else "") + ", ".join(parts)


def _apart(ax: Axes, wanted: Sequence[float], names: Sequence[str]) -> list[float]:
    """Where labels stand that want to be at these values: as near as they can without touching."""
    low, high = ax.get_ylim()
    points = ax.get_window_extent().height * 72 / ax.figure.dpi
    rooms = [(name.count("\n") + 1) * _LINE + _SPACE for name in names]
    point = (high - low) / max(points, sum(rooms))  # closer together only where the chart is too low for all
    rooms = [room * point for room in rooms]
    rising, falling = _stacked(wanted, rooms, low), _hung(wanted, rooms, high)
    between = [(up + down) / 2 for up, down in zip(rising, falling)]
    return _stacked(_hung(between, rooms, high), rooms, low)


def _stacked(wanted: Sequence[float], rooms: Sequence[float], edge: float) -> list[float]:
    """The middles of rooms above an edge, each moved up from where it is wanted as far as those below it ask for."""
    found: dict[int, float] = {}
    for place in sorted(range(len(wanted)), key=lambda place: wanted[place]):
        found[place] = max(wanted[place], edge + rooms[place] / 2)
        edge = found[place] + rooms[place] / 2
    return [found[place] for place in range(len(wanted))]


def _hung(wanted: Sequence[float], rooms: Sequence[float], edge: float) -> list[float]:
    """The same below an edge, moved down."""
    return [-y for y in _stacked([-y for y in wanted], rooms, -edge)]


def _legend(ax: Axes, *, has_band: bool) -> None:
    grey: dict[str, Any] = dict(color="0.35")
    ax.plot([], [], label="validation", linewidth=_THICK, **grey)
    ax.plot([], [], label="train", linewidth=_THIN, **grey)
    ax.plot([], [], "o", label="epoch kept", markersize=6, **grey)
    if has_band:
        ax.fill_between([], [], [], label="lowest to highest", alpha=0.3, linewidth=0, **grey)
    legend_above(ax)


def plot_gaps(histories: Mapping[str, History], ax: Axes | None = None) -> Axes:
    """What any number of runs ended with: train and validation accuracy, and a bar for the gap between them.

    `histories` maps the runs' names to their histories; the epoch whose weights were kept counts.
    """
    ax = new_axes(ax)
    for place, history in enumerate(histories.values()):
        row = history.kept
        train, validation = row["train_accuracy"], row["validation_accuracy"]
        ax.plot(
            [validation, train], [place, place], color="0.85", linewidth=9, solid_capstyle="butt", zorder=1
        )
        for value, style, label in ((train, TRAIN, "train"), (validation, VALIDATION, "validation")):
            ax.plot(
                value,
                place,
                style["marker"],
                color=style["color"],
                markersize=9,
                zorder=2,
                clip_on=False,  # a mark at 100 % is whole
                label=label if place == 0 else None,
            )
        ax.annotate(
            f"gap {100 * row['gap']:.1f} points",
            (max(train, validation), place),
            xytext=(10, 0),
            textcoords="offset points",
            va="center",
            annotation_clip=False,
        )
    ax.set_yticks(range(len(histories)), list(histories))
    as_given(ax.get_yticklabels())
    ax.set(xlim=SHARES, ylim=(len(histories) - 0.5, -0.5), xlabel="accuracy")
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.grid(axis="y", visible=False)
    if histories:
        legend_above(ax)
    return ax
