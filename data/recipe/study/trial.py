"""One run of the study, from what it is to its record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from recipe.study.plan import Arm, Study
from vgglab.datasets import Dataset, Split
from vgglab.errors import InputError
from vgglab.experiment import Experiment, with_seed
from vgglab.history import History

if TYPE_CHECKING:
    from vgglab.engine.step import Compiled


@dataclass(frozen=True)
class Trial:
    """An experiment on a task; its seed is that of the images as well."""

    task: str
    experiment: Experiment

    @property
    def key(self) -> str:
        """A name that no other trial has, and that this one has on every machine."""
        digest = hashlib.sha256(json.dumps(self.experiment.to_dict(), sort_keys=True).encode())
        return f"{self.task.replace(' ', '_')}-seed{self.experiment.seed}-{digest.hexdigest()[:12]}"


def task_of(key: str) -> str:
    """The task in a trial's key; no task has a `_` in its name."""
    return key.partition("-seed")[0].replace("_", " ")


@dataclass(frozen=True)
class Record:
    """What a trial leaves: its History, and what the trained network scored at the end."""

    history: History
    scores: dict[str, float]

    def to_lines(self) -> str:
        """The scores in one line, then the History's."""
        return json.dumps(self.scores) + "\n" + self.history.to_lines()

    @classmethod
    def from_lines(cls, text: str, origin: str) -> Record:
        """What `to_lines` wrote; `InputError` names the `origin` when it is something else."""
        scores, _, history = text.partition("\n")
        try:
            return cls(
                History.from_lines(history, origin),
                {name: float(v) for name, v in json.loads(scores).items()},
            )
        except (ValueError, AttributeError, TypeError) as error:
            raise InputError(f"{origin} is not the record of a trial ({error}).") from None


def run(trial: Trial) -> str:
    """Train, test, and return the record as text, which any machine can send to another."""
    # Here, not at the top: who only plans or reads trials needs no TensorFlow.
    from vgglab.engine.lending import borrowed
    from vgglab.training import train

    data, elsewhere = _images(trial.task, trial.experiment.dataset, trial.experiment.seed)
    with borrowed(trial.experiment, len(data.class_names)) as compiled:
        history = train(trial.experiment, data, model=compiled)
        scores = _scores(compiled, data, elsewhere)
    return Record(history, scores).to_lines()


@lru_cache(maxsize=2)
def _images(name: str, folder: str, seed: int) -> tuple[Dataset, dict[str, Split]]:
    from recipe.study.tasks import task

    found = task(name, folder)
    return found.data(seed), found.elsewhere(seed)


def _scores(compiled: Compiled, data: Dataset, elsewhere: dict[str, Split]) -> dict[str, float]:
    """What the validation part says beside its accuracy, where there is no test part, and the accuracies elsewhere."""
    from vgglab.engine.control import Control
    from vgglab.engine.step import outputs
    from vgglab.measures.evaluation import calibration_error, score

    def probabilities(split: Split) -> np.ndarray:
        return outputs(compiled.predict(0), split, Control())[0]

    scores = {}
    if data.test is None:
        validation = probabilities(data.validation)
        scores = dict(
            calibration_error=calibration_error(validation, data.validation.labels),
            confidence=float(validation.max(axis=1).mean()),
        )
    for name, split in elsewhere.items():
        scores[f"accuracy_{name}"] = score(probabilities(split), split.labels)[0]
    return scores


def trials(studies: Collection[Study], most: int | None = None) -> list[Trial]:
    """Every run of these studies once, however many share it: all of a first seed before any of a second.

    `most` seeds of each study, the first ones; all by default.
    """
    places = range(max((len(study.seeds[:most]) for study in studies), default=0))
    return list(
        dict.fromkeys(
            trial_of(arm, study.seeds[place])
            for place in places
            for study in studies
            if place < len(study.seeds[:most])
            for arm in study.arms.values()
        )
    )


def trial_of(arm: Arm, seed: int) -> Trial:
    """The run of an arm with a seed."""
    return Trial(arm.task, with_seed(arm.experiment, seed))
