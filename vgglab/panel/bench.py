"""Everything that is on the screen of a dashboard, and what each part shows when something is set or has happened."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import traitlets

from vgglab.charts.mini import mini_svg
from vgglab.charts.phases import phase_list
from vgglab.charts.shown import Shown
from vgglab.errors import InputError
from vgglab.experiment import with_first
from vgglab.history import History
from vgglab.panel.asked import Asked, network_of
from vgglab.panel.bar import Bar
from vgglab.panel.controls import Controls
from vgglab.panel.doctor import Doctor
from vgglab.panel.facts import Facts
from vgglab.panel.images import Images
from vgglab.panel.layers import Layers
from vgglab.panel.live import LiveChart
from vgglab.panel.mistakes import Mistakes, static
from vgglab.panel.runs import Runs
from vgglab.panel.static import leave
from vgglab.panel.strip import Strip
from vgglab.panel.verdict import Verdict
from vgglab.templates import render

MINI = (360, 72)  # pixels of the small chart in the bar


class Bench(widgets.VBox):
    """The parts of a dashboard on one screen; what they show follows from the controls, the runs, and `history`.

    Nothing here trains. `bar`, `controls` and `runs` are made by whoever does.
    """

    history = traitlets.Instance(History, allow_none=True)

    def __init__(self, bar: Bar, controls: Controls, runs: Runs, images: Images) -> None:
        self.bar, self.controls, self.runs, self._images = bar, controls, runs, images
        self._place: Path | None = None  # the folder of a stored run that goes on
        self._ended: History | None = None  # the latest run that came to an end, and is on the table
        self._whose = ""  # which of several seeds is seen
        self.progress = bar.progress
        self.chart = LiveChart(controls.experiment)
        self.network = Layers(controls.experiment, len(images.data.class_names), self._choose_depth)
        self.strip, self.mistakes = Strip(), Mistakes()
        self.verdict, self.facts = Verdict(), Facts()
        self.logged = widgets.Checkbox(description="accuracy as Keras logs it", indent=False)
        self.phases = widgets.HTML().add_class("vgglab-phases")
        self.elsewhere = widgets.HTML()  # that the images seen are not those that would be trained on
        self.doctor = Doctor(lambda: (self._images.data, controls.experiment))
        self.asked = Asked(lambda: network_of(runs))
        pages = dict(Runs=runs, Predict=self.asked) | self.facts.pages | dict(Images=self.doctor)
        self.tabs = widgets.Tab([*pages.values()], titles=[*pages])
        super().__init__([bar, self._board()])
        self.add_class("vgglab-dashboard")
        self._observe()
        self.chart.source = controls.full
        self.bar.mini.value = mini_svg(History(controls.experiment), *MINI)
        self.show_experiment()
        self._overlay()

    def _board(self) -> widgets.Box:
        """The cards beneath the bar, in three columns."""
        tried = [_card("try", "Try", [self.controls])]
        seen = [
            _card("curves", "", [self.chart, widgets.HBox([self.logged, self.phases])]),
            _card("network", "", [self.network]),
            _card("images", "", [self.strip, self.elsewhere]),
        ]
        told = [
            _card("tabs", "", [self.tabs]),
            _card("mistakes", "Mistakes", [self.mistakes]),
            _card("verdict", "What it shows", [self.verdict]),
        ]
        columns = [_classed(widgets.VBox(cards), "vgglab-column") for cards in (tried, seen, told)]
        return _classed(widgets.Box(columns), "vgglab-board")

    def _observe(self) -> None:
        traitlets.link((self.bar.modes, "index"), (self.controls, "full"), transform=(bool, int))
        traitlets.dlink((self.controls.widgets["unfreeze"], "disabled"), (self.network, "disabled"))
        self.tabs.observe(lambda _: self._fill_facts(), "selected_index")
        self.logged.observe(self._toggle_logged, "value")
        self.controls.observe(lambda _: self.show_experiment(), "experiment")
        self.controls.observe(self._toggle_source, "full")
        self.runs.observe(lambda _: self._overlay(), "drawn")

    def show_beginning(self, history: History, whose: str = "", place: Path | None = None) -> None:
        """A run begins, or a stored one goes on in its `place`: nothing else is seen of the one before.

        `whose` it is, where several follow each other.
        """
        self._place, self._ended, self._whose = place, None, whose
        self.history = history if history.epochs else None
        self.verdict.clear()
        self.chart.draw(history)
        self._show_line(history)
        self.network.show(self.controls.experiment, history)
        self.mistakes.show([], None)

    def show_experiment(self) -> None:
        """What the controls say: on the network, on the images, on the page that is open."""
        experiment, data = self.controls.experiment, self._images.data
        self.network.show(experiment, self.history)
        self.strip.show(with_first(experiment, image_size=data.image_size), data)
        self.elsewhere.value = render("note.html", texts=self._images.not_yet(experiment))
        self._fill_facts()

    def show_course(self, history: History) -> None:
        """What a run shows so far, beside its curves."""
        self._show_line(history)
        self.network.update(history)
        self.verdict.show(history, self._images.data.odd_pixels, self._whose)

    def _show_line(self, history: History) -> None:
        """The small chart in the bar, and the phases."""
        self.bar.mini.value = mini_svg(history, *MINI)
        self.phases.value = render("phases.html", phases=phase_list(history))

    def show_pause(self) -> None:
        """What the run is at, with nothing left out."""
        self.chart.flush()
        if self.history:
            self.show_course(self.history)
            self.show_mistakes(self.history)

    def show_end(self, history: History, note: str = "") -> None:
        """A run as it ended, and what happened on its way; `note` is to be borne in mind."""
        self.history = history
        self.chart.draw(history)
        (self.progress.clear if history.was_cut_short else self.progress.finish)()
        # Phases repeat each other: what was said once is not said again.
        texts = dict.fromkeys([*(event["text"] for event in history.events), history.tested(), note])
        self.verdict.message.value = render("events.html", texts=[text for text in texts if text])
        self.network.classes = len(self._images.data.class_names)
        self.show_course(history)
        self.show_experiment()

    def show_mistakes(self, history: History | None = None) -> None:
        """Those of a run, by default of B or the latest one, beside A's."""
        groups = {name: [self.runs.histories[each] for each in members] for name, members in self.runs.drawn}
        a, b = groups.get(self.runs.a, []), groups.get(self.runs.b, [])
        runs, name = (b, "B") if b else ([self.history] if self.history else [], "this run")
        if history and not any(history is each for each in b):
            runs, name = [history], "this run"
        is_going_on = name == "this run" and self._is_present(self.runs.a)
        itself = is_going_on or {*map(id, a)} & {*map(id, runs)}
        self.mistakes.show(runs, self._images.data, ("A", a) if a and not itself else None, name)

    def _is_present(self, name: str) -> bool:
        """Whether a run of the table is the one that is seen as it goes on."""
        with suppress(InputError):  # a run that was loaded has no folder
            return self._place is not None and self.runs.folder_of(name) == self._place
        return False

    def complain(self, text: str, details: str = "") -> None:
        """Say that a run failed, and why; `details` unfold."""
        self.chart.say("The run failed.")
        self.verdict.message.value = render("alert.html", text=text, details=details)

    def leave_pictures(self, history: History) -> None:
        """Leave pictures that need no widget in the output of the running cell."""
        pictures = {
            "Curves": self.chart.static(),
            "Network": self.network.static(),
            "What it trains on": self.strip.static(),
            "Mistakes": static(history, self._images.data),
        }
        leave(pictures, history.summary())

    def _choose_depth(self, depth: int) -> None:
        self.controls.set({"unfreeze": depth})
        self.network.show(self.controls.experiment, self.history)  # also where it was refused

    def _fill_facts(self) -> None:
        title = self.tabs.titles[self.tabs.selected_index or 0]
        self.facts.show(title, self.controls.experiment, self._images.data, self.history)

    def _overlay(self) -> None:
        histories, letters = self.runs.histories, self.runs.letters
        self.chart.runs = {
            name: Shown(tuple(histories[each] for each in members), letters.get(name, ""))
            for name, members in self.runs.drawn
        }
        if self._ended and not any(self._ended is each for each in histories.values()):
            self.show_beginning(History(self.controls.experiment))  # it was deleted
        self.chart.redraw()
        self.show_mistakes()

    def _toggle_logged(self, change: dict[str, Any]) -> None:
        self.chart.logged = change["new"]
        self.chart.redraw()

    def _toggle_source(self, change: dict[str, Any]) -> None:
        self.chart.source = change["new"]
        self.chart.redraw()


def _card(kind: str, title: str, inside: Sequence[widgets.Widget]) -> widgets.VBox:
    """A part of the screen under its name; `kind` is its class in the style sheet."""
    heading = [widgets.HTML(render("heading.html", text=title))] if title else []
    return _classed(widgets.VBox([*heading, *inside]), "vgglab-card", f"vgglab-{kind}")


def _classed(box: widgets.Box, *classes: str) -> widgets.Box:
    for each in classes:
        box.add_class(each)
    return box
