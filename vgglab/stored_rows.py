"""Arrays whose rows are read when they are asked for: from a file, or chosen from an array without a copy.

A file is read with `pread` and not mapped: the pages of a map count as memory of the process, and a map of a file
that another process cuts short ends this one.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import threading
import weakref
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vgglab.errors import InputError
from vgglab.files import readable, why_not

COPIED = 2**28  # bytes of chosen rows up to which a copy is made
A_CHUNK = 2**24  # bytes
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
        self.identity = identity
        self._descriptor, self._start, self._checksums = descriptor, start, checksums
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
            if zlib.crc32(content[place].data) != self._checksums[number]:
                raise self._damaged()
        return rows

    def __reduce__(self) -> tuple[Any, ...]:
        """For another process, which opens the file anew; the checksums tell whether it is the same."""
        given = (
            self.path,
            self._start,
            self.shape,
            self.dtype,
            self._checksums,
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


class Rows:
    """Some rows of an array or of a `RowFile`, in any order, like an array that cannot be written.

    It has `shape`, `dtype`, `ndim`, `nbytes` and a length; an index, which is a number, a slice or an array of numbers
    or of truth values, gives a new array. `np.asarray` reads it whole.
    """

    def __init__(self, source: RowFile | np.ndarray, numbers: np.ndarray | None = None) -> None:
        self._source = source
        self._numbers = np.arange(source.shape[0]) if numbers is None else numbers

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self._numbers), *self._source.shape[1:])

    @property
    def dtype(self) -> np.dtype:
        return self._source.dtype

    @property
    def ndim(self) -> int:
        return len(self._source.shape)

    @property
    def nbytes(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, key: Any) -> np.ndarray:
        numbers = self._numbers[_key(key)]
        return self._source[numbers] if numbers.ndim else self._source[numbers[None]][0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        whole = self[:]
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def __repr__(self) -> str:
        return f"Rows of {self.dtype}, shape {self.shape}"

    def chosen(self, key: Any) -> Rows:
        """The rows that an index means, without reading them."""
        return Rows(self._source, self._numbers[_key(key)])

    @property
    def file(self) -> RowFile | None:
        """The file that they are read from; None where they are in memory."""
        return self._source if isinstance(self._source, RowFile) else None

    @property
    def identity(self) -> str | None:
        """A text for the content of rows of a file, found without reading them; None where they are in memory."""
        if self.file is None:
            return None
        chosen = hashlib.blake2b(self._numbers.astype("<i8").data, digest_size=16).hexdigest()
        return f"{self.file.identity} {chosen}"


Images = np.ndarray | Rows


def rows_of(images: Images, key: Any) -> Images:
    """The rows of an array that an index means: a copy where they are few, and read when asked for otherwise."""
    if isinstance(images, Rows):
        return images.chosen(key)
    numbers = np.arange(len(images))[_key(key)]
    few = len(numbers) * images[:1].nbytes <= COPIED
    return images[numbers] if few else Rows(images, numbers)


def chunks(images: Images) -> Iterator[np.ndarray]:
    """All rows in their order, in arrays of some megabytes."""
    step = max(1, A_CHUNK // max(1, images[:1].nbytes))
    return (images[start : start + step] for start in range(0, len(images), step))


def _key(key: Any) -> Any:
    if isinstance(key, (slice, int, np.integer)):
        return key
    if isinstance(key, tuple):
        raise IndexError(
            "Rows have one index, as in images[numbers]; its rows are arrays: images[numbers][:, 0]."
        )
    key = np.asarray(key)
    return key.astype(np.int64) if not key.size and key.dtype != bool else key


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
