"""A picture for a page, within its text."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image


def png_uri(pixels: np.ndarray, largest: int, resampling: Image.Resampling) -> str:
    """Pixels (height, width, 3), uint8, as a PNG in a data URI, made smaller where a side is above `largest`."""
    picture, file = Image.fromarray(pixels), io.BytesIO()
    picture.thumbnail((largest, largest), resampling)
    picture.save(file, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
