"""One reader for image files of any format, mode, orientation and shape, which never takes more than its memory."""

from __future__ import annotations

import errno
import functools
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from PIL import Image, ImageOps, features

from vgglab.datasets.depth import Deep, Range, common_range, to_bytes
from vgglab.files import why_not

# What a file may hold, whatever its name says. All are decoded by Pillow itself; others, such as EPS, would be handed
# to a program of this machine.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
# Behind the first four bytes of a file of these kinds: which of them it is, and what decodes it.
_BRANDS = {
    **dict.fromkeys((b"ftypavif", b"ftypavis"), "AVIF"),
    **dict.fromkeys((b"ftypheic", b"ftypheix", b"ftypheim", b"ftypheis", b"ftypmif1", b"ftypmsf1"), "HEIF"),
}
_COPIES = {"WEBP": 3, "AVIF": 3, "HEIF": 3, "TIFF": 1, "GIF": 1}  # that their decoders make beside the image
_MISSING = dict(
    AVIF="AVIF, which this Pillow cannot decode: version 11.3 or later can (`pip install --upgrade pillow`)",
    HEIF="HEIC, which needs `pip install pillow-heif`",
)
MEMORY = 2**30  # bytes that all images which are decoded at one time may take together
LFS_POINTER = b"version https://git-lfs"
# Not the file's fault, so that leaving it out would be wrong: no memory, or too many files open.
_OF_THE_MACHINE = (errno.ENOMEM, errno.EMFILE, errno.ENFILE)


class Unreadable(Exception):
    """A file that cannot be read as an image; the text is the reason, the same for all files that share it."""


class TooLarge(Unreadable):
    """An image that takes more memory than it may."""


@dataclass(frozen=True)
class Reading:
    """How files become images, the same for all of a data set and for what a network trained on it is asked later.

    `image_size` in pixels a side. `fit`: "crop", the short side resized and the centre kept; "pad", the long side
    resized and the rest black; "squash", both sides resized. `whole` and `fractions` are what was made black and
    white in images of more than 8 bits a pixel that hold whole numbers or others; None where none was met.
    """

    image_size: int
    fit: str = "crop"
    whole: Range | None = None
    fractions: Range | None = None

    def range_of(self, image: Deep) -> Range:
        """The range of images like this one; its own, as `depth.common_range` says, where none was met before."""
        return (self.whole if image.whole else self.fractions) or common_range([image])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            name: list(value) if isinstance(value, Range) else value for name, value in vars(self).items()
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Reading:
        """What `to_dict` returned; TypeError or ValueError for what it did not."""
        ranges = {name: Range(*map(float, plain[name])) for name in ("whole", "fractions") if plain.get(name)}
        return cls(int(plain["image_size"]), str(plain["fit"]), **ranges)


def read_image(path: str | os.PathLike, reading: Reading) -> np.ndarray:
    """One image file as RGB: uint8, shape (image_size, image_size, 3).

    Turned upright as its EXIF says, transparency laid on white, the first frame of an animation; made square as
    `reading` says. Raises `Unreadable`.
    """
    image = read(Path(path), reading)
    return to_bytes(image, reading.range_of(image)) if isinstance(image, Deep) else image


def read(path: Path, reading: Reading, memory: int = MEMORY) -> np.ndarray | Deep:
    """What `read_image` gives, but grey of more than 8 bits as it is, for all of a data set to be scaled alike.

    `TooLarge` where more than `memory` bytes would be needed.
    """
    try:
        return _read(path, reading, memory)
    except (MemoryError, Unreadable):
        raise
    # Pillow's decoders raise many kinds of error for broken files.
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _OF_THE_MACHINE:
            raise
        if "out of memory" in str(error):  # as some decoders say it
            raise MemoryError from None
        raise Unreadable(_reason(error)) from None


def _read(path: Path, reading: Reading, memory: int) -> np.ndarray | Deep:
    if path.stat().st_size == 0:
        raise Unreadable("zero bytes")
    size = (reading.image_size, reading.image_size)
    with _opened(path) as image:
        # A progressive JPEG is held whole in 16 bits a colour before any of it is made small.
        needed = 6 * image.width * image.height if "progressive" in image.info else 0
        if image.mode != "CMYK":
            # A JPEG decoder can halve large photographs as it reads; never below what is wanted.
            image.draft("RGB", size)
        needed += _bytes_to_decode(image)
        if needed > memory:
            raise TooLarge(f"too large: to decode it takes more than {MEMORY / 1e9:.1f} GB")
        ImageOps.exif_transpose(image, in_place=True)
        if image.mode.startswith(("I", "F")):
            return _deep(image, reading)
        return _square(_rgb(image), reading, black=0)


def _opened(path: Path) -> Image.Image:
    """An image file, its pixels not decoded yet; of what is no image, `Unreadable` says what it is."""
    try:
        return Image.open(path, formats=FORMATS)
    except Image.UnidentifiedImageError:
        with path.open("rb") as file:
            start = file.read(len(LFS_POINTER))
    kind = _BRANDS.get(start[4:12])
    if kind is not None:
        if not _can_decode(kind):
            _refuse(_MISSING[kind])
        try:
            return Image.open(path, formats=[kind])
        except Image.UnidentifiedImageError:
            _refuse(f"a broken {kind} image")
    if start == LFS_POINTER:
        _refuse("not an image but a Git LFS pointer to it, which `git lfs pull` replaces by the image")
    return _refuse("not an image of a format that is read")


def _refuse(reason: str) -> NoReturn:
    raise Unreadable(reason)


@functools.cache
def _can_decode(kind: str) -> bool:
    """Whether Pillow decodes AVIF, which it may have been built without, or HEIF, for which a plugin is registered."""
    if kind == "AVIF":
        Image.init()
        return kind in Image.OPEN and bool(features.check("avif"))
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener(thumbnails=False)
    return True


def _bytes_to_decode(image: Image.Image) -> int:
    """How many bytes an image takes while it is decoded, turned upright and converted, at most: 4 a pixel and copy."""
    copies = 1 + _COPIES.get(image.format or "", 0) + ("exif" in image.info)
    if image.has_transparency_data:
        copies += 2 + (image.mode != "RGBA")
    elif image.mode.startswith(("I", "F")):
        copies += 3
    else:
        copies += image.mode != "RGB"
    return 4 * copies * image.width * image.height


def _deep(image: Image.Image, reading: Reading) -> Deep:
    values = np.nan_to_num(np.asarray(image, np.float32))
    small = _square(Image.fromarray(values), reading, black=-np.inf)  # below every range that is met
    return Deep(small, float(values.min()), float(values.max()), not image.mode.startswith("F"))


def _square(image: Image.Image, reading: Reading, black: float) -> np.ndarray:
    """The image made square and of the size that is wanted."""
    size, how = reading.image_size, Image.Resampling.BILINEAR
    if reading.fit == "crop":
        return np.asarray(ImageOps.fit(image, (size, size), how))
    if reading.fit == "squash":
        return np.asarray(image.resize((size, size), how))
    longest = max(image.size)
    width, height = (max(1, round(size * side / longest)) for side in image.size)
    small = np.asarray(image.resize((width, height), how))
    square = np.full((size, size, *small.shape[2:]), black, small.dtype)
    left, top = (size - width) // 2, (size - height) // 2
    square[top : top + height, left : left + width] = small
    return square


def _rgb(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        layer = image if image.mode == "RGBA" else image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return image if image.mode == "RGB" else image.convert("RGB")


def _reason(error: Exception) -> str:
    """The error in words that are the same for all files that it happens to: without numbers in parentheses."""
    text = why_not(error) if isinstance(error, OSError) else str(error)
    return re.sub(r" ?\(.*?\)", "", text).rstrip(". ") or type(error).__name__
