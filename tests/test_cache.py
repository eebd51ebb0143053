import errno
import multiprocessing
import os

import numpy as np
import pytest

from vgglab.engine import cache as features
from vgglab.engine.cache import FeatureCache, content_key

SHAPE, BYTES = (10, 4), 160


def filler(value, calls=None):
    def fill(array):
        if calls is not None:
            calls.append(value)
        array[:] = value

    return fill


def get(cache, key="a", value=1.0, calls=None, notes=None):
    notes = [] if notes is None else notes
    return cache.get(key, SHAPE, np.float32, filler(value, calls), notes.append)


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
    assert isinstance(first, np.memmap) and not first.flags.writeable and (first == 1).all()
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
        lambda data: data.replace(b"NUMPY", b"numpy"),
        lambda data: data.replace(b"(10, 4)", b"(4, 10)"),
        lambda data: data.replace(b"<f4", b"<i4"),
    ],
    ids=["cut short", "cut in the header", "empty", "too long", "no array", "another shape", "another type"],
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


@pytest.mark.parametrize("where", ["posix_fallocate", "disk_usage"])
def test_a_full_disk_is_no_failure(tmp_path, monkeypatch, where):
    def full(*rest):
        raise OSError(errno.ENOSPC, "No space left on device")

    module = os if where == "posix_fallocate" else features.shutil
    monkeypatch.setattr(module, where, full)
    notes = []
    assert get(FeatureCache(memory=0, folder=tmp_path), notes=notes) is None
    assert "could not be kept" in notes[0] and "No space left" in notes[0] and not list(tmp_path.iterdir())


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
    assert (array == value).all()


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
    assert written.dtype == read.dtype == ml_dtypes.bfloat16 and (read == 1.5).all()


def test_another_processs_unfinished_file_is_left_alone(tmp_path):
    cache = FeatureCache(memory=0, disk=2 * (BYTES + 128), folder=tmp_path)
    unfinished = tmp_path / "b.123.part.features"
    unfinished.write_bytes(bytes(BYTES))
    get(cache, "a"), get(cache, "c"), get(cache, "d")
    assert unfinished.exists() and not (tmp_path / "a.features").exists()
