"""The table of runs: what it compares, and the files that can be taken away and brought back."""

import csv
import datetime
import functools
import html
import itertools
import json
import math
import os
import sys
import threading
from pathlib import Path
from xml.etree import ElementTree

import ipywidgets as widgets
import numpy as np
import pandas as pd
import pytest
import traitlets

from test_history import make_history
from vgglab.charts.colours import Look, looks
from vgglab.charts.live import live_svg
from vgglab.charts.shown import Memo, Shown, visible
from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.fit import Fit
from vgglab.history import History
from vgglab.measures import comparison
from vgglab.panel import exports, run_files, run_rows
from vgglab.panel.exports import place
from vgglab.panel.run_table import Mark, RunTable, in_order
from vgglab.panel.runs import Runs
from vgglab.panel.table import compare
from vgglab.predictions import Predictions
from vgglab.share.card import load_card, run_card
from vgglab.share.shelf import LONGEST_NAME, Shelf
from vgglab.share.shelf import delete as delete_folder
from vgglab.share.store import CHECKPOINT, MODEL, RECORD, check_place, locked

FIGURES = ["run", "validation %", "gap, points", "kept epoch", "epochs run", "seconds"]
UNUSUAL = (
    *("../../etc/passwd", "..", ".hidden", "a/b\\c:d*e?f", "<b>&\"'</b>"),
    *("tab\tnew\nline\0null", "Übung 花", "%s {0}"),
)


@pytest.fixture
def runs(tmp_path):
    return open_runs(tmp_path / "runs")


def open_runs(folder):
    """The table of a new dashboard."""
    return Runs(Shelf(folder), lambda name: None)


def add(runs, history, name=None):
    """As a run of the dashboard does, or as a card of that name that is loaded."""
    if name is not None:
        return runs.add(history, name)
    history, folder = runs.shelf.train(lambda out: kept(history, out))
    return runs.add(history, folder=folder)


MOVED = dict(phase=1, layer="fc", trainable=True, moved=0.1)  # which is noted at the end of a phase


def kept(history, folder, state="finished"):
    """What a run leaves in its folder, if it has one."""
    if folder:
        check_place(folder).mkdir(parents=True)
        if state == "finished":
            history.layers.append(MOVED)
        history.save(folder / RECORD)
        (folder / (MODEL if state == "finished" else CHECKPOINT)).write_text(
            f"network {history.experiment.seed}"
        )
    return history


def select(runs, *names):
    runs.select(*names)


def names_on(runs):
    """The names on the table, from above."""
    return [row["name"] for row in runs.table.rows]


def column(runs, name):
    """What a column of the table says of each run, from above."""
    columns = [each["name"] for each in runs.table.columns if each["name"] not in ("run", "note")]
    return {row["name"]: row["cells"][columns.index(name)] for row in runs.table.rows}


def press(runs, button):
    """Press a button and return the kind of what is said, and the sentence."""
    runs._message.value = ""
    runs.buttons[button].click()
    return said(runs)


def delete(runs):
    """Press Delete, and once more where it asks."""
    first = press(runs, "Delete")
    return press(runs, "Delete") if "Press again" in first[1] else first


def said(runs):
    message = ElementTree.fromstring(runs._message.value.replace("\0", "�"))  # which XML does not know
    return message.get("role"), "".join(message.itertext())


def upload(runs, *files):
    when = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    runs._upload.value = tuple(
        dict(name=name, type="", size=len(content), content=memoryview(content), last_modified=when)
        for name, content in files
    )
    return said(runs)


def files_of(runs):
    """What was taken away, without the folders of the runs."""
    there = runs.folder.iterdir() if runs.folder.is_dir() else []
    return sorted(each.name for each in there if not each.is_dir())


def test_no_runs_make_an_empty_table():
    assert compare({}).empty


def test_one_run_has_no_settings_in_which_it_differs():
    history = make_history(l2=0.1)
    history.experiment = Experiment(l2=0.1, epochs=3)
    table = compare({"only": history})
    assert list(table.columns) == FIGURES
    assert table.iloc[0].tolist() == ["only", 50.0, 50.0, 3, 3, 1.5]


def test_the_figures_are_those_of_the_epoch_whose_weights_were_kept():
    """Not of the best epoch, which was picked on the figure itself: what the saved network reaches counts."""
    history = make_history(validation=(0.4, 0.701, 0.5), train=(0.5, 0.9, 1.0))
    (row,) = compare({"run": history}).to_dict("records")
    assert (row["kept epoch"], row["validation %"], row["gap, points"]) == (3, 50.0, 50.0)
    history.note("restored", "…", kept_epoch=2)
    (row,) = compare({"run": history}).to_dict("records")
    assert (row["kept epoch"], row["validation %"], row["gap, points"]) == (2, 70.1, 19.9)


def test_a_run_of_several_phases_shows_all_values_of_a_setting_in_order():
    one, other = make_history(), make_history()
    one.experiment = Experiment(epochs=1).then(l2=0.1).then(augment=("flip",)).then(l2=0)
    other.experiment = Experiment(epochs=4)
    table = compare({"one": one, "other": other})
    assert table["L2"].tolist() == ["0 → 0.1 → 0", "0"]
    assert table["augmentation"].tolist() == ["none → flip left-right", "none"]
    assert "epochs" not in table and table["planned"].tolist() == [4, 4]


def test_a_run_without_an_epoch_has_no_figures():
    table = compare({"stopped": History(Experiment(epochs=5)), "whole": make_history()})
    assert table["epochs run"].tolist() == [0, 3]
    assert table["validation %"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("changes", "column", "words"),
    [
        (dict(l2=0.01), "L2", ["0", "0.01"]),
        (dict(unfreeze=5), "unfreeze depth", ["3", "5"]),
        (dict(weights=None), "weights", ["pretrained", "none"]),
        (dict(patience=4), "patience", ["none", "4"]),
        (dict(learning_rate=1e-5), "learning rate", ["0.0005", "1e-05"]),
        (dict(augment=("flip", "zoom")), "augmentation", ["none", "flip left-right, zoom ±20 %"]),
        (dict(images_a_class=5), "images a class", ["none", "5"]),
        (dict(label_noise=0.4), "label noise", ["0", "0.4"]),
    ],
)
def test_only_settings_that_differ_have_a_column(changes, column, words):
    table = compare({"one": make_history(seed=7), "other": make_history(seed=7, **changes)})
    assert (
        list(table.drop(columns="planned").columns) == [*FIGURES, column] and table[column].tolist() == words
    )


def test_what_was_measured_on_a_test_part_has_a_column():
    one, other = make_history(), make_history()
    one.test = dict(accuracy=0.8765, loss=0.5, calibration_error=0.1, images=400)
    table = compare({"tested": one, "not": other})
    assert list(table.drop(columns="planned").columns) == [*FIGURES[:3], "test %", *FIGURES[3:]]
    assert table["test %"].tolist()[0] == 87.6 and table["test %"].isna().tolist() == [False, True]


def test_runs_that_differ_in_a_strength_only_can_be_told_apart():
    one, other = (make_history(augment={"rotation": degrees}) for degrees in (10, 90))
    assert compare({"one": one, "other": other})["augmentation"].tolist() == [
        "rotation ±10°",
        "rotation ±90°",
    ]


def test_planned_epochs_stand_beside_those_that_were_run_where_they_differ():
    one, other = make_history(), make_history()
    one.experiment, other.experiment = Experiment(epochs=3), Experiment(epochs=50)
    table = compare({"one": one, "other": other})
    assert list(table.columns) == [*FIGURES[:-1], "planned", FIGURES[-1]]
    assert table["epochs run"].tolist() == [3, 3] and table["planned"].tolist() == [3, 50]
    assert "planned" not in compare({"one": one})


def test_runs_are_named_and_no_name_is_given_twice(runs):
    names = [add(runs, make_history()) for _ in range(2)]
    names += [add(runs, make_history(), "card") for _ in range(3)]
    assert names == ["run 1", "run 2", "card", "card (2)", "card (3)"]
    assert list(runs.histories) == names == names_on(runs)[::-1], "the newest is on top"


def test_after_a_deletion_a_new_run_does_not_look_like_a_copy(runs):
    for _ in range(3):
        add(runs, make_history())
    select(runs, "run 1")
    delete(runs)
    assert add(runs, make_history()) == "run 4"


def test_names_are_escaped_in_the_table_and_in_messages(runs):
    name = "<script>alert(1)</script>"
    add(runs, make_history(dataset=name), name)
    add(runs, make_history())
    select(runs, name)
    assert delete(runs) == ("status", f"Deleted: {name}.")
    assert "<script>" not in runs._message.value
    add(runs, make_history(dataset=name), name)
    assert names_on(runs) == [name, "run 1"] and column(runs, "data set")[name] == name, (
        "as text, which is no HTML"
    )


def test_what_is_selected_is_shown_beside_a_and_b(runs):
    for seed in range(4):
        add(runs, make_history(l2=seed / 10))
    select(runs, "run 1", "run 3")
    assert runs.shown == ("run 3", "run 4", "run 1")
    add(runs, make_history(l2=1))
    assert runs.shown == ("run 4", "run 5", "run 1", "run 3")
    select(runs)
    assert runs.shown == ("run 4", "run 5")


def test_rename_keeps_place_history_and_selection(runs):
    histories = [make_history(seed=seed) for seed in range(3)]
    for history in histories:
        add(runs, history)
    select(runs, "run 2")
    runs._name.value = "  better  "
    assert press(runs, "Rename") == ("status", "run 2 is now better.")
    assert list(runs.histories) == ["run 1", "better", "run 3"]
    assert list(runs.histories.values()) == histories
    assert runs.selected == ["better"] and names_on(runs) == ["run 3", "better", "run 1"]


@pytest.mark.parametrize("new", ["", "   ", "run 2", " run 1 "])
def test_rename_refuses_names_that_are_taken_or_empty(runs, new):
    for _ in range(2):
        add(runs, make_history())
    select(runs, "run 1")
    runs._name.value = new
    kind, sentence = press(runs, "Rename")
    assert kind == "alert" and sentence.startswith("The new name must be one that no other run has.")
    assert repr(new.strip()) in sentence and list(runs.histories) == ["run 1", "run 2"]


def test_rename_wants_exactly_one_run(runs):
    for _ in range(2):
        add(runs, make_history())
    runs._name.value = "new"
    assert press(runs, "Rename") == ("alert", "Choose one run in the table. Chosen: 0.")
    select(runs, "run 1", "run 2")
    assert press(runs, "Rename") == ("alert", "Choose one run in the table. Chosen: 2.")
    assert list(runs.histories) == ["run 1", "run 2"]


def test_delete_takes_the_selected_runs_away(runs):
    for _ in range(3):
        add(runs, make_history())
    select(runs, "run 1", "run 3")
    assert delete(runs) == ("status", "Deleted: run 1, run 3.")
    assert list(runs.histories) == names_on(runs) == ["run 2"] and runs.shown == ()
    select(runs, "run 2")
    delete(runs)
    assert names_on(runs) == []


@pytest.mark.parametrize("button", ["Delete", "Export", "Run card", "Save model"])
def test_without_a_selection_there_is_a_sentence_and_no_file(runs, button):
    add(runs, make_history())
    assert press(runs, button) == ("alert", "Choose a run in the table first.")
    assert files_of(runs) == [] and list(runs.histories) == ["run 1"]


def test_export_writes_record_table_and_charts(runs):
    history = make_history(augment=("flip",))
    add(runs, history)
    add(runs, make_history(l2=0.1))
    select(runs, "run 1")
    kind, sentence = press(runs, "Export")
    assert (kind, sentence) == (
        "status",
        f"Written to {runs.folder}: run-1.jsonl, run-1.csv, run-1.png, run-1.svg, runs.csv.",
    )
    assert files_of(runs) == ["run-1.csv", "run-1.jsonl", "run-1.png", "run-1.svg", "runs.csv"]
    assert History.load(runs.folder / "run-1.jsonl") == history
    table = pd.read_csv(runs.folder / "run-1.csv")
    pd.testing.assert_frame_equal(table, history.frame(), check_dtype=False)
    assert (runs.folder / "run-1.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert ElementTree.parse(runs.folder / "run-1.svg").getroot().tag.endswith("svg")
    assert pd.read_csv(runs.folder / "runs.csv")["run"].tolist() == ["run 1", "run 2"]


def test_a_run_without_an_epoch_can_be_exported(runs):
    add(runs, History(Experiment()))
    select(runs, "run 1")
    assert press(runs, "Export")[0] == "status" and len(files_of(runs)) == 5


def test_cards_are_written_and_loaded_back(runs):
    histories = [make_history(seed=seed, augment=("flip",)) for seed in range(2)]
    for history in histories:
        add(runs, history)
    select(runs, "run 1", "run 2")
    assert press(runs, "Run card") == ("status", f"Written to {runs.folder}: run-1.html, run-2.html.")
    assert files_of(runs) == ["run-1.html", "run-2.html"]
    assert [load_card(runs.folder / name) for name in files_of(runs)] == histories
    files = [(name, (runs.folder / name).read_bytes()) for name in files_of(runs)]
    assert upload(runs, *files) == ("status", "Loaded: run-1, run-2.")
    assert list(runs.histories) == ["run 1", "run 2", "run-1", "run-2"]
    assert [runs.histories["run-1"], runs.histories["run-2"]] == histories


def test_an_exported_record_and_other_capitals_are_loaded_too(runs):
    history = make_history()
    files = ("mine.jsonl", history.to_lines().encode()), ("THEIRS.HTML", run_card(history, "x").encode())
    assert upload(runs, *files) == ("status", "Loaded: mine, THEIRS.")
    assert runs.histories == {"mine": history, "THEIRS": history}


def test_a_deleted_card_can_be_loaded_again(runs):
    file = "card.html", run_card(make_history(), "run").encode()
    upload(runs, file)
    select(runs, "card")
    delete(runs)
    assert upload(runs, file) == ("status", "Loaded: card.") and list(runs.histories) == ["card"]


def test_a_card_loaded_twice_gets_a_name_of_its_own(runs):
    file = "card.html", run_card(make_history(), "run").encode()
    assert upload(runs, file, file) == ("status", "Loaded: card, card (2).")


ROW = {"kind": "epoch", "row": {"epoch": 1}}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("<b>page.html", b"<html></html>"),
        ("<b>picture.html", bytes(range(256))),
        ("<b>other.jsonl", b"[1, 2]"),
        ("<b>row.jsonl", (History(Experiment()).to_lines() + json.dumps(ROW)).encode()),
        ("<b>empty.jsonl", b""),
    ],
)
def test_a_file_that_is_no_run_is_one_sentence_and_adds_nothing(runs, name, content):
    kind, sentence = upload(runs, (name, content))
    assert kind == "alert" and sentence.startswith(f"{name} is not a ") and "Traceback" not in sentence
    assert not runs.histories
    assert upload(runs, ("good.jsonl", make_history().to_lines().encode())) == ("status", "Loaded: good.")


def test_of_several_files_the_good_ones_before_a_bad_one_are_there(runs):
    good, bad = ("good.jsonl", make_history().to_lines().encode()), ("bad.html", b"")
    kind, sentence = upload(runs, good, bad)
    assert kind == "alert" and "bad.html" in sentence and list(runs.histories) == ["good"]


def test_a_folder_that_cannot_be_written_is_a_sentence(runs):
    runs.folder.write_text("a file, not a folder")
    add(runs, make_history())
    select(runs, "run 1")
    for button in ("Export", "Run card"):
        said = f"The files of run 1 cannot be written to {runs.folder}: file exists."
        assert press(runs, button) == ("alert", said)


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_names_give_files_inside_the_folder(runs, name):
    add(runs, make_history(), name)
    select(runs, name)
    assert press(runs, "Run card")[0] == press(runs, "Export")[0] == "status"
    assert [each.name for each in runs.folder.parent.iterdir()] == ["runs"]
    assert len(files_of(runs)) == 6 and all((runs.folder / each).is_file() for each in files_of(runs))
    for each in {*files_of(runs)} - {"runs.csv"}:
        stem, _, kind = each.rpartition(".")
        assert kind in ("csv", "html", "jsonl", "png", "svg")
        assert stem and all(letter.isalnum() or letter in "-_" for letter in stem)
    (page,) = runs.folder.glob("*.html")
    assert load_card(page) == runs.histories[name]


@pytest.mark.parametrize(
    "names",
    [("a/b", "a b"), ("Run", "run"), ("a/b", "a b", "a-b-2"), ("runs", "runs/"), ("STRASSE", "straße")],
)
def test_runs_never_overwrite_each_others_files(runs, names):
    histories = [make_history(seed=seed) for seed in range(len(names))]
    for name, history in zip(names, histories):
        add(runs, history, name)
    select(runs, *names)
    press(runs, "Export")
    saved = [History.load(path) for path in runs.folder.glob("*.jsonl")]
    assert sorted(each.experiment.seed for each in saved) == list(range(len(names)))
    # Also where capitals make no difference; and the table of all runs stays one.
    assert len({each.casefold() for each in files_of(runs)}) == len(files_of(runs)) == 4 * len(names) + 1
    assert pd.read_csv(runs.folder / "runs.csv")["run"].tolist() == list(names)
    press(runs, "Export")
    assert len(files_of(runs)) == 4 * len(names) + 1


def test_a_run_does_not_take_the_files_of_a_deleted_one_over(runs):
    for seed, name in enumerate(("a/b", "a b")):
        add(runs, make_history(seed=seed), name)
        select(runs, name)
        press(runs, "Export")
        delete(runs)
    assert {History.load(path).experiment.seed for path in runs.folder.glob("*.jsonl")} == {0, 1}


def content_of(runs):
    return {name: (runs.folder / name).read_bytes() for name in files_of(runs)}


def press_all(runs, name):
    """What the three buttons say of a run."""
    select(runs, name)
    return [press(runs, button)[1] for button in ("Export", "Run card", "Save model")]


KINDS = (".csv", ".html", ".jsonl", ".keras", ".png", ".svg")


def test_the_next_session_replaces_no_file_of_another_run(tmp_path):
    """Whoever shares a folder may have a run of the same name, as where two tables know nothing of each other."""
    sessions = [open_runs(tmp_path / "runs") for _ in range(3)]
    for seed, runs in enumerate(sessions):
        history = make_history(seed=seed, validation=(0.1, 0.2, 0.1 * seed))
        _, folder = runs.shelf.train(functools.partial(kept, history))
        runs.add(history, "mine", folder)
        before = content_of(runs)
        press_all(runs, "mine")
        after = content_of(runs)
        assert {name: after[name] for name in before} == before
    stems = ("mine", "mine-2", "mine-3")
    tables = {"runs.csv", "runs-2.csv", "runs-3.csv"}
    assert {*files_of(runs)} == tables | {f"{stem}{kind}" for stem in stems for kind in KINDS}
    for seed, stem in enumerate(stems):  # the files of a run have one name, whichever button wrote them
        assert History.load(runs.folder / f"{stem}.jsonl").experiment.seed == seed
        assert load_card(runs.folder / f"{stem}.html").experiment.seed == seed
        assert (runs.folder / f"{stem}.keras").read_text() == f"network {seed}"


@pytest.mark.parametrize("button", ["Export", "Run card", "Save model"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_name_under_which_there_is_a_file_of_any_kind_is_another_runs(runs, kind, button):
    runs.folder.mkdir()
    (runs.folder / f"run-1{kind}").write_text("not ours")
    history, folder = runs.shelf.train(functools.partial(kept, make_history()))
    select(runs, runs.add(history, "run 1", folder))
    assert press(runs, button)[0] == "status"
    assert (runs.folder / f"run-1{kind}").read_text() == "not ours"
    ours = {name for name in files_of(runs) if name != "runs.csv"} - {f"run-1{kind}"}
    assert ours and all(name.startswith("run-1-2.") for name in ours)


def test_what_is_there_already_is_left_and_said(runs):
    name = add(runs, make_history())
    press_all(runs, name)
    before, when = content_of(runs), {path: path.stat().st_mtime_ns for path in runs.folder.iterdir()}
    exported, card, model = press_all(open_runs(runs.folder), name)
    assert content_of(runs) == before
    assert when == {path: path.stat().st_mtime_ns for path in runs.folder.iterdir()}
    there = f"Already in {runs.folder}, with the same content:"
    assert exported == f"{there} run-1.jsonl, run-1.csv, run-1.png, run-1.svg, runs.csv."
    assert (card, model) == (f"{there} run-1.html.", f"{there} run-1.keras.")


def test_only_what_was_written_is_said_to_be(runs):
    press_all(runs, add(runs, make_history()))
    (runs.folder / "run-1.png").unlink()
    said, *_ = press_all(open_runs(runs.folder), "run 1")
    assert said.startswith(f"Written to {runs.folder}: run-1.png. Already in {runs.folder}")


def test_delete_train_export_leaves_the_files_of_the_deleted_run(runs):
    for seed in (1, 2):
        select(runs, add(runs, make_history(seed=seed)))
        press(runs, "Export")
        delete(runs)
    assert {History.load(path).experiment.seed for path in runs.folder.glob("*.jsonl")} == {1, 2}
    assert add(runs, make_history()) == "run 3", "a number is not given twice"


@pytest.mark.parametrize("name", ["run-1.jsonl", "runs.csv"])
@pytest.mark.parametrize("what", ["link that leads nowhere", "folder"])
def test_what_is_no_file_is_not_replaced_either(runs, name, what):
    runs.folder.mkdir()
    target = runs.folder.parent / "elsewhere"
    if what == "folder":
        (runs.folder / name).mkdir()
    else:
        (runs.folder / name).symlink_to(target)
    select(runs, add(runs, make_history(), "run 1"))
    assert press(runs, "Export")[0] == "status" and not target.exists()
    assert (runs.folder / name).is_dir() if what == "folder" else (runs.folder / name).is_symlink()


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_sessions_that_write_at_the_same_moment_do_not_replace_each_others_files(
    tmp_path, links, monkeypatch
):
    def refuse(*paths):
        raise PermissionError(1, "Operation not permitted")

    if not links:  # as file systems of memory cards and some networks do
        monkeypatch.setattr(os, "link", refuse)
    together, sessions, times = threading.Barrier(8), 8, 5

    def session(number):
        for time in range(times):
            together.wait()
            write = functools.partial(Path.write_text, data=f"{number} {time}")
            makers = dict.fromkeys((".one", ".two"), write)
            place(makers, tmp_path, (f"run-{each}" for each in itertools.count(1)))

    threads = [threading.Thread(target=session, args=(number,)) for number in range(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    everything = {f"{number} {time}" for number in range(sessions) for time in range(times)}
    for kind in (".one", ".two"):
        assert sorted(path.read_text() for path in tmp_path.glob(f"*{kind}")) == sorted(everything)
    assert len(list(tmp_path.iterdir())) == 2 * len(everything)
    for path in tmp_path.glob("*.one"):  # the files of a run stay together
        assert path.read_text() == path.with_suffix(".two").read_text()


def test_an_export_is_whole_or_absent_and_says_what_was_written_before(runs, monkeypatch):
    for seed in (1, 2):
        add(runs, make_history(seed=seed))
    select(runs, "run 1", "run 2")
    save, left = run_files.save_chart, iter(range(3))

    def full(chart, path):
        if next(left, None) is None:
            path.write_bytes(b"half of it")
            raise OSError(28, "No space left on device")
        save(chart, path)

    monkeypatch.setattr(run_files, "save_chart", full)
    written = f"Written to {runs.folder}: run-1.jsonl, run-1.csv, run-1.png, run-1.svg."
    sentence = f"The files of run 2 cannot be written to {runs.folder}: no space left on device. {written}"
    assert press(runs, "Export") == ("alert", sentence)
    assert files_of(runs) == ["run-1.csv", "run-1.jsonl", "run-1.png", "run-1.svg"]


def test_a_disk_that_fills_up_between_two_files_keeps_none(runs, monkeypatch):
    def full(file, path):
        if path.suffix == ".png":
            raise OSError(28, "No space left on device")
        path.write_bytes(file.read_bytes())

    monkeypatch.setattr(exports, "link_new", full)
    select(runs, add(runs, make_history()))
    assert press(runs, "Export")[0] == "alert" and files_of(runs) == []


def test_a_very_long_name_gives_files_too(runs):
    name = "花" * 300
    select(runs, add(runs, make_history(), name))
    assert press(runs, "Export")[0] == press(runs, "Run card")[0] == "status" and len(files_of(runs)) == 6


def test_a_run_that_cannot_be_shown_is_not_added(runs):
    add(runs, make_history())
    broken = make_history()
    del broken.epochs[-1]["seconds"]
    with pytest.raises(KeyError):
        add(runs, broken)
    assert list(runs.histories) == ["run 1"] and add(runs, make_history(), "next") == "next"


def test_networks_are_copied_from_the_folders_of_their_runs(runs):
    names = [add(runs, make_history(seed=seed)) for seed in (1, 2)]
    select(runs, *names)
    assert press(runs, "Save model") == ("status", f"Written to {runs.folder}: run-1.keras, run-2.keras.")
    assert [(runs.folder / name).read_text() for name in files_of(runs)] == ["network 1", "network 2"]
    (runs.folder / "run-1" / MODEL).unlink()
    for name in ("run 1", add(runs, make_history(), "card")):
        select(runs, name)
        assert press(runs, "Save model") == ("alert", f"The network of {name} is not kept in {runs.folder}.")


HOSTILE = b'{"kind": "run", "experiment": {}, "data": {}, "epochs": [{}]}'


def test_a_run_that_cannot_be_shown_leaves_the_table_as_it_was_and_open_to_others(runs):
    add(runs, make_history())
    before = runs.table.get_state()
    strange = make_history()
    strange.epochs[0]["seconds"] = "long"
    with pytest.raises(TypeError):
        add(runs, strange)
    assert list(runs.histories) == ["run 1"] and runs.table.get_state() == before
    kind, sentence = upload(runs, ("theirs.jsonl", HOSTILE))
    assert kind == "alert" and sentence.startswith("theirs.jsonl is not a history of vgglab: line 1")
    name = add(runs, make_history())
    assert names_on(runs) == [name, "run 1"]


def test_of_several_files_the_good_ones_are_there_wherever_the_bad_one_stands(runs):
    good = make_history().to_lines().encode()
    kind, sentence = upload(
        runs, ("a.jsonl", good), ("bad.jsonl", HOSTILE), ("worse.html", b""), ("b.jsonl", good)
    )
    assert kind == "alert" and "bad.jsonl is not" in sentence and "worse.html is not" in sentence
    assert sentence.endswith("Loaded: a, b.") and list(runs.histories) == ["a", "b"]


def test_a_run_without_an_epoch_can_be_loaded_and_overlaid(runs):
    assert upload(runs, ("empty.jsonl", History(Experiment()).to_lines().encode()))[0] == "status"
    select(runs, "empty")
    shown = {name: Shown((runs.histories[name],)) for name in runs.shown}
    assert list(shown) == ["empty"] and runs.letters == {} and "<svg" in live_svg(make_history(), shown)


def test_no_button_fails_in_silence(runs, monkeypatch):
    def fail(*arguments):
        raise ZeroDivisionError("division by zero")

    add(runs, make_history())
    select(runs, "run 1")
    monkeypatch.setattr(run_files, "plot_accuracy", fail)
    kind, sentence = press(runs, "Export")
    assert kind == "alert" and "ZeroDivisionError: division by zero" in sentence and files_of(runs) == []
    monkeypatch.setattr(run_rows, "compare", fail)
    kind, sentence = delete(runs)
    assert kind == "alert" and "ZeroDivisionError: division by zero" in sentence
    assert list(runs.histories) == ["run 1"]


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "\ud800 half", "a,b", "花"]


def test_the_table_that_is_exported_is_whole_and_runs_nothing(runs):
    """A spreadsheet takes a cell that begins with = + - @ for a formula; UTF-8 has no half characters."""
    for name in FORMULAS:
        add(runs, make_history(train=(0.4,), validation=(0.9,), dataset=name), name)
    select(runs, "=1+1")
    assert press(runs, "Export")[0] == "status"
    with (runs.folder / "runs.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "' =1+1", r"\ud800 half", "a,b", "花"]
    assert [row["run"] for row in rows] == names
    assert [row["data set"] for row in rows] == [*names[:5], r"\x00 half", *names[6:]]
    assert {row["gap, points"] for row in rows} == {"-50.0"}  # a number, not a formula


def test_half_characters_reach_no_page(runs):
    assert add(runs, make_history(dataset="\ud800"), "\ud800") == r"\ud800"
    name = add(runs, make_history())
    select(runs, name)
    runs._name.value = "b\ud83c"
    assert press(runs, "Rename") == ("status", rf"{name} is now b\ud83c.")
    for shown in (runs._message.value, str(runs.table.get_state())):
        shown.encode()


def states(runs):
    """What the table says of each run beside its name, in the order of the runs."""
    there = any(each["name"] == "state" for each in runs.table.columns)
    written = column(runs, "state") if there else dict.fromkeys(runs.histories, "")
    return {name: written[name] for name in runs.histories}


def test_a_new_table_has_the_runs_of_the_folder_with_names_records_and_states(runs):
    histories = [make_history(seed=seed) for seed in range(3)]
    histories[2].note("stopped", "Stopped; the epochs before are kept.")
    for number, (history, state) in enumerate(zip(histories, ("finished", "cut", "cut")), 1):
        kept(history, runs.folder / f"run-{number}", state)
    runs = open_runs(runs.folder)
    assert runs.histories == {f"run {number}": history for number, history in enumerate(histories, 1)}
    assert states(runs) == {"run 1": "", "run 2": "interrupted", "run 3": "stopped"}
    select(runs, "run 2")
    runs._name.value = "half"
    press(runs, "Rename")
    for each in (runs, open_runs(runs.folder)):
        assert states(each) == {"run 1": "", "half": "interrupted", "run 3": "stopped"}
    assert add(runs, make_history()) == "run 4"


def test_a_run_that_has_a_row_is_replaced_in_it(runs):
    kept(make_history(train=(0.4,), validation=(0.3,)), runs.folder / "run-1", "cut")
    runs = open_runs(runs.folder)
    add(runs, make_history())
    whole = make_history()
    whole.layers.append(MOVED)
    whole.save(runs.folder / "run-1" / RECORD)
    (runs.folder / "run-1" / CHECKPOINT).unlink()
    assert runs.replace(whole, folder=runs.folder / "run-1") == "run 1"
    assert list(runs.histories) == ["run 1", "run 2"] and runs.histories["run 1"] == whole
    assert states(runs) == {"run 1": "", "run 2": ""}


def test_the_newest_runs_are_read_and_the_others_counted(runs, monkeypatch):
    monkeypatch.setattr(run_rows, "NEWEST", 3)
    for number in range(1, 13):
        kept(make_history(seed=number), runs.folder / f"run-{number}")
        os.utime(runs.folder / f"run-{number}" / RECORD, (number, number))
    os.utime(runs.folder / "run-2" / RECORD, (99, 99))  # was gone on with
    runs = open_runs(runs.folder)
    assert list(runs.histories) == ["run 2", "run 11", "run 12"]
    assert f"Runs are kept in {runs.folder}. 9 older runs there are not shown." in runs._place.value


def test_what_cannot_be_read_is_named_and_left_and_keeps_no_table_from_opening(runs):
    kept(make_history(), runs.folder / "run-1")
    kept(make_history(), runs.folder / "mine")
    for name, text in (("run-2", HOSTILE.decode()), ("run-3", ""), ("theirs", "[1]")):
        kept(make_history(), runs.folder / name)
        (runs.folder / name / RECORD).write_text(text)
    (runs.folder / "run-4").mkdir()
    (runs.folder / "run-5").write_text("a file")
    (runs.folder / "lesson").mkdir()  # of another notebook
    kept(make_history(), runs.folder / "lesson" / "run-1")
    before = sorted(runs.folder.rglob("*"))
    runs = open_runs(runs.folder)
    assert list(runs.histories) == ["run 1", "mine"]
    problems = runs._runs.found.problems
    assert [next(name for name in ("run-2", "run-3", "run-4", "theirs") if name in each) for each in problems] == [
        "run-2", "run-3", "run-4", "theirs",
    ]  # fmt: skip
    assert all(html.escape(each, quote=False).split("'")[0] in runs._problems.value for each in problems)
    assert sorted(runs.folder.rglob("*")) == before


def test_delete_asks_first_and_takes_the_folders_away(runs):
    for seed in range(3):
        add(runs, make_history(seed=seed))
    upload(runs, ("card.jsonl", make_history().to_lines().encode()))
    select(runs, "run 1", "card")
    kind, sentence = press(runs, "Delete")
    assert runs.buttons["Delete"].description == "Really delete 2 runs?"
    assert (kind, sentence) == (
        "status",
        "Press again to delete run 1, card, and all that is kept of them.",
    )
    select(runs, "run 3")  # something else: it is no answer to the question
    assert runs.buttons["Delete"].description == "Delete"
    press(runs, "Delete")
    assert runs.buttons["Delete"].description == "Really delete 1 run?"
    assert len(runs.histories) == 4 and len([*runs.folder.iterdir()]) == 3
    assert press(runs, "Delete") == ("status", "Deleted: run 3.")
    assert sorted(each.name for each in runs.folder.iterdir()) == ["run-1", "run-2"]
    assert runs.buttons["Delete"].description == "Delete" and list(runs.histories) == [
        "run 1",
        "run 2",
        "card",
    ]
    assert list(open_runs(runs.folder).histories) == ["run 1", "run 2"]


def test_a_run_that_was_deleted_elsewhere_can_be_taken_off_the_table(runs):
    add(runs, make_history())
    others = open_runs(runs.folder)
    for each in (runs, others):
        select(each, "run 1")
        assert delete(each) == ("status", "Deleted: run 1.")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="folders are locked on POSIX systems alone")
def test_a_run_that_goes_on_is_not_deleted(runs):
    kept(make_history(), runs.folder / "run-1", "cut")
    with locked(runs.folder / "run-1"):
        runs = open_runs(runs.folder)
        assert states(runs) == {"run 1": "running elsewhere"}
        select(runs, "run 1")
        assert delete(runs) == ("alert", "run 1 is still training. You can delete it once it has ended.")
    runs.mark(runs.folder / "run-1")
    assert states(runs) == {"run 1": "going on"}
    select(runs, "run 1")
    assert delete(runs)[0] == "alert" and (runs.folder / "run-1").is_dir()
    runs.mark(None)
    assert states(runs) == {"run 1": "interrupted"}


def test_where_nothing_can_be_written_it_is_said_and_the_table_works(runs):
    runs.folder.write_text("a file, not a folder")
    runs = open_runs(runs.folder)
    said = f"Runs are not kept, because {runs.folder} cannot be written: it is no folder."
    assert said in runs._problems.value
    assert [add(runs, make_history()), add(runs, make_history())] == ["run 1", "run 2"]
    assert said in runs._problems.value and runs.folder.read_text() == "a file, not a folder"
    select(runs, "run 2")
    runs._name.value = "better"
    assert press(runs, "Rename")[0] == delete(runs)[0] == "status" and list(runs.histories) == ["run 1"]


def test_what_was_added_elsewhere_is_on_the_table_when_it_is_read_again(runs):
    kept(make_history(train=(0.4,), validation=(0.3,)), runs.folder / "run-1", "cut")
    runs = open_runs(runs.folder)
    longer = make_history()
    longer.save(runs.folder / "run-1" / RECORD)
    runs.read()
    assert runs.histories == {"run 1": longer}


def test_a_number_on_a_table_is_not_given_again_when_its_run_is_gone(runs):
    for number in (1, 2):
        kept(make_history(), runs.folder / f"run-{number}")
    runs = open_runs(runs.folder)
    select(runs, "run 2")
    runs._name.value = "precious"
    press(runs, "Rename")
    delete_folder(runs.folder / "run-2")  # by somebody else
    _, place = runs.shelf.train(lambda out: kept(make_history(), out))
    assert place.name == "run-3"
    assert runs.add(make_history(), folder=place) == "run 3" and "precious" in runs.histories


@pytest.mark.parametrize(
    ("values", "upwards"),
    [
        ([9.5, None, 10.0, math.nan, -1.0], [-1.0, 9.5, 10.0, None, math.nan]),
        ([10, pd.NA, 9], [9, 10, pd.NA]),
        (["run 10", "run 9", "Run 1", ""], ["Run 1", "run 9", "run 10", ""]),
        (["0.01", "1e-05", "none", "0", "0 → 0.1"], ["0", "0 → 0.1", "1e-05", "0.01", "none"]),
        (["run-2", "run-10", "b", "-3", "2"], ["-3", "2", "b", "run-2", "run-10"]),
    ],
)
def test_values_are_sorted_as_people_count_and_nothing_is_at_the_end(values, upwards):
    filled = [each for each in upwards if not (pd.isna(each) or each == "")]
    downwards = filled[::-1] + upwards[len(filled) :]
    for wanted, is_down in ((upwards, False), (downwards, True)):
        assert [str(values[place]) for place in in_order(values, is_down)] == [str(each) for each in wanted]


def test_a_row_stays_whole_however_the_table_is_sorted(runs):
    for reached, l2 in ((0.25, 0.1), (0.75, 0), (0.5, 0.01)):
        add(runs, make_history(validation=(0.1, 0.2, reached), l2=l2))
    add(runs, History(Experiment(epochs=5)), "empty")
    whole = {row["name"]: row["cells"] for row in runs.table.rows}
    for order, names in (
        ([], ["empty", "run 3", "run 2", "run 1"]),
        (["validation %", False], ["run 1", "run 3", "run 2", "empty"]),
        (["validation %", True], ["run 2", "run 3", "run 1", "empty"]),
        (["L2", False], ["run 2", "empty", "run 3", "run 1"]),
        (["run", True], ["run 3", "run 2", "run 1", "empty"]),
        (["no such column", True], ["empty", "run 3", "run 2", "run 1"]),
    ):
        runs.table.order = order
        assert names_on(runs) == names, order
        assert {row["name"]: row["cells"] for row in runs.table.rows} == whole
    assert column(runs, "validation %") == {"run 1": "25.0", "run 2": "75.0", "run 3": "50.0", "empty": ""}
    assert column(runs, "kept epoch") == {"run 1": "3", "run 2": "3", "run 3": "3", "empty": ""}
    numbers = {each["name"]: each["number"] for each in runs.table.columns}
    assert numbers["validation %"] and numbers["epochs run"] and not numbers["L2"] and not numbers["run"]


@pytest.mark.parametrize(
    "order",
    [["run"], ["run", True, True], [True, "run"], [["run"], True], [{}, False], [None, False], ["run", "no"]],
    ids=repr,
)
def test_what_is_no_order_is_refused_and_the_table_stays_as_it_is(runs, order):
    four_runs(runs)
    runs.table.order = ["run", False]
    rows = runs.table.rows
    with pytest.raises(traitlets.TraitError, match="`order` must be"):
        runs.table.order = order
    assert runs.table.order == ["run", False] and runs.table.rows == rows
    runs.table.order = []
    assert runs.table.rows != rows


@pytest.mark.parametrize(
    "said",
    [{}, dict(do="A"), dict(run="r"), dict(do="note", run="r", text=5), dict(do=["A"], run="r")],
    ids=repr,
)
def test_what_is_no_message_of_the_table_is_not_heard(said):
    heard = []
    table = RunTable(lambda *told: heard.append(told))
    table._handle_custom_msg(said, [])
    table._handle_custom_msg(dict(do="A", run="r"), [])
    assert heard == [("A", "r", "")]


def test_a_table_that_is_shown_anew_undoes_no_choice():
    """A run that goes on shows it, over and over, while a person chooses rows."""
    names = ["run 1", "run 2", "run 3", "run 4"]
    table, over = RunTable(lambda *told: None), threading.Event()
    figures, marks = pd.DataFrame(dict(run=names)), dict.fromkeys(names, Mark())
    table.show(figures, marks)

    def go_on():
        while not over.is_set():
            table.show(figures, marks)

    before, kept = sys.getswitchinterval(), []
    thread = threading.Thread(target=go_on)
    sys.setswitchinterval(1e-6)
    try:
        thread.start()
        for number in range(200):
            table.chosen = [names[number % 4]]
            over.wait(0.001)
            kept.append(table.chosen == [names[number % 4]])
    finally:
        sys.setswitchinterval(before)
        over.set()
        thread.join()
    assert all(kept)
    table.show(figures[1:], dict.fromkeys(names[1:], Mark()))
    table.chosen = names[1:3]
    table.show(figures[2:], dict.fromkeys(names[2:], Mark()))
    assert table.chosen == [names[2]], "one that is gone is chosen no more"


def letters(runs):
    assert {"A": runs.a, "B": runs.b} == dict.fromkeys("AB", "") | {
        side: name for name, side in runs.letters.items()
    }
    return runs.a, runs.b


def test_the_newest_run_is_b_and_the_newest_of_another_experiment_a(runs):
    add(runs, make_history(l2=0.1))
    assert letters(runs) == ("", "") and runs.shown == ()
    add(runs, make_history(dropout=0.5))
    assert letters(runs) == ("run 1", "run 2") and runs.shown == ("run 1", "run 2")
    add(runs, make_history(dropout=0.5, seed=1))
    assert letters(runs) == ("run 1", "run 3"), "run 2 is another seed of B"
    add(runs, History(Experiment()), "without an epoch")
    assert letters(runs) == ("run 1", "run 3")
    assert letters(open_runs(runs.folder)) == ("run 1", "run 3")


def test_two_runs_that_differ_in_the_seed_alone_are_compared_each_for_itself(runs):
    for seed in (1, 2):
        add(runs, sure([1, 0], seed=seed))
    assert letters(runs) == ("run 1", "run 2")
    assert runs.drawn == (("run 1", ("run 1",)), ("run 2", ("run 2",)))


def of_seeds(runs, *seeds, **fields):
    for seed in seeds:
        add(runs, sure([1, 0], seed=seed, **fields))


@pytest.mark.parametrize(
    "seeds", [(0, 0, 1, 2), (1, 2, 3), (0, 0, 0)], ids=["one again", "three", "the same"]
)
def test_runs_of_one_experiment_are_not_compared_with_each_other_by_themselves(runs, seeds):
    """Once and then with several seeds: the first is a run of a seed that the group has, and no other experiment."""
    of_seeds(runs, *seeds)
    newest = f"run {len(seeds)}"
    assert letters(runs) == ("", newest) and runs.shown == (newest,)
    assert runs.comparison == "Another experiment would be compared with it."
    of_seeds(runs, 0, l2=0.1)
    assert letters(runs) == (newest, f"run {len(seeds) + 1}")
    of_seeds(runs, *seeds, l2=0.1)
    assert letters(runs) == (newest, f"run {2 * len(seeds) + 1}")


def test_a_run_that_was_stopped_is_of_the_same_experiment_all_the_same(runs):
    of_seeds(runs, 0, l2=0.1)
    of_seeds(runs, 1, 2)
    stopped = sure([1, 0], seed=3)
    stopped.note("stopped", "Stopped; the epochs before are kept.")
    add(runs, stopped)
    assert letters(runs) == ("run 1", "run 4")
    of_seeds(runs, 4)
    assert letters(runs) == ("run 1", "run 5")


def test_who_compares_runs_of_one_experiment_compares_run_with_run(runs):
    """Also where one of them is of a seed for which a later run counts."""
    of_seeds(runs, 0, 0, 1, 2)
    runs.choose("A", "run 1")
    assert runs.drawn == (("run 1", ("run 1",)), ("run 4", ("run 4",)))
    assert runs.comparison.startswith("A and B are equally good")


def four_runs(runs):
    return [add(runs, make_history(l2=each)) for each in (0.1, 0.2, 0.3, 0.4)]


@pytest.mark.parametrize(
    ("presses", "now", "after_one_more"),
    [
        ([("A", "run 1")], ("run 1", "run 4"), ("run 1", "run 5")),
        ([("B", "run 1")], ("run 3", "run 1"), ("run 3", "run 1")),
        ([("A", "run 4")], ("run 4", "run 3"), ("run 4", "run 3")),  # they change places
        ([("B", "run 3")], ("run 4", "run 3"), ("run 4", "run 3")),
        ([("A", "run 3")], ("", "run 4"), ("run 4", "run 5")),  # until there is a new run
        ([("B", "run 4")], ("run 3", ""), ("run 3", "run 5")),
        ([("A", "run 1"), ("A", "run 1")], ("", "run 4"), ("run 4", "run 5")),
    ],
)
def test_a_letter_that_somebody_gives_stays_where_it_is(runs, presses, now, after_one_more):
    four_runs(runs)
    for side, name in presses:
        runs.choose(side, name)
    assert letters(runs) == now
    add(runs, make_history(l2=0.5))
    assert letters(runs) == after_one_more


def test_letters_follow_a_new_name_and_leave_a_run_that_is_gone(runs):
    four_runs(runs)
    runs.choose("A", "run 1")
    runs.call("run 1", "plain")
    assert letters(runs) == ("plain", "run 4")
    select(runs, "plain")
    delete(runs)
    assert letters(runs) == ("run 3", "run 4")
    with pytest.raises(InputError, match="There is no run 'plain' on the table."):
        runs.choose("A", "plain")
    with pytest.raises(InputError, match="A run can be A or B. Received: 'C'."):
        runs.choose("C", "run 4")


def test_runs_of_other_seeds_count_to_their_letter(runs):
    add(runs, make_history(l2=0.1))
    for seed in (1, 2, 1, 3):
        add(runs, make_history(seed=seed, validation=(0.1, 0.2, seed / 10)))
    stopped = make_history(seed=4)
    stopped.note("stopped", "Stopped; the epochs before are kept.")
    add(runs, stopped)
    upload(runs, ("cut.jsonl", stopped.to_lines().encode()))
    runs.choose("B", "run 5")
    group = ["run 3", "run 4", "run 5"]  # of seed 1 the latest; the stopped ones did not come to their end
    assert [runs.group_of(name) for name in group] == [group] * 3
    assert runs.group_of("run 2") == ["run 2", "run 3", "run 5"], "a run stands for its own seed"
    assert runs.group_of("run 6") == ["run 6"] and runs.group_of("run 1") == ["run 1"]
    assert runs.drawn == (("run 1", ("run 1",)), ("run 5", tuple(group)))
    beside = {row["name"]: (row["letter"], row["sibling"]) for row in runs.table.rows}
    assert [beside[name] for name in group] == [("B", True), ("B", True), ("B", False)]
    assert beside["run 1"] == ("A", False) and beside["run 2"][0] == beside["run 6"][0] == ""
    said = "B is 3 seeds: validation 20.0 % on average (10.0 to 30.0), gap 80.0 points."
    assert said in runs._compared.value and "A is" not in runs._compared.value


def test_a_fit_that_vgglab_did_not_set_up_has_no_siblings(runs):
    for _ in range(2):
        history = make_history()
        history.experiment = Fit(3)
        add(runs, history, "fit")
    assert runs.group_of("fit") == ["fit"] and letters(runs) == ("fit", "fit (2)")
    assert "vgglab did not set up" in runs.comparison


def sure(right, **fields):
    """A run whose predictions are right on these images of two classes, and wrong on the others."""
    history, labels = make_history(**fields), np.zeros(len(right), int)
    probabilities = np.where(np.array(right)[:, None], [[0.9, 0.1]], [[0.2, 0.8]]).astype(np.float32)
    history.predictions = Predictions(3, labels, probabilities, "the same images")
    return history


def test_a_and_b_are_compared_in_a_sentence_or_it_says_why_not(runs, monkeypatch):
    add(runs, sure([1, 1, 0, 0] * 10, l2=0.1))
    assert runs.comparison == "The second run is compared with the first."
    add(runs, sure([1, 1, 1, 0] * 10))
    assert runs.comparison.startswith("B is 25.0 points better than A (")
    assert html.escape(runs.comparison) in runs._compared.value
    runs.choose("A", "run 2")
    assert runs.comparison.startswith("A is 25.0 points better than B (")
    runs.choose("A", "run 2")
    assert runs.comparison == "Press A in the row of one run and B in that of another to compare them."
    add(runs, make_history(l2=0.2))
    assert "no predictions on the validation images" in runs.comparison

    given = []
    monkeypatch.setattr(comparison, "compare", lambda a, b: given.append((a, b)) or "a sentence")
    for seed in (1, 2):
        add(runs, make_history(dropout=0.5, seed=seed))
    runs.choose("A", "run 1")
    named = {id(history): name for name, history in runs.histories.items()}
    assert [[named[id(each)] for each in side] for side in given[-1]] == [["run 1"], ["run 4", "run 5"]]
    assert runs.comparison == "a sentence"


def test_the_line_beside_a_run_is_that_of_the_chart(runs):
    four_runs(runs)
    select(runs, "run 1")
    look = {row["name"]: row["look"] and Look(**row["look"]) for row in runs.table.rows}
    a, b, chosen = looks(["A", "B", ""])
    assert look == {"run 1": chosen, "run 2": None, "run 3": a, "run 4": b}
    # So it is on the chart, also while another run goes on, which is drawn first.
    beside = {name: Shown((runs.histories[name],), runs.letters.get(name, "")) for name in runs.shown}
    live, *others = visible(make_history(), beside, "", "", Memo())
    assert {each.title.rpartition(", ")[2]: each.look for each in others} == {
        name: each for name, each in look.items() if each
    }
    assert live.look not in look.values()


def test_runs_are_pinned_hidden_and_shown(runs):
    four_runs(runs)
    runs.pin("run 1")
    assert names_on(runs) == ["run 1", "run 4", "run 3", "run 2"]
    assert runs.shown == ("run 3", "run 4", "run 1")
    runs.table.order = ["run", True]
    assert names_on(runs) == ["run 1", "run 4", "run 3", "run 2"], "however it is sorted"
    runs.show("run 4")
    assert runs.shown == ("run 3", "run 1") and letters(runs) == ("run 3", "run 4"), "hidden, and still B"
    runs.show("run 4")
    runs.show("run 2")
    assert runs.shown == ("run 3", "run 4", "run 1", "run 2") and runs.selected == ["run 2"]
    runs.show("run 2")
    assert runs.shown == ("run 3", "run 4", "run 1")
    runs.call("run 2", "other")
    assert "other" not in runs.shown, "hidden under its new name too"
    runs.choose("A", "other")
    assert runs.shown == ("other", "run 4", "run 1"), "who compares a run wants to see it"
    runs.pin("run 1")
    assert runs.shown == ("other", "run 4")


def test_notes_and_pins_outlive_the_table_and_pinned_runs_are_always_read(runs, monkeypatch):
    four_runs(runs)
    runs.pin("run 1")
    runs.note("run 1", "  the plain one\nof Tuesday ")
    runs.note("run 2", "half \ud83c")
    upload(runs, ("card.jsonl", make_history().to_lines().encode()))
    runs.note("card", "theirs")
    notes = {row["name"]: row["note"] for row in runs.table.rows}
    expected = {"run 1": "the plain one\nof Tuesday", "run 2": r"half \ud83c", "run 3": "", "run 4": ""}
    assert notes == expected | {"card": "theirs"}
    again = open_runs(runs.folder)
    assert {row["name"]: row["note"] for row in again.table.rows} == expected
    assert names_on(again)[0] == "run 1" and again.table.rows[0]["pinned"]
    monkeypatch.setattr(run_rows, "NEWEST", 2)
    assert list(open_runs(runs.folder).histories) == ["run 1", "run 4"]
    again.pin("run 1")
    again.note("run 1", "")
    assert list(open_runs(runs.folder).histories) == ["run 3", "run 4"]
    runs.replace(make_history(), folder=runs.folder / "run-2")
    assert {row["name"]: row["note"] for row in runs.table.rows}["run 2"] == expected["run 2"]


def tell(runs, deed, run, text=""):
    """What the page sends of a row, and what is said then."""
    runs._message.value = ""
    runs.table._handle_custom_msg(dict(do=deed, run=run, text=text), [])
    return said(runs)


def test_what_is_pressed_or_written_in_a_row_is_done_or_said_to_be_wrong(runs):
    four_runs(runs)
    for deed in ("A", "pin", "show"):
        assert tell(runs, deed, "run 1") == ("status", "")
    assert letters(runs)[0] == "run 1" and "run 1" not in runs.shown and names_on(runs)[0] == "run 1"
    assert tell(runs, "note", "run 1", "mine") == ("status", "")
    assert tell(runs, "name", "run 1", " first ") == ("status", "run 1 is now first.")
    assert (runs.table.rows[0]["name"], runs.table.rows[0]["note"]) == ("first", "mine")
    taken = ("alert", "The new name must be one that no other run has. Received: 'run 2'.")
    assert tell(runs, "name", "first", "run 2") == taken
    for deed in ("A", "pin", "show", "note", "name"):
        assert tell(runs, deed, "run 1", "x") == ("alert", "There is no run 'run 1' on the table.")
    delete_folder(runs.folder / "run-2")  # by somebody else
    for deed in ("note", "pin"):
        kind, sentence = tell(runs, deed, "run 2", "lost")
        assert kind == "alert" and f"The {deed} cannot be written to" in sentence
    row = next(row for row in runs.table.rows if row["name"] == "run 2")
    assert (row["note"], row["pinned"]) == ("", False)
    runs.table.chosen = ["no such run", "run 3", "run 3"]
    assert runs.selected == ["run 3"]


def test_the_phases_of_the_chosen_run_are_listed(runs):
    history = make_history()
    history.experiment = Experiment(epochs=2).then(mixup=0.2, l2=0.01)
    history.epochs[2]["phase"] = 2
    four_runs(runs)
    name = add(runs, history)
    assert "②" not in runs._compared.value
    select(runs, name)
    assert "② from epoch 3: L2 on, MixUp on." in runs._compared.value
    select(runs, name, "run 1")
    assert "②" not in runs._compared.value


def test_less_used_buttons_are_folded_away(runs):
    inside = [each for each in runs._more.children[0].children if isinstance(each, widgets.Button)]
    assert [each.description for each in inside] == ["Rename", "Save model"]
    assert runs._more.layout.display == "none"
    for display, words in (("flex", "Less"), ("none", "More")):
        press(runs, "More")
        assert (runs._more.layout.display, runs.buttons["More"].description) == (display, words)


def test_the_page_is_sent_figures_and_no_histories(runs):
    """So that a table of long runs is as quick as one of short ones."""
    sizes = []
    for epochs in (3, 1000):
        runs = open_runs(runs.folder / str(epochs))
        for seed in range(30):
            ramp = [each / 2000 for each in range(epochs)]
            add(runs, make_history(validation=ramp, train=ramp, seed=seed), f"{seed}")
        sizes.append(len(json.dumps([runs.table.columns, runs.table.rows])))
    assert max(sizes) < 1.1 * min(sizes) < 30_000


@pytest.mark.parametrize("name", [*UNUSUAL, "שלום", "😀" * 30, "{{ name }}", "x" * 1000])
def test_any_name_can_be_chosen_compared_noted_and_renamed(runs, name):
    four_runs(runs)
    name = add(runs, make_history(), name)
    assert letters(runs)[1] == name and names_on(runs)[0] == name
    tell(runs, "A", name)
    tell(runs, "note", name, name)
    assert letters(runs) == (name, "run 4")
    tell(runs, "name", "run 1", name + "!")
    assert next(iter(open_runs(runs.folder).histories)) == f"{name}!"[:LONGEST_NAME]


def test_a_run_may_be_added_while_the_page_sorts_and_chooses(runs):
    """A run that has ended is added by its thread."""
    four_runs(runs)
    before, wrong = sys.getswitchinterval(), []

    def add_many():
        try:
            for number in range(40):
                runs.add(make_history(l2=number / 100), f"card {number}")
        except Exception as error:
            wrong.append(error)

    thread = threading.Thread(target=add_many)
    sys.setswitchinterval(1e-6)
    try:
        thread.start()
        while thread.is_alive():
            runs.table.order = [] if runs.table.order else ["validation %", True]
            runs.select(*(["run 1"] if not runs.selected else []))
    finally:
        sys.setswitchinterval(before)
        thread.join()
    assert not wrong and sorted(names_on(runs)) == sorted(runs.histories) and len(names_on(runs)) == 44
    assert letters(runs) == ("card 38", "card 39")
