"""One experiment on several folds of its data, one after another, and what that says of images not seen yet."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vgglab.datasets import Dataset, check_fits
from vgglab.datasets.folds import iterate_folds
from vgglab.engine.cache import CACHE, FeatureCache
from vgglab.engine.control import Control
from vgglab.experiment import Experiment
from vgglab.files import expanded
from vgglab.history import History
from vgglab.in_turn import train_in_turn
from vgglab.measures.intervals import Effect, fold_interval

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class CrossValidation:
    """The records of the `folds` folds in their order; fewer, and the last perhaps cut short, after a stop."""

    histories: list[History]
    folds: int

    @property
    def finished(self) -> list[History]:
        """The records that count: those that came to their end with an epoch at least."""
        return [each for each in self.histories if each.epochs and not each.was_cut_short]

    @property
    def accuracy(self) -> Effect:
        """The mean validation accuracy of the finished folds, each at its kept epoch, with its 95 % interval.

        The interval is `fold_interval`'s. Where early stopping chose the epoch on the fold, the mean is a little too
        high. `InputError` for fewer than two finished folds.
        """
        values = [history.kept["validation_accuracy"] for history in self.finished]
        return fold_interval(values, self.folds)

    @property
    def table(self) -> pd.DataFrame:
        """A row a fold: its images, its kept epoch, and the accuracies and the gap there, as shares."""
        import pandas as pd

        rows = [
            dict(
                fold=number,
                training_images=history.data["train"],
                validation_images=history.data["validation"],
                **{
                    name: history.kept[name]
                    for name in ("epoch", "train_accuracy", "validation_accuracy", "gap")
                },
            )
            for number, history in enumerate(self.histories, 1)
            if history.epochs
        ]
        return pd.DataFrame(rows)


def cross_validate(
    experiment: Experiment,
    data: Dataset,
    folds: int = 5,
    on_epoch: Callable[[History], object] | None = None,
    *,
    show: bool = True,
    control: Control | None = None,
    cache: FeatureCache | None = CACHE,
    out: str | os.PathLike | None = None,
) -> CrossValidation:
    """Run an experiment once for each of the `k_folds` of its data, which its seed divides.

    Each image of train and validation validates once, and no group is on both sides of a fold. All folds start from the
    same weights. `on_epoch`, `show`, `control` and `cache` are those of `train`. Stop and Ctrl-C end the run that goes
    on, and no other begins; what is finished is returned, and then the stopped one if it has an epoch. `out` names a
    folder in which each fold has a run folder of its own, "fold-1" and so on: the same call again reads what is
    finished there, goes on with what was cut short, and trains the rest. `InputError` as from `train` and `k_folds`.
    """
    parts = iterate_folds(data, folds, experiment.seed if isinstance(experiment, Experiment) else 0)
    folder = None if out is None else expanded(out)

    def runs() -> Iterator[tuple[Path | None, Experiment, Dataset]]:
        for number, part in enumerate(parts, 1):
            check_fits(experiment, part)
            yield folder and folder / f"fold-{number}", experiment, part

    histories = train_in_turn(runs(), on_epoch, show=show, control=control, cache=cache)
    return CrossValidation(histories, int(folds))
