"""Runs one after another: each shows itself, and those that an earlier call finished are read and not made again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path

from vgglab.datasets import Dataset
from vgglab.engine.cache import FeatureCache
from vgglab.engine.control import Control
from vgglab.experiment import Experiment
from vgglab.history import History
from vgglab.live_display import LiveDisplay
from vgglab.share.again import at, finished
from vgglab.training import train


def train_in_turn(
    runs: Iterable[tuple[Path | None, Experiment, Dataset]],
    on_epoch: Callable[[History], object] | None,
    *,
    show: bool,
    control: Control | None,
    cache: FeatureCache | None,
) -> list[History]:
    """The records of runs in their order; each has a place for its folder or None, an experiment and its data.

    Stop and Ctrl-C end the run that goes on, and no other begins: the finished records are returned, and then the
    stopped one if it has an epoch. The other arguments are those of `train`, and so are the errors.
    """
    histories: list[History] = []
    # What `train` has returned is not lost to a Ctrl-C that comes between.
    with contextlib.suppress(KeyboardInterrupt):
        for place, experiment, data in runs:
            with LiveDisplay(experiment, show=show) as display:
                history = finished(place, experiment, data)
                if history is None:
                    buttons = Control(display.move) if control is None else control
                    counting = display.counting(on_epoch)
                    history = train(experiment, data, counting, control=buttons, cache=cache, **at(place))
                    buttons.take_change()  # one that came too late for its run is none for the next
                display.conclude(history)
            if history.epochs or not history.was_cut_short:
                histories.append(history)
            if history.was_cut_short:
                break
    return histories
