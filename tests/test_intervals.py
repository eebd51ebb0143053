import numpy as np
import pytest
from scipy import stats

from vgglab.errors import InputError
from vgglab.measures.intervals import Effect, interval, mean_interval, paired_difference, verdict


def test_the_interval_is_students():
    # Student's t for 4 degrees of freedom is 2.776 (printed tables).
    effect = mean_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert effect.mean == 3 and effect.n == 5
    assert effect.high - 3 == pytest.approx(2.776 * np.sqrt(2.5) / np.sqrt(5), rel=1e-3)
    assert 3 - effect.low == pytest.approx(effect.high - 3)


def test_paired_differences_agree_with_scipys_paired_test():
    rng = np.random.default_rng(0)
    seeds = rng.normal(size=6)
    a, b = seeds + 0.3 + 0.1 * rng.normal(size=6), seeds
    oracle = stats.ttest_rel(a, b).confidence_interval(0.9)
    effect = paired_difference(a, b, confidence=0.9)
    assert (effect.low, effect.high) == pytest.approx((oracle.low, oracle.high))
    unpaired = stats.ttest_ind(a, b).confidence_interval(0.9)
    assert effect.high - effect.low < unpaired.high - unpaired.low, "what seeds share cancels"


def test_intervals_cover_as_often_as_they_say():
    rng = np.random.default_rng(1)
    samples = rng.normal(0.7, 0.2, (2000, 5))
    covered = [effect.low < 0.7 < effect.high for effect in map(mean_interval, samples)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.02)


def test_equal_values_leave_no_doubt():
    effect = mean_interval([0.1, 0.1, 0.1])
    assert (effect.low, effect.high) == pytest.approx((0.1, 0.1)) and not mean_interval([0, 0]).above()


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.01, 0.03, "flip is higher than none"),
        (-0.03, -0.01, "none is higher than flip"),
        (-0.01, 0.03, "flip and none cannot be told apart"),
    ],
)
def test_the_verdict_is_a_sentence(low, high, said):
    text = verdict(Effect((low + high) / 2, low, high, 5), "flip", "none")
    assert text.startswith(said) and f"({100 * low:+.1f} to {100 * high:+.1f}, n = 5)" in text


def test_what_cannot_be_compared():
    with pytest.raises(InputError, match="at least two numbers"):
        mean_interval([0.5])
    with pytest.raises(InputError, match="at least two numbers"):
        mean_interval([0.5, float("nan")])
    with pytest.raises(InputError, match="a value for each seed"):
        paired_difference([1, 2, 3], [1, 2])


def test_the_interval_of_a_share_is_scipys():
    for n in (1, 7, 50, 400):
        for right in {0, 1, n // 3, n - 1, n}:
            theirs = stats.binomtest(right, n).proportion_ci(0.9, method="wilson")
            assert interval(right, n, 0.9) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
