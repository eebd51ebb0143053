"""The runs as a table that can be sorted, chosen from, and written in; by mouse, by keyboard, by ear."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import anywidget
import pandas as pd
import traitlets

from vgglab.charts.colours import Look
from vgglab.errors import shown
from vgglab.files import readable
from vgglab.panel.styles import scripted, styled

# A number within a text. A sign belongs to it where no word is before it: "run-2" is no negative number.
_NUMBER = re.compile(r"((?:(?<!\w)[-+])?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)")


@dataclass(frozen=True)
class Mark:
    """What stands beside the figures of a run.

    `letter` is "A" or "B" where it is that run, or `is_sibling` and counts to it with another seed. `look` is that of
    its line on the chart; None where it is not there.
    """

    letter: str = ""
    is_sibling: bool = False
    look: Look | None = None
    is_pinned: bool = False
    note: str = ""


class RunTable(anywidget.AnyWidget):
    """A row for each run, its place on the chart before it; `act` is told what was pressed or written in one.

    It is given the deed ("A", "B", "pin", "show", "name" or "note"), the run's name, and what was written. `chosen` are
    the names of the chosen rows. `order` is empty, for the newest first, or the name of a column and whether downwards;
    pinned runs stay on top, and runs without a value at the end.
    """

    _esm = scripted("run_table.js")
    _css = styled("run_table.css")

    columns = traitlets.List(traitlets.Dict()).tag(sync=True)
    rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    chosen = traitlets.List(traitlets.Unicode()).tag(sync=True)
    order = traitlets.List(traitlets.Any()).tag(sync=True)

    def __init__(self, act: Callable[[str, str, str], object]) -> None:
        self._shown: tuple[pd.DataFrame, dict[str, Mark]] = pd.DataFrame(), {}
        self._lock = threading.Lock()  # a run may be added by its thread while the page sorts
        super().__init__()
        self._act = act
        self.on_msg(self._hear)

    def show(self, table: pd.DataFrame, marks: Mapping[str, Mark]) -> None:
        """Show the figures of runs, a row each, with the marks of the same runs in the same order."""
        self._shown = table, dict(marks)
        self._fill()
        if not self._shown[1].keys() >= set(
            self.chosen
        ):  # else what the page chooses meanwhile would be undone
            self.chosen = self.chosen  # those that are still there

    def _hear(self, _: object, said: dict[str, Any], buffers: object) -> None:
        do, run, text = said.get("do"), said.get("run"), said.get("text", "")
        if isinstance(do, str) and isinstance(run, str) and isinstance(text, str):
            self._act(do, run, text)

    @traitlets.validate("order")
    def _is_order(self, proposal: dict[str, Any]) -> list[Any]:
        order = proposal["value"]
        if order and [type(each) for each in order] != [str, bool]:
            raise traitlets.TraitError(
                f"`order` must be [] or [column, is downwards]. Received: {shown(order)}."
            )
        return order

    @traitlets.validate("chosen")
    def _known(self, proposal: dict[str, Any]) -> list[str]:
        return [name for name in dict.fromkeys(proposal["value"]) if name in self._shown[1]]

    @traitlets.observe("order")
    def _sort(self, change: dict[str, Any]) -> None:
        self._fill()

    def _fill(self) -> None:
        with self._lock, self.hold_sync():
            table, marks = self._shown
            table = table.assign(note=[mark.note for mark in marks.values()])
            written = {
                name: _written(values) for name, values in table.items() if name not in ("run", "note")
            }
            names = list(marks)
            self.columns = [
                dict(name=name, number=pd.api.types.is_numeric_dtype(table[name])) for name in table
            ]
            self.rows = [
                _row(names[place], marks[names[place]], [each[place] for each in written.values()])
                for place in self._places(table, [mark.is_pinned for mark in marks.values()])
            ]

    def _places(self, table: pd.DataFrame, pinned: list[bool]) -> list[int]:
        """The places of the rows from above."""
        column, downwards = self.order or ("", False)
        places = [*reversed(range(len(pinned)))]
        if column in table:
            places = in_order(table[column].tolist(), bool(downwards))
        return sorted(places, key=lambda place: not pinned[place])


def in_order(values: list[Any], downwards: bool) -> list[int]:
    """The places of values in their order, those of nothing at the end; numbers, also within text, as numbers."""
    there = [place for place, value in enumerate(values) if not _is_nothing(value)]
    there.sort(key=lambda place: _key(values[place]), reverse=downwards)
    return there + [place for place, value in enumerate(values) if _is_nothing(value)]


def _is_nothing(value: Any) -> bool:
    return bool(pd.isna(value)) or value == ""


def _key(value: Any) -> list[tuple[bool, Any]]:
    """Its numbers and what stands between them; a number is before any text."""
    if not isinstance(value, str):
        return [(False, value)]
    parts = _NUMBER.split(value.casefold())
    marked = [(place % 2 == 0, part) for place, part in enumerate(parts) if part]
    return [(is_text, part if is_text else float(part)) for is_text, part in marked]


def _written(values: pd.Series) -> list[str]:
    form = "{:.1f}" if pd.api.types.is_float_dtype(values) else "{}"
    return ["" if _is_nothing(value) else form.format(value) for value in values]


def _row(name: str, mark: Mark, cells: list[str]) -> dict[str, Any]:
    """What the page is told of a run."""
    return dict(
        name=name,
        label=readable(name),
        letter=mark.letter,
        sibling=mark.is_sibling,
        look=mark.look and mark.look._asdict(),
        pinned=mark.is_pinned,
        note=mark.note,
        cells=cells,
    )
