"""A chart that follows a run: an SVG and a line of text, both of them traits."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

import ipywidgets as widgets

from vgglab.charts.live import live_svg
from vgglab.experiment import Experiment
from vgglab.history import History
from vgglab.templates import render

SHORTEST_PAUSE = 0.2  # seconds between two drawings


class LiveChart(widgets.VBox):
    """The curves of one run, with earlier ones behind it; may be drawn from any thread.

    `text` is the line under it. Only traits are set: output printed or cleared in a thread goes to whichever cell is
    current.
    """

    def __init__(self, experiment: Experiment) -> None:
        self._latest, self.text = 0.0, ""
        self._lock = threading.Lock()
        self._picture = widgets.HTML(layout=widgets.Layout(max_width="740px"))
        self._status = widgets.HTML()
        self.logged = False
        self.ghosts: Mapping[str, History] = {}
        self.seconds = 0.0  # spent on drawing since the beginning
        super().__init__([self._picture, self._status])
        self.draw(History(experiment))

    def draw(self, history: History) -> None:
        """Show a history."""
        start = time.perf_counter()
        with self._lock:
            self._picture.value = live_svg(history, self.ghosts, logged=self.logged)
            self.say(history.summary())
            self._latest = time.monotonic()
        self.seconds += time.perf_counter() - start

    def update(self, history: History) -> None:
        """Show a growing history, unless it was drawn a moment ago."""
        if time.monotonic() - self._latest >= SHORTEST_PAUSE:
            self.draw(history)

    def say(self, text: str) -> None:
        """Put a line under the chart; screen readers read it out when it changes."""
        self.text = text
        self._status.value = render("status.html", text=text)
