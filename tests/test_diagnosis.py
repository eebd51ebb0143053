import math
import random
import re

import pytest

from vgglab.errors import InputError
from vgglab.experiment import FIELDS, Experiment
from vgglab.history import History
from vgglab.measures.badge import badge
from vgglab.measures.diagnosis import Diagnosis, diagnose
from vgglab.measures.evidence import STEP
from vgglab.measures.intervals import difference_interval, interval

CHANCE = math.log(4)


def make_history(
    train, validation, *, images=(1000, 400), classes=4, experiment=None, phases=None, **columns
):
    """A history from (accuracy, loss) pairs an epoch; a single pair stands for every epoch."""
    epochs = max(len(each) if isinstance(each, list) else 1 for each in (train, validation))
    train, validation = (each if isinstance(each, list) else [each] * epochs for each in (train, validation))
    data = dict(train=images[0], validation=images[1], classes=[f"class {i}" for i in range(classes)])
    history = History(experiment or Experiment(), data)
    for number, (seen, new) in enumerate(zip(train, validation), start=1):
        row = dict(epoch=number, phase=phases[number - 1] if phases else 1, gap=seen[0] - new[0])
        row |= dict(train_accuracy=seen[0], train_loss=seen[1])
        row |= dict(validation_accuracy=new[0], validation_loss=new[1])
        history.epochs.append(row | dict(logged_accuracy=seen[0], logged_loss=seen[1]) | columns)
    return history


def kinds(history):
    return [each.kind for each in diagnose(history)]


def falling(accuracy, start, stop, epochs):
    """Pairs whose loss goes evenly from `start` to `stop`."""
    return [(accuracy, start + (stop - start) * i / (epochs - 1)) for i in range(epochs)]


def layers(*rows, phase=1):
    return [dict(phase=phase, layer=name, trainable=trains, moved=moved) for name, trains, moved in rows]


def test_wilson_against_published_examples():
    # Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3.
    for right, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert interval(right, n) == pytest.approx((low, high), abs=5e-5)
    assert interval(5, 10, 0.99)[0] < interval(5, 10)[0]


def test_newcombe_against_published_examples():
    # Newcombe 1998, Statistics in Medicine 17, 873-890, table II, method 10.
    for right1, n1, right2, n2, low, high in (
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (10, 10, 0, 10, 0.6075, 1.0),
    ):
        found = difference_interval(right1 / n1, n1, right2 / n2, n2)
        assert found == pytest.approx((low, high), abs=5e-5)


def test_counts_that_cannot_be():
    for right, n in ((1, 0), (-1, 5), (6, 5)):
        with pytest.raises(InputError, match="must be 0 to n"):
            interval(right, n)


def test_too_early_before_three_epochs():
    (found,) = diagnose(make_history([], []))
    assert found.kind == "too-early" and found.evidence == "No epoch finished yet." and not found.advice
    steady = [(0.6, 1.0), (0.7, 0.9), (0.8, 0.8)]
    assert kinds(make_history(steady[:2], steady[:2])) == ["too-early"]
    assert "too-early" not in kinds(make_history(steady, steady))
    (found,) = diagnose(make_history(steady[:2], steady[:2], experiment=Experiment(epochs=2)))
    assert found.advice == "Try more epochs."


def test_diverged_by_event():
    history = make_history([], [])
    history.note("diverged", "The loss became nan in epoch 1; training stopped.")
    (found,) = diagnose(history)
    assert (found.kind, found.evidence) == ("diverging", history.events[0]["text"])
    assert found.advice == "Try a lower learning rate."


@pytest.mark.parametrize(
    "losses, diverges",
    [
        ([1.0, 0.9, 2.1, 2.2, 2.3], True),
        ([1.0, 0.9, 2.0, 2.2, 2.3], False),  # not more than twice the start
        ([1.0, 0.9, 0.8, 2.2, 2.3], False),  # two epochs may be a spike
        ([0.3, 0.2, 1.3, 1.3, 1.35], False),  # four times the start, but no worse than guessing
        ([0.3, 0.2, 1.4, 1.4, 1.45], True),
    ],
)
def test_diverging_by_the_train_loss(losses, diverges):
    history = make_history([(0.5, loss) for loss in losses], (0.5, 1.2))
    assert (kinds(history) == ["diverging"]) == diverges
    # Overfitting raises the validation loss only.
    assert "diverging" not in kinds(make_history((0.9, 0.3), [(0.5, loss) for loss in losses]))


def test_a_later_phase_starts_where_the_one_before_ended():
    experiment = Experiment(epochs=3).then(learning_rate=1.0)
    losses = [1.3, 0.6, 0.5, 1.5, 1.5, 1.6]
    train = [(0.5, loss) for loss in losses]
    history = make_history(train, (0.5, 1.2), experiment=experiment, phases=[1, 1, 1, 2, 2, 2])
    assert kinds(history) == ["diverging"] and "0.500 in epoch 3" in diagnose(history)[0].evidence
    assert kinds(make_history(train, (0.5, 1.2))) != ["diverging"]


def test_badge_names_the_layers():
    history = make_history((0.5, 1.0), [(0.5, 1.0)] * 3)
    assert badge(history)[0] is None
    history.layers = layers(("conv", False, 0.0), ("fc", True, 0.1))
    assert badge(history) == (True, "Phase 1: 1 trainable layers moved, 1 frozen ones stayed.")
    history.layers = layers(("conv", False, 0.2), ("fc", True, 0.0), ("predictions", True, None))
    well, sentence = badge(history)
    assert well is False
    for said in ("no longer numbers: predictions", "trainable but unmoved: fc", "frozen but moved: conv"):
        assert said in sentence
    assert diagnose(history)[0] == Diagnosis("not-training", diagnose(history)[0].finding, sentence)


def test_badge_of_a_phase_that_was_stopped_in_its_first_epoch():
    history = make_history([], [])
    history.layers = layers(("fc", True, 0.0))
    assert badge(history)[0] is None and kinds(history) == ["too-early"]
    history.layers = layers(("fc", False, 0.1))
    assert badge(history)[0] is False and kinds(history) == ["not-training", "too-early"]
    history = make_history((0.5, 1.0), [(0.5, 1.0)] * 3)
    history.layers = layers(("fc", True, 0.1)) + layers(("fc", True, 0.0), phase=2)
    assert badge(history) == (True, "Phase 1: 1 trainable layers moved, 0 frozen ones stayed.")
    history.layers[0]["moved"] = 0.0
    assert badge(history)[0] is False and "Phase 2" not in badge(history)[1]


def test_not_training_when_the_loss_is_the_same_number():
    history = make_history([(0.5, 1.0)] * 3, (0.5, 1.0))
    assert kinds(history)[0] == "not-training"
    assert "1.000 in each of the last 3" in diagnose(history)[0].evidence
    assert "not-training" not in kinds(make_history([(0.5, 1.0), (0.5, 1.0), (0.5, 0.9999)], (0.5, 1.0)))
    # A network that has learned everything has no loss to change.
    assert "not-training" not in kinds(make_history([(1.0, 0.0)] * 6, (0.5, 1.0)))


@pytest.mark.parametrize(
    "accuracy, loss, epochs, found",
    [
        (0.25, CHANCE, 5, True),
        (0.25, CHANCE, 4, False),  # too few epochs
        (0.29, CHANCE, 5, True),  # of 400 images: 24.8 % to 33.6 %
        (0.30, CHANCE, 5, False),  # 25.7 % to 34.7 %
        (0.25, CHANCE * 0.91, 5, True),
        (0.25, CHANCE * 0.88, 5, False),  # the loss has left chance
    ],
)
def test_not_training_at_chance(accuracy, loss, epochs, found):
    train = falling(accuracy, loss * 1.001, loss, epochs)
    assert (kinds(make_history(train, (0.25, CHANCE)))[0] == "not-training") == found
    train[-2] = (0.4, loss)  # one of the latest epochs above chance is enough
    assert kinds(make_history(train, (0.25, CHANCE)))[0] != "not-training"


def test_a_loss_far_above_chance_asks_for_a_lower_learning_rate():
    for loss, how in ((CHANCE * 1.9, "another"), (CHANCE * 2.1, "a lower")):
        found = diagnose(make_history(falling(0.25, loss * 1.01, loss * 1.001, 6), (0.25, loss)))[0]
        assert (found.kind, found.advice) == ("not-training", f"Try {how} learning rate.")


@pytest.mark.parametrize(
    "train, latest, kind",
    [
        (0.9, [1.0, 1.12, 1.12, 1.12], "overfitting"),
        (0.9, [1.0, 1.12, 1.12, 1.09], "memorised-but-fine"),  # one of the latest three is too near the low
        (0.61, [1.0, 1.12, 1.12, 1.12], "overfitting"),  # the gap's interval: 0.2 to 13.7 points
        (
            0.60,
            [1.0, 1.12, 1.12, 1.12],
            "overfitting",
        ),  # -0.8 to 12.7 points: in the losses, not in the accuracies
    ],
)
def test_overfitting_when_the_validation_loss_has_risen(train, latest, kind):
    losses = [1.3, 1.2, *latest]
    history = make_history(falling(train, 0.9, 0.5, len(losses)), [(0.54, loss) for loss in losses])
    assert kinds(history)[0] == kind
    evidence = diagnose(history)[0].evidence
    assert "lowest validation loss was 1.000 in epoch 3" in evidence and "optimistic" in evidence
    if kind == "overfitting":
        assert diagnose(history)[0].finding.startswith("It has overfitted since epoch 3: ")
        assert ("do not show it yet" in diagnose(history)[0].finding) == (train == 0.6)


@pytest.mark.parametrize(
    "first, waited, kind",
    [
        (0.55, 10, "overfitting"),
        (0.55, 9, "nothing-clear"),
        (0.70, 10, "overfitting"),  # from 10 to 30 points
        (0.85, 10, "plateau"),  # from 25 to 30: within the uncertainty of the two
    ],
)
def test_overfitting_when_the_gap_has_grown(first, waited, kind):
    train = [(first, 0.8), *falling(0.9, 0.7, 0.3, waited)]
    found = diagnose(make_history(train, [(0.6, 1.0)] * (waited + 1)))
    assert found[0].kind == kind
    if kind == "nothing-clear":
        assert found[0].finding.startswith("There is a gap, but")


def test_the_advice_is_a_regulariser_that_is_not_in_use():
    pairs = falling(0.9, 0.9, 0.5, 6), [(0.54, loss) for loss in (1.3, 1.2, 1.0, 1.2, 1.2, 1.2)]
    used = {}
    for name, value, next_one in (
        ("augment", ("flip",), "MixUp"),
        ("mixup", 0.2, "CutMix"),
        ("cutmix", 1.0, "dropout"),
        ("dropout", 0.5, "L2"),
        ("l2", 1e-3, "weight decay"),
        ("weight_decay", 1e-3, "label smoothing"),
        ("label_smoothing", 0.1, "patience"),
        ("patience", 5, "a smaller unfreeze depth"),
    ):
        used[name] = value
        assert diagnose(make_history(*pairs, experiment=Experiment(**used)))[0].advice == f"Try {next_one}."
    frozen = Experiment(**used, unfreeze=0)
    assert diagnose(make_history(*pairs, experiment=frozen))[0].advice == ""


def test_both_losses_rising_is_no_overfitting():
    history = make_history(falling(0.95, 0.1, 0.5, 6), falling(0.95, 0.15, 0.6, 6))
    found = diagnose(history)[0]
    assert (found.kind, found.advice) == ("getting-worse", "Try a lower learning rate.")
    assert "since epoch 1" in found.finding


def test_a_loss_that_rises_without_a_gap_is_no_plateau():
    """Train keeps its loss, the accuracies are equal, and validation goes from 0.15 to 0.6."""
    history = make_history(falling(0.95, 0.1, 0.1001, 20), falling(0.95, 0.15, 0.6, 20))
    found = diagnose(history)[0]
    assert found.kind == "overfitting" and "the validation loss has risen" in found.finding


def test_a_task_that_is_solved_asks_for_a_harder_one():
    found = diagnose(make_history(falling(1.0, 0.1, 0.01, 12), falling(1.0, 0.1, 0.02, 12)))
    assert [(each.kind, each.advice) for each in found] == [("solved", "Try fewer images a class.")]
    assert "solved" not in kinds(make_history(falling(1.0, 0.1, 0.01, 12), falling(0.98, 0.1, 0.02, 12)))


def test_a_gap_that_cannot_be_told_from_none_is_named_all_the_same():
    """All of 40 right against 91 % of 400."""
    found = diagnose(make_history(falling(1.0, 0.1, 0.01, 6), (0.91, 0.3), images=(40, 400)))
    small = next(each for each in found if each.kind == "too-small-to-tell")
    assert "the gap of 9.0 points" in small.finding


PLAIN = Experiment(epochs=10, unfreeze=13)
ALL_ON = dict(augment=("flip",), mixup=0.2, cutmix=1.0, dropout=0.5)


def in_two_phases(latest, **changes):
    """Ten epochs that overfit from the third on, then those of another phase with these validation losses."""
    losses = [1.3, 1.2, 1.0, 1.2, *[1.4] * 6, *latest]
    return make_history(
        falling(0.9, 0.9, 0.5, len(losses)),
        [(0.54, loss) for loss in losses],
        experiment=PLAIN.then(**{"epochs": 30, **ALL_ON, **changes}),
        phases=[1] * 10 + [2] * len(latest),
    )


def test_what_a_new_phase_changes_is_not_told_before_it_is_known():
    found = diagnose(in_two_phases([1.4, 1.4]))
    assert [each.kind for each in found] == ["too-early"] and "phase 2" in found[0].finding
    assert "since epoch 11" in found[0].evidence and "flip left-right on" in found[0].evidence
    assert "It has overfitted since epoch 3" in found[0].evidence and found[0].advice == ""


def test_an_overfitting_that_a_new_phase_holds_back_is_said_of_the_one_before():
    found = diagnose(in_two_phases([1.3, 1.25, 1.2, 1.15]))
    assert found[0].kind == "recovering" and "before phase 2" in found[0].finding
    goes_on = diagnose(in_two_phases([1.4, 1.4, 1.4, 1.4]))
    assert goes_on[0].kind == "overfitting" and "since epoch 3, in phase 1" in goes_on[0].finding
    (words,) = re.findall(r"since epoch 11 \((.*?)\)", goes_on[0].evidence)
    assert set(words.split(", ")) == {"flip left-right on", "MixUp on", "CutMix on", "dropout on"}


@pytest.mark.parametrize(
    "experiment, layers",
    [
        (Experiment(weights=None), 10),
        (Experiment(weights=None, unfreeze=0), 13),
        (Experiment(weights=None, unfreeze=13), 0),
        (Experiment(weights=None, unfreeze=13).then(unfreeze=3), 0),  # they have learned before
        (Experiment(), 0),
    ],
)
def test_frozen_layers_that_never_learned_are_pointed_out(experiment, layers):
    history = make_history(falling(0.5, 0.9, 0.7, 6), (0.3, 1.0), experiment=experiment)
    found = [each for each in diagnose(history) if each.kind == "frozen-at-random"]
    assert bool(found) == bool(layers)
    assert not layers or f"{layers} of the 13 conv layers are frozen" in found[0].finding


@pytest.mark.parametrize(
    "train, kind",
    [
        (0.950, "not-training"),  # of 400 images: 92.4 % to 96.7 %, as who always says the larger class
        (0.980, "plateau"),  # 96.1 % to 99.0 %
    ],
)
def test_chance_is_the_share_of_the_most_frequent_class(train, kind):
    """380 images of one class and 20 of another: 95 % and a loss of 0.199 need no look at the images."""
    history = make_history(falling(train, 0.199, 0.1991, 12), (0.94, 0.22), images=(400, 400), classes=2)
    history.data["train_counts"] = [380, 20]
    found = diagnose(history)[0]
    assert found.kind == kind
    if kind == "not-training":
        assert "the most frequent of the 2 classes gives 95.0%" in found.evidence
        entropy = -(0.95 * math.log(0.95) + 0.05 * math.log(0.05))
        assert f"a loss of {entropy:.3f}" in found.evidence


def test_restored_weights_are_told():
    history = make_history(falling(0.9, 0.9, 0.5, 6), [(0.54, x) for x in (1.3, 1.2, 1.0, 1.2, 1.2, 1.2)])
    assert "restored" not in diagnose(history)[0].evidence
    history.note("restored", "…")
    history.events[-1]["kept_epoch"] = 3
    found = diagnose(history)[0]
    assert "The weights of epoch 3 were restored." in found.evidence
    assert found.kind == "stopped-in-time" and "after epoch 3 and was stopped" in found.finding


@pytest.mark.parametrize(
    "train, validation, epochs, last, found",
    [
        (0.80, 0.80, 6, 0.800, True),
        (0.86, 0.86, 6, 0.800, True),  # of 400 images: 82.3 % to 89.1 %
        (0.875, 0.875, 6, 0.800, False),  # up to 90.4 %
        (0.80, 0.80, 5, 0.800, False),  # too few epochs to call it still
        (0.80, 0.80, 6, 0.793, True),
        (0.80, 0.80, 6, 0.791, False),  # the train loss is 1 % lower
        (0.80, 0.72, 6, 0.800, True),  # with a gap beside it
    ],
)
def test_underfitting(train, validation, epochs, last, found):
    losses = [0.799] + [0.8] * (epochs - 2) + [last]
    history = make_history([(train, loss) for loss in losses], (validation, 0.8))
    assert ("underfitting" in kinds(history)) == found
    assert not found or ("worse still" in diagnose(history)[0].finding) == (validation < train)


def test_the_advice_for_underfitting_is_what_holds_back():
    train = [(0.8, loss) for loss in (0.799, 0.8, 0.8, 0.8, 0.8, 0.8)]
    for fields, advice in (
        (dict(unfreeze=3, l2=0.1), "Try a larger unfreeze depth."),
        (dict(l2=0.1, dropout=0.5, patience=5), "Try less dropout."),
        (dict(l2=0.1, patience=5), "Try less L2."),
        (dict(patience=5), "Try another learning rate."),
        (dict(dropout=0.5), "Try less dropout."),
        ({}, "Try another learning rate."),
    ):
        found = diagnose(make_history(train, (0.8, 0.8), experiment=Experiment(**{"unfreeze": 13, **fields})))
        assert (found[0].kind, found[0].advice) == ("underfitting", advice)


def noisy(history, wrong, memorised):
    """The same numbers, where so many of the training labels are wrong."""
    history.data["wrong_labels"] = wrong
    for row in history.epochs:
        row["memorised"] = memorised
    return history


@pytest.mark.parametrize(
    "train, wrong, found",
    [
        (0.60, 400, False),  # of 1000: all that is right is learned
        (0.60, 0, True),
        (0.48, 400, True),  # of 400 images: up to 52.9 %, less than nine tenths of the 60 % that are right
        (0.50, 400, False),  # up to 54.9 %
    ],
)
def test_labels_that_are_wrong_are_not_missed_when_they_are_not_learned(train, wrong, found):
    losses = [0.799, 0.8, 0.8, 0.8, 0.8, 0.8]
    history = noisy(make_history([(train, loss) for loss in losses], (0.9, 0.4)), wrong, 0.03)
    assert ("underfitting" in kinds(history)) == found
    if found:
        said = "images whose labels are right are learned" if wrong else "training images are learned"
        assert said in diagnose(history)[0].finding


@pytest.mark.parametrize(
    "memorised, latest, kind",
    [
        (0.30, 1.2, "overfitting"),
        (0.10, 1.2, "overfitting"),  # of 160 wrong labels: 6.3 % to 15.6 %; errors alone give 4.5 % at most
        (0.06, 1.2, "overfitting"),  # 3.3 % to 10.8 %: in the losses alone
        (0.30, 1.05, "still-learning"),  # the validation loss has not risen
    ],
)
def test_wrong_labels_known_by_heart_are_overfitting_without_a_gap(memorised, latest, kind):
    """At 90 % validation accuracy, up to 13.3 % errors fall on one of the three other classes."""
    new = [(0.9, loss) for loss in (1.3, 1.2, 1.0, latest, latest, latest)]
    history = noisy(make_history(falling(0.7, 0.9, 0.5, 6), new), 400, memorised)
    found = diagnose(history)[0]
    assert found.kind == kind
    assert ("wrong labels have been memorised" in found.finding) == (memorised > 0.06 and latest == 1.2)
    assert "of which 400 of 1000 are wrong" in found.evidence
    assert f"{memorised:.1%} of the wrong ones have been memorised" in found.evidence


def test_a_record_without_wrong_labels_says_nothing_of_them():
    history = make_history(falling(0.9, 0.9, 0.5, 6), [(0.54, x) for x in (1.3, 1.2, 1.0, 1.2, 1.2, 1.2)])
    old = diagnose(history)
    assert diagnose(noisy(history, 0, None)) == old and old[0].kind == "overfitting"
    assert "heart" not in f"{old}" and "wrong" not in f"{old}"


@pytest.mark.parametrize(
    "fields, train, logged, last, found",
    [
        (dict(augment=("rotation",)), 0.7, 0.5, 0.8, True),
        (dict(mixup=0.2), 0.7, 0.5, 0.8, True),
        ({}, 0.7, 0.5, 0.8, False),  # nothing is augmented
        (dict(mixup=0.2), 0.7, 0.66, 0.8, False),  # within the uncertainty
        (dict(mixup=0.2), 0.7, 0.64, 0.8, True),
        (dict(mixup=0.2), 0.95, 0.5, 0.8, False),  # the clean images are learned well
        (dict(mixup=0.2), 0.7, 0.5, 0.7, False),  # and still being learned
    ],
)
def test_augmentation_too_strong_is_a_suspicion(fields, train, logged, last, found):
    pairs = [(train, loss) for loss in (0.801, 0.8, 0.8, 0.8, 0.8, last)]
    history = make_history(pairs, (train, 0.8), experiment=Experiment(**fields), logged_accuracy=logged)
    suspected = [each for each in diagnose(history) if each.kind == "augmentation-too-strong"]
    assert bool(suspected) == found
    if found:
        label = FIELDS[next(iter(fields))].label
        assert suspected[0].advice == f"Try less {label}." and "suspicion" in suspected[0].finding


@pytest.mark.parametrize(
    "train, last, kind",
    [
        (0.9, 0.95, "memorised-but-fine"),
        (0.6, 0.95, "still-learning"),
        (0.9, 0.989, "memorised-but-fine"),
        (0.9, 0.991, "nothing-clear"),  # less than 1 % lower
    ],
)
def test_validation_still_improves(train, last, kind):
    history = make_history(falling(train, 0.9, 0.5, 6), [(0.6, x) for x in (1.0, 1.0, 1.0, 1.0, 1.0, last)])
    assert kinds(history)[0] == kind and diagnose(history)[0].advice == ""
    history.experiment = Experiment(epochs=6)
    if kind != "nothing-clear":
        assert diagnose(history)[0].advice == "Try more epochs."


def test_plateau_takes_ten_epochs_of_its_phase():
    train = falling(0.95, 0.5, 0.3, 11)
    assert kinds(make_history(train, (0.95, 0.5))) == ["plateau", "too-small-to-tell"]
    assert kinds(make_history(train[:10], (0.95, 0.5))) == ["too-small-to-tell"]
    assert "plateau" not in kinds(make_history(train, [(0.95, 0.5)] * 10 + [(0.95, 0.494)]))
    two = Experiment(epochs=5).then(epochs=10)
    phases = [1] * 5 + [2] * 6
    assert "plateau" not in kinds(make_history(train, (0.95, 0.5), experiment=two, phases=phases))


@pytest.mark.parametrize(
    "validation, images, found",
    [
        (0.85, 400, True),  # 4 points: the interval contains 0
        (0.80, 400, False),
        (0.40, 130, True),  # a gap, to more than 10 points either way
        (0.40, 260, False),
    ],
)
def test_too_small_to_tell(validation, images, found):
    train = 0.89 if validation > 0.5 else 0.6
    history = make_history(falling(train, 0.9, 0.5, 6), (validation, 1.0), images=(1000, images))
    small = [each for each in diagnose(history) if each.kind == "too-small-to-tell"]
    assert bool(small) == found
    if found:
        assert f"{images} validation images measured" in small[0].finding
        assert small[0].advice == "Try more validation images in the data set."
        history.data["train"] = 20
        assert diagnose(history)[-1].advice == "Try more training images in the data set."


def test_the_smaller_of_the_two_counts_is_the_train_slice():
    history = make_history(falling(0.9, 0.9, 0.5, 6), (0.5, 1.0), images=(50, 400))
    assert "train 90.0% of 50 images" in diagnose(history)[0].evidence
    history.data["train"] = 1000
    assert "train 90.0% of 400 images" in diagnose(history)[0].evidence


def test_a_negative_gap_is_none():
    history = make_history(falling(0.6, 0.9, 0.5, 6), (0.9, 1.0))
    assert kinds(history) == ["nothing-clear"] and "gap -30.0 points" in diagnose(history)[0].evidence


def test_a_record_without_counts_claims_nothing_of_chance():
    history = make_history((0.9, 0.5), [(0.5, 1.0)] * 20)
    history.data = dict(name="made by hand")
    (found,) = diagnose(history)
    assert found.kind == "too-small-to-tell" and "does not say" in found.finding and "%" in found.evidence


def random_history(rng):
    images = rng.randint(1, 300), rng.randint(1, 300)
    measured = min(images), images[1]
    pairs = [
        [(rng.randint(0, n) / n, rng.choice([0.0, 1.0, rng.expovariate(1)])) for _ in range(epochs)]
        for epochs in [rng.randint(1, 25)]
        for n in measured
    ]
    turn = rng.randint(0, len(pairs[0]) - 1)
    phases = [1 if number <= turn else 2 for number in range(len(pairs[0]))]
    fields = dict(l2=rng.choice([0, 1e-3]), mixup=rng.choice([0, 0.2]), unfreeze=rng.choice([0, 3, 13]))
    fields["augment"] = rng.choice([(), ("flip",)])
    experiment = Experiment(epochs=turn + 1, **fields).then(epochs=rng.randint(1, 30))
    history = make_history(
        *pairs,
        images=images,
        classes=rng.randint(2, 9),
        experiment=experiment,
        phases=phases,
        logged_accuracy=rng.random(),
    )
    history.layers = layers(("fc", rng.random() < 0.9, rng.choice([0.1, 0.1, 0.1, 0.0, None])))
    if rng.random() < 0.3:
        noisy(history, rng.randint(0, images[0]), rng.choice([None, rng.random()]))
    return history


def quotable(history):
    """Every accuracy, loss, gap and epoch of a history as it would be written."""
    for row in history.epochs:
        yield f"{row['logged_accuracy']:.1%}"
        by_heart = row.get("memorised") or 0
        yield from (f"{by_heart:.1%}", f"{by_heart:.0%}")
        for part in ("train", "validation"):
            share, loss = row[f"{part}_accuracy"], row[f"{part}_loss"]
            yield from (f"{share:.1%}", f"{share:.0%}", f"{loss:.3f}")
        yield from (f"gap {100 * row['gap']:.{digits}f} points" for digits in (0, 1))
        yield from (f"epoch {row['epoch']}", f"Epoch {row['epoch']}")
    classes = len(history.data["classes"])
    yield from (f"{1 / classes:.1%}", f"{math.log(classes):.3f}", f"{STEP:.0%}")


def unsigned(text):
    return re.sub(r"-(0|0\.0)(?= )", r"\1", text)


def test_random_histories_never_raise_and_quote_their_own_numbers():
    rng, seen = random.Random(0), set()
    labels = {toggle.label for toggle in FIELDS.values()}
    for _ in range(1500):
        history = random_history(rng)
        found, known = diagnose(history), set(quotable(history))
        assert found and all(each.kind and each.finding.endswith(".") and each.evidence for each in found)
        seen |= {each.kind for each in found}
        for each in found:
            # What stands in brackets, and what the gap has changed by, are intervals: they are computed.
            text = re.sub(r"\(.*?\)|by -?[\d.]+ to -?[\d.]+ points", "", each.evidence)
            quoted = re.findall(r"\d+\.?\d*%|\d+\.\d{3}|gap -?[\d.]+ points|[Ee]poch \d+", text)
            assert set(map(unsigned, quoted)) <= {*map(unsigned, known), "95%"}, each
            assert not each.advice or any(label in each.advice for label in labels)
        for epochs in range(len(history.epochs), -1, -5):  # the same run while it grew
            del history.epochs[epochs:]
            assert diagnose(history)
    assert seen >= {"diverging", "not-training", "too-early", "overfitting", "underfitting", "plateau"}
    assert seen >= {"memorised-but-fine", "still-learning", "augmentation-too-strong", "too-small-to-tell"}
