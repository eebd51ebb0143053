import copy
import dataclasses
import json
import math

import numpy as np
import pytest

from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.fit import Fit, Metric
from vgglab.history import COLUMNS, History
from vgglab.predictions import Predictions


def make_history(validation=(0.4, 0.6, 0.5), train=(0.5, 0.8, 1.0), **fields):
    history = History(Experiment(epochs=5, **fields), dict(name="made by hand"), dict(keras="3"))
    for epoch, (right, wrong) in enumerate(zip(train, validation), start=1):
        history.epochs.append(
            dict(
                zip(
                    COLUMNS,
                    (epoch, 1, right, wrong, right - wrong, 1 - right, 1 - wrong, right / 2, 1.0, 1e-3, 0.5),
                )
            )
        )
    return history


def test_frame_has_a_row_an_epoch():
    frame = make_history().frame()
    assert tuple(frame.columns) == COLUMNS and frame["validation_accuracy"].tolist() == [0.4, 0.6, 0.5]
    assert list(History(Experiment()).frame().columns) == list(COLUMNS)


def test_what_was_not_measured_is_a_number_in_the_table_too():
    """NaN, with which one can reckon; None turns a whole column into objects."""
    history = make_history()
    for row in history.epochs:
        row["memorised"] = row["source_accuracy"] = None
    frame = history.frame()
    assert frame["memorised"].isna().all() and (frame["memorised"] - frame["source_accuracy"]).isna().all()
    assert {frame[name].dtype.kind for name in COLUMNS} <= {"i", "f"}


def test_saved_as_text_and_read_back(tmp_path):
    history = make_history(augment=("flip",))
    history.note("stopped", "Stopped.")
    history.layers.append(dict(phase=1, layer="fc", trainable=True, moved=0.25))
    path = history.save(tmp_path / "history.jsonl")
    assert History.load(path) == history
    assert [each.name for each in tmp_path.iterdir()] == ["history.jsonl"]
    assert len(path.read_text().splitlines()) == 1 + 3 + 1 + 1


OLD = """\
{"kind": "run", "experiment": {"dataset": "blossoms", "image_size": 32, "l2": 0.01, "epochs": 2, "seed": 4, "later": \
[]}, "data": {"name": "blossoms", "classes": ["a", "b"], "train": 16, "validation": 8, "fingerprint": "0f"}, \
"versions": {"keras": "3"}}
{"kind": "epoch", "row": {"epoch": 1, "phase": 1, "train_accuracy": 0.5, "validation_accuracy": 0.25, "gap": 0.25, \
"train_loss": 0.7, "validation_loss": 0.9, "logged_accuracy": 0.5, "logged_loss": 0.8, "learning_rate": 0.0005, \
"seconds": 1.5}}
{"kind": "event", "row": {"epoch": 1, "kind": "stopped", "text": "Stopped; the epochs before are kept."}}
"""


def test_a_record_from_before_there_were_conditions_and_a_test_part_is_read():
    history = History.from_lines(OLD, "old")
    assert history.experiment == Experiment(image_size=32, l2=0.01, epochs=2, seed=4)
    assert (history.experiment.images_a_class, history.experiment.label_noise) == (None, 0)
    assert history.test is None and history.tested() == "" and history.predictions is None
    assert history.frame()["memorised"].isna().all() and history.kept["validation_accuracy"] == 0.25
    assert history.summary() == "Epoch 1 of 2: train 50.0%, validation 25.0%, gap 25.0 points"
    assert History.from_lines(history.to_lines(), "again") == history


TESTED = dict(accuracy=0.875, loss=0.4321, calibration_error=0.0625, images=16)


def test_what_a_test_part_gave_is_kept_and_said(tmp_path):
    history = make_history(label_noise=0.4, images_a_class=5)
    assert '"kind": "test"' not in history.to_lines()
    history.test = dict(TESTED)
    read = History.load(history.save(tmp_path / "history.jsonl"))
    assert read == history and read.test == TESTED
    assert read.tested() == (
        "On the 16 test images, which no choice was made on: 87.5%, loss 0.432, calibration error 6.2 points."
    )


def test_predictions_are_kept_to_the_last_bit(tmp_path):
    """Every float32 there is may be a probability: also those between which a text of few digits cannot tell."""
    bits = np.random.default_rng(0).integers(0, np.float32(0.5).view(np.int32), 20_000).astype(np.int32)
    near = np.float32(0.5) + np.spacing(np.float32(0.5)) * np.arange(-50, 50, dtype=np.float32)
    first = np.concatenate([bits.view(np.float32), near, np.float32([0, 1, 1e-45])])
    probabilities = np.stack([first, (1 - first.astype(float)).astype(np.float32)], axis=1)
    history = make_history()
    history.predictions = Predictions(3, np.arange(len(first)) % 2, probabilities, "0f")
    history.epochs[-1]["validation_accuracy"] = float(history.predictions.right.mean())
    read = History.load(history.save(tmp_path / "history.jsonl"))
    assert read == history and read.predictions.probabilities.dtype == np.float32
    assert (read.predictions.probabilities.view(np.int32) == probabilities.view(np.int32)).all()
    assert (tmp_path / "history.jsonl").stat().st_size < 16 * probabilities.size + 3 * len(first) + 5000


def test_predictions_of_another_epoch_image_or_network_are_others():
    said = Predictions(1, np.array([0, 1]), np.float32([[0.7, 0.3], [0.4, 0.6]]), "0f")
    assert said == dataclasses.replace(said) and said.right.tolist() == [True, True]
    for other in (
        dict(epoch=2),
        dict(images="10"),
        dict(labels=np.array([1, 1])),
        dict(probabilities=np.float32([[0.7, 0.3], [0.5, 0.5]])),
    ):
        assert said != dataclasses.replace(said, **other)


def test_what_only_the_end_of_a_run_has_is_in_no_record_that_grows():
    history = make_history()
    plain, history.test = history.to_lines(), dict(TESTED)
    history.predictions = Predictions(3, np.array([0]), np.float32([[0.5, 0.5]]), "0f")
    assert [json.loads(line)["kind"] for line in history.to_lines().splitlines()[-2:]] == [
        "test",
        "validation",
    ]
    assert history.growing_lines() == plain
    assert history.lines_after(history.rows()) == ""
    history.cut(history.rows())
    assert history.test is None and history.predictions is None and len(history.epochs) == 3


def test_a_run_that_may_still_go_back_is_saved_without_predictions_of_its_best_epoch(tmp_path):
    """What is said of the validation images is of the weights that count, and those are not settled yet."""
    history = make_history()
    history.predictions = Predictions(
        2, np.zeros(5, int), np.float32([[0.9, 0.1]] * 3 + [[0.1, 0.9]] * 2), "0f"
    )
    read = History.load(history.save(tmp_path / "history.jsonl"))
    assert read.predictions is None and read.epochs == history.epochs
    history.note("restored", "The weights of epoch 2 were restored.", kept_epoch=2)
    assert History.load(history.save(tmp_path / "history.jsonl")) == history


@pytest.mark.parametrize("name", TESTED)
@pytest.mark.parametrize("value", [None, "most"])
def test_a_test_part_without_its_figures_is_no_record(name, value):
    header = make_history().to_lines()
    for row in ({key: each for key, each in TESTED.items() if key != name}, TESTED | {name: value}):
        with pytest.raises(InputError, match=f"line 5 is not a record .*`{name}` is"):
            History.from_lines(header + json.dumps(dict(kind="test", row=row)), "here")
    with pytest.raises(InputError, match="line 1 is not a record"):
        History.from_lines(json.dumps(dict(kind="test", row=TESTED)), "here")


def test_wrong_labels_known_by_heart_are_in_the_table_and_in_the_summary():
    history = make_history()
    for row, share in zip(history.epochs, (0.0, 0.25, 0.5)):
        row["memorised"] = share
    assert history.frame()["memorised"].tolist() == [0.0, 0.25, 0.5]
    assert history.summary().endswith(", gap 50.0 points, 50.0% of the wrong labels memorised")


def test_files_that_are_no_history(tmp_path):
    with pytest.raises(InputError, match="There is no history file at"):
        History.load(tmp_path / "absent")
    for text, sentence in (
        ("", "it is empty"),
        ("{", "line 1 is not a record"),
        ('{"kind": "epoch", "row": {}}', "line 1"),
        ('{"kind": "run", "experiment": {"l3": 1}}', "not for this version: Unknown field"),
    ):
        (tmp_path / "bad").write_text(text)
        with pytest.raises(InputError, match=sentence):
            History.load(tmp_path / "bad")


def test_summary_says_the_gap():
    assert make_history().summary() == "Epoch 3 of 5: train 100.0%, validation 50.0%, gap 50.0 points"
    fine = make_history(train=(0.9996,), validation=(0.9546,)).summary()
    assert fine == "Epoch 1 of 5: train 100.0%, validation 95.5%, gap 4.5 points"
    assert History(Experiment()).summary() == "No epoch finished yet."


STRANGER = Fit(9, Metric("acc_top2"), is_clean=True, optimizer="SGD")


def of_a_fit(metric, **columns):
    """A history of two epochs of a fit that vgglab did not set up, in which these columns were measured."""
    history = History(Fit(9, metric))
    for row in make_history(train=(1, 1), validation=(1, 1)).epochs:
        missing = {name: value if name in ("epoch", "phase") else math.nan for name, value in row.items()}
        history.epochs.append(missing | {name: values[row["epoch"] - 1] for name, values in columns.items()})
    return history


@pytest.mark.parametrize(
    ("metric", "columns", "text"),
    [
        (Metric("acc_top2"), dict(train_accuracy=(0, 0.625)), ", acc_top2: train 62.5%"),
        (Metric("ACC"), dict(train_accuracy=(0, 0.625)), ": train 62.5%"),
        (
            Metric("far_off", is_share=False),
            dict(train_accuracy=(0, 1.14), validation_accuracy=(0, 1.5), gap=(0, -0.36)),
            ", far_off: train 1.14, validation 1.5, gap -0.36",
        ),
        (
            Metric(),
            dict(train_accuracy=(0.5, 0.6), validation_accuracy=(0.4, math.nan), gap=(0.1, math.nan)),
            ": train 60.0%, validation 40.0% in epoch 1",
        ),
        (
            Metric(""),
            dict(train_loss=(1, 0.53), validation_loss=(1, 0.7123)),
            ": train loss 0.53, validation loss 0.712",
        ),
        (Metric(""), dict(), ": nothing was logged that a chart could show"),
        (Metric(), dict(train_accuracy=(0.5, math.inf)), ": nothing was logged that a chart could show"),
    ],
)
def test_a_summary_says_what_was_measured_and_under_which_name(metric, columns, text):
    assert of_a_fit(metric, **columns).summary() == f"Epoch 2 of 9{text}"


def test_a_history_of_a_fit_is_read_back():
    history = of_a_fit(Metric("mae", is_share=False), train_accuracy=(1.5, 2.5))
    history.experiment = STRANGER
    read = History.from_lines(history.to_lines(), "here")
    assert read.experiment == STRANGER and read.summary() == history.summary()


@pytest.mark.parametrize("name", STRANGER.to_dict()["fit"])
@pytest.mark.parametrize("value", [None, [1]])
def test_a_fit_that_lacks_something_is_no_record(name, value):
    known = STRANGER.to_dict()["fit"]
    for broken in ({key: each for key, each in known.items() if key != name}, known | {name: value}):
        with pytest.raises(InputError, match="line 1 is not a record"):
            History.from_lines(json.dumps(dict(kind="run", experiment=dict(fit=broken))), "here")


def test_what_is_not_known_of_a_fit_is_said():
    for name in ("backbone", "seed", "then"):
        with pytest.raises(InputError, match=f"its experiment is unknown. Received: .* asked for `{name}`"):
            getattr(STRANGER, name)
    assert not hasattr(STRANGER, "nonsense") and copy.deepcopy(STRANGER) == STRANGER


def test_kept_is_the_last_epoch_unless_a_better_one_was_restored():
    history = make_history()
    assert history.kept["epoch"] == 3
    history.note("restored", "…")
    history.events[-1]["kept_epoch"] = 2
    assert history.kept["epoch"] == 2
    empty = History(Experiment())
    empty.note("diverged", "The loss became nan.")
    with pytest.raises(InputError, match="finished no epoch.*The loss became nan"):
        empty.kept


def test_a_record_of_a_newer_version_is_told_from_something_else(tmp_path):
    header, *rest = make_history().to_lines().splitlines()
    newer = json.loads(header)
    newer["experiment"]["sharpness"] = 0.5
    with pytest.raises(InputError, match="is a history of vgglab, but not for this version: Unknown field"):
        History.from_lines("\n".join([json.dumps(newer), *rest]), "here")
