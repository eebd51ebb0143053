"""Processes that train, killed.

Each run is started, killed with SIGKILL after a random time, gone on with, killed again, until it is through. A run
holds when every epoch that it had said to be finished is in its record at once, every file can be read, and what comes
out in the end is the History of a run that nobody disturbed.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from tests.torture.counting import Count, is_same, unreadable
from vgglab.history import History
from vgglab.share.store import read_run

RUN = """
import sys
from vgglab.datasets import load
from vgglab.training import train
from tests.torture.counting import EXPERIMENT
how = {sys.argv[1]: sys.argv[2]}
print("ready", flush=True)
said = lambda history: print(len(history.epochs), flush=True)
train(EXPERIMENT, load("blossoms", EXPERIMENT.image_size), said, **how)
"""


def kill_runs(kills: int, seed: int, whole: History, seconds: float) -> Count:
    """Kill so many times, each within `seconds`, which the `whole` run takes."""
    chance, count = random.Random(seed), Count()
    while count.kills < kills:
        with tempfile.TemporaryDirectory() as place:
            folder, how, was_killed = Path(place) / "run", "out", True
            while was_killed:
                left = chance.uniform(0, seconds) if count.kills < kills else 3600
                said, was_killed = _session(how, folder, left)
                if was_killed:
                    count.killed(said)
                if not folder.exists():
                    continue
                stored = read_run(folder)
                count.lost += max(0, said - len(stored.history.epochs))
                count.unreadable += unreadable(folder)
                how = "resume"
                was_killed = was_killed and not stored.is_finished
            count.runs += 1
            count.different += not is_same(folder, whole)
        print(f"Processes: {count}", flush=True)
    return count


def _session(how: str, folder: Path, seconds: float) -> tuple[int, bool]:
    """Start or go on, and kill after so many seconds of training; the last epoch said, and whether it was killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, how, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    timer, said = threading.Timer(seconds, process.kill), 0
    for line in process.stdout:
        if line.strip() == "ready":
            timer.start()
        elif line.endswith("\n"):
            said = int(line)
    timer.cancel()
    if process.wait() not in (0, -9):
        assert process.stderr is not None
        raise RuntimeError(process.stderr.read())
    return said, process.returncode == -9
