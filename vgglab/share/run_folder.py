"""What writes the folder of a run (`vgglab.share.store`) while it goes on."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.files import expanded, is_part, readable, why_not, write_whole, written_whole
from vgglab.fit import Fit
from vgglab.history import History
from vgglab.share.store import CHECKPOINT, MODEL, RECORD, NoPlace, Taken, check_place, locked, read_run

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

    def __init__(self, path: Path, epochs: int = 0) -> None:
        self.path = path
        self._ahead = epochs  # of an earlier session, until the run is past them
        self._problems: dict[str, str] = {}  # by the file that could not be written
        self._file: BinaryIO | None = None
        self._size = 0
        self._rows: dict[str, int] = {}
        self._experiment: Experiment | Fit | None = None
        self._checkpoints, self._syncs = _Pace(), _Pace()

    @classmethod
    @contextlib.contextmanager
    def create(cls, path: str | os.PathLike) -> Iterator[RunFolder]:
        """A new folder for a new run, until the block ends; `InputError` where there can be none."""
        place = check_place(path)
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
        place = expanded(path)
        read_run(place)  # says what is wrong with it, before it is locked
        with locked(place):
            stored = read_run(place)
            epochs = len(stored.history.epochs)
            if stored.is_finished:
                raise InputError(
                    f"Nothing is left to do in {readable(place)}: the run ended after epoch {epochs}."
                )
            _remove_parts(place)
            with contextlib.closing(cls(place, epochs)) as folder:
                yield folder, stored.history, _read_checkpoint(place / CHECKPOINT)

    @property
    def problem(self) -> str:
        """What could not be written yet, in a sentence; "" when all is."""
        return " ".join(dict.fromkeys(self._problems.values()))

    def record(self, history: History) -> None:
        """Write what is new in the history, behind what was written.

        What an earlier session had written stays until the run has come past it.
        """
        if len(history.epochs) < self._ahead:
            return
        with self._noticed(RECORD):
            if self._file is None or history.experiment != self._experiment:
                self._rewrite(history)
            else:
                self._append(history.lines_after(self._rows))
            self._rows = history.rows()
            if self._file and self._syncs.due:
                with self._syncs.kept(lambda: SHARE_OF_SYNCS):
                    os.fsync(self._file.fileno())

    def _rewrite(self, history: History) -> None:
        path = self.path / RECORD
        write_whole(path, history.to_lines())
        if self._file:
            self._file.close()
        self._file = path.open("r+b")
        self._size, self._experiment, self._ahead = path.stat().st_size, history.experiment, 0

    def _append(self, lines: str) -> None:
        """Add whole lines; what an attempt that failed has left of some is written over."""
        assert self._file is not None
        data = lines.encode()
        self._file.seek(self._size)
        self._file.truncate()
        self._file.write(data)
        self._file.flush()
        self._size += len(data)

    def checkpoint(self, arrays: Callable[[], Arrays]) -> None:
        """Write a checkpoint if it is time for one.

        That is as often as writing takes 1.4 % of the run's time, 4.4 % where a checkpoint is over 32 MB: of a small
        network every second or two.
        """
        if not self._checkpoints.due:
            return
        path = self.path / CHECKPOINT
        with (
            self._noticed(CHECKPOINT),
            self._checkpoints.kept(lambda: _share(path)),
            written_whole(path) as beside,
            beside.open("wb") as file,
        ):
            np.savez(file, **arrays())  # type: ignore[arg-type]

    def save_model(self, save: Callable[[Path], object]) -> None:
        """Write the network; `save` is given where to."""
        with self._noticed(MODEL), written_whole(self.path / MODEL) as beside:
            save(beside)

    def conclude(self, history: History, *, finished: bool) -> None:
        """Write the record whole, in its final order; when the run is finished, no checkpoint stays."""
        if len(history.epochs) >= self._ahead:
            with self._noticed(RECORD):
                self._rewrite(history)
        if finished:
            self._problems.pop(CHECKPOINT, None)  # nobody needs it any more
            if not self._problems:
                with self._noticed(CHECKPOINT):
                    (self.path / CHECKPOINT).unlink(missing_ok=True)

    def discard(self) -> None:
        """Take the folder away: the run ended before there was anything to keep."""
        shutil.rmtree(self.path, ignore_errors=True)

    def close(self) -> None:
        if self._file:
            self._file.close()

    @contextlib.contextmanager
    def _noticed(self, name: str) -> Iterator[None]:
        try:
            yield
            self._problems.pop(name, None)
        except OSError as error:
            self._problems[name] = f"The run could not be written to {readable(self.path)}: {why_not(error)}."


def _remove_parts(folder: Path) -> None:
    """What an earlier session was killed in the middle of writing; the run is locked, so nobody is writing now."""
    for file in folder.iterdir():
        if is_part(file):
            file.unlink(missing_ok=True)


def _share(path: Path) -> float:
    return SHARE if not path.exists() or path.stat().st_size < LARGE else SHARE_OF_LARGE


def _read_checkpoint(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{readable(path)} is damaged ({error}), so the run cannot go on. Its record is whole: {RECORD}."
        ) from None
