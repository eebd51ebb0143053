"""How well a run recognises each class, as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from vgglab.history import History

LONGEST = 24  # letters of a class; longer ones are cut in their middle


def print_classes(console: Console, history: History) -> None:
    """A table of the classes for the validation part, and one for the test part, where the run has them.

    Of more than 20 classes the ten of least recall. Each figure stands with its 95 % interval.
    """
    from vgglab.charts.class_table import described_classes
    from vgglab.charts.layout import shortened
    from vgglab.measures.classes import reports_of

    for report in reports_of(history):
        shown = described_classes(report)
        title = f"{report.part} by class, in brackets 95% intervals"
        table = Table(
            "class",
            "images",
            box=SIMPLE_HEAD,
            pad_edge=False,
            collapse_padding=True,
            title=title,
            title_justify="left",
        )
        for heading in shown.headings:
            table.add_column(heading, no_wrap=True)
        for row in shown.rows:
            cells = [f"{value} ({ends})" if ends else value for value, ends in row.cells]
            table.add_row(shortened(row.name, LONGEST), str(row.images), *cells)
        console.print(table)
        for sentence in (shown.sentence, *shown.notes):
            console.print(sentence)
