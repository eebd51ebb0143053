"""What a page says of the classes of a run: a row for each or, of many, for those that are recognised least."""

from __future__ import annotations

from dataclasses import dataclass

from vgglab.measures.class_intervals import Estimate
from vgglab.measures.classes import FIGURES, ClassReport

HEADINGS = dict(recall="recall %", precision="precision %", f1="F1 %", auc="AUC %")  # of `FIGURES`


@dataclass(frozen=True)
class Row:
    """A class in words: its name, how many images it has, and each figure with the ends of its interval, or ""."""

    name: str
    images: int
    cells: list[tuple[str, str]]


@dataclass(frozen=True)
class DescribedClasses:
    """A report for the template `classes.html`, or for a table elsewhere."""

    sentence: str
    headings: list[str]
    rows: list[Row]
    notes: list[str]


def described_classes(report: ClassReport, most: int = 20) -> DescribedClasses:
    """A `class_report` for a page or a terminal: all of at most `most` classes, of more the ten of least recall."""
    places = report.listed(most)
    rows = [
        Row(
            str(report.classes.index[place]),
            int(report.classes["images"].iloc[place]),
            [_cell(report.figure(name, place)) for name in FIGURES],
        )
        for place in places
    ]
    left_out = len(report.classes) - len(rows)
    more = (
        [f"The {len(rows)} classes of least recall are shown; {left_out} more are not."] if left_out else []
    )
    return DescribedClasses(str(report), [HEADINGS[name] for name in FIGURES], rows, [*more, *report.notes])


def _cell(figure: Estimate) -> tuple[str, str]:
    if not figure.is_defined:
        return "undefined", ""
    return f"{100 * figure.value:.0f}", f"{100 * figure.low:.0f}-{100 * figure.high:.0f}"
