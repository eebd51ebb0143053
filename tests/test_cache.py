import errno
import multiprocessing
import os
import random
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from vgglab.engine.cache import FeatureCache, content_key
from vgglab.files import is_part
from vgglab.stored import file_store, stored_file
from vgglab.stored.file_store import default_folder

SHAPE, BYTES = (10, 4), 160


def filler(value, calls=None):
    def fill(array):
        if calls is not None:
            calls.append(value)
        array[:] = value

    return fill


def get(cache, key="a", value=1.0, calls=None, notes=None):
    notes = [] if notes is None else notes
    kept = cache.get(key, SHAPE, np.float32, filler(value, calls), notes.append)
    return None if kept is None else np.asarray(kept)


def test_an_entry_is_made_once(tmp_path):
    calls, cache = [], FeatureCache(folder=tmp_path)
    assert (get(cache, calls=calls) == 1).all() and (get(cache, value=2, calls=calls) == 1).all()
    assert calls == [1.0] and cache.used == BYTES and not list(tmp_path.iterdir())


def test_the_longest_unused_entry_goes_first(tmp_path):
    calls, cache = [], FeatureCache(memory=2 * BYTES, folder=tmp_path)
    get(cache, "a", 1, calls), get(cache, "b", 2, calls), get(cache, "a", 1, calls)
    get(cache, "c", 3, calls)  # b was not used for longest
    get(cache, "a", 1, calls), get(cache, "b", 2, calls)
    assert calls == [1, 2, 3, 2] and cache.used == 2 * BYTES


def test_what_memory_does_not_hold_goes_into_files_for_the_next_process(tmp_path):
    calls, cache = [], FeatureCache(memory=BYTES - 1, folder=tmp_path)
    assert cache.place(BYTES - 1) == "memory" and cache.place(BYTES) == "disk"
    first = get(cache, calls=calls)
    assert (first == 1).all() and cache.used == 0
    assert (get(FeatureCache(memory=0, folder=tmp_path), value=2, calls=calls) == 1).all()
    assert calls == [1.0] and len(list(tmp_path.iterdir())) == 1


def test_files_are_evicted_too(tmp_path):
    cache = FeatureCache(memory=0, disk=2 * (BYTES + 128), folder=tmp_path)
    for age, key in ((300, "a"), (200, "b")):
        get(cache, key)
        os.utime(tmp_path / f"{key}.features", (0, 1e9 - age))
    get(cache, "c")
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["b", "c"]


def test_what_neither_holds_is_refused(tmp_path):
    cache = FeatureCache(memory=0, disk=BYTES - 1, folder=tmp_path)
    assert cache.place(BYTES) is None and get(cache) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[:20],
        lambda data: b"",
        lambda data: data + b"x",
        lambda data: bytes([data[0] ^ 1]) + data[1:],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: data[:-BYTES] + bytes(BYTES),
        lambda data: bytes(len(data)),
    ],
    ids=["cut short", "cut early", "empty", "too long", "checksum", "one bit", "features of 0", "all 0"],
)
def test_a_damaged_file_is_made_again_with_a_note(tmp_path, damage):
    cache = FeatureCache(memory=0, folder=tmp_path)
    get(cache)
    path = tmp_path / "a.features"
    path.write_bytes(damage(path.read_bytes()))
    notes = []
    assert (get(cache, value=2, notes=notes) == 2).all()
    assert len(notes) == 1 and "a.features was cut short or is damaged" in notes[0]
    assert (get(cache, value=3, notes=notes) == 2).all() and len(notes) == 1


@pytest.mark.parametrize(
    ("key", "shape", "dtype"), [("b", SHAPE, "f4"), ("a", SHAPE[::-1], "f4"), ("a", SHAPE, "i4")]
)
def test_the_file_of_another_entry_is_not_used(tmp_path, key, shape, dtype):
    get(FeatureCache(memory=0, folder=tmp_path))
    (tmp_path / "a.features").rename(tmp_path / f"{key}.features")
    notes, cache = [], FeatureCache(memory=0, folder=tmp_path)
    made = np.asarray(cache.get(key, shape, np.dtype(dtype), filler(2), notes.append))
    assert (made == 2).all() and len(notes) == 1


def test_a_file_is_checked_once_in_a_process_and_when_it_has_changed(tmp_path, monkeypatch):
    checked, are_right = [], stored_file._are_right
    monkeypatch.setattr(
        stored_file, "_are_right", lambda rows: checked.append(rows.file.path.stem) or are_right(rows)
    )
    for _ in range(3):
        get(FeatureCache(memory=0, folder=tmp_path))
    assert checked == []  # it was written here
    monkeypatch.setattr(stored_file, "_CHECKED", {})  # as in another process
    for _ in range(3):
        get(FeatureCache(memory=0, folder=tmp_path))
    assert checked == ["a"]
    os.utime(tmp_path / "a.features", (0, 0))
    get(FeatureCache(memory=0, folder=tmp_path))
    assert checked == ["a", "a"]


def _by_another_user(path, monkeypatch):
    own = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)


def _by_a_link(path, monkeypatch):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def _by_a_pipe(path, monkeypatch):
    path.unlink()
    os.mkfifo(path)


def _unreadable(path, monkeypatch):
    refuse(monkeypatch, "open", path, errno.EACCES)


def refuse(monkeypatch, name, path, reason):
    """The system refuses one of its functions for a file."""
    call = getattr(os, name)

    def refused(file, *rest, **options):
        if isinstance(file, (str, Path)) and Path(file) == path:
            raise OSError(reason, os.strerror(reason), str(file))
        return call(file, *rest, **options)

    monkeypatch.setattr(os, name, refused)


@pytest.mark.parametrize(
    ("planted", "reason"),
    [
        (_by_another_user, "is no file of yours"),
        (_by_a_pipe, "is no file of yours"),
        (_by_a_link, "is a link"),
        (lambda path, _: path.chmod(0o620), "can be written by other users"),
        (lambda path, _: path.chmod(0o602), "can be written by other users"),
        (_unreadable, "cannot be read (permission denied)"),
    ],
)
def test_a_file_that_others_may_have_made_is_made_again_with_a_note(tmp_path, monkeypatch, planted, reason):
    get(FeatureCache(memory=0, folder=tmp_path))
    planted(tmp_path / "a.features", monkeypatch)
    notes = []
    assert (get(FeatureCache(memory=0, folder=tmp_path), value=2, notes=notes) == 2).all()
    assert notes == [f"The cache file a.features {reason}; it was made again."]


def test_nothing_of_others_is_counted_or_removed(tmp_path, monkeypatch):
    cache = FeatureCache(memory=0, disk=2 * (BYTES + 128), folder=tmp_path)
    for key in "ab":
        get(cache, key)
    _by_another_user(tmp_path, monkeypatch)
    for key in "cd":
        assert get(cache, key) is not None
    cache.clear()
    monkeypatch.undo()
    assert len(list(tmp_path.iterdir())) == 4
    cache.clear()
    assert not list(tmp_path.iterdir())


def test_folder_and_files_are_for_the_user_alone(tmp_path):
    before = os.umask(0)
    try:
        get(FeatureCache(memory=0, folder=tmp_path / "home" / "cache"))
    finally:
        os.umask(before)
    modes = [path.stat().st_mode & 0o777 for path in sorted((tmp_path / "home" / "cache").rglob("*"))]
    assert (tmp_path / "home" / "cache").stat().st_mode & 0o777 == 0o700 and modes == [0o600]


@pytest.mark.parametrize("home", [True, False])
@pytest.mark.parametrize("said", [None, "", "/some/where"])
def test_where_the_files_go(monkeypatch, tmp_path, said, home):
    monkeypatch.delenv("VGGLAB_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    if said is not None:
        monkeypatch.setenv("VGGLAB_CACHE", said)
    if not home:  # as for a user whom a container does not know
        monkeypatch.delenv("HOME")
        monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    if said:
        assert default_folder() == Path(said)
    else:
        assert default_folder().is_absolute() and (default_folder() == tmp_path / ".cache/vgglab") == home


def test_a_cache_that_can_only_be_read_is_used_for_what_it_has(tmp_path, monkeypatch):
    cache = FeatureCache(memory=0, folder=tmp_path)
    get(cache)

    def read_only(path, *rest, **options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    for module, name in ((os, "utime"), (Path, "touch"), (Path, "unlink"), (Path, "replace")):
        monkeypatch.setattr(module, name, read_only)
    notes = []
    assert (get(cache, value=2, notes=notes) == 1).all() and not notes
    assert get(cache, "b", notes=notes) is None
    assert notes == [f"The features could not be kept in {tmp_path} (read-only file system)."]


@pytest.mark.parametrize("damaged", ["cut", "folder"])
def test_what_is_in_the_way_and_cannot_be_removed_is_no_failure(tmp_path, monkeypatch, damaged):
    path = tmp_path / "a.features"
    if damaged == "cut":
        path.write_bytes(bytes(20))
        refuse(monkeypatch, "unlink", path, errno.EACCES)
        monkeypatch.setattr(Path, "replace", lambda *paths: os.unlink(path))
    else:
        path.mkdir()
    notes = []
    assert get(FeatureCache(memory=0, folder=tmp_path), notes=notes) is None
    assert len(notes) == 1 and notes[0].startswith("The cache file a.features ")
    assert f"The features could not be kept in {tmp_path} (" in notes[0] and path.exists()


@pytest.mark.parametrize("where", ["posix_fallocate", "disk_usage"])
def test_a_full_disk_is_no_failure(tmp_path, monkeypatch, where):
    def full(*rest):
        raise OSError(errno.ENOSPC, "No space left on device")

    module = os if where == "posix_fallocate" else file_store.shutil
    monkeypatch.setattr(module, where, full)
    notes = []
    assert get(FeatureCache(memory=0, folder=tmp_path), notes=notes) is None
    assert "could not be kept" in notes[0] and "no space left" in notes[0] and not list(tmp_path.iterdir())


def test_where_the_system_has_neither_locks_nor_room_to_take_ahead(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "posix_fallocate")
    monkeypatch.setattr(stored_file, "fcntl", None)
    shape = (2**19 + 1,)  # a little over two MiB
    for value in (1, 2):
        cache = FeatureCache(memory=0, folder=tmp_path)
        assert (np.asarray(cache.get("a", shape, np.float32, filler(value), pytest.fail)) == 1).all()


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path):
    (tmp_path / "file").write_text("")
    notes = []
    assert get(FeatureCache(memory=0, folder=tmp_path / "file" / "cache"), notes=notes) is None
    assert len(notes) == 1


def test_an_entry_that_fails_half_way_is_not_kept(tmp_path):
    def fail(array):
        array[:5] = 1
        raise KeyboardInterrupt

    for memory in (0, 10 * BYTES):
        cache = FeatureCache(memory=memory, folder=tmp_path)
        with pytest.raises(KeyboardInterrupt):
            cache.get("a", SHAPE, np.float32, fail, print)
        assert cache.used == 0 and not list(tmp_path.iterdir())


def _make(folder, barrier, value):
    def fill(array):
        barrier.wait(30)  # both are writing now
        array[:] = value

    array = FeatureCache(memory=0, folder=folder).get("a", SHAPE, np.float32, fill, print)
    assert (np.asarray(array) == value).all()


def _make_in_two_threads(folder):
    barrier, failed = threading.Barrier(2), []
    threading.excepthook = failed.append
    threads = [threading.Thread(target=_make, args=(folder, barrier, value)) for value in (1.0, 2.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed


def test_two_threads_make_the_same_entry(tmp_path):
    process = multiprocessing.get_context("spawn").Process(target=_make_in_two_threads, args=(tmp_path,))
    process.start()  # apart, because a map that is cut short ends its process
    process.join(60)
    assert process.exitcode == 0 and [path.name for path in tmp_path.iterdir()] == ["a.features"]


def test_two_processes_make_the_same_entry(tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    both = [context.Process(target=_make, args=(tmp_path, barrier, 7.0)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
        assert process.exitcode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.features"]


def test_clear_forgets_everything(tmp_path):
    for memory in (0, 10 * BYTES):
        cache = FeatureCache(memory=memory, folder=tmp_path)
        get(cache)
        cache.clear()
        assert cache.used == 0 and not list(tmp_path.iterdir())


def test_the_key_holds_content_shape_and_type():
    array = np.arange(12, dtype=np.float32)
    other = array.copy()
    other[5] += 1e-6
    keys = [
        content_key(part)
        for part in (array, other, array.reshape(3, 4), array.view(np.int32), "a", 1, "1", ("a", 1))
    ]
    assert len(set(keys)) == len(keys)
    assert content_key(array, 1) == content_key(array.copy(), 1) != content_key(1, array)


def test_bfloat16_goes_into_a_file_and_comes_back(tmp_path):
    import ml_dtypes

    cache = FeatureCache(memory=0, folder=tmp_path)
    written = cache.get("a", SHAPE, np.dtype(ml_dtypes.bfloat16), filler(1.5), print)
    read = FeatureCache(memory=0, folder=tmp_path).get(
        "a", SHAPE, np.dtype(ml_dtypes.bfloat16), filler(2), print
    )
    assert written.dtype == read.dtype == ml_dtypes.bfloat16 and (np.asarray(read) == 1.5).all()


def _fill_for_ever(folder, begun):
    def fill(array):
        begun.set()
        time.sleep(600)

    FeatureCache(memory=0, folder=folder).get("b", SHAPE, np.float32, fill, print)


@contextmanager
def unfinished(folder):
    """A process that is writing an entry, and its part of a file."""
    context = multiprocessing.get_context("spawn")
    begun = context.Event()
    process = context.Process(target=_fill_for_ever, args=(folder, begun))
    process.start()
    try:
        assert begun.wait(60)
        yield process, next(filter(is_part, folder.iterdir()))
    finally:
        process.kill()
        process.join(60)


def test_what_a_living_process_writes_is_counted_and_left_alone(tmp_path):
    cache, notes = FeatureCache(memory=0, disk=2 * (BYTES + 128), folder=tmp_path), []
    with unfinished(tmp_path) as (_, part):
        assert part.stat().st_size > BYTES
        get(cache, "a"), get(cache, "c")
        assert part.exists() and not (tmp_path / "a.features").exists()
        assert get(FeatureCache(memory=0, disk=BYTES, folder=tmp_path), "d", notes=notes) is None
        assert "no room beside the 0.0 GB that others are writing" in notes[0]
        assert (tmp_path / "c.features").exists()
        cache.clear()
        assert list(tmp_path.iterdir()) == [part]


@pytest.mark.parametrize("remove", [FeatureCache.clear, get], ids=["clear", "the next entry"])
def test_what_a_killed_process_left_is_removed(tmp_path, remove):
    with unfinished(tmp_path) as (process, part):
        os.kill(process.pid, signal.SIGKILL)
        process.join(60)
        assert part.exists()
        remove(FeatureCache(memory=0, disk=BYTES, folder=tmp_path))
        assert not part.exists()


def _use(folder, barrier, seed, notes):
    """Many entries, of which the folder holds few, with another process that does the same."""
    draw, cache = random.Random(seed), FeatureCache(memory=0, disk=5 * (BYTES + 128), folder=folder)
    barrier.wait(60)
    for _ in range(150):
        value = draw.randrange(20)
        array = get(cache, f"{value}", value, notes=notes)
        if array is None or not (array == value).all():
            notes.append(f"{value} was not kept")
    barrier.wait(60)


def _use_and_tell(folder, barrier, seed, told):
    notes = []
    _use(folder, barrier, seed, notes)
    told.put(notes)


def test_two_processes_that_evict_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier, told = context.Barrier(2), context.Queue()
    both = [context.Process(target=_use_and_tell, args=(tmp_path, barrier, seed, told)) for seed in range(2)]
    for process in both:
        process.start()
    assert [told.get(timeout=60) for _ in both] == [[], []]
    for process in both:
        process.join(60)
        assert process.exitcode == 0
    assert all(path.suffix == ".features" and not is_part(path) for path in tmp_path.iterdir())
