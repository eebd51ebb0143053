"""The prefix cache: what the frozen layers make of each image, computed once and kept."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vgglab.files import readable, why_not
from vgglab.stored.file_store import GIB, FileStore, default_folder, remembered
from vgglab.stored.stored_file import Fill, Shape, Unfit, bytes_of
from vgglab.stored.stored_rows import Images, Rows, chunks

SUFFIX = ".features"

Note = Callable[[str], None]


def content_key(*parts: object) -> str:
    """A hash of arrays, their shapes and types, and of the text of everything else.

    Rows of a file give what they would give in memory; they are read once, and the hash is kept beside the file.
    """
    stored = next((part for part in parts if isinstance(part, Rows) and part.identity), None)
    if stored is None:
        return _content_key(parts).hex()
    named = [part.identity if isinstance(part, Rows) and part.identity else part for part in parts]
    key = _content_key(["content key", *named]).hex()
    return remembered(stored, key, 16, lambda: _content_key(parts)).hex()


def _content_key(parts: Iterable[object]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, np.ndarray | Rows):
            digest.update(f"{part.shape}{part.dtype}".encode())
            for chunk in chunks(part) if part.ndim else [part]:
                digest.update(np.ascontiguousarray(chunk).view(np.uint8).data)
        else:
            digest.update(f"{part!r}|".encode())
    return digest.digest()


@dataclass
class FeatureCache:
    """Arrays under keys, in memory up to `memory` bytes, larger ones in files up to `disk` bytes.

    When a new entry does not fit, those that were not used for longest go. The files are those of a `FileStore`.
    """

    memory: int = 2 * GIB
    disk: int = 8 * GIB
    folder: Path = field(default_factory=default_folder)
    _arrays: OrderedDict[str, np.ndarray] = field(default_factory=OrderedDict, repr=False)

    def place(self, size: int) -> str | None:
        """Where an entry of so many bytes goes: "memory", "disk", or None when it is too large."""
        return "memory" if size <= self.memory else "disk" if size <= self.disk else None

    def get(self, key: str, shape: Shape, dtype: np.dtype, fill: Fill, note: Note) -> Images | None:
        """The array under `key`, made by `fill` when it is not there; None when it cannot be kept.

        `fill` writes into the array it is given. `note` is told what went wrong with a file.
        """
        if key in self._arrays:
            self._arrays.move_to_end(key)
            return self._arrays[key]
        place = self.place(bytes_of(shape, dtype))
        if place == "memory":
            return self._keep(key, shape, dtype, fill)
        return self._from_file(key, shape, dtype, fill, note) if place else None

    def clear(self) -> None:
        """Forget everything, files included, but for those that a living process is writing.

        `OSError` when one cannot be removed.
        """
        self._arrays.clear()
        self._files.clear()

    @property
    def used(self) -> int:
        """Bytes in memory now."""
        return sum(array.nbytes for array in self._arrays.values())

    @property
    def _files(self) -> FileStore:
        return FileStore(self.folder, SUFFIX, self.disk)

    def _keep(self, key: str, shape: Shape, dtype: np.dtype, fill: Fill) -> np.ndarray:
        size = bytes_of(shape, dtype)
        while self._arrays and self.used + size > self.memory:
            self._arrays.popitem(last=False)
        array = np.empty(shape, dtype)
        fill(array)
        array.flags.writeable = False
        self._arrays[key] = array
        return array

    def _from_file(self, key: str, shape: Shape, dtype: np.dtype, fill: Fill, note: Note) -> Rows | None:
        unfit = ""
        try:
            found = self._files.find(key, shape, dtype)
            if found is not None:
                return found
        except Unfit as reason:
            unfit = f"The cache file {key}{SUFFIX} {reason}"
        try:
            made = self._files.make(key, shape, dtype, fill)
        except OSError as error:
            said = f"The features could not be kept in {readable(self.folder)} ({why_not(error)})."
            note(f"{unfit}. {said}" if unfit else said)
            return None
        if unfit:
            note(f"{unfit}; it was made again.")
        return made


CACHE = FeatureCache()
