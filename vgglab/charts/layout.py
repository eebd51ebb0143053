"""Where the parts of the live chart stand, at the size of its place."""

from __future__ import annotations

from collections.abc import Sequence
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


def apart(wishes: Sequence[tuple[float, float, float]], top: float, bottom: float) -> list[float | None]:
    """A baseline for each label, near the one it wishes for and in the same order, so that none lies on another.

    `wishes`: left, right and baseline of each, the most important first. All lie between `top` and `bottom`; None for
    the least important ones, where there is no place for all.
    """
    kept: list[int] = []
    most = (bottom - top) // LABEL  # one below the other
    for place, (left, right, _) in enumerate(wishes):
        if sum(wishes[other][0] < right and left < wishes[other][1] for other in kept) < most:
            kept.append(place)
    while True:
        found = _stacked([wishes[place] for place in kept], top, bottom)
        if all(y >= top + LABEL for y in found):
            places = dict(zip(kept, found))
            return [places.get(place) for place in range(len(wishes))]
        kept.pop()


def _stacked(wishes: Sequence[tuple[float, float, float]], top: float, bottom: float) -> list[float]:
    """Each pushed down by those that are higher, and then up by the bottom and those that are lower."""
    order = sorted(range(len(wishes)), key=lambda place: wishes[place][2])
    found = [max(wish, top + LABEL) for _, _, wish in wishes]
    for step, places in ((LABEL, order), (-LABEL, order[::-1])):
        choose = max if step > 0 else min
        for count, place in enumerate(places):
            left, right, _ = wishes[place]
            beside = [
                other for other in places[:count] if wishes[other][0] < right and left < wishes[other][1]
            ]
            bounds = [found[other] + step for other in beside] + ([] if step > 0 else [bottom])
            found[place] = choose([found[place], *bounds])
    return found
