"""The folder of a sweep: each of its runs in a folder of its own, and at the end the table and its picture."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from vgglab.combinations import in_effect, with_whole_paths
from vgglab.errors import InputError, shown
from vgglab.experiment import Experiment
from vgglab.files import expanded, is_part, readable
from vgglab.share.again import never_began
from vgglab.share.shelf import delete
from vgglab.share.store import RECORD, StoredRun, check_place, is_going_on, locked, read_run

TABLE, PICTURE = "sweep.csv", "sweep.png"
_HIDDEN = re.compile(r"\.[0-9a-f]{16}(\..*)?", re.DOTALL)  # what a killed process left of a run, or of a look


def same_run(experiment: Experiment) -> Experiment:
    """What two records of one run agree in, wherever they were made."""
    return in_effect(with_whole_paths(experiment))


class SweepFolder:
    """A folder with the runs of a sweep; `open` makes one.

    A run is found by what its record says, not by its name: what was run stays run when the sweep gets further
    settings, or an experiment one more field.
    """

    def __init__(self, path: Path, found: Mapping[Experiment, StoredRun]) -> None:
        self.path, self._found = path, dict(found)
        self._last = max([0, *(_number(each.name) for each in path.iterdir())])
        self._places: dict[Experiment, Path] = {}

    @classmethod
    @contextmanager
    def open(cls, path: str | os.PathLike, planned: Sequence[Experiment]) -> Iterator[SweepFolder]:
        """The folder for these runs, new or that of an earlier call, for this process alone until the block ends.

        `InputError` where there can be none, where it holds something else, or runs that are not among these.
        """
        if not isinstance(path, (str, os.PathLike)):
            raise InputError(f"`out` must be the path of a folder. Received: {shown(path)}.")
        place = expanded(path).absolute()
        if not os.path.lexists(place):
            check_place(place).mkdir(parents=True)
        if not place.is_dir():
            raise InputError(f"`out` must be a folder. Received: {readable(place)}, which is none.")
        if is_going_on(place):
            raise InputError(
                f"Another sweep goes on in {readable(place)}. Wait for its end, or name another folder."
            )
        with locked(place):
            yield cls(place, _runs_in(place, planned))

    def finished(self, experiment: Experiment) -> StoredRun | None:
        """The run of an experiment that is done."""
        found = self._found.get(same_run(experiment))
        return found if found and found.is_finished else None

    def begun(self, experiment: Experiment) -> StoredRun | None:
        """The run of an experiment that was cut short."""
        found = self._found.get(same_run(experiment))
        return None if found is None or found.is_finished else found

    def place(self, experiment: Experiment) -> Path:
        """Where the run of an experiment stands, or will."""
        key = same_run(experiment)
        if key not in self._places:
            found = self._found.get(key)
            if found is None:
                self._last += 1
            self._places[key] = found.path if found else self.path / f"run-{self._last}"
        return self._places[key]

    def receive(self, experiment: Experiment, files: Mapping[str, bytes]) -> None:
        """Put the files of a run that was made elsewhere into its folder, all of them at once."""
        place = self.place(experiment)
        aside = place.with_name(f".{secrets.token_hex(8)}.{place.name}")
        aside.mkdir()
        try:
            for name, content in files.items():
                (aside / name).write_bytes(content)
            if place.exists():  # of a run that was cut short here, and was begun anew there
                delete(place)
            aside.rename(place)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise


def _number(name: str) -> int:
    found = re.fullmatch(r"run-([0-9]{1,9})", name)
    return int(found[1]) if found else 0


def _runs_in(folder: Path, planned: Sequence[Experiment]) -> dict[Experiment, StoredRun]:
    """The runs of a sweep's folder, each of which must be planned; what was killed as it began is taken away."""
    keys = {same_run(each) for each in planned}
    found: dict[Experiment, StoredRun] = {}
    for entry in sorted(folder.iterdir(), key=lambda each: (_number(each.name), each.name)):
        if entry.name in (TABLE, PICTURE) or is_part(entry):
            continue
        if _HIDDEN.fullmatch(entry.name):
            _remove(entry)
            continue
        if not entry.is_dir():
            raise _other(folder, entry)
        if not (entry / RECORD).is_file():
            if not (_number(entry.name) and never_began(entry)):
                raise _other(folder, entry)
            delete(entry)
            continue
        stored = read_run(entry)
        key = same_run(stored.experiment)
        if key not in keys:
            raise InputError(
                f"{readable(folder)} holds a run that is not of this sweep, {readable(entry.name)}: "
                f"{stored.experiment!r}. Name another folder, or sweep over its settings as well."
            )
        found.setdefault(key, stored)
    return found


def _remove(entry: Path) -> None:
    with suppress(OSError):
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink()


def _other(folder: Path, entry: Path) -> InputError:
    return InputError(
        f"{readable(folder)} holds something else than a sweep, such as {readable(entry.name)}. "
        "`out` must name a new folder, or that of this sweep."
    )
