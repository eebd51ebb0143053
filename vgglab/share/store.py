"""The run store: a run is a folder that grows with it, so that whatever ends the process costs no finished epoch.

history.jsonl    the record: settings first, then every epoch when it is finished, and at last what the run ended with
checkpoint.npz   where the run goes on; there for as long as something is left to do
model.keras      the network, with the weights that count, once the run has ended or was stopped

Here is what a folder tells; `vgglab.share.run_folder` writes it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vgglab.errors import InputError, shown
from vgglab.experiment import Experiment
from vgglab.files import expanded, readable, why_not
from vgglab.fit import Fit
from vgglab.history import History

try:
    import fcntl
except ImportError:  # Windows: two processes are not kept from going on with one run
    fcntl = None  # type: ignore[assignment]

RECORD, CHECKPOINT, MODEL = "history.jsonl", "checkpoint.npz", "model.keras"


class NoPlace(InputError):
    """There can be no folder for a new run; `reason` says why not, in the middle of a sentence."""

    def __init__(self, sentence: str, reason: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class Taken(NoPlace):
    """There is something already."""

    def __init__(self, place: Path) -> None:
        super().__init__(
            f"{readable(place)} exists already; `out` must name a new folder.", "it exists already"
        )


@dataclass(frozen=True)
class StoredRun:
    """A run as its folder has it; `is_finished` says whether nothing is left to do."""

    path: Path
    history: History
    is_finished: bool

    @property
    def experiment(self) -> Experiment:
        """What it would go on with; `InputError` where vgglab did not set it up."""
        if isinstance(self.history.experiment, Fit):
            raise InputError(
                f"{readable(self.path)} holds a fit that vgglab did not set up, and cannot go on."
            )
        return self.history.experiment

    @property
    def present(self) -> Experiment:
        """The phase that it goes on in, with the epochs of the whole run."""
        phases, rows = self.experiment.phases, self.history.epochs
        number = rows[-1]["phase"] if rows else 1
        if number < len(phases) and sum(row["phase"] == number for row in rows) == phases[number - 1].epochs:
            number += 1
        return replace(phases[number - 1], epochs=self.experiment.planned_epochs)


def read_run(path: str | os.PathLike) -> StoredRun:
    """The run in a folder; `InputError` says what is wrong with it."""
    place = expanded(path)
    check_is_run(place)
    history = History.load(place / RECORD)
    return StoredRun(place, history, is_finished(place, history))


def check_is_run(place: Path) -> None:
    """`InputError` where there is no folder of a run."""
    if not (place / RECORD).is_file():
        what = f"it has no {RECORD}" if place.is_dir() else "there is no such folder"
        raise InputError(f"{readable(place)} is not the folder of a run: {what}.")


def is_finished(folder: Path, history: History) -> bool:
    """Whether nothing is left to do: the record is at its end, and there is nothing to go on from."""
    last = len(history.experiment.phases)
    at_end = any(row["phase"] == last for row in history.layers) and not history.was_cut_short
    diverged = any(event["kind"] == "diverged" for event in history.events)
    return (at_end or diverged) and not (folder / CHECKPOINT).exists()


def check_place(path: str | os.PathLike) -> Path:
    """Where a new run goes; `InputError` before it when it could not be written there."""
    place = expanded(path)
    try:
        os.lstat(place)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:  # a name that no file can have
        reason = why_not(error) if isinstance(error, OSError) else str(error)
        raise NoPlace(f"`out` cannot be {readable(place)}: {reason}.", reason) from None
    else:
        raise Taken(place)
    above = next(each for each in place.absolute().parents if os.path.lexists(each))
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        reason = "no new folder may be made there" if above.is_dir() else "it is no folder"
        raise NoPlace(f"`out` cannot be in {readable(above)}: {reason}. Received: {readable(path)}.", reason)
    return place


def check_same(known: History, now: History, origin: str) -> None:
    """`InputError` with the difference when a run would go on with other settings, images or labels."""
    check_settings(known.experiment, now.experiment, origin)
    then, asked = (
        {name: value for name, value in each.data.items() if name not in ("name", "skipped")}
        for each in (known, now)
    )
    asked = {name: value for name, value in asked.items() if name in then}  # an older record says less
    different = _differences(then, asked, " of the images")
    if different:
        # The fingerprint says least, so it counts only where nothing else differs.
        named = [each for each in different if "fingerprint" not in each] or ["images or labels are others"]
        raise _changed(origin, named)


def check_settings(then: Experiment | Fit, now: Experiment | Fit, origin: str) -> None:
    """`InputError` with the difference when a run would go on with other settings."""
    different = _differences(then.to_dict(), now.to_dict())
    if different:
        raise _changed(origin, different)


def _differences(then: Mapping[str, Any], now: Mapping[str, Any], of: str = "") -> list[str]:
    return [
        f"`{name}`{of} was {shown(then.get(name))} and is {shown(value)}"
        for name, value in now.items()
        if then.get(name) != value
    ]


def _changed(origin: str, different: list[str]) -> InputError:
    return InputError(f"The run in {origin} can only go on as it began, but {'; '.join(different)}.")


def is_going_on(folder: Path) -> bool:
    """Whether a run is being trained into the folder, by whichever process."""
    if fcntl is None:
        return False
    try:
        with _lock(folder, fcntl.LOCK_SH):  # two that ask at once must not take each other for the run
            return False
    except BlockingIOError:
        return True
    except OSError:  # gone, or another user's
        return False


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """The folder for one run alone; the system gives it back when the process ends, however it does.

    `InputError` where a run goes on in it.
    """
    with contextlib.ExitStack() as lock:
        if fcntl is not None:
            try:
                lock.enter_context(_lock(folder, fcntl.LOCK_EX))
            except BlockingIOError:
                raise InputError(f"The run in {readable(folder)} is going on already.") from None
            except PermissionError as error:
                raise InputError(f"{readable(folder)} cannot be used: {why_not(error)}.") from None
        yield


@contextlib.contextmanager
def _lock(folder: Path, how: int) -> Iterator[None]:
    """A lock on a folder; BlockingIOError where another stands in its way."""
    lock = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, how | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except (
            OSError
        ):  # a file system without locks, as on Windows; NFS is one, because a folder is only read
            pass
        yield
    finally:
        os.close(lock)
