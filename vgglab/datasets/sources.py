"""Where images come from: a folder or a table of files, less the files that a list excludes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from vgglab.datasets.exclusion import without
from vgglab.datasets.groups import remarks_on
from vgglab.datasets.layout import FILE, FOLDER, Layout, lay_out
from vgglab.datasets.table import SUFFIXES, lay_out_table
from vgglab.errors import InputError
from vgglab.files import readable


def laid_out(place: Path, group: str | None, exclude: str | None) -> tuple[Path, Layout]:
    """The folder that paths count from, and which files are which images; no image is opened.

    `group` and `exclude` are those of `load`. `InputError` says what cannot be used, OSError what cannot be read.
    """
    base, layout = _laid_out(place, group)
    layout = without(layout, exclude, base)
    if group is None and not any(photo.group for its in layout.photos.values() for photo in its):
        return base, layout
    return base, layout._replace(remarks=layout.remarks + remarks_on(layout.photos, base))


def is_table(place: str | os.PathLike) -> bool:
    """Whether a path is that of a file with the suffix of a table."""
    return os.fspath(place).lower().endswith(SUFFIXES) and os.path.isfile(place)


def _laid_out(place: Path, group: str | None) -> tuple[Path, Layout]:
    kind = _kind(place)
    if kind == FOLDER:
        return place, lay_out(place, group)
    if is_table(place):
        return place.parent, lay_out_table(place, group)
    but = " but a file, and a table's name ends in .csv, .tsv or .txt" if kind == FILE else ""
    raise InputError(
        f"There is no folder at {readable(place)}{but}. An image folder holds one folder of images for each class."
    )


def _kind(path: Path) -> str:
    """`FOLDER`, `FILE`, or "" for nothing that is there; OSError where the system does not let one look."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the last for a zero in the path
        return ""
    return FOLDER if stat.S_ISDIR(mode) else FILE if stat.S_ISREG(mode) else ""
