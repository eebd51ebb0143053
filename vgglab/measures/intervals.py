"""Is A better than B, or is it noise?

Intervals of a share of images, over seeds, and of differences of either; p values, and what so many seeds can see.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from vgglab.errors import InputError, shown

Interval = tuple[float, float]
MOST_FLIPPED = 20  # differences; each one more doubles the work


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

    def __neg__(self) -> Effect:
        """The same difference the other way round, of B minus A."""
        return Effect(-self.mean, -self.high, -self.low, self.n)

    def __str__(self) -> str:
        mean, low, high = (100 * value for value in (self.mean, self.low, self.high))
        return f"{mean:+.1f} points ({low:+.1f} to {high:+.1f}, n = {self.n})"


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Effect:
    """The mean of one value a seed, with Student's t interval (Student 1908).

    `InputError` for fewer than two values, which say nothing about chance.
    """
    numbers = _one_a_seed("values", values)
    n, mean = len(numbers), float(numbers.mean())
    half = _reach(float(numbers.std(ddof=1)), n, confidence)
    return Effect(mean, mean - half, mean + half, n)


def fold_interval(values: Sequence[float], folds: int, confidence: float = 0.95) -> Effect:
    """The mean of one value a fold of a k-fold cross-validation, with an interval that is corrected but approximate.

    `values`: of all `folds` folds or of some. Folds share training images, so that their values hang together, and
    Student's interval is too narrow; no unbiased estimate of the variance exists (Bengio & Grandvalet 2004, "No
    unbiased estimator of the variance of k-fold cross-validation"). Here sd / sqrt(n) becomes
    sd * sqrt(1/n + 1/(folds - 1)), the corrected one of Nadeau & Bengio 2003, "Inference for the generalization
    error", where 1/(folds - 1) is the ratio of validation images to training images. `InputError` for fewer than two
    values, or fewer folds than values.
    """
    numbers = _one_a_seed("values", values, "a fold")
    n, mean = len(numbers), float(numbers.mean())
    if isinstance(folds, bool) or not isinstance(folds, (int, np.integer)) or folds < n:
        raise InputError(
            f"`folds` must be a whole number, and at least that of the values, {n}. Received: {folds!r}."
        )
    wider = math.sqrt(1 + n / (folds - 1))
    half = _reach(float(numbers.std(ddof=1)), n, confidence) * wider
    return Effect(mean, mean - half, mean + half, n)


def _reach(sd: float, n: int, confidence: float) -> float:
    """Half of Student's t interval of a mean of `n` values."""
    from scipy import stats  # takes a second, which the dashboard need not wait for

    return float(stats.t.ppf((1 + confidence) / 2, n - 1) * sd / np.sqrt(n))


def _one_a_seed(name: str, values: Sequence[float], each: str = "a seed") -> np.ndarray:
    numbers = np.asarray(values, dtype=float)
    if numbers.ndim != 1 or len(numbers) < 2 or not np.isfinite(numbers).all():
        raise InputError(
            f"`{name}` must be at least two numbers, one {each}. Received: {numbers.tolist()!r}."
        )
    return numbers


def paired_difference(a: Sequence[float], b: Sequence[float], confidence: float = 0.95) -> Effect:
    """How much larger `a` is than `b`, both with one value a seed in the same order.

    Two runs of a seed share their images and their start, so what those contribute cancels. `confidence` is that of the
    interval. `InputError` unless both have at least two values, and as many.
    """
    first, second = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if first.shape != second.shape:
        raise InputError(
            f"`a` and `b` must have a value for each seed. Received: {first.shape} and {second.shape}."
        )
    return mean_interval((first - second).tolist(), confidence)


def verdict(difference: Effect, a: str = "A", b: str = "B") -> str:
    """The answer in a sentence: A is higher, B is higher, or it may be noise.

    `difference`: A minus B. Where B is higher, the sentence gives B minus A, so that what is higher has a plus.
    """
    if difference.above():
        return f"{a} is higher than {b}: {difference}."
    if (-difference).above():
        return f"{b} is higher than {a}: {-difference}."
    return f"{a} and {b} cannot be told apart: {difference}."


def sign_flip_p(differences: Sequence[float]) -> float:
    """How often chance alone gives a mean at least as far from 0: the exact two-sided sign-flip test.

    `differences`: A minus B, one a seed, 2 to 20 of them. Were A and B the same, each might as well have the other
    sign; p is the share of all 2**n ways to set the signs whose mean is at least as far from 0 as the one found. It
    asks for no normal distribution, and cannot be smaller than 2 / 2**n: 0.0625 for five seeds. `InputError` for
    fewer or more. Fisher 1935, "The Design of Experiments", section 21.
    """
    numbers = _one_a_seed("differences", differences)
    if len(numbers) > MOST_FLIPPED:
        raise InputError(f"`differences` must be at most {MOST_FLIPPED} numbers. Received: {len(numbers)}.")
    sums = numbers[:1]  # of one sign only: the other half of all sums has the same sizes
    for number in numbers[1:]:
        sums = np.concatenate([sums + number, sums - number])
    rounding = 1e-9 * np.abs(numbers).sum()
    return float(np.mean(np.abs(sums) >= abs(numbers.sum()) - rounding))


def holm(p_values: Sequence[float]) -> list[float]:
    """p values of several tests, made larger so that all of them together err as seldom as one: Holm 1979.

    They come back in the order given. Those of at most 0.05 can all be called significant, and with a probability of
    at least 95 % none of them is so by mistake, however the tests hang together. `InputError` for what is no p value.
    """
    given = np.asarray(p_values, dtype=float)
    if given.ndim != 1 or not ((given >= 0) & (given <= 1)).all():
        raise InputError(f"`p_values` must be numbers from 0 to 1. Received: {given.tolist()!r}.")
    order, left = np.argsort(given, kind="stable"), np.arange(len(given), 0, -1)
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(np.maximum.accumulate(left * given[order]), 1)
    return adjusted.tolist()


def minimal_detectable(sd: float, n: int, power: float = 0.8, confidence: float = 0.95) -> float:
    """The smallest true mean difference that a paired t test sees with this power, in the unit of `sd`.

    `sd`: the standard deviation of the differences, `n` their number. The test is two-sided and calls significant
    what lies outside `confidence`. Five seeds see 1.68 standard deviations, twenty see 0.66. `InputError` when a
    number is out of range. From the noncentral t distribution: Cohen 1988, "Statistical Power Analysis for the
    Behavioral Sciences", chapter 2.
    """
    if n < 2 or not (math.isfinite(sd) and sd >= 0):
        raise InputError(f"`n` must be at least 2, and `sd` at least 0. Received: {n!r} and {sd!r}.")
    if not 0 < 1 - confidence < power < 1:
        raise InputError(
            f"`power` must be between 1 - `confidence` and 1. Received: {power!r} and confidence {confidence!r}."
        )
    from scipy import optimize, special, stats

    critical = stats.t.ppf((1 + confidence) / 2, n - 1)

    def lacking(standard_errors: float) -> float:
        # The square of t is F. SciPy's noncentral t itself is NaN here and there (1.17: cdf(-2.78, 4, 16)).
        return 1 - special.ncfdtr(1, n - 1, standard_errors**2, critical**2) - power

    enough = 1.0
    while lacking(enough) < 0:
        enough *= 2
    return sd / math.sqrt(n) * float(optimize.brentq(lacking, 0, enough))


def interval(right: int, n: int, confidence: float = 0.95) -> Interval:
    """Where the true share lies when `right` of `n` images were right: the score interval of Wilson 1927."""
    if n < 1 or not 0 <= right <= n:
        raise InputError(f"`right` must be 0 to n, and n at least 1. Received: {right!r} of {n!r}.")
    return wilson(right / n, n, confidence)


def difference_interval(p1: float, n1: int, p2: float, n2: int, confidence: float = 0.95) -> Interval:
    """Where p1 - p2 lies, shares of `n1` and of `n2` other images: Newcombe 1998, method 10."""
    return difference_of_intervals(p1, wilson(p1, n1, confidence), p2, wilson(p2, n2, confidence))


def paired_images(differences: Sequence[float], confidence: float = 0.95) -> Interval:
    """Where the mean difference lies of two networks, or two groups of runs, that saw the same images.

    `differences`: B minus A of each image, -1 to 1; of two networks 1 where only B is right and -1 where only A is.
    The adjusted Wald interval of Bonett & Price 2012, "Adjusted Wald confidence interval for a difference of binomial
    proportions based on paired data", which counts one image more of either: where few images differ, the plain one is
    far too narrow, and where none does, it has no width. `InputError` for anything but such numbers.
    """
    given = np.asarray(differences, dtype=float)
    if given.ndim != 1 or not len(given) or not (np.abs(given) <= 1).all():
        raise InputError(
            f"`differences` must be numbers from -1 to 1, one an image. Received: {shown(differences)}."
        )
    adjusted = np.concatenate([given, [-1.0, 1.0]])
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * float(adjusted.std()) / math.sqrt(len(adjusted))
    return max(-1.0, float(adjusted.mean()) - reach), min(1.0, float(adjusted.mean()) + reach)


def paired_seeds(differences: np.ndarray, confidence: float = 0.95) -> Interval:
    """Where the mean difference lies of all seeds, on the same images: Student's t interval, but never too narrow.

    `differences` (seeds, images): B minus A, each -1, 0 or 1. Accuracy comes in whole images, so a few seeds may differ
    by the same by chance alone. The variance of the seeds is taken to be at least what it is where the images change
    from seed to seed independently of each other, with one image more of either as in `paired_images`. `InputError`
    for fewer than two seeds.
    """
    given = np.asarray(differences, dtype=float)
    if given.ndim != 2 or len(given) < 2 or not given.size or not (np.abs(given) <= 1).all():
        raise InputError(
            f"`differences` must be numbers from -1 to 1, one row a seed and two rows at least. "
            f"Received: {shown(differences)}."
        )
    of_seeds = given.mean(axis=1)
    least = (given.var(axis=0, ddof=1).sum() + 2) / given.shape[1] ** 2
    reach = _reach(math.sqrt(max(of_seeds.var(ddof=1), least)), len(given), confidence)
    return max(-1.0, float(of_seeds.mean()) - reach), min(1.0, float(of_seeds.mean()) + reach)


def wilson(share: float, n: float, confidence: float = 0.95) -> Interval:
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
