"""A chart that follows a run: an image and a line of text, both of them traits."""

from __future__ import annotations

import html
import io
import threading
import time

import ipywidgets as widgets

from vgglab.charts import detached_axes, plot_accuracy
from vgglab.experiment import Experiment
from vgglab.history import History

SHORTEST_PAUSE = 0.2  # seconds between two drawings
# Figures share fonts and settings that matplotlib does not guard against threads.
_DRAWING = threading.Lock()


class LiveChart(widgets.VBox):
    """The accuracy chart of one run at a time; may be drawn from any thread.

    Only traits are set: output printed or cleared in a thread goes to whichever cell is current.
    """

    def __init__(self, experiment: Experiment) -> None:
        self._axes = detached_axes()
        self._drawn = 0.0
        self._image = widgets.Image(format="png", layout=widgets.Layout(width="640px", max_width="100%"))
        self._text = widgets.HTML()
        super().__init__([self._image, self._text])
        self.draw(History(experiment))

    def draw(self, history: History) -> None:
        """Show a history."""
        with _DRAWING:
            self._axes.clear()
            plot_accuracy(history, self._axes)
            png = io.BytesIO()
            self._axes.figure.savefig(png, format="png")
        self._image.value = png.getvalue()
        self.say(history.summary())
        self._drawn = time.monotonic()

    def update(self, history: History) -> None:
        """Show a growing history, unless it was drawn a moment ago."""
        if time.monotonic() - self._drawn >= SHORTEST_PAUSE:
            self.draw(history)

    def say(self, text: str) -> None:
        """Put a line under the chart; screen readers read it out when it changes."""
        self._text.value = f'<div role="status" aria-live="polite">{html.escape(text)}</div>'

    @property
    def text(self) -> str:
        return html.unescape(self._text.value.split(">", 1)[1].rsplit("<", 1)[0])
