"""Kills runs at random moments and counts what was lost: `make torture`.

Each run is started, killed with SIGKILL after a random time, gone on with, killed again, until it is through. A run
holds when every epoch that it had said to be finished is in its record at once, every file can be read, and what comes
out in the end is the History of a run that nobody disturbed.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import keras
import numpy as np

from vgglab.datasets import load
from vgglab.experiment import Experiment
from vgglab.history import History
from vgglab.share.store import CHECKPOINT, MODEL, read_run
from vgglab.training import train

EPOCHS = 40
EXPERIMENT = Experiment(
    image_size=32, epochs=EPOCHS // 2, dropout=0.5, unfreeze=2, patience=30, augment=("flip", "zoom"), views=4
).then(unfreeze=4, weight_decay=1e-3, epochs=EPOCHS // 2)
RUN = """
import sys
from vgglab.datasets import load
from vgglab.experiment import Experiment
from vgglab.training import train
import tests.torture as torture
how = {sys.argv[1]: sys.argv[2]}
print("ready", flush=True)
said = lambda history: print(len(history.epochs), flush=True)
train(torture.EXPERIMENT, load("blossoms", torture.EXPERIMENT.image_size), said, **how)
"""


@dataclasses.dataclass
class Count:
    """What came of the kills."""

    kills: int = 0
    lost: int = 0  # epochs that were said and are not in the record
    unreadable: int = 0  # records, checkpoints and networks
    runs: int = 0
    different: int = 0  # Histories that are not that of the undisturbed run
    in_epochs: int = 0  # kills after the first epoch and before the end


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


def _read_checkpoint(path: Path) -> None:
    with np.load(path, allow_pickle=False) as arrays:
        for name in arrays:
            arrays[name]


def _unreadable(folder: Path) -> int:
    """How many files of a run cannot be read; those that are not there yet are none."""
    bad = 0
    for name, read in ((CHECKPOINT, _read_checkpoint), (MODEL, keras.saving.load_model)):
        try:
            if (folder / name).exists():
                read(folder / name)
        except Exception:  # whatever it is, it is counted
            bad += 1
    return bad


def kill_runs(kills: int, seed: int) -> Count:
    """Kill runs of 40 epochs so many times."""
    chance, count = random.Random(seed), Count()
    start = time.monotonic()
    data = load("blossoms", EXPERIMENT.image_size)
    undisturbed = train(EXPERIMENT, data)
    seconds = time.monotonic() - start
    while count.kills < kills:
        with tempfile.TemporaryDirectory() as place:
            folder, how, was_killed = Path(place) / "run", "out", True
            while was_killed:
                left = chance.uniform(0, seconds) if count.kills < kills else 3600
                said, was_killed = _session(how, folder, left)
                count.kills += was_killed
                if not folder.exists():
                    continue
                stored = read_run(folder)
                count.lost += max(0, said - len(stored.history.epochs))
                count.in_epochs += was_killed and 0 < said < EPOCHS
                count.unreadable += _unreadable(folder)
                how = "resume"
                was_killed = was_killed and not stored.is_finished
            count.runs += 1
            count.different += _plain(read_run(folder).history) != _plain(undisturbed)
        print(count, flush=True)
    return count


def _plain(history: History) -> str:
    rows = [{name: value for name, value in row.items() if name != "seconds"} for row in history.epochs]
    return dataclasses.replace(history, epochs=rows).to_lines()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    count = kill_runs(options.kills, options.seed)
    print(
        f"{count.kills} kills in {count.runs} runs, {count.in_epochs} of them between the first and the last epoch."
    )
    print(
        f"Epochs lost: {count.lost}. Files unreadable: {count.unreadable}. Histories changed: {count.different}."
    )
    sys.exit(bool(count.lost or count.unreadable or count.different))


if __name__ == "__main__":
    main()
