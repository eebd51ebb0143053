"""The checks of lesson 03: the L2 penalty, dropout, early stopping, and a small gap that is no success."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import keras
import numpy as np

POINTS = 5  # by which gap and validation accuracy must fall in the last exercise


def _penalty(answer, kernel, l2) -> str | None:
    answer, right = float(answer), float(keras.regularizers.L2(l2)(kernel))
    if _near(answer, right):
        return None
    total = float(np.sum(np.square(kernel)))
    for value, hint in {
        total: "that is the sum of the squares; λ is missing.",
        l2 * np.sqrt(total): "that is λ times the norm. L2 takes the sum of the squares, without the root.",
        l2 * float(np.sum(np.abs(kernel))): "that is L1, which adds up the sizes. L2 adds up the squares.",
        l2 * float(np.sum(kernel)): "that adds up the weights themselves. Where is the square?",
        l2 * float(np.sum(kernel)) ** 2: "that squares the sum. Square each weight first, then add.",
        l2 * total / 2: "some books put a half in front; Keras does not.",
        l2 * total / np.size(kernel): "that is the mean of the squares. Keras adds them up.",
    }.items():
        if _near(answer, value):
            return hint
    return "square each weight, add up, and multiply by λ once."


def _dropout(answer) -> str | None:
    training, inference = (float(value) for value in answer)
    kept, unchanged = _through_dropout(3.0, 0.75)
    if _near(training, kept) and _near(inference, unchanged):
        return None
    if _near(training, unchanged) and inference < unchanged:
        return "this is how dropout was first published. Keras rescales in training, and not in inference."
    if not _near(inference, unchanged):
        return "look at the inference line above: how does it differ from what went in?"
    if _near(training, unchanged):
        return "most units are dropped; if the others stayed as they are, what would become of the mean?"
    if _near(training, unchanged / 0.75):
        return "0.75 is the share that is dropped; divide by the share that is kept."
    return "inference is right. In training the survivors are multiplied so that the mean stays the same."


def _through_dropout(value: float, rate: float) -> tuple[float, float]:
    """What Keras makes of a unit that is not dropped, in training and in inference."""
    layer, units = keras.layers.Dropout(rate, seed=0), np.full((1, 64), value, "float32")
    training, inference = (np.asarray(layer(units, training=mode)) for mode in (True, False))
    return float(training.max()), float(inference.max())


def _stopping(answer, losses, patience) -> str | None:
    stops, keeps = (int(epoch) for epoch in answer)
    right = _by_keras(losses, patience)
    if (stops, keeps) == right:
        return None
    if (keeps, stops) == right:
        return "the pair is (stops after, keeps)."
    if (stops + 1, keeps + 1) == right:
        return "count epochs from 1."
    if keeps == right[0]:
        return "that is the last epoch; the best weights are restored."
    if keeps == int(np.argmin(losses)) + 1:
        return "the loss would fall further later on, but does training get there?"
    if keeps == right[1]:
        return "the kept epoch is right. For how many epochs without a lower loss does it wait after it?"
    if losses[keeps - 1] == losses[right[1] - 1]:
        return "an equal loss is not a lower one."
    return "go through the losses one by one, and count the epochs since the lowest one so far."


def _by_keras(losses: list[float], patience: int) -> tuple[int, int]:
    """After which epoch Keras's own callback stops, and which it found best, counted from 1."""
    stopping = keras.callbacks.EarlyStopping("val_loss", mode="min", patience=patience)
    stopping.set_model(SimpleNamespace(stop_training=False))
    stopping.on_train_begin()
    for epoch, loss in enumerate(losses):
        stopping.on_epoch_end(epoch, {"val_loss": loss})
        if stopping.model.stop_training:
            break
    return epoch + 1, stopping.best_epoch + 1


def _no_success(answer, without) -> str | None:
    if answer.data["fingerprint"] != without.data["fingerprint"]:
        return "that run saw other images; train on the same ones."
    free = dict(l2=without.experiment.l2, dropout=without.experiment.dropout)
    if dataclasses.replace(answer.experiment, **free) != without.experiment:
        return "something else than L2 and dropout differs from the run above."
    if answer.experiment == without.experiment:
        return "that is the same run again; give it some L2 or dropout."
    gap, validation = (
        100 * (answer.kept[name] - without.kept[name]) for name in ("gap", "validation_accuracy")
    )
    if gap <= -POINTS and validation <= -POINTS:
        return None
    came = f"the gap changed by {gap:+.1f} points and validation by {validation:+.1f}"
    if validation > -POINTS:
        return f"{came}: no harm is done yet. Hold back more."
    return f"{came}: the training images are still learned. Hold back more."


def _near(value: float, right: float) -> bool:
    return bool(np.isclose(value, right, rtol=1e-3, atol=1e-9))


CHECKS = {"03.1": _penalty, "03.2": _dropout, "03.3": _stopping, "03.4": _no_success}
