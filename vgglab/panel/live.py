"""A chart that follows a run: a picture and a line of text, both of them traits."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping

import ipywidgets as widgets

from vgglab.charts.live import LiveDrawing
from vgglab.charts.shown import Memo, Shown
from vgglab.charts.told import outcome
from vgglab.experiment import Experiment
from vgglab.fit import Fit
from vgglab.history import History
from vgglab.panel.picture import Picture
from vgglab.templates import render

SHORTEST_PAUSE = 0.2  # seconds between two drawings
SHARE = (
    0.02  # of the time that drawing may take while a run goes on: the longer it takes, the longer the pause
)
LONGEST_PAUSE = 2.0  # seconds; the first drawing of many runs takes longer than those after it
SPOKEN_PAUSE = 10.0  # seconds between two lines that a screen reader reads out while a run goes on


class LiveChart(widgets.VBox):
    """The curves of one run, beside those of `runs`; may be drawn from any thread.

    `name` and `letter`, A to Z or "", are the run's own, `runs` the others by their names: what is set is drawn the
    next time. `logged` adds the accuracy that Keras logs, `source` the one on the source task. `picture` is drawn at
    the size of its place, and `text` is the line under it: how the last epoch came out and, where another one's weights
    were kept, that one. Only traits are set: output printed or cleared in a thread goes to whichever cell is current.
    """

    def __init__(self, experiment: Experiment | Fit, name: str = "", letter: str = "") -> None:
        self._latest, self._spoke, self.text = 0.0, -math.inf, ""
        self._phase = 0  # that was spoken of
        # Held from the choice of a history until it is shown: two threads never show an old one over a new one.
        self._lock = threading.RLock()
        self._left_out: tuple[History, str] | None = None  # what `update` was given and did not draw
        self.picture = Picture(description="values at each epoch")
        # The line that is seen changes too often to be read out: that is for a second one, which nobody sees.
        self._status = widgets.HTML()
        self._spoken = widgets.HTML(
            layout=widgets.Layout(width="1px", height="1px", margin="0", overflow="hidden")
        )
        self.name, self.letter, self.logged, self.source = name, letter, False, True
        self.runs: Mapping[str, Shown] = {}
        self.seconds = self._cost = 0.0  # spent on drawing since the beginning, and the last time
        self._history, self._memo = History(experiment), Memo()
        super().__init__([self.picture, self._status, self._spoken])
        self.add_class("vgglab-live")
        self.draw(self._history)
        self.picture.observe(lambda _: self._draw_picture(), ["width", "height"])

    def __repr__(self) -> str:
        return f"LiveChart: {self.text}"

    def draw(self, history: History, note: str = "") -> None:
        """Show a history, and say how it came out; `note` is added to that."""
        with self._lock:
            self._draw(history, note)
            self._phase = _phase_of(history)
            self._speak()

    def update(self, history: History, note: str = "") -> bool:
        """Show a growing history, unless one was drawn a moment ago, and return whether it was drawn.

        It is spoken of now and then only.
        """
        with self._lock:
            pause = min(max(SHORTEST_PAUSE, self._cost / SHARE), LONGEST_PAUSE)
            if time.monotonic() - self._latest < pause:
                self._left_out = history, note
                return False
            self._draw(history, note)
            if _phase_of(history) != self._phase or time.monotonic() - self._spoke >= SPOKEN_PAUSE:
                self._phase = _phase_of(history)
                self._speak()
            return True

    def flush(self) -> bool:
        """Show what the latest `update` left out, as where a run is paused; return whether there was something."""
        with self._lock:
            if self._left_out is None:
                return False
            self.draw(*self._left_out)
            return True

    def redraw(self) -> None:
        """Draw the picture anew, with what was set since; the line under it stays."""
        self._draw_picture()

    def say(self, text: str) -> None:
        """Put a line under the chart; screen readers read it out."""
        with self._lock:
            self._write(text)
            self._speak()

    def static(self) -> str:
        """The picture as it was drawn last, an `<svg>`, for a page without widgets."""
        return self.picture.svg

    def _draw(self, history: History, note: str) -> None:
        self._history, self._left_out = history, None
        self._draw_picture()
        said = outcome(history) if history.epochs else history.summary()
        self._write(f"{said} {note}".rstrip())
        self._latest = time.monotonic()

    def _draw_picture(self) -> None:
        """The history that was shown last, at the present size."""
        with self._lock:
            start = time.perf_counter()
            drawing = LiveDrawing(
                self._history,
                self.runs,
                self._memo,
                name=self.name,
                letter=self.letter,
                logged=self.logged,
                source=self.source,
                width=self.picture.width,
                height=self.picture.height,
            )
            with self.picture.hold_sync():  # both in one message
                self.picture.svg, self.picture.readings = drawing.svg(), drawing.readings()
            self._cost = time.perf_counter() - start
            self.seconds += self._cost

    def _write(self, text: str) -> None:
        self.text = text
        self._status.value = render("line.html", text=text)

    def _speak(self) -> None:
        self._spoken.value = render("status.html", text=self.text)
        self._spoke = time.monotonic()


def _phase_of(history: History) -> int:
    """The number of the latest epoch's phase; 0 before the first epoch."""
    return history.epochs[-1]["phase"] if history.epochs else 0
