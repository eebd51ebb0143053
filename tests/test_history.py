import json

import pytest

from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.history import COLUMNS, History


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


def test_saved_as_text_and_read_back(tmp_path):
    history = make_history(augment=("flip",))
    history.note("stopped", "Stopped.")
    history.layers.append(dict(phase=1, layer="fc", trainable=True, moved=0.25))
    path = history.save(tmp_path / "history.jsonl")
    assert History.load(path) == history
    assert [each.name for each in tmp_path.iterdir()] == ["history.jsonl"]
    assert len(path.read_text().splitlines()) == 1 + 3 + 1 + 1


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
    assert make_history().summary() == "Epoch 3 of 5: train 100%, validation 50%, gap 50 points"
    assert History(Experiment()).summary() == "No epoch finished yet."


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
