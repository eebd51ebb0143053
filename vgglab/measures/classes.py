"""How well a run does class by class, where an accuracy may hide a class that is hardly ever recognised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vgglab.datasets.dataset import Dataset
from vgglab.errors import InputError, shown, unknown
from vgglab.history import History
from vgglab.measures.auc import one_against_rest
from vgglab.measures.class_counts import counted
from vgglab.measures.class_intervals import (
    UNDEFINED,
    Estimate,
    auc_interval,
    balanced_accuracy_interval,
    f1_interval,
    macro_f1_interval,
    share,
)
from vgglab.measures.mistakes import class_names, names_for, predictions_of

PARTS = ("validation", "test")
FIGURES = ("recall", "precision", "f1", "auc")  # of each class
_NAMED = 5  # classes in a sentence


@dataclass(frozen=True, eq=False)
class ClassReport:
    """What the kept weights make of each class of a `part`, "validation" or "test", and of all classes together.

    `classes` has a row for each, under its name: `images`, how many there are; `given`, how many are taken for it; and
    for each of recall, precision, f1 and auc (one against rest) the figure and the ends of its 95 % interval, as in
    `recall_low` and `recall_high`, 0 to 1. What is not defined is NaN, and `notes` say why. `auc` is that of the second
    of two classes, of more the mean of all. `chance` is 1 / classes, `majority` the accuracy of always giving the most
    frequent class of the part.
    """

    part: str
    images: int
    classes: pd.DataFrame
    accuracy: Estimate
    balanced_accuracy: Estimate
    macro_f1: Estimate
    auc: Estimate
    notes: tuple[str, ...]

    @property
    def chance(self) -> float:
        return 1 / len(self.classes)

    @property
    def majority(self) -> float:
        return float(self.classes["images"].max()) / self.images

    @property
    def is_unequal(self) -> bool:
        """Whether the classes have different numbers of images."""
        return self.classes["images"].nunique() > 1

    def figure(self, name: str, place: int) -> Estimate:
        """One of `FIGURES` of the class at a place."""
        row = self.classes.iloc[place]
        return Estimate(*(float(row[column]) for column in (name, f"{name}_low", f"{name}_high")))

    def listed(self, most: int = 20, worst: int = 10) -> list[int]:
        """The places of the classes that there is room for: all, or where they are too many those of least recall."""
        recall = self.classes["recall"].to_numpy()
        if len(recall) <= most:
            return list(range(len(recall)))
        return np.argsort(recall, kind="stable")[:worst].tolist()  # what is not defined comes last

    @property
    def overall(self) -> list[tuple[str, Estimate]]:
        """The figures of all classes together, each with its name."""
        names = [str(each) for each in self.classes.index]
        auc = f"AUC of {names[1]}" if len(names) == 2 else "mean AUC, one against rest"
        return [
            ("accuracy", self.accuracy),
            ("balanced accuracy", self.balanced_accuracy),
            ("macro F1", self.macro_f1),
            (auc, self.auc),
        ]

    def __str__(self) -> str:
        """The overall figures in a sentence, with what guessing reaches."""
        figures = ", ".join(f"{name} {figure}" for name, figure in self.overall)
        majority = f"; the majority class alone gives {self.majority:.1%}" if self.is_unequal else ""
        return (
            f"{self.part.capitalize()}, {self.images} images, with 95% intervals: {figures}. "
            f"Chance is {self.chance:.1%}{majority}."
        )


def class_report(history: History, data: Dataset | None = None, part: str = "validation") -> ClassReport:
    """How well the weights that a run kept recognise each class, and all of them, with 95 % intervals.

    `part` is "validation", or "test" for what the run's end gave on the test part. Classes stand by the names in `data`
    or, without it, those that the history has. Figures are those of scikit-learn, but that what is divided by zero is
    not defined. Intervals: `vgglab.measures.class_intervals`; they take the images for independent of each other, and
    those of validation know nothing of choices that were made on it. `InputError` when the history has nothing to
    report on, or `data` is not what it was measured on.
    """
    if part not in PARTS:
        raise unknown("part", part, PARTS)
    if part == "test":
        return _of_test(history, data)
    found = predictions_of(history, data)
    counts = counted(found.labels, found.predicted, found.probabilities.shape[1])
    areas = one_against_rest(found.probabilities, found.labels)
    return _report(part, class_names(history, data), counts, areas.of_each, areas.overall)


def reports_of(history: History) -> list[ClassReport]:
    """The reports that a run has: of the validation part, and of the test part."""
    has = dict(validation=history.predictions, test=(history.test or {}).get("confusion"))
    return [class_report(history, part=part) for part in PARTS if has[part] is not None]


def _of_test(history: History, data: Dataset | None) -> ClassReport:
    if not isinstance(history, History):
        raise InputError(f"`history` must be a History, such as `train` returns. Received: {shown(history)}.")
    tested = history.test or {}
    if tested.get("confusion") is None:
        raise InputError(
            "This run has no figures of the classes of a test part: there was none, the run was cut short, its "
            "record is of an older version, or there are too many classes."
        )
    counts = np.array(tested["confusion"])
    if data is not None and not isinstance(data, Dataset):
        raise InputError(f"`data` must be a Dataset, such as `load` returns. Received: {shown(data)}.")
    if data is not None and (len(data.class_names) != len(counts) or len(data.test or ()) != counts.sum()):
        raise InputError(
            f"`data` must be what the run was tested on: {counts.sum()} images of {len(counts)} classes. "
            f"Received: {data.name}, with {len(data.test or ())} of {len(data.class_names)} classes."
        )
    areas = np.array(tested.get("auc") or [None] * len(counts), dtype=float)
    ends = tested.get("auc_interval")
    overall = UNDEFINED if ends is None else Estimate(mean_area(areas), *ends)
    return _report("test", names_for(len(counts), history, data), counts, areas, overall)


def mean_area(areas: np.ndarray) -> float:
    """The overall AUC of those of each class: of two the second's, of more the mean of what is defined."""
    there = areas[~np.isnan(areas)]
    return float(areas[1]) if len(areas) == 2 else float(there.mean()) if len(there) else math.nan


def _report(
    part: str, names: Sequence[object], counts: np.ndarray, areas: np.ndarray, overall: Estimate
) -> ClassReport:
    images, given, right = counts.sum(axis=1), counts.sum(axis=0), np.diag(counts)
    every = zip(images.tolist(), given.tolist(), right.tolist(), areas.tolist())
    total = int(counts.sum())
    rows = [
        dict(images=n, given=said)
        | _columns("recall", share(hits, n))
        | _columns("precision", share(hits, said))
        | _columns("f1", f1_interval(hits, n, said))
        | _columns("auc", auc_interval(area, n, total - n))
        for n, said, hits, area in every
    ]
    return ClassReport(
        part=part,
        images=total,
        classes=pd.DataFrame(rows, pd.Index(names, name="class")),
        accuracy=share(int(right.sum()), total),
        balanced_accuracy=balanced_accuracy_interval(counts),
        macro_f1=macro_f1_interval(counts),
        auc=overall,
        notes=tuple(_notes(part, names, images, given)),
    )


def _columns(name: str, figure: Estimate) -> dict[str, float]:
    return {name: figure.value, f"{name}_low": figure.low, f"{name}_high": figure.high}


def _notes(part: str, names: Sequence[object], images: np.ndarray, given: np.ndarray) -> list[str]:
    """Which figures are not defined, and why."""
    notes = []
    if (never := np.flatnonzero((given == 0) & (images > 0))).size:
        notes.append(
            f"No image is taken for {_listed(names, never)}: precision is not defined there, F1 is 0."
        )
    if (absent := np.flatnonzero(images == 0)).size:
        notes.append(
            f"The {part} part has no image of {_listed(names, absent)}: recall and AUC are not defined there, and the "
            "balanced accuracy leaves it out."
        )
    if np.count_nonzero(images) == 1:
        notes.append(f"All images of the {part} part are of one class: no AUC is defined.")
    return notes


def _listed(names: Sequence[object], which: np.ndarray) -> str:
    named = [f"'{names[each]}'" for each in which[:_NAMED]]
    more = [f"{len(which) - _NAMED} more"] if len(which) > _NAMED else []
    *first, last = named + more
    return f"{', '.join(first)} and {last}" if first else last
