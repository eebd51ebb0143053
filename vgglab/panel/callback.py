"""The live chart as an ordinary Keras callback, for anybody's own `model.fit`."""

from __future__ import annotations

import time

import keras
from IPython.display import display

from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.history import History
from vgglab.panel.live import LiveChart


class LiveCurves(keras.callbacks.Callback):
    """Draws accuracy and loss while `model.fit(..., callbacks=[LiveCurves()])` runs.

    `clean` is a pair of training images and targets that is evaluated after every epoch, so that train
    and validation are measured alike; without it the train curve is what Keras logs, a running mean
    over augmented batches, and the text says so. `history` is a `History` with the rows. The model must
    be compiled with an accuracy and `fit` called with validation data: `InputError` otherwise.
    """

    def __init__(self, clean: tuple | None = None) -> None:
        super().__init__()
        self.clean = clean
        self.history = History(Experiment())
        self.chart = LiveChart(self.history.experiment)
        self._start = 0.0

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.history = History(Experiment(epochs=self.params["epochs"]))
        self.chart.draw(self.history)
        display(self.chart)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = logs or {}
        name = _accuracy_name(logs)
        loss, accuracy = logs["loss"], logs[name]
        if self.clean is not None:
            measured = self.model.evaluate(*self.clean, verbose=0, return_dict=True)
            loss, accuracy = measured["loss"], measured[name]
        self.history.epochs.append(
            dict(
                epoch=len(self.history.epochs) + 1,
                phase=1,
                train_accuracy=float(accuracy),
                validation_accuracy=float(logs[f"val_{name}"]),
                gap=float(accuracy) - float(logs[f"val_{name}"]),
                train_loss=float(loss),
                validation_loss=float(logs["val_loss"]),
                logged_accuracy=float(logs[name]),
                logged_loss=float(logs["loss"]),
                learning_rate=float(self.model.optimizer.learning_rate),
                seconds=time.perf_counter() - self._start,
                source_accuracy=None,
            )
        )
        self.chart.update(self.history)
        self._say()

    def on_train_end(self, logs: dict | None = None) -> None:
        self.chart.draw(self.history)
        self._say()

    def _say(self) -> None:
        if self.clean is None:
            self.chart.say(f"{self.history.summary()} (train as Keras logs it; give `clean` to measure it)")


def _accuracy_name(logs: dict) -> str:
    """The metric that validation has too and whose name says accuracy."""
    for name in logs:
        if not name.startswith("val_") and "acc" in name and f"val_{name}" in logs:
            return name
    raise InputError(
        "LiveCurves needs a model compiled with metrics=['accuracy'] and validation_data in fit. "
        f"Received: {', '.join(logs) or 'no metrics'}."
    )
