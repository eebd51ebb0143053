"""Arrays whose rows are read when they are asked for: from a file, or chosen from arrays without a copy."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from vgglab.stored.row_file import RowFile

COPIED = 2**28  # bytes of chosen rows up to which a copy is made
A_CHUNK = 2**24  # bytes


class _Joined:
    """The rows of two arrays, one after the other; nothing is copied but what is asked for."""

    def __init__(self, first: Images, second: Images) -> None:
        self.first, self.second = first, second
        self.shape = (len(first) + len(second), *first.shape[1:])
        self.dtype = first.dtype

    def __getitem__(self, numbers: np.ndarray) -> np.ndarray:
        rows = np.empty((len(numbers), *self.shape[1:]), self.dtype)
        in_first = numbers < len(self.first)
        rows[in_first] = self.first[numbers[in_first]]
        rows[~in_first] = self.second[numbers[~in_first] - len(self.first)]
        return rows


class Rows:
    """Some rows of an array or of a `RowFile`, in any order, like an array that cannot be written.

    It has `shape`, `dtype`, `ndim`, `nbytes` and a length; an index, which is a number, a slice or an array of numbers
    or of truth values, gives a new array. `np.asarray` reads it whole.
    """

    def __init__(self, source: RowFile | np.ndarray | _Joined, numbers: np.ndarray | None = None) -> None:
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
        """The file that they are read from, or the first of several; None where some are in memory."""
        if isinstance(self._source, _Joined):
            files = [
                each.file for each in (self._source.first, self._source.second) if isinstance(each, Rows)
            ]
            return files[0] if len(files) == 2 and all(files) else None
        return self._source if isinstance(self._source, RowFile) else None

    @property
    def checksums(self) -> np.ndarray | None:
        """A number for the content of each row, (n,), which rows of other content may share; None of rows in memory."""
        return self._source.checksums[self._numbers] if isinstance(self._source, RowFile) else None

    @property
    def identity(self) -> str | None:
        """A text for the content of rows of a file, found without reading them; None where they are in memory."""
        if self.file is None:
            return None
        of = self.file.identity
        if isinstance(self._source, _Joined):
            of = " ".join(
                str(getattr(each, "identity", None)) for each in (self._source.first, self._source.second)
            )
        chosen = hashlib.blake2b(self._numbers.astype("<i8").data, digest_size=16).hexdigest()
        return f"{of} {chosen}"


Images = np.ndarray | Rows


def rows_of(images: Images, key: Any) -> Images:
    """The rows of an array that an index means: a copy where they are few, and read when asked for otherwise."""
    if isinstance(images, Rows):
        return images.chosen(key)
    numbers = np.arange(len(images))[_key(key)]
    few = len(numbers) * images[:1].nbytes <= COPIED
    return images[numbers] if few else Rows(images, numbers)


def joined(first: Images, second: Images, numbers: np.ndarray) -> Images:
    """The rows with these numbers, (n,), of two arrays one after the other; like `rows_of`, without many copies."""
    both = Rows(_Joined(first, second), numbers)
    is_stored = isinstance(first, Rows) or isinstance(second, Rows)
    return both if is_stored or both.nbytes > COPIED else np.asarray(both)


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
