"""How a folder of images is laid out: its parts, their classes, the files of each, and all that belongs to none."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from vgglab.datasets.groups import BY_FOLDER, Photo, grouping
from vgglab.errors import InputError
from vgglab.files import readable, why_not

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff"),
    *(".avif", ".heic", ".heif"),  # where Pillow can; a file that it cannot decode says what is missing
)
# In any case, and with "set" behind it: "Training_Set" is the train part.
SPELLINGS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "validate", "dev"),
    "test": ("test", "testing"),
}
# What systems and archive programs leave behind; like hidden files they are nobody's images.
OF_SYSTEMS = (
    *("__macosx", "@eadir", "lost+found", "#recycle", "$recycle.bin", "system volume information"),
    *("thumbs.db", "desktop.ini"),
)
FOLDER, FILE = "a folder", "a file"
LeftOut = list[tuple[Path, str]]  # with the reason


class Layout(NamedTuple):
    """What is where: the photographs of each part, "train", "validation", "test" or, undivided, "all"."""

    places: dict[str, Path]
    class_names: tuple[str, ...]
    photos: dict[str, list[Photo]]
    left_out: LeftOut
    remarks: list[str]


def lay_out(folder: Path, group: str | None = None) -> Layout:
    """Find out how a folder is laid out, by the names in it; no image is opened.

    `group` says which images belong together, as `load` has it. Class folders whose names differ in the form of Unicode
    or in spaces around them alone are one class, with a remark. `InputError` where there are fewer than two classes,
    or a part has one that the train part lacks.
    """
    left_out: LeftOut = []
    group_of = grouping(group)
    parts = find_parts(folder)
    places = parts or {"all": folder}
    if parts:
        left_out += _beside(folder, set(parts.values()), "beside the train part, so in no part")
    classes = {part: _classes_in(where) for part, where in places.items()}
    class_names = _class_names(classes, places)
    photos = {}
    for part, where in places.items():
        known = {each for folders in classes[part].values() for each in folders}
        left_out += _beside(where, known, "beside the class folders, so it has no class")
        photos[part] = [
            Photo(path, label, group_of(path, each))
            for label, name in enumerate(class_names)
            for each in classes[part].get(name, ())
            for path in _images_of(each, left_out, deep=group == BY_FOLDER)
        ]
    return Layout(places, class_names, photos, left_out, _remarks(classes))


def what_is(path: Path) -> str:
    """`FOLDER`, `FILE`, or what else it is and why it cannot be opened; links are followed."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError):  # a name with a zero in it
            return "a name that no file can have"
        return f"a link that leads nowhere ({why_not(error)})" if os.path.islink(path) else why_not(error)
    if stat.S_ISDIR(mode):
        return FOLDER
    # Whoever opens a pipe waits for its other end; a device may never end.
    return FILE if stat.S_ISREG(mode) else "no regular file but a pipe, a socket or a device"


def entries(folder: Path) -> list[Path]:
    """What a folder holds, in the order of names, but for what is hidden or the system's own."""
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"{readable(folder)} cannot be read: {why_not(error)}.") from None
    except ValueError:  # a zero in it, or half a character
        raise InputError(f"{readable(folder)} cannot be read: no folder can be called that.") from None
    return [
        each for each in found if not each.name.startswith(".") and each.name.casefold() not in OF_SYSTEMS
    ]


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder, but for links that lead back to where they are."""
    return [each for each in entries(folder) if what_is(each) == FOLDER and not _leads_back(each)]


def _leads_back(path: Path) -> bool:
    return path.is_symlink() and path.parent.resolve().is_relative_to(path.resolve())


def _images_in(folder: Path) -> list[Path]:
    return [each for each in entries(folder) if what_is(each) == FILE and _is_image(each)]


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def part_of(name: str) -> str:
    """The part that a folder of this name is; "" for other names."""
    plain = name.strip().casefold().removesuffix("set").rstrip(" _-")
    return next((part for part, spellings in SPELLINGS.items() if plain in spellings), "")


def find_parts(folder: Path) -> dict[str, Path]:
    """The folders of the parts, {"train": …} at least; {} where the class folders stand in `folder` itself.

    A class may be called "train" as well: among other classes, and with no folders but images in it.
    """
    folders = folders_in(folder)
    named = [each for each in folders if part_of(each.name)]
    trains = [each for each in named if part_of(each.name) == "train"]
    is_split = len(named) > 1 if trains else len(named) == len(folders)
    if not named or not (is_split or any(_holds_classes(each) for each in trains)):
        return {}
    parts: dict[str, Path] = {}
    for each in named:
        part = part_of(each.name)
        if part in parts:
            both = f"{parts[part].name}/ and {each.name}/"
            raise InputError(f"{readable(folder)} has both {both}; only one can be the {part} part.")
        parts[part] = each
    if not trains:
        raise InputError(
            f"{readable(folder)} has {' and '.join(f'{each.name}/' for each in named)}, but no train/ to train on."
        )
    return parts


def _holds_classes(folder: Path) -> bool:
    return bool(folders_in(folder)) and not _images_in(folder)


def _classes_in(where: Path) -> dict[str, list[Path]]:
    """By the name of the class, its folders: one, unless their names are one name in two spellings."""
    classes: dict[str, list[Path]] = {}
    for each in folders_in(where):
        name = unicodedata.normalize("NFC", each.name).strip() or each.name
        classes.setdefault(readable(name), []).append(each)
    return {name: classes[name] for name in sorted(classes)}


def _class_names(classes: dict[str, dict[str, list[Path]]], places: dict[str, Path]) -> tuple[str, ...]:
    part = "train" if "train" in classes else "all"
    names, where = list(classes[part]), places[part]
    if len(names) < 2:
        found = f"one, '{names[0]}'" if names else "none"
        hint = _split_in(classes[part]) or "".join(holds_folders(each) for each in _all(classes[part]))
        raise InputError(
            f"{readable(where)} must hold at least two class folders. Found: {found}.{hint or _loose(where)}"
        )
    for other, found_there in classes.items():
        extra = sorted(set(found_there) - set(names))
        if extra:
            like = {name.casefold(): name for name in names}
            meant = [f"'{like[each.casefold()]}'" for each in extra if each.casefold() in like]
            hint = f" Is {' and '.join(meant)} meant?" if meant else ""
            there = readable(places[other])
            raise InputError(
                f"{there} has class folders that {readable(where)} lacks: {', '.join(extra)}.{hint}"
            )
    return tuple(names)


def holds_folders(folder: Path) -> str:
    """A sentence on folders one level too deep; "" where a class folder has none."""
    inside = folders_in(folder)
    if not inside or _images_in(folder):
        return ""
    names = ", ".join(readable(each.name) for each in inside[:5]) + (", …" if len(inside) > 5 else "")
    return f" {readable(folder)} holds no images but folders: {names}. Are they the classes?"


def _all(classes: dict[str, list[Path]]) -> list[Path]:
    return [each for folders in classes.values() for each in folders]


def _split_in(classes: dict[str, list[Path]]) -> str:
    """A sentence on a split one level too deep, such as folder/data/train; "" where there is none."""
    split = [
        each for each in _all(classes) if any(part_of(inside.name) == "train" for inside in folders_in(each))
    ]
    return "".join(f" Is {readable(each)} the folder, which has a train part?" for each in split)


def _loose(where: Path) -> str:
    count = len(_images_in(where))
    return (
        f" Images that lie in it directly: {count:,}; each belongs in the folder of its class."
        if count
        else ""
    )


def _beside(where: Path, known: set[Path], reason: str) -> LeftOut:
    """What lies in a folder beside those that are `known`: the images, also those in other folders, and what is odd."""
    left_out: LeftOut = []
    for each in entries(where):
        kind = what_is(each)
        if kind == FOLDER and each not in known:
            left_out += _left_in(each, reason)
        elif kind == FILE and _is_image(each):
            left_out.append((each, reason))
        elif kind not in (FOLDER, FILE):
            left_out.append((each, kind))
    return left_out


def _left_in(folder: Path, reason: str) -> LeftOut:
    """The images anywhere in a folder that is not read, or the folder itself where it has none."""
    if folder.is_symlink():
        back = (
            "a link that leads back to where it is"
            if _leads_back(folder)
            else f"a link to a folder, {reason}"
        )
        return [(folder, back)]
    images = [
        Path(where, name) for where, _, names in os.walk(folder) for name in names if _is_image(Path(name))
    ]
    return [(each, reason) for each in sorted(images)] or [(folder, f"a folder without images, {reason}")]


def _images_of(folder: Path, left_out: LeftOut, *, deep: bool) -> list[Path]:
    """The image files of a class in the order of their names, `deep` those in its folders too; others are left out."""
    here = _above(folder)
    images, waiting = [], [(each, here) for each in reversed(entries(folder))]
    while waiting:
        each, above = waiting.pop()
        kind = what_is(each)
        if kind == FOLDER and deep and (resolved := each.resolve()) not in above:
            below = above | {resolved}
            waiting += [(inside, below) for inside in reversed(entries(each))]
        elif kind == FOLDER:
            left_out += _left_in(each, "in a folder inside a class folder")
        elif reason := why_no_image(each, kind):
            left_out.append((each, reason))
        else:
            images.append(each)
    return images


def _above(folder: Path) -> frozenset[Path]:
    """The folder and all that it lies in, to which a link would lead back."""
    resolved = folder.resolve()
    return frozenset([resolved, *resolved.parents])


def why_no_image(path: Path, kind: str) -> str:
    """Why a file, or what else `what_is` says it is, is not read as an image; "" for one that may be."""
    if kind != FILE:
        return kind
    named = f"{readable(path.suffix)} is" if path.suffix else "it has no suffix and so is"
    return "" if _is_image(path) else f"{named} not one of {', '.join(SUFFIXES)}"


def _remarks(classes: dict[str, dict[str, list[Path]]]) -> list[str]:
    """What about the names of classes may be a mistake, in sentences."""
    remarks = []
    for folders_of in classes.values():
        for name, folders in folders_of.items():
            if len(folders) > 1:
                paths = " and ".join(ascii(str(each)) for each in folders)
                remarks.append(
                    f"{paths} are read as one class, '{name}': the names differ in spaces or in the form of Unicode "
                    "alone."
                )
    return remarks + alike_in_capitals(list(next(iter(classes.values()))))


def alike_in_capitals(class_names: Sequence[str]) -> list[str]:
    """A sentence for names of classes that may be meant to be one."""
    alike: dict[str, list[str]] = {}
    for name in class_names:
        alike.setdefault(name.casefold(), []).append(name)
    remarks = []
    for names in alike.values():
        if len(names) > 1:
            both = " and ".join(f"'{name}'" for name in names)
            remarks.append(f"{both} differ in capital letters alone; they are read as {len(names)} classes.")
    return remarks
