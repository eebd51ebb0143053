"""A shelf: the folder in which the runs of dashboards stand, each in one of its own: run-1, run-2, ..."""

from __future__ import annotations

import math
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from vgglab.errors import InputError
from vgglab.files import expanded, readable, why_not, write_whole
from vgglab.history import History
from vgglab.share.store import (
    MODEL,
    RECORD,
    NoPlace,
    StoredRun,
    Taken,
    check_place,
    is_finished,
    is_going_on,
    locked,
    read_run,
)

# In a run's folder: what somebody has called it, what they have written of it, and whether they have pinned it.
NAME, NOTE, PINNED = "name.txt", "note.txt", "pinned"
LONGEST_NAME, LONGEST_NOTE = 200, 2000  # characters
ELSEWHERE = "running elsewhere"
_NUMBER = re.compile(r"run-([0-9]{1,9})(?![0-9])")  # also of what was exported of a run


@dataclass(frozen=True)
class Found:
    """What stands on a shelf: the runs that were read, in the order of their numbers, what is wrong with others, in a
    sentence each, and how many older ones were left."""

    runs: list[StoredRun]
    problems: list[str]
    older: int


class Shelf:
    """The runs in a folder, which is made with the first of them.

    `problem` says in a sentence why no run can be kept there now, and is "" where one can.
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        self.folder = expanded(folder).absolute()
        self._last = 0  # the highest number that was given here, so that none is given twice
        self.problem = ""
        try:
            check_place(self.folder / f"run-{self._next()}")
        except NoPlace as error:
            self._say(error)

    def newest(self, count: int) -> Found:
        """The runs that are pinned, and those that were written last; so many at most."""
        try:
            folders = sorted(
                filter(_is_of_run, self._entries()), key=lambda folder: (is_pinned(folder), _when(folder))
            )
        except OSError as error:
            return Found([], [f"The runs in {readable(self.folder)} cannot be read: {why_not(error)}."], 0)
        self._last = self._next() - 1  # what stands on a table is not numbered again when it is gone
        runs, problems = [], []
        for folder in sorted(folders[-count:], key=_in_order):
            try:
                runs.append(read_run(folder))
            except InputError as error:
                problems.append(str(error))
            except OSError as error:
                problems.append(f"{readable(folder)} cannot be read: {why_not(error)}.")
        return Found(runs, problems, max(0, len(folders) - count))

    def train(self, train: Callable[[Path | None], History]) -> tuple[History, Path]:
        """Have a run trained into a new folder, or into none where there can be none; returns where it would stand.

        A run without a finished epoch is not kept. Also where other processes write to the shelf, no two runs have one
        folder.
        """
        number = self._next()
        place = self.folder / f"run-{number}"
        try:
            history = train(place)
            self.problem = ""
            if not history.epochs or not any((place / name).is_file() for name in (RECORD, MODEL)):
                with suppress(InputError):
                    delete(place)
        except Taken:  # another process was quicker
            self._last = number
            return self.train(train)
        except NoPlace as error:
            self._say(error)
            history = train(None)
        if history.epochs:
            self._last = number
        return history, place

    def _say(self, error: NoPlace) -> None:
        self.problem = (
            f"Runs are not kept, because {readable(self.folder)} cannot be written: {error.reason}."
        )

    def _next(self) -> int:
        numbers = [self._last]
        with suppress(OSError):
            numbers += [int(found[1]) for each in self._entries() if (found := _NUMBER.match(each.name))]
        return max(numbers) + 1

    def _entries(self) -> list[Path]:
        return [*self.folder.iterdir()] if self.folder.is_dir() else []


def default_folder() -> Path:
    """Where a notebook's runs stand: in "runs" of the present folder, or $VGGLAB_RUNS, in a folder of its name.

    Outside a notebook, or where its name is unknown, that is "runs" or $VGGLAB_RUNS itself.
    """
    # The path of the notebook in Jupyter; to its name, VS Code adds a mark that is another one each time.
    name = Path(os.environ.get("JPY_SESSION_NAME", ""))
    notebook = name.stem.partition("-jvsc-")[0] if name.suffix == ".ipynb" else ""
    return runs_folder() / notebook


def runs_folder() -> Path:
    """$VGGLAB_RUNS, or "runs" in the present folder."""
    return Path(os.environ.get("VGGLAB_RUNS") or "runs")


def name_of(folder: Path) -> str:
    """What a run is called: what `rename` wrote, or "run 3" where the folder is run-3."""
    return _text_in(folder / NAME, LONGEST_NAME) or _NUMBER.sub(r"run \1", readable(folder.name))


def note_of(folder: Path) -> str:
    """What `write_note` wrote of a run; "" where nothing was."""
    return _text_in(folder / NOTE, LONGEST_NOTE)


def is_pinned(folder: Path) -> bool:
    """Whether `pin` has marked a run."""
    return os.path.isfile(folder / PINNED)


def rename(folder: Path, name: str) -> None:
    """Write a name into a run's folder; `InputError` where that cannot be."""
    with _said("The name", folder):
        write_whole(folder / NAME, name)


def write_note(folder: Path, text: str) -> None:
    """Write a note into a run's folder, in place of the one before; `InputError` where that cannot be."""
    with _said("The note", folder):
        write_whole(folder / NOTE, text)


def pin(folder: Path, on: bool) -> None:
    """Mark a run, which is then read before newer ones, or take the mark away; `InputError` where that cannot be."""
    with _said("The pin", folder):
        if on:
            write_whole(folder / PINNED, "")
        else:
            (folder / PINNED).unlink(missing_ok=True)


@contextmanager
def _said(what: str, folder: Path) -> Iterator[None]:
    """An `InputError` in place of what the system says when it cannot write."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{what} cannot be written to {readable(folder)}: {why_not(error)}.") from None


def _text_in(path: Path, longest: int) -> str:
    """The beginning of a text file; "" where there is none that can be read."""
    with suppress(OSError), path.open(encoding="utf-8", errors="replace") as file:
        return file.read(longest).strip()
    return ""


def state_of(folder: Path, history: History) -> str:
    """What keeps a run from being finished, in a word or two; "" where nothing is left to do."""
    if not folder.is_dir():
        return "gone"
    if is_finished(folder, history):
        return ""
    if is_going_on(folder):
        return ELSEWHERE
    return "stopped" if any(event["kind"] == "stopped" for event in history.events) else "interrupted"


def delete(folder: Path) -> None:
    """Take a run's folder away; one that is gone already is no error, and one that goes on is an `InputError`."""
    aside = folder.with_name(f".{secrets.token_hex(8)}.{folder.name}")
    try:
        with locked(folder):
            folder.rename(aside)  # all of it at once, so that no half of a run is found
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"{readable(folder)} cannot be deleted: {why_not(error)}.") from None
    shutil.rmtree(aside, ignore_errors=True)


def _is_of_run(folder: Path) -> bool:
    if folder.name.startswith(".") or not folder.is_dir():
        return False
    return bool(_NUMBER.fullmatch(folder.name)) or os.path.isfile(folder / RECORD)


def _when(folder: Path) -> float:
    """When a run was last written."""
    for path in (folder / RECORD, folder):
        with suppress(OSError):
            return path.stat().st_mtime
    return 0.0


def _in_order(folder: Path) -> tuple[float, str]:
    found = _NUMBER.fullmatch(folder.name)
    return int(found[1]) if found else math.inf, folder.name
