"""Where the images of a data set are kept: in memory, or in a file of the cache where they are too many for it."""

from __future__ import annotations

import hashlib
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL

from vgglab.datasets.decoding import Decoded, Progress, decode
from vgglab.datasets.memory import GB, VARIABLE
from vgglab.datasets.reading import Reading
from vgglab.errors import InputError
from vgglab.files import readable, why_not
from vgglab.stored.file_store import FileStore, default_folder
from vgglab.stored.stored_file import RowWriter, Unfit
from vgglab.stored.stored_rows import Images, Rows

SUFFIX = ".images"
MOST = 64 * GB  # of files in the cache; one data set may take more
VERSION = 1  # of how files become images


def read_files(
    paths: Sequence[Path],
    reading: Reading,
    memory: int,
    progress: Progress | None = None,
    stacklevel: int = 2,
) -> tuple[Images, Decoded]:
    """An image for each file, in an array of at most `memory` bytes or in `Rows`, and what was found out.

    Rows are decoded once: the file in the cache is known by the paths, sizes and times of the image files, and by how
    they are read. That it is used, and what room there is, is a warning before anything is decoded. `InputError` where
    there is no room for it.
    """
    shape = (len(paths), reading.image_size, reading.image_size, 3)
    size = int(np.prod(shape, dtype=np.int64))
    if size <= memory:
        images = np.empty(shape, np.uint8)
        return images, decode(paths, reading, images, progress)
    rows = _from_file(paths, reading, shape, _need(shape, size, memory), progress, stacklevel + 1)
    assert rows.file is not None
    return rows, Decoded.from_dict(rows.file.note)


def _need(shape: tuple[int, ...], size: int, memory: int) -> str:
    images = "1 image" if shape[0] == 1 else f"{shape[0]:,} images"
    need = f"{images} of {shape[1]} pixels take {_gb(size)}"
    return f"{need}, more than the {_gb(memory)} of memory that images may take here"


def _from_file(
    paths: Sequence[Path],
    reading: Reading,
    shape: tuple[int, ...],
    need: str,
    progress: Progress | None,
    stacklevel: int,
) -> Rows:
    store = FileStore(default_folder(), SUFFIX, max(MOST, int(np.prod(shape, dtype=np.int64)) * 2))
    key, where, again = _key(paths, reading), readable(store.folder), ""
    try:
        found = store.find(key, shape, np.dtype(np.uint8), check_rows=False)
        if found is not None:
            warnings.warn(
                f"{need}: they are in a file in {where}, decoded before.", stacklevel=stacklevel + 1
            )
            return found
    except Unfit as reason:
        again = f" The file that was there, {key}{SUFFIX}, {reason}; it is made again."

    def fill(images: RowWriter) -> dict[str, object]:
        return decode(paths, reading, images, progress).to_dict()

    try:
        store.make_room(int(np.prod(shape, dtype=np.int64)))
        free = _gb(shutil.disk_usage(store.folder).free)
        warnings.warn(
            f"{need}: they are kept in a file in {where}, {free} free.{again}", stacklevel=stacklevel + 1
        )
        return store.make(key, shape, np.dtype(np.uint8), fill)
    except OSError as error:
        if error.filename in map(str, paths):
            raise
        raise InputError(
            f"{need}, and they cannot be kept in a file in {where} ({why_not(error)}). Smaller images (`image_size`) "
            f"or fewer of them need less; {VARIABLE} says how many GB of memory they may take, VGGLAB_CACHE names "
            "another folder."
        ) from None


def _key(paths: Sequence[Path], reading: Reading) -> str:
    """What the images depend on: the files by path, size and time, and how they are decoded."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr((VERSION, PIL.__version__, reading.image_size, reading.fit)).encode())
    for path in paths:
        state = path.stat()
        known = (str(path.absolute()), state.st_size, state.st_mtime_ns)
        digest.update(repr(known).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _gb(size: int) -> str:
    return f"{size / GB:.1f} GB" if size >= GB / 10 else f"{size / 1e6:.1f} MB"


def arranged(images: Images, groups: Sequence[np.ndarray]) -> list[Images]:
    """The images of each group, an array of numbers, in its order; an array is put in order in place, not copied.

    Afterwards the array itself is in no order that means anything. No number is in two groups.
    """
    if isinstance(images, Rows):
        return [images.chosen(numbers) for numbers in groups]
    wanted = np.concatenate([*groups, np.empty(0, np.int64)])
    rest = np.setdiff1d(np.arange(len(images)), wanted)
    permute(images, np.concatenate([wanted, rest]).astype(np.int64))
    ends = np.cumsum([len(numbers) for numbers in groups])
    return [images[end - len(numbers) : end] for numbers, end in zip(groups, ends)]


def permute(rows: np.ndarray, order: np.ndarray) -> None:
    """Make `rows[k]` what `rows[order[k]]` was, for a permutation, holding one row beside them."""
    placed = order == np.arange(len(order))
    for start in np.flatnonzero(~placed):
        if placed[start]:
            continue
        kept, place = rows[start].copy(), start
        while (source := order[place]) != start:
            rows[place] = rows[source]
            placed[place], place = True, source
        rows[place], placed[place] = kept, True
