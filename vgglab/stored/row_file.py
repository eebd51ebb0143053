"""The rows of an array in an open file, each with its checksum.

They are read with `pread` and not mapped: the pages of a map count as memory of the process, and a map of a file that
another process cuts short ends this one.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import weakref
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vgglab.errors import InputError
from vgglab.files import readable, why_not

_SEEKING = threading.Lock()  # where a system cannot read at a place, and has to go there first


class RowFile:
    """The rows of an array in an open file, from the byte `start` on; `file[numbers]` reads some of them.

    `checksums`: uint32, one for each row, compared whenever the row is read. `identity` is one for files of one
    content, `note` what was kept with them. The file stays good when its name is given to another or removed.
    """

    def __init__(
        self,
        descriptor: int,
        path: Path,
        start: int,
        shape: tuple[int, ...],
        dtype: np.dtype,
        checksums: np.ndarray,
        identity: str,
        note: Mapping[str, Any],
    ) -> None:
        self.path, self.shape, self.dtype, self.note = path, shape, np.dtype(dtype), note
        self.identity, self.checksums = identity, checksums
        self._descriptor, self._start = descriptor, start
        self._row = int(np.prod(shape[1:], dtype=np.int64)) * self.dtype.itemsize
        weakref.finalize(self, os.close, descriptor)

    def __getitem__(self, numbers: np.ndarray) -> np.ndarray:
        rows = np.empty((len(numbers), *self.shape[1:]), self.dtype)
        content = rows.reshape(len(rows), self._row // self.dtype.itemsize).view(np.uint8)
        breaks = np.flatnonzero(np.diff(numbers) != 1) + 1  # what lies together is read together
        for first, end in itertools.pairwise([0, *breaks.tolist(), len(rows)]):
            if first < end:
                self._read(content[first:end].reshape(-1), int(numbers[first]))
        for place, number in enumerate(numbers):
            if zlib.crc32(content[place].data) != self.checksums[number]:
                raise self._damaged()
        return rows

    def __reduce__(self) -> tuple[Any, ...]:
        """For another process, which opens the file anew; the checksums tell whether it is the same."""
        given = (
            self.path,
            self._start,
            self.shape,
            self.dtype,
            self.checksums,
            self.identity,
            dict(self.note),
        )
        return _opened_anew, given

    def _read(self, content: np.ndarray, number: int) -> None:
        place, left = self._start + number * self._row, content.data
        while left:
            count = read_at(self._descriptor, left, place)
            if not count:
                raise self._damaged()
            place, left = place + count, left[count:]

    def _damaged(self) -> InputError:
        """The error; the file goes, unless its name has been given to another by now."""
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(self._descriptor), self.path.lstat()):
                self.path.unlink()
        return InputError(
            f"The cache file {readable(self.path)} was damaged or cut short since it was made, and was removed. "
            "Begin again: it is made anew."
        )


def _opened_anew(path: Path, *given: Any) -> RowFile:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise InputError(
            f"Images that are kept in the file {readable(path)} can be used only where it is ({why_not(error)})."
        ) from None
    return RowFile(descriptor, path, *given)


def read_at(descriptor: int, into: memoryview, place: int) -> int:
    """Read from a place of an open file; how many bytes came, 0 behind its end."""
    if hasattr(os, "preadv"):
        return os.preadv(descriptor, [into], place)
    with _SEEKING:
        os.lseek(descriptor, place, os.SEEK_SET)
        came = os.read(descriptor, len(into))
    into[: len(came)] = came
    return len(came)


def write_at(descriptor: int, content: memoryview, place: int) -> None:
    """Write to a place of an open file."""
    while content:
        if hasattr(os, "pwrite"):
            count = os.pwrite(descriptor, content, place)
        else:
            with _SEEKING:
                os.lseek(descriptor, place, os.SEEK_SET)
                count = os.write(descriptor, content)
        place, content = place + count, content[count:]
