"""How far a run is, in one line of the terminal."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from vgglab.history import History


def is_terminal(stream: object) -> bool:
    """Whether a stream is a terminal; one that is absent or closed, or a stand-in that cannot say, is none."""
    try:
        return bool(stream.isatty())  # type: ignore[attr-defined]
    except Exception:
        return False


class _Said(ProgressColumn):
    """The latest figures: cut short where the terminal is narrow, so that all stays in one line."""

    def render(self, task: Task) -> Text:
        return Text(task.fields["said"], no_wrap=True, overflow="ellipsis")


class EpochBar:
    """The epochs done, the time left and the latest figures, while the block lasts; the last state stays.

    `planned` is the number of epochs. Where the console is no terminal, one line is printed at the end.
    """

    def __init__(self, console: Console, planned: int) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            MofNCompleteColumn(),
            BarColumn(12),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            _Said(),
            console=console,
            # What the program prints goes above the bar; but never from a file onto the terminal.
            redirect_stdout=is_terminal(sys.stdout),
        )
        self._task = self._bar.add_task("epoch", total=planned, said="compiling the first step")
        self._epochs = 0

    def __enter__(self) -> EpochBar:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def count(self, history: History) -> None:
        """An epoch is finished."""
        self._epochs = len(history.epochs)
        planned, said = history.experiment.planned_epochs, history.summary().partition(": ")[2]
        self._bar.update(self._task, total=planned, completed=self._epochs, said=said)

    def move(self, done: int, total: int) -> None:
        """So many of the images of an epoch are done."""
        self._bar.update(self._task, completed=self._epochs + done / total)

    def conclude(self, history: History) -> None:
        """The run has ended; one that was read from a folder had all of its epochs before."""
        if history.epochs:
            self.count(history)
