"""The table of runs: what each reached, and in which settings they differ."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from vgglab.experiment import FIELDS, Experiment, with_seed
from vgglab.files import readable
from vgglab.history import History

_COUNTS = ("kept epoch", "epochs run", "planned")


@dataclass
class Row:
    """A run on the table: its record, the folder that it is kept in, if any, and what people have made of it.

    `stem` is that of the files that were written of it, `note` what somebody has written, `state` what keeps it from
    being finished, "" where nothing is left to do.
    """

    history: History
    folder: Path | None = None
    stem: str = ""
    note: str = ""
    is_pinned: bool = False
    state: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether it came to its end."""
        cut_short = any(event["kind"] in ("stopped", "interrupted") for event in self.history.events)
        return bool(self.history.epochs) and not self.state and not cut_short

    @cached_property
    def seedless(self) -> Experiment | None:
        """Its experiment but for the seed; None where it is unknown."""
        experiment = self.history.experiment
        return with_seed(experiment, 0) if isinstance(experiment, Experiment) else None


def compare(runs: Mapping[str, History]) -> pd.DataFrame:
    """A row for each run: what its kept weights reach, its time, and the settings in which the runs differ.

    Accuracies and gaps in per cent and points, of the epoch whose weights were kept, which a column names. A setting
    that a run changed on its way has all of its values in order. There is a column for the planned epochs where a run
    had fewer, and for the accuracy on a test part where one was measured.
    """
    table = pd.DataFrame([_figures(name, history) | _settings(history) for name, history in runs.items()])
    if table.empty:
        return table
    labels = [toggle.label for toggle in FIELDS.values() if not toggle.is_own]
    same = [label for label in labels if table[label].nunique() == 1]
    untested = ["test %"] if table["test %"].isna().all() else []
    as_planned = ["planned"] if (table["planned"] == table["epochs run"]).all() else []
    counts = dict.fromkeys(_COUNTS, "Int64")  # whole numbers, also beside a run that has none
    return table.astype(counts).drop(columns=same + untested + as_planned)


def _figures(name: str, history: History) -> dict[str, Any]:
    kept = history.kept if history.epochs else None
    return {
        "run": readable(name),
        "validation %": kept and round(100 * kept["validation_accuracy"], 1),
        "gap, points": kept and round(100 * kept["gap"], 1),
        "test %": history.test and round(100 * history.test["accuracy"], 1),
        "kept epoch": kept and kept["epoch"],
        "epochs run": len(history.epochs),
        "planned": history.experiment.planned_epochs,
        "seconds": round(sum(row["seconds"] for row in history.epochs), 1),
    }


def _settings(history: History) -> dict[str, str]:
    """The value of every field; of one that later phases changed, all values in order."""
    phases = history.experiment.phases
    values = {
        toggle.label: [toggle.written(getattr(phase, name)) for phase in phases]
        for name, toggle in FIELDS.items()
        if not toggle.is_own
    }
    return {label: " → ".join(each for each, _ in itertools.groupby(of)) for label, of in values.items()}
