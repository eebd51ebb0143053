"""The dashboard: controls, a live chart, the runs that are kept, and what the numbers say."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import traitlets

from vgglab.datasets import Dataset, under_conditions
from vgglab.engine.control import Control, Stopped
from vgglab.engine.owner import alone_at_once
from vgglab.errors import InputError, shown
from vgglab.experiment import DEFAULTS, FIELDS, Experiment
from vgglab.history import History
from vgglab.measures.badge import badge
from vgglab.measures.diagnosis import diagnose
from vgglab.panel.controls import Controls
from vgglab.panel.images import Images
from vgglab.panel.live import LiveChart
from vgglab.panel.opened import count_in, count_out, parts
from vgglab.panel.progress import Progress
from vgglab.panel.runner import Job, Runner
from vgglab.panel.runs import Runs
from vgglab.share.script import script
from vgglab.share.shelf import Shelf, default_folder
from vgglab.share.store import StoredRun, is_going_on, read_run
from vgglab.templates import render
from vgglab.weights import find_weights

_NEVER_BEGAN = "Stopped before it began."


def _button(name: str, icon: str, tip: str, action: Callable[[], object], **options: Any) -> widgets.Button:
    button = widgets.Button(
        description=name, icon=icon, tooltip=tip, layout=widgets.Layout(width="100px"), **options
    )
    button.on_click(lambda _: action())
    return button


class Dashboard(widgets.VBox):
    """Toggles for one experiment, its curves while it trains, and the runs before it.

    `data` is trained on, and read anew in another image size where it came from files; `experiment` says
    where the controls start. Every run is kept in `folder` as it goes, so that a new Dashboard has it on its
    table and can go on with it; exports go there too. By default that is a folder of the notebook's name, in
    "runs" in the present folder or in $VGGLAB_RUNS.
    Training runs in a thread, so that the notebook stays free: a control moved meanwhile takes effect at
    the next epoch, as a new phase of the run. `history` is the latest run's, None before the first epoch.
    `controls` names the fields that get one, all by default: a lesson shows those that it is about.
    Starting a run stops the one that another dashboard may have going; Train after Stop waits for the stopped run's
    end. What cannot be run is refused as soon as it is set: Train waits until it is mended. `run()` trains in the
    foreground, for a notebook that nobody watches. Of more than eight open dashboards of a kernel, the oldest without
    a run is closed.
    """

    history = traitlets.Instance(History, allow_none=True)

    def __init__(
        self,
        data: Dataset,
        experiment: Experiment | None = None,
        folder: str | Path | None = None,
        controls: Sequence[str] = tuple(FIELDS),
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
        self._images = Images(data, experiment)
        self.progress = Progress()
        self._runner = Runner(self._begin, self._guarded, self._end, self.progress.move)
        self.controls = Controls(experiment, controls, self._check)
        self.chart = LiveChart(experiment)
        self.runs = Runs(Shelf(default_folder() if folder is None else folder), self.go_on)
        self.train_button = _button("Train", "play", "start a run", self.start, button_style="primary")
        self.pause_button = _button("Pause", "pause", "hold or go on", self.pause, disabled=True)
        self.stop_button = _button("Stop", "stop", "end the run now", self.stop, disabled=True)
        self.reset_button = _button("Reset", "undo", "controls back to the start", self.reset)
        self.logged = widgets.Checkbox(description="accuracy as Keras logs it", indent=False)
        self.message, self.diagnosis = widgets.HTML(), widgets.HTML()
        self.cost_card, self.code = widgets.HTML(), widgets.HTML()
        # What stands on each tab, and what fills it when it is opened.
        self._tabs = {
            "Runs": (self.runs, lambda experiment: None),
            "Cost": (self.cost_card, self._fill_cost),
            "Code": (self.code, self._fill_code),
        }
        self.tabs = widgets.Tab([widget for widget, _ in self._tabs.values()], titles=list(self._tabs))
        super().__init__([self._board(), self.tabs])
        self.add_class("vgglab-dashboard")
        self.tabs.observe(lambda _: self._fill_tab(), "selected_index")
        self.logged.observe(self._toggle_logged, "value")
        self.controls.observe(self._experiment_changed, "experiment")
        self.controls.observe(lambda _: self._free_buttons(), "problem")
        self._runner.observe(self._state_changed, "state")
        self._free_buttons()
        self.runs.observe(self._overlay, "shown")
        self._fill_tab()
        count_in(self)

    def _board(self) -> widgets.Box:
        """What stands above the tabs."""
        buttons = widgets.HBox([self.train_button, self.pause_button, self.stop_button, self.reset_button])
        progress = widgets.HBox([self.progress, self.logged])
        right = widgets.VBox(
            [buttons, progress, self.chart, self.message, self.diagnosis],
            layout=widgets.Layout(flex="1 1 480px"),
        )
        return widgets.Box(
            [self.controls, right], layout=widgets.Layout(flex_flow="row wrap", grid_gap="24px")
        )

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

        After Stop the new run waits until the stopped one has ended.
        """
        self._check_open()
        if not self.controls.problem:
            self._runner.start()

    def run(self) -> History:
        """Train what the controls say and wait for it; what goes wrong is raised, and the chart stays."""
        self._check_open()
        if self.controls.problem:
            raise InputError(self.controls.problem)
        with self._runner.here() as (job, control):
            return self._work(job, control)

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
        """Hold the run after the running batch, or let it go on."""
        control = self._runner.control
        if control.paused:
            control.resume()
        else:
            control.pause()
        self._label_pause()
        self.progress.say("")

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

    def _check_open(self) -> None:
        if self.comm is None:
            raise InputError(
                "This dashboard was closed, so that nobody would see its run. Make a new Dashboard."
            )

    def _begin(self, stored: StoredRun | None) -> Job:
        self.controls.hold(stored.present if stored else None)
        # Read afterwards: what is moved from now on is a change of the run.
        job = Job(stored.experiment if stored else self.controls.experiment, stored)
        self.progress.begin(job.experiment.planned_epochs, len(stored.history.epochs) if stored else 0)
        self.runs.mark(stored.path if stored else None)
        self.message.value, self.diagnosis.value, self.history = "", "", None
        return job

    def _end(self) -> None:
        self.progress.clear()
        self.controls.release()
        self.runs.mark(None)

    def _state_changed(self, change: dict[str, Any]) -> None:
        self._free_buttons()
        self._label_pause()
        if change["new"] == "waiting":
            self.chart.say("Trains as soon as the stopped run has ended.")

    def _free_buttons(self) -> None:
        """Train waits while a run goes on, and while the controls say what cannot be run."""
        state = self._runner.state
        self.train_button.disabled = state in ("running", "waiting") or bool(self.controls.problem)
        self.pause_button.disabled = state != "running"
        self.stop_button.disabled = state not in ("running", "waiting")

    def _guarded(self, job: Job, control: Control) -> None:
        try:
            self._work(job, control)
        except Stopped:
            self.chart.say(_NEVER_BEGAN)
        except InputError as error:
            self._complain(str(error))
            if job.stored:
                self.runs.read()
                self.runs.complain(str(error))  # where Go on was pressed
        except Exception as error:  # shown with its frames: a failure in a thread is seen nowhere else
            self._complain(f"{type(error).__name__}: {error}", traceback.format_exc())
            self.runs.read()  # its epochs are kept

    def _work(self, job: Job, control: Control) -> History:
        # Here, not at the top: a dashboard is on the page before TensorFlow is loaded.
        from vgglab.engine.lending import borrowed
        from vgglab.training import train

        experiment, stored = job.experiment, job.stored
        self.chart.draw(stored.history if stored else History(experiment))
        self.chart.say("Getting ready: the network is set up and its first step compiled.")
        data = self._images.fetch(experiment, self.chart.say)
        classes = len(data.class_names)
        with borrowed(experiment, classes, check=control.check, say=self.chart.say) as compiled:
            control.check()
            run = partial(train, experiment, data, self._update, model=compiled, control=control)
            if stored:
                history = _longer(run(resume=stored.path), stored.path)
                self._show(history, partial(self.runs.replace, folder=stored.path))
            else:
                history, folder = self.runs.shelf.train(lambda out: run(out=out))
                self._show(history, partial(self.runs.add, folder=folder))
        return history

    def _check(self, experiment: Experiment) -> None:
        """`InputError` where a run of the experiment would fail at once: its weights, its images, its batches."""
        find_weights(experiment)
        self._images.check(experiment)

    def _update(self, history: History) -> None:
        self.history = history
        self.chart.update(history)
        self.progress.count(history)
        self._diagnose(history)

    def _show(self, history: History, put: Callable[[History], object]) -> None:
        if not history.epochs and self._runner.control.stopped:
            self.chart.say(_NEVER_BEGAN)
            return
        self.history = history
        self.chart.draw(history)
        self.progress.clear()
        # Phases repeat each other: what was said once is not said again.
        texts = dict.fromkeys([*(event["text"] for event in history.events), history.tested()])
        self.message.value = render("events.html", texts=[text for text in texts if text])
        self._diagnose(history)
        if history.epochs:
            put(history)
        self._fill_tab()

    def _diagnose(self, history: History) -> None:
        trained, sentence = badge(history)
        mark = {True: "✓", False: "✗", None: "…"}[trained]
        text = render(
            "diagnosis.html",
            mark=mark,
            sentence=sentence,
            odd=self.data.odd_pixels,
            findings=diagnose(history),
        )
        if text != self.diagnosis.value:
            self.diagnosis.value = text

    def _experiment_changed(self, change: dict[str, Any]) -> None:
        if self._runner.state == "running" and self.controls.held:
            # Phases that were planned give way to what the controls say now, for as long as they would have lasted.
            phase = dataclasses.replace(change["new"], later=(), epochs=change["new"].planned_epochs)
            self.progress.planned = max(phase.epochs, len(self.history.epochs) if self.history else 0)
            self._runner.control.change(phase)
            self.progress.say("takes effect at the next epoch")
        else:
            self._fill_tab()

    def _fill_tab(self) -> None:
        """Fill the tab that is open; the others wait until they are opened."""
        widget, fill = self._tabs[self.tabs.titles[self.tabs.selected_index or 0]]
        try:
            fill(self.controls.experiment)
        except InputError as error:
            widget.value = render("alert.html", text=str(error))

    def _fill_cost(self, experiment: Experiment) -> None:
        from vgglab.panel.costs import cost_table

        with alone_at_once("The cost card"):
            used = under_conditions(self.data, experiment)
            self.cost_card.value = cost_table(experiment, used, self.history)

    def _fill_code(self, experiment: Experiment) -> None:
        self.code.value = render("code.html", text=script(experiment))

    def _overlay(self, change: object) -> None:
        self.chart.ghosts = {name: self.runs.histories[name] for name in self.runs.shown}
        self.chart.draw(self.history or History(self.controls.experiment))

    def _toggle_logged(self, change: dict[str, Any]) -> None:
        self.chart.logged = change["new"]
        self.chart.draw(self.history or History(self.controls.experiment))

    def _label_pause(self) -> None:
        self.progress.paused = self._runner.control.paused
        self.pause_button.description = "Resume" if self.progress.paused else "Pause"

    def _complain(self, text: str, details: str = "") -> None:
        self.chart.say("The run failed.")
        self.message.value = render("alert.html", text=text, details=details)


def _longer(trained: History, folder: Path) -> History:
    """Of a run that went on: what was trained or, where it was stopped before it was past it, what the folder has."""
    with suppress(InputError):
        kept = read_run(folder).history
        if len(kept.epochs) > len(trained.epochs):
            return kept
    return trained
