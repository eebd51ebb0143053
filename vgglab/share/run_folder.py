"""What writes the folder of a run (`vgglab.share.store`) while it goes on."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.files import expanded, is_part, readable, why_not, write_whole, written_whole
from vgglab.fit import Fit
from vgglab.history import History
from vgglab.share.store import (
    CHECKPOINT,
    MODEL,
    RECORD,
    NoPlace,
    Taken,
    check_is_run,
    check_place,
    locked,
    read_run,
)

# Of a run's time, so that all of it together takes no more than 2 %, or 5 % where a checkpoint is large.
SHARE_OF_SYNCS, SHARE = 0.004, 0.014
LARGE, SHARE_OF_LARGE = 32 * 2**20, 0.044  # bytes of a checkpoint from which on it may take more

Arrays = Mapping[str, np.ndarray]


class _Pace:
    """When something may be done again, so that it takes no more than a share of the time."""

    def __init__(self) -> None:
        self._next = -math.inf

    @property
    def due(self) -> bool:
        return time.monotonic() >= self._next

    @contextlib.contextmanager
    def kept(self, share: Callable[[], float]) -> Iterator[None]:
        start = time.monotonic()
        try:
            yield
        finally:
            now = time.monotonic()
            self._next = now + (now - start) / share()


class RunFolder:
    """The folder of a run that is going on; `create` and `reopen` make one.

    What cannot be written ends no training: it is tried again after the next epoch, and `problem` says what it is.
    """

    def __init__(self, path: Path, known: History | None = None) -> None:
        self.path = path
        self._was = path.stat()  # another folder of the same name is none of this run's
        self._ahead = len(known.epochs) if known else 0  # of an earlier session, until the run is past them
        self._problems: dict[str, str] = {}  # by the file that could not be written
        self._file: BinaryIO | None = None
        self._size = 0
        self._rows: dict[str, int] = {}
        self._experiment: Experiment | Fit | None = known.experiment if known else None
        self._checkpoints, self._syncs = _Pace(), _Pace()

    @classmethod
    @contextlib.contextmanager
    def create(cls, path: str | os.PathLike) -> Iterator[RunFolder]:
        """A new folder for a new run, until the block ends; `InputError` where there can be none."""
        place = check_place(path).absolute()
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.mkdir()
        except FileExistsError:
            raise Taken(place) from None
        except OSError as error:
            reason = why_not(error)
            raise NoPlace(f"`out` cannot be {readable(place)}: {reason}.", reason) from None
        with locked(place), contextlib.closing(cls(place)) as folder:
            yield folder

    @classmethod
    @contextlib.contextmanager
    def reopen(cls, path: str | os.PathLike) -> Iterator[tuple[RunFolder, History, dict[str, np.ndarray]]]:
        """The folder of a run that was cut short, its record and its checkpoint, until the block ends.

        `InputError` where there is none, where nothing is left to do, and where another process is at it.
        """
        place = expanded(path).absolute()
        check_is_run(place)  # what is not there cannot be locked
        with locked(place):
            stored = read_run(place)
            if stored.is_finished:
                raise InputError(
                    f"Nothing is left to do in {readable(place)}: "
                    f"the run ended after epoch {len(stored.history.epochs)}."
                )
            arrays = _read_checkpoint(place / CHECKPOINT)
            _remove_parts(place)
            known = replace(stored.history, epochs=[*stored.history.epochs])  # the other one is cut and grows
            with contextlib.closing(cls(place, known)) as folder:
                yield folder, stored.history, arrays

    @property
    def problem(self) -> str:
        """What could not be written yet, in a sentence; "" when all is."""
        return " ".join(dict.fromkeys(self._problems.values()))

    def is_behind(self, history: History) -> bool:
        """Whether an earlier session has written epochs that the run has still to make again."""
        # A run whose settings were changed meanwhile does not come past those epochs: it makes others.
        return len(history.epochs) < self._ahead and history.experiment == self._experiment

    def record(self, history: History) -> None:
        """Write what is new in the history, behind what was written.

        What an earlier session had written stays until the run has come past it, or goes another way.
        """
        if self.is_behind(history):
            return
        with self._noticed(RECORD):
            self._check_there()
            try:
                if self._file is None or history.experiment != self._experiment:
                    self._rewrite(history, history.growing_lines())
                else:
                    self._append(history.lines_after(self._rows))
            except OSError:
                self.close()  # it may be one that can never be written again: the next time is from the beginning
                raise
            self._rows = history.rows()
            if self._syncs.due:
                with self._syncs.kept(lambda: SHARE_OF_SYNCS):
                    self._sync()

    def _sync(self) -> None:
        if self._file:
            os.fsync(self._file.fileno())

    def _rewrite(self, history: History, lines: str) -> None:
        path = self.path / RECORD
        write_whole(path, lines)
        self.close()
        self._file = path.open("r+b", buffering=0)
        self._size, self._experiment, self._ahead = path.stat().st_size, history.experiment, 0

    def _append(self, lines: str) -> None:
        assert self._file is not None
        data = lines.encode()
        self._file.seek(self._size)
        if self._file.write(data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += len(data)

    def checkpoint(self, arrays: Callable[[], Arrays]) -> None:
        """Write a checkpoint if it is time for one, and never one that is ahead of the record.

        That is as often as writing takes 1.4 % of the run's time, 4.4 % where a checkpoint is over 32 MB: of a small
        network every second or two.
        """
        if not self._checkpoints.due or RECORD in self._problems:
            return
        path = self.path / CHECKPOINT
        with self._noticed(CHECKPOINT), self._checkpoints.kept(lambda: _share(path)):
            self._check_there()
            self._sync()
            with written_whole(path) as beside, beside.open("wb") as file:
                np.savez(file, **arrays())  # type: ignore[arg-type]

    def save_model(self, save: Callable[[Path], object]) -> None:
        """Write the network; `save` is given where to."""
        with self._noticed(MODEL):
            self._check_there()
            with written_whole(self.path / MODEL) as beside:
                save(beside)

    def conclude(self, history: History, *, finished: bool) -> None:
        """Write the record whole, in its final order; when the run is finished, no checkpoint stays."""
        if finished or not self.is_behind(history):
            with self._noticed(RECORD):
                self._check_there()
                self._rewrite(history, history.to_lines())
        if finished:
            self._problems.pop(CHECKPOINT, None)  # nobody needs it any more
            if not self._problems:
                with self._noticed(CHECKPOINT):
                    self._check_there()
                    (self.path / CHECKPOINT).unlink(missing_ok=True)

    def discard(self) -> None:
        """Take the folder away: the run ended before there was anything to keep."""
        with contextlib.suppress(OSError):
            self._check_there()
            shutil.rmtree(self.path)

    def close(self) -> None:
        if self._file:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    def _check_there(self) -> None:
        """An OSError where the folder was taken away, even if there is another one of its name."""
        if not os.path.samestat(self.path.stat(), self._was):
            raise FileNotFoundError(errno.ENOENT, "it is no longer the folder of this run", str(self.path))

    @contextlib.contextmanager
    def _noticed(self, name: str) -> Iterator[None]:
        try:
            yield
            self._problems.pop(name, None)
        except OSError as error:
            self._problems[name] = f"The run could not be written to {readable(self.path)}: {why_not(error)}."


def _remove_parts(folder: Path) -> None:
    """What an earlier session was killed in the middle of writing; the run is locked, so nobody is writing now."""
    with contextlib.suppress(OSError):
        for file in folder.iterdir():
            if is_part(file):
                file.unlink(missing_ok=True)


def _share(path: Path) -> float:
    return SHARE if not path.exists() or path.stat().st_size < LARGE else SHARE_OF_LARGE


def _read_checkpoint(path: Path) -> dict[str, np.ndarray]:
    if not path.exists():
        raise InputError(
            f"{CHECKPOINT} is missing in {readable(path.parent)}, so the run cannot go on. "
            f"Its record is whole: {RECORD}."
        )
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{readable(path)} is damaged ({error}), so the run cannot go on. Its record is whole: {RECORD}."
        ) from None
