"""Writes the study's tidy tables: a curve for every run, and what each run ended with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from recipe.study.atlas import COLUMNS, Column, Setting
from recipe.study.photographs import PHOTOGRAPHS
from recipe.study.plan import (
    CHOICE,
    SETTINGS,
    STUDIES,
    Study,
    choices_of,
    chosen_settings,
    setting_name,
)
from recipe.study.trial import Record, trial_of
from recipe.study.verdicts import column as judged
from vgglab.files import written_whole
from vgglab.history import DRIFT
from vgglab.studies import OUTCOMES

CURVES = (
    "train_accuracy",
    "validation_accuracy",
    "gap",
    "train_loss",
    "validation_loss",
    "logged_accuracy",
    "source_accuracy",
    "memorised",
)
EPOCHS = 25  # of a curve in a table
RISING = 0.01  # of train accuracy, from one fifth of a run to the next


def write_tables(
    records: dict[str, Record], studies: Mapping[str, Study], most: int | None, folder: Path
) -> None:
    """Write a table of curves for each of these studies, and the ends of their runs among those of the others.

    `records` go by their trials' keys.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ends = _parts(folder / "ends.csv", "study")
    for name, study in studies.items():
        found = [
            (dict(arm=arm, seed=seed), records[trial_of(each, seed).key])
            for arm, each in study.arms.items()
            for seed in study.seeds[:most]
        ]
        ends[name] = pd.DataFrame([dict(study=name) | of | measurements(record) for of, record in found])
        if not name.endswith(CHOICE):
            _write(pd.concat([_curve(record, **of) for of, record in found]), folder / f"{name}.csv")
    _write_parts(ends, STUDIES, folder / "ends.csv")


def write_settings(
    records: dict[str, Record], columns: Mapping[str, Column], most: int | None, folder: Path
) -> None:
    """Write what each setting of these columns came to on validation, and the best as chosen; of equals, the first.

    What was chosen in other columns stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = _parts(folder / SETTINGS.name, "column")
    for study, choice in choices_of(columns).items():
        name = study.removesuffix(CHOICE)
        column = columns[name]
        found[name] = pd.DataFrame(
            [
                row
                for arm, given in column.arms.items()
                if len(given) > 1
                for row in _compared(records, choice, most, name, arm, given)
            ]
        )
    _write_parts(found, COLUMNS, folder / SETTINGS.name)


def _compared(
    records: dict[str, Record],
    choice: Study,
    most: int | None,
    column: str,
    arm: str,
    given: Sequence[Setting],
) -> list[dict[str, object]]:
    """The settings of a brake, a row each, with the mean validation accuracy over the choosing seeds."""
    means = {}
    for name in (setting_name(given, each) for each in given):
        runs = [trial_of(choice.arms[f"{arm}, {name}"], seed) for seed in choice.seeds[:most]]
        means[name] = np.mean([measurements(records[each.key])["validation_accuracy"] for each in runs])
    best = max(means, key=lambda name: means[name])
    return [
        dict(column=column, arm=arm, setting=name, mean=mean, chosen="yes" if name == best else "no")
        for name, mean in means.items()
    ]


def write_atlas(columns: Mapping[str, Column], folder: Path) -> None:
    """Work these columns of the atlas out from the table of ends in `folder`, and write them among the others."""
    chosen, ends = chosen_settings(), pd.read_csv(folder / "ends.csv", dtype={"arm": str})
    found = _parts(folder / "atlas.csv", "column")
    for name, column in columns.items():
        of_column = ends[ends["study"] == name].set_index(["arm", "seed"]).sort_index()
        rising = of_column["still_rising"].groupby("arm").mean()
        parts = []
        for outcome in OUTCOMES:
            rows = judged({arm: _difference(of_column[outcome], arm) for arm in column.arms})
            if outcome != "test_accuracy":  # only the accuracy is judged
                rows = rows.drop(columns=["p", "sign_flip_p", "adjusted_p", "detectable", "verdict"])
            rows.insert(0, "column", name)
            parts.append(rows.assign(outcome=outcome))
        table = pd.concat(parts)
        table["setting"] = [chosen.get((name, arm), "") for arm in table["arm"]]
        table["predicted"] = ["yes" if arm in column.predicted else "no" for arm in table["arm"]]
        table["still_rising"] = ["yes" if rising[arm] > RISING else "no" for arm in table["arm"]]
        found[name] = table
    _write_parts(found, COLUMNS, folder / "atlas.csv")


def _difference(values: pd.Series, arm: str) -> list[float]:
    return (values[arm] - values["plain"]).tolist()


def _curve(record: Record, arm: str, seed: int) -> pd.DataFrame:
    """A run's curve, of a long run about `EPOCHS` epochs, the first and the last among them."""
    frame = record.history.frame()
    places = np.unique(np.linspace(0, len(frame) - 1, EPOCHS).round().astype(int))
    frame = frame.iloc[places][["epoch", *CURVES]]
    return frame.assign(arm=arm, seed=seed)[["arm", "seed", "epoch", *CURVES]].dropna(axis=1, how="all")


def measurements(record: Record) -> dict[str, float]:
    """What a run ended with; those that its weights or its data do not have are left out."""
    rows, test = record.history.epochs, record.history.test or {}
    kept = {name: record.history.kept.get(name) for name in (*CURVES, *DRIFT)}
    kept["validation_loss_rise"] = rows[-1]["validation_loss"] - min(row["validation_loss"] for row in rows)
    kept["still_rising"] = _still_rising([row["train_accuracy"] for row in rows])
    kept["epoch_seconds"] = float(np.median([row["seconds"] for row in rows]))
    kept |= {f"test_{name}": test[name] for name in ("accuracy", "loss", "calibration_error") if test}
    kept |= record.scores
    return {name: round(float(value), 6) for name, value in kept.items() if value is not None}


def _still_rising(accuracies: list[float]) -> float:
    """How much higher the train accuracy was in the last fifth of a run than in the fifth before."""
    fifth = max(1, len(accuracies) // 5)
    before, last = accuracies[-2 * fifth : -fifth], accuracies[-fifth:]
    return float(np.mean(last) - np.mean(before)) if before else 0.0


def _parts(path: Path, key: str) -> dict[str, pd.DataFrame]:
    """A table as it stands, taken apart by a column; empty where there is none yet."""
    if not path.is_file():
        return {}
    rows = pd.read_csv(path, dtype={"arm": str, "setting": str})
    return {str(name): part for name, part in rows.groupby(key)}


def _write_parts(parts: Mapping[str, pd.DataFrame], order: Collection[str], path: Path) -> None:
    """Put a table together again, in this order and without what is no longer in the plan; nothing while there is no
    part. Somebody's photographs come last.

    With so many digits that a part which is only passed on stays as it is.
    """
    photographs = sorted(name for name in parts if name.startswith(PHOTOGRAPHS))
    there = [parts[name] for name in (*order, *photographs) if name in parts]
    if there:
        _write(pd.concat(there), path, digits=10)


def _write(frame: pd.DataFrame, path: Path, digits: int = 4) -> None:
    with written_whole(path) as beside:
        frame.to_csv(beside, index=False, float_format=f"%.{digits}g")
