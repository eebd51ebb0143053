"""Where a run is seen as it goes: the cell of a notebook, a line of the terminal, or nowhere."""

from __future__ import annotations

import contextlib
import sys
import threading
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from vgglab.experiment import Experiment
from vgglab.history import History


class View(Protocol):
    """What shows a run as it goes."""

    def count(self, history: History) -> object: ...
    def move(self, done: int, total: int) -> object: ...
    def conclude(self, history: History) -> object: ...


class LiveDisplay:
    """The block is a run, which is seen where somebody can see it; with `show=False` nowhere.

    What goes wrong in showing it is a warning, and the end of it: what is shown must never stop a training. Neither
    does it judge what is to be trained, which is for `vgglab.training`.
    """

    def __init__(self, experiment: Experiment, *, show: bool = True) -> None:
        self._experiment, self._show = experiment, show
        self._view: View | None = None
        self._open = contextlib.ExitStack()

    def __enter__(self) -> LiveDisplay:
        if self._show and isinstance(self._experiment, Experiment):
            self._try(self._begin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._open.__exit__(kind, error, trace)
        except Exception as other:
            if other is not error:
                _warn(other)

    def count(self, history: History) -> None:
        """An epoch is finished."""
        self._try(lambda: self._view and self._view.count(history))

    def move(self, done: int, total: int) -> None:
        """So many of the images of an epoch are done."""
        self._try(lambda: self._view and self._view.move(done, total))

    def conclude(self, history: History) -> None:
        """The run has ended, perhaps before its first epoch."""
        self._try(lambda: self._view and self._view.conclude(history))

    def counting(self, on_epoch: Callable[[History], object] | None) -> Callable[[History], None]:
        """Show each epoch, then hand it to the caller's own function, whose errors are the caller's."""

        def count(history: History) -> None:
            self.count(history)
            if on_epoch is not None:
                on_epoch(history)

        return count

    def _begin(self) -> None:
        place = _place(self._experiment)
        if place is not None:
            self._view = self._open.enter_context(place)

    def _try(self, do: Callable[[], object]) -> None:
        try:
            do()
        except Exception as error:
            self._view = None
            with contextlib.suppress(Exception):
                self._open.close()  # the terminal is given back
            _warn(error)


def _warn(error: Exception) -> None:
    # A warning is written to the standard error, which may be what is closed.
    with contextlib.suppress(Exception):
        warnings.warn(f"This run is no longer shown. {type(error).__name__}: {error}", stacklevel=2)


def _place(experiment: Experiment) -> contextlib.AbstractContextManager[View] | None:
    if threading.current_thread() is not threading.main_thread():
        return None  # what a thread prints goes to whichever cell is current
    # Imported where they are needed: a script knows no notebook, and a notebook no terminal.
    if "ipykernel" in sys.modules:
        from vgglab.panel.cell import chart_of, present_cell

        if (cell := present_cell()) is not None:
            return chart_of(cell).showing(experiment)
    from vgglab.epoch_bar import EpochBar, is_terminal

    if is_terminal(sys.stderr):
        from rich.console import Console

        return EpochBar(Console(stderr=True), experiment.planned_epochs)
    return None
