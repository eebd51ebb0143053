import errno
import multiprocessing
import os
import time

import pytest

from vgglab.files import ABANDONED, is_part, write_whole, written_whole


def test_a_file_takes_its_name_when_it_is_whole(tmp_path):
    path = tmp_path / "run.keras"
    path.write_text("before")
    with written_whole(path) as beside:
        assert beside.suffix == ".keras" and beside.parent == tmp_path
        beside.write_text("after")
        assert path.read_text() == "before"
    assert path.read_text() == "after" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["mini.weights.h5", "run", ".hidden.csv"])
def test_the_file_beside_has_all_the_suffixes(tmp_path, name):
    """Keras refuses weights whose name does not end in .weights.h5."""
    with written_whole(tmp_path / name) as beside:
        assert beside.name != name and beside.name.endswith(name.partition(".")[2])
        beside.touch()
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "run.csv"
    path.write_text("before")
    with pytest.raises(OSError, match="full"), written_whole(path) as beside:
        beside.write_text("half")
        raise OSError("full")
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


def test_two_who_write_the_same_file_do_not_meet(tmp_path):
    path = tmp_path / "run.csv"
    with written_whole(path) as late:
        late.write_text("late")
        with written_whole(path) as early:
            early.write_text("early")
        assert path.read_text() == "early"
    assert path.read_text() == "late" and list(tmp_path.iterdir()) == [path]


def test_a_link_is_neither_followed_nor_kept(tmp_path):
    folder, victim = tmp_path / "folder", tmp_path / "victim"
    folder.mkdir()
    victim.write_text("mine")
    path = folder / "run.csv"
    # The name that could be foreseen, the target itself, and one that leads nowhere.
    (folder / f"run.{os.getpid()}.part.csv").symlink_to(victim)
    for leads_to in (victim, tmp_path / "nowhere"):
        path.unlink(missing_ok=True)
        path.symlink_to(leads_to)
        write_whole(path, "run")
        assert path.read_text() == "run" and not path.is_symlink()
    assert victim.read_text() == "mine" and not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("name", ["x" * 251 + ".csv", "é" * 122 + ".weights.h5", "." + "x" * 254, "流" * 85])
def test_a_name_as_long_as_a_system_takes(tmp_path, name):
    assert len(name.encode()) == 255
    with written_whole(tmp_path / name) as beside:
        assert is_part(beside) and beside.name.endswith(name[-11:])
        beside.write_text("whole")
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_others_may_read_a_file_as_the_user_has_said(tmp_path):
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "run.csv", "")
    finally:
        os.umask(before)
    assert (tmp_path / "run.csv").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("place", "reason"),
    [("folder", errno.EISDIR), ("missing/run.csv", errno.ENOENT), ("file/run.csv", errno.ENOTDIR)],
)
def test_a_place_that_cannot_be_written_is_known_before_there_is_work(tmp_path, place, reason):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OSError) as failed, written_whole(tmp_path / place):
        pytest.fail("there was work")
    assert (failed.value.errno, failed.value.filename) == (reason, str(tmp_path / place))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "folder"]


def test_the_file_is_on_the_disk_before_its_name_is(tmp_path, monkeypatch):
    path, synced = tmp_path / "run.csv", []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append((os.fstat(file).st_ino, path.exists())))
    write_whole(path, "whole")
    assert synced == [(path.stat().st_ino, False), (tmp_path.stat().st_ino, True)]


def test_a_disk_that_is_full_at_the_end_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "run.csv"
    path.write_text("before")

    def full(file):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, "after")
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path, monkeypatch):
    path, sync = tmp_path / "run.csv", os.fsync

    def no_folder(file):
        if os.fstat(file).st_ino == tmp_path.stat().st_ino:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        sync(file)

    monkeypatch.setattr(os, "fsync", no_folder)
    write_whole(path, "whole")
    assert path.read_text() == "whole"


def _write_for_ever(path, begun):
    with written_whole(path) as beside:
        beside.write_text("half")
        begun.set()
        time.sleep(600)


def test_what_a_killed_process_left_goes_with_a_later_write(tmp_path):
    context = multiprocessing.get_context("spawn")
    begun = context.Event()
    process = context.Process(target=_write_for_ever, args=(tmp_path / "run.csv", begun))
    process.start()
    assert begun.wait(60)
    process.kill()
    process.join(60)
    (part,) = tmp_path.iterdir()
    assert is_part(part) and part.read_text() == "half"
    write_whole(tmp_path / "other.csv", "")
    assert part.exists()  # somebody may still write it
    own = tmp_path / "part.csv"  # which only looks like one
    own.touch()
    for file in (part, own):
        os.utime(file, (0, time.time() - ABANDONED - 60))
    write_whole(tmp_path / "other.csv", "")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["other.csv", "part.csv"]
