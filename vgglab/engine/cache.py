"""The prefix cache: what the frozen layers make of each image, computed once and kept."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vgglab.engine.feature_file import SUFFIX, Fill, Shape, Unfit, bytes_of, is_claimed, is_own, read, write
from vgglab.files import is_part, readable, why_not

GIB = 1024**3

Note = Callable[[str], None]


def default_folder() -> Path:
    """Where cache files go: VGGLAB_CACHE, or ~/.cache/vgglab; a place for temporary files where there is no home."""
    try:
        return Path(os.environ.get("VGGLAB_CACHE") or "~/.cache/vgglab").expanduser()
    except RuntimeError:
        return Path(tempfile.gettempdir()) / "vgglab-cache"


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
    process; each is written beside and renamed when it is whole, so that threads and processes do
    not disturb each other. The folder is made for this user alone, and nothing of others is used,
    counted or removed in it. A folder that cannot be written is used for what it has.
    """

    memory: int = 2 * GIB
    disk: int = 8 * GIB
    folder: Path = field(default_factory=default_folder)
    _arrays: OrderedDict[str, np.ndarray] = field(default_factory=OrderedDict, repr=False)

    def place(self, size: int) -> str | None:
        """Where an entry of so many bytes goes: "memory", "disk", or None when it is too large."""
        return "memory" if size <= self.memory else "disk" if size <= self.disk else None

    def get(self, key: str, shape: Shape, dtype: np.dtype, fill: Fill, note: Note) -> np.ndarray | None:
        """The array under `key`, made by `fill` when it is not there; None when it cannot be kept.

        `fill` writes into the array it is given. `note` is told what went wrong with a file.
        """
        if key in self._arrays:
            self._arrays.move_to_end(key)
            return self._arrays[key]
        place = self.place(bytes_of(shape, dtype))
        if place == "memory":
            return self._keep(key, shape, dtype, fill)
        return self._map(key, shape, dtype, fill, note) if place else None

    def clear(self) -> None:
        """Forget everything, files included, but for those that a living process is writing.

        `OSError` when one cannot be removed.
        """
        self._arrays.clear()
        for file, taken in self._files():
            if not _in_the_making(file, taken):
                file.unlink(missing_ok=True)

    @property
    def used(self) -> int:
        """Bytes in memory now."""
        return sum(array.nbytes for array in self._arrays.values())

    def _keep(self, key: str, shape: Shape, dtype: np.dtype, fill: Fill) -> np.ndarray:
        size = bytes_of(shape, dtype)
        while self._arrays and self.used + size > self.memory:
            self._arrays.popitem(last=False)
        array = np.empty(shape, dtype)
        fill(array)
        array.flags.writeable = False
        self._arrays[key] = array
        return array

    def _map(self, key: str, shape: Shape, dtype: np.dtype, fill: Fill, note: Note) -> np.ndarray | None:
        path, unfit = self.folder / f"{key}{SUFFIX}", ""
        try:
            found = read(path, shape, dtype)
            if found is not None:
                return found
        except Unfit as reason:
            unfit = f"The cache file {path.name} {reason}"
        try:
            self._make_room(bytes_of(shape, dtype))
            made = write(path, shape, dtype, fill)
        except OSError as error:
            said = f"The features could not be kept in {readable(self.folder)} ({why_not(error)})."
            note(f"{unfit}. {said}" if unfit else said)
            return None
        if unfit:
            note(f"{unfit}; it was made again.")
        return made

    def _make_room(self, size: int) -> None:
        """Remove what killed processes left, and of the rest what was not used for longest, until so many bytes fit."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        parts, whole = [], []
        for file, taken in self._files():
            if not is_part(file):
                whole.append((file, taken))
            elif _in_the_making(file, taken) or not _removed(file):
                parts.append(taken)
        room = self.disk - sum(parts) - size
        if room < 0:
            raise OSError(
                errno.ENOSPC, f"no room beside the {sum(parts) / GIB:.1f} GB that others are writing"
            )
        while whole and sum(taken for _, taken in whole) > room:
            _removed(whole.pop(0)[0])
        if shutil.disk_usage(self.folder).free < size:
            raise OSError(errno.ENOSPC, f"no room for {size / GIB:.1f} GB")

    def _files(self) -> list[tuple[Path, int]]:
        """This user's files and their sizes, parts included, those first that were not used for longest."""
        found = []
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            with suppress(FileNotFoundError):  # another process has removed it
                state = path.lstat()
                if path.suffix == SUFFIX and is_own(state):
                    found.append((state.st_mtime, path, state.st_size))
        return [(path, size) for _, path, size in sorted(found)]


def _in_the_making(file: Path, taken: int) -> bool:
    """Whether a living process writes the file: it claims a part while that is empty still."""
    return is_part(file) and (taken == 0 or is_claimed(file))


def _removed(file: Path) -> bool:
    with suppress(OSError):  # of a folder that cannot be written
        file.unlink(missing_ok=True)
        return True
    return False


CACHE = FeatureCache()
