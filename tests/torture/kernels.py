"""Kernels in which a dashboard trains, killed.

A kernel makes a Dashboard, presses Train, and is killed with SIGKILL after a random time. A new one makes a Dashboard
with the same folder. It holds when every epoch that the first had reported is on the table of the second, every file
can be read, and Go on ends in the History of a run that nobody disturbed.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from tests.torture.counting import Count, is_same, unreadable
from vgglab.history import History

ROOT = Path(__file__).parent.parent.parent
# TensorFlow is loaded before the click, so that the kills fall into the run.
OPEN = """
import json
import vgglab.training
from vgglab import Dashboard, load
from tests.torture.counting import EXPERIMENT
dashboard = Dashboard(load("blossoms", EXPERIMENT.image_size), EXPERIMENT, folder={folder!r})
"""
# What the page says of each epoch goes to a file: messages of a kernel that is killed may stay on their way.
TRAIN = """
said = open({said!r}, "w", buffering=1)
dashboard.progress.left.observe(lambda change: said.write(change["new"] + "\\n"), "value")
dashboard.bar.train.click()
"""
TABLE = "print(json.dumps({name: len(run.epochs) for name, run in dashboard.runs.histories.items()}))"
GO_ON = """
dashboard.runs._selected.value = ("run 1",)
dashboard.runs.buttons["Go on"].click()
dashboard.join()
"""


def kill_kernels(kills: int, seed: int, whole: History, seconds: float) -> Count:
    """Kill so many kernels, each within `seconds`, which the `whole` run takes."""
    chance, count = random.Random(seed), Count()
    while count.kills < kills:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "runs"
            said = _killed(folder, Path(place) / "said.txt", chance.uniform(0, seconds))
            count.killed(said)
            with _kernel(folder) as client:
                count.lost += max(0, said - json.loads(_run(client, TABLE)).get("run 1", 0))
                if (folder / "run-1").exists():
                    count.unreadable += unreadable(folder / "run-1")
                    _run(client, GO_ON)
                    count.runs += 1
                    count.different += not is_same(folder / "run-1", whole)
        print(f"Kernels: {count}", flush=True)
    return count


def _killed(folder: Path, said: Path, seconds: float) -> int:
    """Train in a kernel that is killed after so many seconds; the last epoch that it reported."""
    with _kernel(folder) as client:
        _run(client, TRAIN.format(said=str(said)))
        time.sleep(seconds)
    epochs = [int(line.split()[1]) for line in said.read_text().splitlines() if line.endswith("left")]
    return max(epochs, default=0)


@contextmanager
def _kernel(folder: Path) -> Iterator[BlockingKernelClient]:
    """A kernel that has a dashboard with this folder; SIGKILL ends it with the block."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(ROOT))
    client = manager.blocking_client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=120)
        _run(client, OPEN.format(folder=str(folder)))
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _run(client: BlockingKernelClient, code: str) -> str:
    """Run code and return what it prints."""
    printed: list[str] = []

    def hear(message: dict) -> None:
        if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
            printed.append(message["content"]["text"])

    reply = client.execute_interactive(code, timeout=600, output_hook=hear)
    if reply["content"]["status"] != "ok":
        raise RuntimeError("\n".join(reply["content"]["traceback"]))
    return "".join(printed)
