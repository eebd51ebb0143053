"""One loader for folders of images."""

from __future__ import annotations

import dataclasses
import os
import stat
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from vgglab.datasets.dataset import Dataset, Split
from vgglab.datasets.depth import Deep, ranges_of, to_bytes
from vgglab.datasets.layout import Layout, LeftOut, Photo, holds_folders, lay_out
from vgglab.datasets.reading import MEMORY, Reading, TooLarge, Unreadable, read
from vgglab.errors import InputError
from vgglab.files import expanded, readable, why_not

VALIDATION_SHARE = 0.2
FEW = 3  # files with one reason: as many are named each on its line


def read_folder(folder: str | os.PathLike, reading: Reading, seed: int, name: str | None = None) -> Dataset:
    """Read `folder/<class>/*` or `folder/{train,validation,test}/<class>/*`, whatever the parts' common spelling.

    Where there is no validation part, one training image in five of every class becomes it. Files that cannot be read
    are left out with one warning that counts them by reason; what may be a mistake in names or in the depth of
    pixels is a warning too. `InputError`, with the files left out, when nothing can be trained on what is left.
    """
    folder = expanded(folder)
    try:
        if not _is_folder(folder):
            raise InputError(
                f"There is no folder at {readable(folder)}. An image folder holds one folder of images for each class."
            )
        return _read_folder(folder, reading, seed, readable(folder) if name is None else name)
    except MemoryError:
        raise InputError(
            f"The memory of this machine was not enough to read {readable(folder)}. Smaller images (`image_size`) "
            "or fewer of them need less."
        ) from None
    except OSError as error:
        where = readable(error.filename or folder)
        raise InputError(f"{where} cannot be read: {why_not(error)}.") from None


def _is_folder(path: Path) -> bool:
    """Whether there is a folder; OSError where the system does not let one look."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the last for a zero in the path
        return False


def _read_folder(folder: Path, reading: Reading, seed: int, name: str) -> Dataset:
    layout = lay_out(folder)
    splits, reading, remarks, unreadable = _read_parts(layout, reading)
    left_out = layout.left_out + unreadable
    for part in [part for part in ("all", "train", "validation") if part in splits]:
        at_least = 1 if "validation" in splits else 2
        _require(splits[part], layout, part, at_least, _in_lines(left_out, folder))
    if "validation" not in splits:
        undivided = splits.get("train", splits.get("all"))
        assert undivided is not None  # a layout has one of them
        splits["train"], splits["validation"] = _divide(undivided, seed)
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
    return Split(pixels, labels, paths=np.array([str(photo.path) for _, photo in good], dtype=object))


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
            some = ", ".join(readable(path.relative_to(folder)) for path in paths[:FEW])
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


def _divide(split: Split, seed: int) -> tuple[Split, Split]:
    """A fifth of each class, and at least one image, to validate on; `seed` chooses which."""
    rng = np.random.default_rng(seed)
    chosen = np.zeros(len(split), dtype=bool)
    for label in np.unique(split.labels):
        members = rng.permutation(np.flatnonzero(split.labels == label))
        chosen[members[: max(1, round(VALIDATION_SHARE * len(members)))]] = True
    return split.part(~chosen), split.part(chosen)
