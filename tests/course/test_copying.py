"""The course in a folder of one's own: nothing that somebody wrote is lost, and nothing is half there."""

import json
import os
import re
import shutil
from pathlib import Path, PurePosixPath

import pytest

from conftest import ROOT
from vgglab.cli import main
from vgglab.commands import course as command
from vgglab.course import copying
from vgglab.course.copying import LIST, SUBFOLDER, State, compare, copy, files_of_course, update
from vgglab.errors import InputError

COURSE = sorted(
    path.relative_to(ROOT / "notebooks").as_posix()
    for pattern in ("README.md", "*.ipynb", "checks/*.py", "sheets/*.html")
    for path in (ROOT / "notebooks").glob(pattern)
)
FIRST, SECOND = COURSE[:2]


def content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != LIST
    }


@pytest.fixture
def newer(tmp_path, monkeypatch):
    """A newer version of the course, in which two lessons are other ones; comes when it is called."""

    def comes():
        folder = shutil.copytree(ROOT / "notebooks", tmp_path / "newer")
        for name in (FIRST, SECOND):
            path = folder / name
            path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        monkeypatch.setattr(copying, "course_folder", lambda: folder)
        monkeypatch.setattr("vgglab.__version__", "9.0.0")
        return folder

    return comes


def test_all_that_the_lessons_need_is_copied(tmp_path):
    assert copy(tmp_path / "own") == COURSE == list(files_of_course())
    own = content(tmp_path / "own")
    assert own == {name: (ROOT / "notebooks" / name).read_bytes() for name in COURSE}
    assert set(compare(tmp_path / "own").values()) == {State.SAME}


def test_what_is_there_stays(tmp_path):
    (tmp_path / FIRST).write_text("mine")
    (tmp_path / "photo.jpg").write_bytes(b"mine too")
    assert FIRST not in copy(tmp_path)
    assert (tmp_path / FIRST).read_text() == "mine" and (tmp_path / "photo.jpg").read_bytes() == b"mine too"
    (tmp_path / SECOND).unlink()
    assert copy(tmp_path) == [SECOND], "what was deleted comes back"


def test_other_ends_of_lines_are_no_change(tmp_path, newer):
    copy(tmp_path / "own")
    path = tmp_path / "own" / FIRST
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert compare(tmp_path / "own")[FIRST] is State.SAME
    newer()
    assert compare(tmp_path / "own")[FIRST] is State.OLDER


def test_an_update_replaces_what_nobody_changed_and_lays_the_rest_beside(tmp_path, newer):
    own = tmp_path / "own"
    copy(own)
    (own / FIRST).write_text("mine")
    folder = newer()
    assert compare(own)[FIRST] is State.BOTH and compare(own)[SECOND] is State.OLDER
    laid = str(PurePosixPath(FIRST).with_suffix(".9.0.0.ipynb"))
    assert sorted(update(own)) == sorted([laid, SECOND])
    assert (own / FIRST).read_text() == "mine"
    assert (own / laid).read_bytes() == (folder / FIRST).read_bytes()
    assert (own / SECOND).read_bytes() == (folder / SECOND).read_bytes()
    assert compare(own)[FIRST] is State.YOURS and update(own) == []
    (folder / FIRST).write_text("newer still, of the same version")
    again = str(PurePosixPath(FIRST).with_suffix(".9.0.0-2.ipynb"))
    assert again in update(own) and (own / again).read_text() == "newer still, of the same version"
    assert (own / laid).is_file() and (own / FIRST).read_text() == "mine"


def test_without_its_list_no_file_is_taken_for_unchanged(tmp_path, newer):
    own = tmp_path / "own"
    for damage in (None, "no json", "[]", '{"files": 3}', '{"files": {}}'):
        shutil.rmtree(own, ignore_errors=True)
        copy(own)
        (own / LIST).unlink() if damage is None else (own / LIST).write_text(damage)
        with pytest.MonkeyPatch.context() as patch:
            folder = shutil.copytree(ROOT / "notebooks", tmp_path / "other", dirs_exist_ok=True)
            (folder / FIRST).write_text("newer")
            patch.setattr(copying, "course_folder", lambda folder=folder: folder)
            assert compare(own)[FIRST] is State.BOTH


def test_a_copy_that_was_cut_short_goes_on(tmp_path, monkeypatch, newer):
    own, write = tmp_path / "own", copying.write_whole

    def breaks(path, text):
        if path.name == SECOND:
            raise OSError(28, os.strerror(28), str(path))
        write(path, text)

    monkeypatch.setattr(copying, "write_whole", breaks)
    with pytest.raises(OSError):
        copy(own)
    assert set(content(own)) == {FIRST}, "nothing is half there"
    monkeypatch.setattr(copying, "write_whole", write)
    newer()
    assert compare(own)[FIRST] is State.OLDER, "it is known that this is ours"
    assert FIRST not in copy(own) and set(content(own)) == set(COURSE)


def test_names_are_such_as_every_system_takes():
    for name in [*COURSE, LIST]:
        assert not re.search(r'[<>:"\\|?*]', name) and not name.endswith((".", " ")) and name.isascii()
        assert Path(name).stem.upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT1"}
    assert len({name.lower() for name in COURSE}) == len(COURSE)


def test_the_command_copies_and_says_where(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["course"]) == 0
    assert set(content(tmp_path)) == set(COURSE), "into an empty folder itself"
    assert f"{len(COURSE)} files" in capsys.readouterr().out
    assert main(["course"]) == 0 and not (tmp_path / SUBFOLDER).exists()
    assert json.loads((tmp_path / LIST).read_text())["files"].keys() == set(COURSE)


def test_a_folder_with_other_things_is_not_littered(tmp_path, monkeypatch):
    (tmp_path / "thesis.docx").touch()
    monkeypatch.chdir(tmp_path)
    assert main(["course"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thesis.docx", SUBFOLDER]


def test_an_update_is_told_before_it_is_made(tmp_path, capsys, newer):
    own = tmp_path / "own folder, Übung"
    main(["course", str(own)])
    (own / FIRST).write_text("mine")
    newer()
    capsys.readouterr()
    before = content(own)
    assert main(["course", str(own)]) == 0 and "newer version of 2" in capsys.readouterr().out
    assert main(["course", str(own), "--update"]) == 0
    out = capsys.readouterr().out
    assert f"{FIRST}: changed by you, and the course has a newer version; stays as it is" in out
    assert f"{SECOND}: an older version that you have not changed; is replaced." in out
    assert "Nothing has been changed yet." in out and content(own) == before
    assert main(["course", str(own), "--update", "--yes"]) == 0
    assert "Written: 2 files." in capsys.readouterr().out and len(content(own)) == len(COURSE) + 1
    assert main(["course", str(own), "--update"]) == 0
    assert "There is nothing newer." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["file"], "The course is copied to a folder. Received a file: file."),
        (["file/own"], "cannot be used: not a directory"),
        (["nowhere", "--update"], "`--update` needs a folder that has the course. There is none: nowhere."),
        (["--yes"], "`--yes` belongs to `--update`, which is missing."),
        (["--lessons", "00"], "`--lessons` belongs to `--run`, which is missing."),
        (["--run", "--update"], "`--run` and `--update` are two things"),
        (["--run", "--lessons", "0,x"], "Received: '0,x'."),
        (["--run", "--jobs", "0"], "`--jobs` must be 1 or more. Received: 0."),
        (["--run", "--out", "a", "--html", "b"], "`--out` and `--html` are two things"),
        (["empty", "--run"], "There are no lessons in empty."),
        (["--runs"], "unrecognized arguments: --runs"),
        (["a", "b"], "unrecognized arguments: b"),
    ],
)
def test_what_cannot_be_is_one_sentence(tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    try:
        code = main(["course", *arguments])
    except SystemExit as ended:
        code = ended.code
    told = capsys.readouterr().err
    assert code == 2 and said in told and told.count("\n") == 1
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["empty", "file"]


def test_the_lab_opens_the_checkout_and_elsewhere_a_copy(tmp_path, monkeypatch, capsys, newer):
    assert command.lessons_for(None) == (ROOT, f"notebooks/{FIRST}")
    assert command.lessons_for(tmp_path / "own") == (tmp_path / "own", FIRST)
    monkeypatch.setattr(command, "is_checkout", lambda: False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert command.lessons_for(None) == (Path(), FIRST) and set(content(tmp_path / "here")) == set(COURSE)
    newer()
    assert not capsys.readouterr().err
    command.lessons_for(None)
    assert "newer version of 2 files" in capsys.readouterr().err


def test_a_package_without_lessons_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(copying, "checkout", lambda: tmp_path)
    with pytest.raises(InputError, match="Install vgglab again"):
        copying.course_folder()
