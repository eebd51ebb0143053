"""What a run's numbers are worth: trends, intervals, what guessing reaches; and the words to quote them in."""

from __future__ import annotations

import math
from typing import NamedTuple

from vgglab.experiment import Experiment, what_changed
from vgglab.history import History, Row
from vgglab.measures.intervals import Interval, difference_interval, wilson

STEP = 0.01  # of a loss: a smaller improvement on the lowest before counts as none


class Guess(NamedTuple):
    """What somebody reaches on the training images who knows how frequent each class is, and nothing else."""

    accuracy: float  # of always giving the most frequent class
    loss: float  # of giving each class its frequency


def guess(history: History) -> Guess | None:
    """What guessing reaches; None where fewer than two classes are known.

    A record that does not count its classes has them equally frequent.
    """
    classes = len(history.data.get("classes", ()))
    images = history.data.get("train_counts") or [1] * classes
    if classes < 2:
        return None
    shares = [count / sum(images) for count in images if count]
    return Guess(max(shares), -sum(share * math.log(share) for share in shares))


def guessing(history: History, guess: Guess) -> str:
    """What guessing reaches, in words that end a sentence."""
    classes = len(history.data["classes"])
    if math.isclose(guess.accuracy, 1 / classes):
        how = f"guessing among {classes} equally frequent classes gives {guess.accuracy:.1%}"
    else:
        how = f"always answering with the most frequent of the {classes} classes gives {guess.accuracy:.1%}"
    return f"{how} and their frequencies a loss of {guess.loss:.3f}."


def since(history: History) -> str:
    """Which phase the latest epoch is in, since when and with what change; "" in the first one."""
    number = history.epochs[-1]["phase"]
    if number == 1:
        return ""
    before, now = history.experiment.phases[number - 2 : number]
    words = ", ".join(what_changed(before, now)) or "nothing changed"
    return f"phase {number}, since epoch {phase_rows(history)[0]['epoch']} ({words})"


def counts(history: History) -> tuple[int, int]:
    """How many images train and validation accuracy were measured on."""
    return min(history.data["train"], history.data["validation"]), history.data["validation"]


def gap_interval(history: History, row: Row | None = None) -> Interval:
    """Where the gap of an epoch lies, of the latest by default."""
    row, (train, validation) = row or history.epochs[-1], counts(history)
    return difference_interval(row["train_accuracy"], train, row["validation_accuracy"], validation)


def latest_phase(history: History) -> Experiment:
    return history.experiment.phases[history.epochs[-1]["phase"] - 1]


def phase_rows(history: History) -> list[Row]:
    return [row for row in history.epochs if row["phase"] == history.epochs[-1]["phase"]]


def lowest(history: History) -> Row:
    return min(history.epochs, key=lambda row: row["validation_loss"])


def improved(rows: list[Row], column: str, window: int) -> bool:
    losses = [row[column] for row in rows]
    return min(losses[-window:]) < (1 - STEP) * min(losses[:-window])


def still(history: History, column: str, window: int) -> bool:
    rows = history.epochs
    return len(phase_rows(history)) >= window < len(rows) and not improved(rows, column, window)


def wrong_share(history: History) -> float:
    """Of the training labels, the share that is wrong."""
    return history.data.get("wrong_labels", 0) / history.data["train"]


def knows_by_heart(history: History) -> bool:
    """Whether wrong labels are said more often than the network's errors alone would say them.

    A label that was drawn without looking at the image is hit by an error once in (classes - 1).
    """
    row, (images, validation) = history.epochs[-1], counts(history)
    classes = len(history.data.get("classes", ()))
    if row.get("memorised") is None or classes < 2:
        return False
    wrong = max(1, round(images * wrong_share(history)))
    known, _ = wilson(row["memorised"], wrong)
    right, _ = wilson(row["validation_accuracy"], validation)
    return known > (1 - right) / (classes - 1)


def measured(history: History) -> str:
    """The latest epoch's figures with their intervals, and the phase that it is in."""
    row, parts = history.epochs[-1], []
    for name, n in zip(("train", "validation"), counts(history)):
        share = row[f"{name}_accuracy"]
        low, high = wilson(share, n)
        parts.append(f"{name} {share:.1%} of {n} images ({low:.1%} to {high:.1%})")
    gap = f"gap {tenths(row['gap'])} points ({points(*gap_interval(history))})"
    phase = f" It is in {since(history)}." if since(history) else ""
    text = f"Epoch {row['epoch']}: {', '.join(parts)}, {gap}; 95% intervals.{phase}"
    if row.get("memorised") is None or not wrong_share(history):
        return text
    wrong = f"{history.data['wrong_labels']} of {history.data['train']}"
    return (
        f"{text} Train is measured against the labels that are trained on, of which {wrong} are wrong; "
        f"{row['memorised']:.1%} of the wrong ones have been memorised."
    )


def best_epoch(history: History) -> str:
    row, epochs = lowest(history), len(history.epochs)
    return (
        f"The lowest validation loss was {row['validation_loss']:.3f} in epoch {row['epoch']}, at "
        f"{row['validation_accuracy']:.1%} on validation; the best of {epochs} epochs is an optimistic pick."
    )


def tenths(share: float) -> str:
    return f"{round(100 * share, 1) + 0.0:.1f}"  # + 0.0 takes the sign from -0.0


def points(low: float, high: float) -> str:
    return f"{tenths(low)} to {tenths(high)} points"
