"""Is A better than B, or is it noise? Intervals of a share of images, over seeds, and of differences of either."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from vgglab.errors import InputError

Interval = tuple[float, float]


@dataclass(frozen=True)
class Effect:
    """A mean over `n` seeds, and the interval from `low` to `high` in which the mean of all seeds lies.

    As text it is in points, a hundredth of the number, which is right for accuracies and gaps.
    """

    mean: float
    low: float
    high: float
    n: int

    def above(self, threshold: float = 0.0) -> bool:
        """Whether the whole interval lies above the threshold."""
        return self.low > threshold

    def __str__(self) -> str:
        mean, low, high = (100 * value for value in (self.mean, self.low, self.high))
        return f"{mean:+.1f} points ({low:+.1f} to {high:+.1f}, n = {self.n})"


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Effect:
    """The mean of one value a seed, with Student's t interval (Student 1908).

    `InputError` for fewer than two values, which say nothing about chance.
    """
    numbers = np.asarray(values, dtype=float)
    if numbers.ndim != 1 or len(numbers) < 2 or not np.isfinite(numbers).all():
        raise InputError(
            f"`values` must be at least two numbers, one a seed. Received: {numbers.tolist()!r}."
        )
    from scipy import stats  # takes a second, which the dashboard need not wait for

    n, mean = len(numbers), float(numbers.mean())
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1) * numbers.std(ddof=1) / np.sqrt(n))
    return Effect(mean, mean - half, mean + half, n)


def paired_difference(a: Sequence[float], b: Sequence[float], confidence: float = 0.95) -> Effect:
    """How much larger `a` is than `b`, both with one value a seed in the same order.

    Two runs of a seed share their images and their start, so what those contribute cancels.
    """
    first, second = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if first.shape != second.shape:
        raise InputError(
            f"`a` and `b` must have a value for each seed. Received: {first.shape} and {second.shape}."
        )
    return mean_interval((first - second).tolist(), confidence)


def verdict(difference: Effect, a: str = "A", b: str = "B") -> str:
    """The answer in a sentence: A is higher, B is higher, or it may be noise."""
    if difference.above():
        said = f"{a} is higher than {b}"
    elif difference.high < 0:
        said = f"{b} is higher than {a}"
    else:
        said = f"{a} and {b} cannot be told apart"
    return f"{said}: {difference}."


def interval(right: int, n: int, confidence: float = 0.95) -> Interval:
    """Where the true share lies when `right` of `n` images were right: the score interval of Wilson 1927."""
    if n < 1 or not 0 <= right <= n:
        raise InputError(f"`right` must be 0 to n, and n at least 1. Received: {right!r} of {n!r}.")
    return wilson(right / n, n, confidence)


def difference_interval(p1: float, n1: int, p2: float, n2: int, confidence: float = 0.95) -> Interval:
    """Where p1 - p2 lies, shares of `n1` and of `n2` other images: Newcombe 1998, method 10."""
    return difference_of_intervals(p1, wilson(p1, n1, confidence), p2, wilson(p2, n2, confidence))


def wilson(share: float, n: int, confidence: float = 0.95) -> Interval:
    """The same from the share itself. Here, not SciPy's, which takes hundreds of times as long in every epoch."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = share + z * z / (2 * n)
    reach = z * math.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    scale = 1 + z * z / n
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)


def difference_of_intervals(
    first: float, around_first: Interval, second: float, around_second: Interval
) -> Interval:
    """The interval of first - second from theirs: of shares Newcombe's, in general Zou & Donner 2008."""
    low = math.hypot(first - around_first[0], around_second[1] - second)
    high = math.hypot(around_first[1] - first, second - around_second[0])
    return first - second - low, first - second + high
