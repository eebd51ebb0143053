"""The cost card: what a run will take, before it is started, and how good the forecast was."""

from __future__ import annotations

import statistics

from vgglab.datasets import Dataset
from vgglab.experiment import Experiment
from vgglab.history import History
from vgglab.measures.cost import LONG, cost
from vgglab.templates import render


def cost_table(experiment: Experiment, data: Dataset, history: History | None) -> str:
    """The figures as an HTML table; `history` is the latest run, to hold the forecast against.

    Of a run with several phases they are the first one's, but for the time that the run takes.
    """
    figures, *later = [cost(phase, data) for phase in experiment.phases]
    seconds = sum(phase.total_seconds for phase in (figures, *later))
    epochs = sum(phase.epochs for phase in (figures, *later))
    rows = [
        ("parameters", f"{figures.parameters:,} in all, {figures.trainable:,} of them train"),
        ("arithmetic", f"{figures.multiply_adds / 1e6:,.0f} million multiply-adds an image forwards"),
        ("a training step", f"{figures.flops / 1e9:.2f} GFLOP for {experiment.batch_size} images"),
        ("memory", f"about {figures.memory / 1e6:.0f} MB for weights, gradients, Adam and activations"),
        ("kept features", f"{figures.cache / 1e6:.1f} MB" if figures.cache else "none"),
        ("an epoch", f"about {figures.seconds:.2f} s on this machine"),
        ("the run", f"about {seconds:.0f} s for {epochs} epochs"),
    ]
    if history and history.experiment == experiment:
        rows += _measured(history, figures.seconds)
    return render("cost.html", rows=rows, hint=_hint(experiment) if seconds > LONG else "")


def _measured(history: History, forecast: float) -> list[tuple[str, str]]:
    """A row on how long the first phase's epochs took but for the first, which also compiles; or none."""
    seconds = [row["seconds"] for row in history.epochs[1:] if row["phase"] == 1]
    if not seconds:
        return []
    actual = statistics.median(seconds)
    return [("the last run took", f"{actual:.2f} s an epoch, {actual / forecast:.1f} times the forecast")]


def _hint(experiment: Experiment) -> str:
    if experiment.unfreeze > 3:
        return "A smaller unfreeze depth or fewer epochs make it shorter."
    return "Fewer epochs or a smaller image size make it shorter; so does `views` where augmentation is on."
