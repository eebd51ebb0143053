"""How far a run is."""

from __future__ import annotations

import time

import ipywidgets as widgets

from vgglab.history import History

PAUSE = 0.2  # seconds between two movements of the bar
LONG_EPOCH = 2  # seconds, after which the images done are counted


class Progress(widgets.HBox):
    """A bar, and a line beside it that says what is left; may be moved from any thread.

    `planned` is the number of epochs, the present one among them however few are asked for. While the run is `paused`,
    the line says that instead. Of several runs in turn the bar is that of the present one, and the time left is that of
    all of them.
    """

    def __init__(self) -> None:
        self._planned = self._epochs = self._later = 0
        self._present = 0.0  # how much of the epoch is done that goes on
        self.paused = False
        self._moved = self._epoch_began = 0.0
        self._which = ""  # of several runs in turn
        self.bar = widgets.FloatProgress(max=1)
        self.left = widgets.HTML()
        super().__init__([self.bar, self.left])
        self.add_class("vgglab-progress")

    @property
    def planned(self) -> int:
        return max(self._planned, self._epochs + (self._present > 0))

    @planned.setter
    def planned(self, epochs: int) -> None:
        self._planned = epochs

    def begin(self, planned: int, finished: int = 0, which: str = "", later: int = 0) -> None:
        """A run begins, or goes on after so many finished epochs; so many `later` ones plan as many epochs.

        `which` is put before the line, as in "seed 2 of 5:".
        """
        self._planned, self._epochs, self._present = planned, finished, 0.0
        self._epoch_began, self._which, self._later = time.monotonic(), which, later * planned
        self._fill()
        self.clear()

    def count(self, history: History) -> None:
        """An epoch is finished."""
        self._epochs, self._present, self._epoch_began = len(history.epochs), 0.0, time.monotonic()
        self._fill()
        left = (self.planned - self._epochs + self._later) * history.epochs[-1]["seconds"]
        of_all = " in all" if self._later else ""
        self.say(f"epoch {self._epochs} of {self.planned}, {clock(left)} left{of_all}")

    def move(self, done: int, total: int) -> None:
        """So many of the images of an epoch are done."""
        self._present = done / total
        if time.monotonic() - self._moved >= PAUSE or done == total:
            self._fill()
            if time.monotonic() - self._epoch_began > LONG_EPOCH:
                self.say(f"epoch {self._epochs + 1} of {self.planned}, {done} of {total} images")
            self._moved = time.monotonic()

    def finish(self) -> None:
        """The run came to its end, however few epochs that took; one that was stopped stays where it is instead."""
        self.bar.value = 1

    def say(self, text: str) -> None:
        """How far the run is; while it is paused, that it is."""
        paused = f"paused after epoch {self._epochs} of {self.planned}; Resume goes on"
        said = paused if self.paused else text
        self.left.value = f"{self._which} {said}".strip()

    def clear(self) -> None:
        self.left.value = ""

    def _fill(self) -> None:
        self.bar.value = (self._epochs + self._present) / self.planned


def clock(seconds: float) -> str:
    """A time in seconds or minutes, whichever reads better."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
