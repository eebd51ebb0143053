"""The learning rate of every step, against Keras's own schedule."""

import dataclasses

import keras
import numpy as np
import pytest

from vgglab.engine.control import Control
from vgglab.engine.rates import rates, warm_up_steps
from vgglab.experiment import Experiment
from vgglab.training import train

COSINE = Experiment(image_size=32, epochs=5, batch_size=8, unfreeze=1, learning_rate=2e-3, schedule="cosine")


def test_constant_is_constant():
    assert rates(Experiment(learning_rate=3e-4), 7, 4).tolist() == [3e-4] * 7


@pytest.mark.parametrize("horizon", [None, 3, 9])
def test_cosine_is_that_of_keras(horizon):
    phase = dataclasses.replace(COSINE, horizon=horizon)
    total = 7 * (horizon or 5)
    warm_up = warm_up_steps(total)
    theirs = keras.optimizers.schedules.CosineDecay(
        0.0, total - warm_up, warmup_target=2e-3, warmup_steps=warm_up
    )
    ours = np.concatenate([rates(phase, 7, epoch) for epoch in range(5)])
    np.testing.assert_allclose(ours, [float(theirs(step)) for step in range(35)], atol=1e-9)


def test_a_run_records_the_rate_of_each_epochs_last_step(tiny):
    history = train(COSINE, tiny)
    last = [float(rates(COSINE, 3, epoch)[-1]) for epoch in range(5)]
    assert [row["learning_rate"] for row in history.epochs] == last and last[-1] < last[1]


def test_the_steps_of_a_run_have_these_rates(tiny):
    """With one batch an epoch, the run is plain Keras with the same schedule."""
    from vgglab.network import build_model

    experiment = dataclasses.replace(COSINE, batch_size=24, epochs=10, learning_rate=1e-3)
    ours = train(experiment, tiny).frame()
    model = build_model(experiment, 2)
    schedule = keras.optimizers.schedules.CosineDecay(0.0, 9, warmup_target=1e-3, warmup_steps=1)
    model.compile(keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy", jit_compile=False)
    plain = model.fit(
        tiny.train.images, tiny.train.labels, batch_size=24, epochs=10, shuffle=False, verbose=0
    ).history
    np.testing.assert_allclose(ours["logged_loss"], plain["loss"], rtol=2e-3)


def test_a_run_that_was_changed_on_the_way_replays_with_the_schedule_it_had(tiny):
    control = Control()

    def intervene(history):
        if len(history.epochs) == 2:
            control.change(dataclasses.replace(COSINE, l2=0.01))

    live = train(COSINE, tiny, intervene, control=control)
    first, second = live.experiment.phases
    assert (first.epochs, first.horizon, second.epochs, second.horizon) == (2, 5, 3, None)
    again = train(live.experiment, tiny)
    assert [row["learning_rate"] for row in again.epochs] == [row["learning_rate"] for row in live.epochs]
    assert [row["train_loss"] for row in again.epochs] == [row["train_loss"] for row in live.epochs]
