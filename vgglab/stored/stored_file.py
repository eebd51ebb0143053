"""One file of an array: a checksum, the rows, a checksum of each row, and a note."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import os
import stat
import zlib
from collections.abc import Callable, Mapping
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np

from vgglab.errors import InputError
from vgglab.files import why_not, written_whole
from vgglab.stored.row_file import RowFile, write_at
from vgglab.stored.stored_rows import Rows, chunks

try:
    import fcntl
except ImportError:  # Windows, which removes no file that is open
    fcntl = None  # type: ignore[assignment]

VERSION = 4  # of the files
CHECKSUM = 64  # bytes, before the rows: of all that follows them, and of how they are to be read
LONGEST_NOTE = 2**26  # bytes
_DAMAGED = "was cut short or is damaged"

Shape = tuple[int, ...]

_CHECKED: dict[Path, tuple[object, ...]] = {}  # the files whose rows were all right, as they were then


class Unfit(Exception):
    """Why a file that is there is not used: the end of a sentence that begins with its name."""


class RowWriter:
    """An array in a file that is being written: `rows[number] = row`, `rows[start:end] = several`.

    Threads may write different rows at the same time.
    """

    def __init__(self, descriptor: int, shape: Shape, dtype: np.dtype) -> None:
        self.shape, self.dtype, self.checksums = shape, np.dtype(dtype), np.zeros(shape[0], "<u4")
        self._descriptor = descriptor

    def __setitem__(self, key: int | slice, value: Any) -> None:
        numbers = range(self.shape[0])[key]
        if isinstance(numbers, int):
            numbers, value = range(numbers, numbers + 1), np.asarray(value)[None]
        for number, row in zip(numbers, np.broadcast_to(value, (len(numbers), *self.shape[1:]))):
            content = np.ascontiguousarray(row, self.dtype).reshape(-1).view(np.uint8)
            self.checksums[number] = zlib.crc32(content.data)
            write_at(self._descriptor, content.data, CHECKSUM + number * content.nbytes)

    def __len__(self) -> int:
        return self.shape[0]


Fill = Callable[
    [Any], Mapping[str, Any] | None
]  # writes the rows of an array or a RowWriter, and gives the note


def bytes_of(shape: Shape, dtype: np.dtype) -> int:
    """How large an array is."""
    return math.prod(shape) * np.dtype(dtype).itemsize


def read(path: Path, shape: Shape, dtype: np.dtype, *, check_rows: bool = True) -> Rows | None:
    """The array of a file, read when asked for; None when there is no file, and `Unfit` when it is no good.

    A row that was damaged is an `InputError` when it is read. With `check_rows` all are compared with their checksums
    when this process first opens the file, and again when the file has changed since, which reads all of it. A
    file of another user, one that others can write, and a link are not used.
    """
    try:
        with _opened(path) as file:
            rows = _checked(file, path, shape, dtype, check_rows)
            with contextlib.suppress(OSError):  # where nothing can be written
                os.utime(path)
            if check_rows:
                _CHECKED[path] = _state(file, path, shape, dtype)
            return rows
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        link = error.errno == errno.ELOOP
        raise Unfit("is a link" if link else f"cannot be read ({why_not(error)})") from None


def write(path: Path, shape: Shape, dtype: np.dtype, fill: Fill) -> Rows:
    """Write a file that is whole or absent, and give its array.

    `OSError` where it cannot be written.
    """
    with contextlib.ExitStack() as afterwards, written_whole(path) as beside:
        file = afterwards.enter_context(beside.open("r+b", buffering=0))
        _claim(file)
        size = CHECKSUM + bytes_of(shape, dtype)
        _take_room(file, size)
        rows = RowWriter(file.fileno(), shape, dtype)
        note = json.dumps(fill(rows) or {})
        tail = rows.checksums.tobytes() + note.encode()
        write_at(file.fileno(), memoryview(tail), size)
        write_at(file.fileno(), memoryview(_checksum(path, shape, dtype, tail)), 0)
        _CHECKED[path] = _state(file, path, shape, dtype)
        if fcntl is None:
            file.close()  # Windows renames no file that is open
        else:
            with _opened(beside) as again:
                made = _rows(again, path, shape, dtype, tail)
    if fcntl is None:
        with _opened(path) as again:
            made = _rows(again, path, shape, dtype, tail)
    return made


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


def _checked(file: FileIO, path: Path, shape: Shape, dtype: np.dtype, check_rows: bool) -> Rows:
    state = os.fstat(file.fileno())
    if not is_own(state):
        raise Unfit("is no file of yours")
    if fcntl is not None and state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Unfit("can be written by other users")
    size = CHECKSUM + bytes_of(shape, dtype)
    if not 4 * shape[0] <= state.st_size - size <= 4 * shape[0] + LONGEST_NOTE:
        raise Unfit(_DAMAGED)
    checksum = file.read(CHECKSUM)
    file.seek(size)
    tail = file.read()
    if checksum != _checksum(path, shape, dtype, tail):
        raise Unfit(_DAMAGED)
    rows = _rows(file, path, shape, dtype, tail)
    if check_rows and _CHECKED.get(path) != _state(file, path, shape, dtype) and not _are_right(rows):
        raise Unfit(_DAMAGED)
    return rows


def _rows(file: FileIO, path: Path, shape: Shape, dtype: np.dtype, tail: bytes) -> Rows:
    """The array of a file that is open and stays so; `tail` is what follows the rows."""
    checksums = np.frombuffer(tail, "<u4", shape[0])
    identity = _checksum(path, shape, dtype, tail).hex()
    note = json.loads(tail[checksums.nbytes :])
    return Rows(
        RowFile(os.dup(file.fileno()), path, CHECKSUM, shape, np.dtype(dtype), checksums, identity, note)
    )


def _are_right(rows: Rows) -> bool:
    """Whether each row is as it was written."""
    try:
        for _ in chunks(rows):
            pass
    except InputError:
        return False
    return True


def _checksum(path: Path, shape: Shape, dtype: np.dtype, tail: bytes) -> bytes:
    """Of what a file holds: its key and how its bytes are to be read, the checksums of the rows, and the note."""
    return hashlib.blake2b(_what(path, shape, dtype).encode() + tail, digest_size=CHECKSUM).digest()


def _state(file: FileIO, path: Path, shape: Shape, dtype: np.dtype) -> tuple[object, ...]:
    """What is another when a file's content is: which file it is, how large, when it was written, what it holds."""
    state = os.fstat(file.fileno())
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, _what(path, shape, dtype)


def _what(path: Path, shape: Shape, dtype: np.dtype) -> str:
    """The key, which is the file's name, and how its bytes are to be read."""
    return f"{VERSION} {path.stem} {' '.join(map(str, shape))} {np.dtype(dtype)}"
