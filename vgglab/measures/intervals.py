"""Is A better than B, or is it noise? Intervals over seeds, of one value or of paired differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from vgglab.errors import InputError


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
    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise InputError(f"`values` must be at least two numbers, one a seed. Received: {values.tolist()!r}.")
    n, mean = len(values), float(values.mean())
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return Effect(mean, mean - half, mean + half, n)


def paired_difference(a: Sequence[float], b: Sequence[float], confidence: float = 0.95) -> Effect:
    """How much larger `a` is than `b`, both with one value a seed in the same order.

    Two runs of a seed share their images and their start, so what those contribute cancels.
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise InputError(f"`a` and `b` must have a value for each seed. Received: {a.shape} and {b.shape}.")
    return mean_interval(a - b, confidence)


def verdict(difference: Effect, a: str = "A", b: str = "B") -> str:
    """The answer in a sentence: A is higher, B is higher, or it may be noise."""
    if difference.above():
        said = f"{a} is higher than {b}"
    elif difference.high < 0:
        said = f"{b} is higher than {a}"
    else:
        said = f"{a} and {b} cannot be told apart"
    return f"{said}: {difference}."
