"""The table of runs: those that are kept in a folder, what to overlay, and what can be taken away as files."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import traitlets

from vgglab.errors import InputError
from vgglab.files import readable
from vgglab.history import History
from vgglab.panel.exports import numbered
from vgglab.panel.run_files import Files
from vgglab.panel.table import Row, compare
from vgglab.share import shelf
from vgglab.share.card import history_of_card
from vgglab.templates import render

HERE = "going on"
NEWEST = 20  # runs that are read from the folder; a table of more is not read by people


def _sendable(name: str) -> str:
    """A name without half characters, which no page and no file takes."""
    return name.encode("utf-8", "backslashreplace").decode()


def _free(name: str, taken: Container[str]) -> str:
    """A name that can be shown and that no other run has."""
    return next(each for each in numbered(_sendable(name), "{} ({})") if each not in taken)


def _in_words(error: Exception) -> str:
    return str(error) if isinstance(error, (InputError, OSError)) else f"{type(error).__name__}: {error}"


class Runs(widgets.VBox):
    """A table of runs with the ones to overlay selected; `shown` holds their names.

    It begins with the newest that are kept on the shelf. Exports go to the same folder, in which nothing of other
    content is ever replaced. `go_on` is called with the name of a run that is to be trained to its end.
    """

    shown = traitlets.Tuple()

    def __init__(self, shelved: shelf.Shelf, go_on: Callable[[str], object]) -> None:
        self.shelf, self.folder, self._go_on = shelved, shelved.folder, go_on
        files = Files(self.folder)
        self._rows: dict[str, Row] = {}
        self._here: Path | None = None  # the folder of the run that goes on in this dashboard
        self._table, self._place, self._message = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._selected = widgets.SelectMultiple(
            description="overlay", rows=5, layout=widgets.Layout(width="360px")
        )
        self._name = widgets.Text(description="new name", layout=widgets.Layout(width="300px"))
        self._upload = widgets.FileUpload(accept=".html,.jsonl", multiple=True, description="Load run cards")
        self.buttons = {
            name: widgets.Button(description=name, tooltip=tip, layout=widgets.Layout(width="auto"))
            for name, tip in (
                ("Go on", "train the selected run, which was stopped or interrupted, to its end"),
                ("Rename", "give the selected run the name above"),
                ("Delete", "take the selected runs off the table, and away from the folder"),
                ("Export", "write record, table and charts of the selected runs"),
                ("Run card", "write one HTML page for each selected run"),
                ("Save model", "write the trained network of the selected runs"),
            )
        }
        actions = [self.go_on, self.rename, self.delete]
        actions += [self._taking(write) for write in (files.export, files.cards, files.save_models)]
        for button, action in zip(self.buttons.values(), actions):
            button.on_click(lambda _, action=action: self._try(action))
        self._selected.observe(self._select, "value")
        self._upload.observe(self._uploaded, "value")
        choice = widgets.HBox([self._selected, widgets.VBox([self._name, self._upload])])
        buttons = widgets.HBox(list(self.buttons.values()), layout=widgets.Layout(flex_flow="row wrap"))
        super().__init__([self._table, self._place, choice, buttons, self._message])
        self.read()

    @property
    def histories(self) -> dict[str, History]:
        """The record of each run on the table, by its name."""
        return {name: row.history for name, row in self._rows.items()}

    def read(self) -> None:
        """Put the newest runs of the folder on the table; those that have a row get what was added to them."""
        self._found, rows = self.shelf.newest(NEWEST), dict(self._rows)
        known = {row.folder: name for name, row in rows.items()}
        for run in self._found.runs:
            name = known.get(run.path) or _free(shelf.name_of(run.path), rows)
            if name not in rows or len(run.history.epochs) >= len(rows[name].history.epochs):
                rows[name] = Row(run.history, run.path)
        self._set(rows)

    def complain(self, text: str) -> None:
        """Say under the table what is wrong."""
        self._message.value = render("alert.html", text=text)

    def add(self, history: History, name: str = "", folder: Path | None = None) -> str:
        """Put a run on the table under a name of its own; returns the name.

        Without a name it is called as its folder says; one that there is no such folder for is not kept.
        """
        free = _free(name or shelf.name_of(folder or Path("run")), self._rows)
        row = Row(history, folder if folder and folder.is_dir() else None)
        self._set(self._rows | {free: row})
        return free

    def replace(self, history: History, folder: Path) -> str:
        """Put a run that has gone on in the place of what stood there of the same folder; returns the name."""
        name = next((each for each, row in self._rows.items() if row.folder == folder), None)
        if name is None:
            return self.add(history, folder=folder)
        self._set(self._rows | {name: Row(history, folder)})
        return name

    def mark(self, folder: Path | None) -> None:
        """Say which run goes on in this dashboard, if it is one of the table."""
        if folder != self._here:
            self._here = folder
            self._set(self._rows)

    def folder_of(self, name: str) -> Path:
        """Where a run is kept; `InputError` where it is not."""
        folder = self._rows[name].folder if name in self._rows else None
        if folder is None:
            raise InputError(f"There is no run {name!r} in {readable(self.folder)}.")
        return folder

    @property
    def selected(self) -> list[str]:
        return list(self._selected.value)

    def go_on(self) -> str:
        name = self._only_one()
        self._go_on(name)
        return f"{name} goes on."

    def rename(self) -> str:
        old, new = self._only_one(), _sendable(self._name.value.strip())
        if not new or new in self._rows:
            raise InputError(f"The new name must be one that no other run has. Received: {new!r}.")
        row = self._rows[old]
        if row.folder:
            shelf.rename(row.folder, new)
        row.stem = ""
        self._set({new if name == old else name: row for name, row in self._rows.items()})
        self._selected.value = [new]
        return f"{old} is now {new}."

    def delete(self) -> str:
        """Ask first, on the button itself; then take the selected runs off the table and away from the folder."""
        gone, button = self._some(), self.buttons["Delete"]
        for name in gone:
            if self._state(self._rows[name]) in (HERE, shelf.ELSEWHERE):
                raise InputError(f"{name} is going on. It can be deleted once it has ended.")
        if not button.button_style:
            runs = "1 run" if len(gone) == 1 else f"{len(gone)} runs"
            button.description, button.button_style = f"Really delete {runs}?", "danger"
            what = "it" if len(gone) == 1 else "them"
            return f"Press it again to delete {', '.join(gone)}, and all that is kept of {what}."
        left = dict(self._rows)
        try:
            for name in gone:
                folder = left[name].folder
                if folder:
                    shelf.delete(folder)
                del left[name]
        finally:
            self._set(left)
        return f"Deleted: {', '.join(gone)}."

    def _taking(self, write: Callable[[Mapping[str, Row], Sequence[str]], str]) -> Callable[[], str]:
        """What a button does that writes files of the selected runs."""
        return lambda: write(self._rows, self._some())

    def _load(self) -> str:
        loaded, refused, files = [], [], self._upload.value
        self._upload.value = ()  # so that the same files can be given again
        for file in files:
            text = bytes(file["content"]).decode("utf-8", errors="replace")
            read = history_of_card if file["name"].lower().endswith(".html") else History.from_lines
            try:
                loaded.append(self.add(read(text, file["name"]), Path(file["name"]).stem))
            except Exception as error:  # one file must not keep the others off the table
                refused.append(_in_words(error))
        said = f"Loaded: {', '.join(loaded)}." if loaded else ""
        if refused:
            raise InputError(" ".join([*refused, said]).rstrip())
        return said

    def _uploaded(self, change: dict[str, Any]) -> None:
        if change["new"]:
            self._try(self._load)

    def _try(self, action: Callable[[], str]) -> None:
        try:
            self._message.value = render("status.html", text=action())
        except InputError as error:
            self.complain(str(error))
        except (
            Exception
        ) as error:  # of whatever kind: a button that fails in silence is pressed again and again
            self._message.value = render(
                "alert.html", text=f"{type(error).__name__}: {error}", details=traceback.format_exc()
            )

    def _some(self) -> list[str]:
        if not self.selected:
            raise InputError("Select a run in the list first.")
        return self.selected

    def _only_one(self) -> str:
        if len(self.selected) != 1:
            raise InputError(f"Select one run in the list. Selected: {len(self.selected)}.")
        return self.selected[0]

    def _select(self, change: object) -> None:
        self._forget_question()
        self.shown = tuple(self._selected.value)

    def _forget_question(self) -> None:
        self.buttons["Delete"].description, self.buttons["Delete"].button_style = "Delete", ""

    def _state(self, row: Row) -> str:
        if row.folder is None:
            return ""
        return HERE if row.folder == self._here else shelf.state_of(row.folder, row.history)

    def _set(self, rows: dict[str, Row]) -> None:
        """Have these runs on the table; where one cannot be shown, all stays as it was."""
        table = compare({name: row.history for name, row in rows.items()})
        states = [self._state(row) for row in rows.values()]
        if any(states):
            table.insert(1, "state", states)
        shown = table.to_html(index=False, border=0, na_rep="", justify="left", classes="vgglab-runs")
        self._rows = rows
        self._table.value = shown if len(table) else "<i>No runs yet.</i>"
        chosen = [name for name in self._selected.value if name in rows]
        self._selected.options = list(rows)
        self._selected.value = chosen
        self._forget_question()
        older = self._found.older
        left = f" {older} older {'run' if older == 1 else 'runs'} there are not shown." if older else ""
        where = self.shelf.problem or f"Runs are kept in {readable(self.folder)}."
        self._place.value = render("note.html", texts=[where + left, *self._found.problems])
