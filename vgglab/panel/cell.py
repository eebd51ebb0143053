"""The live chart of `train` in a cell: a picture under one display id, changed in place.

A cell that trains holds up the thread that would serve widgets. A picture under an id is shown by every notebook
without one, and the last is saved with the notebook.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from IPython import get_ipython
from IPython.display import DisplayHandle, display

from vgglab.charts.live import live_svg
from vgglab.experiment import Experiment, what_changed
from vgglab.history import History
from vgglab.panel.progress import clock
from vgglab.templates import render

SHORTEST_PAUSE = 0.2  # seconds between two drawings
DRAWING = 0.02  # of a run's time at most: where a drawing takes longer, the pause after it does, too
# What these events say is not in the figures.
_TOLD = ("early stop", "restored", "interrupted", "stopped", "diverged", "left out", "not written")
_CHARTS: dict[str, CellChart] = {}  # that of the latest cell


def present_cell() -> str | None:
    """The id of the request that runs the present cell; None where no notebook is open."""
    shell = get_ipython()
    if not hasattr(shell, "kernel"):
        return None
    return str(shell.get_parent().get("header", {}).get("msg_id", ""))


def chart_of(cell: str) -> CellChart:
    """The chart of a cell, which all of its runs share."""
    if cell not in _CHARTS:
        _CHARTS.clear()
        _CHARTS[cell] = CellChart()
    return _CHARTS[cell]


class CellChart:
    """What a cell shows of its runs: the curves of the latest, and under them a line for each.

    `seconds` is the time spent on drawing.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._handle: DisplayHandle | None = None
        self._lines: list[str] = []  # of the runs that have ended
        self._experiment: Experiment | None = None
        self._history: History | None = None
        self._label = self._picture = ""
        self._drawn = 0  # epochs of the picture
        self._due = -math.inf  # when the next drawing is

    @contextmanager
    def showing(self, experiment: Experiment) -> Iterator[CellChart]:
        """The block is a run; what it ended with stays."""
        self._label = self._name(experiment)
        self._experiment, self._history, self._drawn = experiment, History(experiment), -1
        before = self._picture
        self._draw(self._history.summary(), 0.0)
        line = "Broken off."
        try:
            yield self
            line = _outcome(self._history)
        except BaseException as error:
            line = f"{_outcome(self._history)} Broken off: {type(error).__name__}."
            raise
        finally:
            if not self._history.epochs:
                self._picture, self._drawn = before, 0  # an empty frame says nothing
            self._draw(line)
            self._lines.append(self._label + line)
            self._history = None

    def count(self, history: History) -> None:
        """An epoch is finished."""
        self._history = history
        self.move(0, 1)

    def move(self, done: int, total: int) -> None:
        """So many of the images of an epoch are done; drawn unless that was a moment ago."""
        if time.monotonic() < self._due or self._history is None:
            return
        history = self._history
        epochs, planned = len(history.epochs) + done / total, history.experiment.planned_epochs
        text = history.summary()
        if history.epochs:
            text += f", {clock((planned - epochs) * history.epochs[-1]['seconds'])} left"
        self._draw(text, epochs / planned)

    def conclude(self, history: History) -> None:
        """The run has ended, perhaps before its first epoch."""
        self._history = history

    def _name(self, experiment: Experiment) -> str:
        """The run's number, and what distinguishes it from the one before, where the cell has several."""
        if self._experiment is None:
            return ""
        if len(self._lines) == 1:
            self._lines[0] = f"1. {self._lines[0]}"
        changes = ", ".join(what_changed(self._experiment, experiment))
        return f"{len(self._lines) + 1}. {f'({changes}) ' if changes else ''}"

    def _draw(self, text: str, share: float | None = None) -> None:
        """Put picture and lines into the cell's output; `share` is how much of the run is done, None at its end."""
        start = time.monotonic()
        self._put(self._label + text, share)
        took = time.monotonic() - start
        self.seconds += took
        self._due = start + took + max(SHORTEST_PAUSE, took / DRAWING)

    def _put(self, text: str, share: float | None) -> None:
        if self._history is not None and self._drawn != len(self._history.epochs):
            self._picture, self._drawn = live_svg(self._history), len(self._history.epochs)
        page = render("cell.html", picture=self._picture, lines=self._lines, text=text, share=share)
        bundle = {"text/html": page, "text/plain": "\n".join([*self._lines, text])}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


def _outcome(history: History) -> str:
    """What came of a run, in sentences."""
    parts = [f"{history.summary().removesuffix('.')}."] if history.epochs else []
    parts += [event["text"] for event in history.events if event["kind"] in _TOLD]
    return " ".join([*parts, history.tested()]).rstrip() or "No epoch was finished."
