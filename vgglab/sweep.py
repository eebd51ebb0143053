"""Many experiments with several seeds each, in turn or on the workers of a Dask cluster, and the table of them all."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from vgglab.cluster import Facts, check_workers, outcomes, sees, time_left
from vgglab.datasets import Dataset, check_fits, is_there, under_conditions
from vgglab.engine.control import Control
from vgglab.errors import InputError, shown
from vgglab.experiment import FIELDS, Experiment
from vgglab.files import readable, written_whole
from vgglab.grid import (
    checked_experiments,
    checked_seeds,
    counted,
    in_effect,
    paths_of,
    planned_runs,
    setting_words,
    varied,
    with_whole_paths,
)
from vgglab.history import History
from vgglab.measures.sweep_table import best_setting, sweep_table
from vgglab.share.shelf import rename
from vgglab.share.store import check_same
from vgglab.share.sweep_folder import PICTURE, TABLE, SweepFolder
from vgglab.sweep_run import OnEpoch, Returned, as_it_is, run_there, train_in_turn
from vgglab.weights import find_weights

if TYPE_CHECKING:
    from vgglab.cluster import Client

Say = Callable[[str], object]


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
    known = None if client is None else check_workers(client, _paths(planned, data))
    with contextlib.ExitStack() as opened:
        folder = None if out is None else opened.enter_context(SweepFolder.open(out, planned))
        going = _Sweep(settings, chosen, planned, data, folder, say)
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


def _paths(planned: Sequence[Experiment], data: Dataset | None) -> list[str]:
    """The files and folders that the runs read."""
    named = {pair for each in planned for pair in paths_of(each).items()}
    return [path for name, path in named if data is None or FIELDS[name].role != "data"]


@dataclass
class _Sweep:
    """A sweep that goes on: `done` has the finished runs by what they are in effect, `failed` why others are not."""

    settings: list[Experiment]
    seeds: Sequence[int]
    planned: list[Experiment]
    data: Dataset | None
    folder: SweepFolder | None
    say: Say
    done: dict[Experiment, History] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    fingerprints: dict[tuple, tuple[str, str]] = field(default_factory=dict)

    @property
    def missing(self) -> list[Experiment]:
        return [each for each in self.planned if in_effect(each) not in self.done]

    def read(self) -> None:
        """Take what earlier calls have finished."""
        for each in self.planned:
            found = self.folder.finished(each) if self.folder else None
            if found is None:
                continue
            if self.data is not None:
                now = History(found.experiment, under_conditions(self.data, each).describe())
                check_same(found.history, now, readable(found.path))
            self._add(each, found.history)

    def announce(self) -> None:
        """Say how much there is to do."""
        settings, seeds = len(self.settings), len(self.seeds)
        said = f"{counted(len(self.planned), 'run')}: {counted(settings, 'setting')}, {counted(seeds, 'seed')} each"
        if len(self.planned) < settings * seeds:
            said += "; settings that are equal in effect share their runs"
        begun = sum(bool(self.folder and self.folder.begun(each)) for each in self.missing)
        if self.done or begun:
            said += f". Done already: {len(self.done)}" + (f"; cut short: {begun}" if begun else "")
        self.say(f"{said}.")

    def here(self, control: Control | None, on_epoch: OnEpoch | None) -> Iterator[tuple[Experiment, object]]:
        """Make the runs that are missing in this process, one after another, until one is stopped."""
        for each in self.missing:
            try:
                history = train_in_turn(self._as_begun(each), self.data, self._place(each), control, on_epoch)
            except Exception as error:  # as on a worker: what one run fails of is no reason to end the others
                yield each, error
                continue
            if history.was_cut_short:
                raise KeyboardInterrupt
            yield each, history

    def there(self, client: Client, known: Facts) -> Iterator[tuple[Experiment, object]]:
        """Have the runs that are missing made by workers; what comes back without its folder is put there."""
        folder, mark = self.folder, secrets.token_hex(4)
        seen = folder is not None and sees(client, folder.path)
        if folder and not seen:
            self.say(
                f"The workers do not see {readable(folder.path)}, so that each run is sent here when it is finished. "
                "A run whose worker is lost begins anew."
            )
        runs = {f"sweep-{mark}-{place}": each for place, each in enumerate(self.missing)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Dask's, that the images are large
            data = self.data and client.submit(as_it_is, self.data, key=f"sweep-{mark}-data", pure=False)
        arguments = {
            key: (self._as_begun(each), data, self._place(each) if seen else None, folder is not None, known)
            for key, each in runs.items()
        }
        with contextlib.closing(outcomes(client, run_there, arguments)) as made:
            for key, outcome in made:
                if isinstance(outcome, Returned):
                    if folder and not seen:
                        folder.receive(runs[key], outcome.files)
                    outcome = History.from_lines(outcome.record, "what a worker sent")
                yield runs[key], outcome

    def take(self, made: Iterator[tuple[Experiment, object]]) -> bool:
        """Take the runs as they come, and say how far it is; returns whether somebody ended it before its end."""
        start, before, names = time.monotonic(), len(self.done), varied(self.settings)
        try:
            for each, outcome in made:
                words = f"{setting_words(each, names)}, seed {each.seed}"
                if isinstance(outcome, History):
                    self._add(each, outcome)
                    self._name(each, words)
                    came = outcome.summary().partition(": ")[2] if outcome.epochs else "no epoch was finished"
                else:
                    self.failed[words] = _words(outcome)
                    came = f"failed: {self.failed[words]}"
                count = len(self.done) + len(self.failed)
                left = time_left(time.monotonic() - start, count - before, len(self.planned) - count)
                self.say(f"{count} of {len(self.planned)}: {words}: {came}" + (f"; {left}" if left else ""))
        except KeyboardInterrupt:
            return True
        return False

    def folders_of(self, setting: Experiment) -> str:
        """The folders of a setting's finished runs."""
        assert self.folder is not None
        runs = [each for each in planned_runs([setting], self.seeds) if in_effect(each) in self.done]
        return " ".join(self.folder.place(each).name for each in runs)

    def _add(self, run: Experiment, history: History) -> None:
        """Take a finished run; `InputError` where it saw other images than one that should have seen the same."""
        key = tuple(
            getattr(run, name) for name, each in FIELDS.items() if each.role == "data" or name == "seed"
        )
        mine = str(history.data.get("fingerprint")), f"{run!r}"
        known, other = self.fingerprints.setdefault(key, mine)
        if known != mine[0]:
            raise InputError(
                f"Two runs that name the same images have seen different ones: {other} and {mine[1]}."
            )
        self.done[in_effect(run)] = history

    def _name(self, run: Experiment, words: str) -> None:
        """As a dashboard calls the run, which may be among many of other sweeps."""
        if self.folder:
            with contextlib.suppress(InputError):
                rename(self.folder.place(run), words)

    def _place(self, run: Experiment) -> Path | None:
        return self.folder.place(run) if self.folder else None

    def _as_begun(self, run: Experiment) -> Experiment:
        """A run that was cut short goes on as what it began as."""
        begun = self.folder.begun(run) if self.folder else None
        return begun.experiment if begun else run


def _words(error: object) -> str:
    return str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"


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
