"""The learning-rate range test: its steps against plain Keras, its rules on curves made by hand."""

import dataclasses

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

from vgglab.charts.learning_rate import plot_learning_rate
from vgglab.datasets import under_conditions
from vgglab.engine.cache import FeatureCache
from vgglab.engine.control import Control
from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.measures.learning_rate import find_learning_rate
from vgglab.network import build_model
from vgglab.rate_search import RateSearch, blown_up
from vgglab.training import train

SMALL = Experiment(
    backbone="vgg16-micro",
    weights=None,
    image_size=32,
    epochs=2,
    batch_size=24,
    unfreeze=3,
    learning_rate=1e-4,
)
RATES = np.geomspace(1e-6, 1, 121)  # twenty a power of ten


def curve(fall, at, steepness=4.0, start=2.0):
    """A loss that falls by `fall`, half of it when the rate is `at`."""
    return start - fall / (1 + np.exp(-steepness * np.log10(RATES / at)))


@pytest.mark.parametrize("unfreeze", [0, pytest.param(13, marks=pytest.mark.slow)])
def test_the_steps_are_those_of_keras_with_a_growing_rate(tiny, unfreeze):
    """With all images in each batch their order does not matter; the features of frozen layers come from a cache."""
    experiment = dataclasses.replace(SMALL, unfreeze=unfreeze, l2=0.01, weight_decay=1e-3)
    search = find_learning_rate(experiment, tiny, low=1e-5, high=3e-3, steps=12, cache=FeatureCache())
    model, targets = build_model(experiment, 2), np.eye(2)[tiny.train.labels]
    model.compile(keras.optimizers.Adam(), "categorical_crossentropy", jit_compile=False)
    theirs = []
    for rate in np.geomspace(1e-5, 3e-3, 12):
        model.optimizer.learning_rate = rate
        theirs.append(float(model.train_on_batch(tiny.train.images.astype("float32"), targets)))
    np.testing.assert_allclose(search.losses, theirs, rtol=2e-3)
    assert search.rates == pytest.approx(np.geomspace(1e-5, 3e-3, 12)) and search.ended == "whole"


def test_it_sweeps_over_the_images_and_labels_of_the_run(tiny):
    experiment = dataclasses.replace(SMALL, images_a_class=9, label_noise=0.5, batch_size=18)
    search = find_learning_rate(experiment, tiny, high=1e-3, steps=10)
    few = under_conditions(tiny, experiment)
    assert few.train.wrong.any()
    plain = dataclasses.replace(experiment, images_a_class=None, label_noise=0)
    assert (search.losses == find_learning_rate(plain, few, high=1e-3, steps=10).losses).all()
    assert (search.losses != find_learning_rate(plain, tiny, high=1e-3, steps=10).losses).any()


def test_several_batches_that_share_a_call_are_steps_of_their_own(tiny):
    experiment = dataclasses.replace(SMALL, batch_size=10, unfreeze=0)
    cached = find_learning_rate(experiment, tiny, high=1e-3, steps=10, cache=FeatureCache())
    plain = find_learning_rate(experiment, tiny, high=1e-3, steps=10, cache=None)
    assert len(cached.losses) == 10
    np.testing.assert_allclose(cached.losses, plain.losses, rtol=1e-4)


def test_a_later_run_is_what_it_would_have_been(tiny):
    experiment = dataclasses.replace(SMALL, batch_size=8, dropout=0.5, augment="flip", l2=0.1)
    before = train(experiment, tiny)
    find_learning_rate(experiment, tiny, steps=20)
    after = train(experiment, tiny)
    assert before.frame().drop(columns="seconds").equals(after.frame().drop(columns="seconds"))


def test_only_the_first_phase_is_swept(tiny):
    later = SMALL.then(unfreeze=0, dropout=0.5)
    one, other = (find_learning_rate(each, tiny, steps=10, high=1e-3) for each in (SMALL, later))
    assert (one.losses == other.losses).all()


def test_its_own_rate_and_schedule_have_no_part_in_it(tiny):
    other = dataclasses.replace(SMALL, learning_rate=1e-2, schedule="cosine", patience=1, epochs=1)
    one, other = (find_learning_rate(each, tiny, steps=10, high=1e-3) for each in (SMALL, other))
    assert (one.losses == other.losses).all()


def test_it_ends_when_the_loss_has_blown_up(tiny):
    search = find_learning_rate(dataclasses.replace(SMALL, unfreeze=13), tiny, low=1e-5, steps=60)
    assert search.ended == "blew up" and 10 < len(search.losses) < 60
    assert len(search.losses) == len(search.rates) and np.isfinite(search.losses).all()
    assert ", where it blew up)" in str(search)
    assert search.rates[0] < search.suggested <= search.lowest < search.rates[-1]


def test_stop_keeps_the_steps_so_far(tiny):
    control = Control()
    control.stop()
    search = find_learning_rate(SMALL, tiny, control=control)
    assert search.ended == "stopped" and len(search.losses) == len(search.rates) == 0
    assert str(search) == "No learning rate to suggest: the loss never fell (0 steps, then stopped)."

    class AfterSome(Control):
        asked = 0

        def check(self):
            self.asked += 1
            if self.asked > 12:
                self.stop()
            super().check()

    search = find_learning_rate(SMALL, tiny, control=AfterSome(), cache=None)
    assert search.ended == "stopped" and len(search.losses) == len(search.rates) == 12
    assert np.isfinite(search.losses).all() and search.rates[-1] < 1e-4


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (dict(low=0), "`low` must be 1e-08 to 1. Received: 0."),
        (dict(high=2), "`high` must be 1e-08 to 1. Received: 2."),
        (dict(low=0.1, high=0.1), "`low` must be less than `high`. Received: 0.1 and 0.1."),
        (dict(steps=9), "`steps` must be 10 to 2000. Received: 9."),
        (dict(steps=20.5), "`steps` must be a whole number, 10 to 2000. Received: 20.5."),
    ],
)
def test_what_cannot_be_swept(tiny, wrong, said):
    with pytest.raises(InputError) as error:
        find_learning_rate(SMALL, tiny, **wrong)
    assert str(error.value) == said


def test_data_that_does_not_fit(tiny):
    with pytest.raises(InputError, match="`image_size` of the experiment is 64"):
        find_learning_rate(dataclasses.replace(SMALL, image_size=64), tiny)
    with pytest.raises(InputError, match="`batch_size` must be at most"):
        find_learning_rate(dataclasses.replace(SMALL, batch_size=25), tiny)
    with pytest.raises(InputError, match="the number of training images, 20. Received: 24."):
        find_learning_rate(dataclasses.replace(SMALL, images_a_class=10), tiny)


@pytest.mark.parametrize("at", [1e-5, 1e-3, 3e-2])
def test_the_suggestion_is_where_the_loss_falls_most_steeply(at):
    assert RateSearch(RATES, curve(1.5, at)).suggested == pytest.approx(at, rel=0.06)


def test_the_suggestion_withstands_noise():
    noise = np.random.default_rng(0).normal(0, 0.1, (50, len(RATES)))
    found = [RateSearch(RATES, curve(1.5, 1e-3) + each).suggested for each in noise]
    assert np.mean([3e-4 < each < 3e-3 for each in found]) > 0.95


def test_a_fall_after_the_lowest_loss_does_not_count():
    """What blew up may come down again, steeply, to where it began."""
    lost = 2 + 9 * np.exp(-(((np.log10(RATES) + 1.5) / 0.3) ** 2))
    search = RateSearch(RATES, np.where(RATES < 1e-2, curve(1.5, 1e-4), lost))
    assert search.suggested == pytest.approx(1e-4, rel=0.06) and search.lowest < 1e-2


def test_a_loss_that_never_falls_suggests_nothing():
    search = RateSearch(RATES, 2 + np.arange(len(RATES)) / 100)
    assert search.suggested is None and search.lowest is None
    assert str(search) == "No learning rate to suggest: the loss never fell (121 steps from 1e-06 to 1)."


def test_the_sentence():
    search = RateSearch(RATES, curve(1.5, 1e-3) + RATES)
    assert str(search) == repr(search)
    assert str(search) == (
        f"Suggested learning rate 0.001, where the loss fell most steeply; it was lowest at "
        f"{search.lowest:.2g} (121 steps from 1e-06 to 1)."
    )


def test_smoothing_neither_shifts_nor_scales():
    """An even slope stays as it is, away from its ends, and so does a constant."""
    slope = RateSearch(RATES, np.log10(RATES)).smoothed
    np.testing.assert_allclose(slope[20:-20], np.log10(RATES)[20:-20], atol=1e-4)
    np.testing.assert_allclose(RateSearch(RATES, np.full(len(RATES), 2.0)).smoothed, 2)


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ([], False),
        ([2.0, float("nan")], True),
        ([2.0, float("inf")], True),
        ([2.0] * 20, False),
        ([2.0] * 5 + [0.4] * 5 + [1.9] * 5, False),  # four times the lowest, but below where it began
        ([2.0] * 5 + [0.4] * 5 + [2.1] * 5, True),
        ([2.0] * 5 + [1.0] * 5 + [3.9] * 5, False),  # above where it began, but not four times the lowest
        ([2.0] * 5 + [1.0] * 5 + [4.1] * 5, True),
        ([2.0] * 5 + [1.0] * 5 + [9.0], False),  # one hard batch
        ([2.0] * 5 + [0.001] * 5 + [1.0] * 5, False),
        ([1.0, 9.0, 9.0], False),  # too few to say
    ],
)
def test_when_a_loss_has_blown_up(losses, said):
    assert blown_up(losses) is said


def test_the_chart_holds_the_search_and_names_the_suggestion():
    search = RateSearch(RATES, curve(1.5, 1e-3))
    ax = plot_learning_rate(search)
    each, smoothed, mark = ax.lines
    np.testing.assert_array_equal(each.get_ydata(), search.losses)
    np.testing.assert_array_equal(smoothed.get_ydata(), search.smoothed)
    assert each.get_linewidth() < smoothed.get_linewidth() and list(smoothed.get_xdata()) == list(RATES)
    assert set(mark.get_xdata()) == {search.suggested} and mark.get_label() == "suggested: 0.001"
    assert ax.get_xscale() == "log" and len(ax.get_legend().get_texts()) == 3
    given = plt.subplots()[1]
    assert plot_learning_rate(search, given) is given
    plt.close("all")


def test_the_chart_without_a_suggestion_or_steps():
    rising = plot_learning_rate(RateSearch(RATES, 2 + RATES))
    assert len(rising.lines) == 2
    empty = plot_learning_rate(RateSearch(np.array([]), np.array([]), "stopped"))
    assert not empty.lines and empty.get_legend() is None
    plt.close("all")


def test_only_an_experiment_and_a_data_set_are_searched(tiny):
    with pytest.raises(InputError, match="`experiment` must be an Experiment"):
        find_learning_rate("plain", tiny)
    with pytest.raises(InputError, match="`data` must be a Dataset"):
        find_learning_rate(Experiment(), "blossoms")
