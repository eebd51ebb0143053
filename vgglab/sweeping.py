"""Many experiments with several seeds each, in turn or on the workers of a Dask cluster, and the table of them all."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vgglab.cluster import check_workers
from vgglab.combinations import (
    checked_experiments,
    checked_seeds,
    counted,
    paths_of,
    planned_runs,
    with_whole_paths,
)
from vgglab.datasets import Dataset, check_fits, is_there
from vgglab.engine.control import Control
from vgglab.errors import InputError, shown
from vgglab.experiment import FIELDS, Experiment
from vgglab.files import readable, written_whole
from vgglab.measures.sweep_table import best_setting, sweep_table
from vgglab.share.sweep_folder import PICTURE, TABLE, SweepFolder
from vgglab.sweep_going import GoingSweep, Say
from vgglab.sweep_run import OnEpoch
from vgglab.weights import find_weights

if TYPE_CHECKING:
    from vgglab.cluster import Client


def sweep(
    experiments: Experiment | Iterable[Experiment],
    data: Dataset | None = None,
    seeds: int | Sequence[int] = 5,
    client: Client | None = None,
    *,
    out: str | os.PathLike | None = None,
    say: Say = print,
) -> pd.DataFrame:
    """Run every experiment with every seed, and return a table with a row a setting; `sweep_table` says what is in it.

    `experiments` are those that `grid` makes, or any others; their own seeds do not count. `data` is what all runs
    train on; where it is left out, each run reads what its experiment names, as `vgglab train` does, so that a seed
    also draws its validation part where a folder has none. `seeds` is a number, so many from 0 on, or the seeds
    themselves. Settings that are equal in effect share their runs.
    The runs are made in turn in this process, or by the workers of `client`, a `distributed.Client`. A worker that is
    lost loses the run that it had in hand, which another takes over; before the first run it is checked that all
    workers have this software and see the same files.
    `out` names a folder for the runs, each a folder of the run store, and for the table and its heatmap, sweep.csv and
    sweep.png; a column `runs` then names the folders. The same call again goes on: what is finished is read, what was
    cut short goes on at its checkpoint where the workers see the folder too, and further settings or seeds are added.
    `say` is told how far it is, a sentence at a time. Ctrl-C ends it with the table of what is finished. A run that
    fails leaves the others alone; a warning names it. `InputError` for what cannot be run, before the first run.
    """
    result = run_sweep(experiments, data, seeds, client, out=out, say=say)
    if result.failed:
        which, why = next(iter(result.failed.items()))
        warnings.warn(f"{counted(len(result.failed), 'run')} failed, such as {which}: {why}", stacklevel=2)
    return result.table


@dataclass(frozen=True)
class Swept:
    """What came of a sweep: the table, what may be said of the best, what failed and why, and whether it was ended."""

    table: pd.DataFrame
    best: str
    failed: dict[str, str]
    stopped: bool


def run_sweep(
    experiments: Experiment | Iterable[Experiment],
    data: Dataset | None,
    seeds: int | Sequence[int],
    client: Client | None = None,
    *,
    out: str | os.PathLike | None = None,
    say: Say = print,
    control: Control | None = None,
    on_epoch: OnEpoch | None = None,
) -> Swept:
    """What `sweep` does, for whoever wants to know all that came of it; `control` and `on_epoch` are those of `train`,
    for runs of this process."""
    settings, chosen = checked_experiments(experiments), checked_seeds(seeds)
    if client is not None:
        settings = [with_whole_paths(each) for each in settings]
    planned = planned_runs(settings, chosen)
    _check(planned, data)
    if client is not None and data is not None:
        _check_can_be_sent(data)
    known = None if client is None else check_workers(client, _paths(planned, data))
    with contextlib.ExitStack() as opened:
        folder = None if out is None else opened.enter_context(SweepFolder.open(out, planned))
        going = GoingSweep(settings, chosen, planned, data, folder, say)
        going.read()
        going.announce()
        if going.missing:
            made = going.there(client, known) if client and known else going.here(control, on_epoch)
            stopped = going.take(made)
        else:
            stopped = False
        table = sweep_table(settings, chosen, going.done)
        if folder:
            table["runs"] = [going.folders_of(each) for each in settings]
            _write(table, folder.path, say)
        return Swept(table, best_setting(settings, chosen, going.done), going.failed, stopped)


def _check(planned: Sequence[Experiment], data: Dataset | None) -> None:
    """`InputError` for what no run could be made of."""
    if data is not None and not isinstance(data, Dataset):
        raise InputError(
            f"`data` must be a Dataset, such as `load` returns, or None. Received: {shown(data)}."
        )
    for each in planned:
        find_weights(each)
        if data is not None:
            check_fits(each, data)
        elif not is_there(each.dataset):
            raise InputError(f"There is no folder of images at {readable(each.dataset)}.")


def _check_can_be_sent(data: Dataset) -> None:
    """`InputError` for images that a file of this machine holds, because they were too many for its memory."""
    if not all(
        isinstance(part.images, np.ndarray) for part in (data.train, data.validation, data.test) if part
    ):
        raise InputError(
            f"The images of {data.name} are in a file of this machine, which workers do not see. "
            "Leave `data` out, so that each of them reads what the experiments name."
        )


def _paths(planned: Sequence[Experiment], data: Dataset | None) -> list[str]:
    """The files and folders that the runs read."""
    named = {pair for each in planned for pair in paths_of(each).items()}
    return [path for name, path in named if data is None or FIELDS[name].role != "data"]


def _write(table: pd.DataFrame, folder: Path, say: Say) -> None:
    from vgglab.charts.sweep import save_sweep

    with written_whole(folder / TABLE) as beside:
        table.to_csv(beside, index=False)
    if table["validation_accuracy"].notna().any():
        try:
            save_sweep(table, folder / PICTURE)
        # It is drawn from what is written already; no failure of it may end the sweep.
        except Exception as error:
            say(f"The heatmap could not be drawn ({type(error).__name__}: {error}).")
