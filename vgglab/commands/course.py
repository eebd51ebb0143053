"""The command `vgglab course`: the lessons in a folder of one's own, brought up to date, or run without a person."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from vgglab.course.copying import (
    FIRST_NOTEBOOK,
    NEWER,
    UPDATED,
    State,
    beside,
    checkout,
    compare,
    copy,
    course_folder,
    is_checkout,
    update,
    usual_folder,
)
from vgglab.errors import InputError, shown
from vgglab.files import expanded, readable


def add_course(commands: Any) -> None:
    """Add the command to those of the command line."""
    parser = commands.add_parser(
        "course",
        help="copy the lessons to a folder, bring that up to date, or run them without a person",
        description="Copy the lessons to a folder. What is there already stays as it is. With --update, say what a "
        "newer version of the course would change there; with --update --yes, change it: files that you have not "
        "changed are replaced, and beside those that you have changed, the newer version is written under another "
        "name. With --run, run the lessons from top to bottom instead; that changes no file of theirs.",
        epilog="Ends with 0 when all went well, with 1 when a lesson failed, and with 2 after an error.",
        allow_abbrev=False,
    )
    parser.set_defaults(run=_course)
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        metavar="DIR",
        help="where the lessons go, or are (default: the present folder if it is empty or has them, otherwise "
        "'vgglab-course' in it; with --run: those that are installed)",
    )
    parser.add_argument(
        "--update", action="store_true", help="say what a newer version of the course would change"
    )
    parser.add_argument("--yes", action="store_true", help="with --update: change it")
    parser.add_argument(
        "--run", dest="headless", action="store_true", help="run the lessons, say how long each took"
    )
    parser.add_argument(
        "--lessons", metavar="NUMBERS", help="with --run: only these, such as 00,08 (default: all of them)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="with --run: write the lessons with results there"
    )
    parser.add_argument(
        "--html", type=Path, metavar="FOLDER", help="with --run: write pages there that open without a server"
    )
    parser.add_argument(
        "--jobs", type=int, metavar="NUMBER", help="with --run: lessons at a time (default: one a core)"
    )


def lessons_for(folder: Path | None) -> tuple[Path, str]:
    """The folder to serve, and the first lesson as it is named in there; the lessons are copied where they lack."""
    if folder is None and is_checkout():
        return checkout(), f"notebooks/{FIRST_NOTEBOOK}"
    folder = expanded(folder) if folder else usual_folder()
    copy(folder)
    if newer := _newer(folder):
        told = f"The course has a newer version of {newer} files in {readable(folder.absolute())}."
        print(f"{told} `vgglab course {readable(folder)} --update` says which.", file=sys.stderr)
    return folder, FIRST_NOTEBOOK


def _newer(folder: Path) -> int:
    return sum(state in NEWER for state in compare(folder).values())


def _course(options: argparse.Namespace, rest: list[str]) -> int:
    asked = {f"--{name}": getattr(options, name) for name in ("lessons", "out", "html", "jobs")}
    alone = [name for name, value in asked.items() if value is not None and not options.headless]
    if alone:
        raise InputError(f"`{alone[0]}` belongs to `--run`, which is missing.")
    if options.headless and options.update:
        raise InputError("`--run` and `--update` are two things: give one of them.")
    if options.yes and not options.update:
        raise InputError("`--yes` belongs to `--update`, which is missing.")
    if options.headless:
        return _run(options)
    folder = expanded(options.folder) if options.folder else usual_folder()
    return _update(folder, agreed=options.yes) if options.update else _copy(folder)


def _copy(folder: Path) -> int:
    written = copy(folder)
    print(
        f"Copied to {readable(folder.absolute())}: {len(written)} files. Those that were there stay as they are."
    )
    if newer := _newer(folder):
        print(f"The course has a newer version of {newer} of them. `--update` says which.")
    print(f"Open the lessons with: vgglab lab --folder {readable(folder)}")
    return 0


def _update(folder: Path, *, agreed: bool) -> int:
    if not folder.is_dir():
        raise InputError(f"`--update` needs a folder that has the course. There is none: {readable(folder)}.")
    states = compare(folder)
    told = {
        State.MISSING: "is written",
        State.OLDER: "is replaced",
        State.BOTH: "stays as it is; the newer version is written to {beside}",
        State.YOURS: "stays as it is",
    }
    for name, state in states.items():
        if state in told:
            print(f"{name}: {state.value}; {told[state].format(beside=beside(folder, name))}.")
    if not any(state in UPDATED for state in states.values()):
        print("There is nothing newer.")
    elif agreed:
        print(f"Written: {len(update(folder))} files.")
    else:
        print("Nothing has been changed yet. `--update --yes` does it.")
    return 0


def _run(options: argparse.Namespace) -> int:
    from vgglab.course.running import report, run_all, write_index

    jobs = options.jobs if options.jobs is not None else os.cpu_count() or 1
    if jobs < 1:
        raise InputError(f"`--jobs` must be 1 or more. Received: {jobs}.")
    if options.out and options.html:
        raise InputError("`--out` and `--html` are two things: give one of them.")
    notebooks = _chosen(expanded(options.folder) if options.folder else course_folder(), options.lessons)
    with tempfile.TemporaryDirectory() as nowhere:
        folder = expanded(options.html or options.out or Path(nowhere))
        failed = report(run_all(notebooks, folder, jobs, "html" if options.html else "notebook"))
        if options.html:
            write_index(notebooks, folder)
            print(f"Open {readable(folder / 'index.html')}.")
    return 1 if failed else 0


def _chosen(folder: Path, lessons: str | None) -> list[Path]:
    """The notebooks of a folder whose numbers are named, all of them where none is."""
    there = {path.stem[:2]: path for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))}
    if not there:
        raise InputError(
            f"There are no lessons in {readable(folder)}. `vgglab course DIR` copies them to a folder."
        )
    if lessons is None:
        return list(there.values())
    numbers = [number.strip().zfill(2) for number in lessons.split(",")]
    for number in numbers:
        if number not in there:
            raise InputError(
                f"`--lessons` must be numbers of lessons with commas between, from {min(there)} to {max(there)}. "
                f"Received: {shown(lessons)}."
            )
    return [there[number] for number in dict.fromkeys(numbers)]
