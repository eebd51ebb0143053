"""What becomes of an image file; Pillow writes the files, and what is in them is known."""

import errno
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from test_folder import RED, save
from vgglab.datasets import load
from vgglab.datasets.depth import Range
from vgglab.datasets.reading import Reading, Unreadable, read_image
from vgglab.errors import InputError


@pytest.mark.parametrize("suffix", ["png", "jpg", "JPEG", "gif", "bmp", "webp"])
@pytest.mark.parametrize("size", [(60, 40), (40, 90), (3, 200)])
def test_every_format_and_shape(tmp_path, suffix, size):
    image = read_image(save(tmp_path / f"x.{suffix}", RED, size), Reading(32))
    assert image.shape == (32, 32, 3) and image.dtype == np.uint8
    assert np.abs(image.astype(int) - RED).max() <= 12  # lossy formats


@pytest.mark.parametrize(
    ("mode", "suffix", "within"),
    [
        ("L", "png", None),
        ("P", "png", 20),
        ("CMYK", "jpg", 12),
        ("RGBA", "png", 0),
        ("1", "png", None),
        ("LA", "png", None),
    ],
)
def test_every_mode(tmp_path, mode, suffix, within):
    image = read_image(save(tmp_path / f"x.{suffix}", RED, mode=mode), Reading(32))
    assert image.shape == (32, 32, 3)
    if within is not None:
        assert np.abs(image.astype(int) - RED).max() <= within


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (64, 1))
    Image.fromarray(ramp).save(tmp_path / "x.png")
    row = read_image(tmp_path / "x.png", Reading(64))[10, :, 0]
    np.testing.assert_allclose(row, np.linspace(0, 255, 64), atol=1)


def test_transparency_is_laid_on_white(tmp_path):
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(tmp_path / "x.png")
    assert read_image(tmp_path / "x.png", Reading(32)).min() == 255


def test_photographs_are_turned_upright(tmp_path):
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:20] = 255  # bright above
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter to the right: bright on the right
    Image.fromarray(pixels).save(tmp_path / "x.jpg", exif=exif)
    image = read_image(tmp_path / "x.jpg", Reading(32))
    assert image[:, 24:].mean() > 240 and image[:, :8].mean() < 15


def test_the_centre_is_cropped(tmp_path):
    pixels = np.zeros((32, 96, 3), np.uint8)
    pixels[:, 32:64] = 255
    Image.fromarray(pixels).save(tmp_path / "x.png")
    assert read_image(tmp_path / "x.png", Reading(32))[:, 2:-2].min() > 250


def grey(path, values, dtype, **options):
    """A file of 40 x 40 pixels of more than 8 bits, the values from left to right."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.tile(np.repeat(values, 40 // len(values)).astype(dtype), (40, 1))).save(
        path, **options
    )
    return path


@pytest.mark.parametrize(
    ("values", "dtype", "white"),
    [
        ([0, 65535], np.uint16, 65535),
        ([100, 40000], np.uint16, 65535),
        ([0, 16383], np.uint16, 16383),
        ([16, 4095], np.uint16, 4095),
        ([0, 2048], np.uint16, 4095),
        ([5, 1000], np.uint16, 1023),
        ([0, 255], np.uint16, 255),
        ([0, 1], np.uint16, 1),
        ([0, 255], np.int32, 255),
        ([0, 70000], np.int32, 70000),
        ([0, 1], np.float32, 1),
        ([0, 0.25], np.float32, 1),
        ([0, 255], np.float32, 255),
        ([0, 0], np.float32, 1),
    ],
)
def test_more_than_8_bits_are_scaled_by_the_range_that_holds_them(tmp_path, values, dtype, white):
    # Pillow writes 32 bits as TIFF alone; what a file holds is not judged by its name.
    path = grey(tmp_path / "x.png", values, dtype, format="PNG" if dtype is np.uint16 else "TIFF")
    row = read_image(path, Reading(40))[20, [5, 35], 0]
    np.testing.assert_allclose(row, 255 * np.array(values) / white, atol=0.51)


def test_negative_values_are_the_black_end(tmp_path):
    path = grey(tmp_path / "x.png", [-1000, 500, 3000, 0], np.int32, format="TIFF")
    np.testing.assert_allclose(
        read_image(path, Reading(40))[20, [5, 15, 25, 35], 0], [0, 255 * 1500 / 4000, 255, 63.75], atol=0.51
    )


def test_what_is_not_a_number_is_black(tmp_path):
    path = grey(tmp_path / "x.png", [np.nan, 0.5], np.float32, format="TIFF")
    assert read_image(path, Reading(40))[20, [5, 35], 0].tolist() == [0, 128]


def test_a_data_set_has_one_range_so_that_dark_images_stay_darker(tmp_path):
    for number in range(5):
        grey(tmp_path / "dark" / f"{number}.png", [100, 200], np.uint16)
        grey(tmp_path / "bright" / f"{number}.png", [2000, 4000], np.uint16)
    with pytest.warns(
        UserWarning, match="10 images have more than 8 bits a pixel, whole numbers from 100 to 4000"
    ):
        data = load(tmp_path, 40)
    for split in (data.train, data.validation):
        for label, values in enumerate(([2000, 4000], [100, 200])):
            rows = split.images[split.labels == label][:, 20, [5, 35], 0]
            np.testing.assert_allclose(
                rows, np.tile(255 * np.array(values) / 4095, (len(rows), 1)), atol=0.51
            )


def test_full_16_bits_need_no_remark(tmp_path, recwarn):
    for name in "ab":
        for number in range(5):
            grey(tmp_path / name / f"{number}.png", [0, 60000], np.uint16)
    assert load(tmp_path, 32).train.images.max() == round(60000 / 257) and not recwarn


def test_what_an_image_is_decoded_by_is_in_this_process(tmp_path, monkeypatch):
    """PostScript under the name of a photograph, which Pillow would hand to Ghostscript."""
    path = tmp_path / "x.jpg"
    Image.new("RGB", (8, 8), RED).save(path, format="EPS")
    for name in ("run", "call", "check_call", "check_output", "Popen"):
        monkeypatch.setattr(f"subprocess.{name}", lambda *rest, **options: pytest.fail("started a program"))
    with pytest.raises(Unreadable, match="not an image of a format that is read"):
        read_image(path, Reading(32))


@pytest.mark.parametrize(
    "error",
    [MemoryError(), OSError(errno.ENOMEM, "Cannot allocate memory"), OSError(errno.EMFILE, "Too many")],
)
def test_what_the_machine_lacks_is_no_fault_of_the_file(tmp_path, monkeypatch, error):
    for number in range(4):
        save(tmp_path / "a" / f"{number}.png"), save(tmp_path / "b" / f"{number}.png")

    def fail(*rest, **options):
        raise error

    monkeypatch.setattr("vgglab.datasets.reading.ImageOps.fit", fail)
    with pytest.raises(InputError, match="memory of this machine was not|cannot be read: ") as caught:
        load(tmp_path, 32)
    assert "Readable: 0" not in str(caught.value)


@pytest.fixture
def little_memory(monkeypatch):
    """Four threads, and memory for 500 x 500 pixels of RGB."""
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    monkeypatch.setattr("vgglab.datasets.decoding.MEMORY", 4 * 500 * 500)


def test_what_takes_more_than_a_thread_s_share_is_decoded_alone(tmp_path, little_memory, monkeypatch):
    """A quarter of the memory holds 250 x 250 pixels."""
    for name in "ab":
        for number in range(8):
            side = (250, 251, 500)[number % 3]
            save(tmp_path / name / f"{number}.png", (20 * number, "ab".index(name), 0), size=(side, side))
    now, seen, lock = [], [], threading.Lock()
    fit = ImageOps.fit

    def watched(image, *rest):
        with lock:
            now.append(image.size)
            seen.append(list(now))
        time.sleep(0.005)
        with lock:
            now.remove(image.size)
        return fit(image, *rest)

    monkeypatch.setattr("vgglab.datasets.reading.ImageOps.fit", watched)
    data = load(tmp_path, 32)
    assert len(seen) == 16 and max(len(sizes) for sizes in seen) <= 4
    assert all(len(sizes) == 1 for sizes in seen if max(sizes) > (250, 250))
    pictures = np.concatenate([data.train.images, data.validation.images])[:, 0, 0]
    labels = np.concatenate([data.train.labels, data.validation.labels])
    assert (pictures[:, 1] == labels).all() and sorted(pictures[:, 0]) == sorted(2 * list(range(0, 160, 20)))


def test_an_image_that_is_too_large_alone_is_listed_with_the_reason(tmp_path, little_memory):
    for name in "ab":
        for number in range(3):
            save(tmp_path / name / f"{number}.png", size=(500, 500))
    save(tmp_path / "a" / "large.png", size=(501, 500))
    save(tmp_path / "a" / "clear.png", size=(400, 400), mode="RGBA")
    with pytest.warns(UserWarning, match="Left out 2 files"):
        data = load(tmp_path, 32)
    assert len(data.train) + len(data.validation) == 6
    reasons = dict(data.skipped)
    assert set(reasons) == {f"{tmp_path}/a/large.png", f"{tmp_path}/a/clear.png"}
    assert set(reasons.values()) == {"too large: to decode it takes more than 1.1 GB"}


MEASURE = """
import sys
from pathlib import Path
from vgglab.datasets import decoding as loader
from vgglab.datasets.folder import read_folder
from vgglab.datasets.reading import Reading
folder = Path(sys.argv[1])
loader.MEMORY = int(sys.argv[2])
read_folder(folder / "small", Reading(32), 0)  # what decoders need once
Path("/proc/self/clear_refs").write_text("5")
figure = lambda name: 1024 * int(Path("/proc/self/status").read_text().split(name)[1].split()[0])
before = figure("VmRSS:")
read_folder(folder / "large", Reading(32), 0)
print(figure("VmHWM:") - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak is measured by Linux")
@pytest.mark.parametrize(
    ("mode", "suffix", "options"),
    [
        ("RGB", "png", {}),
        ("RGB", "png", dict(transparency=(1, 2, 3))),
        ("RGBA", "png", {}),
        ("LA", "png", {}),
        ("P", "png", dict(transparency=3)),
        ("I;16", "png", {}),
        ("CMYK", "jpg", {}),
        ("RGB", "jpg", dict(progressive=True, subsampling=0)),
        ("RGB", "webp", {}),
        ("RGB", "bmp", {}),
        ("RGB", "tif", dict(compression="tiff_lzw")),
        ("RGBA", "tif", {}),
        ("RGB", "avif", {}),
        ("RGB", "heic", {}),
    ],
)
def test_the_memory_that_decoding_takes_is_within_the_budget(tmp_path, mode, suffix, options):
    """What Linux counts for eight threads; the budget holds one of the images, but not two."""
    if suffix == "heic":
        pytest.importorskip("pillow_heif").register_heif_opener()
    for size, folder in ((2000, "large"), (40, "small")):
        for number in range(4):
            for name in "ab":
                path = tmp_path / folder / name / f"{number}.{suffix}"
                if mode == "I;16":
                    path.parent.mkdir(parents=True, exist_ok=True)
                    Image.fromarray(np.full((size, size), 60000, np.uint16)).save(path)
                else:
                    save(path, size=(size, size), mode=mode, **options)
    budget = 20 * 2000 * 2000
    code = f"import os\nos.cpu_count = lambda: 8\n{MEASURE}"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(tmp_path), str(budget)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 1.2 * budget


@pytest.mark.parametrize("mode", ["RGB", "I;16"])
def test_a_photograph_becomes_square_in_the_way_that_is_asked_for(tmp_path, mode):
    # 80 x 40 in three stripes: dark at the left, bright in the middle half, dark at the right.
    grey = np.full((40, 80), 60, np.uint8)
    grey[:, 20:60] = 200
    image = (
        Image.fromarray(grey).convert("RGB")
        if mode == "RGB"
        else Image.fromarray(grey.astype(np.uint16) * 257)
    )
    image.save(tmp_path / "x.png")
    row, column = (slice(None), 20, 0), (20, slice(None), 0)
    crop, pad, squash = (
        read_image(tmp_path / "x.png", Reading(40, fit)) for fit in ("crop", "pad", "squash")
    )
    assert (crop == 200).all(), "the middle square"
    assert (squash[column][[0, 5, 20, 34, 39]] == [60, 60, 200, 200 - 140, 60]).all()
    assert (pad[row][[0, 9, 10, 29, 30, 39]] == [0, 0, 200, 200, 0, 0]).all(), "black above and below"
    assert pad[20, 0, 0] == 60 and pad[20, 39, 0] == 60


@pytest.mark.parametrize("size", [(1, 500), (500, 1), (1, 1), (3, 32), (33, 32)])
@pytest.mark.parametrize("fit", ["crop", "pad", "squash"])
def test_every_shape_becomes_square(tmp_path, size, fit):
    Image.new("RGB", size, "red").save(tmp_path / "x.png")
    image = read_image(tmp_path / "x.png", Reading(32, fit))
    assert image.shape == (32, 32, 3) and (image[..., 0].max(), image[..., 1].max()) == (255, 0)


def test_a_reading_is_written_and_read_again():
    reading = Reading(96, "pad", whole=Range(0, 4095), fractions=Range(-1.5, 2.25))
    assert Reading.from_dict(json.loads(json.dumps(reading.to_dict()))) == reading
    assert Reading.from_dict(Reading(32).to_dict()) == Reading(32)


def test_a_data_set_knows_each_file_and_how_it_was_read(tmp_path):
    for name in ("a", "b"):
        for number in range(3):
            save(tmp_path / name / f"{number}.png", RED, (8 + number, 8))
    data = load(tmp_path, 32, fit="squash")
    assert data.reading == Reading(32, "squash")
    files = [*data.train.paths, *data.validation.paths]
    assert sorted(files) == sorted(str(tmp_path / name / f"{n}.png") for name in "ab" for n in range(3))
    for split in (data.train, data.validation):
        for path, label, image in zip(split.paths, split.labels, split.images):
            assert Path(path).parent.name == data.class_names[label]
            assert (read_image(path, data.reading) == image).all()
    assert list(data.train.part(np.array([1, 0])).paths) == [data.train.paths[1], data.train.paths[0]]


def noise(size=(48, 40)):
    """A picture without fine detail, which no format changes much."""
    small = np.random.default_rng(0).integers(0, 255, (4, 5, 3), np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    ("suffix", "options", "within"),
    [
        ("tif", {}, 0),
        ("TIFF", dict(compression="tiff_lzw"), 0),
        ("tiff", dict(compression="jpeg", quality=95), 25),
        ("avif", dict(quality=95), 25),
        ("heic", dict(quality=95), 25),
        ("heif", dict(quality=95), 25),
    ],
)
def test_photographs_of_cameras_and_scanners_are_read(tmp_path, suffix, options, within):
    if suffix in ("heic", "heif"):
        pytest.importorskip("pillow_heif").register_heif_opener()
    path = tmp_path / f"x.{suffix}"
    noise().save(path, **options)
    image = read_image(path, Reading(32)).astype(int)
    expected = np.asarray(ImageOps.fit(noise(), (32, 32), Image.Resampling.BILINEAR), int)
    assert image.shape == (32, 32, 3) and np.abs(image - expected).max() <= within


@pytest.mark.parametrize("suffix", ["avif", "heic"])
def test_what_a_file_holds_is_not_judged_by_its_name(tmp_path, suffix):
    if suffix == "heic":
        pytest.importorskip("pillow_heif").register_heif_opener()
    noise().save(tmp_path / f"x.{suffix}")
    (tmp_path / f"x.{suffix}").rename(tmp_path / "x.jpg")
    assert read_image(tmp_path / "x.jpg", Reading(32)).shape == (32, 32, 3)


def test_the_first_page_of_a_document_is_read(tmp_path):
    pages = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue", "lime")]
    pages[0].save(tmp_path / "x.tif", save_all=True, append_images=pages[1:])
    assert (read_image(tmp_path / "x.tif", Reading(32)) == (255, 0, 0)).all()


BROKEN = {
    "HEIC of nothing": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "AVIF of nothing": b"\0\0\0\x18ftypavif\0\0\0\0mif1avif",
    "a video": b"\0\0\0\x18ftypisom\0\0\2\0isomiso2",
    "TIFF without a page": b"II*\0\x08\0\0\0\0\0",
    "TIFF that points behind its end": b"II*\0\xff\xff\xff\x7f",
    "TIFF that points to itself": b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
    "a TIFF's first bytes": b"MM\0*",
    "a PDF": b"%PDF-1.7\n",
    "text": b"no image",
    "a pointer": b"version https://git-lfs.github.com/spec/v1\n",
}


@pytest.mark.parametrize("suffix", ["tif", "avif", "heic", "jpg"])
@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_what_is_broken_has_a_reason(tmp_path, content, suffix):
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(content)
    with pytest.raises(Unreadable) as caught:
        read_image(path, Reading(32))
    assert str(caught.value) and "0x" not in str(caught.value) and str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("kind", ["avif", "heic"])
def test_a_photograph_that_pillow_cannot_decode_says_what_to_install(tmp_path, monkeypatch, kind):
    from vgglab.datasets import reading

    if kind == "heic":
        pytest.importorskip("pillow_heif").register_heif_opener()
    for name in "ab":
        for number in range(3):
            save(tmp_path / name / f"{number}.png")
    noise().save(tmp_path / "a" / f"x.{kind}")
    monkeypatch.setattr(reading, "_can_decode", lambda kind: False)
    with pytest.warns(UserWarning, match="Left out 1 file"):
        data = load(tmp_path, 32)
    [(path, reason)] = data.skipped
    assert "pip install" in reason and path.endswith(f"x.{kind}")


def test_no_plugin_is_imported_for_other_images(tmp_path):
    save(tmp_path / "x.jpg")
    code = (
        "import sys; from vgglab.datasets.reading import *; read_image(sys.argv[1], Reading(32)); "
        "sys.exit('pillow_heif' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "x.jpg")], check=True)


def test_a_decoder_that_is_out_of_memory_is_no_fault_of_the_file(tmp_path, monkeypatch):
    for number in range(4):
        save(tmp_path / "a" / f"{number}.png"), save(tmp_path / "b" / f"{number}.png")

    def fail(*given):
        raise OSError("out of memory error when reading image file")  # as Pillow words it

    monkeypatch.setattr("vgglab.datasets.reading.ImageOps.fit", fail)
    with pytest.raises(InputError, match="The memory of this machine was not enough to read .*`image_size`"):
        load(tmp_path, 32)
