"""One experiment with several seeds, one after another: what differs between their runs is luck."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from vgglab.combinations import checked_seeds
from vgglab.datasets import Dataset, check_fits, under_conditions
from vgglab.engine.cache import CACHE, FeatureCache
from vgglab.engine.control import Control
from vgglab.experiment import Experiment, with_seed
from vgglab.files import expanded
from vgglab.history import History
from vgglab.in_turn import train_in_turn


def train_seeds(
    experiment: Experiment,
    data: Dataset,
    seeds: int | Sequence[int],
    on_epoch: Callable[[History], object] | None = None,
    *,
    show: bool = True,
    control: Control | None = None,
    cache: FeatureCache | None = CACHE,
    out: str | os.PathLike | None = None,
) -> list[History]:
    """Run an experiment once for each seed in turn, and return the records in the order of the seeds.

    `seeds` is a number, so many from the experiment's own on, or the seeds themselves. All runs have the same `data`;
    what `train` draws by the seed, the images of `images_a_class` and the labels of `label_noise` included, each run
    draws for itself. Each run shows itself as `train` does, with a line of its own; `show=False` shows nothing.
    `on_epoch`, `control` and `cache` are those of `train`. Stop and Ctrl-C end the run that goes on, and no other
    begins: the finished records are returned, and then the stopped one if it has an epoch. A change is for the run
    that goes on alone.
    `out` names a folder in which each seed has a run folder of its own, "seed-0" and so on. The same call again reads
    what is finished there, goes on with what was cut short, and trains the rest. `InputError` as from `train`, and for
    seeds that are none.
    """
    check_fits(experiment, under_conditions(data, experiment))
    folder = None if out is None else expanded(out)
    runs = (
        (folder and folder / f"seed-{seed}", with_seed(experiment, seed), data)
        for seed in checked_seeds(seeds, experiment.seed)
    )
    return train_in_turn(runs, on_epoch, show=show, control=control, cache=cache)
