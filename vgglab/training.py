"""The training loop: one experiment on one data set, recorded honestly, epoch by epoch."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import vgglab
from vgglab.datasets import Dataset, Split, check_fits, in_words, under_conditions
from vgglab.engine.cache import CACHE, FeatureCache
from vgglab.engine.checkpoint import Arrays, began_with, part, set_weights
from vgglab.engine.control import Control, Stopped
from vgglab.engine.feed import as_features
from vgglab.engine.lending import borrowed
from vgglab.engine.owner import alone
from vgglab.engine.step import Compiled, outputs
from vgglab.errors import InputError
from vgglab.experiment import Experiment, followed_by, in_phases
from vgglab.files import readable
from vgglab.history import History
from vgglab.measures.evaluation import judged
from vgglab.phase import Diverged, Run, train_phase
from vgglab.predictions import MOST_WRITTEN, Predictions
from vgglab.share.model_file import save_model, usage_of
from vgglab.share.run_folder import RunFolder
from vgglab.share.store import check_place, check_same


def train(
    experiment: Experiment,
    data: Dataset,
    on_epoch: Callable[[History], object] | None = None,
    *,
    model: keras.Model | Compiled | None = None,
    control: Control | None = None,
    cache: FeatureCache | None = CACHE,
    out: str | os.PathLike | None = None,
    resume: str | os.PathLike | None = None,
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
    time, with the same result.
    `out` names a new folder, to which the run is written as it goes (`vgglab.share.store`). `resume` names that of a
    run which was cut short, and goes on after its last checkpoint: on the same machine to the same History, but for the
    seconds, that it would have had. A run that is stopped before its first epoch leaves no folder. `InputError` when
    experiment and data do not fit together, or are not those of the run that is resumed, and when a folder cannot be
    used.
    """
    used = under_conditions(data, experiment)
    check_fits(experiment, used)
    _check_places(out, resume)
    history, control = History(experiment, used.describe(), versions()), control or Control()
    control.begin(lambda phase: check_fits(followed_by(experiment, phase), used))
    for sentence in in_words(data, used, experiment):
        history.note("data", sentence)
    if len(used.validation) * len(used.class_names) > MOST_WRITTEN:
        history.note(
            "left out",
            f"A record has room for {MOST_WRITTEN:,} probabilities, so it leaves out what this run says of "
            f"{len(used.validation):,} validation images; `History.predictions` has it until Python ends.",
        )
    folder: RunFolder | None = None
    state: Arrays = {}
    with contextlib.ExitStack() as open_folder:
        if resume is not None:
            began = history
            folder, history, state = open_folder.enter_context(RunFolder.reopen(resume))
            check_same(history, began, readable(resume))
            _go_back(history, state, readable(resume))
        finished = False
        try:
            with _network(experiment, used, model, control) as compiled:
                if out is not None:
                    folder = open_folder.enter_context(RunFolder.create(out))
                run = Run(compiled, used, history, on_epoch, control, cache, folder)
                _train(run, state)
            finished = True
        except KeyboardInterrupt:
            history.note("interrupted", f"Interrupted; {_kept(history, resume)}.")
        except Stopped:
            history.note("stopped", f"Stopped; {_kept(history, resume)}.")
        except Diverged as diverged:
            finished = True
            history.note("diverged", str(diverged))
            warnings.warn(str(diverged), stacklevel=3)  # where `train` of vgglab was called
        if folder and out is not None and not (finished or history.epochs):
            folder.discard()
        elif folder:
            folder.conclude(history, finished=finished)
            if folder.problem:
                history.note("not written", folder.problem)
                warnings.warn(folder.problem, stacklevel=3)
    return history


def _go_back(history: History, state: Arrays, origin: str) -> None:
    """To where the record was at the checkpoint; `InputError` where the two are not of one run."""
    rows = {kind: int(count) for kind, count in part("rows", state).items()}
    phase, phases = int(state.get("phase", 1)), len(history.experiment.phases)
    if phase > phases or any(history.rows()[kind] < count for kind, count in rows.items()):
        raise InputError(
            f"The run in {origin} cannot go on: its checkpoint, after epoch {rows['epoch']} in phase {phase}, is ahead "
            f"of its record, which has {len(history.epochs)} epochs and {phases} phases."
        )
    history.cut(rows)
    if said := part("predictions", state):
        history.predictions = Predictions.of(said)


def _kept(history: History, resumed: object) -> str:
    return "the epochs before are kept" if history.epochs or resumed else "no epoch was finished"


def _check_places(out: str | os.PathLike | None, resume: str | os.PathLike | None) -> None:
    if out is not None and resume is not None:
        raise InputError(
            f"A run that is resumed stays in its folder, so `out` must be left out. Received: {readable(out)}."
        )
    if out is not None:
        check_place(out)


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


def _train(run: Run, state: Arrays) -> None:
    """Train a run's phases from a checkpoint, empty at the beginning, to the end; then measure the test part."""
    _begin(run, state)
    try:
        last = _train_phases(run, state)
    except Diverged:
        _save_model(run)
        raise
    except BaseException:
        if run.folder and not run.folder.is_behind(run.history):
            _save_model(run)  # else there is a later one
        raise
    _save_model(run)
    if run.data.test:
        run.history.test = _judge(run, last, run.data.test)


def _save_model(run: Run) -> None:
    if run.folder and run.history.epochs:
        model, usage = run.compiled.model, usage_of(run.data)
        run.folder.save_model(lambda path: save_model(model, path, usage))


def _begin(run: Run, state: Arrays) -> None:
    """Be where the checkpoint was; at the beginning, write one that tells what the run began with."""
    if run.folder is None:
        return
    run.began_with = began_with(run.compiled.model, run.data)
    if not state:
        # In this order: a folder with a record and no checkpoint is that of a run that has ended.
        run.folder.checkpoint(run.known)
        run.folder.record(run.history)
    elif str(state["began_with"]) != run.began_with:
        raise InputError(
            f"The run in {readable(run.folder.path)} began with other weights or another test part. Received: these "
            "weights and this test part, with which it cannot go on."
        )
    weights = part("weights", state)
    set_weights(run.compiled.model, weights)
    run.learned = {name.rpartition("/")[0] for name in weights}
    run.measuring.before = {int(block): features for block, features in part("before", state).items()}


def _train_phases(run: Run, state: Arrays) -> Experiment:
    """Train the planned phases, or those that were asked for on the way; returns the last one."""
    phases = list(run.history.experiment.phases)
    state = state if "phase" in state else {}  # the first checkpoint is from before the first phase
    reached = int(state.get("phase", 1)) - 1
    done, planned = phases[:reached], phases[reached:]
    while planned:
        phase = planned.pop(0)
        train_phase(run, phase, len(done) + 1, state)
        state = {}
        change = run.control.take_change()
        if change is not None:
            phase = _cut_short(phase, run.epochs_of(len(done) + 1))
            left = change.epochs - len(run.history.epochs)
            planned = [dataclasses.replace(change, epochs=left)] if left > 0 else []
        done.append(phase)
        run.history.experiment = in_phases([*done, *planned])
        if run.folder:
            run.folder.record(run.history)
    return done[-1]


def _judge(run: Run, phase: Experiment, test: Split) -> dict[str, Any]:
    below, test = as_features(run.compiled, phase, test, run.cache, run.control)
    probabilities, _ = outputs(run.compiled.predict(below), test, run.control)
    return judged(probabilities, test.labels)


def _cut_short(phase: Experiment, epochs: int) -> Experiment:
    """The phase with the epochs that it got; its schedule stays laid out as it was, so that it replays."""
    horizon = phase.horizon if phase.schedule == "constant" else phase.horizon or phase.epochs
    return dataclasses.replace(phase, epochs=epochs, horizon=horizon)


def versions() -> dict[str, str]:
    """Of the software that results depend on."""
    return dict(
        vgglab=vgglab.__version__, keras=keras.__version__, tensorflow=tf.__version__, numpy=np.__version__
    )
