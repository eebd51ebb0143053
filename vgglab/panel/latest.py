"""The latest of many requests, in a thread: what a person asked for since makes an older one worthless."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Request = TypeVar("Request")


class Latest(Generic[Request]):
    """Has `work` do the latest request, one at a time, in a thread that lasts while there are any.

    A request that was not begun when the next came is dropped. `ask` may be called from any thread and returns at
    once; `work` must raise nothing. Python waits for the thread at its end, so that nothing is torn down under it.
    """

    def __init__(self, work: Callable[[Request], object]) -> None:
        self._work = work
        self._waiting: list[Request] = []  # one at most
        self._busy = False
        self._changed = threading.Condition()

    def ask(self, request: Request) -> None:
        """Do this next, in place of what waits."""
        with self._changed:
            self._waiting = [request]
            if not self._busy:
                self._busy = True
                threading.Thread(target=self._run).start()

    def forget(self) -> None:
        """Drop what waits; what was begun is ended."""
        with self._changed:
            self._waiting = []

    def join(self, timeout: float | None = None) -> bool:
        """Wait until nothing waits and nothing is under way, so many seconds at most; whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._busy, timeout)

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._busy = False
                    self._changed.notify_all()
                    return
                request = self._waiting.pop()
            self._work(request)
            del request  # or it would be kept until the next one
