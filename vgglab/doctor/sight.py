"""Which pictures look alike, also where one is a cut of the other, mirrored or turned: a perceptual hash in numbers.

The low frequencies of a cosine transform, of which the hash of Zauner 2010 ("Implementation and Benchmarking of
Perceptual Image Hash Functions") keeps the signs, are kept as they are, of every picture in many views. A cut that no
hash of the whole picture finds is near one of the views.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from vgglab.doctor.resample import turned, window

LOW = 8  # frequencies each way
SHARES = (0.85, 0.92, 0.77)  # of a side that a cut keeps; the alignment finds what lies between
ROWS_AT_A_TIME, COLUMNS_AT_A_TIME = 128, 1024  # what stays in a processor's own memory
PICTURES_AT_A_TIME = 1024
MOST_PRODUCTS = 2.7e9  # of two pictures in a view; with more pictures there are fewer views


class View(NamedTuple):
    """A way to see a picture: mirrored or turned as `resample.turned`, and the square of it that is seen, in shares."""

    way: int
    left: float
    top: float
    share: float


def _views() -> list[View]:
    whole = [View(way, 0.0, 0.0, 1.0) for way in range(8)]
    cuts = [
        View(way, left, top, share)
        for share in SHARES
        for way in (0, 1)
        for left in (0.0, (1 - share) / 2, 1 - share)
        for top in (0.0, (1 - share) / 2, 1 - share)
    ]
    return whole + cuts


VIEWS = _views()


def views_for(images: int) -> list[View]:
    """The views that there is time for with so many images: all of them up to 6,600, the commonest beyond."""
    return VIEWS[: max(2, int(MOST_PRODUCTS / max(1, images) ** 2))]


def what_is_not_seen(images: int) -> str:
    """Says which copies may be missed among so many images; "" where every view of them is compared."""
    views = len(views_for(images))
    if views == len(VIEWS):
        return ""
    return (
        f"With this many images, only {views} of {len(VIEWS)} views of each are compared, so some cropped, mirrored or "
        "turned copies may be missed."
    )


class Sight:
    """Pictures, uint8 (n, side, side), in as many views as there is time for."""

    def __init__(self, grey: np.ndarray) -> None:
        self.grey = grey
        self.views = views_for(len(grey))
        self.described = self._described()

    def _described(self) -> np.ndarray:
        """Every view of every picture as a row of length 1: float32 (views, n, 63)."""
        side, n = self.grey.shape[1], len(self.grey)
        cosines = _cosines(32)
        found = np.empty((len(self.views), n, LOW * LOW - 1), np.float32)
        for place, (way, left, top, share) in enumerate(self.views):
            rows = cosines @ window(side, 32, top, top + share)
            columns = (cosines @ window(side, 32, left, left + share)).T
            for start in range(0, n, PICTURES_AT_A_TIME):
                some = turned(self.grey[start : start + PICTURES_AT_A_TIME], way).astype(np.float32)
                found[place, start : start + len(some)] = (rows @ some @ columns).reshape(len(some), -1)[
                    :, 1:
                ]
        # What differs much between all pictures would drown the rest.
        found /= np.sqrt(found[0].std(axis=0) + 1e-3)
        length = np.linalg.norm(found, axis=2, keepdims=True)
        found /= np.maximum(length, 1e-3)
        return found

    def nearest(self, count: int, least: float) -> np.ndarray:
        """Pairs (m, 2): for each picture the `count` that one of its views is most like, where they are so at least."""
        starts = range(0, len(self.grey), ROWS_AT_A_TIME)
        # Many small products: threads of our own are used well, a library's wait for each other.
        with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:
            found = list(
                pool.map(lambda start: self._nearest(start, min(count, len(self.grey) - 1), least), starts)
            )
        return unique_pairs(found)

    def _nearest(self, start: int, count: int, least: float) -> np.ndarray:
        n = len(self.grey)
        rows = slice(start, min(n, start + ROWS_AT_A_TIME))
        size = rows.stop - start
        best = np.empty((size, n), np.float32)
        for left in range(0, n, COLUMNS_AT_A_TIME):
            columns = slice(left, left + COLUMNS_AT_A_TIME)
            tile = self.described[0, rows] @ self.described[0, columns].T
            other = np.empty_like(tile)
            for view in self.described[1:]:
                np.matmul(view[rows], self.described[0, columns].T, out=other)
                np.maximum(tile, other, out=tile)
            best[:, columns] = tile
        best[np.arange(size), np.arange(start, rows.stop)] = -1
        near = np.argpartition(-best, count - 1, axis=1)[:, :count]
        row = np.repeat(np.arange(size), count)
        alike = best[row, near.ravel()] >= least
        return np.stack([row + start, near.ravel()], axis=1)[alike]

    def best_view(self, moving: np.ndarray, fixed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How alike the best view of the one picture and the whole other one are, and which view that is; (m,) each."""
        wanted = self.described[0][fixed]
        scores = np.stack([np.einsum("ij,ij->i", view[moving], wanted) for view in self.described])
        return scores.max(axis=0), scores.argmax(axis=0)


def unique_pairs(found: list[np.ndarray]) -> np.ndarray:
    """Pairs (m, 2) without those that come twice, in either order."""
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


def _cosines(side: int) -> np.ndarray:
    """The lowest rows of a cosine transform (DCT-II)."""
    return np.cos(np.pi * np.arange(LOW)[:, None] * (2 * np.arange(side) + 1) / (2 * side)).astype(np.float32)
