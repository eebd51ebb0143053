"""What a run's numbers say in words: what is happening, the evidence with its uncertainty, what to try next.

An interval covers the chance in which images were measured, not another seed, nor that somebody looks
after every epoch. Losses are recorded without their spread: rules on them have a margin instead.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from dataclasses import dataclass

from vgglab.experiment import CONV_LAYERS, FIELDS, Experiment, brakes, random_changes
from vgglab.history import History, Row
from vgglab.measures.intervals import Interval, difference_interval, difference_of_intervals, wilson

EARLIEST = 3  # epochs: fewer points show no trend
RECENT = 3  # epochs: one or two are a spike, from which training without normalisation recovers
SEVERAL = 5  # epochs: from random weights, a new low or the first accuracy above chance takes some
PLATEAU = 10  # epochs: the patience of the classic recipe
STEP = 0.01  # of a loss: a smaller improvement on the lowest before counts as none
CLEARLY = 0.1  # of a loss: single epochs jump about by so much, `RECENT` ones in a row seldom do
BLOWN_UP = 2  # times the loss it started from: overfitting lowers the train loss, and spikes are shorter
LOW = 0.9  # train accuracy: without regularisation it passes 99 %, so clearly less than this is little
VAGUE = 0.1  # half the width of the gap's interval: beyond, not even its first digit is known


@dataclass(frozen=True)
class Diagnosis:
    """One thing that a run's numbers show.

    `finding` is a plain sentence, `evidence` its numbers (accuracies in percent, the gap in points),
    `advice` the field to try next in the words of the panel; "" where the numbers suggest none.
    """

    kind: str
    finding: str
    evidence: str
    advice: str = ""


def badge(history: History) -> tuple[bool | None, str]:
    """Did it train: whether exactly the trainable layers moved, and a sentence; None before a phase ended.

    A phase that was stopped in its first epoch counts only if something in it went wrong.
    """
    finished = {row["phase"] for row in history.epochs}
    good, bad = [], []
    for number in dict.fromkeys(row["phase"] for row in history.layers):
        rows = [row for row in history.layers if row["phase"] == number]
        faults = {
            "no longer numbers": [row for row in rows if row["moved"] is None],
            "trainable but unmoved": [row for row in rows if row["trainable"] and row["moved"] == 0],
            "frozen but moved": [row for row in rows if not row["trainable"] and row["moved"]],
        }
        if number not in finished:  # there may have been no step
            del faults["trainable but unmoved"]
        named = {what: ", ".join(row["layer"] for row in which) for what, which in faults.items()}
        said = [f"{what}: {names}" for what, names in named.items() if names]
        trained = sum(row["trainable"] for row in rows)
        if said:
            bad.append(f"Phase {number}, {'; '.join(said)}.")
        elif number in finished:
            frozen = len(rows) - trained
            good.append(f"Phase {number}: {trained} trainable layers moved, {frozen} frozen ones stayed.")
    if bad:
        return False, " ".join(bad)
    return (True, " ".join(good)) if good else (None, "No phase has ended yet, so what moved is not known.")


def diagnose(history: History) -> list[Diagnosis]:
    """What a run's numbers show, the most important first; never empty.

    The history may still grow, and may be that of a run that was stopped. The last epoch counts.
    """
    history = dataclasses.replace(
        history, epochs=[*history.epochs], events=[*history.events], layers=[*history.layers]
    )
    if diverging := _diverging(history):
        return [diverging]
    well, moved = badge(history)
    wrong = "Not exactly the layers that were told to train have trained."
    found = [Diagnosis("not-training", wrong, moved)] if well is False else []
    if len(history.epochs) < EARLIEST:
        planned = history.experiment.planned_epochs
        advice = _advice("more", "epochs") if planned < EARLIEST else ""
        early = f"Too early to tell: a trend takes at least {EARLIEST} epochs."
        return [*found, Diagnosis("too-early", early, history.summary(), advice)]
    if not (history.data.get("train") and history.data.get("validation")):
        uncounted = "This record does not say how many images were measured, so the uncertainty is unknown."
        return [*found, Diagnosis("too-small-to-tell", uncounted, history.summary())]
    # The first of them that applies is what is happening; what follows has to be borne in mind beside it.
    rules = (_not_training, _overfitting, _underfitting, _improving, _plateau)
    found += list(itertools.islice(filter(None, (rule(history) for rule in rules)), 1))
    found += filter(None, [_augmentation_too_strong(history), _too_small(history)])
    gap = "There is a gap, but whether it does harm" if _gap(history)[0] > 0 else "What is happening"
    unclear = Diagnosis("nothing-clear", f"{gap} does not show clearly in these numbers.", _measured(history))
    return found or [unclear]


def _diverging(history: History) -> Diagnosis | None:
    """The run ended with a loss that is no number, or the train loss stays far above its start and chance."""
    advice = _advice("a lower", "learning_rate")
    for event in history.events:
        if event["kind"] == "diverged":
            return Diagnosis("diverging", "The training diverged.", event["text"], advice)
    rows, phase, classes = history.epochs, _phase_rows(history), len(history.data.get("classes", ()))
    if len(phase) < RECENT or classes < 2:
        return None
    start = rows[max(0, len(rows) - len(phase) - 1)]  # where the phase before ended, if there was one
    losses = [row["train_loss"] for row in phase[-RECENT:]]
    if min(losses) <= max(BLOWN_UP * start["train_loss"], math.log(classes)):
        return None
    finding = "The training is diverging: the loss on the training images is far above its start."
    after = ", ".join(f"{loss:.3f}" for loss in losses)
    evidence = f"Train loss {start['train_loss']:.3f} in epoch {start['epoch']}, lately {after}; "
    return Diagnosis("diverging", finding, evidence + _guessing(classes), advice)


def _not_training(history: History) -> Diagnosis | None:
    """The train loss is the very same number, or accuracy and loss are still those of guessing."""
    rows, losses = history.epochs, [row["train_loss"] for row in _phase_rows(history)]
    if len(losses) >= RECENT and len(set(losses)) == 1 and rows[-1]["train_accuracy"] < 1:
        finding = "Nothing changes: the loss on the training images is always the same number."
        evidence = f"Train loss {losses[0]:.3f} in each of the last {len(losses)} epochs."
        return Diagnosis("not-training", finding, evidence, _advice("a higher", "learning_rate"))
    classes = len(history.data.get("classes", ()))
    if len(rows) < SEVERAL or classes < 2:
        return None
    for row in rows[-RECENT:]:
        low, _ = wilson(row["train_accuracy"], _counts(history)[0])
        # Few images leave a high accuracy uncertain as well; a loss below chance is then a sign of learning.
        if low > 1 / classes or row["train_loss"] < (1 - CLEARLY) * math.log(classes):
            return None
    finding = "The accuracy on the training images cannot be told from guessing."
    loss = rows[-1]["train_loss"]
    how = "a lower" if loss > BLOWN_UP * math.log(classes) else "another"
    evidence = f"{_measured(history)} Train loss {loss:.3f}; {_guessing(classes)}"
    return Diagnosis("not-training", finding, evidence, _advice(how, "learning_rate"))


def _overfitting(history: History) -> Diagnosis | None:
    """A gap, or wrong labels known by heart, and a validation loss that has risen, or stays while the gap has grown."""
    rows, first, now = history.epochs, history.epochs[0], history.epochs[-1]
    lowest = min(row["validation_loss"] for row in rows[-RECENT:])
    risen = lowest > (1 + CLEARLY) * _lowest(history)["validation_loss"]
    # The two epochs share their images, so taking them for independent makes this rather too wide.
    growth = difference_of_intervals(now["gap"], _gap(history, now), first["gap"], _gap(history, first))
    grown = growth[0] > 0 and _still(history, "validation_loss", PLATEAU)
    by_heart = _by_heart(history)
    if not (by_heart or _gap(history)[0] > 0) or not (risen or grown):
        return None
    worse = "has risen" if risen else "no longer falls"
    finding = (
        f"It overfits: training images are recognised better than validation images, and their loss {worse}."
    )
    if by_heart:
        finding = f"It overfits: wrong labels are known by heart, and the validation loss {worse}."
    evidence = [_measured(history), _best_text(history)]
    if risen:
        evidence.append(f"In the last {RECENT} epochs it was at least {lowest:.3f}.")
    if grown:
        evidence.append(f"Since epoch 1 the gap has grown by {_points(*growth)} (95% interval).")
    if history.kept is not now:
        evidence.append(f"The weights of epoch {history.kept['epoch']} were restored.")
    phase = _phase(history)
    unused = brakes(phase, on=False)
    advice = _advice("a smaller", "unfreeze") if phase.unfreeze else ""
    if unused:
        advice = f"Try {_label(unused[0])}."
    return Diagnosis("overfitting", finding, " ".join(evidence), advice)


def _underfitting(history: History) -> Diagnosis | None:
    """The train accuracy is clearly low, the train loss has stopped falling, and there is no gap."""
    if not _low_and_still(history) or _gap(history)[0] > 0:
        return None
    what = "training images whose labels are right" if _wrong_share(history) else "training images"
    finding = f"It underfits: not even the {what} are learned, and the train loss has stopped falling."
    phase = _phase(history)
    held = [name for name in brakes(phase) if FIELDS[name].role != "schedule"]
    advice = _advice("less", held[0]) if held else _advice("another", "learning_rate")
    if phase.unfreeze < CONV_LAYERS:
        advice = _advice("a larger", "unfreeze")
    return Diagnosis("underfitting", finding, _measured(history), advice)


def _improving(history: History) -> Diagnosis | None:
    """The validation loss has reached a new low in the latest epochs, with a gap or without one."""
    rows = history.epochs
    if not _improved(rows, "validation_loss", min(SEVERAL, len(rows) - 1)):
        return None
    kind, finding = "still-learning", "It is still learning: the validation loss improves."
    if _gap(history)[0] > 0:
        kind = "memorised-but-fine"
        finding = "There is a gap between train and validation, but the validation loss still improves."
    ended = len(rows) >= history.experiment.planned_epochs
    evidence = f"{_measured(history)} {_best_text(history)}"
    return Diagnosis(kind, finding, evidence, _advice("more", "epochs") if ended else "")


def _plateau(history: History) -> Diagnosis | None:
    """The validation loss has had no new low for many epochs of this phase."""
    if not _still(history, "validation_loss", PLATEAU):
        return None
    finding = f"A plateau: the validation loss has not improved by {STEP:.0%} in the last {PLATEAU} epochs."
    evidence = f"{_measured(history)} {_best_text(history)}"
    return Diagnosis("plateau", finding, evidence, _advice("a lower", "learning_rate"))


def _augmentation_too_strong(history: History) -> Diagnosis | None:
    """Clean train accuracy low and still, and that on the changed images lower yet: a suspicion only."""
    row, phase, (images, _) = history.epochs[-1], _phase(history), _counts(history)
    labels = [_label(name) for name in random_changes(phase)]
    logged = row["logged_accuracy"]
    lower = difference_interval(row["train_accuracy"], images, logged, history.data["train"])
    if not labels or not _low_and_still(history) or lower[0] <= 0:
        return None
    finding = "The changed images may be too hard to learn from: a suspicion, which another run can test."
    evidence = (
        f"{_measured(history)} The logged accuracy, on changed images, is {logged:.1%}, lower than train by "
        f"{_points(*lower)} (95% interval); dropout and learning within the epoch lower it as well."
    )
    return Diagnosis("augmentation-too-strong", finding, evidence, f"Try less {' or '.join(labels)}.")


def _too_small(history: History) -> Diagnosis | None:
    """The gap cannot be told from none, or is known too vaguely to be compared."""
    low, high = _gap(history)
    if not low <= 0 <= high and (high - low) / 2 <= VAGUE:
        return None
    known = "cannot be told from none" if low <= 0 <= high else "is known only vaguely"
    train, validation = _counts(history)
    finding = f"With {train} training and {validation} validation images measured, the gap {known}."
    scarce = "training" if train < validation else "validation"
    advice = _advice(f"more {scarce} images in the", "dataset")
    return Diagnosis("too-small-to-tell", finding, _measured(history), advice)


def _counts(history: History) -> tuple[int, int]:
    """How many images train and validation accuracy were measured on."""
    return min(history.data["train"], history.data["validation"]), history.data["validation"]


def _gap(history: History, row: Row | None = None) -> Interval:
    row, (train, validation) = row or history.epochs[-1], _counts(history)
    return difference_interval(row["train_accuracy"], train, row["validation_accuracy"], validation)


def _phase(history: History) -> Experiment:
    return history.experiment.phases[history.epochs[-1]["phase"] - 1]


def _phase_rows(history: History) -> list[Row]:
    return [row for row in history.epochs if row["phase"] == history.epochs[-1]["phase"]]


def _lowest(history: History) -> Row:
    return min(history.epochs, key=lambda row: row["validation_loss"])


def _improved(rows: list[Row], column: str, window: int) -> bool:
    losses = [row[column] for row in rows]
    return min(losses[-window:]) < (1 - STEP) * min(losses[:-window])


def _still(history: History, column: str, window: int) -> bool:
    rows = history.epochs
    return len(_phase_rows(history)) >= window < len(rows) and not _improved(rows, column, window)


def _low_and_still(history: History) -> bool:
    """Of what can be learned without learning wrong labels by heart, clearly little is, and no more of it lately."""
    _, high = wilson(history.epochs[-1]["train_accuracy"], _counts(history)[0])
    return high < LOW * (1 - _wrong_share(history)) and _still(history, "train_loss", SEVERAL)


def _wrong_share(history: History) -> float:
    """Of the training labels, the share that is wrong."""
    return history.data.get("wrong_labels", 0) / history.data["train"]


def _by_heart(history: History) -> bool:
    """Whether wrong labels are said more often than the network's errors alone would say them.

    A label that was drawn without looking at the image is hit by an error once in (classes - 1).
    """
    row, (images, validation) = history.epochs[-1], _counts(history)
    classes = len(history.data.get("classes", ()))
    if row.get("memorised") is None or classes < 2:
        return False
    wrong = max(1, round(images * _wrong_share(history)))
    known, _ = wilson(row["memorised"], wrong)
    right, _ = wilson(row["validation_accuracy"], validation)
    return known > (1 - right) / (classes - 1)


def _measured(history: History) -> str:
    row, parts = history.epochs[-1], []
    for name, n in zip(("train", "validation"), _counts(history)):
        share = row[f"{name}_accuracy"]
        low, high = wilson(share, n)
        parts.append(f"{name} {share:.1%} of {n} images ({low:.1%} to {high:.1%})")
    gap = f"gap {_tenths(row['gap'])} points ({_points(*_gap(history))})"
    measured = f"Epoch {row['epoch']}: {', '.join(parts)}, {gap}; 95% intervals."
    if row.get("memorised") is None or not _wrong_share(history):
        return measured
    wrong = f"{history.data['wrong_labels']} of {history.data['train']}"
    return (
        f"{measured} Train is measured against the labels that are trained on, of which {wrong} are wrong; "
        f"{row['memorised']:.1%} of the wrong ones are known by heart."
    )


def _best_text(history: History) -> str:
    row, epochs = _lowest(history), len(history.epochs)
    return (
        f"The lowest validation loss was {row['validation_loss']:.3f} in epoch {row['epoch']}, at "
        f"{row['validation_accuracy']:.1%} on validation; the best of {epochs} epochs is an optimistic pick."
    )


def _guessing(classes: int) -> str:
    chance = f"{1 / classes:.1%} and a loss of {math.log(classes):.3f}"
    return f"guessing among {classes} equally frequent classes gives {chance}."


def _tenths(share: float) -> str:
    return f"{round(100 * share, 1) + 0.0:.1f}"  # + 0.0 takes the sign from -0.0


def _points(low: float, high: float) -> str:
    return f"{_tenths(low)} to {_tenths(high)} points"


def _label(name: str) -> str:
    return FIELDS[name].label


def _advice(how: str, name: str) -> str:
    return f"Try {how} {_label(name)}."
