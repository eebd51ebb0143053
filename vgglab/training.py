"""The training loop: one experiment on one data set, recorded honestly, epoch by epoch."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
import warnings
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

import vgglab
from vgglab.datasets import Dataset, Split, check_fits, in_words, under_conditions
from vgglab.engine.cache import CACHE, FeatureCache
from vgglab.engine.control import Control, Stopped
from vgglab.engine.feed import Batches, Feed, as_features, feed
from vgglab.engine.kept import KeptWeights
from vgglab.engine.lending import borrowed
from vgglab.engine.owner import alone
from vgglab.engine.rates import rates
from vgglab.engine.step import Compiled, blocks, outputs
from vgglab.experiment import CONV_LAYERS, Experiment, followed_by, in_phases, of_role
from vgglab.history import DRIFT, History, Row
from vgglab.measures.evaluation import judged, known_by_heart, score
from vgglab.measures.forgetting import drift, has_source_task, source_accuracy, source_images
from vgglab.network import configure


class _Diverged(Exception):
    """The loss is no longer a number."""


def train(
    experiment: Experiment,
    data: Dataset,
    on_epoch: Callable[[History], object] | None = None,
    *,
    model: keras.Model | Compiled | None = None,
    control: Control | None = None,
    cache: FeatureCache | None = CACHE,
) -> History:
    """Run an experiment on a data set, phase by phase, and return its record.

    It trains on what `under_conditions` makes of `data`. A test part is measured once, with the weights that the run
    ends with, unless the run was cut short; nothing is chosen on it.
    Blocks until it is done, and before that until another thread's run has ended. `on_epoch` is called with the
    growing History after every epoch. `model` is one from `build_model`, or such a one compiled, which is then
    trained in place; by default a network is borrowed that earlier runs have compiled. `control` pauses, changes and
    stops the run; Ctrl-C stops it too, and so does a loss that is not a number. The finished epochs stay in the
    History, with an event that says what happened, and the network goes back to the weights of `History.kept`, or to
    those that it began with where no epoch was finished. A change becomes a phase of the History's experiment, which
    replays to the same curves. What frozen layers make of an image is kept in `cache`; None computes it anew each
    time, with the same result. `InputError` when experiment and data do not fit together.
    """
    used = under_conditions(data, experiment)
    check_fits(experiment, used)
    history, control = History(experiment, used.describe(), versions()), control or Control()
    control.begin(lambda phase: check_fits(followed_by(experiment, phase), used))
    for sentence in in_words(data, used, experiment):
        history.note("data", sentence)
    try:
        with _network(experiment, used, model, control) as compiled:
            _Run(compiled, used, history, on_epoch, control, cache).run()
    except KeyboardInterrupt:
        history.note("interrupted", "Interrupted; the epochs before are kept.")
    except Stopped:
        history.note("stopped", "Stopped; the epochs before are kept.")
    except _Diverged as diverged:
        history.note("diverged", str(diverged))
        warnings.warn(str(diverged), stacklevel=2)
    return history


@contextlib.contextmanager
def _network(
    experiment: Experiment, data: Dataset, model: keras.Model | Compiled | None, control: Control
) -> Iterator[Compiled]:
    """The network of a run, and Keras for this thread alone while it lasts."""
    if model is None:
        with borrowed(experiment, len(data.class_names), check=control.check) as compiled:
            yield compiled
    else:
        with alone(control.check):
            yield model if isinstance(model, Compiled) else Compiled(model)


class _Run:
    """What the phases of one run share."""

    def __init__(
        self,
        compiled: Compiled,
        data: Dataset,
        history: History,
        on_epoch: Callable[[History], object] | None,
        control: Control,
        cache: FeatureCache | None,
    ) -> None:
        self.compiled, self.model, self.data, self.history = compiled, compiled.model, data, history
        self.on_epoch, self.control, self.cache = on_epoch, control, cache
        self.before: dict[int, np.ndarray] = {}  # pooled features of the clean slice by block, as they were

    def run(self) -> None:
        """Train the planned phases, or those that were asked for on the way; then measure the test part."""
        done: list[Experiment] = []
        planned = list(self.history.experiment.phases)
        while planned:
            phase = planned.pop(0)
            before = len(self.history.epochs)
            self._train_phase(phase, len(done) + 1)
            change = self.control.take_change()
            if change is not None:
                phase = _cut_short(phase, len(self.history.epochs) - before)
                left = change.epochs - len(self.history.epochs)
                planned = [dataclasses.replace(change, epochs=left)] if left > 0 else []
            done.append(phase)
            self.history.experiment = in_phases([*done, *planned])
        if self.data.test:
            self.history.test = self._judge(done[-1], self.data.test)

    def _judge(self, phase: Experiment, test: Split) -> dict[str, float]:
        below, test = as_features(self.compiled, phase, test, self.cache, self.control)
        probabilities, _ = outputs(self.compiled.predict(below), test, self.control)
        return judged(probabilities, test.labels)

    def _train_phase(self, phase: Experiment, number: int) -> None:
        """Train one phase; afterwards the model has the weights that count, and the History its layers."""
        configure(self.model, phase)
        before, kept = _weights_of(self.model), KeptWeights(self.model, phase)
        try:
            for _ in self._epochs(phase, number, kept):
                if kept.waited_enough:
                    self.history.note("early stop", f"No lower validation loss for {phase.patience} epochs.")
                    return
        finally:
            self._go_back(kept)
            self._record_layers(before, number)

    def _epochs(self, phase: Experiment, number: int, kept: KeptWeights) -> Iterator[Row]:
        fed = feed(self.compiled, phase, number, self.data, self._evaluated(phase), self.cache, self.control)
        self.history.note("cache", fed.how)
        self._remember_features(fed)
        steps = self.compiled.train_steps(fed.train_below, phase)
        self.compiled.restart_optimizer()
        for epoch in range(phase.epochs):
            start = time.perf_counter()
            step_rates = rates(phase, math.ceil(len(self.data.train) / phase.batch_size), epoch)
            logged = self._pass_over_train(steps, fed.batches(epoch), step_rates, phase)
            row: Row = dict(epoch=len(self.history.epochs) + 1, phase=number, **self._measure(fed), **logged)
            row |= dict(learning_rate=float(step_rates[-1]), seconds=time.perf_counter() - start)
            kept.take(row["epoch"], row["validation_loss"])
            self.history.epochs.append(row)
            if self.on_epoch:
                self.on_epoch(self.history)
            yield row
            if self.control.changed:
                return

    def _evaluated(self, phase: Experiment) -> dict[str, Split]:
        """What is measured after every epoch."""
        splits = dict(clean=self.data.clean_slice(), validation=self.data.validation)
        return splits | (dict(source=source_images(phase.image_size)) if has_source_task(phase) else {})

    def _pass_over_train(
        self, steps: Callable, batches: Batches, step_rates: np.ndarray, phase: Experiment
    ) -> dict[str, float]:
        """One epoch of steps; returns what Keras logs, its running means over the batches."""
        objective = of_role(phase, "objective")
        loss, right, count = 0.0, 0.0, 0
        for images, targets in batches:
            self.control.check()
            left = step_rates[count // phase.batch_size :].astype(np.float32)
            batch_loss, batch_right = steps(images, targets, phase.batch_size, left, objective)
            loss, right, count = loss + float(batch_loss), right + float(batch_right), count + len(targets)
            if not math.isfinite(loss):
                raise _Diverged(
                    f"The loss became {float(batch_loss)} in epoch {len(self.history.epochs) + 1}; training stopped. "
                    "A lower learning rate usually helps."
                )
            self.control.progress(count, len(self.data.train))
        return dict(logged_accuracy=right / count, logged_loss=loss / count)

    def _measure(self, fed: Feed) -> dict[str, float | None]:
        predict = self.compiled.predict(fed.below)
        clean, validation = fed.evaluated["clean"], fed.evaluated["validation"]
        probabilities, pooled = outputs(predict, clean, self.control)
        train_accuracy, train_loss = score(probabilities, clean.labels)
        memorised = known_by_heart(probabilities, clean)
        probabilities, _ = outputs(predict, validation, self.control)
        validation_accuracy, validation_loss = score(probabilities, validation.labels)
        if not math.isfinite(train_loss + validation_loss):
            raise _Diverged(
                f"The network's output stopped being numbers in epoch {len(self.history.epochs) + 1}; "
                "training stopped. A lower learning rate usually helps."
            )
        return dict(
            train_accuracy=train_accuracy,
            validation_accuracy=validation_accuracy,
            gap=train_accuracy - validation_accuracy,
            train_loss=train_loss,
            validation_loss=validation_loss,
            source_accuracy=self._source_accuracy(predict, fed),
            memorised=memorised,
            **self._drift(dict(zip(blocks(fed.below), pooled))),
        )

    def _source_accuracy(self, predict: Callable, fed: Feed) -> float | None:
        source = fed.evaluated.get("source")
        if source is None:
            return None
        if fed.below == CONV_LAYERS:  # nothing to run: what is fed in are the features
            return source_accuracy(source.images, source.labels)
        _, pooled = outputs(predict, source, self.control)
        return source_accuracy(pooled[-1], source.labels)

    def _remember_features(self, fed: Feed) -> None:
        """Keep the clean slice's features of the blocks that move from now on and never did before."""
        new = [block for block in blocks(fed.below) if block not in self.before]
        if new:
            _, pooled = outputs(self.compiled.predict(fed.below), fed.evaluated["clean"], self.control)
            now = dict(zip(blocks(fed.below), pooled))
            self.before |= {block: now[block] for block in new}

    def _drift(self, pooled: dict[int, np.ndarray]) -> dict[str, float]:
        """How far each block has drifted in this run; those below the fed-in features did not move now."""
        now = {name: self.history.epochs[-1][name] if self.history.epochs else 0.0 for name in DRIFT}
        return now | {DRIFT[block - 1]: drift(self.before[block], after) for block, after in pooled.items()}

    def _go_back(self, kept: KeptWeights) -> None:
        """To the weights of the row that counts: an epoch may have been left in its middle since."""
        kept.restore()
        if kept.epoch is not None and kept.epoch < len(self.history.epochs):
            text = f"The weights of epoch {kept.epoch}, which had the lowest validation loss, were restored."
            self.history.note("restored", text, kept_epoch=kept.epoch)

    def _record_layers(self, before: dict[str, list[np.ndarray]], number: int) -> None:
        """Note how far each layer moved, and report what did not do as it was told.

        A phase that finished no epoch went back to where it began, so that its layers could not move.
        """
        finished = any(row["phase"] == number for row in self.history.epochs)
        for name, weights in _weights_of(self.model).items():
            trainable = bool(self.model.get_layer(name).trainable_variables)
            moved = _relative_change(before[name], weights)
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


def _cut_short(phase: Experiment, epochs: int) -> Experiment:
    """The phase with the epochs that it got; its schedule stays laid out as it was, so that it replays."""
    horizon = phase.horizon if phase.schedule == "constant" else phase.horizon or phase.epochs
    return dataclasses.replace(phase, epochs=epochs, horizon=horizon)


def _weights_of(model: keras.Model) -> dict[str, list[np.ndarray]]:
    return {layer.name: layer.get_weights() for layer in model.layers if layer.count_params()}


def _relative_change(before: list[np.ndarray], after: list[np.ndarray]) -> float | None:
    """How far weights moved, as a fraction of their size before; None when they are not numbers."""
    change = math.sqrt(sum(float(np.sum((b - a) ** 2)) for a, b in zip(before, after)))
    size = math.sqrt(sum(float(np.sum(a**2)) for a in before))
    if not math.isfinite(change):
        return None
    return change / size if size else change


def versions() -> dict[str, str]:
    """Of the software that results depend on."""
    return dict(
        vgglab=vgglab.__version__, keras=keras.__version__, tensorflow=tf.__version__, numpy=np.__version__
    )
