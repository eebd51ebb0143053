"""Checks of lesson 09, the dashboard."""

from __future__ import annotations

from vgglab.experiment import Experiment, with_seed
from vgglab.history import History
from vgglab.measures.intervals import difference_interval


def _better_run(answer: History, first: History, second: History) -> str | None:
    settings, *tried = (with_seed(run.experiment, 0) for run in (answer, first, second))
    if settings in tried:
        return "these are settings that were run above; try others."
    if answer.data["fingerprint"] != first.data["fingerprint"]:
        return "that run saw other images; leave data set and image size as they were."
    images = first.data["validation"]
    before, after = first.kept, answer.kept
    low, _ = difference_interval(after["validation_accuracy"], images, before["validation_accuracy"], images)
    if low <= 0:
        return "the validation accuracy is not higher by more than the choice of images explains."
    if after["gap"] >= before["gap"]:
        return "it is more often right, but its gap is no smaller."
    return None


def _phases(answer: Experiment) -> str | None:
    if len(answer.phases) != 2:
        return "a change on the way is one more phase: `Experiment(...).then(...)`."
    head, block = answer.phases
    if head.unfreeze != 0 or block.unfreeze != 3:
        return "look at the unfreeze depth of each phase."
    if block.learning_rate != 1e-4 or head.learning_rate == block.learning_rate:
        return "the learning rate changed on the way, not before."
    if (head.epochs, block.epochs) != (10, 20):
        return "each phase counts its own epochs."
    if answer != Experiment(unfreeze=0, epochs=10).then(unfreeze=3, learning_rate=1e-4, epochs=20):
        return "the phases are right, but you changed a setting that the exercise does not name."
    return None


CHECKS = {"09.1": _better_run, "09.2": _phases}
