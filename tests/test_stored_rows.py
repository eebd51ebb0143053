"""Rows of a file and rows chosen from an array, against the array that they stand for."""

import gc
import os
import pickle
import threading
import zlib

import numpy as np
import pytest

from vgglab.datasets.dataset import Split
from vgglab.errors import InputError
from vgglab.stored import file_store, stored_file
from vgglab.stored.file_store import FileStore, remembered
from vgglab.stored.stored_file import Unfit, read, write
from vgglab.stored.stored_rows import COPIED, Rows, chunks, joined, rows_of

SHAPE = (20, 3, 2)
ARRAY = np.random.default_rng(0).integers(0, 255, SHAPE).astype(np.uint8)


def fill(rows):
    rows[:7] = ARRAY[:7]
    for number in range(7, len(ARRAY)):
        rows[number] = ARRAY[number]
    return dict(note=["ü", 1])


@pytest.fixture
def path(tmp_path):
    write(tmp_path / "a.images", SHAPE, np.uint8, fill)
    return tmp_path / "a.images"


@pytest.fixture(params=["file", "memory", "chosen", "joined"])
def rows(request, path):
    if request.param == "memory":
        return Rows(ARRAY)
    if request.param == "chosen":
        doubled = np.concatenate([ARRAY, ARRAY[::-1]])
        return Rows(doubled).chosen(np.arange(39, 19, -1))
    if request.param == "joined":
        whole = read(path, SHAPE, np.uint8)
        return joined(whole.chosen(slice(7, None)), whole.chosen(slice(7)), (np.arange(20) - 7) % 20)
    return read(path, SHAPE, np.uint8)


KEYS = {
    "number": 3,
    "numpy's number": np.int64(4),
    "from the end": -1,
    "all": slice(None),
    "some": slice(2, 9),
    "backwards": slice(None, None, -3),
    "none": slice(5, 5),
    "numbers": np.array([19, 0, 0, 7, 8, 9, -1]),
    "a list": [3, 1],
    "an empty list": [],
    "truth values": np.arange(20) % 3 == 0,
    "no truth": np.zeros(20, bool),
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_an_index_gives_what_it_gives_of_an_array(rows, key):
    plain = np.array(key, int) if isinstance(key, list) else key
    found = rows[key]
    assert isinstance(found, np.ndarray) and found.dtype == np.uint8
    np.testing.assert_array_equal(found, ARRAY[plain])
    if np.ndim(found) == 3:
        np.testing.assert_array_equal(rows.chosen(key), ARRAY[plain])
        np.testing.assert_array_equal(rows.chosen(slice(None, None, -1)).chosen(key), ARRAY[::-1][plain])


def test_it_looks_like_an_array(rows):
    assert (rows.shape, rows.ndim, rows.dtype, rows.nbytes, len(rows)) == (
        SHAPE,
        3,
        np.uint8,
        ARRAY.nbytes,
        20,
    )
    assert (np.asarray(rows) == ARRAY).all() and np.asarray(rows, np.float32).dtype == np.float32
    assert (
        all((mine == theirs).all() for mine, theirs in zip(rows, ARRAY))
        and repr(rows) == "Rows of uint8, shape (20, 3, 2)"
    )


@pytest.mark.parametrize("key", [20, -21, np.array([0, 20]), np.ones(19, bool), (0, 0), "x", 1.5])
def test_what_is_no_index_is_an_error_as_of_an_array(rows, key):
    with pytest.raises(IndexError):
        rows[key]


def test_rows_cannot_be_written(rows):
    with pytest.raises(TypeError):
        rows[0] = 1


def test_chunks_are_all_rows_in_order(rows, monkeypatch):
    monkeypatch.setattr("vgglab.stored.stored_rows.A_CHUNK", 40)
    parts = list(chunks(rows))
    assert max(map(len, parts)) == 6 and (np.concatenate(parts) == ARRAY).all()


def test_few_rows_of_an_array_are_copied_and_many_are_not(monkeypatch):
    assert isinstance(rows_of(ARRAY, slice(3)), np.ndarray) and ARRAY.nbytes < COPIED
    monkeypatch.setattr("vgglab.stored.stored_rows.COPIED", 5 * 6)
    assert isinstance(rows_of(ARRAY, slice(5)), np.ndarray)
    many = rows_of(ARRAY, np.arange(20) > 13)
    assert isinstance(many, Rows) and (np.asarray(many) == ARRAY[14:]).all() and many.identity is None
    part = Split(np.zeros((20, 4, 4, 3), np.uint8), np.arange(20)).part(np.arange(9))
    assert isinstance(part.images, Rows) and len(part) == len(part.images) == 9


def test_two_arrays_are_joined_by_copies_where_they_are_small(path, monkeypatch):
    stored, numbers = read(path, SHAPE, np.uint8), np.array([0, 25, 39, 3])
    expected = np.concatenate([ARRAY, ARRAY[::-1]])[numbers]
    small = joined(ARRAY, ARRAY[::-1], numbers)
    assert isinstance(small, np.ndarray) and (small == expected).all()
    monkeypatch.setattr("vgglab.stored.stored_rows.COPIED", 0)
    for first, second in (
        (ARRAY, ARRAY[::-1]),
        (stored, ARRAY[::-1]),
        (stored, stored.chosen(slice(None, None, -1))),
    ):
        both = joined(first, second, numbers)
        assert isinstance(both, Rows) and (np.asarray(both) == expected).all()
        assert (both.identity is None) == isinstance(second, np.ndarray)
    assert both.identity != joined(stored, stored, numbers).identity


def test_a_file_has_a_note_and_an_identity_of_its_content(path, tmp_path):
    rows = read(path, SHAPE, np.uint8)
    assert rows.file.note == dict(note=["ü", 1])
    assert rows.chosen([3, 1]).checksums.tolist() == [
        zlib.crc32(ARRAY[3].tobytes()),
        zlib.crc32(ARRAY[1].tobytes()),
    ]
    assert Rows(ARRAY).checksums is joined(rows, rows, np.arange(3)).checksums is None
    assert rows.identity == read(path, SHAPE, np.uint8).identity != rows.chosen(slice(3)).identity
    other = write(tmp_path / "b.images", SHAPE, np.uint8, lambda rows: rows.__setitem__(slice(None), 0))
    assert other.identity != rows.identity


def test_a_file_stays_good_when_its_name_is_given_to_another(path):
    rows = read(path, SHAPE, np.uint8)
    write(path, SHAPE, np.uint8, lambda rows: rows.__setitem__(slice(None), 0))
    assert (np.asarray(rows) == ARRAY).all() and not np.asarray(read(path, SHAPE, np.uint8)).any()
    path.unlink()
    assert (np.asarray(rows) == ARRAY).all()


def test_files_are_closed_when_nobody_has_them(path):
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("the system does not list open files")
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    many = [read(path, SHAPE, np.uint8) for _ in range(20)]
    assert len(os.listdir("/proc/self/fd")) == before + 20
    del many
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("damage", ["cut short", "one bit"])
def test_what_is_damaged_while_it_is_in_use_is_one_sentence_and_is_removed(path, damage):
    """A map of the file would end the process."""
    rows = read(path, SHAPE, np.uint8, check_rows=False)
    content = bytearray(path.read_bytes())
    content[64 + 6 * 15] ^= 1
    with path.open("r+b") as file:
        file.truncate(64 + 6 * 15) if damage == "cut short" else file.write(content)
    assert (rows[:15] == ARRAY[:15]).all()
    with pytest.raises(
        InputError, match="a.images was damaged or cut short since it was made, and was removed. Begin"
    ):
        rows[10:]
    assert not path.exists()


def test_a_damaged_file_whose_name_is_another_s_by_now_is_left(path):
    rows = read(path, SHAPE, np.uint8, check_rows=False)
    write(path, SHAPE, np.uint8, fill)
    rows.file.checksums = np.zeros(20, np.uint32)
    with pytest.raises(InputError):
        rows[0]
    assert path.exists()


@pytest.mark.parametrize("keep", [0, 63, 64, 100, -1])
def test_a_file_that_was_cut_short_is_no_file_without_its_rows_being_read(path, keep):
    os.truncate(path, keep if keep >= 0 else path.stat().st_size + keep)
    with pytest.raises(Unfit, match="was cut short or is damaged"):
        read(path, SHAPE, np.uint8, check_rows=False)


def test_another_process_opens_the_file_anew_and_notices_another_one(path):
    rows = read(path, SHAPE, np.uint8).chosen(slice(5, 9))
    handed = pickle.dumps(rows)
    assert (np.asarray(pickle.loads(handed)) == ARRAY[5:9]).all() and pickle.loads(
        handed
    ).identity == rows.identity
    write(path, SHAPE, np.uint8, lambda rows: rows.__setitem__(slice(None), 0))
    with pytest.raises(InputError, match="was damaged or cut short"):
        pickle.loads(handed)[0]
    with pytest.raises(InputError, match="a.images can be used only where it is .no such file or directory."):
        pickle.loads(handed)


def test_threads_write_different_rows(tmp_path):
    array = np.random.default_rng(1).integers(0, 255, (64, 1000)).astype(np.uint8)

    def fill_in_threads(rows):
        def write_some(first):
            for number in range(first, 64, 4):
                rows[number] = array[number]

        threads = [threading.Thread(target=write_some, args=(first,)) for first in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    write(tmp_path / "x.images", array.shape, np.uint8, fill_in_threads)
    assert (np.asarray(read(tmp_path / "x.images", array.shape, np.uint8)) == array).all()


def test_where_the_system_can_only_read_and_write_where_it_is(tmp_path, monkeypatch):
    for name in ("preadv", "pwrite"):
        monkeypatch.delattr(os, name)
    write(tmp_path / "a.images", SHAPE, np.uint8, fill)
    assert (np.asarray(read(tmp_path / "a.images", SHAPE, np.uint8)) == ARRAY).all()


def test_a_disk_that_is_too_full_loses_old_files_first(tmp_path, monkeypatch):
    store = FileStore(tmp_path, ".images", 2**40)
    for age, key in ((300, "a"), (200, "b")):
        store.make(key, SHAPE, np.uint8, fill)
        os.utime(tmp_path / f"{key}.images", (0, 1e9 - age))
    free = iter([0, 10**9, 10**9])
    usage = file_store.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(file_store.shutil, "disk_usage", lambda folder: usage._replace(free=next(free)))
    store.make("c", SHAPE, np.uint8, fill)
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["b", "c"]


def test_what_was_computed_from_a_file_is_kept_with_it(path, monkeypatch):
    rows, calls = read(path, SHAPE, np.uint8), []

    def compute():
        calls.append(1)
        return b"12345678"

    assert remembered(rows, "k", 8, compute) == remembered(rows, "k", 8, compute) == b"12345678"
    assert calls == [1] and remembered(Rows(ARRAY), "k", 8, compute) == b"12345678" and calls == [1, 1]
    kept = path.with_name("k.images")
    kept.write_bytes(bytes(len(kept.read_bytes())))
    assert remembered(rows, "k", 8, compute) == b"12345678" and len(calls) == 3

    def full(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stored_file, "_take_room", full)
    assert remembered(rows, "other", 8, compute) == b"12345678"
