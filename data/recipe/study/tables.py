"""Writes the study's tidy tables: a curve for every run, and what each run ended with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from recipe.study.plan import STUDIES
from recipe.study.trial import Record, trial_of
from vgglab.files import written_whole
from vgglab.history import DRIFT

CURVES = (
    "train_accuracy",
    "validation_accuracy",
    "gap",
    "train_loss",
    "validation_loss",
    "logged_accuracy",
    "source_accuracy",
)
DIGITS = 4


def write_tables(records: dict[str, Record], seeds: range, folder: Path) -> None:
    """Write one table of curves for every study, and one of all ends; `records` go by their trials' keys."""
    folder.mkdir(parents=True, exist_ok=True)
    ends = []
    for study, arms in STUDIES.items():
        curves = []
        for name, arm in arms.items():
            for seed in seeds:
                record = records[trial_of(arm, seed).key]
                curves.append(_curve(record, name, seed))
                ends += [
                    dict(study=study, arm=name, seed=seed, metric=metric, value=value)
                    for metric, value in measurements(record).items()
                ]
        _write(pd.concat(curves), folder / f"{study}.csv")
    _write(pd.DataFrame(ends), folder / "ends.csv")


def _curve(record: Record, arm: str, seed: int) -> pd.DataFrame:
    frame = record.history.frame()[["epoch", *CURVES]].astype(dict.fromkeys(CURVES, float))
    return frame.assign(arm=arm, seed=seed)[["arm", "seed", "epoch", *CURVES]]


def measurements(record: Record) -> dict[str, float]:
    """What a run ended with; those that its weights do not have are left out."""
    rows = record.history.epochs
    kept = {name: record.history.kept.get(name) for name in (*CURVES, *DRIFT)}
    kept["validation_loss_rise"] = rows[-1]["validation_loss"] - min(row["validation_loss"] for row in rows)
    kept["epoch_seconds"] = float(np.median([row["seconds"] for row in rows]))
    kept |= record.scores
    return {name: round(float(value), 6) for name, value in kept.items() if value is not None}


def _write(frame: pd.DataFrame, path: Path) -> None:
    with written_whole(path) as beside:
        frame.to_csv(beside, index=False, float_format=f"%.{DIGITS}g")
