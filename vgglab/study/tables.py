"""The study as tidy tables: a curve for every run, and what each run ended with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

from vgglab.experiment import InputError, unknown
from vgglab.files import shipped, written_whole
from vgglab.history import DRIFT
from vgglab.study.evidence import written
from vgglab.study.plan import STUDIES
from vgglab.study.trial import Record, trial_of

FOLDER = shipped("studies")
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


def study_curves(study: str) -> pd.DataFrame:
    """The curves of a study of the course: `arm`, `seed`, `epoch`, and the accuracies and losses.

    They were made by `make study`; accuracies are fractions, 0 to 1.
    """
    return _read(_known(study))


def study_ends(study: str) -> pd.DataFrame:
    """What each run of a study ended with: one row an `arm` and `seed`, a column for each measurement.

    For a run that early stopping took back to its best epoch, that epoch counts.
    """
    ends = _read("ends")
    rows = ends[ends["study"] == _known(study)]
    wide = rows.pivot(index=["arm", "seed"], columns="metric", values="value")
    order = [arm for arm in STUDIES[study] if arm in wide.index.levels[0]]
    return wide.reindex(order, level="arm").rename_axis(columns=None).reset_index()


def claims_ledger(folder: Path | None = None) -> pd.DataFrame:
    """The claims ledger: one row a piece of evidence, with what came out and the verdict on its claim.

    `folder` is where it stands, that of the course by default. Columns: `claim`, `by` (seed or course), `lesson`,
    `says`, `verdict`, `case` (pieces with one number must all support), `words` (the evidence), `n` (seeds, none for
    what is counted), `effect`, `low`, `high`, `unit`, `supports` (yes, no or not tested).
    """
    return _read("claims", folder)


def lesson_claims(lesson: str) -> Styler:
    """What the ledger says on the claims of a lesson, such as "03", as a table to read in its notebook.

    `lesson_claims("03").data` is the plain table; claim and verdict stand in the first row of each claim.
    """
    rows = claims_ledger()
    rows = rows[rows["lesson"] == lesson]
    if rows.empty:
        raise unknown("lesson", lesson, sorted(set(claims_ledger()["lesson"])))
    effects, intervals = zip(*(written(row) for row in rows.itertuples()))
    first = ~rows["claim"].duplicated()
    table = pd.DataFrame(
        {
            "claim": rows["says"].where(first, ""),
            "verdict": rows["verdict"].where(first, ""),
            "evidence": rows["words"],
            "effect": effects,
            "95 % interval": intervals,
            "supports": rows["supports"],
        }
    )
    left = [dict(selector="th, td", props="text-align: left; vertical-align: top; max-width: 24em")]
    bold = {"font-weight": "bold"}
    unbroken = {"white-space": "nowrap"}
    style = table.style.hide().set_table_styles(left).set_properties(["claim", "verdict"], **bold)
    return style.set_properties(["effect", "95 % interval", "supports"], **unbroken)


def _known(study: str) -> str:
    if study not in STUDIES:
        raise unknown("study", study, STUDIES)
    return study


def _read(name: str, folder: Path | None = None) -> pd.DataFrame:
    path = (folder or FOLDER) / f"{name}.csv"
    if not path.is_file():
        raise InputError(f"The study's table is not at {path}. `make study` makes it.")
    return pd.read_csv(path, dtype={"arm": str, "lesson": str, "n": "Int64"})


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
