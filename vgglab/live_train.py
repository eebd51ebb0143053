"""`train` as people call it: the run shows itself, in the cell of a notebook or in a line of the terminal."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from vgglab import training
from vgglab.engine.cache import CACHE, FeatureCache
from vgglab.engine.control import Control
from vgglab.experiment import Experiment
from vgglab.history import History
from vgglab.live_display import LiveDisplay

if TYPE_CHECKING:
    import keras

    from vgglab.datasets import Dataset
    from vgglab.engine.step import Compiled


def train(
    experiment: Experiment,
    data: Dataset,
    on_epoch: Callable[[History], object] | None = None,
    *,
    show: bool = True,
    model: keras.Model | Compiled | None = None,
    control: Control | None = None,
    cache: FeatureCache | None = CACHE,
    out: str | os.PathLike | None = None,
    resume: str | os.PathLike | None = None,
) -> History:
    """Run an experiment on a data set, phase by phase, show how it goes, and return its record.

    In a notebook the curves grow in the cell's output, where a picture and a line of text stay; several runs of one
    cell share the picture, which shows the latest, and have a line each. In a terminal a bar on the standard error
    says how far the run is. Elsewhere, in a thread, and with `show=False`, nothing is shown. What goes wrong in showing
    the run is a warning, and the run goes on.

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
    with LiveDisplay(experiment, show=show) as display:
        history = training.train(
            experiment,
            data,
            display.counting(on_epoch),
            model=model,
            control=Control(display.move) if control is None else control,
            cache=cache,
            out=out,
            resume=resume,
        )
        display.conclude(history)
    return history
