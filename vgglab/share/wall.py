"""The class wall: the runs that a group has handed in, one row each."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from vgglab.errors import InputError
from vgglab.files import expanded, is_part, readable, why_not
from vgglab.fit import Fit
from vgglab.history import History
from vgglab.share.card import load_card
from vgglab.share.link import code_of
from vgglab.share.shelf import name_of
from vgglab.share.store import RECORD

COLUMNS = ("name", "validation", "train", "gap", "test", "epoch", "epochs", "images", "settings", "file")
MARK = (
    '<meta name="generator" content="vgglab wall">'  # of a page that is a wall, and none of the runs on one
)


@dataclass(frozen=True)
class Wall:
    """What a folder holds: `table` as `wall` returns it, and what is wrong with the files left out, a sentence each."""

    table: pd.DataFrame
    problems: list[str]


def wall(folder: str | os.PathLike) -> pd.DataFrame:
    """The runs in a folder and in the folders in it, one row each: run cards, records and folders of runs.

    `validation`, `train` and `gap` are those of the `epoch` whose weights the run ended with, and `test` is NaN where
    there was no test part; all are fractions, 0 to 1. `settings` is what `experiment_of` takes. A run that is there
    twice, as its folder and as its card, has one row. A warning names each file that is no run; `InputError` where
    there is no such folder.
    """
    found = read_wall(folder)
    for problem in found.problems:
        warnings.warn(problem, stacklevel=2)
    return found.table


def read_wall(folder: str | os.PathLike) -> Wall:
    """The runs in a folder, and what is wrong with the files that are none; `InputError` as from `run_files`."""
    place = expanded(folder)
    rows, problems, seen = [], [], set()
    for path in run_files(place):
        try:
            history = _read(path)
        except InputError as error:  # it names the file
            problems.append(f"Left out: {error}")
            continue
        except OSError as error:
            problems.append(f"Left out: {readable(path)} cannot be read: {why_not(error)}.")
            continue
        try:
            row = _row(history, name=_name(path, place), file=readable(path.relative_to(place)))
        except InputError as error:
            problems.append(f"Left out: {readable(path)}. {error}")
            continue
        record = history.to_lines()
        if record not in seen:
            seen.add(record)
            rows.append(row)
    return Wall(pd.DataFrame(rows, columns=list(COLUMNS)), problems)


def run_files(folder: Path) -> list[Path]:
    """The cards and records in a folder and in the folders in it, the records of run folders among them, by name.

    A folder in it that cannot be listed stands among them itself. None is there twice: of a file that links lead to as
    well, the path without a link is taken. `InputError` where there is no folder, or where it cannot be listed.
    """
    try:
        if not folder.is_dir():
            raise InputError(
                f"A wall is made of a folder of run cards and runs. There is no folder at {readable(folder)}."
            )
        entries = _entries(folder)
    except OSError as error:
        raise InputError(f"{readable(folder)} cannot be read: {why_not(error)}.") from None
    found: list[Path] = []
    for path in entries:
        try:
            found += [*_runs_at(path)] or _runs_within(path)
        except OSError:
            found.append(path)  # its reader will say why
    return _each_once(found, folder)


def _runs_within(path: Path) -> list[Path]:
    return [run for each in _entries(path) for run in _runs_at(each)] if path.is_dir() else []


def _each_once(paths: list[Path], folder: Path) -> list[Path]:
    """The paths without those that links make lead to a file once more."""
    top = os.path.realpath(folder)
    taken: dict[str, Path] = {}
    for path in paths:
        file = os.path.realpath(path)
        if file not in taken or file == os.path.join(top, path.relative_to(folder)):
            taken[file] = path
    kept = set(taken.values())
    return [path for path in paths if path in kept]


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, without what is hidden and what is being written."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith(".") and not is_part(path))


def _runs_at(path: Path) -> Iterator[Path]:
    """The file that a run is in, if it is one of a run: the path itself, or the record in it."""
    if (path / RECORD).is_file():
        yield path / RECORD
    elif path.suffix in (".jsonl", ".html", ".htm") and path.is_file() and not _is_wall(path):
        yield path


def _read(path: Path) -> History:
    """The run at one of `run_files`; `InputError` or `OSError` says what is wrong with it."""
    if path.is_dir():
        _entries(path)  # says why it cannot be listed
    return History.load(path) if path.suffix == ".jsonl" else load_card(path)


def _is_wall(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return MARK.encode() in file.read(500)
    except OSError:
        return False  # its reader will say so


def _name(path: Path, folder: Path) -> str:
    """What a run is called: its file without the suffix, or what its folder is called; after the folder it lies in."""
    is_folder = path.name == RECORD and path.parent != folder
    name = name_of(path.parent) if is_folder else readable(path.stem)
    inside = path.parent.parent if is_folder else path.parent
    return name if inside == folder else f"{readable(inside.name)}: {name}"


def _row(history: History, **named: str) -> dict[str, Any]:
    """`InputError` where a run has no result, or none that may stand beside accuracies."""
    kept, metric = history.kept, history.metric
    if not metric.is_share:
        raise InputError(f"It has no accuracy: what was measured is {metric.name or 'nothing of the kind'}.")
    return dict(
        named,
        validation=kept["validation_accuracy"],
        train=kept["train_accuracy"],
        gap=kept["gap"],
        test=history.test["accuracy"] if history.test else float("nan"),
        epoch=kept["epoch"],
        epochs=len(history.epochs),
        images=history.data.get("name", ""),
        settings=_settings(history),
    )


def _settings(history: History) -> str:
    if isinstance(history.experiment, Fit):
        return "unknown: vgglab did not set this fit up"
    try:
        return code_of(history.experiment)
    except InputError as error:  # of very many phases
        return str(error)
