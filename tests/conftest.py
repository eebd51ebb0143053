import gc
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

os.environ.setdefault("MPLBACKEND", "agg")

from pathlib import Path

import numpy as np
import pytest

from vgglab.datasets.dataset import Dataset, Split

# With it jsonschema, which comes with nbformat and Voilà, makes a parser of international addresses at its import.
# That takes seconds, and no schema here has such an address; jsonschema goes without where it is absent.
sys.modules["rfc3987_syntax"] = None
# Nothing that the imports make is garbage: looking for some took a fifth of the collection.
gc.disable()

_OF_TESTS = ("MPLBACKEND", "PYTEST_CURRENT_TEST")  # with them a notebook shows less than people see
ROOT = Path(__file__).parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SCREENSHOTS = ROOT / "build" / "screenshots"


def pytest_collection_finish() -> None:
    """Take what the imports made out of every later search for garbage: that was two fifths of all CPU time."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def shared() -> Path:
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real photographs are not at {folder}")
    return folder


@pytest.fixture(scope="session")
def tiny() -> Dataset:
    """Two classes of 32-pixel images, dark and light, that any network tells apart."""
    rng = np.random.default_rng(0)

    def split(count: int) -> Split:
        labels = np.arange(count) % 2
        images = rng.integers(0, 90, (count, 32, 32, 3)) + 160 * labels[:, None, None, None]
        return Split(images.astype(np.uint8), labels)

    return Dataset("tiny", ("dark", "light"), split(24), split(10))


@pytest.fixture(autouse=True)
def runs_of_their_own(tmp_path_factory, monkeypatch):
    """Dashboards that are told no folder keep their runs where no other test finds them."""
    monkeypatch.setenv("VGGLAB_RUNS", str(tmp_path_factory.mktemp("runs")))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)


@pytest.fixture
def made_by_hand(monkeypatch):
    """In place of a sweep's training: a record at once; gives the experiments that were asked for."""
    from test_history import make_history
    from vgglab import sweep_run
    from vgglab.charts import sweep as charts
    from vgglab.share.store import RECORD

    asked = []

    def run(experiment, data, on_epoch=None, *, control=None, out=None, resume=None):
        asked.append(experiment)
        history = make_history(validation=(0.1, 0.5 + experiment.unfreeze / 100 + experiment.seed / 10))
        history.experiment, history.data = experiment, data.describe()
        history.layers.append(
            dict(phase=1, layer="a", trainable=True, moved=0.1)
        )  # which the end of a run has
        if out is not None:
            Path(out).mkdir(parents=True)
            (Path(out) / RECORD).write_text(history.to_lines())
        return history

    monkeypatch.setattr(sweep_run, "train", run)
    monkeypatch.setattr(charts, "save_sweep", lambda table, path: path.touch())
    return asked


# Of a module: while it is there, no other test can run an event loop.
@pytest.fixture(scope="module")
def browser():
    """Chromium, which asks no other machine for anything by itself."""
    if CHROMIUM is None:
        assert "CI" not in os.environ, "CI must have Chromium"
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        options = [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@contextmanager
def running(target: str, runtime: Path, options: str = "") -> Iterator[str]:
    """`make lab` or `make dashboard` on a free port until the block ends; gives the address it prints."""
    port = free_port()
    process = serve(["make", target, f"ARGS=--no-browser --port={port} {options}"], runtime)
    try:
        yield printed_address(process, runtime, port)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)
    for _ in range(40):  # what make started takes a moment longer than make itself
        if not listens("127.0.0.1", port):
            return
        time.sleep(0.5)
    pytest.fail("the server still runs")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def listens(host: str, port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex((host, port)) == 0


def serve(command: list[str], runtime: Path, cwd: Path = ROOT) -> subprocess.Popen:
    """Start a server, with nothing in its environment that is there for tests; what it prints is in `server.log`."""
    runtime.mkdir(exist_ok=True)
    with (runtime / "server.log").open("w") as out:
        return subprocess.Popen(
            command,
            cwd=cwd,
            stdout=out,
            stderr=out,
            start_new_session=True,
            env={
                **{name: value for name, value in os.environ.items() if name not in _OF_TESTS},
                "JUPYTER_RUNTIME_DIR": str(runtime),
            },
        )


def printed_address(process: subprocess.Popen, runtime: Path, port: int) -> str:
    log = runtime / "server.log"
    for _ in range(240):
        found = re.search(rf"http://(?:127\.0\.0\.\d|localhost):{port}/\S*token=\w+", log.read_text())
        if found:
            return found[0]
        assert process.poll() is None, log.read_text()
        time.sleep(0.5)
    pytest.fail(log.read_text())
