"""The live chart as an ordinary Keras callback, for anybody's own `model.fit`."""

from __future__ import annotations

import copy
import dataclasses
import functools
import math
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import keras
from IPython import get_ipython
from IPython.display import display

from vgglab.errors import InputError
from vgglab.fit import Fit, Metric
from vgglab.history import History
from vgglab.panel.live import LiveChart
from vgglab.panel.metric import accuracies, scalars
from vgglab.training import versions

_INFINITE = -1  # as TensorFlow counts the batches of a data set that never ends


def _harmless(method: Callable) -> Callable:
    """What goes wrong in the method is a warning, and the chart's end: a chart must never stop a training."""

    @functools.wraps(method)
    def guarded(self: LiveCurves, *arguments: Any, **options: Any) -> None:
        if self._is_broken:
            return
        try:
            method(self, *arguments, **options)
        except Exception as error:
            self._is_broken = True
            warnings.warn(f"LiveCurves no longer draws this fit. {_in_short(error)}", stacklevel=2)

    return guarded


class LiveCurves(keras.callbacks.Callback):
    """Draws accuracy and loss while `model.fit(..., callbacks=[LiveCurves()])` runs; it never stops a fit.

    `clean` is what is evaluated after every epoch, so that train and validation are measured alike: training images
    and targets, also with sample weights, or a finite data set. Without it the train curve is what Keras logs, a
    running mean over augmented batches, and the text says so. `metric` is the name of the metric to draw; when left
    out, it is the accuracy, and whatever is drawn under another name than that is named. What is not logged is not
    drawn. Epochs are numbered as Keras numbers them.

    Each fit has a chart of its own, `chart`, and a `History` with its rows, `history`. A fit of the same model that
    goes on from an `initial_epoch`, and one of a single epoch after another in the same cell, go on in the chart that
    there is. Where no notebook is open, a line of text is printed at the end of each fit.
    """

    def __init__(self, clean: Any = None, metric: str | None = None) -> None:
        super().__init__()
        if metric is not None and not isinstance(metric, str):
            raise InputError(f"`metric` must be the name of a logged metric. Received: {metric!r}.")
        _check_clean(clean)
        self.clean, self.metric = clean, metric
        self.history = History(Fit(0))
        self.chart: LiveChart | None = None
        self._charted: keras.Model | None = None
        self._cell: int | None = None  # where the chart stands
        self._before = 0  # epochs of the fits of one epoch that the chart shows already
        self._begins = self._is_single = self._is_broken = self._is_validated = False
        self._start, self._note, self._trouble = 0.0, "", ""

    def __getstate__(self) -> dict[str, Any]:
        """The settings and the rows: a copy, also in another process, draws fits of its own."""
        return self.__dict__ | dict(chart=None, _charted=None, _model=None)

    def __deepcopy__(self, memo: dict[int, Any]) -> LiveCurves:
        copied = copy.copy(self)  # `clean` may be large, and is never changed
        copied.history = copy.deepcopy(self.history, memo)
        return copied

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._begins, self._is_broken = True, False

    @_harmless
    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        if self._begins:  # only now is it known which epoch is the first
            self._open(epoch)
            self._begins = False
        self._start = time.perf_counter()

    @_harmless
    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        logged = scalars(logs or {})
        measured = self._measured(logged)
        fit = self._known(logged)
        self.history.experiment = fit
        name, none = fit.metric.name, math.nan
        train, validation = measured.get(name, none), logged.get(f"val_{name}", none)
        self.history.epochs.append(
            dict(
                epoch=self._before + epoch + 1,
                phase=1,
                train_accuracy=train,
                validation_accuracy=validation,
                gap=train - validation,
                train_loss=measured.get("loss", none),
                validation_loss=logged.get("val_loss", none),
                logged_accuracy=logged.get(name, none),
                logged_loss=logged.get("loss", none),
                learning_rate=self._learning_rate(),
                seconds=time.perf_counter() - self._start,
                source_accuracy=None,
            )
        )
        self._note = self._remarks(logged)
        if self.chart is not None:
            self.chart.update(self.history, self._note)

    @_harmless
    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if self._begins or self.chart is None:
            return  # there was no epoch
        self.chart.draw(self.history, self._note)
        if self._cell is None:
            print(self.chart.text)

    def _open(self, epoch: int) -> None:
        """Go on in the chart that there is, or begin a new one, and have it on the page once for each cell."""
        planned, cell = (self.params or {}).get("epochs", epoch + 1), _present_cell()
        is_single = planned == 1
        goes_on = self._goes_on(epoch, is_single and cell == self._cell)
        if not goes_on:
            self.history = History(Fit(0), versions=versions())
            self._is_single, self._is_validated = is_single, False
            self.chart = LiveChart(Fit(planned))
        self._before = len(self.history.epochs) if epoch == 0 else 0
        self._is_single = self._is_single and epoch == 0
        optimizer = getattr(self.model, "optimizer", None)
        self.history.experiment = dataclasses.replace(
            self._fit,
            planned_epochs=self._before + planned,
            is_clean=self.clean is not None,
            optimizer=type(optimizer).__name__ if optimizer else "",
        )
        if cell is not None and not (goes_on and cell == self._cell):
            display(self.chart)
        self._charted, self._cell, self._trouble = self.model, cell, ""

    def _goes_on(self, epoch: int, is_next: bool) -> bool:
        """Whether the fit that begins with this epoch is one more stretch of what the chart shows."""
        rows = self.history.epochs
        if not rows or self._charted is not self.model:
            return False
        return rows[-1]["epoch"] <= epoch or (epoch == 0 and is_next and self._is_single)

    @property
    def _fit(self) -> Fit:
        assert isinstance(self.history.experiment, Fit)
        return self.history.experiment

    def _learning_rate(self) -> float:
        """NaN where the model has no optimizer, or several, as with a training step of its own."""
        rate = getattr(getattr(self.model, "optimizer", None), "learning_rate", None)
        return scalars(dict(rate=rate)).get("rate", math.nan)

    def _measured(self, logged: dict[str, float]) -> dict[str, float]:
        """Loss and metrics of train: on `clean`, or else as Keras logs them."""
        if self.clean is None:
            return logged
        data = (
            dict(zip(("x", "y", "sample_weight"), self.clean))
            if isinstance(self.clean, (tuple, list))
            else dict(x=self.clean)
        )
        try:
            return scalars(self.model.evaluate(**data, verbose=0, return_dict=True))
        except Exception as error:  # of whatever kind: it is not the fit's
            self._trouble = (
                f"(`clean` could not be evaluated, so train is as Keras logs it. {_in_short(error)})"
            )
            return logged

    def _known(self, logged: dict[str, float]) -> Fit:
        """What is known of the fit after an epoch: the metric is the one before, chosen, or the accuracy there is."""
        names = _names(logged)
        if self.metric is None:
            name = self._fit.metric.name or next(iter(accuracies(names)), "")
        else:
            name = self.metric if self.metric in names else ""
        values = [logged[each] for each in (name, f"val_{name}") if each in logged]
        was_share = self._fit.metric.is_share or self._fit.metric.name != name
        is_share = was_share and bool(accuracies([name])) and not any(each < 0 or each > 1 for each in values)
        return dataclasses.replace(
            self._fit, metric=Metric(name, is_share), is_clean=self._fit.is_clean and not self._trouble
        )

    def _remarks(self, logged: dict[str, float]) -> str:
        """What a reader of the chart has to know beside its numbers."""
        names, drawn = _names(logged), self._fit.metric.name
        others = [name for name in names if name not in ("loss", drawn)]
        remarks = []
        if self.metric is not None and not drawn:
            remarks.append(
                f"(`metric={self.metric!r}` is not among the single numbers logged: {', '.join(names)})"
            )
        elif not drawn:
            choice = (
                f"`metric` can draw {', '.join(others)}" if others else "compile with metrics=['accuracy']"
            )
            remarks.append(f"(no accuracy is logged; {choice})")
        elif self.metric is None and (equals := [name for name in accuracies(names) if name != drawn]):
            remarks.append(f"(`metric` can draw {', '.join(equals)} instead)")
        self._is_validated |= any(name.startswith("val_") for name in logged)
        if not self._is_validated:
            remarks.append("(no validation yet)")
        if self.clean is None:
            remarks.append("(train as Keras logs it; give `clean` to measure it)")
        return " ".join([*remarks, self._trouble]).rstrip()


def _names(logged: Mapping[str, float]) -> list[str]:
    """The names of what is logged, those of validation without their "val_"."""
    return [*dict.fromkeys(name.removeprefix("val_") for name in logged)]


def _present_cell() -> int | None:
    """The number of the notebook's cell that is being run; None where no notebook is open."""
    shell = get_ipython()
    return shell.execution_count if hasattr(shell, "kernel") else None


def _check_clean(clean: Any) -> None:
    """`InputError` for what cannot be evaluated again and again, which would hold up the fit for good."""
    right = "It must be images and targets, with or without sample weights, or a finite data set."
    if hasattr(clean, "__next__"):
        raise InputError(f"`clean` is used up after one epoch. Received: {type(clean).__name__}. {right}")
    if hasattr(clean, "cardinality") and int(clean.cardinality()) == _INFINITE:
        raise InputError(f"`clean` never ends. Received: {type(clean).__name__}. {right}")
    if isinstance(clean, (tuple, list)) and not 2 <= len(clean) <= 3:
        raise InputError(f"`clean` has {len(clean)} parts. {right}")


def _in_short(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:200]}"
