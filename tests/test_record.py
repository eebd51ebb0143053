"""Records from elsewhere: each is refused with a sentence, or whatever can be made of a run can be made of it."""

import copy
import io
import json
import re
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

from test_history import STRANGER, TESTED, make_history, of_a_fit
from vgglab import record_reader
from vgglab.charts.curves import detached_axes, plot_accuracy, plot_drift, plot_loss
from vgglab.charts.live import live_svg
from vgglab.charts.shown import Shown
from vgglab.errors import InputError
from vgglab.experiment import Experiment, in_phases
from vgglab.fit import Metric
from vgglab.history import COLUMNS, History
from vgglab.measures.badge import badge
from vgglab.measures.diagnosis import diagnose
from vgglab.panel.table import compare
from vgglab.predictions import MOST_WRITTEN, Predictions
from vgglab.record_reader import LONGEST_LINE, MOST_PHASES
from vgglab.share.card import history_of_card, run_card
from vgglab.share.script import script
from vgglab.share.sheet import csv_text

NAN, INFINITE = "NaN", "1e400"  # as JSON texts of Python and of others have them


def whole():
    """The record of a run with everything in it: two phases, the second of which early stopping took back."""
    history = make_history(train=[0.5, 0.6, 0.7, 0.8, 0.9, 1.0], validation=[0.4, 0.5, 0.6, 0.6, 0.5, 0.4])
    history.experiment = history.experiment.then(l2=0.1, augment={"flip": 1, "rotation": 20}, epochs=4)
    history.data = dict(
        **dict(name="flowers", classes=["rose", "tulip"], image_size=64, train=20, validation=10),
        **dict(train_counts=[12, 8], validation_counts=[7, 3], wrong_labels=4, skipped=0, fingerprint="0f"),
    )
    for row in history.epochs:
        row["phase"] = 1 if row["epoch"] < 3 else 2
        row |= {name: 0.25 for name in COLUMNS if name not in row}
    for phase in (1, 2):
        history.layers += [dict(phase=phase, layer=name, trainable=True, moved=0.1) for name in ("fc", "top")]
    history.note("early stop", "No lower validation loss for 3 epochs.")
    history.note("restored", "The weights of epoch 4 were restored.", kept_epoch=4)
    history.test = dict(TESTED)
    history.predictions = said_of(10, epoch=4)
    return history


def said_of(images, epoch, classes=2, seed=0):
    """Predictions drawn at random, in float32 as a network's are."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(classes, 0.3), images).astype(np.float32)
    return Predictions(epoch, rng.integers(classes, size=images), probabilities, "a1b2")


def stranger():
    history = of_a_fit(Metric("mae", is_share=False), train_accuracy=(1.5, 2.5))
    history.experiment = STRANGER
    return history


def lines_of(history):
    return [json.loads(line) for line in history.to_lines().splitlines()]


def place_of(lines, kind, path=()):
    """The number of the first line of a kind, and its inside that the path leads to."""
    place = next(number for number, line in enumerate(lines) if line["kind"] == kind)
    inside = lines[place]
    for step in path:
        inside = inside[step]
    return place, inside


def mutated(kind, *path, to, history=whole):
    """The record with one value in it replaced, and the number of its line; `to` is the text of the new value."""
    lines = lines_of(history())
    place, inside = place_of(lines, kind, path[:-1])
    inside[path[-1]] = "@@"
    return "".join(json.dumps(line) + "\n" for line in lines).replace('"@@"', to), place + 1


def everything(history):
    """Make of a run what can be made of it."""
    beside = {"earlier": Shown((copy.copy(history),))}
    for drawn in (live_svg(history, beside, logged=True), run_card(history, "theirs")):
        assert "<svg" in drawn
    figure = Figure(dpi=30)
    for plot, ax in zip((plot_accuracy, plot_loss, plot_drift), figure.subplots(3)):
        plot(history, ax)
    figure.savefig(io.BytesIO(), format="png")
    assert len(compare({"theirs": history, "mine": make_history()})) == 2
    assert csv_text(history.frame()).count("\n") == len(history.epochs) + 1 == len(history.frame()) + 1
    assert diagnose(history) and badge(history)[1] and history.summary() is not None
    assert history.tested() is not None and history.layer_frame() is not None
    if history.experiment.phases:
        assert "keras" in script(history.experiment, history.data)
    assert history_of_card(run_card(history, "x"), "x").to_lines() == history.to_lines()


def refusal(text, origin="theirs.jsonl"):
    with pytest.raises(InputError) as error:
        History.from_lines(text, origin)
    sentence = str(error.value)
    assert sentence.startswith(f"{origin} is ") and sentence.endswith(".") and "\n" not in sentence
    assert len(sentence) < 700 and not re.search(r"Traceback|Error\b|object has no|`\$|NoneType", sentence)
    return sentence


DEEP = "[" * 100_000 + "]" * 100_000
HUGE = "1" + "0" * 400
REFUSED = [
    # The first line
    ("run", ("experiment",), "3", "`experiment` is 3"),
    ("run", ("experiment",), "null", "`experiment` is None"),
    ("run", ("experiment",), '{"l3": 1}', "Unknown field"),
    ("run", ("experiment",), '{"cls": 1}', "Unknown field"),
    ("run", ("experiment", "epochs"), NAN, "`epochs` must be"),
    ("run", ("experiment", "epochs"), INFINITE, "`epochs` must be"),
    ("run", ("experiment", "epochs"), "-1", "`epochs` must be"),
    ("run", ("experiment", "epochs"), HUGE, "`epochs` must be"),
    ("run", ("experiment", "epochs"), "true", "`epochs` must be"),
    ("run", ("experiment", "learning_rate"), NAN, "`learning_rate` must be"),
    ("run", ("experiment", "learning_rate"), INFINITE, "`learning_rate` must be"),
    ("run", ("experiment", "learning_rate"), HUGE, "`learning_rate` must be"),
    ("run", ("experiment", "dataset"), "[1]", "`dataset` must be"),
    ("run", ("experiment", "backbone"), "{}", "Unknown backbone"),
    ("run", ("experiment", "augment"), '{"flip": [1]}', "augmentation 'flip'"),
    ("run", ("experiment", "augment"), '{"rotation": NaN}', "augmentation 'rotation'"),
    ("run", ("experiment", "augment"), "7", "`augment` must be"),
    ("run", ("experiment", "augment"), "[[[1], 2]]", "`augment` must be"),
    ("run", ("experiment", "later"), "3", "`later` must list"),
    ("run", ("experiment", "later"), "[3]", "`later` must be names"),
    ("run", ("experiment", "later"), '[{"seed": 1}]', "belongs to the whole run"),
    ("run", ("experiment", "later"), '[{"later": []}]', "Unknown field"),
    ("run", ("experiment", "later"), "[" + ", ".join(["{}"] * MOST_PHASES) + "]", "10,001 phases"),
    ("run", ("data",), "[]", "`data` is []"),
    ("run", ("data", "classes"), "5", "`classes` is 5"),
    ("run", ("data", "classes"), '["rose", 5]', "each part of it must be text"),
    ("run", ("data", "train"), "-1", "`train` is -1"),
    ("run", ("data", "train"), "0.5", "`train` is 0.5"),
    ("run", ("data", "train"), '"many"', "`train` is 'many'"),
    ("run", ("data", "validation"), HUGE, "`validation` is 1"),
    ("run", ("data", "train_counts"), "[0, 0]", "`train_counts` is"),
    ("run", ("data", "train_counts"), "[20]", "`train_counts` is"),
    ("run", ("data", "train_counts"), '["a", "b"]', "each part of it must be a whole number"),
    ("run", ("experiment", "class_weight"), '"heavy"', "Unknown class weight"),
    ("run", ("experiment", "monitor"), '"luck"', "Unknown monitor"),
    ("run", ("data", "validation_counts"), "[10]", "`validation_counts` is [10], and must count"),
    ("run", ("data", "wrong_labels"), "21", "`wrong_labels` is 21"),
    ("run", ("data", "name"), "null", "`name` is None"),
    ("run", ("data", "more"), '[{"deep": 1}]', "`more` is"),
    ("run", ("versions",), '{"keras": 3}', "`versions` is"),
    ("run", ("epochs",), "[{}]", "`epochs` has no place in it"),
    ("run", ("kind",), '"epoch"', "must be 'run' in the first line"),
    # Epochs
    ("epoch", ("row",), "[1, 2]", "a row is [1, 2]"),
    ("epoch", ("row",), "null", "a row is None"),
    ("epoch", ("row",), "{}", "is missing"),
    ("epoch", ("row", "epoch"), "2", "`epoch` is 2 after 0"),
    ("epoch", ("row", "epoch"), "0", "`epoch` is 0"),
    ("epoch", ("row", "epoch"), INFINITE, "`epoch` is inf"),
    ("epoch", ("row", "epoch"), '"1"', "`epoch` is '1'"),
    ("epoch", ("row", "phase"), "2", "`phase` is 2"),
    ("epoch", ("row", "phase"), "-1", "`phase` is -1"),
    ("epoch", ("row", "phase"), "1.5", "`phase` is 1.5, and it must be a whole number"),
    ("epoch", ("row", "train_accuracy"), "1.5", "and it must be a number of at most 1.0"),
    ("epoch", ("row", "train_accuracy"), NAN, "`train_accuracy` is nan"),
    ("epoch", ("row", "validation_accuracy"), "null", "`validation_accuracy` is None"),
    ("epoch", ("row", "validation_accuracy"), HUGE, "`validation_accuracy` is 1"),
    ("epoch", ("row", "gap"), INFINITE, "`gap` is inf"),
    ("epoch", ("row", "train_loss"), NAN, "`train_loss` is nan"),
    ("epoch", ("row", "validation_loss"), INFINITE, "`validation_loss` is inf"),
    ("epoch", ("row", "logged_loss"), "1e300", "`logged_loss` is 1e+300"),
    ("epoch", ("row", "learning_rate"), "-0.1", "`learning_rate` is -0.1"),
    ("epoch", ("row", "seconds"), NAN, "`seconds` is nan"),
    ("epoch", ("row", "seconds"), "[]", "`seconds` is []"),
    ("epoch", ("row", "source_accuracy"), '"high"', "must be a number or null"),
    ("epoch", ("row", "drift_block3"), "5", "`drift_block3` is 5"),
    ("epoch", ("row", "memorised"), "-1", "`memorised` is -1"),
    ("epoch", ("row", "validation_macro_f1"), "1.01", "`validation_macro_f1` is 1.01"),
    ("epoch", ("row", "validation_balanced_accuracy"), NAN, "`validation_balanced_accuracy` is nan"),
    ("epoch", ("row", "more"), '{"deep": 1}', "`more` is"),
    ("epoch", ("more",), "1", "must have `row` alone"),
    ("epoch", ("kind",), '"weights"', "`kind` is 'weights'"),
    ("epoch", ("kind",), "{}", "`kind` is {}"),
    ("epoch", ("kind",), '"run"', "must be 'run' in the first line and in no other"),
    # Events, layers, the test part
    ("event", ("row", "epoch"), "7", "`epoch` is 7, and the run has 6"),
    ("event", ("row", "epoch"), "-1", "`epoch` is -1"),
    ("event", ("row", "kind"), "null", "`kind` is None"),
    ("event", ("row", "text"), "5", "`text` is 5"),
    ("event", ("row", "kept_epoch"), '"4"', "`kept_epoch` is '4'"),
    ("event", ("row",), '{"epoch": 6, "kind": "restored", "text": ""}', "`kept_epoch` is None"),
    ("event", ("row",), '{"epoch": 6, "kind": "restored", "text": "", "kept_epoch": 7}', "must be 1 to 6"),
    ("event", ("row",), '{"epoch": 6, "kind": "restored", "text": "", "kept_epoch": 0}', "`kept_epoch` is 0"),
    ("layer", ("row", "phase"), "3", "`phase` is 3, and the run has 2"),
    ("layer", ("row", "layer"), "7", "`layer` is 7"),
    ("layer", ("row", "trainable"), "1", "must be true or false"),
    ("layer", ("row", "moved"), NAN, "`moved` is nan"),
    ("layer", ("row", "moved"), '"far"', "`moved` is 'far'"),
    ("test", ("row", "accuracy"), "2", "`accuracy` is 2"),
    ("test", ("row", "loss"), NAN, "`loss` is nan"),
    ("test", ("row", "images"), "0", "`images` is 0"),
    ("test", ("row", "images"), "1.5", "`images` is 1.5"),
    # What is said of the validation images
    ("validation", ("row", "epoch"), "7", "`epoch` is 7, and the weights that count are of epoch 4"),
    ("validation", ("row", "epoch"), "6", "`epoch` is 6, and the weights that count are of epoch 4"),
    ("validation", ("row", "epoch"), "0", "`epoch` is 0"),
    ("validation", ("row", "images"), "5", "`images` is 5"),
    ("validation", ("row", "labels"), "[]", "`labels` is []"),
    ("validation", ("row", "labels"), "[0, 1]", "2 `labels` and 10 `probabilities`, and must have 10"),
    ("validation", ("row", "labels", 3), "2", "a label is 2, and must be 0 to 1"),
    ("validation", ("row", "labels", 3), "-1", "each part of it must be a whole number of at least 0"),
    ("validation", ("row", "labels", 3), "0.5", "each part of it must be a whole number"),
    ("validation", ("row", "labels"), '"0101"', "`labels` is '0101'"),
    ("validation", ("row", "probabilities"), "[]", "10 `labels` and 0 `probabilities`"),
    ("validation", ("row", "probabilities"), "null", "`probabilities` is None"),
    ("validation", ("row", "probabilities", 9), "[1]", "the `probabilities` [1], and must have 2"),
    ("validation", ("row", "probabilities", 9), "[]", "the `probabilities` []"),
    ("validation", ("row", "probabilities", 9), "[0.5, 0.4]", "must have 2 of the sum 1"),
    ("validation", ("row", "probabilities", 9), "0.5", "each part of it must be a list"),
    ("validation", ("row", "probabilities", 9, 0), NAN, "and each part of it must be a number"),
    (
        "validation",
        ("row", "probabilities", 9, 0),
        INFINITE,
        "each part of it must be a number of at most 1.0",
    ),
    (
        "validation",
        ("row", "probabilities", 9, 0),
        "-0.1",
        "each part of it must be a number of at least 0.0",
    ),
    ("validation", ("row", "probabilities", 9, 0), HUGE, "`probabilities` is"),
    ("validation", ("row", "probabilities", 9, 0), '"1"', "each part of it must be a number"),
    (
        "validation",
        ("row", "probabilities", 9),
        "[1, 0]",
        "right for 70.0000% of the images, and `validation_acc",
    ),
    ("validation", ("row", "labels", 9), "1", "`validation_accuracy` of epoch 4 is 60.0000%"),
    ("validation", ("row", "more"), '[{"deep": 1}]', "`more` is"),
    ("validation", ("more",), "1", "must have `row` alone"),
]


@pytest.mark.parametrize(("kind", "path", "to", "words"), REFUSED)
def test_what_would_break_later_is_refused_at_the_door(kind, path, to, words):
    text, line = mutated(kind, *path, to=to)
    sentence = refusal(text)
    assert words in sentence and f"line {line}" in sentence


FIT_REFUSED = [
    ("run", ("experiment", "fit"), "3", "`planned_epochs` of the fit is missing"),
    ("run", ("experiment", "fit", "planned_epochs"), "-1", "`planned_epochs` of the fit is -1"),
    ("run", ("experiment", "fit", "planned_epochs"), HUGE, "`planned_epochs` of the fit is 1"),
    ("run", ("experiment", "fit", "planned_epochs"), "true", "`planned_epochs` of the fit is True"),
    ("run", ("experiment", "fit", "is_share"), '"yes"', "`is_share` of the fit is 'yes'"),
    ("epoch", ("row", "epoch"), INFINITE, "`epoch` is inf"),
    ("epoch", ("row", "epoch"), "2", "`epoch` is 2 after 2"),
    ("epoch", ("row", "phase"), "2", "`phase` is 2"),
    ("epoch", ("row", "train_loss"), "null", "`train_loss` is None"),
    ("epoch", ("row", "validation_loss"), "1e308", "`validation_loss` is 1e+308"),
    ("epoch", ("row", "more"), HUGE, "`more` is 1"),
]


@pytest.mark.parametrize(("kind", "path", "to", "words"), FIT_REFUSED)
def test_what_is_no_fit_is_refused_at_the_door(kind, path, to, words):
    text, _ = mutated(kind, *path, to=to, history=stranger)
    assert words in refusal(text)


HARMLESS = [
    (whole, "run", ("data", "classes"), r'["$\\frac{$", "\ud800"]'),
    (whole, "run", ("data", "name"), r'"</script>\u0000\ud800"'),
    (whole, "run", ("data", "validation"), "0"),
    (whole, "run", ("data",), "{}"),
    (whole, "run", ("data",), '{"name": "x"}'),
    (whole, "run", ("data", "more"), "[1, 2]"),
    (whole, "run", ("versions",), r'{"\ud800": "$"}'),
    (whole, "run", ("experiment", "dataset"), r'"\u0000"'),
    (whole, "run", ("experiment", "dataset"), r'"=1+1\n\ud800"'),
    (whole, "run", ("experiment", "dataset"), '"' + "x" * 100_000 + '"'),
    (whole, "run", ("experiment", "epochs"), "100000"),
    (whole, "epoch", ("row", "train_loss"), "1e37"),
    (whole, "epoch", ("row", "train_loss"), "-1e-320"),
    (whole, "epoch", ("row", "seconds"), "0"),
    (whole, "epoch", ("row", "memorised"), "null"),
    (whole, "epoch", ("row", "more"), "null"),
    (whole, "event", ("row", "text"), r'"$\\frac{$ <b>\ud800"'),
    (whole, "event", ("row",), '{"epoch": 6, "kind": "diverged", "text": "nan"}'),
    (whole, "layer", ("row", "moved"), "null"),
    (whole, "layer", ("row", "layer"), r'"$\\frac{$"'),
    (whole, "validation", ("row", "images"), r'"</script>\u0000\ud800"'),
    (whole, "validation", ("row", "probabilities", 9), "[0, 1]"),
    (whole, "validation", ("row", "probabilities", 9), "[0.3335, 0.6664]"),
    (stranger, "run", ("data",), '{"train": 5, "validation": 5, "classes": ["a", "b"]}'),
    (stranger, "run", ("experiment", "fit", "planned_epochs"), "9223372036854775807"),
    (stranger, "run", ("experiment", "fit", "metric"), r'"$\\frac{$"'),
    (stranger, "run", ("experiment", "fit", "is_share"), "true"),
    (stranger, "epoch", ("row", "train_accuracy"), INFINITE),
    (stranger, "epoch", ("row", "train_accuracy"), "-3e38"),
    (stranger, "epoch", ("row", "validation_loss"), "3e38"),
    (stranger, "epoch", ("row", "gap"), "3e38"),
    (stranger, "epoch", ("row", "seconds"), NAN),
]


@pytest.mark.parametrize(("history", "kind", "path", "to"), HARMLESS)
def test_of_what_passes_the_door_everything_can_be_made(history, kind, path, to):
    text, _ = mutated(kind, *path, to=to, history=history)
    everything(History.from_lines(text, "theirs.jsonl"))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: "\n\n" + text,
        lambda text: text.replace("\n", "\n \n"),
        lambda text: text + "\n\n",
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.removesuffix("\n"),
    ],
    ids=["byte order mark", "blank at first", "blank between", "blank at last", "CRLF", "no last line feed"],
)
def test_what_editors_and_systems_do_to_a_text_is_no_harm(change):
    assert History.from_lines(change(whole().to_lines()), "theirs.jsonl") == whole()


def test_characters_that_end_a_line_elsewhere_end_none_here():
    history = whole()
    history.events[0]["text"] = history.data["name"] = "a\u2028b\u2029c\x85d"
    raw = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines_of(history))
    assert "\u2028" in raw and History.from_lines(raw, "theirs.jsonl") == history


def test_a_last_line_that_was_cut_short_is_left_out_with_a_sentence():
    """Wherever it was cut, all lines before it are read; the first one is needed."""
    *lines, last = whole().to_lines().splitlines(keepends=True)
    before = History.from_lines("".join(lines), "theirs.jsonl")
    for cut in range(1, len(last) - 1):
        read = History.from_lines("".join(lines) + last[:cut], "theirs.jsonl")
        torn = read.events.pop()
        assert (torn["epoch"], torn["kind"]) == (6, "torn") and torn["text"].count(".") == 1
        assert read == before and read.predictions is None and read.test == TESTED
    assert History.from_lines("".join(lines) + "\0" * 50, "theirs.jsonl").events[-1]["kind"] == "torn"
    assert "line 1 is not a record" in refusal(lines[0][:-10])


def test_what_is_said_of_images_goes_with_the_epoch_that_counts_wherever_its_line_stands():
    *lines, said = whole().to_lines().splitlines(keepends=True)
    assert History.from_lines("".join([lines[0], said, *lines[1:]]), "theirs.jsonl") == whole()
    assert "line 2 is not a record (`epoch` is 4, and the run has none)" in refusal(lines[0] + said)
    without_events = "".join(line for line in [*lines, said] if '"event"' not in line)
    assert "line 13 is not a record (`epoch` is 4, and the weights that count are of epoch 6)" in refusal(
        without_events
    )


def test_a_wrong_accuracy_is_found_in_the_line_of_what_contradicts_it():
    text, _ = mutated("validation", "row", "labels", 9, to="1")
    assert (
        "line 15 is not a record (its `probabilities` are right for 70.0000% of the images, and "
        in refusal(text)
    )
    # A mean in float32 is not the last digit of that in float64.
    history = whole()
    history.epochs[3]["validation_accuracy"] = float(np.float32(0.6))
    assert History.from_lines(history.to_lines(), "theirs.jsonl") == history


def test_a_run_says_once_what_it_says_of_the_validation_images():
    text = whole().to_lines()
    assert (
        "line 16 is not a record (a run has one line of `kind` 'validation', and this is the second)"
        in refusal(text + text.splitlines()[-1])
    )


@pytest.mark.slow
def test_the_longest_line_that_is_written_can_be_read():
    """Two classes take the most characters a probability; the widest float32 has ten digits and an exponent."""
    rows = MOST_WRITTEN // 2
    widest = np.float32(1.1754944e-38), np.float32(0.99999994)
    said = Predictions(1, np.ones(rows, int), np.tile(np.array(widest, np.float32), (rows, 1)), "0" * 16)
    assert len(json.dumps(dict(kind="validation", row=said.to_row()))) < LONGEST_LINE


def test_a_line_that_was_cut_short_in_the_middle_is_no_record():
    first, second, *rest = whole().to_lines().splitlines(keepends=True)
    assert "line 2 is not a record" in refusal("".join([first, second[:20], *rest]))
    assert "line 2 is not a record" in refusal("".join([first, second[:20], "\n", *rest]))


def test_the_latest_experiment_takes_the_place_of_the_first():
    """A run writes it when a control was moved; rows may then belong to phases that were not planned."""
    history = whole()
    head, *rest = lines_of(history)
    planned = dict(head, experiment=make_history().experiment.to_dict())
    between = dict(kind="experiment", experiment=make_history().experiment.then(l2=0.5).to_dict())
    latest = dict(kind="experiment", experiment=head["experiment"])
    for lines in ([planned, *rest[:4], between, *rest[4:], latest], [planned, between, latest, *rest]):
        assert History.from_lines("\n".join(map(json.dumps, lines)), "theirs.jsonl") == history
    assert "`phase` is 2, and the run has 1" in refusal("\n".join(map(json.dumps, [planned, *rest])))
    broken = dict(kind="experiment", experiment=dict(l2=7))
    assert "`l2` must be" in (sentence := refusal("\n".join(map(json.dumps, [planned, *rest, broken]))))
    assert f"line {len(rest) + 2}" in sentence
    fit = dict(kind="experiment", experiment=STRANGER.to_dict())
    assert "cannot become" in refusal("\n".join(map(json.dumps, [planned, fit])))
    assert "line 1" in refusal(json.dumps(latest))


@pytest.mark.parametrize("kind", ["run", "epoch", "event"])
def test_what_is_nested_deeply_is_a_sentence(kind):
    text, line = mutated(kind, "more", to=DEEP)
    assert f"line {line} is not a record (it is nested too deeply)" in refusal(text)
    assert "nested too deeply" in refusal(DEEP)


def test_very_large_texts_are_a_sentence(monkeypatch, tmp_path):
    text, line = mutated("event", "row", "text", to='"' + "x" * LONGEST_LINE + '"')
    assert f"line {line} is not a record (it has 33," in refusal(text)
    path = whole().save(tmp_path / "run.jsonl")
    monkeypatch.setattr(record_reader, "MOST_BYTES", 1000)
    assert "too large" in refusal(path.read_text())
    with pytest.raises(
        InputError, match="run.jsonl is too large for a history of vgglab: .* 1,000 are allowed"
    ):
        History.load(path)


def test_a_file_that_is_no_utf_8_is_a_sentence(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_bytes(whole().to_lines().encode("utf-16"))
    with pytest.raises(InputError, match="run.jsonl is not a history of vgglab: it is not UTF-8 text"):
        History.load(path)
    path.write_bytes(whole().to_lines().encode("utf-8-sig"))
    assert History.load(path) == whole()


def test_epochs_of_keras_may_begin_later_and_leave_some_out():
    history = stranger()
    history.epochs[0]["epoch"], history.epochs[1]["epoch"] = 4, 7
    everything(read := History.from_lines(history.to_lines(), "theirs.jsonl"))
    assert [row["epoch"] for row in read.epochs] == [4, 7]


def of_many_phases(phases):
    """A run each of whose phases is one epoch."""
    history = make_history(train=[0.5] * phases, validation=[0.4] * phases)
    history.experiment = in_phases([Experiment(epochs=1, l2=0.1 * (each % 2)) for each in range(phases)])
    history.data = dict(train=20, validation=10, classes=["a", "b"])
    history.layers = [dict(phase=each + 1, layer="fc", trainable=True, moved=0.1) for each in range(phases)]
    for row in history.epochs:
        row["phase"] = row["epoch"]
    return history


def of_many_epochs(epochs):
    history = make_history(train=[0.5] * epochs, validation=[0.4] * epochs)
    history.experiment = Experiment(epochs=100_000)
    history.data = dict(train=20, validation=10, classes=["a", "b"])
    return history


def calls_in(work):
    """How many calls, of Python and of what is in C, a piece of work makes: its size on any machine."""
    count = 0

    def counted(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize(("many", "size"), [(of_many_phases, 100), (of_many_epochs, 1000)])
@pytest.mark.parametrize(
    "work",
    [
        lambda text: History.from_lines(text, "x"),
        lambda text: diagnose(History.from_lines(text, "x")),
        lambda text: run_card(History.from_lines(text, "x"), "x"),
        lambda text: compare({"x": History.from_lines(text, "x")}),
        lambda text: script(History.from_lines(text, "x").experiment),
        lambda text: plot_accuracy(History.from_lines(text, "x"), detached_axes()),
    ],
    ids=["read", "diagnose", "card", "table", "script", "chart"],
)
def test_twice_as_long_a_run_takes_about_twice_the_work(many, size, work):
    texts = [many(times * size).to_lines() for times in (1, 2)]
    work(texts[0])  # what is done once only
    once, twice = (calls_in(lambda text=text: work(text)) for text in texts)
    assert twice < 2.5 * once  # the square would be four times


def test_very_many_phases_are_diagnosed_and_judged_in_one_go():
    """Each of 3,000 phases is too short to tell anything; and the layers are gone through once, not once a phase."""
    history = of_many_phases(3000)
    (found,) = diagnose(history)
    assert found.kind == "too-early" and "phase 3000" in found.finding
    assert found.evidence.endswith("Before it: Too early to tell: a trend takes at least 3 epochs.")

    class Watched(list):
        times = 0

        def __iter__(self):
            self.times += 1
            return super().__iter__()

    history.layers = Watched(history.layers)
    assert badge(history)[0] is True and history.layers.times == 1


VALUES = (
    "null",
    "true",
    "-1",
    "0",
    "1.5",
    "1e38",
    INFINITE,
    NAN,
    HUGE,
    '""',
    r'"\ud800"',
    "[]",
    "{}",
    "[[1]]",
)


def leaves(inside, path=()):
    """The ways to all values inside an object."""
    for name, value in inside.items():
        yield (*path, name)
        if isinstance(value, dict):
            yield from leaves(value, (*path, name))


@pytest.mark.slow
@pytest.mark.parametrize("history", [whole, stranger])
@pytest.mark.parametrize("kind", ["run", "epoch", "event", "layer", "test", "validation"])
def test_whatever_value_is_replaced_it_is_refused_or_harmless(history, kind):
    lines, outcomes = lines_of(history()), {True: 0, False: 0}
    for path in leaves(next((line for line in lines if line["kind"] == kind), {})):
        for value in VALUES:
            text, _ = mutated(kind, *path, to=value, history=history)
            try:
                read = History.from_lines(text, "theirs.jsonl")
            except InputError:
                outcomes[False] += 1
                refusal(text)
            else:
                outcomes[True] += 1
                everything(read)
    if any(line["kind"] == kind for line in lines):
        assert outcomes[True] and outcomes[False] > outcomes[True]
