"""What a run of the dashboard does, in whichever thread: fetch its images, borrow its network, train, and be kept."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Protocol

from vgglab.engine.control import Control, Stopped
from vgglab.errors import InputError
from vgglab.experiment import Experiment, with_seed
from vgglab.history import History
from vgglab.panel.images import Images
from vgglab.panel.runner import Job
from vgglab.share.shelf import Shelf
from vgglab.share.store import StoredRun, read_run


class Screen(Protocol):
    """Where a run is seen; its methods are called from the run's thread, in this order."""

    def say(self, text: str) -> None:
        """What the run is at."""

    def began(self, history: History, number: int, of: int, folder: Path | None) -> None:
        """The first run begins, or the next of several; the history has what a stored run, in a folder, had done."""

    def update(self, history: History) -> None:
        """An epoch is finished."""

    def ended(self, history: History, folder: Path, *, stored: bool) -> None:
        """A run has ended, and is kept in a folder: a new one, or that of the `stored` run which it went on with."""


def work(job: Job, control: Control, images: Images, shelf: Shelf, screen: Screen) -> History:
    """Train what a job asks for, its seeds in turn; Stop ends the present one and begins no other.

    Returns the record of the last one that was begun.
    """
    if job.stored:
        return _go_on(job.experiment, job.stored, control, images, screen)
    first = job.experiment.seed
    for number in range(job.seeds):
        experiment = with_seed(job.experiment, first + number)
        screen.began(History(experiment), number + 1, job.seeds, None)
        history, folder = shelf.train(partial(_run, experiment, control, images, screen))
        screen.ended(history, folder, stored=False)
        if control.stopped:
            break
    return history


def _go_on(
    experiment: Experiment, stored: StoredRun, control: Control, images: Images, screen: Screen
) -> History:
    screen.began(stored.history, 1, 1, stored.path)
    history = _longer(_run(experiment, control, images, screen, resume=stored.path), stored.path)
    screen.ended(history, stored.path, stored=True)
    return history


def _run(
    experiment: Experiment,
    control: Control,
    images: Images,
    screen: Screen,
    out: Path | None = None,
    resume: Path | None = None,
) -> History:
    try:
        return _trained(experiment, control, images, screen, out, resume)
    except Stopped:  # while it got ready
        return History(experiment)


def _trained(
    experiment: Experiment,
    control: Control,
    images: Images,
    screen: Screen,
    out: Path | None,
    resume: Path | None,
) -> History:
    # Here, not at the top: a dashboard is on the page before TensorFlow is loaded.
    from vgglab.engine.lending import borrowed
    from vgglab.training import train

    screen.say("Getting ready: the network is being built and its first step compiled.")
    data = images.fetch(experiment, screen.say, control.check)
    classes = len(data.class_names)
    with borrowed(experiment, classes, check=control.check, say=screen.say) as compiled:
        control.check()
        return train(experiment, data, screen.update, model=compiled, control=control, out=out, resume=resume)


def _longer(trained: History, folder: Path) -> History:
    """Of a run that went on: what was trained or, where it was stopped before it was past it, what the folder has."""
    with suppress(InputError):
        kept = read_run(folder).history
        if len(kept.epochs) > len(trained.epochs):
            return kept
    return trained
