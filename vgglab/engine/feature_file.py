"""One file of the feature cache: its checksum, then the numbers, which are mapped into memory."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import math
import os
import stat
from collections.abc import Callable
from io import FileIO
from pathlib import Path

import numpy as np

from vgglab.files import why_not, written_whole

try:
    import fcntl
except ImportError:  # Windows, which removes no file that is open
    fcntl = None  # type: ignore[assignment]

VERSION = 3  # of the files
SUFFIX = ".features"
CHECKSUM = 64  # bytes, before the numbers

Fill = Callable[[np.ndarray], None]
Shape = tuple[int, ...]

_CHECKED: dict[Path, tuple[object, ...]] = {}  # the files whose checksum was right, as they were then


class Unfit(Exception):
    """Why a file that is there is not used: the end of a sentence that begins with its name."""


def bytes_of(shape: Shape, dtype: np.dtype) -> int:
    """How large an array is."""
    return math.prod(shape) * np.dtype(dtype).itemsize


def read(path: Path, shape: Shape, dtype: np.dtype) -> np.ndarray | None:
    """The array of a file, as a map that cannot be written; None when there is no file, and `Unfit` when it is no good.

    The checksum is compared when this process first opens the file, and again when the file has changed since. That
    takes about 1.2 s of a processor for each GiB, and reads the whole file. A file of another user, one that others can
    write, and a link are not used.
    """
    try:
        with _opened(path) as file:
            _check(file, path, shape, dtype)
            with contextlib.suppress(OSError):  # where nothing can be written
                os.utime(path)
            _CHECKED[path] = _state(file, path, shape, dtype)
            return np.memmap(file, dtype, "r", CHECKSUM, shape)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        link = error.errno == errno.ELOOP
        raise Unfit("is a link" if link else f"cannot be read ({why_not(error)})") from None


def write(path: Path, shape: Shape, dtype: np.dtype, fill: Fill) -> np.ndarray:
    """Write a file that is whole or absent, and give its array, as a map that is not to be written.

    The map stays good when another process replaces or removes the file. `OSError` where it cannot be written.
    """
    with contextlib.ExitStack() as afterwards, written_whole(path) as beside:
        file = afterwards.enter_context(beside.open("r+b", buffering=0))
        _claim(file)
        _take_room(file, CHECKSUM + bytes_of(shape, dtype))
        array = np.memmap(file, dtype, "r+", CHECKSUM, shape)
        fill(array)
        array.flush()
        array.flags.writeable = False
        file.seek(CHECKSUM)
        checksum = _checksum(file, path, shape, dtype)
        file.seek(0)
        file.write(checksum)
        _CHECKED[path] = _state(file, path, shape, dtype)
        if fcntl is not None:
            return array
        del array  # Windows renames no file that is open
        file.close()
    return np.memmap(path, dtype, "r", CHECKSUM, shape)


def is_own(state: os.stat_result) -> bool:
    """Whether this is a file, and one of this user."""
    return stat.S_ISREG(state.st_mode) and (not hasattr(os, "geteuid") or state.st_uid == os.geteuid())


def is_claimed(path: Path) -> bool:
    """Whether a living process is writing a part; True as well where that cannot be found out."""
    if fcntl is None:
        return False
    try:
        with _opened(path) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _opened(path: Path) -> FileIO:
    """A file to read; a link is an error, and what only looks like a file is not waited for."""
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    return open(path, "rb", buffering=0, opener=lambda name, mode: os.open(name, mode | flags))


def _claim(file: FileIO) -> None:
    """Say that a living process writes this file, until it is closed or the process ends, and keep others from it."""
    if fcntl is not None:
        with contextlib.suppress(OSError):  # some file systems have no locks, or no users
            fcntl.flock(file, fcntl.LOCK_EX)
        with contextlib.suppress(OSError):
            os.fchmod(file.fileno(), 0o600)


def _take_room(file: FileIO, size: int) -> None:
    """Take the room now: writing to a map of a full disk would kill the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
        return
    zeros = bytes(2**20)
    while (left := size - file.tell()) > 0:
        file.write(zeros[:left])


def _check(file: FileIO, path: Path, shape: Shape, dtype: np.dtype) -> None:
    state = os.fstat(file.fileno())
    if not is_own(state):
        raise Unfit("is no file of yours")
    if fcntl is not None and state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Unfit("can be written by other users")
    if state.st_size != CHECKSUM + bytes_of(shape, dtype):
        raise Unfit("was cut short or is damaged")
    if _CHECKED.get(path) != _state(file, path, shape, dtype) and file.read(CHECKSUM) != _checksum(
        file, path, shape, dtype
    ):
        raise Unfit("was cut short or is damaged")


def _checksum(file: FileIO, path: Path, shape: Shape, dtype: np.dtype) -> bytes:
    """Of the rest of an open file, and of what it holds.

    Read and not mapped: where a disk cannot be read, a map would end the process.
    """
    what = _what(path, shape, dtype).encode()
    return hashlib.file_digest(file, lambda: hashlib.blake2b(what, digest_size=CHECKSUM)).digest()


def _state(file: FileIO, path: Path, shape: Shape, dtype: np.dtype) -> tuple[object, ...]:
    """What is another when a file's content is: which file it is, how large, when it was written, what it holds."""
    state = os.fstat(file.fileno())
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, _what(path, shape, dtype)


def _what(path: Path, shape: Shape, dtype: np.dtype) -> str:
    """The key, which is the file's name, and how its bytes are to be read."""
    return f"{path.stem} {' '.join(map(str, shape))} {np.dtype(dtype)}"
