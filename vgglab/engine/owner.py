"""Who may use Keras: one thread at a time, because its TensorFlow backend is not safe in several.

What builds, trains, times or saves a network does so in `alone`; a thread that has it may enter it again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vgglab.errors import InputError

PATIENCE = 1.0  # seconds, after which somebody who waits is told why
_PAUSE = 0.05  # seconds between two looks at whether the wait is still wanted
_KERAS = threading.RLock()
_WAITING = (
    "Another run has the network, so this waits for its end. "
    "To go on at once, interrupt this cell and stop that run."
)


@contextmanager
def alone(check: Callable[[], object] = lambda: None, say: Callable[[str], object] = print) -> Iterator[None]:
    """Keras for this thread until the block ends; waits for the thread that has it, and says so when it takes long.

    While it waits it calls `check` again and again, which may raise to give up.
    """
    start, told = time.monotonic(), False
    while not _KERAS.acquire(timeout=_PAUSE):
        check()
        if not told and time.monotonic() - start > PATIENCE:
            told = True
            say(_WAITING)
    try:
        yield
    finally:
        _KERAS.release()


@contextmanager
def alone_at_once(what: str) -> Iterator[None]:
    """The same for what must not wait, such as a click; `InputError` when a run has Keras. `what` names it."""
    if not _KERAS.acquire(blocking=False):
        raise InputError(
            f"{what} has to wait for the run in progress. Let it end, or stop it, and try again."
        )
    try:
        yield
    finally:
        _KERAS.release()
