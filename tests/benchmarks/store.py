"""What the run store costs, as a share of a run's time: `make bench-store`.

The time spent in the store's own calls is summed up within a run, so that other work on the machine slows both alike.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from vgglab.datasets import load
from vgglab.experiment import Experiment
from vgglab.share.run_folder import RunFolder
from vgglab.share.store import CHECKPOINT
from vgglab.training import train

SMALL = Experiment(weights=None, image_size=32, unfreeze=0)
RUNS = {
    "vgg16-mini, head only, 400 epochs": Experiment(unfreeze=0, epochs=400),
    "vgg16-mini, block 5, 100 epochs": Experiment(unfreeze=3, epochs=100),
    "vgg16-mini, all layers, patience, 30 epochs": Experiment(unfreeze=13, epochs=30, patience=30),
    "vgg16, all layers, patience, 8 epochs": Experiment(
        backbone="vgg16", weights=None, unfreeze=13, epochs=8, patience=8
    ),
}
STEPS = ("record", "checkpoint", "save_model", "conclude")


class Timed:
    """The time that is spent in the store, and how many checkpoints were written, and how large."""

    def __init__(self) -> None:
        self.seconds, self.checkpoints, self.size = dict.fromkeys(STEPS, 0.0), 0, 0
        self._methods = {name: getattr(RunFolder, name) for name in STEPS}

    def __enter__(self) -> Timed:
        for name, method in self._methods.items():
            setattr(RunFolder, name, self._timed(name, method))
        return self

    def __exit__(self, *error: object) -> None:
        for name, method in self._methods.items():
            setattr(RunFolder, name, method)

    def _timed(self, name, method):
        def timed(folder, *given, **options):
            before, start = self._written(folder), time.perf_counter()
            try:
                return method(folder, *given, **options)
            finally:
                self.seconds[name] += time.perf_counter() - start
                if name == "checkpoint" and self._written(folder) != before:
                    self.checkpoints += 1
                    self.size = max(self.size, (folder.path / CHECKPOINT).stat().st_size)

        return timed

    @staticmethod
    def _written(folder: RunFolder) -> int:
        path = folder.path / CHECKPOINT
        return path.stat().st_mtime_ns if path.exists() else 0


def main() -> None:
    print("| run | seconds | every epoch | checkpoints | together | the network, at the end |")
    print("|---|---|---|---|---|---|")
    for what, experiment in RUNS.items():
        data = load("blossoms", experiment.image_size)
        train(SMALL, load("blossoms", SMALL.image_size))  # whatever the first run of a process does once
        with tempfile.TemporaryDirectory() as place, Timed() as timed:
            start = time.perf_counter()
            train(experiment, data, out=Path(place) / "run")
            seconds = time.perf_counter() - start
        share = {name: 100 * spent / seconds for name, spent in timed.seconds.items()}
        together = share["record"] + share["checkpoint"] + share["conclude"]
        print(
            f"| {what} | {seconds:.0f} | {share['record']:.2f} % | {timed.checkpoints} of {timed.size / 1e6:.0f} MB, "
            f"{share['checkpoint']:.2f} % | {together:.2f} % | {timed.seconds['save_model']:.2f} s |",
            flush=True,
        )


if __name__ == "__main__":
    main()
