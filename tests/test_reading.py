"""What becomes of an image file; Pillow writes the files, and what is in them is known."""

import numpy as np
import pytest
from PIL import Image

from test_folder import RED, save
from vgglab.datasets.reading import read_image


@pytest.mark.parametrize("suffix", ["png", "jpg", "JPEG", "gif", "bmp", "webp"])
@pytest.mark.parametrize("size", [(60, 40), (40, 90), (3, 200)])
def test_every_format_and_shape(tmp_path, suffix, size):
    image = read_image(save(tmp_path / f"x.{suffix}", RED, size), 32)
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
    image = read_image(save(tmp_path / f"x.{suffix}", RED, mode=mode), 32)
    assert image.shape == (32, 32, 3)
    if within is not None:
        assert np.abs(image.astype(int) - RED).max() <= within


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (64, 1))
    Image.fromarray(ramp).save(tmp_path / "x.png")
    row = read_image(tmp_path / "x.png", 64)[10, :, 0]
    np.testing.assert_allclose(row, np.linspace(0, 255, 64), atol=1)


def test_transparency_is_laid_on_white(tmp_path):
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(tmp_path / "x.png")
    assert read_image(tmp_path / "x.png", 32).min() == 255


def test_photographs_are_turned_upright(tmp_path):
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:20] = 255  # bright above
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter to the right: bright on the right
    Image.fromarray(pixels).save(tmp_path / "x.jpg", exif=exif)
    image = read_image(tmp_path / "x.jpg", 32)
    assert image[:, 24:].mean() > 240 and image[:, :8].mean() < 15


def test_the_centre_is_cropped(tmp_path):
    pixels = np.zeros((32, 96, 3), np.uint8)
    pixels[:, 32:64] = 255
    Image.fromarray(pixels).save(tmp_path / "x.png")
    assert read_image(tmp_path / "x.png", 32)[:, 2:-2].min() > 250
