"""What a run shows, in one sentence; the numbers behind it unfold."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets

from vgglab.history import History
from vgglab.measures.badge import badge
from vgglab.measures.diagnosis import diagnose
from vgglab.panel.inputs import Fold
from vgglab.templates import render


class Verdict(widgets.VBox):
    """`sentence` is what the numbers of the run show first of all, `evidence` all that they show, with intervals.

    `message` is for what happened on the way, and for what went wrong.
    """

    def __init__(self) -> None:
        self.sentence, self.evidence, self.message = widgets.HTML(), widgets.HTML(), widgets.HTML()
        super().__init__([self.sentence, Fold("The numbers behind it", [self.evidence]), self.message])
        self.clear()

    def clear(self) -> None:
        """Nothing is known yet."""
        self.sentence.value = render(
            "verdict.html", sentence="Press Train, and this card tells you what the run shows.", odd=[]
        )
        self.evidence.value = self.message.value = ""

    def show(self, history: History, odd: Sequence[str] = (), whose: str = "") -> None:
        """What a run shows, and `whose` it is where there are several; `odd` are sentences about its images."""
        moved, said = badge(history)
        findings = diagnose(history)
        mark = {True: "✓", False: "✗", None: "…"}[moved]
        said_first = f"{whose} {sentence(history, findings[0].finding)}".lstrip()
        _set(self.sentence, render("verdict.html", sentence=said_first, odd=odd))
        _set(self.evidence, render("diagnosis.html", mark=mark, badge=said, findings=findings))


def sentence(history: History, finding: str) -> str:
    """A finding; where there are several phases, with the one that the run is in."""
    phase = history.epochs[-1]["phase"] if history.epochs else 1
    if phase == 1:
        return finding
    first = next(row["epoch"] for row in history.epochs if row["phase"] == phase)
    return f"{finding.removesuffix('.')} (phase {phase} since epoch {first})."


def _set(line: widgets.HTML, text: str) -> None:
    """Change a line only where it says something else: what is read out loud is not read again."""
    if line.value != text:
        line.value = text
