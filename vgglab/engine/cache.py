"""The prefix cache: what the frozen layers make of each image, computed once and kept."""

from __future__ import annotations

import hashlib
import math
import os
import shutil
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from vgglab.files import written_whole

VERSION = 2  # of the files
SUFFIX = ".features"
GIB = 1024**3

Fill = Callable[[np.ndarray], None]
Note = Callable[[str], None]


def default_folder() -> Path:
    """Where cache files go: VGGLAB_CACHE, or ~/.cache/vgglab."""
    return Path(os.environ.get("VGGLAB_CACHE", "~/.cache/vgglab")).expanduser()


def content_key(*parts: object) -> str:
    """A hash of arrays, their shapes and types, and of the text of everything else."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.shape}{part.dtype}".encode())
            digest.update(np.ascontiguousarray(part).view(np.uint8).data)
        else:
            digest.update(f"{part!r}|".encode())
    return digest.hexdigest()


@dataclass
class FeatureCache:
    """Arrays under keys, in memory up to `memory` bytes, larger ones in files up to `disk` bytes.

    When a new entry does not fit, those that were not used for longest go. Files stay for the next
    process; each is written beside and renamed when it is whole, so that processes do not disturb
    each other.
    """

    memory: int = 2 * GIB
    disk: int = 8 * GIB
    folder: Path = field(default_factory=default_folder)
    _arrays: OrderedDict[str, np.ndarray] = field(default_factory=OrderedDict, repr=False)

    def place(self, size: int) -> str | None:
        """Where an entry of so many bytes goes: "memory", "disk", or None when it is too large."""
        return "memory" if size <= self.memory else "disk" if size <= self.disk else None

    def get(
        self, key: str, shape: tuple[int, ...], dtype: np.dtype, fill: Fill, note: Note
    ) -> np.ndarray | None:
        """The array under `key`, made by `fill` when it is not there; None when there is no room for it.

        `fill` writes into the array it is given. `note` is told what went wrong with a file.
        """
        if key in self._arrays:
            self._arrays.move_to_end(key)
            return self._arrays[key]
        place = self.place(_size(shape, dtype))
        if place == "memory":
            return self._keep(key, shape, dtype, fill)
        return self._map(key, shape, dtype, fill, note) if place else None

    def clear(self) -> None:
        """Forget everything, files included."""
        self._arrays.clear()
        for file in self._files():
            file.unlink(missing_ok=True)

    @property
    def used(self) -> int:
        """Bytes in memory now."""
        return sum(array.nbytes for array in self._arrays.values())

    def _keep(self, key: str, shape: tuple[int, ...], dtype: np.dtype, fill: Fill) -> np.ndarray:
        size = _size(shape, dtype)
        while self._arrays and self.used + size > self.memory:
            self._arrays.popitem(last=False)
        array = np.empty(shape, dtype)
        fill(array)
        array.flags.writeable = False
        self._arrays[key] = array
        return array

    def _map(
        self, key: str, shape: tuple[int, ...], dtype: np.dtype, fill: Fill, note: Note
    ) -> np.ndarray | None:
        path = self.folder / f"{key}{SUFFIX}"
        try:
            array = _opened(path, shape, dtype)
            if array is None and path.exists():
                note(f"The cache file {path.name} was cut short or is damaged; it is made again.")
                path.unlink(missing_ok=True)
            if array is None:
                self._make_room(_size(shape, dtype))
                _write(path, shape, dtype, fill)
                array = _opened(path, shape, dtype)
            os.utime(path)
            return array
        except OSError as error:
            note(
                f"The features could not be kept in {self.folder} ({error.strerror}); they are computed anew each time."
            )
            return None

    def _make_room(self, size: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        files = sorted(self._files(), key=lambda file: file.stat().st_mtime)
        while files and sum(file.stat().st_size for file in files) + size > self.disk:
            files.pop(0).unlink(missing_ok=True)
        if shutil.disk_usage(self.folder).free < size:
            raise OSError(28, f"no room for {size / GIB:.1f} GB")

    def _files(self) -> list[Path]:
        whole = [file for file in self.folder.glob(f"*{SUFFIX}") if ".part" not in file.name]
        return whole if self.folder.is_dir() else []


def _size(shape: tuple[int, ...], dtype: np.dtype) -> int:
    return math.prod(shape) * np.dtype(dtype).itemsize


def _stored(dtype: np.dtype) -> np.dtype:
    """The type that a file has for it: NumPy's format does not know bfloat16, and keeps its bits as whole numbers."""
    dtype = np.dtype(dtype)
    return np.dtype(f"u{dtype.itemsize}") if dtype.kind == "V" else dtype


def _opened(path: Path, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray | None:
    """The array of a file, as a map that cannot be written; None when the file is not there or is not whole."""
    try:
        array = open_memmap(path, "r")
    except (FileNotFoundError, ValueError, TypeError, EOFError):
        return None
    size = array.offset + array.nbytes
    whole = path.stat().st_size == size and array.shape == shape and array.dtype == _stored(dtype)
    return array.view(dtype) if whole else None


def _write(path: Path, shape: tuple[int, ...], dtype: np.dtype, fill: Fill) -> None:
    with written_whole(path) as beside:
        array = open_memmap(beside, "w+", _stored(dtype), shape)
        if hasattr(os, "posix_fallocate"):
            # Takes the room now: writing to a map of a full disk would kill the process.
            with beside.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, beside.stat().st_size)
        fill(array.view(dtype))
        array.flush()
        del array  # some systems rename no file that is open


CACHE = FeatureCache()
