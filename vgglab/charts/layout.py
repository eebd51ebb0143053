"""Where the parts of the live chart stand, at the size of its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 470
LETTER = 7.2  # pixels of a letter of 13 px, on average
LABEL = 15  # pixels from one label to the next below it
NARROW, LOW, LOWEST = 420, 260, 170
_LEAST = (160, 90)  # what is smaller is drawn at this size, and shown smaller


@dataclass(frozen=True)
class Layout:
    """Pixels from the left and from the top of a picture, whose legend has so many rows.

    Accuracy stands above loss, which has a third of the height. A picture narrower than `NARROW` or lower than `LOW`
    is small: it leaves out the name of the x axis and most numbers of the loss. One lower than `LOWEST` has no loss.
    """

    width: int
    height: int
    rows: int = 1

    @property
    def is_small(self) -> bool:
        return self.width < NARROW or self.height < LOW

    @property
    def left(self) -> int:
        return 54 if self.is_small else 62

    @property
    def legend_left(self) -> int:
        return 8 if self.is_small else self.left

    @property
    def right(self) -> int:
        return self.width - (98 if self.is_small else 120)

    @property
    def top(self) -> int:
        return 8 + 18 * self.rows if self.is_small else max(46, 10 + 18 * self.rows)

    @property
    def bottom(self) -> int:
        return self.height - (20 if self.is_small else 36)

    @property
    def has_loss(self) -> bool:
        return self.height >= LOWEST

    @property
    def accuracy(self) -> tuple[int, int]:
        """Its top and its bottom."""
        if not self.has_loss:
            return self.top, self.bottom
        return self.top, self.top + round((self.bottom - self.top - self._between) * 246 / 358)

    @property
    def loss(self) -> tuple[int, int]:
        return self.accuracy[1] + self._between, self.bottom

    @property
    def _between(self) -> int:
        return 22 if self.is_small else 30

    def legend(self, number: int) -> int:
        """The baseline of a row of the legend."""
        return self.top - 14 - 18 * (self.rows - 1 - number)


def at_least(width: int, height: int) -> tuple[int, int]:
    """A size that a chart can be drawn at."""
    return max(width, _LEAST[0]), max(height, _LEAST[1])


def shortened(words: str, most: int) -> str:
    """Words of at most so many letters, and two at least; where some are left out of the middle, there is a "…"."""
    if len(words) <= most:
        return words
    ends = max(most - 1, 1)
    return f"{words[: (ends + 1) // 2]}…{words[len(words) - ends // 2 :]}"


def in_rows(widths: Sequence[float], left: float, right: float, space: float = 14) -> list[tuple[int, float]]:
    """A row and an x for each of several things, from left to right and then in the next row."""
    places, row, x = [], 0, left
    for width in widths:
        if x > left and x + width > right:
            row, x = row + 1, left
        places.append((row, x))
        x += width + space
    return places


def apart(wishes: Iterable[tuple[float, float, float]], top: float, bottom: float) -> list[float | None]:
    """A baseline for each label, as near as can be to the one it wishes for, so that none lies on another.

    `wishes`: left, right and baseline of each, the most important first. All lie between `top` and `bottom`; None for
    one that has no place left.
    """
    taken: list[tuple[float, float, float]] = []
    found: list[float | None] = []
    most = (bottom - top) // LABEL  # one below the other
    for left, right, wish in wishes:
        beside = [y for start, end, y in taken if start < right and left < end]
        edges = [y + step for y in beside for step in (LABEL, -LABEL)]
        ways = sorted([min(max(wish, top + LABEL), bottom), *edges], key=lambda y: abs(y - wish))
        free = (
            y
            for y in ways
            if top + LABEL <= y <= bottom and all(abs(y - other) >= LABEL - 1e-6 for other in beside)
        )
        place = next(free, None) if len(beside) < most else None
        found.append(place)
        if place is not None:
            taken.append((left, right, place))
    return found
