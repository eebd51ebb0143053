"""Which images belong together, such as those of one patient: by sub-folder, by file name or by a column."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from vgglab.errors import InputError, shown
from vgglab.files import readable

BY_FOLDER = "folder"  # the sub-folders of class folders
NAMED = 3  # files or groups that a sentence lists


class Photo(NamedTuple):
    """A file, the number of its class, and its group: None for one of its own."""

    path: Path
    label: int
    group: str | None = None


GroupOf = Callable[[Path, Path], str | None]  # of a file in a class folder


def grouping(group: str | None) -> GroupOf:
    """What tells the group of a file in a class folder; `group` is None, "folder" or a pattern.

    `InputError` for a pattern that is no regular expression, or has other than one pair of parentheses.
    """
    if group is None:
        return lambda path, folder: None
    if group == BY_FOLDER:
        return _by_folder
    pattern = _checked(group)

    def by_name(path: Path, folder: Path) -> str | None:
        found = pattern.search(readable(path.name))
        return (found[1] if found else None) or None

    return by_name


def _by_folder(path: Path, folder: Path) -> str | None:
    inside = path.relative_to(folder).parts[:-1]
    return _plain(inside[0]) if inside else None


def _plain(name: str) -> str:
    """A name without spaces around it and in one form of Unicode, as those of classes are."""
    return readable(unicodedata.normalize("NFC", name).strip() or name)


def _checked(group: str) -> re.Pattern[str]:
    right = (
        "`group` must be 'folder', for the sub-folders of class folders, or a pattern with one pair of parentheses "
        r"around what names the group in a file's name, such as '(P\d+)_'."
    )
    try:
        pattern = re.compile(group)
    except (re.error, OverflowError, RecursionError) as error:
        raise InputError(
            f"{right} Received: {shown(group)}, which is no regular expression: {error}."
        ) from None
    if pattern.groups != 1:
        pairs = "none" if not pattern.groups else str(pattern.groups)
        raise InputError(f"{right} Received: {shown(group)}, which has {pairs}.")
    return pattern


def remarks_on(photos: Mapping[str, Sequence[Photo]], base: Path) -> list[str]:
    """What about the groups of the parts' photographs may be a mistake, in sentences; paths count from `base`."""
    every = [photo for part in photos.values() for photo in part]
    alone = [photo for photo in every if not photo.group]
    grouped = len(every) - len(alone)
    remarks = []
    if alone:
        named = some([readable(inside(photo.path, base)) for photo in alone])
        what = (
            "1 image has no group and is"
            if len(alone) == 1
            else f"{len(alone):,} images have no group and are each"
        )
        remarks.append(f"{what} a group alone: {named}.")
    if grouped and len({photo.group for photo in every if photo.group}) == grouped:
        remarks.append("No two images share a group, so that the groups keep nothing together.")
    return remarks + _on_both_sides(photos)


def _on_both_sides(photos: Mapping[str, Sequence[Photo]]) -> list[str]:
    remarks = []
    seen = {photo.group for photo in photos.get("train", ()) if photo.group}
    for part in ("validation", "test"):
        both = sorted({photo.group for photo in photos.get(part, ()) if photo.group} & seen)
        if both:
            are = "1 group is" if len(both) == 1 else f"{len(both):,} groups are"
            remarks.append(f"{are} in train and in {part}: {some(both)}; {part} will look better than it is.")
    return remarks


def some(names: Sequence[str]) -> str:
    """The first names of many, as a sentence lists them."""
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")


def inside(path: Path, base: Path) -> Path:
    """The path from `base` on; the whole of one that lies elsewhere."""
    return path.relative_to(base) if path.is_relative_to(base) else path
