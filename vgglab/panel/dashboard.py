"""The dashboard: controls, a live chart, the runs of the session, and what the numbers say."""

from __future__ import annotations

import dataclasses
import time
import traceback
from collections.abc import Callable, Sequence
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
from vgglab.panel.networks import Networks
from vgglab.panel.opened import count_in, count_out, parts
from vgglab.panel.runner import Runner
from vgglab.panel.runs import Runs
from vgglab.share.script import script
from vgglab.templates import render
from vgglab.weights import find_weights

PROGRESS_PAUSE = 0.2  # seconds between two movements of the progress bar
_NEVER_BEGAN = "Stopped before it began."
LONG_EPOCH = 2  # seconds, after which the images done are counted


def _button(name: str, icon: str, tip: str, action: Callable[[], object], **options: Any) -> widgets.Button:
    button = widgets.Button(
        description=name, icon=icon, tooltip=tip, layout=widgets.Layout(width="100px"), **options
    )
    button.on_click(lambda _: action())
    return button


class Dashboard(widgets.VBox):
    """Toggles for one experiment, its curves while it trains, and the runs before it.

    `data` is trained on, and read anew in another image size where it came from files; `experiment` says
    where the controls start; `folder` is where exports go, "runs" in the present folder by default.
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
        folder: str | Path = "runs",
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
        self._networks = Networks()
        self._runner = Runner(self._begin, self._guarded, self._end, self._progress)
        self._planned = 0
        self._moved = self._epoch_began = 0.0
        self.controls = Controls(experiment, controls, self._check)
        self.chart = LiveChart(experiment)
        self.runs = Runs(Path(folder), self._networks.save)
        self.train_button = _button("Train", "play", "start a run", self.start, button_style="primary")
        self.pause_button = _button("Pause", "pause", "hold or go on", self.pause, disabled=True)
        self.stop_button = _button("Stop", "stop", "end the run now", self.stop, disabled=True)
        self.reset_button = _button("Reset", "undo", "controls back to the start", self.reset)
        self.logged = widgets.Checkbox(description="accuracy as Keras logs it", indent=False)
        self.bar = widgets.FloatProgress(max=1, layout=widgets.Layout(width="230px", height="14px"))
        self.left = widgets.HTML(layout=widgets.Layout(min_width="190px"))
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
        progress = widgets.HBox([self.bar, self.left, self.logged])
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
        with self._runner.here() as (experiment, control):
            return self._work(experiment, control)

    def pause(self) -> None:
        """Hold the run after the running batch, or let it go on."""
        control = self._runner.control
        if control.paused:
            control.resume()
        else:
            control.pause()
        self._label_pause()
        self._say_left("")

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
        """Take the dashboard off the page, stop its run, and let go of its widgets and trained networks.

        `history` and the `histories` of `runs` stay.
        """
        if self.comm is None:
            return
        self._runner.stop()
        count_out(self)
        self._networks.forget()
        *inside, _ = parts(self)
        for widget in inside:
            widget.close()
        super().close()

    def _check_open(self) -> None:
        if self.comm is None:
            raise InputError(
                "This dashboard was closed, so that nobody would see its run. Make a new Dashboard."
            )

    def _begin(self) -> Experiment:
        self.controls.hold()  # before it is read: what is moved from now on is a change of the run
        experiment = self.controls.experiment
        self._planned = experiment.planned_epochs
        self.message.value, self.diagnosis.value, self.history = "", "", None
        self.bar.value, self.left.value, self._epoch_began = 0, "", time.monotonic()
        return experiment

    def _end(self) -> None:
        self.left.value = ""
        self.controls.release()

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

    def _guarded(self, experiment: Experiment, control: Control) -> None:
        try:
            self._work(experiment, control)
        except Stopped:
            self.chart.say(_NEVER_BEGAN)
        except InputError as error:
            self._complain(str(error))
        except Exception as error:  # shown with its frames: a failure in a thread is seen nowhere else
            self._complain(f"{type(error).__name__}: {error}", traceback.format_exc())

    def _work(self, experiment: Experiment, control: Control) -> History:
        # Here, not at the top: a dashboard is on the page before TensorFlow is loaded.
        from vgglab.engine.lending import borrowed
        from vgglab.training import train

        self.chart.draw(History(experiment))
        self.chart.say("Getting ready: the network is set up and its first step compiled.")
        data = self._images.fetch(experiment, self.chart.say)
        classes = len(data.class_names)
        with borrowed(experiment, classes, check=control.check, say=self.chart.say) as compiled:
            control.check()
            history = train(experiment, data, self._update, model=compiled, control=control)
            if history.epochs:
                self._networks.keep(history, compiled.model.get_weights())
        self._show(history)
        return history

    def _check(self, experiment: Experiment) -> None:
        """`InputError` where a run of the experiment would fail at once: its weights, its images, its batches."""
        find_weights(experiment)
        self._images.check(experiment)

    def _update(self, history: History) -> None:
        self.history = history
        self._epoch_began = time.monotonic()
        self.chart.update(history)
        seconds = history.epochs[-1]["seconds"]
        left = (self._planned - len(history.epochs)) * seconds
        self._say_left(f"epoch {len(history.epochs)} of {self._planned}, {_clock(left)} left")
        self._diagnose(history)

    def _progress(self, done: int, total: int) -> None:
        if time.monotonic() - self._moved >= PROGRESS_PAUSE or done == total:
            epochs = len(self.history.epochs) if self.history else 0
            self.bar.value = min(1, (epochs + done / total) / max(self._planned, 1))
            if time.monotonic() - self._epoch_began > LONG_EPOCH:
                self._say_left(f"epoch {epochs + 1} of {self._planned}, {done} of {total} images")
            self._moved = time.monotonic()

    def _show(self, history: History) -> None:
        if not history.epochs and self._runner.control.stopped:
            self.chart.say(_NEVER_BEGAN)
            return
        self.history = history
        self.chart.draw(history)
        self.left.value = ""
        # Phases repeat each other: what was said once is not said again.
        texts = dict.fromkeys([*(event["text"] for event in history.events), history.tested()])
        self.message.value = render("events.html", texts=[text for text in texts if text])
        self._diagnose(history)
        if history.epochs:
            self.runs.add(history)
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
        if self._runner.state == "running":
            # Phases that were planned give way to what the controls say now, for as long as they would have lasted.
            phase = dataclasses.replace(change["new"], later=(), epochs=change["new"].planned_epochs)
            self._planned = max(phase.epochs, len(self.history.epochs) if self.history else 0)
            self._runner.control.change(phase)
            self._say_left("takes effect at the next epoch")
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
        self.pause_button.description = "Resume" if self._runner.control.paused else "Pause"

    def _say_left(self, text: str) -> None:
        """How far the run is; while it is paused, that it is."""
        epochs = len(self.history.epochs) if self.history else 0
        paused = f"paused after epoch {epochs} of {self._planned}; Resume goes on"
        self.left.value = paused if self._runner.control.paused else text

    def _complain(self, text: str, details: str = "") -> None:
        self.chart.say("The run failed.")
        self.message.value = render("alert.html", text=text, details=details)


def _clock(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
