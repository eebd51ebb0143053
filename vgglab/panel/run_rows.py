"""The runs that are on a table, by their names; what is changed of one that is kept is changed in its folder too."""

from __future__ import annotations

from collections.abc import Container, Sequence
from pathlib import Path

import pandas as pd

from vgglab.errors import InputError
from vgglab.files import readable
from vgglab.history import History
from vgglab.panel.exports import numbered
from vgglab.panel.table import Row, compare
from vgglab.share import shelf

HERE = "going on"
NEWEST = 20  # runs that are read from the folder; a table of more is not read by people


def sendable(text: str) -> str:
    """A text without half characters, which no page and no file takes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _free(name: str, taken: Container[str]) -> str:
    """A name that can be shown and that no other run has."""
    return next(each for each in numbered(sendable(name), "{} ({})") if each not in taken)


class RunRows:
    """The newest runs of a shelf, and those that were added since; `present` are they, and their figures, a row each.

    What cannot be written is an `InputError`, and what cannot be shown is raised; all is then as it was.
    """

    def __init__(self, shelved: shelf.Shelf) -> None:
        self.shelf = shelved
        self.present: tuple[dict[str, Row], pd.DataFrame] = (
            {},
            pd.DataFrame(),
        )  # set at once: a thread may look
        self.found = shelf.Found([], [], 0)
        self._here: Path | None = None  # the folder of the run that goes on in this dashboard

    @property
    def rows(self) -> dict[str, Row]:
        return self.present[0]

    def read(self) -> None:
        """Take the newest runs of the folder up; those that have a row get what was added to them."""
        self.found, rows = self.shelf.newest(NEWEST), dict(self.rows)
        known = {row.folder: name for name, row in rows.items()}
        for run in self.found.runs:
            name = known.get(run.path) or _free(shelf.name_of(run.path), rows)
            if name not in rows or len(run.history.epochs) >= len(rows[name].history.epochs):
                rows[name] = _row_of(run.history, run.path)
        self._put(rows)

    def add(self, history: History, name: str = "", folder: Path | None = None) -> str:
        """Add a run under a name of its own, which is returned.

        Without a name it is called as its folder says; one that there is no such folder for is not kept.
        """
        free = _free(name or shelf.name_of(folder or Path("run")), self.rows)
        self._put(self.rows | {free: _row_of(history, folder if folder and folder.is_dir() else None)})
        return free

    def replace(self, history: History, folder: Path) -> str:
        """Put a run that has gone on in the place of what stood there of the same folder; returns the name."""
        name = next((each for each, row in self.rows.items() if row.folder == folder), None)
        if name is None:
            return self.add(history, folder=folder)
        self._put(self.rows | {name: _row_of(history, folder)})
        return name

    def mark(self, folder: Path | None) -> bool:
        """Say which run goes on in this dashboard, if it is one of these; returns whether that is news."""
        is_news = folder != self._here
        if is_news:
            self._here = folder
            self._put(self.rows)
        return is_news

    def row(self, name: str) -> Row:
        """The row of a run; `InputError` where there is none."""
        if name not in self.rows:
            raise InputError(f"There is no run {name!r} on the table.")
        return self.rows[name]

    def folder_of(self, name: str) -> Path:
        """Where a run is kept; `InputError` where it is not."""
        row = self.rows.get(name)
        if row is None or row.folder is None:
            raise InputError(f"There is no run {name!r} in {readable(self.shelf.folder)}.")
        return row.folder

    def call(self, old: str, new: str) -> str:
        """Give a run a name that no other has, which is returned."""
        row, new = self.row(old), sendable(new.strip())
        if not new or new in self.rows:
            raise InputError(f"The new name must be one that no other run has. Received: {new!r}.")
        if row.folder:
            shelf.rename(row.folder, new)
        row.stem = ""
        self._put({new if name == old else name: row for name, row in self.rows.items()})
        return new

    def note(self, name: str, text: str) -> None:
        """Write a note on a run, in place of the one before."""
        row, text = self.row(name), sendable(text.strip())[: shelf.LONGEST_NOTE]
        if row.folder:
            shelf.write_note(row.folder, text)
        row.note = text

    def pin(self, name: str) -> None:
        """Pin a run, so that later tables have it too, however old it is; or unpin it."""
        row = self.row(name)
        if row.folder:
            shelf.pin(row.folder, not row.is_pinned)
        row.is_pinned = not row.is_pinned

    def check_ended(self, names: Sequence[str]) -> None:
        """`InputError` where one of these runs is going on."""
        for name in names:
            if self._state(self.row(name)) in (HERE, shelf.ELSEWHERE):
                raise InputError(f"{name} is still training. You can delete it once it has ended.")

    def delete(self, names: Sequence[str]) -> None:
        """Take runs off the table and away from the folder, those before one that cannot be deleted too."""
        left = dict(self.rows)
        try:
            for name in names:
                folder = left[name].folder
                if folder:
                    shelf.delete(folder)
                del left[name]
        finally:
            self._put(left)

    def _state(self, row: Row) -> str:
        if row.folder is None:
            return ""
        return HERE if row.folder == self._here else shelf.state_of(row.folder, row.history)

    def _put(self, rows: dict[str, Row]) -> None:
        """Have these runs, where all of them can be shown."""
        figures = compare({name: row.history for name, row in rows.items()})
        states = [self._state(row) for row in rows.values()]
        if any(states):
            figures.insert(1, "state", states)
        self.present = rows, figures
        for row, state in zip(rows.values(), states):
            row.state = state


def _row_of(history: History, folder: Path | None) -> Row:
    """A row with what people have made of a run that is kept."""
    if folder is None:
        return Row(history)
    return Row(history, folder, note=shelf.note_of(folder), is_pinned=shelf.is_pinned(folder))
