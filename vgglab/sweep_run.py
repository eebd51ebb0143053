"""One run of a sweep, in this process or on a worker: begun, gone on with, or read where it is finished."""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from vgglab.cluster import Facts, check_shared, facts_of
from vgglab.datasets import Dataset, load_for
from vgglab.engine.control import Control
from vgglab.experiment import Experiment, loaded_from
from vgglab.history import History
from vgglab.share.again import at, finished
from vgglab.share.store import RECORD, is_going_on
from vgglab.training import train

OnEpoch = Callable[[History], object]
_LOOK = 1.0  # seconds between two looks at whether a run has ended


@dataclass(frozen=True)
class Returned:
    """A run's record as text, and the files of its folder where that stands on another machine; all can be sent."""

    record: str
    files: Mapping[str, bytes] = field(default_factory=dict)


def train_in_turn(
    experiment: Experiment,
    data: Dataset | None,
    place: Path | None,
    control: Control | None = None,
    on_epoch: OnEpoch | None = None,
) -> History:
    """The run of an experiment in a folder, or in none: as it is finished there, gone on with, or made.

    `data` is what it trains on; what the experiment names is read where it is None. What `train` warns of is an event
    of the History as well.
    """
    used = images_of(experiment) if data is None else data
    history = finished(place, experiment, used)
    if history is None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            history = train(experiment, used, on_epoch, control=control, **at(place))
    return history


def run_there(
    experiment: Experiment, data: Dataset | None, place: Path | None, keep: bool, known: Facts
) -> Returned:
    """The same on a worker, which trains in `place`; where it has None and is to `keep` the run, it sends its files.

    `known` is what it must share with whoever asks, because it may have joined later; otherwise `InputError`.
    """
    check_shared(known, facts_of(known.paths))
    if place is not None:
        _wait_for(place)
    if place is not None or not keep:
        return Returned(train_in_turn(experiment, data, place).to_lines())
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder) / "run"
        history = train_in_turn(experiment, data, here)
        return Returned(history.to_lines(), {each.name: each.read_bytes() for each in here.iterdir()})


def as_it_is(data: Dataset) -> Dataset:
    """The data: as a run of its own, whose result Dask makes again where the workers that had it are lost."""
    return data


def _wait_for(place: Path) -> None:
    """Until nobody trains in a folder: a worker that was given up may still be at it."""
    while (place / RECORD).exists() and is_going_on(place):
        time.sleep(_LOOK)


def images_of(experiment: Experiment) -> Dataset:
    """What the experiment names, read once for all runs that read the same."""
    return _loaded(Experiment(**loaded_from(experiment), seed=experiment.seed))


@lru_cache(maxsize=2)
def _loaded(experiment: Experiment) -> Dataset:
    return load_for(experiment)
