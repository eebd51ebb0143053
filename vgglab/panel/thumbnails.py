"""Images of the validation part made small for a page, with what they are and what they are taken for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from vgglab.panel.png import png_uri
from vgglab.predictions import Predictions
from vgglab.stored.stored_rows import Images

SIDE = 64  # pixels, at most


@dataclass(frozen=True)
class Thumbnail:
    """A PNG as a data URI, its alternative text, and what stands under it."""

    source: str
    words: str
    caption: str


def thumbnails(
    images: Images, found: Predictions, names: Sequence[object], chosen: np.ndarray
) -> list[Thumbnail]:
    """Those of `images` that are `chosen`, (n,) places, each with its class and what `found` says of it."""
    return [
        _thumbnail(
            images[place], place, names[found.labels[place]], names[given], found.probabilities[place, given]
        )
        for place, given in zip(chosen, found.predicted[chosen])
    ]


def _thumbnail(image: np.ndarray, place: int, true: object, given: object, share: float) -> Thumbnail:
    wrong, sure = true != given, f"{100 * share:.0f}\N{NO-BREAK SPACE}%"
    return Thumbnail(
        png_uri(image, SIDE, Image.Resampling.BILINEAR),
        f"Image {place}: {true}, {f'taken for {given}' if wrong else 'recognised'}, {sure} sure",
        f"{f'{true} → {given}' if wrong else true} {sure}",
    )
