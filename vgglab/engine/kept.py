"""The weights that a phase ends with, whichever way it ends: those of the epoch whose row counts."""

from __future__ import annotations

import keras
import numpy as np

from vgglab.experiment import Experiment


class KeptWeights:
    """Of the last finished epoch of a phase or, with patience, of that with the lowest validation loss.

    Until an epoch is finished, those that the phase began with. Only layers that learn are copied. Made when the model
    is configured for the phase.
    """

    def __init__(self, model: keras.Model, phase: Experiment) -> None:
        self.model = model
        self.epoch: int | None = None  # that they are of; None before the first
        self.waited_enough = False  # whether patience is at its end
        self._stopping = _early_stopping(model, phase)
        self._weights = self._learning()

    def take(self, epoch: int, validation_loss: float) -> None:
        """An epoch is finished: copy its weights if they count."""
        if self._stopping:
            self.model.stop_training = False
            self._stopping.on_epoch_end(epoch - 1, {"val_loss": validation_loss})
            self.waited_enough = self.model.stop_training
            if self._stopping.best_epoch != epoch - 1:
                return
        self._weights, self.epoch = self._learning(), epoch

    def restore(self) -> None:
        """Give them back to the model, which may have gone on since, or be no longer numbers."""
        for name, weights in self._weights.items():
            self.model.get_layer(name).set_weights(weights)

    def _learning(self) -> dict[str, list[np.ndarray]]:
        return {layer.name: layer.get_weights() for layer in self.model.layers if layer.trainable_variables}


def _early_stopping(model: keras.Model, phase: Experiment) -> keras.callbacks.EarlyStopping | None:
    if phase.patience is None:
        return None
    stopping = keras.callbacks.EarlyStopping("val_loss", mode="min", patience=phase.patience)
    stopping.set_model(model)
    stopping.on_train_begin()
    return stopping
