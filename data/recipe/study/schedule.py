"""The runs of the study on Dask, by `vgglab.cluster`; what is done is never done again."""

from __future__ import annotations

import json
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from distributed import Client

import recipe
from recipe.study.trial import Record, Trial, run, task_of
from vgglab import cluster
from vgglab.cluster import RETRIES
from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.files import write_whole

PACKAGE = Path(recipe.__file__).parent


@dataclass(frozen=True)
class Studied:
    """How far the study is: runs done, and in words how long the others will take."""

    done: int
    left: str


@contextmanager
def client_of(scheduler: str | None, workers: int) -> Iterator[Client]:
    """A client as `vgglab.cluster` makes it; a cluster elsewhere is sent the recipes."""
    with cluster.client_of(scheduler, workers) as client:
        if scheduler:
            send(client, PACKAGE)
        yield client


def send(client: Client, package: Path) -> None:
    """Give a package of Python files to a cluster's scheduler, its workers, and those that join later.

    A cluster elsewhere has `vgglab` installed, of which the recipes are no part. One that was sent before is replaced.
    """
    name = package.name

    def forget() -> None:  # in here, so that it is sent whole: by its name, nobody there could find it yet
        for module in [*sys.modules]:
            if module.split(".")[0] == name:
                del sys.modules[module]

    client.run_on_scheduler(forget)
    client.run(forget)
    with tempfile.TemporaryDirectory() as folder:
        # Under a name of its own, because Python remembers what it found in a zip file.
        path = Path(folder) / f"{name}-{time.time_ns()}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for source in sorted(package.rglob("*.py")):
                archive.write(source, source.relative_to(package.parent))
        client.upload_file(str(path))


def study(
    client: Client,
    planned: Sequence[Trial],
    folder: Path,
    on_done: Callable[[Studied], object] = lambda studied: None,
) -> dict[str, str]:
    """Run the trials that have no record in `folder` yet, and write the record of each when it is done.

    A worker that is lost loses the run it had in hand, which another takes over. Returns what went wrong,
    by the trial's key; empty when every trial has its record.
    """
    folder.mkdir(parents=True, exist_ok=True)
    recorded = _recorded(folder)
    missing = [trial for trial in planned if trial not in recorded]
    start, failed = time.monotonic(), {}
    on_done(Studied(len(planned) - len(missing), ""))
    arguments = {trial.key: (trial,) for trial in missing}
    for count, (key, outcome) in enumerate(cluster.outcomes(client, run, arguments, RETRIES), start=1):
        if isinstance(outcome, str):
            write_whole(folder / f"{key}.jsonl", outcome)
        else:
            failed[key] = str(outcome)
        left = cluster.time_left(time.monotonic() - start, count, len(missing) - count)
        on_done(Studied(len(planned) - len(missing) + count - len(failed), left))
    return failed


def records_of(planned: Sequence[Trial], folder: Path) -> dict[str, Record]:
    """The records of these trials, by their keys; `InputError` for one that is missing or damaged."""
    recorded = _recorded(folder)
    missing = [trial.key for trial in planned if trial not in recorded]
    if missing:
        raise InputError(f"The study has no record of {missing[0]} in {folder}.")
    return {trial.key: _read(recorded[trial]) for trial in planned}


def _read(path: Path) -> Record:
    return Record.from_lines(path.read_text(encoding="utf-8"), str(path))


def _recorded(folder: Path) -> dict[Trial, Path]:
    """Where the record of each trial is, by what the records say they are.

    Not by the files' names: a trial's key changes when an experiment gets one more field, and what was run stays run.
    """
    found = ((_trial_in(path), path) for path in sorted(folder.glob("*.jsonl")))
    return {trial: path for trial, path in found if trial}


def _trial_in(path: Path) -> Trial | None:
    """The trial that a record is of, from its first two lines; None for a file that is something else."""
    with path.open(encoding="utf-8") as lines:
        next(lines, "")  # the scores
        header = next(lines, "")
    try:
        return Trial(task_of(path.stem), Experiment.from_dict(json.loads(header)["experiment"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # of an experiment that there is no more, or damaged: such a trial is run again
