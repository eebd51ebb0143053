"""What the header of a file says of its image, which reading makes all alike: size and format."""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image

from vgglab.datasets.reading import FORMATS

_ORIENTATION = 0x0112  # the EXIF tag; from 5 on the sides change places


@dataclass(frozen=True)
class FileFacts:
    """Of every image, (n,) each: width and height in pixels, upright, and the format; NaN and "" without a file."""

    width: np.ndarray
    height: np.ndarray
    format: np.ndarray

    @property
    def short(self) -> np.ndarray:
        """The shorter side."""
        return np.minimum(self.width, self.height)

    @property
    def long(self) -> np.ndarray:
        """The longer side."""
        return np.maximum(self.width, self.height)


def facts_of(paths: np.ndarray) -> FileFacts:
    """Read the headers of these files, object array (n,) of str or None; the pixels stay unread."""
    with ThreadPoolExecutor(min(8, 2 * (os.cpu_count() or 1))) as pool:
        facts = list(pool.map(_facts, paths))
    width, height, form = zip(*facts) if facts else ((), (), ())
    return FileFacts(np.array(width, float), np.array(height, float), np.array(form, dtype=object))


def _facts(path: str | None) -> tuple[float, float, str]:
    if path is None:
        return np.nan, np.nan, ""
    try:
        with warnings.catch_warnings(), Image.open(path, formats=FORMATS) as image:
            width, height = image.size
            if image.getexif().get(_ORIENTATION, 1) >= 5:
                width, height = height, width
            return width, height, image.format or ""
    # A file that has gone, or changed, since it was read; Pillow raises many kinds of error.
    except Exception:
        return np.nan, np.nan, ""
