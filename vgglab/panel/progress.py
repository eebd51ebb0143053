"""How far a run is."""

from __future__ import annotations

import time

import ipywidgets as widgets

from vgglab.history import History

PAUSE = 0.2  # seconds between two movements of the bar
LONG_EPOCH = 2  # seconds, after which the images done are counted


class Progress(widgets.HBox):
    """A bar, and a line beside it that says what is left; may be moved from any thread.

    `planned` is the number of epochs; while the run is `paused`, the line says that instead. Of several runs in turn
    it says which one this is.
    """

    def __init__(self) -> None:
        self.planned = self._epochs = 0
        self.paused = False
        self._moved = self._epoch_began = 0.0
        self._which = ""  # of several runs in turn
        self.bar = widgets.FloatProgress(max=1)
        self.left = widgets.HTML()
        super().__init__([self.bar, self.left])
        self.add_class("vgglab-progress")

    def begin(self, planned: int, finished: int = 0, which: str = "") -> None:
        """A run begins, or goes on after so many finished epochs."""
        self.planned, self._epochs, self._epoch_began = planned, finished, time.monotonic()
        self._which, self.bar.value = which, finished / planned
        self.clear()

    def count(self, history: History) -> None:
        """An epoch is finished."""
        self._epochs, self._epoch_began = len(history.epochs), time.monotonic()
        left = (self.planned - self._epochs) * history.epochs[-1]["seconds"]
        self.say(f"epoch {self._epochs} of {self.planned}, {clock(left)} left")

    def move(self, done: int, total: int) -> None:
        """So many of the images of an epoch are done."""
        if time.monotonic() - self._moved >= PAUSE or done == total:
            self.bar.value = min(1, (self._epochs + done / total) / self.planned)
            if time.monotonic() - self._epoch_began > LONG_EPOCH:
                self.say(f"epoch {self._epochs + 1} of {self.planned}, {done} of {total} images")
            self._moved = time.monotonic()

    def say(self, text: str) -> None:
        """How far the run is; while it is paused, that it is."""
        paused = f"paused after epoch {self._epochs} of {self.planned}; Resume goes on"
        said = paused if self.paused else text
        self.left.value = f"{self._which} {said}".strip()

    def clear(self) -> None:
        self.left.value = ""


def clock(seconds: float) -> str:
    """A time in seconds or minutes, whichever reads better."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
