"""What an accuracy is worth nothing below: that of guessing, and that of always giving the most frequent class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vgglab.experiment import Experiment
from vgglab.history import History


class Baseline(NamedTuple):
    """What the line is called, and the accuracy that it stands at."""

    name: str
    accuracy: float

    def __str__(self) -> str:
        return f"{self.name} {self.accuracy:.1%}"


def baselines(histories: Sequence[History]) -> list[Baseline]:
    """Of runs on the same classes, from the lowest up; none where a run does not know its classes, or they differ.

    Chance is 1 / classes. The share of the most frequent class is that of the validation part; it is left out where
    all classes have as many images there, and in records that do not count them.
    """
    found = [_of(history) for history in histories]
    return found[0] if found and all(each == found[0] for each in found) else []


def _of(history: History) -> list[Baseline]:
    classes = len(history.data.get("classes", ()))
    if classes < 2 or not isinstance(history.experiment, Experiment):
        return []
    counts = history.data.get("validation_counts") or [1]
    majority = Baseline("most frequent class", max(counts) / sum(counts))
    return [Baseline("chance", 1 / classes)] + ([majority] if len(set(counts)) > 1 else [])


def grouped(lines: Sequence[Baseline], least: float) -> list[tuple[float, str]]:
    """The words that stand on the lines, at an accuracy each; lines that are closer than `least` share theirs."""
    if len(lines) == 2 and lines[1].accuracy - lines[0].accuracy < least:
        return [(lines[1].accuracy, ", ".join(map(str, reversed(lines))))]
    return [(each.accuracy, str(each)) for each in lines]
