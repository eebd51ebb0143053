"""What a run leaves behind: one row an epoch, what happened on the way, and what each layer did."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.files import write_whole
from vgglab.fit import Fit, Metric
from vgglab.predictions import MOST_WRITTEN, Predictions
from vgglab.record import COLUMNS, DRIFT, MEASURED, Row, kept_row
from vgglab.record_reader import read_record, text_of

__all__ = ["COLUMNS", "DRIFT", "History", "Row"]

_TABLES = dict(epoch="epochs", event="events", layer="layers")  # where the rows of a line's kind are
LOOK_BACK = 1000  # rows in which the last measurement is looked for, so that a line of text costs the same in long runs


@dataclass
class History:
    """The record of one run.

    `epochs` holds one row an epoch (`COLUMNS`; accuracies and the gap are fractions, 0 to 1),
    `events` what happened (`epoch`, `kind`, `text`), `layers` one row for each phase and layer
    (`phase`, `layer`, `trainable`, `moved`: the weights' change in the phase as a fraction of their
    size before it). `data` describes the images that were used and `versions` the software. `test` is what the
    weights that the run ended with make of the test part: accuracy, loss, calibration error, the number of images,
    balanced accuracy, macro F1, and for `class_report` its confusion and AUCs; None where there is none, or the run was
    cut short. `predictions` is what the weights of `kept` say of the
    validation images, while the run goes on those that would count if it stopped now; None before the first epoch and
    in records from before they were kept. They are the last line of a record, of about 13 characters a probability:
    40 kB for 400 images of 8 classes. A record leaves them out where there are more than 1.5 million, of which an event
    of the run tells, and while a run goes on that may go back to an earlier epoch, which is theirs.
    `LiveCurves` records what vgglab did not set up: `experiment` is then a `Fit`, the accuracy columns hold its metric,
    and what was not measured is NaN.
    """

    experiment: Experiment | Fit
    data: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    epochs: list[Row] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    layers: list[dict[str, Any]] = field(default_factory=list)
    test: dict[str, Any] | None = None
    predictions: Predictions | None = None

    def note(self, kind: str, text: str, **figures: Any) -> None:
        """Add an event after the latest epoch, with `figures` that belong to its kind."""
        self.events.append(dict(epoch=len(self.epochs), kind=kind, text=text, **figures))

    def frame(self) -> pd.DataFrame:
        """The epochs as a table, one row each, in the order of `COLUMNS`; NaN for what was not measured."""
        optional = [name for name in COLUMNS if name not in MEASURED]
        return pd.DataFrame(self.epochs, columns=list(COLUMNS)).astype(dict.fromkeys(optional, float))

    def layer_frame(self) -> pd.DataFrame:
        """The layers as a table: was it trainable, and how far did it move, in each phase."""
        return pd.DataFrame(self.layers, columns=["phase", "layer", "trainable", "moved"])

    @property
    def kept(self) -> Row:
        """The row of the epoch whose weights the model ended with.

        The last one, unless early stopping went back to the best of its phase. `InputError` when
        no epoch was finished.
        """
        row = kept_row(self.epochs, self.events)
        if row is None:
            raise InputError(f"This run finished no epoch, so it has no result. {self._why()}")
        return row

    @property
    def was_cut_short(self) -> bool:
        """Whether somebody ended the run; one that diverged came to its own end."""
        return any(event["kind"] in ("stopped", "interrupted") for event in self.events)

    def _why(self) -> str:
        return " ".join(event["text"] for event in self.events)

    @property
    def metric(self) -> Metric:
        """What the accuracy columns hold: accuracy, unless the history is that of a `Fit`."""
        return self.experiment.metric if isinstance(self.experiment, Fit) else Metric()

    def summary(self) -> str:
        """The run's outcome in one line; also the text under its chart."""
        if not self.epochs:
            return "No epoch finished yet."
        row, name = self.epochs[-1], self.metric.name
        named = "" if name.lower() in ("", "acc", "accuracy") else f", {name}"
        parts = self._outcome(row) or _losses(row) or ["nothing was logged that a chart could show"]
        if (by_heart := row.get("memorised")) is not None:
            parts.append(f"{by_heart:.1%} of the wrong labels memorised")
        return f"Epoch {row['epoch']} of {self.experiment.planned_epochs}{named}: {', '.join(parts)}"

    def _outcome(self, row: Row) -> list[str]:
        """What the accuracy columns hold in a row, and what was measured last where validation waits for its turn."""
        written, parts = self.metric.written, []
        if math.isfinite(row["train_accuracy"]):
            parts.append(f"train {written(row['train_accuracy'])}")
        rows = islice(reversed(self.epochs), LOOK_BACK)
        latest = next((each for each in rows if math.isfinite(each["validation_accuracy"])), None)
        if latest is row:
            parts.append(f"validation {written(row['validation_accuracy'])}")
        elif latest:
            parts.append(f"validation {written(latest['validation_accuracy'])} in epoch {latest['epoch']}")
        if math.isfinite(row["gap"]):
            parts.append(f"gap {self.metric.difference(row['gap'])}")
        return parts

    def tested(self) -> str:
        """What came out on the test part, in a sentence; "" where it was not measured."""
        if self.test is None:
            return ""
        figures = [
            f"{self.test['accuracy']:.1%}",
            f"loss {self.test['loss']:.3f}",
            f"calibration error {100 * self.test['calibration_error']:.1f} points",
        ]
        balanced = self.test.get("balanced_accuracy")
        if balanced is not None and abs(balanced - self.test["accuracy"]) > 1e-6:  # the classes are unequal
            figures.insert(1, f"balanced accuracy {balanced:.1%}")
        return f"On the {self.test['images']} test images, which no choice was made on: {', '.join(figures)}."

    def to_lines(self) -> str:
        """The record as JSON lines: a header, the epochs, events and layers, and what the run ended with.

        That is what the test part gave, and what is said of the validation images.
        """
        return self.growing_lines() + self._last_lines()

    def growing_lines(self) -> str:
        """The lines of a record that grows on: without those that only the end of a run has."""
        return self.header() + self.lines_after(dict.fromkeys(_TABLES, 0))

    def header(self) -> str:
        """The first line of the record: the settings, the images and the software."""
        return _line(kind="run", experiment=self.experiment.to_dict(), data=self.data, versions=self.versions)

    def lines_after(self, written: Mapping[str, int]) -> str:
        """The lines of all rows but the first so many of each kind, for a record that grows."""
        return "".join(
            _line(kind=kind, row=row)
            for kind, table in _TABLES.items()
            for row in getattr(self, table)[written[kind] :]
        )

    def _last_lines(self) -> str:
        test = _line(kind="test", row=self.test) if self.test else ""
        said, kept = self.predictions, kept_row(self.epochs, self.events)
        if said is None or said.probabilities.size > MOST_WRITTEN:
            return test
        if kept is None or kept["epoch"] != said.epoch:  # the run goes on, and may go back to their epoch
            return test
        return test + _line(kind="validation", row=said.to_row())

    def rows(self) -> dict[str, int]:
        """How many rows of each kind there are."""
        return {kind: len(getattr(self, table)) for kind, table in _TABLES.items()}

    def cut(self, rows: Mapping[str, int]) -> None:
        """Forget all but the first so many rows of each kind, and what the run ended with."""
        for kind, table in _TABLES.items():
            del getattr(self, table)[rows[kind] :]
        self.test = self.predictions = None

    @classmethod
    def from_lines(cls, text: str, origin: str) -> History:
        """What `to_lines` wrote; `InputError` names the `origin` and the line that is not a record.

        A last line that was cut short is left out; an event says so. The latest line of kind "experiment", which a run
        writes when its phases change, takes the place of the experiment in the first line.
        """
        return cls(**read_record(text, origin))

    def save(self, path: str | os.PathLike) -> Path:
        """Write the record to a file, beside `path` first and then renamed, so that it is whole or absent."""
        path = Path(path)
        write_whole(path, self.to_lines())
        return path

    @classmethod
    def load(cls, path: str | os.PathLike) -> History:
        """Read what `save` wrote; `InputError` says what is wrong with the file."""
        path = Path(path)
        if not path.is_file():
            raise InputError(f"There is no history file at {path}.")
        return cls.from_lines(text_of(path), str(path))


def _line(**parts: Any) -> str:
    return json.dumps(parts) + "\n"


def _losses(row: Row) -> list[str]:
    """The losses of a row that are numbers."""
    return [
        f"{part} loss {row[f'{part}_loss']:.3g}"
        for part in ("train", "validation")
        if math.isfinite(row[f"{part}_loss"])
    ]
