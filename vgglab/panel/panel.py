"""The panel: controls, a Train and a Stop button, and a live chart."""

from __future__ import annotations

import atexit
import html
import threading
import traceback
import weakref

import ipywidgets as widgets
import traitlets

from vgglab.datasets import Dataset
from vgglab.experiment import Experiment, InputError
from vgglab.history import History
from vgglab.panel.controls import Controls
from vgglab.panel.live import LiveChart

# Keras must not be used from two threads at once, so the panels of a process take turns.
_ONE_AT_A_TIME = threading.Lock()
_PANELS: weakref.WeakSet[Panel] = weakref.WeakSet()


class Panel(widgets.VBox):
    """Toggles for one experiment, and its curves while it trains.

    `data` is trained on; `experiment` says where the controls start. Training runs in a thread, so
    that the notebook stays free; `history` is the latest run's, None before the first epoch.
    Starting a run stops the one that another panel may have going.
    """

    history = traitlets.Instance(History, allow_none=True)

    def __init__(self, data: Dataset, experiment: Experiment | None = None) -> None:
        experiment = experiment or Experiment(dataset=data.name, image_size=data.image_size)
        self.data = data
        self.controls = Controls(experiment)
        self.chart = LiveChart(experiment)
        self.train_button = widgets.Button(description="Train", icon="play", button_style="primary")
        self.stop_button = widgets.Button(description="Stop", icon="stop", disabled=True)
        self.message = widgets.HTML()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.train_button.on_click(lambda _: self.start())
        self.stop_button.on_click(lambda _: self.stop())
        buttons = widgets.HBox([self.train_button, self.stop_button])
        right = widgets.VBox([buttons, self.chart, self.message], layout=widgets.Layout(flex="1 1 480px"))
        board = widgets.Box(
            [self.controls, right], layout=widgets.Layout(flex_flow="row wrap", grid_gap="24px")
        )
        super().__init__([board])
        _PANELS.add(self)

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Train what the controls say, in the background; nothing happens while a run is going."""
        if self.running:
            return
        for panel in _PANELS:
            panel.stop()
        self._stop = threading.Event()
        self.train_button.disabled, self.stop_button.disabled = True, False
        self.message.value, self.history = "", None
        self.chart.draw(History(self.controls.experiment))
        self.chart.say("Getting ready: the network is built and its first step compiled.")
        self._thread = threading.Thread(
            target=self._work, args=(self.controls.experiment, self._stop), daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Ask the run to end; it does so within the running batch and keeps the finished epochs."""
        self._stop.set()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the run has ended."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _work(self, experiment: Experiment, stop: threading.Event) -> None:
        # Here, not at the top: a panel is on the page before TensorFlow is loaded.
        from vgglab.training import train

        try:
            with _ONE_AT_A_TIME:
                self._show(train(experiment, self.data, on_epoch=self._update, stop=stop))
        except InputError as error:
            self._complain(str(error))
        except Exception as error:  # shown with its frames: a failure in a thread is seen nowhere else
            self._complain(f"{type(error).__name__}: {error}", traceback.format_exc())
        finally:
            self.train_button.disabled, self.stop_button.disabled = False, True

    def _update(self, history: History) -> None:
        self.history = history
        self.chart.update(history)

    def _show(self, history: History) -> None:
        self.history = history
        self.chart.draw(history)
        self.message.value = "".join(f"<div>{html.escape(event['text'])}</div>" for event in history.events)

    def _complain(self, text: str, details: str = "") -> None:
        more = (
            f"<details><summary>Where it happened</summary><pre>{html.escape(details)}</pre></details>"
            if details
            else ""
        )
        self.chart.say("The run failed.")
        self.message.value = f'<div role="alert"><b>{html.escape(text)}</b>{more}</div>'


@atexit.register
def _stop_all() -> None:
    # TensorFlow aborts the process when a step is under way while Python takes it down.
    for panel in list(_PANELS):
        panel.stop()
        panel.join(timeout=10)
