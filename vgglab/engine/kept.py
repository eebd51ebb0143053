"""The weights that a phase ends with, whichever way it ends: those of the epoch whose row counts."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np

from vgglab.engine.checkpoint import Arrays, learning, part, set_weights, under, weights_of
from vgglab.experiment import Experiment
from vgglab.history import Row
from vgglab.record import is_low, watched

_OF_STOPPING = ("best", "best_epoch", "wait")  # what Keras's EarlyStopping has counted


class KeptWeights:
    """Of the last finished epoch of a phase or, with patience, of that whose monitored figure was the best.

    Until an epoch is finished, those that the phase began with. Only layers that learn are copied. Made when the model
    is configured for the phase.
    """

    def __init__(self, model: keras.Model, phase: Experiment) -> None:
        self.model = model
        self.epoch: int | None = None  # that they are of; None before the first
        self.waited_enough = False  # whether patience is at its end
        self._stopping = _early_stopping(model, phase)
        self._weights = weights_of(model, learning(model))

    def take(self, row: Row) -> bool:
        """The epoch of a row is finished: copy its weights if they count, and say whether they do."""
        epoch = row["epoch"]
        if self._stopping:
            self.model.stop_training = False
            self._stopping.on_epoch_end(epoch - 1, row)
            self.waited_enough = self.model.stop_training
            if self._stopping.best_epoch != epoch - 1:
                return False
        self._weights, self.epoch = weights_of(self.model, learning(self.model)), epoch
        return True

    def state(self) -> Arrays:
        """All that it knows after an epoch, for a checkpoint that has the model's weights too."""
        known = dict(epoch=np.array(self.epoch or 0))
        if self._stopping:
            known |= {name: np.array(getattr(self._stopping, name)) for name in _OF_STOPPING}
            known |= dict(waited_enough=np.array(self.waited_enough), **under("weights", self._weights))
        return known

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from what `state` returned; the model has the weights of that moment, and its phase."""
        self.epoch = int(state["epoch"]) or None
        if self._stopping:
            for name in _OF_STOPPING:
                setattr(self._stopping, name, state[name].item())
            self.waited_enough = bool(state["waited_enough"])
            self._weights = part("weights", state)

    def restore(self) -> None:
        """Give them back to the model, which may have gone on since, or be no longer numbers."""
        set_weights(self.model, self._weights)


def _early_stopping(model: keras.Model, phase: Experiment) -> keras.callbacks.EarlyStopping | None:
    if phase.patience is None:
        return None
    column, mode = watched(phase.monitor), "min" if is_low(phase.monitor) else "max"
    stopping = keras.callbacks.EarlyStopping(column, mode=mode, patience=phase.patience)
    stopping.set_model(model)
    stopping.on_train_begin()
    return stopping
