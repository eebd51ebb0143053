"""The run that is killed, what it should have come to, and what was lost of it."""

from __future__ import annotations

import dataclasses
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


@dataclasses.dataclass
class Count:
    """What came of the kills."""

    kills: int = 0
    lost: int = 0  # epochs that were said and are not in the record
    unreadable: int = 0  # records, checkpoints and networks
    runs: int = 0
    different: int = 0  # Histories that are not that of the undisturbed run
    in_epochs: int = 0  # kills after the first epoch and before the end

    def killed(self, said: int) -> None:
        """After epoch `said` was reported."""
        self.kills += 1
        self.in_epochs += 0 < said < EPOCHS

    def __str__(self) -> str:
        return (
            f"{self.kills} kills in {self.runs} runs, {self.in_epochs} of them between the first and the last epoch. "
            f"Epochs lost: {self.lost}. Files unreadable: {self.unreadable}. Histories changed: {self.different}."
        )

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.unreadable or self.different)


def undisturbed() -> tuple[History, float]:
    """The run that nobody kills, and its seconds with the reading of its images."""
    start = time.monotonic()
    history = train(EXPERIMENT, load("blossoms", EXPERIMENT.image_size))
    return history, time.monotonic() - start


def is_same(folder: Path, whole: History) -> bool:
    """Whether the run in a folder has the History of another, but for the seconds."""
    return _plain(read_run(folder).history) == _plain(whole)


def unreadable(folder: Path) -> int:
    """How many files of a run cannot be read; those that are not there yet are none."""
    bad = 0
    for name, read in ((CHECKPOINT, _read_checkpoint), (MODEL, keras.saving.load_model)):
        try:
            if (folder / name).exists():
                read(folder / name)
        except Exception:  # whatever it is, it is counted
            bad += 1
    return bad


def _read_checkpoint(path: Path) -> None:
    with np.load(path, allow_pickle=False) as arrays:
        for name in arrays:
            arrays[name]


def _plain(history: History) -> str:
    rows = [{name: value for name, value in row.items() if name != "seconds"} for row in history.epochs]
    return dataclasses.replace(history, epochs=rows).to_lines()
