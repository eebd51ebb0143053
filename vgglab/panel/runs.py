"""The runs of a session: a table, what to overlay, and what can be taken away as files."""

from __future__ import annotations

import glob
import itertools
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pandas as pd
import traitlets

from vgglab.charts.curves import detached_axes, plot_accuracy, save_chart
from vgglab.errors import InputError
from vgglab.experiment import FIELDS
from vgglab.files import readable, why_not
from vgglab.history import History
from vgglab.panel.exports import Makers, Placed, holds, place
from vgglab.share.card import history_of_card, save_card
from vgglab.share.sheet import csv_text
from vgglab.templates import render

TABLE = "runs"  # the name of the file with the table
LONGEST_STEM = 60  # characters: file systems take 255 bytes, and a character has up to 4
RECORD = ".jsonl"  # the file that says whose the others of its stem are


def compare(runs: Mapping[str, History]) -> pd.DataFrame:
    """A row for each run: what its kept weights reach, its time, and the settings in which the runs differ.

    Accuracies and gaps in per cent and points, of the epoch whose weights were kept, which a column names. A setting
    that a run changed on its way has all of its values in order. There is a column for the planned epochs where a run
    had fewer, and for the accuracy on a test part where one was measured.
    """
    table = pd.DataFrame([_figures(name, history) | _settings(history) for name, history in runs.items()])
    if table.empty:
        return table
    labels = [toggle.label for toggle in FIELDS.values() if not toggle.is_own]
    same = [label for label in labels if table[label].nunique() == 1]
    untested = ["test %"] if table["test %"].isna().all() else []
    as_planned = ["planned"] if (table["planned"] == table["epochs run"]).all() else []
    return table.drop(columns=same + untested + as_planned)


def _figures(name: str, history: History) -> dict[str, Any]:
    kept = history.kept if history.epochs else None
    return {
        "run": readable(name),
        "epochs run": len(history.epochs),
        "planned": history.experiment.planned_epochs,
        "kept epoch": kept and kept["epoch"],
        "validation %": kept and round(100 * kept["validation_accuracy"], 1),
        "gap, points": kept and round(100 * kept["gap"], 1),
        "test %": history.test and round(100 * history.test["accuracy"], 1),
        "seconds": round(sum(row["seconds"] for row in history.epochs), 1),
    }


def _settings(history: History) -> dict[str, str]:
    """The value of every field; of one that later phases changed, all values in order."""
    phases = history.experiment.phases
    values = {
        toggle.label: [toggle.written(getattr(phase, name)) for phase in phases]
        for name, toggle in FIELDS.items()
        if not toggle.is_own
    }
    return {label: " → ".join(each for each, _ in itertools.groupby(of)) for label, of in values.items()}


def _numbered(name: str, form: str) -> Iterator[str]:
    """`name`, and what `form` makes of it with 2, 3, ..."""
    return itertools.chain([name], (form.format(name, number) for number in itertools.count(2)))


def _sendable(name: str) -> str:
    """A name without half characters, which no page and no file takes."""
    return name.encode("utf-8", "backslashreplace").decode()


def _in_words(error: Exception) -> str:
    return str(error) if isinstance(error, (InputError, OSError)) else f"{type(error).__name__}: {error}"


class Runs(widgets.VBox):
    """A table of runs with the ones to overlay selected; `shown` holds their names.

    `folder` is where exports go; nothing of other content is ever replaced in it. `save_model` writes the trained
    network of a run, or returns False.
    """

    shown = traitlets.Tuple()

    def __init__(self, folder: Path, save_model: Callable[[History, Path], bool]) -> None:
        self.histories: dict[str, History] = {}
        self.folder, self._save_model = folder, save_model
        self._numbers = itertools.count(1)  # of runs; none is given twice, also after a deletion
        self._stems: dict[str, str] = {}  # of the files that were written of each run on the table
        self._table, self._message = widgets.HTML(), widgets.HTML()
        self._selected = widgets.SelectMultiple(
            description="overlay", rows=5, layout=widgets.Layout(width="360px")
        )
        self._name = widgets.Text(description="new name", layout=widgets.Layout(width="300px"))
        self._upload = widgets.FileUpload(accept=".html,.jsonl", multiple=True, description="Load run cards")
        self.buttons = {
            name: widgets.Button(description=name, tooltip=tip, layout=widgets.Layout(width="auto"))
            for name, tip in (
                ("Rename", "give the selected run the name above"),
                ("Delete", "take the selected runs off the table"),
                ("Export", "write record, table and charts of the selected runs"),
                ("Run card", "write one HTML page for each selected run"),
                ("Save model", "write the trained network of the selected runs"),
            )
        }
        actions = (self.rename, self.delete, self.export, self.cards, self.save_models)
        for button, action in zip(self.buttons.values(), actions):
            button.on_click(lambda _, action=action: self._try(action))
        self._selected.observe(self._select, "value")
        self._upload.observe(self._uploaded, "value")
        choice = widgets.HBox([self._selected, widgets.VBox([self._name, self._upload])])
        super().__init__([self._table, choice, widgets.HBox(list(self.buttons.values())), self._message])
        self._set({})

    def add(self, history: History, name: str | None = None) -> str:
        """Put a run on the table under a name of its own; returns the name."""
        wanted = (
            _numbered(_sendable(name), "{} ({})") if name else (f"run {number}" for number in self._numbers)
        )
        free = next(each for each in wanted if each not in self.histories)
        self._set(self.histories | {free: history})
        return free

    @property
    def selected(self) -> list[str]:
        return list(self._selected.value)

    def rename(self) -> str:
        old, new = self._only_one(), _sendable(self._name.value.strip())
        if not new or new in self.histories:
            raise InputError(f"The new name must be one that no other run has. Received: {new!r}.")
        self._set({new if name == old else name: history for name, history in self.histories.items()})
        self._stems.pop(old, None)
        self._selected.value = [new]
        return f"{old} is now {new}."

    def delete(self) -> str:
        gone = self._some()
        self._set({name: history for name, history in self.histories.items() if name not in gone})
        for name in gone:
            self._stems.pop(name, None)
        return f"Deleted: {', '.join(gone)}."

    def export(self) -> str:
        """Write history (JSON lines and CSV) and chart (PNG and SVG) of each selected run, and the table."""
        placed = self._written(self._some(), self._record_and_charts)
        table = compare(self.histories)
        with self._said(placed, "the table"):
            makers = {".csv": lambda path: path.write_text(csv_text(table), encoding="utf-8")}
            placed.add(place(makers, self.folder, _numbered(TABLE, "{}-{}"))[1])
        return placed.said(self.folder)

    def cards(self) -> str:
        """Write one HTML page for each selected run."""
        placed = self._written(
            self._some(),
            lambda name: {".html": lambda path: save_card(self.histories[name], name, path)},
        )
        return placed.said(self.folder)

    def save_models(self) -> str:
        """Write the trained network of each selected run."""
        placed = self._written(
            self._some(), lambda name: {".keras": lambda path: self._save_network(name, path)}
        )
        return placed.said(self.folder)

    def _record_and_charts(self, name: str) -> Makers:
        history = self.histories[name]
        chart = plot_accuracy(history, detached_axes())
        return {
            RECORD: history.save,
            ".csv": lambda path: path.write_text(csv_text(history.frame()), encoding="utf-8"),
            ".png": lambda path: save_chart(chart, path),
            ".svg": lambda path: save_chart(chart, path),
        }

    def _save_network(self, name: str, path: Path) -> None:
        if not self._save_model(self.histories[name], path):
            raise InputError(f"The network of {name} is no longer in memory. Train it again to save it.")

    def _written(self, names: Sequence[str], makers_of: Callable[[str], Makers]) -> Placed:
        """The files of each of these runs, those of one under one stem."""
        placed = Placed()
        for name in names:
            with self._said(placed, name):
                self.folder.mkdir(parents=True, exist_ok=True)
                makers = makers_of(name)
                self._stems[name], new = place(makers, self.folder, self._stems_for(name, set(makers)))
                placed.add(new)
        return placed

    @contextmanager
    def _said(self, placed: Placed, what: str) -> Iterator[None]:
        """What goes wrong with the files of `what` in a sentence, and what was `placed` before."""
        try:
            yield
        except InputError as error:
            raise InputError(f"{error} {placed.said(self.folder)}".strip()) from None
        except OSError as error:
            sentence = f"The files of {what} cannot be written to {self.folder}: {why_not(error)}."
            raise InputError(f"{sentence} {placed.said(self.folder)}".strip()) from None

    def _stems_for(self, name: str, suffixes: Set[str]) -> Iterator[str]:
        """What the files of a run may be called, but for their suffixes: as those before, or as no other run's files.

        No other run's name on the table gives the same, also where capitals make no difference.
        """
        if name in self._stems:
            yield self._stems[name]
        taken = {TABLE, *(stem.casefold() for run, stem in self._stems.items() if run != name)}
        safe = "".join(each if each.isalnum() or each in "-_" else "-" for each in name[:LONGEST_STEM])
        for stem in _numbered(safe, "{}-{}"):
            if stem.casefold() not in taken and not self._is_anothers(stem, name, suffixes):
                yield stem

    def _is_anothers(self, stem: str, name: str, suffixes: Set[str]) -> bool:
        """Whether files of other kinds stand there, and no record says that they are this run's."""
        there = {path.suffix for path in self.folder.glob(f"{glob.escape(stem)}.*")}
        record = self.histories[name].to_lines().encode()
        return bool(there - suffixes) and not holds(self.folder / f"{stem}{RECORD}", record)

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
            self._message.value = render("alert.html", text=str(error))
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
        self.shown = tuple(self._selected.value)

    def _set(self, histories: dict[str, History]) -> None:
        """Have these runs on the table; where one cannot be shown, all stays as it was."""
        table = compare(histories)
        shown = table.to_html(index=False, border=0, na_rep="", justify="left", classes="vgglab-runs")
        self.histories = histories
        self._table.value = shown if len(table) else "<i>No runs yet.</i>"
        chosen = [name for name in self._selected.value if name in histories]
        self._selected.options = list(histories)
        self._selected.value = chosen
