"""The dials of a data set: what they choose is counted here, image by image and label by label."""

import numpy as np
import pytest

from vgglab.datasets import Dataset, Split, check_fits, in_words, under_conditions
from vgglab.errors import InputError
from vgglab.experiment import Experiment


def numbered(*counts):
    """So many training images of each class, in mixed order; the first pixel of each is its number."""
    labels = np.random.default_rng(1).permutation(np.repeat(np.arange(len(counts)), counts))
    images = np.zeros((len(labels), 1, 1, 3), np.uint8)
    images[:, 0, 0, 0], images[:, 0, 0, 1] = np.arange(len(labels)) % 256, np.arange(len(labels)) // 256
    train, validation, test = (Split(images + np.uint8(part), labels) for part in (0, 1, 2))
    return Dataset("numbered", tuple(f"class {each}" for each in range(len(counts))), train, validation, test)


def numbers(split):
    low, high, _ = split.images[:, 0, 0].astype(int).T
    return low + 256 * high


def used(data, **fields):
    return under_conditions(data, Experiment(**fields))


def test_without_conditions_the_data_are_what_was_given():
    data = numbered(3, 4)
    assert used(data) is data and used(data, images_a_class=4) is data


def test_so_many_images_of_each_class_are_kept_with_their_labels():
    data = numbered(6, 2, 9)
    few = used(data, images_a_class=3).train
    assert np.bincount(few.labels).tolist() == [3, 2, 3]
    assert (np.diff(numbers(few)) > 0).all(), "in the order they had"
    assert (data.train.labels[numbers(few)] == few.labels).all()


def test_the_seed_chooses_and_few_are_among_more():
    data = numbered(20, 20)
    chosen = [set(numbers(used(data, images_a_class=many, seed=3).train)) for many in (2, 5, 11)]
    assert chosen[0] < chosen[1] < chosen[2]
    assert chosen[1] == set(numbers(used(data, images_a_class=5, seed=3).train))
    assert chosen[1] != set(numbers(used(data, images_a_class=5, seed=4).train))


def test_every_image_of_a_class_is_equally_likely_to_be_kept():
    data, kept = numbered(4, 8), np.zeros(12)
    for seed in range(600):
        kept[numbers(used(data, images_a_class=2, seed=seed).train)] += 1
    for label, share in ((0, 1 / 2), (1, 1 / 4)):
        spread = 4 * np.sqrt(600 * share * (1 - share))
        assert np.abs(kept[data.train.labels == label] - 600 * share).max() < spread


@pytest.mark.parametrize("share", [0.001, 0.25, 0.4, 1.0])
def test_exactly_that_share_of_the_labels_is_redrawn(share):
    """Among a thousand classes a label that was redrawn is as good as always another one."""
    train = used(numbered(*[1] * 1000), label_noise=share).train
    redrawn = round(1000 * share)
    assert redrawn - 7 <= (train.labels != train.truth).sum() <= redrawn
    assert (train.labels != train.truth).sum() > 0 or redrawn == 1


def test_a_redrawn_label_is_any_class_with_equal_probability():
    """Of 2000 redrawn labels among four classes, each class gets a quarter, whatever was there before."""
    data = numbered(200, 400, 600, 800)
    train = used(data, label_noise=1.0).train
    assert (train.truth == data.train.labels).all()
    for was in range(4):
        got = np.bincount(train.labels[train.truth == was], minlength=4)
        n = got.sum()
        assert np.abs(got - n / 4).max() < 4 * np.sqrt(n * 3 / 16), was


def test_a_small_share_is_within_a_larger_one():
    data = numbered(30, 30, 30)
    before, labels = np.zeros(90, bool), data.train.labels
    for share in (0.1, 0.3, 0.8):
        train = used(data, label_noise=share, seed=2).train
        assert (before <= train.wrong).all() and train.wrong.sum() > before.sum()
        assert (train.labels[before] == labels[before]).all()
        before, labels = train.wrong, train.labels
    assert (used(data, label_noise=0.8, seed=3).train.labels != labels).any()


def test_only_the_labels_to_train_on_change():
    data = numbered(30, 30)
    noisy = used(data, label_noise=0.5, images_a_class=20)
    assert noisy.validation is data.validation and noisy.test is data.test
    few = used(data, images_a_class=20)
    assert (noisy.train.images == few.train.images).all() and (noisy.train.truth == few.train.labels).all()
    assert noisy.fingerprint != few.fingerprint != data.fingerprint
    assert (data.train.labels == numbered(30, 30).train.labels).all(), "what was given is as it was"


def test_what_it_returned_it_does_not_change_again():
    experiment = Experiment(label_noise=0.5, images_a_class=7, seed=5)
    once = under_conditions(numbered(20, 5, 20), experiment)
    twice = under_conditions(once, experiment)
    for name in ("images", "labels", "truth"):
        assert np.array_equal(getattr(once.train, name), getattr(twice.train, name))


def test_the_slice_that_is_measured_knows_which_labels_are_wrong():
    data = numbered(40, 40)
    noisy = used(data, label_noise=0.5)
    part = Dataset(
        "part", data.class_names, noisy.train, Split(data.train.images[:20], data.train.labels[:20])
    )
    sliced = part.clean_slice()
    assert len(sliced) == 20 and (sliced.truth == data.train.labels[numbers(sliced)]).all()
    assert (sliced.wrong == noisy.train.wrong[numbers(sliced)]).all() and 0 < sliced.wrong.sum() < 20
    assert noisy.describe()["wrong_labels"] == (noisy.train.labels != data.train.labels).sum()
    assert data.describe()["wrong_labels"] == 0
    assert noisy.describe()["train_counts"] == [
        (noisy.train.labels == k).sum() for k in range(len(data.class_names))
    ]


def said(data, **fields):
    experiment = Experiment(**fields)
    return in_words(data, under_conditions(data, experiment), experiment)


def test_what_was_done_in_words():
    data = numbered(6, 2)
    assert said(data) == []
    assert said(data, images_a_class=2) == ["4 of the 8 training images are used, 2 of each class."]
    assert said(data, images_a_class=4) == [
        "6 of the 8 training images are used, 4 of each class; there are only 2 of 'class 1'."
    ]
    assert said(data, images_a_class=9) == ["All 8 training images are used: no class has more than 9."]
    count, noise = said(data, images_a_class=2, label_noise=0.5)
    wrong = used(data, images_a_class=2, label_noise=0.5).train
    assert count.startswith("4 of the 8")
    assert noise == (
        f"Of the 4 training labels 2 were redrawn: {(wrong.labels != wrong.truth).sum()} of them are wrong now, "
        "the others came out right by chance."
    )


@pytest.mark.parametrize("images_a_class", [None, 1, 4, 9])
def test_a_batch_is_held_against_the_images_that_the_conditions_leave(images_a_class):
    data = numbered(3, 9, 5)
    left = sum(min(count, images_a_class or count) for count in (3, 9, 5))
    dials = dict(image_size=32, images_a_class=images_a_class, label_noise=0.5)
    used = under_conditions(data, Experiment(**dials))
    for each in (data, used):
        object.__setattr__(each.train, "images", np.zeros((len(each.train), 32, 32, 3), np.uint8))
        check_fits(Experiment(**dials, batch_size=left), each)
        with pytest.raises(InputError, match=f"training images, {left}. Received: {left + 1}."):
            check_fits(Experiment(**dials, batch_size=left + 1), each)
