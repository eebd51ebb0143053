"""How many images are read, in one line of the terminal that goes when they are."""

from __future__ import annotations

import time
from contextlib import ExitStack
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

SOON = 1.0  # seconds: what is done by then needs no bar


class ImageBar:
    """The images read and the time left, while the block lasts; nothing where the console is no terminal."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            TextColumn("Reading the images"),
            MofNCompleteColumn(),
            BarColumn(12),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None)
        self._shows, self._open, self._began = console.is_terminal, ExitStack(), time.monotonic()

    def __enter__(self) -> ImageBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def move(self, done: int, total: int) -> None:
        """So many of the images are read."""
        self._bar.update(self._task, completed=done, total=total)
        if self._shows and time.monotonic() - self._began > SOON:
            self._open.enter_context(self._bar)
            self._shows = False
