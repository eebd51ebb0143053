"""What a learning-rate range test leaves behind: the loss at each rate, and the rate that it suggests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

Ended = Literal["whole", "blew up", "stopped"]

WIDTH = 0.2  # of the smoothing, in powers of ten
TAKEN_TOGETHER = 5  # steps; a single batch may be hard
BLOWN_UP = 4  # times the lowest loss, as in fastai


@dataclass(frozen=True, eq=False, repr=False)
class RateSearch:
    """The losses of a run whose learning rate grew by the same factor from step to step.

    `rates`, `losses`: float (n,), of each step its rate and the loss of its batch just before it, weight penalty
    included. `ended` says why there are no more: "whole" (the range was swept), "blew up" (`blown_up` says when), or
    "stopped". As text it is one sentence.
    """

    rates: np.ndarray
    losses: np.ndarray
    ended: Ended = "whole"

    @cached_property
    def smoothed(self) -> np.ndarray:
        """The losses averaged over neighbouring rates, float (n,).

        The weights are a Gaussian's, a fifth of a power of ten wide. It looks to both sides, because an average over
        the steps before, as in fastai, arrives late and would suggest too high a rate.
        """
        place = np.log10(self.rates)
        weights = np.exp(-0.5 * ((place[:, None] - place) / WIDTH) ** 2)
        return weights @ self.losses / weights.sum(axis=1)

    @property
    def lowest(self) -> float | None:
        """The rate at which the smoothed loss was lowest; None when it never fell."""
        place = int(np.argmin(self.smoothed)) if len(self.losses) else 0
        return float(self.rates[place]) if place else None

    @property
    def suggested(self) -> float | None:
        """The rate at which the smoothed loss fell most steeply over the logarithm of the rate, before it was lowest.

        None when it never fell. fastai calls it `steep`. It is a place to begin looking, not the best rate: every loss
        is one batch's, of a network that has already learnt at all lower rates, and another seed moves it, easily by
        a factor of three. It is too low where the loss begins far above that of guessing, because unlearning that is
        then the steepest fall, and where the loss fell little, as from random weights in too few steps. Try it, and a
        third and three times as much.
        """
        if self.lowest is None:
            return None
        slope = np.gradient(self.smoothed, np.log10(self.rates))
        return float(self.rates[np.argmin(np.where(self.rates <= self.lowest, slope, np.inf))])

    def __str__(self) -> str:
        swept = f"{len(self.rates)} steps"
        if len(self.rates):
            swept += f" from {self.rates[0]:.2g} to {self.rates[-1]:.2g}"
        swept += {"whole": "", "blew up": ", where it blew up", "stopped": ", then stopped"}[self.ended]
        if self.suggested is None:
            return f"No learning rate to suggest: the loss never fell ({swept})."
        return (
            f"Suggested learning rate {self.suggested:.2g}, where the loss fell most steeply; "
            f"it was lowest at {self.lowest:.2g} ({swept})."
        )

    __repr__ = __str__


def blown_up(losses: Sequence[float]) -> bool:
    """Whether the losses of the steps so far have blown up: all that was learnt is lost, and more.

    That is so when the latest is no number, or when the mean of the latest five is above four times the lowest mean
    of five, the factor of fastai, and above that of the first five: where the lowest is almost 0, four times as much
    is still nothing.
    """
    if losses and not np.isfinite(losses[-1]):
        return True
    if len(losses) <= TAKEN_TOGETHER:
        return False
    means = np.convolve(losses, np.full(TAKEN_TOGETHER, 1 / TAKEN_TOGETHER), "valid")
    return bool(means[-1] > max(BLOWN_UP * means.min(), means[0]))
