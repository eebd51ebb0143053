"""A run whose folder may be there already, from an earlier call: finished, cut short, or killed as it began."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from vgglab.datasets import Dataset, under_conditions
from vgglab.experiment import Experiment
from vgglab.files import is_part, readable
from vgglab.history import History
from vgglab.share.shelf import delete
from vgglab.share.store import CHECKPOINT, check_same, read_run


def finished(place: Path | None, experiment: Experiment, data: Dataset) -> History | None:
    """The finished run in a folder; None where there is something left to do.

    What was killed before its record began is taken away. `InputError` where it is a run of something else.
    """
    if place is None or not place.is_dir():
        return None
    if never_began(place):
        delete(place)
        return None
    stored = read_run(place)
    if not stored.is_finished:
        return None
    check_same(
        stored.history, History(experiment, under_conditions(data, experiment).describe()), readable(place)
    )
    return stored.history


def never_began(place: Path) -> bool:
    """Whether a folder is that of a run which was killed before its record began."""
    return all(each.name == CHECKPOINT or is_part(each) for each in place.iterdir())


def at(place: Path | None) -> dict[str, Any]:
    """The argument of `train` with which a run goes on in a folder, or begins there."""
    return dict(resume=place) if place is not None and os.path.lexists(place) else dict(out=place)
