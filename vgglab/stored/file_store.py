"""A folder of arrays in files: made room for by removing what was not used for longest, shared by processes."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vgglab.files import is_part
from vgglab.stored.stored_file import Fill, Shape, Unfit, bytes_of, is_claimed, is_own, read, write
from vgglab.stored.stored_rows import Rows

GIB = 1024**3


def default_folder() -> Path:
    """Where cache files go: VGGLAB_CACHE, or ~/.cache/vgglab; a place for temporary files where there is no home."""
    try:
        return Path(os.environ.get("VGGLAB_CACHE") or "~/.cache/vgglab").expanduser()
    except RuntimeError:
        return Path(tempfile.gettempdir()) / "vgglab-cache"


@dataclass(frozen=True)
class FileStore:
    """Arrays under keys, in the files of a folder whose names end in `suffix`, which take at most `most` bytes.

    Files stay for the next process; each is written beside and renamed when it is whole, so that threads and processes
    do not disturb each other. The folder is made for this user alone, and nothing of others is used, counted or removed
    in it. A folder that cannot be written is used for what it has.
    """

    folder: Path
    suffix: str
    most: int

    def find(self, key: str, shape: Shape, dtype: np.dtype, *, check_rows: bool = True) -> Rows | None:
        """The array under `key`; None where there is none, and `Unfit` where its file is no good."""
        return read(self._path(key), shape, dtype, check_rows=check_rows)

    def make(self, key: str, shape: Shape, dtype: np.dtype, fill: Fill) -> Rows:
        """Write an array, which `fill` makes, once there is room for it; `OSError` where it cannot be kept."""
        self.make_room(bytes_of(shape, dtype))
        return write(self._path(key), shape, dtype, fill)

    def make_room(self, size: int) -> None:
        """Remove what killed processes left, and of the rest what was not used for longest, until so many bytes fit."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        parts, whole = [], []
        for file, taken in self._files():
            if not is_part(file):
                whole.append((file, taken))
            elif _in_the_making(file, taken) or not _removed(file):
                parts.append(taken)
        room = self.most - sum(parts) - size
        if room < 0:
            raise OSError(
                errno.ENOSPC, f"no room beside the {sum(parts) / GIB:.1f} GB that others are writing"
            )
        while whole and (sum(taken for _, taken in whole) > room or self._free() < size):
            _removed(whole.pop(0)[0])
        if self._free() < size:
            raise OSError(errno.ENOSPC, f"no room for {size / GIB:.1f} GB")

    def clear(self) -> None:
        """Remove all files, but for those that a living process is writing; `OSError` when one cannot be removed."""
        for file, taken in self._files():
            if not _in_the_making(file, taken):
                file.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{self.suffix}"

    def _free(self) -> int:
        return shutil.disk_usage(self.folder).free

    def _files(self) -> list[tuple[Path, int]]:
        """This user's files and their sizes, parts included, those first that were not used for longest."""
        found = []
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            with suppress(FileNotFoundError):  # another process has removed it
                state = path.lstat()
                if path.suffix == self.suffix and is_own(state):
                    found.append((state.st_mtime, path, state.st_size))
        return [(path, size) for _, path, size in sorted(found)]


def remembered(rows: Rows, key: str, size: int, compute: Callable[[], bytes]) -> bytes:
    """`size` bytes that were computed from the rows of a file, kept beside it under `key` so that it is read once."""
    if rows.file is None:
        return compute()
    store = FileStore(rows.file.path.parent, rows.file.path.suffix, 2**63)
    with suppress(Unfit):
        found = store.find(key, (size,), np.dtype(np.uint8))
        if found is not None:
            return np.asarray(found).tobytes()
    computed = compute()

    def fill(kept: np.ndarray) -> None:
        kept[:] = np.frombuffer(computed, np.uint8)

    with suppress(OSError):  # of a folder that cannot be written
        store.make(key, (size,), np.dtype(np.uint8), fill)
    return computed


def _in_the_making(file: Path, taken: int) -> bool:
    """Whether a living process writes the file: it claims a part while that is empty still."""
    return is_part(file) and (taken == 0 or is_claimed(file))


def _removed(file: Path) -> bool:
    with suppress(OSError):  # of a folder that cannot be written
        file.unlink(missing_ok=True)
        return True
    return False
