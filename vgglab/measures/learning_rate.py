"""How large a learning rate may be, found out in one short run in which it grows from step to step."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from vgglab.datasets import Dataset, check_fits, under_conditions
from vgglab.engine.cache import CACHE, FeatureCache
from vgglab.engine.control import Control, Stopped
from vgglab.engine.feed import Batches, Feed, feed
from vgglab.engine.lending import borrowed
from vgglab.engine.objective import objective_of
from vgglab.engine.step import Compiled
from vgglab.errors import InputError
from vgglab.experiment import Experiment, toggle_of
from vgglab.network import configure
from vgglab.rate_search import Ended, RateSearch, blown_up
from vgglab.toggles import Number

_STEPS = Number(label="steps", help="of a sweep", role="schedule", low=10, high=2000, whole=True)


def find_learning_rate(
    experiment: Experiment,
    data: Dataset,
    *,
    low: float = 1e-6,
    high: float = 1.0,
    steps: int = 100,
    control: Control | None = None,
    cache: FeatureCache | None = CACHE,
) -> RateSearch:
    """Train from the experiment's start while the learning rate grows from `low` to `high`, and record the losses.

    The rate grows by the same factor in each of `steps` steps, 10 to 2000, on the batches of the experiment's first
    phase, with all that it says but its rate, its schedule and its end. A hundred steps are enough from pretrained
    weights; from random ones it takes about four hundred. The sweep ends early when the loss has blown up. Nothing
    is left of it but what it returns: a later run starts where it would have started. It blocks as `train` does, and
    takes about as long as so many steps there. `control` pauses and stops it, Ctrl-C stops it too; the steps until
    then are returned. What frozen layers make of an image is kept in `cache`. `InputError` when experiment and data
    do not fit together, or the rates are none. The learning-rate range test: Smith 2017, arXiv:1506.01186, section
    3.3; growing exponentially: Gugger 2018, "How Do You Find A Good Learning Rate", and fastai's `lr_find`.
    """
    rates, control = _rates(low, high, steps), control or Control()
    data = under_conditions(data, experiment)
    phase = experiment.phases[0]
    check_fits(phase, data)
    losses: list[float] = []
    ended: Ended = "whole"
    try:
        with borrowed(phase, len(data.class_names), check=control.check) as compiled:
            for loss in _losses(compiled, phase, data, rates, cache, control):
                losses.append(loss)
                if blown_up(losses):
                    ended = "blew up"
                    break
    except (KeyboardInterrupt, Stopped):
        ended = "stopped"
    numbers = np.array([loss for loss in losses if np.isfinite(loss)])
    return RateSearch(rates[: len(numbers)], numbers, ended)


def _rates(low: float, high: float, steps: int) -> np.ndarray:
    rate = toggle_of("learning_rate")
    low, high, steps = rate.check("low", low), rate.check("high", high), _STEPS.check("steps", steps)
    if low >= high:
        raise InputError(f"`low` must be less than `high`. Received: {low:g} and {high:g}.")
    return np.geomspace(low, high, steps)


def _losses(
    compiled: Compiled,
    phase: Experiment,
    data: Dataset,
    rates: np.ndarray,
    cache: FeatureCache | None,
    control: Control,
) -> Iterator[float]:
    """The loss of one batch after the other, with a step at its rate after each."""
    configure(compiled.model, phase)
    fed = feed(compiled, phase, 1, data, {}, cache, control)
    make_step = compiled.train_steps(fed.train_below, phase)
    compiled.restart_optimizer()
    objective = objective_of(phase, data)
    for rate, (images, targets) in zip(rates, _single_batches(fed, phase.batch_size)):
        control.check()
        loss, _ = make_step(images, targets, phase.batch_size, [rate], objective)
        yield float(loss) / len(targets)


def _single_batches(fed: Feed, batch_size: int) -> Batches:
    """Images and targets, one batch after the other and epoch after epoch without end."""
    for epoch in itertools.count():
        for images, targets in fed.batches(epoch):
            for start in range(0, len(targets), batch_size):
                batch = slice(start, start + batch_size)
                yield images[batch], targets[batch]
