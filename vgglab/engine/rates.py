"""The learning rate of every step of a phase."""

from __future__ import annotations

import math

import numpy as np

from vgglab.experiment import Experiment

WARM_UP = 0.1  # of the schedule's steps


def rates(phase: Experiment, steps_an_epoch: int, epoch: int) -> np.ndarray:
    """The rates of an epoch's steps, (steps_an_epoch,); `epoch` counts from 0 within the phase.

    Constant, or as the schedule says: "cosine" rises evenly from 0 in the first tenth of its steps and then falls as
    half a cosine to 0, where it stays (Loshchilov & Hutter 2017, arXiv:1608.03983, one cycle; the warm-up as in Goyal
    et al. 2017, arXiv:1706.02677). It is laid out for `horizon` epochs, or for those of the phase.
    """
    if phase.schedule == "constant":
        return np.full(steps_an_epoch, phase.learning_rate)
    total = steps_an_epoch * (phase.horizon or phase.epochs)
    warm_up = warm_up_steps(total)
    step = np.arange(epoch * steps_an_epoch, (epoch + 1) * steps_an_epoch)
    falling = 0.5 * (1 + np.cos(math.pi * np.minimum((step - warm_up) / max(total - warm_up, 1), 1)))
    return phase.learning_rate * np.where(step < warm_up, step / max(warm_up, 1), falling)


def warm_up_steps(total: int) -> int:
    """How many of the schedule's steps the warm-up takes."""
    return round(WARM_UP * total)
