"""How a running experiment is paused, stopped, and told what to go on with."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from vgglab.errors import InputError, shown
from vgglab.experiment import Experiment

Progress = Callable[[int, int], object]


class Stopped(Exception):
    """Somebody asked the run to stop."""


class Control:
    """The buttons of a run; all of them may be pressed from any thread.

    `on_progress` is called within each epoch with how many training images are done, and of how many.
    """

    def __init__(self, on_progress: Progress | None = None) -> None:
        self._on_progress = on_progress
        self._stop, self._go = threading.Event(), threading.Event()
        self._go.set()
        self._changes: deque[Experiment] = deque(maxlen=1)  # the latest, taken and put in one step each
        self._check: Callable[[Experiment], object] = lambda phase: None
        self._checking = threading.Lock()  # no change goes by between two checks

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    @property
    def paused(self) -> bool:
        return not self._go.is_set()

    def stop(self) -> None:
        """End the run within the running batch; a paused one too."""
        self._stop.set()
        self._go.set()

    def pause(self) -> None:
        """Hold the run after the running batch; one that was stopped is not held."""
        self._go.clear()
        if self._stop.is_set():
            self._go.set()

    def resume(self) -> None:
        """Let a paused run go on."""
        self._go.set()

    def change(self, phase: Experiment) -> None:
        """Go on with this phase from the next epoch; the latest of several counts.

        Its `epochs` are those of the whole run, what is done already included. `InputError` where the run's record
        could not be replayed: the phase changes what the whole run keeps, or does not fit its data.
        """
        if not isinstance(phase, Experiment) or phase.later:
            raise InputError(f"`phase` must be an Experiment of one phase. Received: {shown(phase)}.")
        with self._checking:
            self._check(phase)
            self._changes.append(phase)

    def begin(self, check: Callable[[Experiment], object]) -> None:
        """Called by the run before its first epoch: `check` raises `InputError` for a change that it cannot go on with.

        A change that was asked for before is checked now.
        """
        with self._checking:
            for phase in self._changes:
                check(phase)
            self._check = check

    @property
    def changed(self) -> bool:
        return bool(self._changes)

    def forget_change(self, is_none: Callable[[Experiment], bool]) -> None:
        """Called by the run after an epoch: forget what was asked for where it changes nothing, as when it was moved
        back."""
        with self._checking:
            if self._changes and is_none(self._changes[-1]):
                self._changes.clear()

    def take_change(self) -> Experiment | None:
        """The phase asked for since the last call, if any."""
        return self._changes.pop() if self._changes else None

    def check(self) -> None:
        """Called by the run between two batches: waits while paused, raises `Stopped` when stopped."""
        self._go.wait()
        if self._stop.is_set():
            raise Stopped

    def progress(self, done: int, total: int) -> None:
        """Called by the run as an epoch goes on."""
        if self._on_progress is not None:
            self._on_progress(done, total)
