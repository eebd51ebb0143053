"""The run card: one HTML file with a run's configuration, curves and diagnosis, to hand in or to pin up.

The run's record stands in it as JSON lines, so that others can load the card and compare.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

from vgglab.charts.class_table import described_classes
from vgglab.charts.confusion import described
from vgglab.charts.live import live_svg
from vgglab.errors import InputError
from vgglab.experiment import FIELDS, Experiment
from vgglab.files import written_whole
from vgglab.fit import Fit
from vgglab.history import History
from vgglab.measures.classes import reports_of
from vgglab.measures.diagnosis import diagnose
from vgglab.measures.mistakes import confusion
from vgglab.templates import render

_BEGIN, _END = '<script type="application/jsonl" id="vgglab-history">', "</script>"  # of the record
_WIDEST = 16  # classes whose confusion has room on a card


def run_card(history: History, name: str) -> str:
    """A run as a self-contained HTML page: no scripts, nothing loaded from elsewhere."""
    return render(
        "card.html",
        name=name,
        history=history,
        chart=live_svg(history, logged=True),
        findings=diagnose(history),
        confusion=described(confusion(history), _WIDEST) if history.predictions else None,
        reports=[described_classes(report) for report in reports_of(history)],
        configuration=_configuration(history),
        # JSON's other way to write it: a record can neither end the element that holds it nor hide its end.
        record=history.to_lines().replace("<", "\\u003c"),
    )


def save_card(history: History, name: str, path: str | os.PathLike) -> Path:
    """Write a run card; the file is written beside `path` and then renamed."""
    path = Path(path)
    with written_whole(path) as beside:
        # Names may hold what UTF-8 does not: half a character of a file's name.
        beside.write_bytes(run_card(history, name).encode(errors="xmlcharrefreplace"))
    return path


def load_card(path: str | os.PathLike) -> History:
    """The run that a card shows; `InputError` when the file is not a card."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no run card at {path}.")
    return history_of_card(path.read_text(encoding="utf-8", errors="replace"), str(path))


def history_of_card(page: str, origin: str) -> History:
    """The run in a card's text; `origin` names it in errors."""
    _, begun, rest = page.partition(_BEGIN)
    record, ended, _ = rest.partition(_END)
    if not (begun and ended):
        raise InputError(f"{origin} is not a run card of vgglab: it holds no record of a run.")
    return History.from_lines(record.lstrip(), origin)


def _configuration(history: History) -> list[tuple[str, str]]:
    """A label and a value for each field, or for what is known of a fit that vgglab did not set up."""
    if isinstance(history.experiment, Fit):
        return _of_fit(history.experiment, history)
    return _of_experiment(history.experiment)


def _of_fit(fit: Fit, history: History) -> list[tuple[str, str]]:
    train = (
        "measured after each epoch, like validation" if fit.is_clean else "as Keras logs it, while it learns"
    )
    rates = [row["learning_rate"] for row in history.epochs if math.isfinite(row["learning_rate"])]
    return [
        ("settings", "unknown: vgglab did not set this fit up"),
        ("metric", fit.metric.name or "none that could be drawn"),
        ("train", train),
        ("optimizer", fit.optimizer or "unknown"),
        ("learning rate at the end", f"{rates[-1]:.4g}" if rates else "unknown"),
        ("epochs", str(fit.planned_epochs)),
    ]


def _of_experiment(experiment: Experiment) -> list[tuple[str, str]]:
    """A row for each field; of a later phase only for those that it changed."""
    first, *later = experiment.phases
    rows = [(toggle.label, toggle.written(getattr(first, name))) for name, toggle in FIELDS.items()]
    for number, (before, phase) in enumerate(zip([first, *later], later), start=2):
        rows += [
            (f"{toggle.label}, phase {number}", toggle.written(getattr(phase, name)))
            for name, toggle in FIELDS.items()
            if getattr(phase, name) != getattr(before, name)
        ]
    return rows
