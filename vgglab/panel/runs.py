"""The table of runs: those that are kept in a folder, which are A and B, and what can be taken away as files."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import traitlets

from vgglab.charts.phases import phase_list
from vgglab.errors import InputError, shown
from vgglab.files import readable
from vgglab.history import History
from vgglab.panel.run_files import Files, read_uploads
from vgglab.panel.run_rows import RunRows
from vgglab.panel.run_table import RunTable
from vgglab.panel.sides import SIDES, Choice, comparison_of, group_of, marks_of, means_of, members_of
from vgglab.panel.table import Row
from vgglab.share.shelf import Shelf
from vgglab.templates import render

_LINE = {
    "Go on": "train the chosen run, which was stopped or interrupted, to its end",
    "Export": "write record, table and charts of the chosen runs",
    "Run card": "write one HTML page for each chosen run",
    "More": "names, networks, run cards to load, and where the runs are kept",
    "Delete": "take the chosen runs off the table, and away from the folder",
}
_FOLDED = {
    "Rename": "give the chosen run the name in the box",
    "Save model": "write the trained network of the chosen runs",
}


class Runs(widgets.VBox):
    """A table of runs, of which two are A and B and are compared.

    It begins with the newest that are kept on the shelf. Exports go to the same folder, in which nothing of other
    content is ever replaced. `go_on` is called with the name of a run that is to be trained to its end.

    `a` and `b` are names, "" for none; `comparison` says in a sentence whether B is better. `shown` are the names of
    the runs to draw, in the order of their colours: A, B, those that are pinned or chosen, and none that is hidden.
    `drawn` has beside each of them the runs that it stands for: A and B are taken with their other seeds.
    """

    shown, drawn = traitlets.Tuple(read_only=True), traitlets.Tuple(read_only=True)
    a, b = traitlets.Unicode(read_only=True), traitlets.Unicode(read_only=True)
    comparison = traitlets.Unicode(read_only=True)

    def __init__(self, shelved: Shelf, go_on: Callable[[str], object]) -> None:
        self.shelf, self.folder, self._go_on = shelved, shelved.folder, go_on
        self._runs, self._choice, self._hidden = RunRows(shelved), Choice(), set[str]()
        self._lock = threading.RLock()  # what a run's thread adds is not drawn over by a click
        self.table = RunTable(lambda *told: self._try(partial(self._do, *told)))
        self._compared, self._message = widgets.HTML(), widgets.HTML()
        self._place, self._problems = widgets.HTML(), widgets.HTML()
        self._name = widgets.Text(description="new name", layout=widgets.Layout(width="190px"))
        self._upload = widgets.FileUpload(accept=".html,.jsonl", multiple=True, description="Load run cards")
        self.buttons = {
            name: widgets.Button(description=name, tooltip=tip, layout=widgets.Layout(width="auto"))
            for name, tip in (_LINE | _FOLDED).items()
        }
        files = Files(self.folder)
        writing = {"Export": files.export, "Run card": files.cards, "Save model": files.save_models}
        actions = {"Go on": self.go_on, "Rename": self.rename, "Delete": self.delete, "More": self._unfold}
        actions |= {name: partial(self._take, write) for name, write in writing.items()}
        for name, action in actions.items():
            self.buttons[name].on_click(lambda _, action=action: self._try(action))
        self.table.observe(self._chosen, "chosen")
        self._upload.observe(self._uploaded, "value")
        line, folded = ([self.buttons[name] for name in names] for names in (_LINE, _FOLDED))
        fields = widgets.HBox([self._name, *folded, self._upload]).add_class("vgglab-runs-actions")
        self._more = widgets.VBox([fields, self._place], layout=widgets.Layout(display="none"))
        actions_line = widgets.HBox(line).add_class("vgglab-runs-actions")
        super().__init__(
            [self.table, self._compared, actions_line, self._more, self._message, self._problems]
        )
        self._compared.add_class("vgglab-runs-compared")
        self.add_class("vgglab-runs")
        self.read()

    @property
    def histories(self) -> dict[str, History]:
        """The record of each run on the table, by its name."""
        return {name: row.history for name, row in self._runs.rows.items()}

    @property
    def letters(self) -> dict[str, str]:
        """The letter of each run that has one, by its name: A, then B."""
        return {name: side for side, name in self._choice.sides(self._runs.rows).items() if name}

    @property
    def selected(self) -> list[str]:
        """The names of the chosen rows."""
        return list(self.table.chosen)

    def select(self, *names: str) -> None:
        """Choose these rows and no others."""
        self.table.chosen = list(names)

    def group_of(self, name: str) -> list[str]:
        """A run and those of the same experiment with other seeds; of several with one seed the latest counts."""
        self._runs.row(name)
        return group_of(self._runs.rows, name)

    def read(self) -> None:
        """Put the newest runs of the folder on the table; those that have a row get what was added to them."""
        self._runs.read()
        self._refresh()

    def complain(self, text: str) -> None:
        """Say under the table what is wrong."""
        self._message.value = render("alert.html", text=text)

    def add(self, history: History, name: str = "", folder: Path | None = None) -> str:
        """Put a run on the table under a name of its own; returns the name.

        Without a name it is called as its folder says; one that there is no such folder for is not kept.
        """
        name = self._runs.add(history, name, folder)
        self._choice.offer()
        self._refresh()
        return name

    def replace(self, history: History, folder: Path) -> str:
        """Put a run that has gone on in the place of what stood there of the same folder; returns the name."""
        name = self._runs.replace(history, folder)
        self._refresh()
        return name

    def mark(self, folder: Path | None) -> None:
        """Say which run goes on in this dashboard, if it is one of the table."""
        if self._runs.mark(folder):
            self._refresh()

    def folder_of(self, name: str) -> Path:
        """Where a run is kept; `InputError` where it is not."""
        return self._runs.folder_of(name)

    def choose(self, side: str, name: str) -> None:
        """Make a run A or B, or neither where it is that already."""
        if side not in SIDES:
            raise InputError(f"A run can be A or B. Received: {shown(side)}.")
        self._runs.row(name)
        self._hidden.discard(name)
        self._choice.choose(self._runs.rows, side, name)
        self._draw()

    def pin(self, name: str) -> None:
        """Keep a run on top and on the chart, also on later tables; or no longer."""
        self._runs.pin(name)
        self._draw()

    def show(self, name: str) -> None:
        """Take a run off the chart, or put it there."""
        self._runs.row(name)
        if name in self.shown:
            self._hidden.add(name)
        else:
            self._hidden.discard(name)
            if name not in self._wanted(self._runs.rows, self._choice.sides(self._runs.rows)):
                self.select(*self.selected, name)
        self._draw()

    def note(self, name: str, text: str) -> None:
        """Write a note on a run, in place of the one before; it is kept with the run."""
        self._runs.note(name, text)
        self._draw()

    def call(self, old: str, new: str) -> str:
        """Give a run a name that no other has, which is returned."""
        selected, new = self.selected, self._runs.call(old, new)
        self._choice.rename(old, new)
        self._hidden = {new if name == old else name for name in self._hidden}
        self._refresh()
        self.select(*(new if name == old else name for name in selected))
        return new

    def go_on(self) -> str:
        name = self._only_one()
        self._go_on(name)
        return f"{name} goes on."

    def rename(self) -> str:
        old = self._only_one()
        return f"{old} is now {self.call(old, self._name.value)}."

    def delete(self) -> str:
        """Ask first, on the button itself; then take the chosen runs off the table and away from the folder."""
        gone, button = self._some(), self.buttons["Delete"]
        self._runs.check_ended(gone)
        if not button.button_style:
            runs = "1 run" if len(gone) == 1 else f"{len(gone)} runs"
            button.description, button.button_style = f"Really delete {runs}?", "danger"
            what = "it" if len(gone) == 1 else "them"
            return f"Press again to delete {', '.join(gone)}, and all that is kept of {what}."
        try:
            self._runs.delete(gone)
        finally:
            self._refresh()
        return f"Deleted: {', '.join(gone)}."

    def _take(self, write: Callable[[Mapping[str, Row], Sequence[str]], str]) -> str:
        """Have files of the chosen runs written."""
        return write(self._runs.rows, self._some())

    def _unfold(self) -> str:
        """Open what stands below the line of buttons, or close it."""
        is_open = self._more.layout.display != "none"
        self._more.layout.display = "none" if is_open else "flex"
        self.buttons["More"].description = "More" if is_open else "Less"
        return ""

    def _do(self, deed: str, name: str, text: str) -> str:
        """What was pressed or written in a row of the table."""
        if deed == "name":
            return f"{name} is now {self.call(name, text)}."
        if deed == "note":
            self.note(name, text)
        elif deed == "pin":
            self.pin(name)
        elif deed == "show":
            self.show(name)
        else:
            self.choose(deed, name)
        return ""

    def _uploaded(self, change: dict[str, Any]) -> None:
        if change["new"]:
            self._upload.value = ()  # so that the same files can be given again
            self._try(lambda: read_uploads(change["new"], self.add))

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
            raise InputError("Choose a run in the table first.")
        return self.selected

    def _only_one(self) -> str:
        if len(self.selected) != 1:
            raise InputError(f"Choose one run in the table. Chosen: {len(self.selected)}.")
        return self.selected[0]

    def _chosen(self, change: object) -> None:
        self._forget_question()
        self._draw()

    def _forget_question(self) -> None:
        self.buttons["Delete"].description, self.buttons["Delete"].button_style = "Delete", ""

    def _refresh(self) -> None:
        """Show what the runs are now, and say where they are kept and what is wrong there."""
        self._choice.forget_gone(self._runs.rows)
        self._hidden &= self._runs.rows.keys()
        self._forget_question()
        problem, older = self.shelf.problem, self._runs.found.older
        left = f" {older} older {'run' if older == 1 else 'runs'} there are not shown." if older else ""
        where = f"Runs are kept in {readable(self.folder)}."
        self._place.value = render("lines.html", texts=[] if problem else [where + left])
        problems = ([problem] if problem else []) + self._runs.found.problems
        self._problems.value = render("lines.html", texts=problems)
        self._draw()

    def _wanted(self, rows: Mapping[str, Row], sides: Mapping[str, str]) -> list[str]:
        """The runs that belong on the chart unless they are hidden, in the order of their colours."""
        pinned = [name for name, row in rows.items() if row.is_pinned]
        names = dict.fromkeys([*sides.values(), *pinned, *self.selected])
        return [name for name in names if name in rows]

    def _draw(self) -> None:
        """Say beside each run what it is now, compare A with B, and tell whoever draws them."""
        with self._lock:
            rows, figures = self._runs.present
            sides = self._choice.sides(rows)
            names = [name for name in self._wanted(rows, sides) if name not in self._hidden]
            members = {side: members_of(rows, name, sides) if name else [] for side, name in sides.items()}
            self.table.show(figures, marks_of(rows, members, sides, names))
            self._say(rows, members, sides)
            for side, name in sides.items():
                self.set_trait(side.lower(), name)
            self.set_trait("drawn", tuple((name, tuple(members_of(rows, name, sides))) for name in names))
            self.set_trait("shown", tuple(names))

    def _say(
        self, rows: Mapping[str, Row], members: Mapping[str, list[str]], sides: Mapping[str, str]
    ) -> None:
        """Say under the table how A and B compare, and what the chosen run did on its way."""
        texts = means_of(rows, sides)
        self.set_trait("comparison", comparison_of(rows, *members.values()))
        phases = phase_list(rows[self.selected[0]].history) if len(self.selected) == 1 else []
        if phases:
            texts.append(f"Phases of the chosen run: {'; '.join(phases)}.")
        self._compared.value = render("compared.html", comparison=self.comparison, texts=texts)
