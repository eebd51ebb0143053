"""The shelf of runs: numbers that nobody shares, names, and where it stands."""

import multiprocessing
import os
from pathlib import Path

import pytest

from test_history import make_history
from vgglab.errors import InputError
from vgglab.history import History
from vgglab.share.run_folder import RunFolder
from vgglab.share.shelf import (
    LONGEST_NAME,
    LONGEST_NOTE,
    NAME,
    Shelf,
    default_folder,
    delete,
    is_pinned,
    name_of,
    note_of,
    pin,
    rename,
    write_note,
)
from vgglab.share.store import RECORD


def keep(out, history=None):
    """What `train(out=...)` does with its folder."""
    history = history or make_history()
    if out:
        with RunFolder.create(out) as folder:
            folder.conclude(history, finished=True)
    return history


def test_numbers_go_on_over_all_that_is_there_and_none_is_given_twice(tmp_path):
    shelf = Shelf(tmp_path / "runs")
    assert not shelf.folder.exists(), "it is made with the first run"
    assert [shelf.train(keep)[1].name for _ in range(2)] == ["run-1", "run-2"]
    delete(shelf.folder / "run-2")
    assert shelf.train(keep)[1].name == "run-3"
    for name in ("run-7.jsonl", "run-9-2.csv", "run-x", "my-run-99", f"run-{10**12}"):
        (shelf.folder / name).touch()
    assert Shelf(tmp_path / "runs").train(keep)[1].name == "run-10"


def _train_many(folder, done):
    shelf = Shelf(folder)
    done.put([shelf.train(keep)[1].name for _ in range(20)])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="two processes that share a folder need fork")
def test_processes_that_share_a_shelf_never_share_a_number(tmp_path):
    context = multiprocessing.get_context("fork")
    done = context.Queue()
    processes = [context.Process(target=_train_many, args=(tmp_path, done)) for _ in range(2)]
    for process in processes:
        process.start()
    names = [name for _ in processes for name in done.get(timeout=60)]
    assert len(set(names)) == 40 and sorted(each.name for each in tmp_path.iterdir()) == sorted(names), names


def test_a_run_without_an_epoch_leaves_no_folder_and_takes_no_number(tmp_path):
    shelf, empty = Shelf(tmp_path), History(make_history().experiment)
    for _ in range(2):
        assert shelf.train(lambda out: keep(out, empty))[1].name == "run-1"
    assert not [*tmp_path.iterdir()]


def test_what_somebody_else_has_made_meanwhile_is_left(tmp_path):
    shelf, places = Shelf(tmp_path), []

    def train(out):
        places.append(out)
        if len(places) == 1:
            keep(out)  # another process
        return keep(out)

    _, place = shelf.train(train)
    assert [each.name for each in places] == ["run-1", "run-2"] and place.name == "run-2"
    assert shelf.problem == "" and len(Shelf(tmp_path).newest(20).runs) == 2


@pytest.mark.parametrize("name", ["runs", "runs/below", "x" * 300])
def test_where_no_run_can_be_kept_one_is_trained_and_one_sentence_says_so(tmp_path, name):
    (tmp_path / "runs").write_text("a file in the way")
    shelf = Shelf(tmp_path / name)
    sentence = f"Runs are not kept, because {shelf.folder} cannot be written: "
    assert shelf.problem.startswith(sentence) and shelf.problem.count(".") - shelf.problem.count("..") >= 1
    assert [shelf.train(keep)[0].epochs != [] for _ in range(2)] == [True, True]
    assert shelf.problem.startswith(sentence) and [*tmp_path.iterdir()] == [tmp_path / "runs"]


def test_a_disk_without_room_for_a_folder_is_one_sentence_and_forgotten_when_there_is_room(
    tmp_path, monkeypatch
):
    def full(path, *rest, **options):
        raise OSError(28, "No space left on device")

    shelf = Shelf(tmp_path)
    monkeypatch.setattr(Path, "mkdir", full)
    assert shelf.train(keep)[0].epochs and not [*tmp_path.iterdir()]
    assert (
        shelf.problem == f"Runs are not kept, because {tmp_path} cannot be written: no space left on device."
    )
    monkeypatch.undo()
    assert shelf.train(keep)[1].name == "run-2" and shelf.problem == ""


def test_a_record_without_room_leaves_no_folder(tmp_path):
    """The folder can be made, and nothing be written into it."""

    def train(out):
        with RunFolder.create(out):
            return make_history()

    history, _ = Shelf(tmp_path).train(train)
    assert history.epochs and not [*tmp_path.iterdir()]


def test_a_folder_that_may_not_be_listed_is_one_sentence(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    found = Shelf(tmp_path).newest(20)
    assert found.problems == [f"The runs in {tmp_path} cannot be read: permission denied."] and not found.runs


def test_a_record_that_may_not_be_read_is_one_sentence(tmp_path, monkeypatch):
    Shelf(tmp_path).train(keep)
    is_file = Path.is_file

    def refuse(path):
        if path.name == RECORD:
            raise PermissionError(13, "Permission denied")
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", refuse)
    assert Shelf(tmp_path).newest(20).problems == [f"{tmp_path / 'run-1'} cannot be read: permission denied."]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"mine", "mine"),
        ("花 ".encode(), "花"),
        (b"", "run 3"),
        (b" \n", "run 3"),
        (b"\xff", "�"),
        (b"x" * 999, "x" * 200),
    ],
)
def test_a_run_is_called_what_its_folder_says(tmp_path, content, name):
    folder = tmp_path / "run-3"
    folder.mkdir()
    assert name_of(folder) == "run 3"
    (folder / NAME).write_bytes(content)
    assert name_of(folder) == name


def test_a_name_that_cannot_be_written_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="The name cannot be written to .*gone: no such file or directory"):
        rename(tmp_path / "gone", "mine")


def test_a_folder_that_cannot_be_deleted_is_one_sentence_and_whole(tmp_path, monkeypatch):
    def refuse(path, target):
        raise PermissionError(13, "Permission denied")

    _, folder = Shelf(tmp_path).train(keep)
    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(InputError, match="run-1 cannot be deleted: permission denied"):
        delete(folder)
    assert (folder / RECORD).is_file()


@pytest.mark.parametrize(
    ("session", "below"),
    [
        (None, ""),
        ("/home/me/course/08_dashboard.ipynb", "08_dashboard"),
        ("08_dashboard-jvsc-1f2e.ipynb", "08_dashboard"),
        ("console-1", ""),
        ("..ipynb", ""),
    ],
)
def test_runs_stand_in_a_folder_of_the_notebooks_name(session, below, monkeypatch, tmp_path):
    if session:
        monkeypatch.setenv("JPY_SESSION_NAME", session)
    monkeypatch.chdir(tmp_path)
    for value, above in (("", "runs"), (str(tmp_path / "kept"), "kept")):
        monkeypatch.setenv("VGGLAB_RUNS", value)
        assert Shelf(default_folder()).folder == tmp_path / above / below


@pytest.mark.parametrize("write", [write_note, rename])
def test_what_is_written_of_a_run_takes_the_place_of_what_was_before(tmp_path, write):
    _, folder = Shelf(tmp_path).train(keep)
    read = {write_note: note_of, rename: name_of}[write]
    before = read(folder)
    for text in ("one\ntwo", "花", ""):
        write(folder, text)
        assert read(folder) == (text or before)
    assert before == {write_note: "", rename: "run 1"}[write]
    write(folder, "x" * 5000)
    assert len(read(folder)) == {write_note: LONGEST_NOTE, rename: LONGEST_NAME}[write]


def test_a_pin_is_set_and_taken_away_more_than_once(tmp_path):
    _, folder = Shelf(tmp_path).train(keep)
    there = {*folder.iterdir()}
    for on in (True, True, False, False):
        pin(folder, on)
        assert is_pinned(folder) is on
    assert {*folder.iterdir()} == there and Shelf(tmp_path).newest(20).problems == []


@pytest.mark.parametrize(
    ("write", "what"),
    [(lambda folder: write_note(folder, "mine"), "note"), (lambda folder: pin(folder, True), "pin")],
    ids=["note", "pin"],
)
def test_a_note_and_a_pin_that_cannot_be_written_are_one_sentence(tmp_path, write, what):
    with pytest.raises(
        InputError, match=f"The {what} cannot be written to .*gone: no such file or directory"
    ):
        write(tmp_path / "gone")


def test_pinned_runs_are_read_before_newer_ones_and_in_their_place(tmp_path):
    shelf = Shelf(tmp_path)
    folders = [shelf.train(keep)[1] for _ in range(5)]
    for when, folder in enumerate(folders):
        os.utime(folder / RECORD, (when, when))
    pin(folders[1], True)
    found = shelf.newest(3)
    assert [run.path.name for run in found.runs] == ["run-2", "run-4", "run-5"] and found.older == 2
