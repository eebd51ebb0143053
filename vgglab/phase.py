"""One phase of a run: from the weights that it finds to those that count, epoch by epoch."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import keras
import numpy as np

from vgglab.datasets import Dataset, Split
from vgglab.engine.cache import FeatureCache
from vgglab.engine.checkpoint import Arrays, learning, part, under, weights_of
from vgglab.engine.control import Control
from vgglab.engine.feed import Batches, Feed, feed
from vgglab.engine.kept import KeptWeights
from vgglab.engine.objective import objective_of
from vgglab.engine.rates import rates
from vgglab.engine.step import Compiled
from vgglab.experiment import Experiment
from vgglab.history import History, Row
from vgglab.measures.forgetting import has_source_task, source_images
from vgglab.measures.rows import Measuring
from vgglab.network import configure
from vgglab.predictions import Predictions
from vgglab.record import is_low
from vgglab.share.run_folder import RunFolder


class Diverged(Exception):
    """The loss is no longer a number."""


@dataclass
class Run:
    """What the phases of one run share; `learned` are the names of the layers that have learned so far."""

    compiled: Compiled
    data: Dataset
    history: History
    on_epoch: Callable[[History], object] | None
    control: Control
    cache: FeatureCache | None
    folder: RunFolder | None
    began_with: str = ""
    learned: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.measuring = Measuring(self.compiled, self.control)

    def known(self) -> Arrays:
        """What every checkpoint has: what the run began with, how long the History is, and what counts if it stops."""
        rows = {kind: np.array(count) for kind, count in self.history.rows().items()}
        said = self.history.predictions.to_arrays() if self.history.predictions else {}
        return dict(began_with=np.array(self.began_with), **under("rows", rows), **under("predictions", said))

    def epochs_of(self, number: int) -> int:
        """How many epochs of a phase are finished."""
        return sum(row["phase"] == number for row in self.history.epochs)


def train_phase(run: Run, phase: Experiment, number: int, state: Arrays) -> None:
    """Train the `number`-th phase; afterwards the model has the weights that count, and the History its layers.

    `state` is the checkpoint from which the phase goes on, empty at its beginning.
    """
    model = run.compiled.model
    configure(model, phase)
    run.learned.update(learning(model))
    start = weights_of(model, _with_weights(model)) | part("start", state)
    _Going(run, phase, number, start, KeptWeights(model, phase)).train(state)


class _Going:
    """A phase that is going on; `start` are the weights that it began with."""

    def __init__(self, run: Run, phase: Experiment, number: int, start: Arrays, kept: KeptWeights) -> None:
        self.run, self.phase, self.number, self.start, self.kept = run, phase, number, start, kept
        self.compiled, self.data, self.history = run.compiled, run.data, run.history
        self.model = run.compiled.model

    def train(self, state: Arrays) -> None:
        if state:
            self.kept.set_state(part("kept", state))
        try:
            for _ in self._epochs(state):
                if self._is_enough():
                    return
        finally:
            self._go_back()
            self._record_layers()

    def _is_enough(self) -> bool:
        if self.kept.waited_enough:
            better = "lower" if is_low(self.phase.monitor) else "higher"
            text = f"No {better} validation {self.phase.monitor} for {self.phase.patience} epochs."
            self.history.note("early stop", text)
        return self.kept.waited_enough

    def _epochs(self, state: Arrays) -> Iterator[None]:
        """Train the epochs that are left, one at each step."""
        run, phase = self.run, self.phase
        fed = feed(self.compiled, phase, self.number, self.data, self._evaluated(), run.cache, run.control)
        steps = self.compiled.train_steps(fed.train_below, phase)
        self.compiled.restart_optimizer()
        if state:
            self.compiled.set_state(state)
            yield
        else:
            self.history.note("cache", fed.how)
            run.measuring.remember(fed)
        for epoch in range(run.epochs_of(self.number), phase.epochs):
            self._train_epoch(steps, fed, epoch)
            yield
            run.control.forget_change(self._goes_on_alike)
            if run.control.changed:
                return

    def _goes_on_alike(self, change: Experiment) -> bool:
        """Whether a change asks for this phase's settings, for as long as it is planned."""
        before = len(self.history.epochs) - self.run.epochs_of(self.number)
        is_last = self.number == len(self.history.experiment.phases)
        here = dataclasses.replace(self.phase, later=(), epochs=before + self.phase.epochs)
        return is_last and change == here

    def _train_epoch(self, steps: Callable, fed: Feed, epoch: int) -> None:
        start = time.perf_counter()
        step_rates = rates(self.phase, math.ceil(len(self.data.train) / self.phase.batch_size), epoch)
        logged = self._pass_over_train(steps, fed.batches(epoch), step_rates)
        last = self.history.epochs[-1] if self.history.epochs else None
        row: Row = dict(epoch=len(self.history.epochs) + 1, phase=self.number)
        measured, probabilities = self.run.measuring.measure(fed, last)
        row |= measured | logged
        if not math.isfinite(row["train_loss"] + row["validation_loss"]):
            raise Diverged(
                f"The network's output stopped being numbers in epoch {row['epoch']}; training stopped. "
                "A lower learning rate usually helps."
            )
        row |= dict(learning_rate=float(step_rates[-1]), seconds=time.perf_counter() - start)
        seen = self.data.validation
        said = Predictions(row["epoch"], seen.labels, probabilities, seen.fingerprint)
        counts = self.kept.take(row)
        self.history.epochs.append(row)
        if counts:
            self.history.predictions = said
        if self.run.folder:
            self.run.folder.record(self.history)
            self.run.folder.checkpoint(self._state)
        if self.run.on_epoch:
            self.run.on_epoch(self.history)

    def _state(self) -> Arrays:
        """A checkpoint of this moment, after an epoch."""
        run = self.run
        start = {
            name: array
            for name, array in self.start.items()
            if name.rpartition("/")[0] in learning(self.model)
        }
        before = {str(block): features for block, features in run.measuring.before.items()}
        return dict(
            **run.known(),
            phase=np.array(self.number),
            **under("weights", weights_of(self.model, run.learned)),
            **under("start", start),
            **under("before", before),
            **under("kept", self.kept.state()),
            **self.compiled.state(),
        )

    def _evaluated(self) -> dict[str, Split]:
        """What is measured after every epoch."""
        splits = dict(clean=self.data.clean_slice(), validation=self.data.validation)
        source = dict(source=source_images(self.phase.image_size)) if has_source_task(self.phase) else {}
        return splits | source

    def _pass_over_train(self, steps: Callable, batches: Batches, step_rates: np.ndarray) -> dict[str, float]:
        """One epoch of steps; returns what Keras logs, its running means over the batches."""
        objective, size = objective_of(self.phase, self.data), self.phase.batch_size
        loss, right, count = 0.0, 0.0, 0
        for images, targets in batches:
            self.run.control.check()
            left = step_rates[count // size :].astype(np.float32)
            batch_loss, batch_right = steps(images, targets, size, left, objective)
            loss, right, count = loss + float(batch_loss), right + float(batch_right), count + len(targets)
            if not math.isfinite(loss):
                raise Diverged(
                    f"The loss became {float(batch_loss)} in epoch {len(self.history.epochs) + 1}; training stopped. "
                    "A lower learning rate usually helps."
                )
            self.run.control.progress(count, len(self.data.train))
        return dict(logged_accuracy=right / count, logged_loss=loss / count)

    def _go_back(self) -> None:
        """To the weights of the row that counts: an epoch may have been left in its middle since."""
        self.kept.restore()
        epoch = self.kept.epoch
        if epoch is not None and epoch < len(self.history.epochs):
            best = "lowest" if is_low(self.phase.monitor) else "highest"
            figure = f"the {best} validation {self.phase.monitor}"
            text = f"The weights of epoch {epoch}, which had {figure}, were restored."
            self.history.note("restored", text, kept_epoch=epoch)

    def _record_layers(self) -> None:
        """Note how far each layer moved, and report what did not do as it was told.

        A phase that finished no epoch went back to where it began, so that its layers could not move.
        """
        finished, number = self.run.epochs_of(self.number) > 0, self.number
        for name in _with_weights(self.model):
            trainable = bool(self.model.get_layer(name).trainable_variables)
            moved = _relative_change(part(name, self.start), self.model.get_layer(name).get_weights())
            self.history.layers.append(dict(phase=number, layer=name, trainable=trainable, moved=moved))
            if trainable and moved == 0 and finished:
                self.history.note(
                    "did not move",
                    f"Layer {name} was trainable in phase {number}, but its weights did not change.",
                )
            if moved and not trainable:
                self.history.note(
                    "moved", f"Layer {name} was frozen in phase {number}, but its weights changed."
                )


def _with_weights(model: keras.Model) -> list[str]:
    return [layer.name for layer in model.layers if layer.count_params()]


def _relative_change(before: Arrays, after: list[np.ndarray]) -> float | None:
    """How far weights moved, as a fraction of their size before; None when they are not numbers."""
    was = [before[str(place)] for place in range(len(after))]
    change = math.sqrt(sum(float(np.sum((b - a) ** 2)) for a, b in zip(was, after)))
    size = math.sqrt(sum(float(np.sum(a**2)) for a in was))
    if not math.isfinite(change):
        return None
    return change / size if size else change
