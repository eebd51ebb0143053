"""The files that a list names are left out of a data set; nothing is deleted."""

from __future__ import annotations

import os
from pathlib import Path

from vgglab.datasets.groups import some
from vgglab.datasets.layout import FILE, Layout, what_is
from vgglab.errors import InputError
from vgglab.files import expanded, readable, why_not


def without(layout: Layout, exclude: str | None, base: Path) -> Layout:
    """The layout without the files that the text file `exclude` names, and with a remark on lines that name none.

    One path a line, relative to `base` or absolute. Blank lines and those that begin with "#" say nothing, nor does
    what stands behind " #". `InputError` where the list cannot be read.
    """
    if exclude is None:
        return layout
    place = expanded(exclude)
    named = _lines(place)
    reason = f"excluded by {readable(place)}"
    known = {_absolute(photo.path) for photos in layout.photos.values() for photo in photos}
    known |= {_absolute(path) for path, _ in layout.left_out}
    matches = {line: _matches(line, base, known) for line in named}
    unwanted = set().union(*matches.values())
    photos = {
        part: [photo for photo in its if _absolute(photo.path) not in unwanted]
        for part, its in layout.photos.items()
    }
    out = [
        (photo.path, reason)
        for its in layout.photos.values()
        for photo in its
        if _absolute(photo.path) in unwanted
    ]
    lost = [readable(line) for line, found in matches.items() if not found]
    remarks = []
    if lost:
        name = "1 line names" if len(lost) == 1 else f"{len(lost):,} lines name"
        remarks.append(f"In {readable(place)} {name} no file of {readable(base)}: {some(lost)}.")
    if not named:
        remarks.append(f"{readable(place)} names no file, so none is excluded.")
    return layout._replace(photos=photos, left_out=layout.left_out + out, remarks=layout.remarks + remarks)


def _lines(place: Path) -> list[str]:
    """What the list names, without comments and repetitions."""
    if (kind := what_is(place)) != FILE:
        raise InputError(f"`exclude` must be a text file. {readable(place)}: {kind}.")
    try:
        text = place.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"`exclude` must be a text file. {readable(place)}: {why_not(error)}.") from None
    except UnicodeDecodeError:
        raise InputError(
            f"`exclude` must be a text file in UTF-8, one path a line. {readable(place)} is none."
        ) from None
    lines = (line.strip() for line in text.split("\n"))
    return list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))


def _matches(line: str, base: Path, known: set[str]) -> set[str]:
    """The files that a line means: as it stands, or without its comment, and with slashes of either kind."""
    for path in (line, line.split(" #")[0].rstrip()):
        for spelling in (path, path.replace("\\", "/")):
            place = _absolute(base / spelling)
            if place in known:
                return {place}
    return set()


def _absolute(path: Path) -> str:
    """One spelling of a path; links stay as they are."""
    return os.path.abspath(path)
