"""The command `vgglab wall`: a page of the runs in a folder, and one that follows what is handed in."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from vgglab.errors import InputError
from vgglab.files import expanded, readable
from vgglab.share.wall import read_wall, run_files

LOOK = 2.0  # seconds between two looks at the folder
REFRESH = 5  # seconds after which the page on the projector loads itself anew


def write_wall(folder: Path, out: Path, *, watch: bool = False) -> int:
    """Write the page of a folder's runs to `out`, and again whenever they change while it is watched; exit code 0."""
    folder, out = expanded(folder), expanded(out)
    if out.suffix not in (".html", ".htm"):
        raise InputError(f"`--out` must be a file whose name ends in .html. Received: {readable(out)}.")
    seen = None
    try:
        while True:
            now = _state(folder)
            if now != seen:
                _write(folder, out, REFRESH if watch else None)
                seen = now
            if not watch:
                return 0
            time.sleep(LOOK)
    except KeyboardInterrupt:  # is how watching ends
        return 0


def _write(folder: Path, out: Path, refresh: int | None) -> None:
    # Here, not at the top: they load Matplotlib and pandas.
    from vgglab.share.wall_page import save_wall

    found = read_wall(folder)
    for problem in found.problems:
        print(f"Warning: {problem}", file=sys.stderr)
    save_wall(found, f"Class wall: {readable(folder.resolve().name)}", out, refresh)
    count = len(found.table)
    print(f"Written to {readable(out)}: {count} {'run' if count == 1 else 'runs'}.", flush=True)


def _state(folder: Path) -> list[tuple[Path, int, int]]:
    """What says that a run has come, gone or changed."""
    state = []
    for path in run_files(folder) if folder.is_dir() else []:  # `read_wall` says that there is none
        try:
            found = path.stat()
        except OSError:  # gone since
            continue
        state.append((path, found.st_mtime_ns, found.st_size))
    return state
