"""The runs of a session: a table, what to overlay, and what can be taken away as files."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pandas as pd
import traitlets

from vgglab.charts.curves import detached_axes, plot_accuracy, save_chart
from vgglab.errors import InputError
from vgglab.experiment import FIELDS
from vgglab.files import readable, write_whole, written_whole
from vgglab.history import History
from vgglab.share.card import history_of_card, save_card
from vgglab.share.sheet import csv_text
from vgglab.templates import render

TABLE = "runs"  # the name of the file with the table


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

    `folder` is where exports go. `save_model` writes the trained network of a run, or returns False.
    """

    shown = traitlets.Tuple()

    def __init__(self, folder: Path, save_model: Callable[[History, Path], bool]) -> None:
        self.histories: dict[str, History] = {}
        self.folder, self._save_model = folder, save_model
        self._stems: dict[str, str] = {}  # of the files of each run there ever was
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
        self._show({})

    def add(self, history: History, name: str | None = None) -> str:
        """Put a run on the table under a name of its own; returns the name."""
        unnamed = (f"run {number}" for number in itertools.count(len(self.histories) + 1))
        wanted = _numbered(_sendable(name), "{} ({})") if name else unnamed
        free = next(each for each in wanted if each not in self.histories)
        self._show({**self.histories, free: history})
        return free

    @property
    def selected(self) -> list[str]:
        return list(self._selected.value)

    def rename(self) -> str:
        old, new = self._only_one(), _sendable(self._name.value.strip())
        if not new or new in self.histories:
            raise InputError(f"The new name must be one that no other run has. Received: {new!r}.")
        self._show({new if name == old else name: history for name, history in self.histories.items()})
        self._selected.value = [new]
        return f"{old} is now {new}."

    def delete(self) -> str:
        gone = self._some()
        self._show({name: history for name, history in self.histories.items() if name not in gone})
        return f"Deleted: {', '.join(gone)}."

    def export(self) -> str:
        """Write history (JSON lines and CSV) and chart (PNG and SVG) of each selected run, and the table."""
        names = self._some()
        for name in names:
            stem, history = self._stem(name), self.histories[name]
            history.save(stem.with_suffix(".jsonl"))
            write_whole(stem.with_suffix(".csv"), csv_text(history.frame()))
            for kind in (".png", ".svg"):
                save_chart(plot_accuracy(history, detached_axes()), stem.with_suffix(kind))
        write_whole(self.folder / f"{TABLE}.csv", csv_text(compare(self.histories)))
        return f"Written to {self.folder}: {', '.join(names)} (.jsonl, .csv, .png, .svg) and {TABLE}.csv."

    def cards(self) -> str:
        paths = [
            save_card(self.histories[name], name, self._stem(name).with_suffix(".html"))
            for name in self._some()
        ]
        return f"Written to {self.folder}: {', '.join(path.name for path in paths)}."

    def save_models(self) -> str:
        names = self._some()
        for name in names:
            with written_whole(self._stem(name).with_suffix(".keras")) as beside:
                if not self._save_model(self.histories[name], beside):
                    raise InputError(
                        f"The network of {name} is no longer in memory. Train it again to save it."
                    )
        return f"Written to {self.folder}: {', '.join(f'{self._stem(name).name}.keras' for name in names)}."

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
        except Exception as error:  # of whatever kind: nobody sees what is raised in a click
            self._message.value = render("alert.html", text=_in_words(error))

    def _some(self) -> list[str]:
        if not self.selected:
            raise InputError("Select a run in the list first.")
        return self.selected

    def _only_one(self) -> str:
        if len(self.selected) != 1:
            raise InputError(f"Select one run in the list. Selected: {len(self.selected)}.")
        return self.selected[0]

    def _stem(self, name: str) -> Path:
        """Where a run's files go, without suffix: no other run's name gives the same, whatever the file system."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if name not in self._stems:
            taken = {TABLE, *(stem.casefold() for stem in self._stems.values())}
            safe = "".join(each if each.isalnum() or each in "-_" else "-" for each in name)
            wanted = _numbered(safe, "{}-{}")
            self._stems[name] = next(each for each in wanted if each.casefold() not in taken)
        return self.folder / self._stems[name]

    def _select(self, change: object) -> None:
        self.shown = tuple(self._selected.value)

    def _show(self, histories: dict[str, History]) -> None:
        """Have these runs on the table; where one of them cannot be shown, those of before stay."""
        table = compare(histories)
        self.histories = histories
        self._table.value = (
            table.to_html(index=False, border=0, na_rep="", justify="left", classes="vgglab-runs")
            if len(table)
            else "<i>No runs yet.</i>"
        )
        chosen = [name for name in self._selected.value if name in self.histories]
        self._selected.options = list(self.histories)
        self._selected.value = chosen
