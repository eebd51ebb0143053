"""A sweep that goes on: which of its runs are done, who makes the others, and how far it is."""

from __future__ import annotations

import contextlib
import secrets
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from vgglab.cluster import Facts, outcomes, sees, time_left
from vgglab.combinations import counted, in_effect, planned_runs, setting_words, varied
from vgglab.datasets import Dataset, under_conditions
from vgglab.engine.control import Control
from vgglab.errors import InputError
from vgglab.experiment import FIELDS, Experiment
from vgglab.files import readable
from vgglab.history import History
from vgglab.share.shelf import rename
from vgglab.share.store import check_same
from vgglab.share.sweep_folder import SweepFolder
from vgglab.sweep_run import OnEpoch, Returned, as_it_is, run_there, train_in_turn

if TYPE_CHECKING:
    from vgglab.cluster import Client

Say = Callable[[str], object]


@dataclass
class GoingSweep:
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
