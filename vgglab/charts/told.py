"""The live chart in words: for people who hear it, and for those who point at an epoch."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from vgglab.charts.shown import Course, Memo, Shown, Visible
from vgglab.history import History

EXTRAS = {
    "logged_accuracy": "as Keras logs it",
    "source_accuracy": "source task",
    "memorised": "wrong labels known by heart",
}
_PARTS = ("train", "validation")
Metric = Any  # a `vgglab.fit.Metric`, which a History gives: its name, and how a value is written


def sentences(history: History, runs: Sequence[Visible], memo: Memo) -> Iterator[str]:
    """What the chart shows: how the first run came out and how each of its curves runs, and the others' outcomes."""
    if not runs:
        yield f"{history.summary()}."
        return
    first, metric = runs[0], history.metric
    several = len(runs) > 1
    yield _outcome(first, metric, named=several)
    if len(first.course) > 1:
        yield from _trend(first.course, "accuracy", metric.name or "accuracy", metric.written, "highest")
        yield from _trend(first.course, "loss", "loss", "{:.3g}".format, "lowest")
    for each in runs[1:]:
        yield memo.get(each.run, ("outcome", each.title, metric), partial(_outcome, each, metric, named=True))


def _outcome(run: Visible, metric: Metric, named: bool) -> str:
    if run.course.seeds > 1:
        row = {name: values[-1] for name, values in run.course.means.items()}
        parts = ", ".join(_values(row, metric))
        outcome = f"mean of {run.course.seeds} seeds in epoch {run.course.last}: {parts}"
    else:
        (history,) = (each for each in run.run.histories if each.epochs)
        outcome = history.summary().removesuffix(".")
    title = run.title or "this run"
    return f"{title}: {outcome}." if named else f"{outcome[0].upper()}{outcome[1:]}."


def _trend(course: Course, what: str, name: str, written: Any, best: str) -> Iterator[str]:
    """A sentence for train and one for validation: from where to where, and the best of validation between them."""
    for part in _PARTS:
        values = course.means[f"{part}_{what}"]
        known = np.flatnonzero(np.isfinite(values))
        if len(known) < 2:
            continue
        epochs = course.means["epoch"].astype(int)
        first, last = known[0], known[-1]
        sentence = (
            f"{part} {name} from {written(values[first])} in epoch {epochs[first]} "
            f"to {written(values[last])} in epoch {epochs[last]}"
        )
        if part == "validation":
            peak = known[(np.argmax if best == "highest" else np.argmin)(values[known])]
            sentence += f", {best} {written(values[peak])} in epoch {epochs[peak]}"
        yield f"{sentence[0].upper()}{sentence[1:]}."


def lines_at(
    epoch: int, runs: Sequence[Visible], metric: Metric, extras: Sequence[str], most: int, memo: Memo
) -> list[str]:
    """What stands in the box at an epoch, at most so many lines: each run's figures there, the first run's first.

    The loss is among them where there is room for two lines a run, and `extras`, further columns, for the first.
    """
    there = [run for run in runs if run.course.first <= epoch <= run.course.last]
    has_loss = 1 + 2 * len(runs) + bool(extras) <= most
    lines = [f"epoch {epoch}"]
    fits = most - 1 if len(there) < most else most - 2  # the last line says how many are left out
    for run in there if has_loss else there[: max(1, fits)]:
        named = run.name if len(runs) > 1 or run.course.seeds > 1 else ""
        mine = tuple(extras) if run is runs[0] and has_loss else ()
        made = memo.get(run.run, ("lines", named, metric, mine, has_loss), dict[int, list[str]])
        if epoch not in made:
            made[epoch] = _lines(_row(run.run, epoch), metric, run, named, mine, has_loss)
        lines += made[epoch]
    if not has_loss and len(there) > max(1, fits):
        lines.append(f"and {len(there) - max(1, fits)} more")
    return lines


def _row(run: Shown, epoch: int) -> Mapping[str, float]:
    """The figures of an epoch, those of several seeds as their mean; {} where the epoch is not there."""
    rows = []
    for history in run.histories:
        if not history.epochs:
            continue
        place = bisect_left(history.epochs, epoch, key=lambda row: row["epoch"])
        if place == len(history.epochs) or history.epochs[place]["epoch"] != epoch:
            return {}
        rows.append(history.epochs[place])
    if len(rows) == 1:
        return {name: value for name, value in rows[0].items() if value is not None}
    names = [name for name in rows[0] if all(row.get(name) is not None for row in rows)]
    return {name: sum(row[name] for row in rows) / len(rows) for name in names}


def _lines(
    row: Mapping[str, float], metric: Metric, run: Visible, named: str, extras: Sequence[str], has_loss: bool
) -> list[str]:
    parts = _values(row, metric)
    if not parts:
        return []
    who = f"{named}, mean of {run.course.seeds}" if run.course.seeds > 1 else named
    lines = [f"{who}: {', '.join(parts)}".removeprefix(": ")]
    losses = [f"{part} {row[f'{part}_loss']:.3g}" for part in _PARTS if _is_there(row, f"{part}_loss")]
    if has_loss and losses:
        lines.append(f"{named} loss: {', '.join(losses)}".lstrip())
    further = [f"{EXTRAS[name]} {metric.written(row[name])}" for name in extras if _is_there(row, name)]
    return lines + ([f"{named}: {', '.join(further)}".removeprefix(": ")] if further else [])


def _values(row: Mapping[str, float], metric: Metric) -> list[str]:
    """The figures of the accuracy columns that are known, in words."""
    parts = [
        f"{part} {metric.written(row[f'{part}_accuracy'])}"
        for part in _PARTS
        if _is_there(row, f"{part}_accuracy")
    ]
    return parts + ([f"gap {metric.difference(row['gap'])}"] if _is_there(row, "gap") else [])


def _is_there(row: Mapping[str, float], name: str) -> bool:
    return math.isfinite(row.get(name, math.nan))
