"""What a run's numbers say in words: what is happening, the evidence with its uncertainty, what to try next.

An interval covers the chance in which images were measured, not another seed, nor that somebody looks
after every epoch. Losses are recorded without their spread: rules on them have a margin instead.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass

from vgglab.experiment import CONV_LAYERS, FIELDS, brakes, in_phases, never_trained, random_changes
from vgglab.fit import Fit
from vgglab.history import History
from vgglab.measures.badge import badge
from vgglab.measures.evidence import (
    STEP,
    best_epoch,
    counts,
    gap_interval,
    guess,
    guessing,
    improved,
    knows_by_heart,
    latest_phase,
    lowest,
    measured,
    phase_rows,
    points,
    still,
    tenths,
    wrong_share,
)
from vgglab.measures.intervals import difference_interval, difference_of_intervals, wilson

EARLIEST = 3  # epochs: fewer points show no trend
RECENT = 3  # epochs: one or two are a spike, from which training without normalisation recovers
SEVERAL = 5  # epochs: from random weights, a new low or the first accuracy above chance takes some
PLATEAU = 10  # epochs: the patience of the classic recipe
CLEARLY = 0.1  # of a loss: single epochs jump about by so much, `RECENT` ones in a row seldom do
BLOWN_UP = 2  # times the loss it started from: overfitting lowers the train loss, and spikes are shorter
LOW = 0.9  # train accuracy: without regularisation it passes 99 %, so clearly less than this is little
SOLVED = 0.99  # of both accuracies: what is left is single images
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
    wrong = "The layers that trained are not exactly those that were set to train."
    found = [Diagnosis("not-training", wrong, moved)] if well is False else []
    if len(history.epochs) < EARLIEST:
        planned = history.experiment.planned_epochs
        advice = _advice("more", "epochs") if planned < EARLIEST else ""
        early = f"Too early to tell: a trend takes at least {EARLIEST} epochs."
        return [*found, Diagnosis("too-early", early, history.summary(), advice)]
    is_counted = history.data.get("train") and history.data.get("validation")
    if not is_counted or isinstance(history.experiment, Fit):  # of which it is not known what was measured
        uncounted = "This record does not say how many images were measured, so the uncertainty is unknown."
        return [*found, Diagnosis("too-small-to-tell", uncounted, history.summary())]
    if len(phase_rows(history)) < RECENT and history.epochs[-1]["phase"] > 1:
        return [*found, _too_early_in_its_phase(history)]
    # The first of them that applies is what is happening; what follows has to be borne in mind beside it.
    rules = (_not_training, _solved, _overfitting, _underfitting, _improving, _plateau)
    found += filter(None, [_frozen_at_random(history)])
    found += list(itertools.islice(filter(None, (rule(history) for rule in rules)), 1))
    if not _solved(history):
        found += filter(None, [_augmentation_too_strong(history), _too_small(history)])
    gap = "There is a gap, but whether it does harm" if gap_interval(history)[0] > 0 else "What is happening"
    unclear = Diagnosis("nothing-clear", f"{gap} does not show clearly in these numbers.", measured(history))
    return found or [unclear]


def _too_early_in_its_phase(history: History) -> Diagnosis:
    """What was said before the latest phase began still stands; what the phase changes is not known yet."""
    rows, number = history.epochs, history.epochs[-1]["phase"]
    end = len(rows) - len(phase_rows(history))
    # Phases before it that were as short say nothing either.
    while 1 < rows[end - 1]["phase"] != rows[max(0, end - RECENT)]["phase"]:
        end -= 1
    before = dataclasses.replace(history, epochs=rows[:end], layers=[])
    finding = f"Too early to tell what phase {number} changes: a trend takes at least {RECENT} epochs."
    return Diagnosis("too-early", finding, f"{measured(history)} Before it: {diagnose(before)[0].finding}")


def _frozen_at_random(history: History) -> Diagnosis | None:
    """Layers that have never learned anything stand below those that learn."""
    phases = history.experiment.phases[: history.epochs[-1]["phase"]]
    layers = never_trained(in_phases(phases))
    if not layers:
        return None
    finding = (
        f"{layers} of the {CONV_LAYERS} conv layers are frozen at random weights: they never learned to see."
    )
    return Diagnosis(
        "frozen-at-random", finding, measured(history), f"Try other weights, or unfreeze depth {CONV_LAYERS}."
    )


def _diverging(history: History) -> Diagnosis | None:
    """The run ended with a loss that is no number, or the train loss stays far above its start and chance."""
    advice = _advice("a lower", "learning_rate")
    for event in history.events:
        if event["kind"] == "diverged":
            return Diagnosis("diverging", "The training diverged.", event["text"], advice)
    rows, phase, known = history.epochs, phase_rows(history), guess(history)
    if len(phase) < RECENT or known is None:
        return None
    start = rows[max(0, len(rows) - len(phase) - 1)]  # where the phase before ended, if there was one
    losses = [row["train_loss"] for row in phase[-RECENT:]]
    if min(losses) <= max(BLOWN_UP * start["train_loss"], known.loss):
        return None
    finding = "The training is diverging: the loss on the training images is far above its start."
    after = ", ".join(f"{loss:.3f}" for loss in losses)
    evidence = f"Train loss {start['train_loss']:.3f} in epoch {start['epoch']}, lately {after}; "
    return Diagnosis("diverging", finding, evidence + guessing(history, known), advice)


def _not_training(history: History) -> Diagnosis | None:
    """The train loss is the very same number, or accuracy and loss are still those of guessing."""
    rows, losses = history.epochs, [row["train_loss"] for row in phase_rows(history)]
    if len(losses) >= RECENT and len(set(losses)) == 1 and rows[-1]["train_accuracy"] < 1:
        finding = "Nothing is learned: the loss on the training images never changes."
        evidence = f"Train loss {losses[0]:.3f} in each of the last {len(losses)} epochs."
        return Diagnosis("not-training", finding, evidence, _advice("a higher", "learning_rate"))
    known = guess(history)
    if len(rows) < SEVERAL or known is None:
        return None
    for row in rows[-RECENT:]:
        low, _ = wilson(row["train_accuracy"], counts(history)[0])
        # Few images leave a high accuracy uncertain as well; a loss below chance is then a sign of learning.
        if low > known.accuracy or row["train_loss"] < (1 - CLEARLY) * known.loss:
            return None
    finding = "The accuracy on the training images is no better than guessing, as far as these images show."
    loss = rows[-1]["train_loss"]
    how = "a lower" if loss > BLOWN_UP * known.loss else "another"
    evidence = f"{measured(history)} Train loss {loss:.3f}; {guessing(history, known)}"
    return Diagnosis("not-training", finding, evidence, _advice(how, "learning_rate"))


def _solved(history: History) -> Diagnosis | None:
    """Nearly all images are right, those of the validation part too: there is nothing to hold back."""
    row = history.epochs[-1]
    if min(row["train_accuracy"], row["validation_accuracy"]) < SOLVED:
        return None
    finding = "Solved: nearly all images are right, on train and on validation. No gap is left to close."
    return Diagnosis("solved", finding, measured(history), _advice("fewer", "images_a_class"))


def _overfitting(history: History) -> Diagnosis | None:
    """The validation loss has risen while the train loss has not; or it stays while the gap has grown."""
    rows, first, now, best = history.epochs, history.epochs[0], history.epochs[-1], lowest(history)
    latest = {part: min(row[f"{part}_loss"] for row in rows[-RECENT:]) for part in ("train", "validation")}
    risen = latest["validation"] > (1 + CLEARLY) * best["validation_loss"]
    if risen and latest["train"] > (1 + CLEARLY) * best["train_loss"]:
        finding = f"It gets worse: train and validation loss have both risen since epoch {best['epoch']}."
        return Diagnosis("getting-worse", finding, measured(history), _advice("a lower", "learning_rate"))
    # The two epochs share their images, so taking them for independent makes this rather too wide.
    growth = difference_of_intervals(
        now["gap"], gap_interval(history, now), first["gap"], gap_interval(history, first)
    )
    grown = growth[0] > 0 and still(history, "validation_loss", PLATEAU)
    if not risen and not (grown and (knows_by_heart(history) or gap_interval(history)[0] > 0)):
        return None
    evidence = [measured(history), best_epoch(history)]
    if risen:
        evidence.append(f"In the last {RECENT} epochs it was at least {latest['validation']:.3f}.")
    if grown:
        evidence.append(f"Since epoch 1 the gap has grown by {points(*growth)} (95% interval).")
    if history.kept is not now:
        evidence.append(f"The weights of epoch {history.kept['epoch']} were restored.")
    phase = latest_phase(history)
    unused = brakes(phase, on=False)
    advice = _advice("a smaller", "unfreeze") if phase.unfreeze else ""
    if unused:
        advice = f"Try {_label(unused[0])}."
    kind, finding = _how_it_overfits(history, risen)
    return Diagnosis(kind, finding, " ".join(evidence), advice)


def _how_it_overfits(history: History, risen: bool) -> tuple[str, str]:
    """The kind and the finding of a run that overfits, or did until it was held back."""
    now, best = history.epochs[-1], lowest(history)
    if history.kept is not now:
        kept = f"the weights of epoch {history.kept['epoch']} are back"
        if history.kept is best:
            kept = "that epoch's weights are back"
        return "stopped-in-time", f"It began to overfit after epoch {best['epoch']} and was stopped: {kept}."
    if _recovers(history):
        return "recovering", (
            f"It overfitted before phase {now['phase']}; in this phase the validation loss falls again."
        )
    when = f"It has overfitted since epoch {best['epoch']}" if risen else "It overfits"
    if now["phase"] > 1 and risen:
        when += f", in phase {best['phase']}"
    worse = "has risen" if risen else "no longer falls"
    if knows_by_heart(history):
        return "overfitting", f"{when}: wrong labels have been memorised, and the validation loss {worse}."
    if gap_interval(history)[0] > 0:
        return "overfitting", (
            f"{when}: training images are recognised better than validation images, "
            f"and the validation loss {worse}."
        )
    return "overfitting", f"{when}: the validation loss {worse}, though the accuracies do not show it yet."


def _recovers(history: History) -> bool:
    """Whether the latest phase has clearly lowered the validation loss that it began with."""
    phase = phase_rows(history)
    if phase[0]["phase"] == 1:
        return False
    began = history.epochs[-len(phase) - 1]["validation_loss"]
    return max(row["validation_loss"] for row in phase[-RECENT:]) < (1 - CLEARLY) * began


def _underfitting(history: History) -> Diagnosis | None:
    """The train accuracy is clearly low, and the train loss has stopped falling, with a gap or without one."""
    if not _low_and_still(history):
        return None
    what = "training images whose labels are right" if wrong_share(history) else "training images"
    finding = f"It underfits: not even the {what} are learned, and the train loss has stopped falling."
    if gap_interval(history)[0] > 0:
        finding += " It does worse still on validation images."
    phase = latest_phase(history)
    held = [name for name in brakes(phase) if FIELDS[name].role != "schedule"]
    advice = _advice("less", held[0]) if held else _advice("another", "learning_rate")
    if phase.unfreeze < CONV_LAYERS:
        advice = _advice("a larger", "unfreeze")
    return Diagnosis("underfitting", finding, measured(history), advice)


def _improving(history: History) -> Diagnosis | None:
    """The validation loss has reached a new low in the latest epochs, with a gap or without one."""
    rows = history.epochs
    if not improved(rows, "validation_loss", min(SEVERAL, len(rows) - 1)):
        return None
    kind, finding = "still-learning", "It is still learning: the validation loss improves."
    if gap_interval(history)[0] > 0:
        kind = "memorised-but-fine"
        finding = "There is a gap between train and validation, but the validation loss still improves."
    ended = len(rows) >= history.experiment.planned_epochs
    evidence = f"{measured(history)} {best_epoch(history)}"
    return Diagnosis(kind, finding, evidence, _advice("more", "epochs") if ended else "")


def _plateau(history: History) -> Diagnosis | None:
    """The validation loss has had no new low for many epochs of this phase."""
    if not still(history, "validation_loss", PLATEAU):
        return None
    finding = f"A plateau: the validation loss has not improved by {STEP:.0%} in the last {PLATEAU} epochs."
    evidence = f"{measured(history)} {best_epoch(history)}"
    return Diagnosis("plateau", finding, evidence, _advice("a lower", "learning_rate"))


def _augmentation_too_strong(history: History) -> Diagnosis | None:
    """Clean train accuracy low and still, and that on the changed images lower yet: a suspicion only."""
    row, phase, (images, _) = history.epochs[-1], latest_phase(history), counts(history)
    labels = [_label(name) for name in random_changes(phase)]
    logged = row["logged_accuracy"]
    lower = difference_interval(row["train_accuracy"], images, logged, history.data["train"])
    if not labels or not _low_and_still(history) or lower[0] <= 0:
        return None
    finding = "The changed images may be too hard to learn from: a suspicion that another run can test."
    evidence = (
        f"{measured(history)} The logged accuracy, on changed images, is {logged:.1%}, lower than train by "
        f"{points(*lower)} (95% interval); dropout and learning within the epoch lower it as well."
    )
    return Diagnosis("augmentation-too-strong", finding, evidence, f"Try less {' or '.join(labels)}.")


def _too_small(history: History) -> Diagnosis | None:
    """The gap may be zero, or is known too vaguely to be compared."""
    low, high = gap_interval(history)
    if not low <= 0 <= high and (high - low) / 2 <= VAGUE:
        return None
    known = "may be zero" if low <= 0 <= high else "is known only vaguely"
    train, validation = counts(history)
    gap = f"the gap of {tenths(history.epochs[-1]['gap'])} points {known}"
    finding = f"With {train} training and {validation} validation images measured, {gap}."
    scarce = "training" if train < validation else "validation"
    advice = _advice(f"more {scarce} images in the", "dataset")
    return Diagnosis("too-small-to-tell", finding, measured(history), advice)


def _low_and_still(history: History) -> bool:
    """Of what can be learned without learning wrong labels by heart, clearly little is, and no more of it lately."""
    _, high = wilson(history.epochs[-1]["train_accuracy"], counts(history)[0])
    return high < LOW * (1 - wrong_share(history)) and still(history, "train_loss", SEVERAL)


def _label(name: str) -> str:
    return FIELDS[name].label


def _advice(how: str, name: str) -> str:
    return f"Try {how} {_label(name)}."
