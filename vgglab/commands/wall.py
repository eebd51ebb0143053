"""The command `vgglab wall`: a page of the runs in a folder, and one that follows what is handed in."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from vgglab.errors import InputError
from vgglab.files import expanded, readable, why_not
from vgglab.share.wall import read_wall, run_files

State = list[tuple[Path, int, int]]
LOOK = 2.0  # seconds between two looks at the folder
REFRESH = 5  # seconds after which the page on the projector loads itself anew


def write_wall(folder: Path, out: Path, *, watch: bool = False) -> int:
    """Write the page of a folder's runs to `out`, and again whenever they change while it is watched; exit code 0.

    `InputError` where that fails at the first look; at a later one it is said once, and watching goes on.
    """
    folder, out = expanded(folder), expanded(out)
    if out.suffix not in (".html", ".htm"):
        raise InputError(f"`--out` must be a file whose name ends in .html. Received: {readable(out)}.")
    try:
        seen = _look(folder, out, None, watch=watch)
        said = ""
        while watch:
            time.sleep(LOOK)
            # What was there a moment ago may be so again: a drive, a folder that is being replaced, a full disk.
            try:
                seen, problem = _look(folder, out, seen, watch=True), ""
            except InputError as error:
                problem = str(error)
            except OSError as error:
                problem = f"{readable(error.filename or out)} cannot be used: {why_not(error)}."
            if problem and problem != said:
                print(f"Warning: {problem} Still watching.", file=sys.stderr, flush=True)
            said = problem
    except KeyboardInterrupt:  # is how watching ends
        pass
    return 0


def _look(folder: Path, out: Path, seen: State | None, *, watch: bool) -> State:
    """Write the page if something has changed since the last look, and return what there is."""
    now = _state(folder)
    if now != seen:
        _write(folder, out, REFRESH if watch else None)
    return now


def _write(folder: Path, out: Path, refresh: int | None) -> None:
    # Here, not at the top: they load Matplotlib and pandas.
    from vgglab.share.wall_page import save_wall

    found = read_wall(folder)
    for problem in found.problems:
        print(f"Warning: {problem}", file=sys.stderr)
    save_wall(found, f"Class wall: {readable(folder.resolve().name)}", out, refresh)
    count = len(found.table)
    print(f"Written to {readable(out)}: {count} {'run' if count == 1 else 'runs'}.", flush=True)


def _state(folder: Path) -> State:
    """What says that a run has come, gone or changed."""
    state = []
    for path in run_files(folder):
        try:
            found = path.stat()
        except OSError:  # gone since
            continue
        state.append((path, found.st_mtime_ns, found.st_size))
    return state
