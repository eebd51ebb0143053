"""One loader for folders of images."""

from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vgglab.datasets.dataset import Dataset, Split
from vgglab.datasets.decoding import Progress
from vgglab.datasets.division import divide
from vgglab.datasets.groups import inside
from vgglab.datasets.keeping import arranged, read_files
from vgglab.datasets.layout import Layout, LeftOut, holds_folders
from vgglab.datasets.memory import image_memory
from vgglab.datasets.reading import Reading
from vgglab.datasets.sources import laid_out
from vgglab.errors import InputError
from vgglab.files import expanded, readable, why_not

STACKLEVEL = 5  # of whoever called `vgglab.load`, which calls `datasets.load`
FEW = 3  # files with one reason: as many are named each on its line


def read_folder(
    folder: str | os.PathLike,
    reading: Reading,
    seed: int,
    name: str | None = None,
    group: str | None = None,
    exclude: str | None = None,
    *,
    memory: int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Read `folder/<class>/*`, `folder/{train,validation,test}/<class>/*`, or the files that a table lists.

    Where there is no validation part, one training image in five of every class becomes it. Files that cannot be read
    are left out with one warning that counts them by reason; what may be a mistake in names or in the depth of
    pixels is a warning too. Images that take more than `memory` bytes, by default what `image_memory` says, are kept in
    a file. `progress` is called with how many files of how many are done. `InputError`, with the files left out, when
    nothing can be trained on what is left.
    """
    folder = expanded(folder)
    try:
        base, layout = laid_out(folder, group, exclude)
        name = readable(folder) if name is None else name
        memory = image_memory() if memory is None else memory
        return _read_laid_out(layout, base, reading, seed, name, memory, progress)
    except MemoryError:
        raise InputError(
            f"The memory of this machine was not enough to read {readable(folder)}. Smaller images (`image_size`) "
            "or fewer of them need less."
        ) from None
    except OSError as error:
        where = readable(error.filename or folder)
        raise InputError(f"{where} cannot be read: {why_not(error)}.") from None


def _read_laid_out(
    layout: Layout,
    folder: Path,
    reading: Reading,
    seed: int,
    name: str,
    memory: int,
    progress: Progress | None,
) -> Dataset:
    photos = [photo for part in layout.photos.values() for photo in part]
    images, decoded = read_files([photo.path for photo in photos], reading, memory, progress, STACKLEVEL)
    reading = dataclasses.replace(reading, whole=decoded.whole, fractions=decoded.fractions)
    unreadable = [(photos[place].path, reason) for place, reason in sorted(decoded.unreadable.items())]
    left_out = layout.left_out + unreadable
    numbers = _numbers(layout, decoded.unreadable)
    labels = np.array([photo.label for photo in photos], dtype=np.int64)
    groups = np.array([photo.group for photo in photos], dtype=object)
    for part in [part for part in ("all", "train", "validation") if part in numbers]:
        at_least = 1 if "validation" in numbers else 2
        _require(labels[numbers[part]], layout, part, at_least, _in_lines(left_out, folder))
    if "validation" not in numbers:
        undivided = numbers.pop("all") if "all" in numbers else numbers.pop("train")
        divided = divide(labels[undivided], groups[undivided], seed, layout.class_names)
        numbers["train"], numbers["validation"] = (undivided[each] for each in divided)
    paths = np.array([str(photo.path) for photo in photos], dtype=object)
    splits = {
        part: Split(its, labels[which], None, paths[which], groups[which] if any(groups[which]) else None)
        for (part, which), its in zip(numbers.items(), arranged(images, list(numbers.values())))
    }
    for remark in [*layout.remarks, *decoded.remarks]:
        warnings.warn(remark, stacklevel=STACKLEVEL)
    if left_out:
        files = "1 file" if len(left_out) == 1 else f"{len(left_out):,} files"
        warnings.warn(
            f"Left out {files} of {readable(folder)}:{_in_lines(left_out, folder)}", stacklevel=STACKLEVEL
        )
    skipped = tuple((readable(path), reason) for path, reason in left_out)
    test = splits.get("test") or None  # one that is empty is none
    return Dataset(name, layout.class_names, splits["train"], splits["validation"], test, skipped, reading)


def _numbers(layout: Layout, unreadable: Mapping[int, str]) -> dict[str, np.ndarray]:
    """Of each part the places of its images among those of all parts, without those that cannot be read."""
    numbers, start = {}, 0
    for part, photos in layout.photos.items():
        places = range(start, start + len(photos))
        numbers[part] = np.array([place for place in places if place not in unreadable], dtype=np.int64)
        start = places.stop
    return numbers


def _in_lines(left_out: LeftOut, folder: Path) -> str:
    """A line for each reason with how many files it has and some of them; one for each file where they are few."""
    by_reason: dict[str, list[Path]] = {}
    for path, reason in left_out:
        by_reason.setdefault(reason, []).append(path)
    lines = []
    for reason, paths in by_reason.items():
        if len(paths) <= FEW:
            lines += [f"{readable(path)}: {reason}" for path in paths]
        else:
            some = ", ".join(readable(inside(path, folder)) for path in paths[:FEW])
            lines.append(f"{len(paths):,} files: {reason}, among them {some}")
    return "".join(f"\n  {line}" for line in lines)


def _require(labels: np.ndarray, layout: Layout, part: str, at_least: int, left_out: str) -> None:
    counts = np.bincount(labels, minlength=len(layout.class_names))
    for class_name, count in zip(layout.class_names, counts):
        if count < at_least:
            where = layout.places[part]
            need = "two images, one to train and one to validate on" if at_least == 2 else "an image"
            hint = holds_folders(where / class_name) if (where / class_name).is_dir() else ""
            raise InputError(
                f"Class '{class_name}' in {readable(where)} needs at least {need}. Readable: {count}.{hint}"
                + (f" Left out:{left_out}" if left_out else "")
            )
