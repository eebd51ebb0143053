"""Images that are kept in a file, against the same in memory; and what is said where there is room in neither."""

import errno
import multiprocessing
import os
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from test_folder import save
from test_reading import grey
from vgglab import live_load
from vgglab.datasets import keeping, load, under_conditions
from vgglab.datasets import memory as free
from vgglab.datasets.decoding import Decoded
from vgglab.datasets.keeping import arranged, permute
from vgglab.datasets.memory import free_memory, image_memory
from vgglab.engine.cache import FeatureCache, content_key
from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.stored import file_store
from vgglab.stored.stored_rows import Rows


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VGGLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("VGGLAB_IMAGE_MEMORY", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def photos(tmp_path):
    """Two classes of noise, some of it broken, some of 16 bits, in a part that is divided and one to test on."""
    rng, folder = np.random.default_rng(0), tmp_path / "photos"
    for part, count in (("train", 12), ("test", 4)):
        for name in "ab":
            (folder / part / name).mkdir(parents=True)
            for number in range(count):
                noise = rng.integers(0, 255, (33, 40, 3), np.uint8) // (2 if name == "a" else 1)
                Image.fromarray(noise).save(folder / part / name / f"{number:02}.png")
    (folder / "train" / "a" / "05.png").write_bytes(b"no image")
    (folder / "test" / "b" / "00.png").write_bytes(b"")
    for number in (3, 7):
        grey(folder / "train" / "b" / f"{number:02}.png", [100 * number, 3000], np.uint16)
    return folder


def quiet(folder, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load(folder, 32, **options)


def said(folder, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        data = load(folder, 32, **options)
    return data, [str(each.message) for each in caught]


def test_images_of_a_file_are_those_in_memory(photos, cache):
    ours, ours_said = said(photos)
    for memory in (0, 50_000 / 1e9):
        theirs, theirs_said = said(photos, memory=memory)
        assert ours.describe() == theirs.describe() and ours.reading == theirs.reading
        assert ours.skipped == theirs.skipped and len(ours.skipped) == 2
        for part in ("train", "validation", "test"):
            own, other = getattr(ours, part), getattr(theirs, part)
            assert isinstance(own.images, np.ndarray) and isinstance(other.images, Rows)
            np.testing.assert_array_equal(own.images, other.images)
            assert (own.labels == other.labels).all() and (own.paths == other.paths).all()
            assert own.fingerprint == other.fingerprint
            assert content_key(own.images, own.labels) == content_key(other.images, other.labels)
        assert ours.clean_slice().fingerprint == theirs.clean_slice().fingerprint
        few = Experiment(image_size=32, images_a_class=3, label_noise=0.5)
        assert under_conditions(ours, few).fingerprint == under_conditions(theirs, few).fingerprint
        assert isinstance(under_conditions(theirs, few).train.images, Rows)
        assert isinstance(theirs.clean_slice().images, Rows) and ours.odd_pixels == theirs.odd_pixels
        assert theirs_said[1:] == ours_said and theirs_said[0].startswith(
            "32 images of 32 pixels take 0.1 MB, more than"
        )
    assert theirs_said[0].endswith(f"they are in a file in {cache}, decoded before.")


@pytest.mark.parametrize(
    "fields", [dict(unfreeze=0), dict(unfreeze=3, augment="flip", views=2), dict(unfreeze=13)]
)
@pytest.mark.slow
def test_a_run_on_images_of_a_file_is_the_same(photos, tmp_path, fields):
    from vgglab.training import train

    experiment = Experiment(
        backbone="vgg16-micro", weights=None, image_size=32, batch_size=8, epochs=2, **fields
    )
    histories = [
        train(
            experiment, quiet(photos, memory=memory), cache=FeatureCache(given, folder=tmp_path / f"{given}")
        )
        for memory, given in ((1, 2**20), (0, 0))
    ]
    rows = [[{**row, "seconds": 0} for row in history.epochs] for history in histories]
    assert (
        rows[0] == rows[1]
        and histories[0].test == histories[1].test
        and histories[0].data == histories[1].data
    )
    assert (histories[0].predictions.probabilities == histories[1].predictions.probabilities).all()


def test_images_are_decoded_once(photos, monkeypatch):
    first = quiet(photos, memory=0)
    fingerprint = first.fingerprint
    monkeypatch.setattr(keeping, "decode", lambda *given: pytest.fail("decoded again"))
    counted = []
    monkeypatch.setattr("vgglab.datasets.dataset.chunks", lambda images: counted.append(1) or iter(()))
    again = quiet(photos, memory=0, seed=1)
    assert (np.sort(again.train.paths) != np.sort(first.train.paths)).any(), "divided anew"
    assert quiet(photos, memory=0).fingerprint == fingerprint and not counted, "nor hashed again"


def _other_pixels(folder):
    save(folder / "train" / "a" / "00.png", (9, 9, 9))


def _touched(folder):
    os.utime(folder / "train" / "a" / "00.png", (1, 1))


def _renamed(folder):
    (folder / "train" / "a" / "00.png").rename(folder / "train" / "a" / "0.png")


def _one_more(folder):
    save(folder / "train" / "a" / "99.png")


@pytest.mark.parametrize("change", [_other_pixels, _touched, _renamed, _one_more])
def test_a_file_that_changed_is_decoded_anew(photos, cache, change):
    quiet(photos, memory=0)
    change(photos)
    data, own = quiet(photos, memory=0), quiet(photos)
    assert data.fingerprint == own.fingerprint and (data.train.paths == own.train.paths).all()
    assert sum(path.stat().st_size > 10_000 for path in cache.iterdir()) == 2


@pytest.mark.parametrize("options", [dict(fit="pad"), dict(fit="squash")])
def test_what_is_read_in_another_way_is_another_file(photos, options):
    quiet(photos, memory=0)
    assert quiet(photos, memory=0, **options).fingerprint == quiet(photos, **options).fingerprint


def _cut(path):
    os.truncate(path, path.stat().st_size // 2)


def _emptied(path):
    path.write_bytes(b"")


def _longer(path):
    path.write_bytes(path.read_bytes() + b"x")


def _another_note(path):
    path.write_bytes(path.read_bytes().replace(b'"unreadable": [[4', b'"unreadable": [[3'))


def _another_s(path):
    content = bytearray(path.read_bytes())
    content[:64] = bytes(64)
    path.write_bytes(content)


def _writable(path):
    path.chmod(0o666)


def _a_folder_link(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


@pytest.mark.parametrize(
    "harm", [_cut, _emptied, _longer, _another_note, _another_s, _writable, _a_folder_link]
)
def test_a_file_that_is_no_good_is_made_again_and_that_is_said(photos, cache, harm):
    quiet(photos, memory=0)
    [path] = cache.iterdir()
    harm(path)
    data, sentences = said(photos, memory=0)
    assert f" The file that was there, {path.name}, " in sentences[0] and sentences[0].endswith(
        "it is made again."
    )
    assert data.fingerprint == quiet(photos).fingerprint
    assert "decoded before" in said(photos, memory=0)[1][0]


def test_pixels_that_were_damaged_are_noticed_when_they_are_read_and_made_again(photos, cache):
    quiet(photos, memory=0)
    [path] = cache.iterdir()
    content = bytearray(path.read_bytes())
    content[64 + 20 * 32 * 32 * 3] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        InputError, match="was damaged or cut short since it was made, and was removed. Begin again"
    ):
        quiet(photos, memory=0).describe()
    assert quiet(photos, memory=0).fingerprint == quiet(photos).fingerprint


def _load_at_once(folder, barrier, told):
    barrier.wait(60)
    told.put(quiet(folder, memory=0).fingerprint)


@pytest.mark.slow
def test_two_processes_read_the_same_folder_at_once(photos, cache):
    context = multiprocessing.get_context("spawn")
    barrier, told = context.Barrier(2), context.Queue()
    both = [context.Process(target=_load_at_once, args=(photos, barrier, told)) for _ in range(2)]
    for process in both:
        process.start()
    assert [told.get(timeout=60) for _ in both] == 2 * [quiet(photos).fingerprint]
    for process in both:
        process.join(60)
        assert process.exitcode == 0
    assert sum(path.stat().st_size > 10_000 for path in cache.iterdir()) == 1


def test_a_full_disk_is_one_sentence_before_anything_is_decoded(photos, monkeypatch, tmp_path):
    usage = file_store.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(file_store.shutil, "disk_usage", lambda folder: usage._replace(free=1000))
    monkeypatch.setattr(keeping, "decode", lambda *given: pytest.fail("decoded"))
    with pytest.raises(InputError) as caught:
        load(photos, 32, memory=0)
    assert str(caught.value) == (
        "32 images of 32 pixels take 0.1 MB, more than the 0.0 MB of memory that images may take here, and they cannot "
        f"be kept in a file in {tmp_path}/cache (no room for 0.0 GB). Smaller images (`image_size`) or fewer of them "
        "need less; VGGLAB_IMAGE_MEMORY says how many GB of memory they may take, VGGLAB_CACHE names another folder."
    )


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
def test_a_disk_that_refuses_is_one_sentence(photos, monkeypatch, reason):
    def refuse(*given, **options):
        raise OSError(reason, os.strerror(reason), "somewhere")

    monkeypatch.setattr("vgglab.stored.stored_file._take_room", refuse)
    with pytest.raises(InputError, match="cannot be kept in a file in .*Smaller images"):
        quiet(photos, memory=0)


def test_a_file_in_place_of_the_cache_folder_is_one_sentence(photos, cache):
    cache.write_text("")
    with pytest.raises(InputError, match="cannot be kept in a file in .*file exists|not a directory"):
        quiet(photos, memory=0)


def test_interrupted_reading_leaves_nothing_half_written(photos, cache):
    def interrupt(done, total):
        if done == 5:
            raise KeyboardInterrupt

    for memory in (0, None):
        before = threading.active_count()
        with pytest.raises(KeyboardInterrupt):
            quiet(photos, memory=memory, progress=interrupt)
        assert not list(cache.iterdir()) and threading.active_count() == before


@pytest.mark.parametrize("memory", [0, 1])
def test_progress_counts_every_file_once(photos, memory, monkeypatch):
    monkeypatch.setattr(
        "vgglab.datasets.decoding.MEMORY", 4 * 33 * 40
    )  # for a thread's share all are too large
    calls = []
    quiet(photos, memory=memory, progress=lambda *given: calls.append(given))
    assert calls == [(done, 32) for done in range(1, 33)]


def test_no_more_is_handed_out_than_a_little_ahead(photos, monkeypatch):
    monkeypatch.setattr("vgglab.datasets.decoding.AHEAD", 1)
    begun, real = [], keeping.decode.__globals__["read"]
    monkeypatch.setattr(
        "vgglab.datasets.decoding.read", lambda path, *rest: begun.append(path) or real(path, *rest)
    )
    ahead = []
    quiet(photos, progress=lambda done, total: ahead.append(len(begun) - done))
    assert max(ahead[:24]) <= (os.cpu_count() or 1) + 2  # those of 16 bits are begun twice, at the end


@pytest.mark.parametrize(
    "value", [-1, "a lot", "", float("nan"), float("inf"), True, [1], b"1", 1j, "1 GB", -0.001, 10**400]
)
def test_what_is_no_number_of_gb_is_one_sentence(photos, monkeypatch, value):
    with pytest.raises(InputError, match="`memory` must be a number of GB, 0 or more. Received: "):
        load(photos, 32, memory=value)
    if isinstance(value, str) and value:
        monkeypatch.setenv("VGGLAB_IMAGE_MEMORY", value)
        with pytest.raises(
            InputError, match="`VGGLAB_IMAGE_MEMORY` must be a number of GB, 0 or more. Received: '"
        ):
            load(photos, 32)


def test_the_variable_says_how_much_memory_and_the_argument_more_precisely(monkeypatch):
    monkeypatch.setattr(free, "free_memory", lambda: 8 * 10**9)
    assert image_memory() == 4 * 10**9
    monkeypatch.setenv("VGGLAB_IMAGE_MEMORY", "1.5")
    assert image_memory() == 1_500_000_000 and image_memory(0.25) == 250_000_000 and image_memory(0) == 0


def group(folder, limit, used, kept, version):
    folder.mkdir(parents=True, exist_ok=True)
    names = ("memory.max", "memory.current", "inactive_file")
    if version == 1:
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{names[2]} {kept}\n")


@pytest.mark.parametrize("version", [1, 2])
def test_a_control_group_s_limit_counts_whichever_is_least(tmp_path, monkeypatch, version):
    own = tmp_path / "self"
    own.write_text("9:cpu:/x\n4:memory:/a/b\n" if version == 1 else "0::/a/b\n")
    root = tmp_path / "groups" / ("memory" if version == 1 else "")
    monkeypatch.setattr(free, "CGROUPS", tmp_path / "groups")
    monkeypatch.setattr(free, "CGROUPS_OF_THIS", own)
    assert free_memory() == pytest.approx(free.psutil.virtual_memory().available, rel=0.2), (
        "no group is there"
    )
    group(root / "a" / "b", 900_000, 600_000, 100_000, version)
    assert free_memory() == 400_000
    group(root / "a", 500_000, 300_000, 0, version)
    assert free_memory() == 200_000
    group(root, "max" if version == 2 else 2**63 - 4096, 1, 0, version)
    assert free_memory() == 200_000
    group(root / "a", 100, 300_000, 0, version)
    assert free_memory() == 0
    (root / "a" / "memory.stat").write_text("nonsense\n")
    assert free_memory() == 400_000
    own.unlink()
    assert free_memory() > 10**6


def test_rows_are_put_in_order_in_place():
    rng = np.random.default_rng(0)
    for count in (0, 1, 2, 7, 50):
        rows, order = rng.integers(0, 99, (count, 3)), rng.permutation(count)
        expected = rows[order]
        permute(rows, order)
        np.testing.assert_array_equal(rows, expected)
    images = rng.integers(0, 255, (20, 2, 2, 3)).astype(np.uint8)
    groups = [np.array([3, 5, 19]), np.array([], int), np.array([0, 4])]
    expected = [images[numbers] for numbers in groups]
    parts = arranged(images, groups)
    for part, wanted in zip(parts, expected):
        np.testing.assert_array_equal(part, wanted)
        assert not len(part) or np.shares_memory(part, images)


def test_what_was_found_out_is_written_and_read_again():
    import json

    for decoded in (Decoded({}), Decoded({3: "zero bytes"}, None, None, ["x"])):
        again = Decoded.from_dict(json.loads(json.dumps(decoded.to_dict())))
        assert (dict(again.unreadable), again.whole, list(again.remarks)) == (
            dict(decoded.unreadable),
            decoded.whole,
            list(decoded.remarks),
        )


def test_images_of_16_bits_in_a_file_keep_their_range(photos):
    data = quiet(photos, memory=0)
    again = quiet(photos, memory=0)
    assert data.reading.whole == again.reading.whole == (0, 4095)


PEAK = """
import resource, sys
from vgglab.datasets import load
load("blossoms", 32)  # what decoders need once
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
data = load(sys.argv[1], 224, memory=float(sys.argv[2]))
data.describe(), data.odd_pixels, data.clean_slice()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(1024 * (peak - before), sum(part.images.nbytes for part in (data.train, data.validation)))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is told in other units elsewhere")
@pytest.mark.parametrize("memory", [10, 0])
def test_the_most_memory_that_reading_takes_is_little_more_than_what_is_held(tmp_path, memory):
    """300 MB of images in an undivided folder, some of which cannot be read."""
    save(tmp_path / "images" / "a" / "0000.jpg", size=(240, 240))
    content = (tmp_path / "images" / "a" / "0000.jpg").read_bytes()
    (tmp_path / "images" / "b").mkdir()
    for number in range(2000):
        path = tmp_path / "images" / "ab"[number % 2] / f"{number:04}.jpg"
        path.write_bytes(content if number % 100 else b"broken")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PEAK, str(tmp_path / "images"), str(memory)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    taken, held = map(int, done.stdout.split())
    assert held == 1980 * 224 * 224 * 3
    assert taken <= (1.15 * held if memory else 80e6)


class Handle:
    def __init__(self, shown):
        self.shown = shown

    def update(self, bundle, raw):
        self.shown.append(bundle["text/plain"])


@pytest.fixture
def cell(monkeypatch):
    """A notebook's cell, of which it is kept what it shows."""
    from vgglab.panel import cell_line

    shown = []

    def display(bundle, raw, display_id):
        shown.append(bundle["text/plain"])
        return Handle(shown)

    monkeypatch.setattr(cell_line, "display", display)
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    monkeypatch.setattr("vgglab.panel.cell.present_cell", lambda: "1")
    return shown


def test_a_cell_shows_a_reading_that_takes_long_and_one_line_stays(photos, cell, monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        live_load.load(photos, 32)
        assert not cell, "it took no second"
        monkeypatch.setattr("vgglab.panel.cell_line.SOON", 0)
        monkeypatch.setattr("vgglab.panel.cell_line.PAUSE", 0)
        live_load.load(photos, 32)
    assert (
        cell[0] == "Reading the images: 1 of 32."
        and cell[-1] == "32 images were read in 0 s."
        and len(cell) == 33
    )


def test_a_reading_is_shown_in_a_terminal_and_nowhere_else(photos, monkeypatch, capsys):
    import io

    from rich.console import Console

    from vgglab import image_bar

    monkeypatch.setattr(image_bar, "SOON", -1)
    for terminal in (True, False):
        out = io.StringIO()
        console = Console(file=out, force_terminal=terminal, width=80)
        with image_bar.ImageBar(console) as bar:
            quiet(photos, progress=bar.move)
            time.sleep(0.15)
        assert ("Reading the images" in out.getvalue()) == terminal
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        live_load.load(photos, 32)
    assert capsys.readouterr() == ("", "")


def test_a_progress_of_one_s_own_is_the_one_that_is_called(photos, cell):
    calls = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        live_load.load(photos, 32, progress=lambda *given: calls.append(given))
    assert len(calls) == 32 and not cell


def test_the_command_says_where_images_are_before_it_reads_them(photos, monkeypatch, capsys):
    from vgglab.cli import main

    monkeypatch.setenv("VGGLAB_IMAGE_MEMORY", "0")
    monkeypatch.setattr(
        keeping, "decode", lambda *given: print("decoded") or (_ for _ in ()).throw(KeyboardInterrupt)
    )
    assert main(["train", "--data", str(photos), "--image-size", "32"]) == 130
    printed = capsys.readouterr().out
    assert printed.index("they are kept in a file in") < printed.index("decoded")


def test_the_quick_look_at_images_of_a_file_reads_those_that_may_be_copies(photos, monkeypatch):
    from vgglab.doctor.exact import exact_copies
    from vgglab.doctor.pictures import Pictures

    for name in ("a/90.png", "b/91.png"):
        save(photos / "train" / name, (1, 2, 3))
    expected = exact_copies(Pictures(quiet(photos)))
    stored = Pictures(quiet(photos, memory=0))
    monkeypatch.setattr(Pictures, "chunks", lambda self: pytest.fail("reads all images"))
    assert exact_copies(stored) == expected and len(expected) == 1


@pytest.mark.parametrize("place", ["photos", "photos/train"])
def test_paths_are_those_of_the_images(photos, place):
    from vgglab.datasets.reading import read_image

    data = quiet(Path(photos).parent / place, memory=0)
    for split in (data.train, data.validation):
        for path, image in zip(split.paths, split.images):
            assert (read_image(path, data.reading) == image).all()
