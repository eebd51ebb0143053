"""The axes of the live chart: from epochs and values to pixels, and the numbers that stand beside them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

WIDE = 5  # times the typical value: what is higher makes a linear axis press the typical values flat
# Times the typical value: what is higher, a spike or a run that went astray, is not drawn to scale.
FAR = 1000
STRIP = 10  # pixels at the top for what is not to scale
SPACE = 24  # pixels between two numbers, at least
HUGE = 1e300  # as good as infinite; what is smaller than its inverse is as good as zero


@dataclass(frozen=True)
class Epochs:
    """The horizontal axis, each epoch in the middle of its column."""

    first: int
    last: int
    left: float
    right: float

    def x(self, epoch: float) -> float:
        return self.left + (epoch - self.first + 0.5) * self._step

    @cached_property
    def _step(self) -> float:
        return (self.right - self.left) / (self.last - self.first + 1)

    def ticks(self) -> list[int]:
        """At most ten round numbers with room between them, and the first epoch."""
        most = (self.last - self.first + 1) / max(1, min(9, (self.right - self.left) // 45))
        step = next(int(step) for step in _round_numbers(0) if step >= most)
        ticks = {self.first, *range(-(-self.first // step) * step, self.last + 1, step)}
        return sorted(tick for tick in ticks if tick == self.first or step < 1.5 * (tick - self.first))


@dataclass(frozen=True)
class Scale:
    """A vertical axis: a higher value is always drawn higher.

    `low` is drawn at `bottom` and `high` at `top`, in even steps, or where it `is_bent` logarithmic beyond `unit` on
    both sides of zero (symlog: the inverse hyperbolic sine, which has no kink). Where there are values `beyond`, they
    share a strip above `high`, logarithmic and not to scale, and infinity is its upper edge.
    """

    low: float
    high: float
    top: float
    bottom: float
    unit: float = 1.0
    is_bent: bool = False
    beyond: float | None = None  # the highest value

    def y(self, value: float) -> float:
        if value <= self.high:
            low, span, height = self._even
            return self.bottom - (self._bent(max(value, self.low)) - low) / span * height
        edge = self.top + STRIP
        if value >= HUGE or self.beyond is None:
            return self.top
        start, here, end = (math.asinh(each / self.unit) for each in (self.high, value, self.beyond))
        return edge - (here - start) / (end - start) * (STRIP - 1)  # a pixel less: infinity is higher

    @cached_property
    def _even(self) -> tuple[float, float, float]:
        """Of the part that is to scale: its lowest value, how much there is above it, and its height in pixels."""
        low = self._bent(self.low)
        edge = self.top if self.beyond is None else self.top + STRIP
        return low, self._bent(self.high) - low, self.bottom - edge

    def _bent(self, value: float) -> float:
        part = value / self.unit
        return math.asinh(part) if self.is_bent else part

    def ticks(self) -> list[float]:
        """Round numbers with room between them, and the highest of those that are not to scale."""
        ticks = [] if self.beyond in (None, math.inf) else [self.beyond]
        for value in self._candidates():
            if all(abs(self.y(value) - self.y(tick)) >= SPACE for tick in ticks):
                ticks.append(value)
        return sorted(ticks)

    def _candidates(self) -> Iterator[float]:
        """Zero, then round numbers that lie on the axis; the higher ones first, for they are further apart."""
        if self.low <= 0 <= self.high:
            yield 0.0
        if not self.is_bent:
            step = next(step for step in _round_numbers(_power(self.high - self.low) - 1) if self._fits(step))
            for number in range(math.floor(self.high / step), math.ceil(self.low / step) - 1, -1):
                yield float(f"{number * step:.12g}")
            return
        powers = range(_power(max(abs(self.low), self.high)), _power(self.unit) - 2, -1)
        sizes = [float(f"{digit}e{power}") for power in powers for digit in (5, 2, 1)]
        yield from (each for size in sizes for each in (size, -size) if self.low <= each <= self.high)

    def _fits(self, step: float) -> bool:
        return step * (self.bottom - self.top - STRIP) / (self.high - self.low) >= SPACE

    def note(self) -> str:
        """What of the axis is not in even steps; "" when all of it is."""
        where = "beyond ±" if self.low < 0 else "above "
        notes = [f"logarithmic {where}{self.unit:.2g}"] if self.is_bent else []
        notes += [f"not to scale above {self.high:.3g}"] if self.beyond is not None else []
        return ", ".join(notes)


def share_scale(top: float, bottom: float) -> Scale:
    """The axis of a share: 0 to 1."""
    return Scale(0, 1, top, bottom)


def fitted(values: Sequence[float] | np.ndarray, top: float, bottom: float) -> Scale:
    """The axis on which all of these values can be read, the typical ones, a high start and a late rise alike.

    Zero is on it unless all are negative. It is linear when none is more than `WIDE` times as large as the median size,
    symlog when some are, and those more than `FAR` times as large go above it. NaN has no place; of an infinite value
    it is known where, so it goes to the edge.
    """
    given = np.asarray(values, dtype=float)
    finite = given[np.abs(given) < HUGE]
    sizes = np.abs(finite)
    sizes = sizes[sizes > 1 / HUGE]
    if not len(sizes):
        return Scale(0, 1, top, bottom, beyond=math.inf if (given == math.inf).any() else None)
    # The median, the higher one of two; rounded, so that one more value rarely moves all the others.
    unit = float(f"{np.partition(sizes, len(sizes) // 2)[len(sizes) // 2]:.2g}")
    near = finite[finite <= FAR * unit]
    low, high = min(0.0, float(near.min())), float(near.max())
    if high <= low:
        high = 0.0  # all are the same negative number
    above = finite[finite > high]
    beyond = float(above.max()) if len(above) else None
    if beyond is None and (given >= HUGE).any():
        beyond = math.inf
    is_bent = max(high, -low) > WIDE * unit
    # An axis that is linear throughout is the same one whatever its unit.
    return Scale(low, high, top, bottom, unit if is_bent or beyond else 1.0, is_bent, beyond)


def _power(value: float) -> int:
    return math.floor(math.log10(value))


def _round_numbers(power: int) -> Iterator[float]:
    """1, 2, 5, 10, ... from ten to this power on."""
    for each in itertools.count(power):
        for digit in (1, 2, 5):
            yield digit * 10**each if each >= 0 else float(f"{digit}e{each}")
