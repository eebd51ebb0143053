"""Writes the study's tidy tables: a curve for every run, and what each run ended with."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from recipe.study.atlas import COLUMNS
from recipe.study.plan import CHOICES, SEEDS, SETTINGS, STUDIES, chosen_settings, setting_name
from recipe.study.trial import Record, trial_of
from recipe.study.verdicts import column as column_of
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


def write_tables(records: dict[str, Record], studies: Iterable[str], most: int | None, folder: Path) -> None:
    """Write a table of curves for each of these studies, and the ends of their runs among those of the others.

    `records` go by their trials' keys.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ends = _ends_in(folder)
    for study in studies:
        found = [
            (dict(arm=name, seed=seed), records[trial_of(arm, seed).key])
            for name, arm in STUDIES[study].items()
            for seed in SEEDS[study][:most]
        ]
        ends[study] = pd.DataFrame([dict(study=study) | of | measurements(record) for of, record in found])
        if study not in CHOICES:
            _write(pd.concat([_curve(record, **of) for of, record in found]), folder / f"{study}.csv")
    _write(pd.concat([ends[study] for study in STUDIES if study in ends]), folder / "ends.csv", digits=6)


def _ends_in(folder: Path) -> dict[str, pd.DataFrame]:
    """The table of ends as it is, by study; studies that there are no more are left out."""
    if not (folder / "ends.csv").is_file():
        return {}
    ends = pd.read_csv(folder / "ends.csv", dtype={"arm": str})
    return {
        study: rows.dropna(axis=1, how="all") for study, rows in ends.groupby("study") if study in STUDIES
    }


def write_settings(records: dict[str, Record], most: int | None, folder: Path) -> None:
    """Write what each setting of the atlas came to on validation, and the best as chosen; of equals, the first."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, column in COLUMNS.items():
        for arm, given in column.arms.items():
            if len(given) == 1:
                continue
            means = {
                (setting := setting_name(given, each)): _mean_validation(records, name, arm, setting, most)
                for each in given
            }
            best = max(means, key=lambda setting: means[setting])
            rows += [
                dict(column=name, arm=arm, setting=each, mean=mean, chosen="yes" if each == best else "no")
                for each, mean in means.items()
            ]
    _write(pd.DataFrame(rows), folder / SETTINGS.name, digits=6)


def write_atlas(folder: Path) -> None:
    """Work the atlas out from the table of ends in `folder`, and write it there."""
    chosen, ends = chosen_settings(), pd.read_csv(folder / "ends.csv", dtype={"arm": str})
    parts = []
    for name, column in COLUMNS.items():
        of_column = ends[ends["study"] == name].set_index(["arm", "seed"]).sort_index()
        for outcome in OUTCOMES:
            differences = {arm: _difference(of_column[outcome], arm) for arm in column.arms}
            rows = column_of(differences).assign(outcome=outcome)
            if outcome != OUTCOMES[0]:  # only the accuracy is judged
                rows = rows.drop(columns=["p", "sign_flip_p", "adjusted_p", "detectable", "verdict"])
            rows.insert(0, "column", name)
            rows["setting"] = [chosen.get((name, arm), "") for arm in rows["arm"]]
            rows["predicted"] = ["yes" if arm in column.predicted else "no" for arm in rows["arm"]]
            rising = of_column["still_rising"].groupby("arm").mean()
            rows["still_rising"] = ["yes" if rising[arm] > RISING else "no" for arm in rows["arm"]]
            parts.append(rows)
    _write(pd.concat(parts), folder / "atlas.csv", digits=5)


def _difference(values: pd.Series, arm: str) -> list[float]:
    return (values[arm] - values["plain"]).tolist()


def _mean_validation(
    records: dict[str, Record], column: str, arm: str, setting: str, most: int | None
) -> float:
    study = f"{column}_settings"
    runs = [trial_of(STUDIES[study][f"{arm}, {setting}"], seed) for seed in SEEDS[study][:most]]
    return float(np.mean([measurements(records[each.key])["validation_accuracy"] for each in runs]))


def _curve(record: Record, arm: str, seed: int) -> pd.DataFrame:
    """A run's curve, of a long run about `EPOCHS` epochs, the first and the last among them."""
    frame = record.history.frame()
    places = np.unique(np.linspace(0, len(frame) - 1, EPOCHS).round().astype(int))
    frame = frame.iloc[places][["epoch", *CURVES]].astype(dict.fromkeys(CURVES, float))
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


def _write(frame: pd.DataFrame, path: Path, digits: int = 4) -> None:
    with written_whole(path) as beside:
        frame.to_csv(beside, index=False, float_format=f"%.{digits}g")
