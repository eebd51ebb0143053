"""The runs of the study on Dask: one local worker, several, or a cluster; what is done is never done again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from distributed import Client, LocalCluster, as_completed

from vgglab.errors import InputError
from vgglab.files import write_whole
from recipe.study.trial import Record, Trial, run

RETRIES = 3  # of a run whose worker was lost or that failed


@dataclass(frozen=True)
class Studied:
    """How far the study is: runs done, and in words how long the others will take."""

    done: int
    left: str


@contextmanager
def client_of(scheduler: str | None, workers: int) -> Iterator[Client]:
    """A client of the scheduler at this address, or of a cluster of local workers that share the cores."""
    if scheduler:
        try:
            client = Client(scheduler, timeout="10s")
        except (OSError, ValueError) as error:
            raise InputError(f"No Dask scheduler answers at {scheduler} ({error}).") from None
        with client:
            yield client
        return
    if workers < 1:
        raise InputError(f"`workers` must be at least 1. Received: {workers!r}.")
    threads = str(max(1, (os.cpu_count() or 1) // workers))
    cluster = LocalCluster(
        n_workers=workers,
        threads_per_worker=1,  # Keras must not be used from two threads at once
        dashboard_address=None,
        memory_limit=None,
        env=dict(TF_NUM_INTRAOP_THREADS=threads, TF_NUM_INTEROP_THREADS=threads),
    )
    with cluster, Client(cluster) as client:
        yield client


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
    missing = [trial for trial in planned if not _path(trial, folder).is_file()]
    # The order of the list is the order of the runs: earlier ones have the higher priority.
    futures = {
        client.submit(run, trial, key=trial.key, retries=RETRIES, priority=-place): trial
        for place, trial in enumerate(missing)
    }
    start, failed = time.monotonic(), {}
    on_done(Studied(len(planned) - len(missing), ""))
    for count, future in enumerate(as_completed(futures), start=1):
        trial = futures[future]
        if future.status == "finished":
            write_whole(_path(trial, folder), future.result())
        else:
            failed[trial.key] = str(future.exception())
        future.release()
        left = (time.monotonic() - start) / count * (len(missing) - count)
        on_done(Studied(len(planned) - len(missing) + count - len(failed), f"about {left / 60:.0f} min left"))
    return failed


def records_of(planned: Sequence[Trial], folder: Path) -> dict[str, Record]:
    """The records of these trials, by their keys; `InputError` for one that is missing or damaged."""
    return {trial.key: _read(_path(trial, folder)) for trial in planned}


def _read(path: Path) -> Record:
    if not path.is_file():
        raise InputError(f"The study has no record at {path}.")
    return Record.from_lines(path.read_text(encoding="utf-8"), str(path))


def _path(trial: Trial, folder: Path) -> Path:
    return folder / f"{trial.key}.jsonl"
