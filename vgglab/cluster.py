"""Runs on Dask: local worker processes, or a cluster; a worker that is lost loses the run that it had in hand.

Dask's `distributed` is installed with the extra "sweep", and imported only here, when it is asked for.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import logging
import os
import secrets
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import vgglab
from vgglab.errors import InputError, shown
from vgglab.files import readable

if TYPE_CHECKING:
    from distributed import Client, Future

RETRIES = 3  # of a run that failed; Dask itself gives one whose worker was lost to another
PATIENCE = 10  # seconds in which a scheduler answers, and a first worker joins it
_NO_DASK = "{what} needs Dask, which is not installed. `pip install distributed` installs it."


@contextmanager
def client_of(scheduler: str | None, workers: int) -> Iterator[Client]:
    """A client of the Dask scheduler at an address, or of a cluster of local workers that share the cores.

    `InputError` where Dask is not installed, nobody answers, or `workers` is less than 1.
    """
    if scheduler is None and workers < 1:
        raise InputError(f"`workers` must be at least 1. Received: {workers!r}.")
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        what = "`workers`" if scheduler is None else "`scheduler`"
        raise InputError(_NO_DASK.format(what=what)) from None
    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=PATIENCE)
        except (OSError, ValueError) as error:
            raise InputError(f"No Dask scheduler answers at {readable(scheduler)} ({error}).") from None
        with client:
            yield client
        return
    threads = str(max(1, (os.cpu_count() or 1) // workers))
    cluster = LocalCluster(
        n_workers=workers,
        threads_per_worker=1,  # Keras must not be used from two threads at once
        dashboard_address="127.0.0.1:0",  # any free port, for this machine alone
        memory_limit=None,
        silence_logs=logging.ERROR,  # a worker that Keras keeps busy as it ends is no news
        env=dict(TF_NUM_INTRAOP_THREADS=threads, TF_NUM_INTEROP_THREADS=threads),
    )
    with cluster, Client(cluster) as client:
        yield client


def outcomes(
    client: Client, run: Callable, arguments: Mapping[str, tuple], retries: int = RETRIES
) -> Generator[tuple[str, Any]]:
    """What `run` returned for each of the arguments, or the exception that it raised, as they come, by their keys.

    The order of `arguments` is that of the runs: earlier ones have the higher priority. What has not begun when the
    iteration is broken off is not run.
    """
    from distributed import as_completed

    futures: dict[Future, str] = {
        client.submit(run, *each, key=key, retries=retries, priority=-place, pure=False): key
        for place, (key, each) in enumerate(arguments.items())
    }
    try:
        for future in as_completed(futures):
            yield futures[future], future.result() if future.status == "finished" else future.exception()
            future.release()
    finally:
        with suppress(Exception):  # a scheduler that is gone has nothing to cancel
            client.cancel(list(futures))


def time_left(seconds: float, done: int, left: int) -> str:
    """In words how long the runs that are left will take, when so many took these seconds; "" where none is left."""
    if not left or not done:
        return ""
    forecast = seconds / done * left
    return f"about {max(forecast, 1):.0f} s left" if forecast < 100 else f"about {forecast / 60:.0f} min left"


@dataclass(frozen=True)
class Facts:
    """What runs of a process depend on: its software, and of each of the paths what is there, in a few words."""

    paths: tuple[str, ...]
    found: Mapping[str, str]


@lru_cache(maxsize=8)
def facts_of(paths: tuple[str, ...]) -> Facts:
    """The facts of this process; looked up once."""
    software = {name: _version(name) for name in ("tensorflow", "keras", "numpy")}
    ours = f"{vgglab.__version__} ({_digest_of_sources()})"
    return Facts(paths, dict(vgglab=ours) | software | {path: _contents(path) for path in paths})


def check_shared(here: Facts, there: Facts, name: str = "this worker") -> None:
    """`InputError` where a worker has other software, or sees other files, than the process that asks."""
    for what, right in here.found.items():
        if there.found.get(what) != right:
            raise InputError(
                "All workers must have the same software and see the same files. "
                f"Received: on {name} {readable(what)} is {there.found.get(what)}, and here it is {right}."
            )


def check_workers(client: Client, paths: Iterable[str], patience: float = PATIENCE) -> Facts:
    """What this process and all workers have in common; `InputError` where there is no worker, or one differs.

    `paths` are files and folders, each by its whole name; they are compared by the names and sizes of what is in them.
    What runs train on is compared to the pixel when they end, by the fingerprint in their records.
    """
    if not hasattr(client, "wait_for_workers"):
        raise InputError(f"`client` must be a distributed.Client, or None. Received: {shown(client)}.")
    try:
        client.wait_for_workers(1, timeout=patience)
    except TimeoutError:
        raise InputError(
            "The Dask scheduler has no worker. Start one on each machine: dask worker ADDRESS --nthreads 1."
        ) from None
    _check_python(client)
    here = facts_of(tuple(sorted(set(paths))))

    # Made in here, so that it is sent whole: by its name, a worker without vgglab could not find it.
    def there() -> Any:
        try:
            theirs = importlib.import_module("vgglab.cluster")
        except ImportError as error:
            return str(error)
        return theirs.facts_of.__wrapped__(here_paths).found

    here_paths = here.paths
    for name, found in client.run(there).items():
        if isinstance(found, str):
            raise InputError(
                f"Each worker needs vgglab {vgglab.__version__}. Received: worker {name}, {found}."
            )
        check_shared(here, Facts(here.paths, found), f"worker {name}")
    return here


def _check_python(client: Client) -> None:
    """Before anything is sent: functions do not go from one minor version of Python to another."""
    mine = [sys.version_info[0], sys.version_info[1]]
    versions: Any = client.get_versions()  # a coroutine only where the client is asynchronous
    for name, worker in versions["workers"].items():
        python = str(worker["host"]["python"])
        if [int(each) for each in python.split(".")[:2]] != mine:
            raise InputError(
                f"All workers must have Python {mine[0]}.{mine[1]}. Received: worker {name} with Python {python}."
            )


def sees(client: Client, folder: Path) -> bool:
    """Whether all workers see a folder of this machine: a file that is put there for a moment, with its content."""
    mark = secrets.token_hex(8)
    file = folder / f".{mark}"

    def there() -> bool:
        with suppress(OSError):
            return file.read_text() == mark
        return False

    file.write_text(mark)
    try:
        return all(client.run(there).values())
    finally:
        file.unlink(missing_ok=True)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _digest_of_sources() -> str:
    """Of the package's own code: between two releases the version says too little."""
    folder, digest = Path(vgglab.__file__).parent, hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\n")
        digest.update(path.read_text(encoding="utf-8").encode())  # whatever ends the lines on this system
    return digest.hexdigest()[:8]


def _contents(path: str) -> str:
    """A file or a folder in a few words, the same wherever the names and sizes are the same."""
    try:
        if os.path.isfile(path):
            return f"a file of {os.path.getsize(path)} bytes"
        if not os.path.isdir(path):
            return "not there"
        files = [
            os.path.join(above, name)
            for above, _, names in os.walk(path)
            for name in names
            if not name.startswith(".")  # what systems put into folders, each its own
        ]
        sizes = [(os.path.relpath(file, path).replace(os.sep, "/"), os.path.getsize(file)) for file in files]
    except OSError as error:
        return f"unreadable ({error.strerror})"
    lines = "\n".join(f"{name} {size}" for name, size in sorted(sizes))
    digest = hashlib.sha256(lines.encode("utf-8", "surrogateescape"))
    return f"a folder of {len(files)} files ({digest.hexdigest()[:8]})"
