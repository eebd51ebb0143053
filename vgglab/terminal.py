"""The terminal of a command: what it prints may get lost, and what asks it to stop loses nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, TextIO, cast

from vgglab.engine.control import Control, Stopped
from vgglab.files import why_not

# Ctrl-C, what a service manager or a cluster sends, and the end of the terminal or the connection.
ASKING_TO_STOP = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
INTERRUPTED = 130  # the exit code after any of them, whether anything was kept or not


class Output:
    """A text stream that nothing written to ever fails on.

    A character that its encoding lacks is written as an escape. When the stream cannot be written to, `error` says
    why, and all that comes later is dropped: a full disk or the end of `| head` is no reason to end a training.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with self._forgiven():
            try:
                self._stream.write(text)
            except UnicodeEncodeError:
                encoding = self._stream.encoding
                self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        return len(text)

    def flush(self) -> None:
        with self._forgiven():
            self._stream.flush()

    @contextmanager
    def _forgiven(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.error = self.error or error
            # What is left in the buffer goes nowhere from now on, and Python does not fail on it when it ends.
            with contextlib.suppress(OSError), open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), self._stream.fileno())


@contextmanager
def speaking() -> Iterator[Callable[[], OSError | None]]:
    """Within, whatever is printed may get lost and nothing ends for it; at the end one sentence says so.

    Gives what tells why something was lost. That the reader of a pipe had enough is no loss, and no sentence.
    """
    before = sys.stdout, sys.stderr
    output, errors = (
        Output(stream) if stream else None for stream in before
    )  # without a terminal there is none
    sys.stdout, sys.stderr = cast(TextIO, output), cast(TextIO, errors)

    def lost() -> OSError | None:
        return None if output is None or isinstance(output.error, BrokenPipeError) else output.error

    try:
        yield lost
    finally:
        for stream in filter(None, (output, errors)):
            stream.flush()
        if error := lost():
            print(f"vgglab: The output could not be written: {why_not(error)}.", file=sys.stderr)
        sys.stdout, sys.stderr = before


class Signals(Control):
    """The control of a run whose Stop is Ctrl-C, SIGTERM, or the closing of the terminal, within the block.

    Before `keep` is called there is nothing to lose, and they raise KeyboardInterrupt. From then on the run ends at its
    next `check`, and nothing is raised elsewhere, however often they come: neither while weights are put back nor
    while a file is written. A signal that was ignored before, as `nohup` has it, stays so.
    """

    def __init__(self) -> None:
        super().__init__()
        self.came = False
        self._keeping = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():  # no other is told of them
            for number in ASKING_TO_STOP:
                if signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self.came and not self._keeping and isinstance(error, Exception):
            raise KeyboardInterrupt from error  # an import that is broken off raises what it likes

    def _take(self, number: int, frame: FrameType | None) -> None:
        # No lock is taken here: the thread that runs this may hold it.
        self.came = True
        if not self._keeping:
            raise KeyboardInterrupt

    def keep(self) -> None:
        """From now on there is something to keep."""
        self._keeping = True
        if self.came:  # and whatever ran then has swallowed it
            raise KeyboardInterrupt

    def check(self) -> None:
        if self.came:
            raise Stopped
        super().check()
