"""Which lines a live chart has, how each looks, and what the legend calls it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vgglab.charts.colours import LOGGED, MEMORISED, SOURCE, THICK, THIN, TRAIN, VALIDATION
from vgglab.charts.layout import shortened
from vgglab.charts.shown import Visible
from vgglab.charts.told import EXTRAS

_COLOURS = {"logged_accuracy": LOGGED, "source_accuracy": SOURCE, "memorised": MEMORISED}
_DASHES = {"logged_accuracy": "2 3", "source_accuracy": "10 3 2 3", "memorised": "8 3 2 3 2 3"}
_PAIR = {"train": (TRAIN, ""), "validation": (VALIDATION, "7 4")}


class Line(NamedTuple):
    """A curve: the column that it draws, how it looks, and whether the range of the seeds is shaded around it."""

    column: str
    colour: str
    dash: str
    width: float
    has_band: bool = False


def lines_alone(extras: Sequence[str]) -> list[Line]:
    """The curves of the only run, in the order in which they are drawn; `extras` are its further columns."""
    pair = {
        what: [Line(f"{part}_{what}", *look, THICK, has_band=True) for part, look in _PAIR.items()]
        for what in ("accuracy", "loss")
    }
    return [*pair["accuracy"], *(_alone(each) for each in extras), *pair["loss"]]


def lines_among(run: Visible, extras: Sequence[str]) -> list[Line]:
    """The curves of one of several runs, all in its colour."""
    both = ("accuracy", "loss")
    return [
        *(_own(run, each) for each in extras),
        *(Line(f"train_{what}", *run.look, THIN) for what in both),
        *(Line(f"validation_{what}", *run.look, THICK, has_band=True) for what in both),
    ]


def legend(runs: Sequence[Visible], extras: Sequence[str]) -> list[tuple[Line | None, str]]:
    """What is written above the chart, in its order, each with the line that it names."""
    entries: list[tuple[Line | None, str]] = []
    if len(runs) > 1:
        entries.append((None, "thick: validation, thin: train"))
        of = f", {shortened(runs[0].name, 12)}" if runs[0].name else ""
        entries += [(_own(runs[0], each), f"{EXTRAS[each]}{of}") for each in extras]
    else:
        entries += [(Line("", *look, THICK), part) for part, look in _PAIR.items()]
        entries += [(_alone(each), EXTRAS[each]) for each in extras]
    seeds = {run.course.seeds for run in runs} - {1}
    if seeds:
        count = f"{min(seeds)} seeds" if len(seeds) == 1 else "the seeds"
        entries.append((None, f"band: lowest to highest of {count}"))
    if any(run.course.went_back for run in runs):
        entries.append((None, "dot: epoch kept"))
    return entries


def _alone(extra: str) -> Line:
    return Line(extra, _COLOURS[extra], _DASHES[extra], THICK)


def _own(run: Visible, extra: str) -> Line:
    return Line(extra, run.look.colour, _DASHES[extra], THIN)
