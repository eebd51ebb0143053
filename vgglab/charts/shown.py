"""The runs that a live chart shows, as numbers to draw: one each, or several seeds as their mean and their range."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np

from vgglab.charts.colours import Look, looks
from vgglab.charts.scale import Epochs, Scale
from vgglab.errors import InputError, shown
from vgglab.history import History

POINTS = 240  # of a line; more are not told apart at this width
_RANGED = ("train_accuracy", "validation_accuracy", "train_loss", "validation_loss")
_COLUMNS = ("epoch", *_RANGED, "gap", "logged_accuracy", "source_accuracy", "memorised")
Numbers = dict[str, np.ndarray]
Some = TypeVar("Some")


@dataclass(frozen=True, eq=False)
class Shown:
    """A run on a chart or, where there are several histories, one experiment with several seeds.

    `letter` is a capital one, A to Z, or ""; the run is called and coloured by it. `InputError` for another, and
    without a history.
    """

    histories: tuple[History, ...]
    letter: str = ""

    def __post_init__(self) -> None:
        if not self.histories:
            raise InputError("`histories` must have at least one History. Received: none.")
        if self.letter and not (len(self.letter) == 1 and "A" <= self.letter <= "Z"):
            raise InputError(f"`letter` must be one of A to Z, or ''. Received: {shown(self.letter)}.")

    def has(self, history: History) -> bool:
        """Whether it shows this very history."""
        return any(each is history for each in self.histories)


class Figure(NamedTuple):
    """What a column came to, and in which epoch; None where several seeds have it from different ones."""

    value: float
    epoch: int | None


@dataclass(frozen=True, eq=False)
class Course:
    """How a run went, by epoch: at most `POINTS` of them, the first and the last among them.

    `means` has a column for each curve, NaN where nothing was measured. `lows` and `highs` are those of the seeds,
    empty for one run. Of several runs the epochs are those that all of them finished. `kept` are the figures of the
    weights that the run ended with, of several seeds the means over all of them; where that epoch was not measured,
    those before it. `kept_epoch` is None where seeds kept different ones.
    """

    means: Numbers
    lows: Numbers
    highs: Numbers
    seeds: int
    kept: Mapping[str, Figure]
    kept_epoch: int | None

    def __len__(self) -> int:
        return len(self.means["epoch"])

    def knows(self, name: str) -> bool:
        """Whether a column has a number for the last epoch."""
        return len(self) > 0 and not np.isnan(self.means[name][-1])

    @property
    def first(self) -> int:
        return int(self.means["epoch"][0])

    @property
    def last(self) -> int:
        return int(self.means["epoch"][-1])

    @property
    def went_back(self) -> bool:
        """Whether the weights that were kept are known to be those of an epoch before the last."""
        return self.kept_epoch not in (None, self.last)

    def dot(self, name: str, epochs: Epochs, scale: Scale) -> tuple[float, float] | None:
        """Where on these axes a figure lies, in pixels; None where it is of no epoch or of several."""
        figure = self.kept.get(name)
        if figure is None or figure.epoch is None:
            return None
        return epochs.x(figure.epoch), scale.y(figure.value)

    def when(self, name: str) -> str:
        """The epoch of a figure in words; "" where it is the last, or where there is not one."""
        epoch = self.kept[name].epoch
        return "" if epoch in (None, self.last) else f"epoch {epoch}"


def thinned(items: Sequence[Some]) -> list[Some]:
    """At most `POINTS` of them, evenly spaced, the first and the last among them."""
    step = max(1, -(-(len(items) - 1) // (POINTS - 1)))
    return [*items[:-1:step], *items[-1:]]


def course_of(histories: Sequence[History]) -> Course:
    """What is drawn of one run or of several seeds; those without an epoch are left out."""
    tables = [each.epochs[:] for each in histories if each.epochs]
    if len(tables) > 1:
        by_epoch = [{row["epoch"]: row for row in rows} for rows in tables]
        common = thinned(sorted(set(by_epoch[0]).intersection(*by_epoch[1:])))
        tables = [[rows[epoch] for epoch in common] for rows in by_epoch]
    else:
        tables = [thinned(rows) for rows in tables] or [[]]
    stacked = {
        name: np.array([[row.get(name) for row in rows] for rows in tables], dtype=float) for name in _COLUMNS
    }
    several = _RANGED if len(tables) > 1 else ()
    means = {name: values.mean(axis=0) for name, values in stacked.items()}
    kept = [each.kept for each in histories if each.epochs]
    epochs = {int(row["epoch"]) for row in kept}
    return Course(
        means,
        {name: stacked[name].min(axis=0) for name in several},
        {name: stacked[name].max(axis=0) for name in several},
        len(tables),
        dict(_figures(kept, means)),
        min(epochs) if len(epochs) == 1 else None,
    )


def _figures(kept: Sequence[Mapping[str, Any]], means: Numbers) -> Iterator[tuple[str, Figure]]:
    """Each column of the rows that were kept, as their mean; where one has none, the last that is drawn until then."""
    epochs = {int(row["epoch"]) for row in kept}
    for name in _COLUMNS[1:] if kept else ():
        value = np.array([row.get(name) for row in kept], dtype=float).mean()
        if not np.isnan(value):
            yield name, Figure(float(value), min(epochs) if len(epochs) == 1 else None)
            continue
        known = np.flatnonzero(~np.isnan(means[name]) & (means["epoch"] <= min(epochs)))
        if len(known):
            yield name, Figure(float(means[name][known[-1]]), int(means["epoch"][known[-1]]))


class Memo:
    """What was made for the latest drawing and holds for the next, as long as the histories have not grown."""

    def __init__(self) -> None:
        self._before: dict[Hashable, tuple[list[tuple], Any]] = {}
        self._now: dict[Hashable, tuple[list[tuple], Any]] = {}

    def begin(self) -> None:
        """Begin a drawing: what the one before had no use for is forgotten."""
        self._before, self._now = self._now, {}

    def get(self, run: Shown, key: Hashable, make: Callable[[], Some]) -> Some:
        """What `make` returned for the same histories with the same rows, and the same key."""
        whole = (tuple(map(id, run.histories)), key)
        grown = [each for each in run.histories if each.epochs]
        # Early stopping goes back to the weights of an earlier epoch after the last row is there.
        stamps = [(each, each.epochs[-1], each.kept, len(each.epochs)) for each in grown]
        return self._found(whole, stamps, make)

    def keep(self, run: Shown, key: Hashable, make: Callable[[], Some]) -> Some:
        """What `make` returned for the same histories and the same key, however much they have grown."""
        whole = (tuple(map(id, run.histories)), key)
        return self._found(whole, [(each, None, None, 0) for each in run.histories], make)

    def _found(self, whole: Hashable, stamps: list[tuple], make: Callable[[], Some]) -> Some:
        found = self._now.get(whole) or self._before.get(whole)
        if found is None or not _same(found[0], stamps):
            found = (stamps, make())
        self._now[whole] = found
        return found[1]


def _same(one: Sequence[tuple], other: Sequence[tuple]) -> bool:
    """The very same histories, last rows and kept ones: the stamps hold them, so that no other has their id."""
    return len(one) == len(other) and all(
        a[-1] == b[-1] and all(x is y for x, y in zip(a[:-1], b)) for a, b in zip(one, other)
    )


@dataclass(frozen=True, eq=False)
class Visible:
    """A run that has something to show: how it is called in a few letters and in full, its numbers and its look."""

    name: str
    title: str
    run: Shown
    course: Course
    look: Look


def visible(history: History, runs: Mapping[str, Shown], name: str, letter: str, memo: Memo) -> list[Visible]:
    """The runs that have an epoch: first the live one, unless it is among `runs`, or those that it is among."""
    here = [(name, Shown((history,), letter))] if not any(run.has(history) for run in runs.values()) else []
    every = [*runs.items(), *here]  # so that the live run changes the look of no other
    with_looks = [
        (name, run, memo.get(run, "course", partial(course_of, run.histories)), look)
        for (name, run), look in zip(every, looks([run.letter for _, run in every]))
    ]
    found = sorted((each for each in with_looks if len(each[2])), key=lambda each: not each[1].has(history))
    return [
        Visible(run.letter or name, ", ".join(part for part in (run.letter, name) if part), run, course, look)
        for name, run, course, look in found
    ]
