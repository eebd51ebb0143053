"""Is B better than A: two runs, and several seeds, by hand."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from test_history import make_history, of_a_fit
from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.fit import Metric
from vgglab.history import History
from vgglab.measures.comparison import Comparison, compare
from vgglab.measures.intervals import paired_images
from vgglab.predictions import Predictions
from vgglab.training import train

MINUS = "\N{MINUS SIGN}"
DATA = dict(name="flowers", classes=["rose", "tulip", "daisy"], image_size=64, train=60, validation=8)


def run(right, seed=0, images="0f", data=(), labels=None, **fields):
    """A run that gets the images right of which `right` has a 1."""
    right = np.array(right, dtype=bool)
    labels = np.arange(len(right)) % 3 if labels is None else np.array(labels)
    probabilities = np.full((len(right), 3), 0.25, np.float32)
    probabilities[np.arange(len(right)), np.where(right, labels, (labels + 1) % 3)] = 0.5
    history = make_history(seed=seed, **fields)
    history.data = DATA | dict(data)
    history.predictions = Predictions(3, labels, probabilities, images)
    return history


def of_many(only_a, only_b, n):
    """A pair of runs on n images, of which so many only one gets right."""
    a = [1] * only_a + [0] * only_b + [1] * (n - only_a - only_b)
    b = [0] * only_a + [1] * only_b + [1] * (n - only_a - only_b)
    return run(a), run(b)


def test_two_runs_image_by_image():
    a, b = run([1, 1, 1, 0, 0, 1, 0, 0]), run([1, 0, 1, 1, 1, 1, 1, 0], seed=5, l2=0.1)
    found = compare(a, b)
    assert (found.difference, found.images, found.seeds, found.kind) == (2 / 8, 8, 0, "images")
    assert found.only_a_right.tolist() == [1] and found.only_b_right.tolist() == [3, 4, 6]
    assert (found.low, found.high) == found.over_images and found.over_seeds is None
    assert found.over_images == pytest.approx(paired_images([0, -1, 0, 1, 1, 0, 1, 0]))
    turned = compare(b, a)
    assert (turned.difference, turned.low, turned.high) == pytest.approx((-2 / 8, -found.high, -found.low))
    assert turned.only_a_right.tolist() == [3, 4, 6]


A = ([1, 1, 0, 0, 0, 1, 0, 1], [1, 0, 0, 1, 0, 1, 0, 1], [1, 1, 0, 0, 0, 0, 0, 1])
B = ([1, 1, 1, 1, 0, 1, 0, 0], [1, 1, 1, 0, 0, 1, 1, 0], [0, 0, 1, 1, 0, 1, 1, 1])


def test_several_seeds_by_hand():
    """The runs come in any order, and are paired by their seeds."""
    found = compare(
        [run(A[2], 2), run(A[0], 0), run(A[1], 1)], [run(b, seed, l2=1) for seed, b in enumerate(B)]
    )
    differences = np.mean(B, axis=1) - np.mean(A, axis=1)
    assert (found.images, found.seeds, found.runs, found.kind) == (8, 3, (3, 3), "seeds")
    assert found.difference == pytest.approx(differences.mean())
    # The seeds differ by 1/8, 1/8 and 2/8: less than so few images do, each by its own chance, and one more of either.
    of_images = (np.subtract(B, A).var(axis=0, ddof=1).sum() + 2) / 8**2
    reach = stats.t.ppf(0.975, 2) * np.sqrt(of_images / 3)
    assert of_images > differences.var(ddof=1)
    assert found.over_seeds == pytest.approx((differences.mean() - reach, differences.mean() + reach))
    assert (found.low, found.high) == found.over_seeds
    assert found.over_images == pytest.approx(
        paired_images((np.mean(B, axis=0) - np.mean(A, axis=0)).tolist())
    )
    # Two of three are more than half.
    assert found.only_a_right.tolist() == [7] and found.only_b_right.tolist() == [2, 3, 6]


def test_only_the_seeds_that_both_have_are_paired():
    first = [run(a, seed) for seed, a in enumerate(A)]
    second = [run(b, seed) for seed, b in zip((1, 2, 7), B)]
    found = compare(first, second)
    assert (found.seeds, found.runs) == (2, (2, 2))
    assert found.difference == pytest.approx(np.mean(B[:2]) - np.mean(A[1:]))
    assert found.over_images == compare(first[1:], second[:2]).over_images


def test_seeds_that_differ_all_by_the_same_are_not_sure():
    """Accuracy comes in whole images: so it happens by chance, and is an interval without width in a plain t test."""
    a = [run(np.roll([1] * 100 + [0] * 100, 7 * seed), seed) for seed in range(3)]
    b = [run(np.roll([1] * 101 + [0] * 99, 90 * seed), seed, l2=1) for seed in range(3)]
    low, high = compare(a, b).over_seeds
    assert low < 0 < high and high - low > 0.05 and "luck of the seed" in str(compare(a, b))


def test_two_seeds_cannot_tell_the_luck_of_the_seed():
    a = [run([1] * 100 + [0] * 100, seed) for seed in range(2)]
    found = compare(a, [run([1] * 140 + [0] * 60, seed, l2=1) for seed in range(2)])
    assert (found.kind, found.over_seeds, found.seeds) == ("images", None, 2)
    assert str(found) == (
        "B is 20.0 points better than A (14.1 to 25.5 over the 200 validation images, averaged over 2 seeds): "
        "that is more than luck of the images, but two seeds cannot tell the luck of the seed."
    )
    found = compare(a, [run([1] * 101 + [0] * 99, seed, l2=1) for seed in range(2)])
    assert str(found).endswith(
        ": that can be luck of the images, and two seeds cannot tell the luck of the seed."
    )


@pytest.mark.parametrize(
    ("seeds_a", "seeds_b", "averaged"),
    [
        ((0, 1), (2, 3), "2 seeds of A and 2 of B, none of them the same"),
        ((0, 1), (1, 2, 3), "2 seeds of A and 3 of B, one of them the same"),
        ((0,), (0, 1, 2), "1 seed of A and 3 of B, one of them the same"),
        ((5,), (0, 1), "1 seed of A and 2 of B, none of them the same"),
    ],
)
def test_runs_of_other_seeds_are_said_to_be(seeds_a, seeds_b, averaged):
    a = [run([1] * 100 + [0] * 100, seed) for seed in seeds_a]
    found = compare(a, [run([1] * 140 + [0] * 60, seed, l2=1) for seed in seeds_b])
    assert str(found) == (
        f"B is 20.0 points better than A (14.1 to 25.5 over the 200 validation images, averaged over {averaged}): "
        "that is more than luck of the images, but other seeds may say otherwise."
    )
    assert averaged.replace("A", "flip").replace("B", "plain") in found.said("flip", "plain")


def test_no_interval_leaves_what_can_be():
    """Three seeds that differ by 0, 100 and 100 points have a plain interval up to 210."""
    a = [run([0] * 40, seed) for seed in range(3)]
    found = compare(a, [run([each] * 40, seed, l2=1) for seed, each in enumerate((0, 1, 1))])
    assert found.over_seeds[1] == 1 and found.over_seeds[0] == pytest.approx(-0.767, abs=1e-3)
    turned = compare([run([each] * 40, seed, l2=1) for seed, each in enumerate((0, 1, 1))], a)
    assert turned.over_seeds[0] == -1


@pytest.mark.parametrize(
    ("only_b", "said"),
    [
        (
            4,
            "A and B are equally good to a tenth of a point (0.0 to 0.1 over the 10000 validation images): "
            "on other images, either may be better.",
        ),
        (
            8,
            "B is 0.1 points better than A (0.02 to 0.14 over the 10000 validation images): "
            "that is more than luck of the images, but another seed may say otherwise.",
        ),
    ],
)
def test_what_is_written_as_0_does_not_contradict_the_verdict(only_b, said):
    found = compare(*of_many(0, only_b, 10_000))
    assert str(found) == said
    assert str(compare(*of_many(only_b, 0, 10_000))) == said.replace("B is", "A is").replace(
        "than A", "than B"
    ).replace("(0.0 to 0.1", f"({MINUS}0.1 to 0.0")


def test_a_small_difference_that_is_no_luck_has_the_digits_it_needs():
    found = Comparison(0.0004, (0.0002, 0.0006), None, 10**6, 0, (1, 1), np.array([]), np.array([]))
    assert str(found).startswith(
        "B is 0.04 points better than A (0.02 to 0.06 over the 1000000 validation images"
    )
    found = Comparison(
        -0.0004, (-0.0006, -0.0002), (-0.0005, -0.00004), 10**6, 5, (5, 5), np.array([]), np.array([])
    )
    assert str(found).startswith(
        "A is 0.04 points better than B (0.004 to 0.050 over 5 seeds, 0.02 to 0.06 over"
    )


@pytest.mark.parametrize("seeds", [(7, 8, 9), (2, 8, 9)])
def test_with_fewer_than_two_seeds_in_common_all_runs_count_image_by_image(seeds):
    found = compare([run(a, seed) for seed, a in enumerate(A)], [run(b, seed) for seed, b in zip(seeds, B)])
    assert (found.kind, found.over_seeds, found.seeds) == ("images", None, len({*seeds} & {0, 1, 2}))
    assert found.difference == pytest.approx(np.mean(B) - np.mean(A))


def test_runs_that_are_equally_often_right_differ_by_nothing():
    """Not by a last digit: thirds of images do not add up."""
    a = [run(each, seed) for seed, each in enumerate(([1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 0, 0]))]
    b = [run(each, seed) for seed, each in enumerate(([1, 0, 0, 0], [1, 1, 0, 1], [0, 1, 1, 1]))]
    assert compare(a, b).difference == 0 and "A and B are equally good" in str(compare(a, b))


def test_half_of_the_runs_is_no_majority():
    a, b = [run([1, 1], 0), run([1, 1], 1)], [run([1, 0], 0), run([0, 0], 1)]
    assert compare(a, b).only_a_right.tolist() == [0, 1]
    assert compare(b, a).only_b_right.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("only_a", "only_b", "said"),
    [
        (
            34,
            48,
            f"B is 3.5 points better than A ({MINUS}1.0 to 7.9 over the 400 validation images): "
            "that can be luck of the images.",
        ),
        (
            48,
            34,
            f"A is 3.5 points better than B ({MINUS}1.0 to 7.9 over the 400 validation images): "
            "that can be luck of the images.",
        ),
        (
            10,
            46,
            "B is 9.0 points better than A (5.3 to 12.6 over the 400 validation images): "
            "that is more than luck of the images, but another seed may say otherwise.",
        ),
        (
            9,
            9,
            f"A and B are equally good to a tenth of a point ({MINUS}2.2 to 2.2 over the 400 validation images): "
            "on other images, either may be better.",
        ),
    ],
)
def test_the_answer_is_a_sentence(only_a, only_b, said):
    found = compare(*of_many(only_a, only_b, 400))
    assert str(found) == found.said() == said
    named = said.replace("A", "plain").replace("B", "flip")
    assert found.said("plain", "flip") == named


@pytest.mark.parametrize(
    ("over_images", "over_seeds", "luck"),
    [
        ((-0.01, 0.05), (-0.02, 0.06), "can be luck of the seed and of the images"),
        ((0.01, 0.05), (-0.02, 0.06), "can be luck of the seed"),
        ((0.0, 0.05), (0.01, 0.03), "can be luck of the images"),
        ((0.01, 0.05), (0.01, 0.03), "is more than luck of the seed and of the images"),
    ],
)
def test_the_sentence_says_which_luck_it_may_be(over_images, over_seeds, luck):
    found = Comparison(0.02, over_images, over_seeds, 400, 5, (5, 5), np.array([]), np.array([]))
    (first, last), (low, high) = (
        [f"{100 * end:.1f}".replace("-", MINUS) for end in each] for each in (over_seeds, over_images)
    )
    assert str(found) == (
        f"B is 2.0 points better than A ({first} to {last} over 5 seeds, "
        f"{low} to {high} over the 400 validation images): that {luck}."
    )
    turned = Comparison(
        -0.02,
        *((-each[1], -each[0]) for each in (over_images, over_seeds)),
        400,
        5,
        (5, 5),
        np.array([]),
        np.array([]),
    )
    assert str(turned) == str(found).replace("B is", "@ is").replace("than A", "than B").replace("@", "A")


def test_the_same_images_in_another_size_are_the_same():
    a = run([1, 1, 0, 0])
    larger = dict(image_size=96)
    assert compare(a, run([1, 0, 1, 1], images="ff", data=larger)).only_b_right.tolist() == [2, 3]
    assert (
        compare(
            [run(each, seed) for seed, each in enumerate(A)],
            [run(each, seed, images="ff", data=larger) for seed, each in enumerate(B)],
        ).kind
        == "seeds"
    )


OTHERS = {
    "another size of the images, and another seed": dict(images="ff", data=dict(image_size=96), seed=1),
    "another name": dict(images="ff", data=dict(image_size=96, name="trees")),
    "other classes": dict(images="ff", data=dict(image_size=96, classes=["tulip", "rose", "daisy"])),
    "other labels": dict(images="ff", data=dict(image_size=96), labels=[0, 1, 2, 1]),
    "no name": dict(images="ff", data=dict(image_size=96, name="")),
    "no size": dict(images="ff", data=dict(image_size=None)),
    "other pixels": dict(images="ff"),
    "other labels of the same fingerprint": dict(labels=[0, 1, 2, 1]),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_images_are_refused(name):
    with pytest.raises(
        InputError,
        match="^A and B were validated on different images, so they cannot be compared. Received: 4 images of ",
    ):
        compare(run([1, 1, 0, 0]), run([1, 0, 1, 1], **OTHERS[name]))


def test_other_images_are_named():
    with pytest.raises(InputError) as error:
        compare(run([1, 1, 0]), run([1, 0, 1, 1], seed=3, images="ff", data=dict(name="trees")))
    assert str(error.value) == (
        "A and B were validated on different images, so they cannot be compared. Received: 3 images of 'flowers' "
        "with fingerprint 0f, image size 64, seed 0, "
        "and 4 images of 'trees' with fingerprint ff, image size 64, seed 3."
    )
    with pytest.raises(
        InputError,
        match="^The runs of B were validated on different images, so they cannot be compared. Received: 2 images",
    ):
        compare(run([1, 1]), [run([1, 1]), run([1, 0], seed=1, images="ff")])


def test_what_cannot_be_compared():
    known, old, fit = (
        run([1, 0]),
        make_history(seed=2),
        of_a_fit(Metric("accuracy"), train_accuracy=(0.5, 0.6)),
    )
    for wrong in ([], None, "run 1", [known, None], {"run": known}):
        with pytest.raises(
            InputError, match="^`b` must be a History, or several of one experiment. Received: "
        ):
            compare(known, wrong)
    with pytest.raises(InputError) as error:
        compare(old, known)
    assert str(error.value) == (
        "A cannot be compared: its run of seed 2 has no predictions on the validation images, because it was "
        "recorded before they were kept."
    )
    with pytest.raises(InputError, match="^B .* because it finished no epoch.$"):
        compare(known, History(Experiment()))
    fit.predictions = known.predictions
    with pytest.raises(InputError, match="^B cannot be compared: it is a fit that vgglab did not set up.$"):
        compare(known, fit)
    with pytest.raises(InputError, match="^The runs of A must have different seeds. Received: 0 twice.$"):
        compare([known, known], known)
    with pytest.raises(
        InputError, match="^The runs of A must be of one experiment, and differ in the seed alone"
    ):
        compare([known, run([1, 0], seed=1, dropout=0.5)], known)


def test_runs_of_several_phases_may_differ_in_their_seed():
    runs = [run([1, 0], seed) for seed in (0, 1)]
    for each in runs:
        each.experiment = each.experiment.then(unfreeze=2)
    assert compare(runs, runs).seeds == 2


def test_real_runs_are_compared_as_they_ended(tiny, tmp_path):
    """Also when they were read from their records; accuracy is what the rows that count say."""
    experiment = Experiment(
        weights=None, image_size=32, epochs=2, batch_size=8, unfreeze=0, learning_rate=1e-3
    )
    a, b = train(experiment, tiny), train(dataclasses.replace(experiment, learning_rate=1e-8), tiny)
    found = compare(*(History.load(each.save(tmp_path / "run.jsonl")) for each in (a, b)))
    accuracies = [each.kept["validation_accuracy"] for each in (a, b)]
    assert found.difference == pytest.approx(accuracies[1] - accuracies[0]) and found.images == 10
    assert str(found) == str(compare(a, b))
    assert compare(a, a).difference == 0 and compare([a], [a]).seeds == 1
