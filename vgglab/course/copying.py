"""The course in a folder of one's own: copied there, and brought up to date without losing what was written into it.

A list in the folder keeps the hash of each file as it was copied. A file that still has it has not been changed since.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Collection
from enum import Enum
from pathlib import Path, PurePosixPath

import vgglab
from vgglab.errors import InputError
from vgglab.files import expanded, readable, write_whole

FIRST_NOTEBOOK = "00_start_here.ipynb"
LIST = ".vgglab-course.json"
# Named, so that what somebody has run or written in a checkout's folder is not copied to others.
_FILES = ("README.md", "*.ipynb", "checks/*.py", "sheets/*.html")
SUBFOLDER = "vgglab-course"  # where the course goes when the present folder holds other things


class State(Enum):
    """How a file of the course stands in a folder; the value says it to people."""

    MISSING = "not there"
    SAME = "up to date"
    OLDER = "an older version that you have not changed"
    YOURS = "changed by you"
    BOTH = "changed by you, and the course has a newer version"


NEWER = (State.OLDER, State.BOTH)  # the course has a newer version
UPDATED = (State.MISSING, *NEWER)  # an update writes something


def course_folder() -> Path:
    """Where the notebooks are: inside the installed package, in a checkout beside it; `InputError` where in neither."""
    places = [Path(__file__).parent / "notebooks", checkout() / "notebooks"]
    found = next((place for place in places if (place / FIRST_NOTEBOOK).is_file()), None)
    if found is None:
        raise InputError(
            f"The notebooks are neither at {readable(places[0])} nor at {readable(places[1])}. Install vgglab again."
        )
    return found


def checkout() -> Path:
    """The folder that the package lies in: the top of the project where this is a checkout."""
    return Path(__file__).parents[2]


def is_checkout() -> bool:
    """Whether the lessons are edited in their place, so that nobody needs a copy."""
    return (checkout() / "notebooks" / FIRST_NOTEBOOK).is_file()


def files_of_course() -> dict[str, Path]:
    """Every file of the course, by its name in the folder of the course, with "/" on every system."""
    folder = course_folder()
    found = [path for pattern in _FILES for path in folder.glob(pattern)]
    return {path.relative_to(folder).as_posix(): path for path in sorted(found)}


def usual_folder() -> Path:
    """The present folder when it is empty or has the course already; otherwise a folder in it."""
    here = Path()
    if (here / LIST).is_file() or not any(here.iterdir()):
        return here
    return here / SUBFOLDER


def compare(folder: Path) -> dict[str, State]:
    """How each file of the course stands in a folder."""
    noted = _noted(folder)
    return {name: _state(path, folder / name, noted.get(name)) for name, path in files_of_course().items()}


def copy(folder: Path) -> list[str]:
    """Write the files of the course that a folder lacks, and leave all others alone; returns their names."""
    return _write(folder, (State.MISSING,))


def update(folder: Path) -> list[str]:
    """Write what is missing or older, and a newer version beside what was changed (`beside`); returns their names."""
    return _write(folder, UPDATED)


def beside(folder: Path, name: str) -> str:
    """Under which name, that nothing in the folder has, the newer version of a changed file is written."""
    path, mark = PurePosixPath(name), vgglab.__version__
    for again in itertools.count(2):
        free = str(path.with_name(f"{path.stem}.{mark}{path.suffix}"))
        if not (folder / free).exists():
            break
        mark = f"{vgglab.__version__}-{again}"
    return free


def _write(folder: Path, states: Collection[State]) -> list[str]:
    folder = expanded(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"The course is copied to a folder. Received a file: {readable(folder)}.")
    written = {name: state for name, state in compare(folder).items() if state in states}
    files = files_of_course()
    folder.mkdir(parents=True, exist_ok=True)
    # First, so that a copy which was cut short knows whose files those are that it has written.
    _note(folder, {name: _hash(files[name].read_bytes()) for name in written})
    names = {
        beside(folder, name) if state is State.BOTH else name: files[name] for name, state in written.items()
    }
    for name, path in names.items():
        (folder / name).parent.mkdir(exist_ok=True)
        write_whole(folder / name, path.read_text(encoding="utf-8"))
    return list(names)


def _state(course: Path, own: Path, noted: str | None) -> State:
    if not own.is_file():
        return State.MISSING
    new, here = _hash(course.read_bytes()), _hash(own.read_bytes())
    if here == new:
        return State.SAME
    if here == noted:
        return State.OLDER
    return State.YOURS if noted == new else State.BOTH


def _hash(content: bytes) -> str:
    """Of the text: Git and editors on Windows end lines in another way, and nobody has changed anything by that."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def _noted(folder: Path) -> dict[str, str]:
    """The hashes of what was copied; none where the list is missing or damaged: then every other file is somebody's."""
    try:
        noted = json.loads((folder / LIST).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, TypeError, KeyError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _note(folder: Path, hashes: dict[str, str]) -> None:
    noted = _noted(folder) | hashes
    write_whole(folder / LIST, json.dumps({"version": vgglab.__version__, "files": noted}, indent=1) + "\n")
