"""Files to take away: all of a run's or none, and never in place of a file that says something else."""

from __future__ import annotations

import itertools
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from vgglab.files import link_new
from vgglab.share.model_file import MEMBER

Makers = Mapping[str, Callable[[Path], object]]  # by suffix, what writes the file to a path


@dataclass
class Placed:
    """The names of the files that were `written`, and of those that were `there` and said the same."""

    written: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)

    def add(self, other: Placed) -> None:
        self.written += other.written
        self.there += other.there

    def said(self, folder: Path) -> str:
        """Both in words; "" where there are none."""
        written = f"Written to {folder}: {', '.join(self.written)}." if self.written else ""
        there = f"Already in {folder}, with the same content: {', '.join(self.there)}." if self.there else ""
        return f"{written} {there}".strip()


def place(makers: Makers, folder: Path, stems: Iterable[str]) -> tuple[str, Placed]:
    """Write a file for each suffix, under the first stem that no file of other content has; that stem is returned.

    A file that says the same is left as it is. Also where other processes write to the folder, nothing is replaced.
    Where one of the files cannot be made or written, none is there, and what went wrong is raised.
    """
    with TemporaryDirectory(prefix=".vgglab-", dir=folder) as beside:
        made = {suffix: Path(beside, f"file{suffix}") for suffix in makers}
        for suffix, make in makers.items():
            make(made[suffix])
        for stem in stems:
            placed = _placed(made, folder, stem)
            if placed is not None:
                return stem, placed
    raise AssertionError("There is always one more stem.")


def _placed(made: Mapping[str, Path], folder: Path, stem: str) -> Placed | None:
    """All the files under a stem; None, and nothing written, where one of the names is another's."""
    placed = Placed()
    try:
        for suffix, file in made.items():
            name = f"{stem}{suffix}"
            if _say_the_same(file, folder / name):
                placed.there.append(name)
            else:
                link_new(file, folder / name)
                placed.written.append(name)
    except OSError as error:
        for name in placed.written:
            (folder / name).unlink(missing_ok=True)
        if isinstance(error, FileExistsError):
            return None
        raise
    return placed


def numbered(name: str, form: str) -> Iterator[str]:
    """`name`, and what `form` makes of it with 2, 3, ..."""
    return itertools.chain([name], (form.format(name, number) for number in itertools.count(2)))


def holds(path: Path, content: bytes) -> bool:
    """Whether a file is there, can be read, and holds just that."""
    try:
        return path.is_file() and path.read_bytes() == content
    except OSError:
        return False


def _say_the_same(one: Path, other: Path) -> bool:
    try:
        return other.is_file() and _content(one) == _content(other)
    except (OSError, zipfile.BadZipFile):  # what cannot be read is another's
        return False


def _content(path: Path) -> object:
    """What a file says; of a saved network its weights and its usage, because the rest says when it was saved."""
    if path.suffix == ".keras" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as parts:
            return {
                each.filename: each.CRC
                for each in parts.infolist()
                if each.filename.endswith((".h5", MEMBER))
            }
    return path.read_bytes()
