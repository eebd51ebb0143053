"""The live chart in words: for people who hear it, and for those who point at an epoch."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from vgglab.charts.shown import Course, Memo, Visible
from vgglab.history import History

EXTRAS = {
    "logged_accuracy": "as Keras logs it",
    "source_accuracy": "source task",
    "memorised": "wrong labels memorised",
}
_PARTS = ("train", "validation")
Row = Mapping[str, Any]
Metric = Any  # a `vgglab.fit.Metric`, which a History gives: its name, and how a value is written


def sentences(history: History, runs: Sequence[Visible], memo: Memo) -> Iterator[str]:
    """What the chart shows: how the first run came out and how each of its curves runs, and the others' outcomes."""
    if not runs:
        yield f"{outcome(history)}."
        return
    first, metric = runs[0], history.metric
    several = len(runs) > 1
    yield _outcome(first, metric, named=several)
    if len(first.course) > 1:
        yield from _trend(first.course, "accuracy", metric.name or "accuracy", metric.written, "highest")
        yield from _trend(first.course, "loss", "loss", "{:.3g}".format, "lowest")
    for each in runs[1:]:
        yield memo.get(each.run, ("outcome", each.title, metric), partial(_outcome, each, metric, named=True))


def outcome(history: History) -> str:
    """How a run came out, without the full stop: its last epoch and, where another one's weights were kept, that."""
    last = history.summary().removesuffix(".")
    if not history.epochs or history.kept is history.epochs[-1]:
        return last
    kept = history.kept
    figures = ", ".join(_values(kept, history.metric))
    return f"{last}. The weights of epoch {kept['epoch']} are kept{f': {figures}' if figures else ''}"


def _outcome(run: Visible, metric: Metric, named: bool) -> str:
    course = run.course
    if course.seeds > 1:
        parts = ", ".join(_values({name: each.value for name, each in course.kept.items()}, metric))
        where = (
            "with the weights that each kept"
            if course.kept_epoch is None
            else f"in epoch {course.kept_epoch}"
        )
        said = f"mean of {course.seeds} seeds {where}: {parts}"
    else:
        (history,) = (each for each in run.run.histories if each.epochs)
        said = outcome(history)
    title = run.title or "this run"
    return f"{title}: {said}." if named else f"{said[0].upper()}{said[1:]}."


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
    epochs: Sequence[int],
    runs: Sequence[Visible],
    metric: Metric,
    extras: Sequence[str],
    most: int,
    memo: Memo,
) -> Iterator[list[str]]:
    """What stands in the box at each epoch, at most so many lines: each run's figures there, the first run's first.

    The loss is among them for at most two runs, where there is room for two lines each, and `extras`, further columns,
    for the first. A gap is in points.
    """
    has_loss = len(runs) <= 2 and 1 + 2 * len(runs) + bool(extras) <= most
    columns = []
    for run in runs:
        mine = tuple(extras) if run is runs[0] and has_loss else ()
        told = _Told(run, metric, len(runs) > 1, mine, has_loss, memo)
        key = ("column", *told.key, epochs[0], epochs[-1])
        columns.append(memo.get(run.run, key, partial(told.column, epochs)))
    for epoch, *row in zip(epochs, *columns):
        there = [lines for lines in row if lines]
        # Where not all have a line, the last one says how many are left out.
        fit = len(there) if has_loss or len(there) < most else max(1, most - 2)
        lines = [f"epoch {epoch}", *itertools.chain.from_iterable(there[:fit])]
        yield lines + ([f"and {len(there) - fit} more"] if len(there) > fit else [])


class _Told:
    """The lines of one run, each made once as long as its row is the same."""

    def __init__(
        self, run: Visible, metric: Metric, among: bool, extras: Sequence[str], has_loss: bool, memo: Memo
    ) -> None:
        self.tables = [each.epochs for each in run.run.histories if each.epochs]
        self.first, self.last = run.course.first, run.course.last
        self.metric, self.extras, self.has_loss = metric, extras, has_loss
        self.name = run.name if among else ""
        self.who = ", ".join(part for part in (self.name, f"mean of {len(self.tables)}") if part)
        if len(self.tables) == 1:
            self.who = self.name
        self.key = (self.name, self.who, metric, tuple(extras), has_loss)
        self.made: dict[int, tuple[list[Row], list[str]]] = memo.keep(run.run, self.key, dict)

    def column(self, epochs: Sequence[int]) -> list[list[str]]:
        """The lines of each epoch; none for one that is not there."""
        return [self._at(epoch) if self.first <= epoch <= self.last else [] for epoch in epochs]

    def _at(self, epoch: int) -> list[str]:
        rows = [row for row in (_row(table, epoch) for table in self.tables) if row is not None]
        made = self.made.get(epoch)
        if made is None or len(made[0]) != len(rows) or any(a is not b for a, b in zip(made[0], rows)):
            complete = len(rows) == len(self.tables)
            made = self.made[epoch] = rows, self._lines(_mean(rows)) if complete else []
        return made[1]

    def _lines(self, row: Row) -> list[str]:
        losses = [f"{part} {row[f'{part}_loss']:.3g}" for part in _PARTS if _is_there(row, f"{part}_loss")]
        further = [
            f"{EXTRAS[name]} {self.metric.written(row[name])}" for name in self.extras if _is_there(row, name)
        ]
        values = [each.removesuffix(" points") for each in _values(row, self.metric)]
        lines = [f"{self.who}: {', '.join(values)}".removeprefix(": ")] if values else []
        if self.has_loss and losses:
            lines.append(f"{self.name} loss: {', '.join(losses)}".lstrip())
        return lines + ([f"{self.name}: {', '.join(further)}".removeprefix(": ")] if further else [])


def _row(table: Sequence[Row], epoch: int) -> Row | None:
    place = epoch - int(table[0]["epoch"])  # as long as none is left out between
    if not (0 <= place < len(table) and table[place]["epoch"] == epoch):
        place = bisect_left(table, epoch, key=lambda row: row["epoch"])
    return table[place] if place < len(table) and table[place]["epoch"] == epoch else None


def _mean(rows: Sequence[Row]) -> Row:
    """The figures that all rows have, each as its mean."""
    if len(rows) == 1:
        return rows[0]
    names = [name for name in rows[0] if all(row.get(name) is not None for row in rows)]
    return {name: sum(row[name] for row in rows) / len(rows) for name in names}


def _values(row: Row, metric: Metric) -> list[str]:
    """The figures of the accuracy columns that are known, in words."""
    parts = [
        f"{part} {metric.written(row[f'{part}_accuracy'])}"
        for part in _PARTS
        if _is_there(row, f"{part}_accuracy")
    ]
    return parts + ([f"gap {metric.difference(row['gap'])}"] if _is_there(row, "gap") else [])


def _is_there(row: Row, name: str) -> bool:
    value = row.get(name)
    return value is not None and math.isfinite(value)
