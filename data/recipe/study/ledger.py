"""The claims ledger: every claim with its evidence and a verdict, as a table and as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from recipe.study.atlas import COLUMNS
from recipe.study.claims import CLAIMS, Claim
from recipe.study.evidence import NATS, NO, POINTS, UNTESTED, YES, Case, Fact, outcome
from recipe.study.photographs import says
from vgglab.errors import InputError
from vgglab.files import write_whole, written_whole
from vgglab.studies import FORMATS, OUTCOMES, claims_ledger, study_atlas, written

FLOWERS, PHOTOS, COUNTED = "drawn flowers", "photographs", "none"  # what a claim's evidence is of
BEGIN, END = "<!-- ledger: made by `make study` -->\n", "<!-- end of the ledger -->\n"
PAGE = """# The claims ledger

This page tests every claim of the course, and of the text behind it, against the runs in this folder. A piece of
evidence *supports* a claim when its whole 95 % interval (Student's t, over the seeds) lies beyond the figure that the
claim names, or beyond no difference. Where a claim says "as good", up to two points less will pass. The two runs of a
pair share images, start and seed. Pieces that belong together, such as a smaller gap and a better accuracy, form one
*case*, and all of them must support the claim. A piece may have tested nothing, and then it does not count. Its two
arms came out alike in every digit, as with early stopping that never stopped. Or what it asks for was not there, as
with a nuisance that costs less than two points.

A claim *holds* when all of its cases support it, and *holds in part* when some do. When none does, the verdict is *not
here*. That does not mean nowhere: the pictures are drawn, the network is small, and five seeds, or the ten of the
atlas, see only large effects. A claim that was counted, not run, is *wrong* everywhere if it is wrong. About one in
twenty of so many intervals errs by chance. In places we sharpened what a claim is held against after we had seen the
runs, because a first version did not ask what the words say. We did not change the difficulty of the tasks. Curves
from random weights differ between processors, and between numbers of threads, after some ten epochs.

`make study` made the tables and this page. `ends.csv` has what every run ended with, the others have the curves.

"""


def ledger(ends: pd.DataFrame) -> pd.DataFrame:
    """The evidence of all claims, one row each, and on every row the verdict on its claim for those images.

    `ends` has the columns `study`, `arm`, `metric`, `seed`, `value`.
    """
    there = set(ends["study"])
    ends = ends.set_index(["study", "arm", "metric"]).sort_index()
    return pd.DataFrame(
        [
            row
            for claim in CLAIMS
            for images, cases in ((FLOWERS, claim.cases), (PHOTOS, _run(claim.photographs, there)))
            for row in _rows(claim, images, cases, ends)
        ]
    ).astype({"n": "Int64"})


def _run(cases: tuple[Case, ...], there: set[str]) -> tuple[Case, ...]:
    """Those whose studies have run: photographs are not everywhere."""
    return tuple(case for case in cases if {study for piece in case for _, study, *_ in piece.terms} <= there)


def _rows(claim: Claim, images: str, cases: tuple[Case, ...], ends: pd.DataFrame) -> list[dict[str, Any]]:
    """The evidence on one kind of images, a row a piece, each with the verdict on the claim there."""
    found = [[piece.of(ends) for piece in case] for case in cases]
    counted = all(isinstance(piece, Fact) for case in cases for piece in case)
    outcomes = [outcome([finding.supports for finding in case]) for case in found]
    said = verdict(outcomes, failed="wrong" if counted else "not here")
    images = COUNTED if counted else images
    about = dict(
        claim=claim.name, by=claim.by, lesson=claim.lesson, says=claim.says, images=images, verdict=said
    )
    return [
        about | dict(case=number) | finding._asdict()
        for number, case in enumerate(found, start=1)
        for finding in case
    ]


def long(ends: pd.DataFrame) -> pd.DataFrame:
    """The table of ends with a row for each measurement: `study`, `arm`, `seed`, `metric`, `value`."""
    return ends.melt(["study", "arm", "seed"], var_name="metric").dropna(subset="value")


def verdict(outcomes: list[str], failed: str) -> str:
    """On a claim, from the outcomes of its cases; `failed` is what to say when none supports it."""
    if NO in outcomes:
        return "holds in part" if YES in outcomes else failed
    return "holds" if YES in outcomes else UNTESTED


def write_ledger(folder: Path) -> None:
    """Work the ledger out from the table of ends in `folder`, and write it there, as a table and as a page."""
    table = ledger(long(pd.read_csv(folder / "ends.csv", dtype={"arm": str})))
    with written_whole(folder / "claims.csv") as beside:
        table.round(4).to_csv(beside, index=False, float_format="%.12g")
    # From the files, so that page and files say the same to the last digit.
    write_whole(folder / "README.md", PAGE + atlas_page(folder) + page(claims_ledger(folder)))


def put_into(readme: Path, table: pd.DataFrame) -> None:
    """Replace what stands between the two marks of a page by the summary of the ledger."""
    before, begin, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise InputError(f"{readme} has no place for the ledger, between {BEGIN.strip()} and {END.strip()}.")
    write_whole(readme, before + begin + summary(table) + end + after)


def summary(table: pd.DataFrame) -> str:
    """One line a claim, as Markdown: the verdict on drawn flowers, and, where there is one, on photographs."""
    kinds = [FLOWERS, *([PHOTOS] if PHOTOS in set(table["images"]) else [])]
    lines = [f"| lesson | claim | by | {' | '.join(kinds)} |", "|---|---|---|" + "---|" * len(kinds)]
    for _, rows in table.groupby("claim", sort=False):
        first = rows.iloc[0]
        of_kind = rows["images"].replace(COUNTED, FLOWERS)  # what is counted stands in the first column
        said = [_verdict_in_short(rows[of_kind == kind]) for kind in kinds]
        lines.append(f"| {first.lesson} | {first.says} | {first.by} | {' | '.join(said)} |")
    return "\n".join(lines) + "\n"


def _verdict_in_short(rows: pd.DataFrame) -> str:
    return f"**{rows.iloc[0].verdict}** ({_in_short(rows)})" if len(rows) else ""


def _in_short(rows: pd.DataFrame) -> str:
    if rows["n"].isna().all():
        return "counted: " + ", ".join(written(row)[0] for row in rows.itertuples())
    outcomes = [outcome(list(case)) for _, case in rows.groupby("case")["supports"]]
    untested = outcomes.count(UNTESTED)
    left = f", {untested} {UNTESTED}" if untested else ""
    return f"{outcomes.count(YES)} of {len(outcomes) - untested}{left}"


def page(table: pd.DataFrame) -> str:
    """Every piece of evidence, claim by claim, as Markdown."""
    parts = []
    for name, rows in table.groupby("claim", sort=False):
        first = rows.iloc[0]
        parts.append(
            f"## {first.says}\n\n*{name}*, lesson {first.lesson}, the {first.by}'s: {_verdicts(rows)}\n"
        )
        parts.append(_PAGE_HEADER)
        parts += [_line(row) for row in rows.itertuples()]
        parts.append("")
    return "\n".join(parts)


def _verdicts(rows: pd.DataFrame) -> str:
    """The verdict on each kind of images, and that they disagree where they do."""
    said = {str(kind): of_kind.iloc[0].verdict for kind, of_kind in rows.groupby("images", sort=False)}
    words = ", ".join(f"{'' if kind == COUNTED else f'on {kind} '}**{said[kind]}**" for kind in said)
    return words + (". They disagree." if len(set(said.values())) > 1 else "")


_PAGE_HEADER = """| images | case | evidence | n | effect | 95 % interval | supports |
|---|---|---|---|---|---|---|"""
ATLAS_PAGE = """## The atlas

What each brake changes in the accuracy on the test part, in points: the mean over ten seeds, Student's 95 % interval,
p of the paired t test, the same adjusted for all brakes of the condition (Holm), p of the sign-flip test, the
difference that ten seeds see with a power of 80 %, and the verdict. Beside it the change in the gap (on validation), in
the test loss and in the calibration error, each with its interval. *Predicted* is what was expected to help, before the
runs; ↗ marks brakes under which the train accuracy still rose at the end.

"""
_HEADER = """
| brake | setting | predicted | test accuracy | p | adjusted p | sign-flip p | seen | verdict | gap | test loss \
| calibration error |
|---|---|---|---|---|---|---|---|---|---|---|---|
"""


def atlas_page(folder: Path) -> str:
    """The conditions of the atlas that have run, as Markdown, a table each; nothing while none has."""
    if not (folder / "atlas.csv").is_file():
        return ""
    accuracy, *others = (study_atlas(outcome, folder) for outcome in OUTCOMES)
    parts = [ATLAS_PAGE]
    for name, rows in accuracy.groupby("column", sort=False):
        heading = COLUMNS[str(name)].says if name in COLUMNS else says(str(name))
        parts.append(f"### {heading}\n{_HEADER}")
        for place, row in rows.iterrows():
            cells = [*_judged_cells(row), *(_interval(each.loc[place]) for each in others)]
            parts.append(f"| {' | '.join(cells)} |\n")
        parts.append("\n")
    return "".join(parts)


def _judged_cells(row: pd.Series) -> list[str]:
    rising = " ↗" if row["still_rising"] == "yes" else ""
    setting = row.get("setting")
    return [
        row["arm"] + rising,
        setting if isinstance(setting, str) else "",
        row["predicted"],
        _interval(row),
        *(f"{row[name]:.2g}" for name in ("p", "adjusted_p", "sign_flip_p")),
        f"{100 * row['detectable']:.1f}",
        f"**{row['verdict']}**",
    ]


def _interval(row: pd.Series) -> str:
    unit = {each.name: each for each in (POINTS, NATS)}[OUTCOMES[row["outcome"]]]
    number, _ = FORMATS[unit.name]
    mean, low, high = (number.format(unit.inwards(row[name])) for name in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def _line(row: Any) -> str:
    effect, interval = written(row)
    n = "counted" if pd.isna(row.low) else row.n
    return f"| {row.images} | {row.case} | {row.words} | {n} | {effect} | {interval} | {row.supports} |"
