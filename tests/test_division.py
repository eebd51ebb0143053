"""Dividing by groups, against scikit-learn and against what must hold of any division."""

import itertools

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from vgglab.datasets.division import deal, divide, numbers_of
from vgglab.errors import InputError


def patients(seed, images=600, count=60, classes=4):
    """Labels and groups as hospitals have them: few patients with many images, most of one class."""
    rng = np.random.default_rng(seed)
    numbers = np.minimum(rng.geometric(3 / count, images), count) - 1
    home = rng.integers(0, classes, count)
    labels = np.where(rng.random(images) < 0.7, home[numbers], rng.integers(0, classes, images))
    return labels, np.array([f"P{number}" for number in numbers], dtype=object), "abcd"[:classes]


def unevenness(labels, fold_of, folds):
    """How much of a class the folds have, the standard deviation over folds, on average over classes."""
    counts = [np.bincount(labels[fold_of == fold], minlength=labels.max() + 1) for fold in range(folds)]
    return (np.array(counts) / np.bincount(labels)).std(axis=0).mean()


@pytest.mark.parametrize("seed", range(8))
def test_folds_keep_groups_whole_and_are_as_even_as_those_of_scikit_learn(seed):
    labels, groups, names = patients(seed)
    ours = deal(labels, groups, 5, seed, names)
    assert set(ours) == set(range(5))
    assert all(len(set(ours[groups == group])) == 1 for group in set(groups))
    theirs = np.empty(len(labels), int)
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    for fold, (_, chosen) in enumerate(splitter.split(labels, labels, groups)):
        theirs[chosen] = fold
    assert unevenness(labels, ours, 5) < unevenness(labels, theirs, 5) + 0.005


@pytest.mark.parametrize("seed", range(8))
def test_whole_groups_make_a_fifth_of_every_class(seed):
    labels, groups, names = patients(seed)
    train, validation = divide(labels, groups, seed, names)
    assert sorted([*train, *validation]) == list(range(len(labels))) and (np.diff(train) > 0).all()
    assert not set(groups[train]) & set(groups[validation])
    shares = np.bincount(labels[validation]) / np.bincount(labels)
    assert np.abs(shares - 0.2).max() < 0.05


def test_the_seed_chooses_the_groups():
    labels, groups, names = patients(0)
    chosen = [tuple(divide(labels, groups, seed, names)[1]) for seed in (0, *range(20))]
    assert chosen[0] == chosen[1] and len(set(chosen)) == 20


@pytest.mark.parametrize("groups", [None, np.full(35, None)])
def test_without_groups_a_fifth_of_each_class_is_drawn_as_ever(groups):
    labels = np.repeat([0, 1, 2], [20, 10, 5])
    _, validation = divide(labels, groups, 3, "abc")
    rng = np.random.default_rng(3)
    expected = []
    for label, count in ((0, 4), (1, 2), (2, 1)):
        expected += rng.permutation(np.flatnonzero(labels == label))[:count].tolist()
    assert validation.tolist() == sorted(expected)


def test_images_without_a_group_are_groups_of_their_own():
    assert numbers_of(np.array(["b", None, "a", "b", None, ""], dtype=object), 6).tolist() == [
        0,
        2,
        1,
        0,
        3,
        4,
    ]
    labels = np.repeat([0, 1], 10)
    groups = np.array(["one"] * 2 + [None] * 8 + ["two"] * 2 + [None] * 8, dtype=object)
    assert len(divide(labels, groups, 0, "ab")[1]) == 4


def test_a_class_of_two_groups_has_one_on_each_side_and_takes_no_more_of_the_others():
    sizes = {0: [10, 10], 1: [10, 10], 2: [2] * 50}
    labels = np.repeat([0, 1, 2], [20, 20, 100])
    groups = np.array(
        [
            f"{label}-{number}"
            for label, each in sizes.items()
            for number, size in enumerate(each)
            for _ in range(size)
        ],
        dtype=object,
    )
    for seed in range(5):
        _, validation = divide(labels, groups, seed, "abc")
        assert np.bincount(labels[validation]).tolist()[:2] == [10, 10]
        assert 0.1 < (labels[validation] == 2).mean() * len(validation) / 100 < 0.35


@pytest.mark.parametrize("case", range(60))
def test_a_division_is_found_wherever_trying_all_finds_one(case):
    rng = np.random.default_rng(case)
    count = int(rng.integers(2, 7))
    numbers = np.concatenate([np.arange(count), rng.integers(0, count, 6)])
    labels = np.concatenate([[0, 1, 2], rng.integers(0, 3, len(numbers) - 3)])
    groups = np.array([f"g{number}" for number in numbers], dtype=object)

    def both_sided(chosen):
        validates = np.isin(numbers, chosen)
        return all(0 < validates[labels == label].mean() < 1 for label in range(3))

    possible = any(
        both_sided(chosen) for size in range(count) for chosen in itertools.combinations(range(count), size)
    )
    try:
        _, validation = divide(labels, groups, case, "abc")
    except InputError as error:
        assert not possible, str(error)
    else:
        assert possible and both_sided(numbers[validation])


@pytest.mark.parametrize(
    ("labels", "groups", "sentence"),
    [
        ([0, 0, 1, 1], ["x", "x", "y", "z"], "Class 'a' has only one group, 'x', so it cannot be both"),
        ([0, 0, 1], ["x", "y", None], "Class 'b' has only one image, so it cannot be both"),
        ([0, 0, 1, 1], ["x", "x", "x", "x"], "Class 'a' has only one group, 'x'"),
    ],
)
def test_a_class_that_cannot_be_on_both_sides_is_named(labels, groups, sentence):
    given = np.array(labels), np.array(groups, dtype=object)
    with pytest.raises(InputError, match=sentence):
        divide(*given, 0, "ab")
    with pytest.raises(InputError, match=sentence):
        deal(*given, 2, 0, "ab")
