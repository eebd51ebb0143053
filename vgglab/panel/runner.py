"""One run at a time in a thread: a click begins it, another stops it, and the next waits until it has ended."""

from __future__ import annotations

import atexit
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import traitlets

from vgglab.engine.control import Control, Progress
from vgglab.experiment import Experiment
from vgglab.share.store import StoredRun

LAST_WAIT = 10.0  # seconds that Python waits at its end for a run's last step
# One for all runners, because a start here is a stop elsewhere; notified when a runner becomes idle.
_TURN = threading.Condition()
_RUNNERS: weakref.WeakSet[Runner] = weakref.WeakSet()


@dataclass(frozen=True)
class Job:
    """What a run is to do: an experiment from its beginning, or what is left of a `stored` run, whose it is.

    With `seeds` the experiment is trained so many times in turn, each time with the next seed.
    """

    experiment: Experiment
    stored: StoredRun | None = None
    seeds: int = 1


class Runner(traitlets.HasTraits):
    """Has the runs of one dashboard; its methods may be called from any thread.

    `begin` sets a run up, a new one or what is left of a stored one, and returns its Job; `work` trains it under a
    Control, and raises nothing in a thread; `end` follows where no other run does. `progress` goes to the Control.
    `state` is "idle", "running", "stopping", or "waiting": "stopping" with another run that begins as soon as the
    stopped one has ended.
    """

    state = traitlets.Enum(("idle", "running", "stopping", "waiting"), default_value="idle")

    def __init__(
        self,
        begin: Callable[[StoredRun | None], Job],
        work: Callable[[Job, Control], object],
        end: Callable[[], object],
        progress: Progress,
    ) -> None:
        super().__init__()
        self._begin, self._work, self._end, self._progress = begin, work, end, progress
        self.control = Control()  # of the latest run
        self._following: StoredRun | None = None  # what the run that waits goes on with
        _RUNNERS.add(self)

    @property
    def running(self) -> bool:
        return self.state != "idle"

    def start(self, stored: StoredRun | None = None) -> None:
        """Begin a run in a thread, or go on with a stored one; nothing happens while a run goes on.

        It stops every other runner's. After `stop` it waits for the end of the stopped one.
        """
        with _TURN:
            if self.state in ("idle", "stopping"):
                self._stop_others()
            if self.state == "idle":
                self._in_thread(self._opened(stored))
            elif self.state == "stopping":
                self._following, self.state = stored, "waiting"

    @contextmanager
    def here(self) -> Iterator[tuple[Job, Control]]:
        """The block is a run in this thread, once the one that goes on has been stopped and has ended."""
        with _TURN:
            self.stop()
            _TURN.wait_for(lambda: not self.running)
            self._stop_others()
            job = self._opened()
        try:
            yield job, self.control
        finally:
            following = self._closed()
            if following is not None:
                self._in_thread(following)

    def stop(self) -> None:
        """Ask the run to end; one that waits does not begin."""
        with _TURN:
            if self.running:
                self.control.stop()
                self.state = "stopping"

    def join(self, timeout: float | None = None) -> None:
        """Wait until no run goes on and none waits, so many seconds at most."""
        with _TURN:
            _TURN.wait_for(lambda: not self.running, timeout)

    def _stop_others(self) -> None:
        for other in list(_RUNNERS):
            if other is not self:
                other.stop()

    def _in_thread(self, job: Job) -> None:
        threading.Thread(target=self._run_on, args=(job,), daemon=True).start()

    def _run_on(self, job: Job | None) -> None:
        """One run, and those that were asked for meanwhile."""
        while job is not None:
            try:
                self._work(job, self.control)
            finally:
                job = self._closed()

    def _opened(self, stored: StoredRun | None = None) -> Job:
        self.control, self.state = Control(self._progress), "running"
        try:
            return self._begin(stored)
        except BaseException:
            self._rest()
            raise

    def _closed(self) -> Job | None:
        """After a run: the one that waited, or None where there is none."""
        with _TURN:
            if self.state == "waiting":
                return self._opened(self._following)
            self._rest()
            return None

    def _rest(self) -> None:
        try:
            self._end()
        finally:
            self.state = "idle"
            _TURN.notify_all()


@atexit.register
def _stop_all() -> None:
    # TensorFlow aborts the process when a step is under way while Python takes it down.
    runners: list[Any] = list(_RUNNERS)
    for runner in runners:
        runner.stop()
    for runner in runners:
        runner.join(LAST_WAIT)
