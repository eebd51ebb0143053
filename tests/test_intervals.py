import itertools

import numpy as np
import pytest
from scipy import stats

from vgglab.errors import InputError
from vgglab.measures.intervals import (
    Effect,
    holm,
    interval,
    mean_interval,
    minimal_detectable,
    paired_difference,
    paired_images,
    paired_seeds,
    sign_flip_p,
    verdict,
)


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
        (0.01, 0.03, "flip is higher than none: +2.0 points (+1.0 to +3.0, n = 5)."),
        # What is higher is so by a plus: the numbers turn round with the names.
        (-0.12, -0.08, "none is higher than flip: +10.0 points (+8.0 to +12.0, n = 5)."),
        (-0.01, 0.03, "flip and none cannot be told apart: +1.0 points (-1.0 to +3.0, n = 5)."),
        (0.0, 0.02, "flip and none cannot be told apart: +1.0 points (+0.0 to +2.0, n = 5)."),
        (-0.02, 0.0, "flip and none cannot be told apart: -1.0 points (-2.0 to +0.0, n = 5)."),
    ],
)
def test_the_verdict_is_a_sentence(low, high, said):
    assert verdict(Effect((low + high) / 2, low, high, 5), "flip", "none") == said


def test_the_verdict_is_the_same_whichever_comes_first():
    flip, none = [0.51, 0.62, 0.58], [0.71, 0.79, 0.75]
    given = verdict(paired_difference(flip, none), "flip", "none")
    assert given == verdict(paired_difference(none, flip), "none", "flip")
    assert given.startswith("none is higher than flip: +18.0 points (+")


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


def test_sign_flips_of_darwins_maize_are_fishers():
    # Fisher 1935, "The Design of Experiments", section 21: crossed minus self-fertilised, in eighths of an inch;
    # 1,726 of the 32,768 sums are at least as far from 0.
    differences = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    assert sign_flip_p(differences) == 1726 / 32768


@pytest.mark.parametrize("n", [2, 5, 10])
def test_sign_flips_are_scipys_permutations(n):
    rng = np.random.default_rng(n)
    for _ in range(5):
        a, b = rng.normal(0.5, 1, n), rng.normal(0, 1, n)
        theirs = stats.permutation_test(
            (a, b), lambda a, b, axis: np.mean(a - b, axis=axis), permutation_type="samples", vectorized=True
        )
        assert sign_flip_p(a - b) == pytest.approx(theirs.pvalue, abs=1e-12)


def test_sign_flips_at_their_ends():
    assert sign_flip_p([0.1, 0.2, 0.3, 0.4, 0.5]) == 0.0625, "as small as five seeds can have it"
    assert sign_flip_p([0.1, 0.2, 0.3, -0.1, -0.2, -0.3]) == 1 == sign_flip_p([0, 0, 0])
    assert sign_flip_p(np.linspace(0.1, 0.3, 20)) == 2 / 2**20
    with pytest.raises(InputError, match="`differences` must be at least two numbers"):
        sign_flip_p([0.1])
    with pytest.raises(InputError, match="`differences` must be at most 20 numbers. Received: 21."):
        sign_flip_p([0.1] * 21)


def test_holm_on_a_printed_example():
    # The README of PValueAdjust.jl.
    assert holm([0.05, 0.03, 0.01, 0.5]) == pytest.approx([0.1, 0.09, 0.04, 0.5])
    assert holm([]) == [] and holm([0.3]) == [0.3] and holm([0.9, 0.8]) == [1, 1]


def test_holm_is_the_closure_of_bonferroni():
    """A hypothesis is rejected when Bonferroni rejects every set of hypotheses that it belongs to."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        p = rng.uniform(0, 0.4, 5).round(2)  # rounded, so that some are equal
        sets = [chosen for size in range(1, 6) for chosen in itertools.combinations(range(5), size)]
        closure = [
            max(min(1, len(chosen) * p[list(chosen)].min()) for chosen in sets if one in chosen)
            for one in range(5)
        ]
        assert holm(p) == pytest.approx(closure)


@pytest.mark.parametrize("wrong", [[0.5, 1.1], [-0.1], [float("nan")]])
def test_what_is_no_p_value(wrong):
    with pytest.raises(InputError, match="`p_values` must be numbers from 0 to 1"):
        holm(wrong)


def test_what_so_many_seeds_can_see():
    # G*Power 3.1, two-sided paired t test: an effect of half a standard deviation takes 34 pairs.
    assert minimal_detectable(1, 34) < 0.5 < minimal_detectable(1, 33)
    assert minimal_detectable(1, 5) == pytest.approx(1.68, abs=0.005)
    assert minimal_detectable(0.02, 5) == pytest.approx(0.02 * minimal_detectable(1, 5))
    assert minimal_detectable(0, 5) == 0


@pytest.mark.parametrize(("n", "power", "confidence"), [(2, 0.5, 0.9), (5, 0.8, 0.95), (20, 0.9, 0.99)])
def test_it_is_seen_as_often_as_the_power_says(n, power, confidence):
    shift = minimal_detectable(3.0, n, power, confidence)
    samples = np.random.default_rng(0).normal(shift, 3.0, (20_000, n))
    seen = stats.ttest_1samp(samples, 0, axis=1).pvalue < 1 - confidence
    assert np.mean(seen) == pytest.approx(power, abs=0.01)


def test_what_has_no_power():
    with pytest.raises(InputError, match="`n` must be at least 2"):
        minimal_detectable(1, 1)
    with pytest.raises(InputError, match="`sd` at least 0. Received: 5 and nan"):
        minimal_detectable(float("nan"), 5)
    with pytest.raises(InputError, match="`power` must be between"):
        minimal_detectable(1, 5, power=0.05)


def discordant(only_b, only_a, n):
    """The differences of n images, of which so many only B gets right, and so many only A."""
    return [1.0] * only_b + [-1.0] * only_a + [0.0] * (n - only_b - only_a)


@pytest.mark.parametrize(
    ("only_b", "only_a", "n", "low", "high"),
    [
        (
            26,
            4,
            48,
            0.2548067,
            0.6251933,
        ),  # `ci.prop.ps` of Bonett's own R package statpsych, from its manual
        (26, 4, 40, 0.3126438, 0.7349752),
        (1, 7, 21, -0.50836, -0.01338),  # by hand: -6/23 -+ 1.95996 * sqrt((10 - 36/23) / 23) / sqrt(23)
    ],
)
def test_the_paired_interval_is_bonetts_and_prices(only_b, only_a, n, low, high):
    assert paired_images(discordant(only_b, only_a, n)) == pytest.approx((low, high), abs=1e-5)
    assert paired_images(discordant(only_a, only_b, n)) == pytest.approx((-high, -low), abs=1e-5)


@pytest.mark.parametrize("n", [20, 50, 400])
@pytest.mark.parametrize(
    ("only_b", "only_a"), [(0.002, 0.002), (0.01, 0.01), (0.05, 0.01), (0.1, 0.1), (0.3, 0.1), (0.02, 0)]
)
def test_the_paired_interval_covers_as_often_as_it_says(n, only_b, only_a):
    """Summed over all outcomes, not drawn; with few images that differ, a plain interval covers far less."""
    b, a = (each.ravel() for each in np.meshgrid(np.arange(n + 1), np.arange(n + 1)))
    b, a = b[a + b <= n], a[a + b <= n]
    chances = stats.multinomial.pmf(
        np.stack([b, a, n - a - b], axis=1), n, [only_b, only_a, 1 - only_b - only_a]
    )
    covered = total = 0.0
    for only_b_right, only_a_right, chance in zip(b, a, chances):
        if chance > 1e-9:
            low, high = paired_images(discordant(only_b_right, only_a_right, n))
            covered, total = covered + chance * (low <= only_b - only_a <= high), total + chance
    assert total == pytest.approx(1, abs=1e-5) and covered > 0.945


@pytest.mark.parametrize(("b", "a"), [(b, a) for b in range(13) for a in range(b + 1)])
def test_the_paired_interval_leaves_0_out_where_mcnemars_exact_test_does(b, a):
    """That of McNemar 1947: with b and a images, a fair coin; they disagree only where p is within 0.02 of 0.05."""
    p = stats.binomtest(b, b + a).pvalue if a + b else 1.0
    low, _ = paired_images(discordant(b, a, 400))
    assert (low > 0) == (p < 0.05) or abs(p - 0.05) < 0.02


def test_the_paired_interval_of_several_runs_covers():
    """Images are right with chances of their own, which five runs of each side share; hard ones are few."""
    rng, n, runs, covered = np.random.default_rng(0), 100, 5, 0
    for hard, gain in ((0.05, 0.3), (0.3, 0.1)):
        true, covered = hard * gain, 0
        for _ in range(1000):
            is_hard = rng.random(n) < hard
            a = rng.binomial(runs, np.where(is_hard, 0.5, 1.0)) / runs
            b = rng.binomial(runs, np.where(is_hard, 0.5 + gain, 1.0)) / runs
            low, high = paired_images((b - a).tolist())
            covered += low <= true <= high
        assert covered > 935


@pytest.mark.parametrize("differences", [[], [1.5], [float("nan")], [[0.0]]])
def test_what_is_no_difference_of_images(differences):
    with pytest.raises(
        InputError, match=r"`differences` must be numbers from -1 to 1, one an image\. Received: "
    ):
        paired_images(differences)


def test_the_paired_interval_at_its_ends():
    assert paired_images([1.0] * 4)[1] == 1 and paired_images([-1.0] * 4)[0] == -1
    low, high = paired_images([0.0] * 400)
    assert low == -high and 0.005 < high < 0.01


def test_the_interval_over_seeds_is_students_where_they_vary_more_than_their_images():
    right = [20, 60, 30, 90, 55]
    differences = np.array([[1.0] * each + [0.0] * (400 - each) for each in right])
    by_hand = stats.ttest_1samp(np.array(right) / 400, 0).confidence_interval()
    assert paired_seeds(differences) == pytest.approx(by_hand)
    assert paired_seeds(-differences) == pytest.approx((-by_hand.high, -by_hand.low))


def test_seeds_of_the_same_difference_leave_an_interval_of_their_images():
    """Each of three seeds is ahead by 10 images, and 20 images change from seed to seed."""
    differences = np.zeros((3, 40))
    for seed, wins in enumerate((range(10), range(5, 15), range(10, 20))):
        differences[seed, list(wins)] = 1
    low, high = paired_seeds(differences)
    assert (low + high) / 2 == pytest.approx(0.25)
    # t for 2 degrees of freedom is 4.3027 (printed tables); each of the 20 images has a variance of 1/3.
    assert (high - low) / 2 == pytest.approx(4.3027 * np.sqrt((20 / 3 + 2) / 40**2 / 3), rel=1e-4)
    low, high = paired_seeds(np.ones((3, 40)))
    assert high == 1 and low == pytest.approx(1 - 4.3027 * np.sqrt(2 / 40**2 / 3), rel=1e-4)


@pytest.mark.parametrize("of_the_seed", [0.0, 0.3])
@pytest.mark.parametrize("hardness", [(0.05, 0.025), (1.0, 0.5)])
@pytest.mark.parametrize("seeds", [2, 3, 4, 5])
@pytest.mark.parametrize("n", [8, 40, 400])
def test_the_interval_over_seeds_covers_where_there_is_no_difference(n, seeds, hardness, of_the_seed):
    """A and B are right as often by chance: on each image as often as it is hard, which a seed shifts for all."""
    rng, runs = np.random.default_rng(0), 600
    chance = np.clip(rng.beta(*hardness, (runs, 1, n)), 1e-9, 1 - 1e-9)
    shifts = of_the_seed * rng.standard_normal((2, runs, seeds, 1))
    a, b = (rng.random((runs, seeds, n)) < 1 / (1 + (1 / chance - 1) * np.exp(each)) for each in shifts)
    intervals = [paired_seeds(each) for each in b.astype(float) - a]
    # 95 %, and twice the standard deviation of what 600 draws of it show
    assert np.mean([low <= 0 <= high for low, high in intervals]) > 0.95 - 2 * np.sqrt(0.95 * 0.05 / runs)
    assert all(-1 <= low < high <= 1 for low, high in intervals)


@pytest.mark.parametrize(
    "differences", [[], [0.5, 0.5], [[0, 1]], [[], []], [[0, 2], [0, 1]], [[0, np.nan], [0, 1]]]
)
def test_what_is_no_difference_of_each_seed_and_image(differences):
    with pytest.raises(InputError, match="one row a seed and two rows at least. Received: "):
        paired_seeds(differences)
