"""The dashboard: controls, a live chart, the runs that are kept, and what the numbers say."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vgglab.datasets import Dataset
from vgglab.engine.control import Control
from vgglab.errors import InputError, shown
from vgglab.experiment import DEFAULTS, Experiment, with_seed
from vgglab.history import History
from vgglab.panel.bar import Bar
from vgglab.panel.bench import Bench
from vgglab.panel.controls import Controls
from vgglab.panel.images import Images
from vgglab.panel.opened import count_in, count_out, parts
from vgglab.panel.runner import Job, Runner
from vgglab.panel.runs import Runs
from vgglab.panel.work import work
from vgglab.share.shelf import Shelf, default_folder
from vgglab.share.store import StoredRun, is_going_on, read_run
from vgglab.templates import render
from vgglab.weights import find_weights

_NEVER_BEGAN = "Stopped before it began."
_TOO_LATE = "A control was moved in the last epoch: it counts for the next run."


class Dashboard(Bench):
    """Toggles for one experiment, what they do, its curves while it trains, and the runs before it, on one screen.

    `data` is trained on, and read anew in another image size where it came from files; `experiment` says
    where the controls start. Every run is kept in `folder` as it goes, so that a new Dashboard has it on its
    table and can go on with it; exports go there too. By default that is a folder of the notebook's name, in
    "runs" in the present folder or in $VGGLAB_RUNS.
    `controls` names the fields whose controls are seen at first, by default the few to begin with; the others come
    with Full, which `full` chooses from the start.
    Training runs in a thread, so that the notebook stays free: a control moved meanwhile takes effect at
    the next epoch, as a new phase of the run. `history` is the latest run's, None before the first epoch.
    Starting a run stops the one that another dashboard may have going; Train after Stop waits for the stopped run's
    end. What cannot be run is refused as soon as it is set: Train waits until it is mended. `run()` trains in the
    foreground, for a notebook that nobody watches. Of more than eight open dashboards of a kernel, the oldest without
    a run is closed.
    """

    def __init__(
        self,
        data: Dataset,
        experiment: Experiment | None = None,
        folder: str | Path | None = None,
        controls: Sequence[str] | None = None,
        *,
        full: bool = False,
    ) -> None:
        if not isinstance(data, Dataset):
            raise InputError(
                f"`data` must be a Dataset, as in Dashboard(load('blossoms')). Received: {shown(data)}."
            )
        experiment = experiment or Experiment(
            dataset=data.name,
            image_size=data.image_size,
            batch_size=min(DEFAULTS["batch_size"], len(data.train)),
        )
        self._runner = Runner(self._begin, self._guarded, self._end, self._moved)
        actions = dict(train=self.start, pause=self.pause, stop=self.stop)
        shelf = Shelf(default_folder() if folder is None else folder)
        self._images = Images(data, experiment)
        self._before: History | None = None  # the run that ended before the present one
        super().__init__(
            Bar(actions, is_full=full),
            Controls(experiment, controls, self._check),
            Runs(shelf, self.go_on),
            self._images,
        )
        self.controls.observe(self._experiment_changed, "experiment")
        self.controls.observe(lambda _: self._free_buttons(), "problem")
        self._runner.observe(self._state_changed, "state")
        self._free_buttons()
        count_in(self)

    def __repr__(self) -> str:
        what = (
            "a dashboard that was closed"
            if self.comm is None
            else "controls and a live chart, in the open notebook"
        )
        return f"Dashboard: {what}"

    @property
    def data(self) -> Dataset:
        """The images at hand: those of the latest run, or those given."""
        return self._images.data

    @property
    def running(self) -> bool:
        """Whether a run goes on; a stopped one does until its last batch is done."""
        return self._runner.running

    def start(self) -> None:
        """Train what the controls say, in the background; nothing happens while a run is going.

        Once, or for as many seeds in turn as the bar says. After Stop the new run waits until the stopped one has
        ended.
        """
        self._check_open()
        if not self.controls.problem and self._has_seeds():
            self._runner.start()

    def run(self) -> History:
        """Train what the controls say and wait for it; what goes wrong is raised, and pictures of it stay."""
        self._check_open()
        if self.controls.problem:
            raise InputError(self.controls.problem)
        with self._runner.here() as (job, control):
            history = self._work(job, control)
        self.leave_pictures(history)
        return history

    def go_on(self, name: str) -> None:
        """Train a run of the table that was stopped or interrupted to its end, in the background.

        The controls then show what it goes on with. `InputError` says why it cannot go on.
        """
        self._check_open()
        stored = read_run(self.runs.folder_of(name))
        if stored.is_finished:
            raise InputError(f"Nothing is left to do: {name} ended after epoch {len(stored.history.epochs)}.")
        if self._runner.state in ("running", "waiting"):
            raise InputError(f"Another run has to end before {name} can go on. Stop it first.")
        if self._runner.state == "idle" and is_going_on(stored.path):
            raise InputError(f"{name} is going on already.")
        self._check(stored.experiment)
        self._runner.start(stored)

    def pause(self) -> None:
        """Hold the run after the running batch, or let it go on; without a run nothing happens."""
        control = self._runner.control
        if self._runner.state != "running":
            return
        if control.paused:
            control.resume()
        else:
            control.pause()
        self._label_pause()
        self.progress.say("")
        if control.paused:
            self.show_pause()

    def stop(self) -> None:
        """Ask the run to end; it does so within the running batch and keeps the finished epochs."""
        self._runner.stop()

    def reset(self) -> None:
        """Put the controls back to where they started."""
        self.controls.reset()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the run has ended, and the one that may wait for its end."""
        self._runner.join(timeout)

    def close(self) -> None:
        """Take the dashboard off the page, stop its run, and let go of its widgets.

        `history` and the `histories` of `runs` stay.
        """
        if self.comm is None:
            return
        self._runner.stop()
        count_out(self)
        *inside, _ = parts(self)
        for widget in inside:
            widget.close()
        super().close()

    # What the run says of itself, in its thread: a `Screen`.

    def say(self, text: str) -> None:
        """Put a line under the chart."""
        self.chart.say(text)

    def began(self, history: History, number: int, of: int, folder: Path | None) -> None:
        """A run begins, or goes on in its folder; it is the `number`-th of so many in turn."""
        if number > 1:
            self._before = self._ended
        which = f"seed {number} of {of}:" if of > 1 else ""
        self.progress.begin(history.experiment.planned_epochs, len(history.epochs), which, of - number)
        self.show_beginning(history, f"Seed {history.experiment.seed}:" if of > 1 else "", folder)

    def update(self, history: History) -> None:
        """An epoch is finished."""
        self.history = history
        self.progress.count(history)
        if self.chart.update(history):
            self.show_course(history)

    def ended(self, history: History, folder: Path, *, stored: bool) -> None:
        """A run has ended, and is kept in a folder."""
        control = self._runner.control
        if not history.epochs and control.stopped:
            if self._before:  # the one before it is still there
                self._whose = ""
                self.show_end(self._before)
                self._ended = self._before
            self.chart.say(_NEVER_BEGAN)
            return
        self.show_end(history, _TOO_LATE if control.changed else "")
        if history.epochs:
            (self.runs.replace if stored else self.runs.add)(history, folder=folder)
            self._ended = history
        self.show_mistakes(history)

    def _begin(self, stored: StoredRun | None) -> Job:
        seeds = 1 if stored else self.bar.count
        self.controls.hold(stored.present if stored else None, everything=seeds > 1)
        # Read afterwards: what is moved from now on is a change of the run.
        experiment = stored.experiment if stored else self.controls.experiment
        self.progress.begin(experiment.planned_epochs, len(stored.history.epochs) if stored else 0)
        self.runs.mark(stored.path if stored else None)
        self._before = self._ended
        self.show_beginning(stored.history if stored else History(experiment))
        return Job(experiment, stored, seeds)

    def _moved(self, done: int, total: int) -> None:
        self.progress.move(done, total)

    def _end(self) -> None:
        self.progress.clear()
        self.controls.release()
        self.runs.mark(None)

    def _work(self, job: Job, control: Control) -> History:
        return work(job, control, self._images, self.runs.shelf, self)

    def _guarded(self, job: Job, control: Control) -> None:
        try:
            self._work(job, control)
        except InputError as error:
            if job.stored:
                self.runs.read()
                self.runs.complain(str(error))  # where Go on was pressed
            self.complain(str(error))
        except Exception as error:  # shown with its frames: a failure in a thread is seen nowhere else
            details = traceback.format_exc()
            self.runs.read()  # its epochs are kept
            self.complain(f"{type(error).__name__}: {error}", details)

    def _has_seeds(self) -> bool:
        """Whether there are as many seeds as the bar says; says it where there are not."""
        try:
            with_seed(self.controls.experiment, self.controls.experiment.seed + self.bar.count - 1)
        except InputError as error:
            self.verdict.message.value = render("alert.html", text=str(error))
            return False
        return True

    def _check_open(self) -> None:
        if self.comm is None:
            raise InputError(
                "This dashboard was closed, so that nobody would see its run. Make a new Dashboard."
            )

    def _check(self, experiment: Experiment) -> None:
        """`InputError` where a run of the experiment would fail at once: its weights, its images, its batches."""
        find_weights(experiment)
        self._images.check(experiment)

    def _state_changed(self, change: dict[str, Any]) -> None:
        self._free_buttons()
        self._label_pause()
        if change["new"] == "stopping":
            self.progress.say("stops after the running batch")
        if change["new"] == "waiting":
            self.chart.say("Trains as soon as the stopped run has ended.")

    def _free_buttons(self) -> None:
        """Train waits while a run goes on, and while the controls say what cannot be run."""
        state = self._runner.state
        self.bar.train.disabled = state in ("running", "waiting") or bool(self.controls.problem)
        self.bar.seeds.disabled = self.bar.train.disabled
        self.bar.pause.disabled = state != "running"
        self.bar.stop.disabled = state not in ("running", "waiting")

    def _label_pause(self) -> None:
        self.progress.paused = self._runner.control.paused
        self.bar.pause.description = "Resume" if self.progress.paused else "Pause"

    def _experiment_changed(self, change: dict[str, Any]) -> None:
        if self._runner.state == "running" and self.controls.held:
            # Phases that were planned give way to what the controls say now, for as long as they would have lasted.
            phase = dataclasses.replace(change["new"], later=(), epochs=change["new"].planned_epochs)
            self.progress.planned = phase.epochs
            self._runner.control.change(phase)
            self.progress.say("takes effect at the next epoch")
