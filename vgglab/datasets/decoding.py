"""Many image files become the rows of one array, several at a time, each written to its place as it is decoded."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vgglab.datasets.depth import Deep, Range, ranges_of, to_bytes
from vgglab.datasets.reading import MEMORY, Reading, TooLarge, Unreadable, read
from vgglab.stored.stored_file import RowWriter

AHEAD = 32  # files a thread that are handed out before the first of them is done

Progress = Callable[[int, int], object]  # how many of how many are done
_Result = Deep | Unreadable | None


@dataclass(frozen=True)
class Decoded:
    """What was found out about files beside their pixels: why some cannot be read, by their place, and their depth."""

    unreadable: Mapping[int, str]
    whole: Range | None = None
    fractions: Range | None = None
    remarks: Sequence[str] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dict(
            unreadable=list(self.unreadable.items()),
            whole=self.whole,
            fractions=self.fractions,
            remarks=list(self.remarks),
        )

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Decoded:
        """What `to_dict` returned."""
        ranges = {name: Range(*plain[name]) for name in ("whole", "fractions") if plain[name]}
        return cls(dict(plain["unreadable"]), **ranges, remarks=plain["remarks"])


def decode(
    paths: Sequence[Path], reading: Reading, images: np.ndarray | RowWriter, progress: Progress | None = None
) -> Decoded:
    """Write each file's image, uint8 (image_size, image_size, 3), to its row; that of one that cannot be read stays.

    All that is decoded at one time fits in `reading.MEMORY`. Images of more than 8 bits are read twice: for the range
    that they share, and once that is known. `MemoryError` where the machine has too little.
    """
    unreadable: dict[int, str] = {}
    deep: dict[int, Deep] = {}

    def first(place: int, memory: int) -> _Result:
        image = read(paths[place], reading, memory)
        if isinstance(image, Deep):
            return image._replace(values=_NOTHING)
        images[place] = image
        return None

    for place, result in _each(first, range(len(paths)), progress, len(paths)):
        if isinstance(result, Unreadable):
            unreadable[place] = str(result)
        elif result is not None:
            deep[place] = result
    ranges, remarks = ranges_of(list(deep.values()))

    def again(place: int, memory: int) -> _Result:
        image = read(paths[place], reading, memory)
        images[place] = to_bytes(image, ranges[image.whole]) if isinstance(image, Deep) else image
        return None

    for place, result in _each(again, deep, None, len(deep)):
        if isinstance(result, Unreadable):
            unreadable[place] = str(result)
    return Decoded(unreadable, ranges.get(True), ranges.get(False), remarks)


_NOTHING = np.empty((0, 0), np.float32)


def _each(
    do: Callable[[int, int], _Result], places: Iterable[int], progress: Progress | None, total: int
) -> Iterator[tuple[int, _Result]]:
    """What comes of each place, in threads; those that take more than a thread's share come last, one by one."""
    threads = os.cpu_count() or 1

    def within(place: int, memory: int) -> _Result:
        try:
            return do(place, memory)
        except Unreadable as unreadable:
            return unreadable

    large, done = [], 0
    with ThreadPoolExecutor(threads) as pool:
        try:
            for place, result in _in_order(pool, lambda place: within(place, MEMORY // threads), places):
                if isinstance(result, TooLarge):
                    large.append(place)
                    continue
                done += 1
                if progress is not None:
                    progress(done, total)
                yield place, result
        finally:  # interrupted: what has not begun does not begin
            pool.shutdown(cancel_futures=True)
    for place in large:
        result = within(place, MEMORY)
        done += 1
        if progress is not None:
            progress(done, total)
        yield place, result


def _in_order(
    pool: ThreadPoolExecutor, do: Callable[[int], _Result], places: Iterable[int]
) -> Iterator[tuple[int, _Result]]:
    """Hand places out to threads, some ahead; their results in order."""
    waiting: deque[tuple[int, Future[_Result]]] = deque()
    ahead = AHEAD * (os.cpu_count() or 1)
    for place in places:
        waiting.append((place, pool.submit(do, place)))
        if len(waiting) >= ahead:
            first, future = waiting.popleft()
            yield first, future.result()
    while waiting:
        first, future = waiting.popleft()
        yield first, future.result()
