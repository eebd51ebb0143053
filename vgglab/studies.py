"""What the course's own runs came out as, over several seeds: readers of the tables that `make study` writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

from vgglab.errors import InputError, unknown
from vgglab.files import shipped

FOLDER = shipped("studies")
# What the atlas says of a brake, and in which unit: the first is what its verdicts are on.
OUTCOMES = {
    "test_accuracy": "points",
    "gap": "points",
    "test_loss": "nats",
    "test_calibration_error": "points",
}
# How the ledger's effects and interval ends are written, by their unit.
FORMATS = {
    "points": ("{:+.1f}", " points"),  # a difference of shares
    "%": ("{:.1f}", " %"),
    "nats": ("{:+.2f}", " nats"),
    "times": ("{:.2f}", " ×"),
    "count": ("{:,.0f}", ""),
    "days": ("{:.2g}", " days"),
    "GB": ("{:.1f}", " GB"),
}


def study_curves(study: str) -> pd.DataFrame:
    """The curves of a study of the course: `arm`, `seed`, `epoch`, and the accuracies and losses.

    They were made by `make study`; accuracies are fractions, 0 to 1.
    """
    _ends_of(study)  # for its error
    return _read(study)


def study_ends(study: str) -> pd.DataFrame:
    """What each run of a study ended with: one row an `arm` and `seed`, a column for each measurement.

    For a run that early stopping took back to its best epoch, that epoch counts.
    """
    return _ends_of(study).drop(columns="study").dropna(axis=1, how="all").reset_index(drop=True)


def study_atlas(outcome: str = "test_accuracy", folder: Path | None = None) -> pd.DataFrame:
    """The atlas, brakes against conditions: one row a `column` and `arm`, with what the arm changes in an outcome.

    `outcome`: one of `OUTCOMES`. `mean`, `low` and `high`: arm minus plain over `n` seeds, with Student's 95 %
    interval, as shares or in nats. `setting`: what was chosen for the arm on other seeds. `predicted`: whether it was
    expected to help, yes or no. `still_rising`: whether its train accuracy still rose at the end. Of the accuracy on
    the test part alone: `p` (paired t), `sign_flip_p`, `adjusted_p` (Holm, over a column), `detectable` (the
    difference that so many seeds see with a power of 80 %) and `verdict`. `folder` is where it stands, that of the
    course by default.
    """
    if outcome not in OUTCOMES:
        raise unknown("outcome", outcome, OUTCOMES)
    rows = _read("atlas", folder)
    return rows[rows["outcome"] == outcome].dropna(axis=1, how="all").reset_index(drop=True)


def claims_ledger(folder: Path | None = None) -> pd.DataFrame:
    """The claims ledger: one row a piece of evidence, with what came out and the verdict on its claim.

    `folder` is where it stands, that of the course by default. Columns: `claim`, `by` (text or course), `lesson`,
    `says`, `images` (drawn flowers, photographs, or none for what is counted), `verdict` (on these images), `case`
    (pieces with one number must all support), `words` (the evidence), `n` (seeds, none for what is counted), `effect`,
    `low`, `high`, `unit`, `supports` (yes, no or not tested).
    """
    return _read("claims", folder)


def lesson_claims(lesson: str) -> Styler:
    """What the ledger says on the claims of a lesson, such as "03", as a table to read in its notebook.

    `lesson_claims("03").data` is the plain table; a claim stands in its first row, a verdict in the first
    of each kind of images.
    """
    rows = claims_ledger()
    rows = rows[rows["lesson"] == lesson]
    if rows.empty:
        raise unknown("lesson", lesson, sorted(set(claims_ledger()["lesson"])))
    effects, intervals = zip(*(written(row) for row in rows.itertuples()))
    first, of_images = ~rows["claim"].duplicated(), ~rows[["claim", "images"]].duplicated()
    table = pd.DataFrame(
        {
            "claim": rows["says"].where(first, ""),
            "on": rows["images"].replace("none", "").where(of_images, ""),
            "verdict": rows["verdict"].where(of_images, ""),
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


def written(row: Any) -> tuple[str, str]:
    """The effect and the interval of a row of the ledger, as its unit writes them; no interval for what is counted."""
    number, suffix = FORMATS[row.unit]
    interval = "" if pd.isna(row.low) else f"{number.format(row.low)} to {number.format(row.high)}"
    return number.format(row.effect) + suffix, interval


def _ends_of(study: str) -> pd.DataFrame:
    ends = _read("ends")
    rows = ends[ends["study"] == study]
    if rows.empty:
        raise unknown("study", study, dict.fromkeys(ends["study"]))
    return rows


def _read(name: str, folder: Path | None = None) -> pd.DataFrame:
    path = (folder or FOLDER) / f"{name}.csv"
    if not path.is_file():
        raise InputError(f"The study's table is not at {path}. `make study` makes it.")
    return pd.read_csv(path, dtype={"arm": str, "lesson": str, "setting": str, "n": "Int64"})
