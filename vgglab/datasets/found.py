"""The image files that somebody names one by one, by their folders, or by patterns."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from vgglab.datasets.layout import FILE, FOLDER, SUFFIXES, entries, what_is
from vgglab.errors import InputError, shown
from vgglab.files import expanded, readable

Named = str | os.PathLike | Sequence[str | os.PathLike]


class Refused(NamedTuple):
    """What was asked for and cannot be read as an image; the reason stands in the middle of a sentence."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{readable(self.name)}: {self.reason}."


class Found(NamedTuple):
    """The files in the order of what was named, what was refused, and files that are no images by their names."""

    files: list[Path]
    refused: list[Refused]
    beside: list[Path]


def find_images(named: Named) -> Found:
    """The image files that are named, in the order in which they are named.

    Folders are searched with all folders in them, in the order of names, for files whose suffix is an image's; what
    else lies there is `beside`. A name with `*`, `?` or `[` that no file has is a pattern, in which `**` stands for
    any folders. `InputError` where nothing is named.
    """
    found = Found([], [], [])
    for name in _names(named):
        try:
            paths = _paths_of(name)
        except InputError as error:
            found.refused.append(Refused(name, str(error).partition(".")[0]))
            continue
        for path in paths:
            _add(found, path)
    return found


def _names(named: Named) -> list[str]:
    several = [named] if isinstance(named, (str, bytes, os.PathLike)) else named
    try:
        names = [os.fspath(each) for each in several]
    except TypeError:
        names = []
    if not names or not all(isinstance(each, str) for each in names):
        raise InputError(f"`files` must be a path, or a list of paths. Received: {shown(named)}.")
    return names


def _paths_of(name: str) -> list[Path]:
    """What a name stands for: itself, or all that its pattern meets; `InputError` where it meets nothing."""
    if not name:
        raise InputError("a name is missing here.")
    path = expanded(name)
    if "\0" in name or os.path.lexists(path) or not glob.has_magic(name):
        return [path]
    paths = sorted(glob.glob(str(path), recursive=True))
    if not paths:
        raise InputError("no file has a name like that.")
    return [Path(each) for each in paths]


def _add(found: Found, path: Path) -> None:
    kind = what_is(path)
    if kind == FILE:
        found.files.append(path)
    elif kind != FOLDER:
        found.refused.append(Refused(str(path), kind))
    else:
        _search(found, path)


def _search(found: Found, folder: Path) -> None:
    count = len(found.files) + len(found.refused)
    for path in _inside(folder, set(), found.refused):
        kind = what_is(path)
        if kind != FILE:
            found.refused.append(Refused(str(path), kind))
        else:
            (found.files if path.suffix.lower() in SUFFIXES else found.beside).append(path)
    if len(found.files) + len(found.refused) == count:
        found.refused.append(Refused(str(folder), f"a folder without images ({', '.join(SUFFIXES)})"))


def _inside(folder: Path, seen: set[Path], refused: list[Refused]) -> Iterator[Path]:
    """All that is in a folder but folders, each folder once, whatever links lead to it."""
    seen.add(folder.resolve())
    try:
        inside = entries(folder)
    except InputError as error:
        refused.append(Refused(str(folder), str(error).rpartition(": ")[2].rstrip(".")))
        return
    for each in inside:
        if what_is(each) != FOLDER:
            yield each
        elif each.resolve() not in seen:
            yield from _inside(each, seen, refused)
