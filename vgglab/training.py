"""The training loop: one experiment on one data set, recorded honestly, epoch by epoch."""

from __future__ import annotations

import math
import threading
import time
import warnings
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

import vgglab
from vgglab.augmentation import augmenter
from vgglab.backbone import build_model, configure
from vgglab.datasets import Dataset, Split
from vgglab.experiment import Experiment, InputError
from vgglab.history import History

EVALUATION_BATCH = 64


class _Stopped(Exception):
    """Somebody asked the run to stop."""


class _Diverged(Exception):
    """The loss is no longer a number."""


def train(
    experiment: Experiment,
    data: Dataset,
    on_epoch: Callable[[History], object] | None = None,
    *,
    model: keras.Model | None = None,
    stop: threading.Event | None = None,
) -> History:
    """Run an experiment on a data set, phase by phase, and return its record.

    Blocks until it is done. `on_epoch` is called with the growing History after every epoch. `model`
    is one from `build_model`, which is then trained in place; by default a new one is made. Setting
    `stop` ends the run within the running batch; so does Ctrl-C, and a loss that is not a number.
    All three leave the finished epochs in the History, with an event that says what happened.
    `InputError` when experiment and data do not fit together.
    """
    _check(experiment, data)
    model = build_model(experiment, len(data.class_names)) if model is None else model
    history = History(experiment, data.describe(), _versions())
    run = _Run(model, data, history, on_epoch, stop or threading.Event())
    try:
        for number, phase in enumerate(experiment.phases, start=1):
            run.phase(phase, number)
    except KeyboardInterrupt:
        history.note("interrupted", "Interrupted; the epochs before are kept.")
    except _Stopped:
        history.note("stopped", "Stopped; the epochs before are kept.")
    except _Diverged as diverged:
        history.note("diverged", str(diverged))
        warnings.warn(str(diverged), stacklevel=2)
    return history


def evaluate(model: keras.Model, split: Split) -> tuple[float, float]:
    """Accuracy and mean cross-entropy of a model on clean images, in inference mode.

    The cross-entropy leaves the weight penalty out, so that runs with and without L2 compare.
    """
    return _evaluate(_predictor(model), split, threading.Event())


class _Run:
    """What the phases of one run share."""

    def __init__(self, model, data, history, on_epoch, stop) -> None:
        self.model, self.data, self.history = model, data, history
        self.on_epoch, self.stop = on_epoch, stop
        self.clean = data.clean_slice()
        self.predict = _predictor(model)

    def phase(self, phase: Experiment, number: int) -> None:
        """Train one phase; afterwards the model has the weights that count, and the History its layers."""
        configure(self.model, phase)
        before = _weights_of(self.model)
        stopping = _early_stopping(self.model, phase)
        try:
            for epoch in self._epochs(phase, number):
                if stopping and self._is_enough(stopping, epoch):
                    self.history.note("early stop", f"No lower validation loss for {phase.patience} epochs.")
                    return
        finally:
            if stopping and stopping.best_weights is not None:
                self._restore(stopping)
            self._record_layers(before, number)

    def _epochs(self, phase: Experiment, number: int) -> Iterator[dict[str, float]]:
        step = _train_step(self.model, phase.learning_rate)
        augment = augmenter(phase, number)
        rng = np.random.default_rng((phase.seed, number))
        for _ in range(phase.epochs):
            start = time.perf_counter()
            logged = self._pass_over_train(step, augment, phase.batch_size, rng)
            row = dict(epoch=len(self.history.epochs) + 1, phase=number, **self._measure(), **logged)
            row |= dict(learning_rate=phase.learning_rate, seconds=time.perf_counter() - start)
            self.history.epochs.append(row)
            if self.on_epoch:
                self.on_epoch(self.history)
            yield row

    def _pass_over_train(self, step, augment, batch_size: int, rng: np.random.Generator) -> dict[str, float]:
        """One epoch of steps; returns what Keras logs, its running means over the batches."""
        accuracy, loss = keras.metrics.CategoricalAccuracy(), keras.metrics.Mean()
        for images, targets in _batches(self.data.train, len(self.data.class_names), batch_size, rng):
            if self.stop.is_set():
                raise _Stopped
            if augment:
                images, targets = augment(images, targets)
            batch_loss, probabilities = step(images, targets)
            if not math.isfinite(batch_loss):
                raise _Diverged(
                    f"The loss became {float(batch_loss)} in epoch {len(self.history.epochs) + 1}; training stopped. "
                    "A lower learning rate usually helps."
                )
            accuracy.update_state(targets, probabilities)
            loss.update_state(batch_loss, sample_weight=len(targets))
        return dict(logged_accuracy=float(accuracy.result()), logged_loss=float(loss.result()))

    def _measure(self) -> dict[str, float]:
        train_accuracy, train_loss = _evaluate(self.predict, self.clean, self.stop)
        validation_accuracy, validation_loss = _evaluate(self.predict, self.data.validation, self.stop)
        if not math.isfinite(train_loss + validation_loss):
            raise _Diverged(
                f"The network's output stopped being numbers in epoch {len(self.history.epochs) + 1}; training stopped. A lower learning rate usually helps."
            )
        return dict(
            train_accuracy=train_accuracy,
            validation_accuracy=validation_accuracy,
            gap=train_accuracy - validation_accuracy,
            train_loss=train_loss,
            validation_loss=validation_loss,
        )

    def _is_enough(self, stopping: keras.callbacks.EarlyStopping, row: dict[str, float]) -> bool:
        self.model.stop_training = False
        stopping.on_epoch_end(row["epoch"] - 1, {"val_loss": row["validation_loss"]})
        return self.model.stop_training

    def _restore(self, stopping: keras.callbacks.EarlyStopping) -> None:
        kept = stopping.best_epoch + 1
        if kept == len(self.history.epochs):
            return
        self.model.set_weights(stopping.best_weights)
        self.history.note(
            "restored", f"The weights of epoch {kept}, which had the lowest validation loss, were restored."
        )
        self.history.events[-1]["kept_epoch"] = kept

    def _record_layers(self, before: dict[str, list[np.ndarray]], number: int) -> None:
        """Note how far each layer moved, and report what did not do as it was told."""
        for name, weights in _weights_of(self.model).items():
            trainable = bool(self.model.get_layer(name).trainable_variables)
            moved = _relative_change(before[name], weights)
            self.history.layers.append(dict(phase=number, layer=name, trainable=trainable, moved=moved))
            if trainable and moved == 0:
                self.history.note(
                    "did not move",
                    f"Layer {name} was trainable in phase {number}, but its weights did not change.",
                )
            if moved and not trainable:
                self.history.note(
                    "moved", f"Layer {name} was frozen in phase {number}, but its weights changed."
                )


def _check(experiment: Experiment, data: Dataset) -> None:
    if data.image_size != experiment.image_size:
        raise InputError(
            f"`image_size` of the experiment is {experiment.image_size}, but the data was loaded at {data.image_size}: "
            f"load(..., image_size={experiment.image_size})."
        )
    for phase in experiment.phases:
        if phase.batch_size > len(data.train):
            raise InputError(
                f"`batch_size` must be at most the number of training images, {len(data.train)}. Received: {phase.batch_size}."
            )


def _train_step(model: keras.Model, learning_rate: float) -> Callable:
    """A compiled step of Adam on what is trainable now; returns the loss and the probabilities.

    Made anew for every phase: a step keeps the layers that were trainable when it was traced.
    """
    optimizer = keras.optimizers.Adam(learning_rate)
    optimizer.build(model.trainable_variables)
    size = model.input_shape[1]

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, size, size, 3), tf.float32),
            tf.TensorSpec((None, None), tf.float32),
        ],
        jit_compile=False,  # on a CPU it slows steps down and lengthens the first
    )
    def step(images, targets):
        with tf.GradientTape() as tape:
            probabilities = model(images, training=True)
            loss = tf.reduce_mean(keras.losses.categorical_crossentropy(targets, probabilities))
            loss += tf.add_n(model.losses)
        variables = [variable.value for variable in model.trainable_variables]
        optimizer.apply(tape.gradient(loss, variables), model.trainable_variables)
        return loss, probabilities

    return step


def _batches(
    split: Split, classes: int, batch_size: int, rng: np.random.Generator
) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
    order = rng.permutation(len(split))
    one_hot = np.eye(classes, dtype=np.float32)
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        yield tf.constant(split.images[chosen], tf.float32), tf.constant(one_hot[split.labels[chosen]])


def _predictor(model: keras.Model) -> Callable:
    size = model.input_shape[1]

    @tf.function(input_signature=[tf.TensorSpec((None, size, size, 3), tf.float32)], jit_compile=False)
    def predict(images):
        return model(images, training=False)

    return predict


def _evaluate(predict: Callable, split: Split, stop: threading.Event) -> tuple[float, float]:
    correct, loss = 0, 0.0
    for start in range(0, len(split), EVALUATION_BATCH):
        if stop.is_set():
            raise _Stopped
        images, labels = (part[start : start + EVALUATION_BATCH] for part in split)
        probabilities = predict(tf.constant(images, tf.float32))
        correct += int(np.sum(np.argmax(probabilities, axis=1) == labels))
        loss += float(tf.reduce_sum(keras.losses.sparse_categorical_crossentropy(labels, probabilities)))
    return correct / len(split), loss / len(split)


def _early_stopping(model: keras.Model, phase: Experiment) -> keras.callbacks.EarlyStopping | None:
    if phase.patience is None:
        return None
    stopping = keras.callbacks.EarlyStopping(
        "val_loss", mode="min", patience=phase.patience, restore_best_weights=True
    )
    stopping.set_model(model)
    stopping.on_train_begin()
    return stopping


def _weights_of(model: keras.Model) -> dict[str, list[np.ndarray]]:
    return {layer.name: layer.get_weights() for layer in model.layers if layer.count_params()}


def _relative_change(before: list[np.ndarray], after: list[np.ndarray]) -> float | None:
    """How far weights moved, as a fraction of their size before; None when they are not numbers."""
    change = math.sqrt(sum(float(np.sum((b - a) ** 2)) for a, b in zip(before, after)))
    size = math.sqrt(sum(float(np.sum(a**2)) for a in before))
    if not math.isfinite(change):
        return None
    return change / size if size else change


def _versions() -> dict[str, str]:
    return dict(
        vgglab=vgglab.__version__, keras=keras.__version__, tensorflow=tf.__version__, numpy=np.__version__
    )
