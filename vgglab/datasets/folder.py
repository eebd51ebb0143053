"""One loader for folders of images."""

from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from vgglab.datasets.dataset import Dataset, Split
from vgglab.datasets.depth import Deep, ranges_of, to_bytes
from vgglab.datasets.division import divide
from vgglab.datasets.groups import Photo, inside
from vgglab.datasets.layout import Layout, LeftOut, holds_folders
from vgglab.datasets.reading import MEMORY, Reading, TooLarge, Unreadable, read
from vgglab.datasets.sources import laid_out
from vgglab.errors import InputError
from vgglab.files import expanded, readable, why_not

FEW = 3  # files with one reason: as many are named each on its line


def read_folder(
    folder: str | os.PathLike,
    reading: Reading,
    seed: int,
    name: str | None = None,
    group: str | None = None,
    exclude: str | None = None,
) -> Dataset:
    """Read `folder/<class>/*`, `folder/{train,validation,test}/<class>/*`, or the files that a table lists.

    Where there is no validation part, one training image in five of every class becomes it. Files that cannot be read
    are left out with one warning that counts them by reason; what may be a mistake in names or in the depth of
    pixels is a warning too. `InputError`, with the files left out, when nothing can be trained on what is left.
    """
    folder = expanded(folder)
    try:
        base, layout = laid_out(folder, group, exclude)
        return _read_laid_out(layout, base, reading, seed, readable(folder) if name is None else name)
    except MemoryError:
        raise InputError(
            f"The memory of this machine was not enough to read {readable(folder)}. Smaller images (`image_size`) "
            "or fewer of them need less."
        ) from None
    except OSError as error:
        where = readable(error.filename or folder)
        raise InputError(f"{where} cannot be read: {why_not(error)}.") from None


def _read_laid_out(layout: Layout, folder: Path, reading: Reading, seed: int, name: str) -> Dataset:
    splits, reading, remarks, unreadable = _read_parts(layout, reading)
    left_out = layout.left_out + unreadable
    for part in [part for part in ("all", "train", "validation") if part in splits]:
        at_least = 1 if "validation" in splits else 2
        _require(splits[part], layout, part, at_least, _in_lines(left_out, folder))
    if "validation" not in splits:
        undivided = splits.get("train", splits.get("all"))
        assert undivided is not None  # a layout has one of them
        chosen = divide(undivided.labels, undivided.groups, seed, layout.class_names)
        splits["train"], splits["validation"] = map(undivided.part, chosen)
    for remark in layout.remarks + remarks:
        warnings.warn(remark, stacklevel=4)
    if left_out:
        files = "1 file" if len(left_out) == 1 else f"{len(left_out):,} files"
        warnings.warn(f"Left out {files} of {readable(folder)}:{_in_lines(left_out, folder)}", stacklevel=4)
    skipped = tuple((readable(path), reason) for path, reason in left_out)
    test = splits.get("test") or None  # one that is empty is none
    return Dataset(name, layout.class_names, splits["train"], splits["validation"], test, skipped, reading)


def _read_parts(layout: Layout, reading: Reading) -> tuple[dict[str, Split], Reading, list[str], LeftOut]:
    """The images of each part, how they were read, remarks on their depth, and the files that could not be read."""
    photos = [photo for part in layout.photos.values() for photo in part]
    results = _read_all([photo.path for photo in photos], reading)
    unreadable = [(photo.path, result) for photo, result in zip(photos, results) if isinstance(result, str)]
    ranges, remarks = ranges_of([result for result in results if isinstance(result, Deep)])
    reading = dataclasses.replace(reading, whole=ranges.get(True), fractions=ranges.get(False))
    images = [to_bytes(each, ranges[each.whole]) if isinstance(each, Deep) else each for each in results]
    splits, start = {}, 0
    for part, its in layout.photos.items():
        splits[part] = _split(its, images[start : start + len(its)], reading.image_size)
        start += len(its)
    return splits, reading, remarks, unreadable


def _read_all(paths: Sequence[Path], reading: Reading) -> list[np.ndarray | Deep | str]:
    """Each image, or the reason why it cannot be read; all that is decoded at one time fits in `reading.MEMORY`."""

    def read_within(path: Path, memory: int) -> np.ndarray | Deep | Unreadable:
        try:
            return read(path, reading, memory)
        except Unreadable as unreadable:
            return unreadable

    threads = os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        results = list(pool.map(lambda path: read_within(path, MEMORY // threads), paths))
    # Those that take more than a thread's share come afterwards, one by one.
    for place, result in enumerate(results):
        if isinstance(result, TooLarge):
            results[place] = read_within(paths[place], MEMORY)
    return [str(result) if isinstance(result, Unreadable) else result for result in results]


def _split(photos: Sequence[Photo], images: Sequence[np.ndarray | str], image_size: int) -> Split:
    """Those of the images that are there, with their labels."""
    good = [(image, photo) for image, photo in zip(images, photos) if not isinstance(image, str)]
    pixels = np.empty((len(good), image_size, image_size, 3), np.uint8)
    for place, (image, _) in enumerate(good):
        pixels[place] = image
    labels = np.array([photo.label for _, photo in good], dtype=np.int64)
    paths = np.array([str(photo.path) for _, photo in good], dtype=object)
    groups = np.array([photo.group for _, photo in good], dtype=object)
    return Split(pixels, labels, paths=paths, groups=groups if any(groups) else None)


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


def _require(split: Split, layout: Layout, part: str, at_least: int, left_out: str) -> None:
    counts = np.bincount(split.labels, minlength=len(layout.class_names))
    for class_name, count in zip(layout.class_names, counts):
        if count < at_least:
            where = layout.places[part]
            need = "two images, one to train and one to validate on" if at_least == 2 else "an image"
            hint = holds_folders(where / class_name) if (where / class_name).is_dir() else ""
            raise InputError(
                f"Class '{class_name}' in {readable(where)} needs at least {need}. Readable: {count}.{hint}"
                + (f" Left out:{left_out}" if left_out else "")
            )
