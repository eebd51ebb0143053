"""The phases of a run in words, and where each of them began."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from vgglab.experiment import what_changed
from vgglab.history import History

_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"


def begun(history: History) -> Iterator[tuple[int, int, list[str]]]:
    """The number, the first epoch and the changes of each phase after the first, of those that have an epoch.

    Not as planned: early stopping ends a phase before, and a phase may be changed before its first epoch.
    """
    phases, rows = history.experiment.phases, history.epochs
    before = None
    place = 0
    while place < len(rows) and (number := rows[place]["phase"]) <= len(phases):
        if before is not None:
            yield number, rows[place]["epoch"], what_changed(before, phases[number - 1])
        before = phases[number - 1]
        place = bisect_left(rows, number + 1, key=lambda row: row["phase"])


def phase_list(history: History) -> list[str]:
    """A line for each phase of a run, such as "② from epoch 13: MixUp on, L2 0.01"; none for a run of one phase."""
    later = [
        f"{circled(number)} from epoch {epoch}: {', '.join(changes) or 'nothing changed'}"
        for number, epoch, changes in begun(history)
    ]
    return (
        [
            f"{circled(history.epochs[0]['phase'])} from epoch {history.epochs[0]['epoch']}: as it began",
            *later,
        ]
        if later
        else []
    )


def circled(number: int) -> str:
    """A number in a circle, or in brackets where there is no such letter."""
    return _CIRCLED[number - 1] if 1 <= number <= len(_CIRCLED) else f"({number})"
