"""Images that show little or nothing: blank, dark, blurred, tiny and odd-shaped ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vgglab.doctor.facts import FileFacts
from vgglab.doctor.findings import Finding
from vgglab.doctor.pictures import Pictures
from vgglab.doctor.resample import gauss

BLANK = 3.0  # grey values that a blank image spreads over, as a standard deviation
DARK_BLANK = 0.5  # the same of a dark one
DARK = 40  # grey values of 255 that nearly all pixels of a dark image are below
FEW = 0.1  # of all images; where more are dark or long, that is how the set is
LONG = 2.5  # times as long as wide, at least, and
LONGER = 1.6  # times as long as half of the set
BLURRED = 0.12  # of the contrast lies in details, at most, and
LESS_DETAIL = 4.0  # robust standard deviations less than in half of the set


@dataclass(frozen=True)
class Tones:
    """Of every image, (n,) each: the mean and spread of its grey values, how bright its brightest parts are, the
    share of contrast in details, and its mean colour, (n, 3)."""

    brightness: np.ndarray
    contrast: np.ndarray
    brightest: np.ndarray
    detail: np.ndarray
    colour: np.ndarray


def tones_of(pictures: Pictures) -> Tones:
    """The tones of all images, read once, some at a time."""
    n = len(pictures)
    colour = np.empty((n, 3), np.float32)
    for numbers, images in pictures.chunks():
        colour[numbers] = images.mean(axis=(1, 2))
    brightness, contrast, brightest, detail = (np.empty(n, np.float32) for _ in range(4))
    blur = gauss(pictures.grey.shape[1], 1 / 40)
    for start in range(0, n, 1024):
        grey = pictures.grey[start : start + 1024].astype(np.float32)
        some = slice(start, start + len(grey))
        brightness[some], contrast[some] = grey.mean(axis=(1, 2)), grey.std(axis=(1, 2))
        brightest[some] = np.percentile(grey.reshape(len(grey), -1), 98, axis=1)
        detail[some] = (grey - blur @ grey @ blur.T).std(axis=(1, 2)) / np.maximum(contrast[some], 1e-3)
    return Tones(brightness, contrast, brightest, detail, colour)


def blank(tones: Tones) -> np.ndarray:
    """Numbers of the images that are of one tone."""
    # Of a dark image a little is left to be seen.
    return np.flatnonzero(
        (tones.contrast < BLANK) & ((tones.brightest >= DARK) | (tones.contrast < DARK_BLANK))
    )


def findings_of_images(pictures: Pictures, tones: Tones, facts: FileFacts) -> list[Finding]:
    """What is found of single images; one that is blank is not told of as dark or blurred again."""
    nothing = blank(tones)
    is_blank = np.isin(np.arange(len(pictures)), nothing)
    dark = _if_few(np.flatnonzero((tones.brightest < DARK) & ~is_blank), pictures)
    blurred = _if_few(np.flatnonzero(_is_blurred(tones) & ~is_blank & (tones.brightest >= DARK)), pictures)
    size = pictures.data.image_size
    tiny = np.flatnonzero(facts.short < size / 2)
    long = _if_few(np.flatnonzero(_is_long(facts)), pictures)
    return [
        *_finding(
            pictures,
            "blank images",
            nothing,
            "of one tone all over",
            lambda i: f"mean {tones.brightness[i]:.0f} of 255",
        ),
        *_finding(
            pictures, "dark images", dark, "nearly black", lambda i: f"mean {tones.brightness[i]:.0f} of 255"
        ),
        *_finding(pictures, "blurred images", blurred, "without details", lambda i: "no edges"),
        *_finding(
            pictures,
            "tiny images",
            tiny,
            f"less than half as large as they are read, {size} pixels a side",
            lambda i: f"{facts.width[i]:.0f} × {facts.height[i]:.0f} pixels",
        ),
        *_finding(
            pictures,
            "odd shapes",
            long,
            "much longer than wide, or wider than long",
            lambda i: f"{facts.width[i]:.0f} × {facts.height[i]:.0f} pixels",
        ),
    ]


def _if_few(found: np.ndarray, pictures: Pictures) -> np.ndarray:
    return found if len(found) <= max(1, FEW * len(pictures)) else found[:0]


def _is_blurred(tones: Tones) -> np.ndarray:
    log = np.log(np.maximum(tones.detail, 1e-6))
    middle = np.median(log)
    spread = 1.4826 * np.median(np.abs(log - middle))
    return (tones.detail < BLURRED) & (log < middle - LESS_DETAIL * max(spread, 0.1))


def _is_long(facts: FileFacts) -> np.ndarray:
    shape = facts.long / facts.short  # NaN where no file is known, which is not above anything
    known = shape[np.isfinite(shape)]
    return shape > max(LONG, LONGER * float(np.median(known))) if len(known) else np.zeros(len(shape), bool)


def _finding(
    pictures: Pictures, kind: str, found: np.ndarray, what: str, note: Callable[[int], str]
) -> list[Finding]:
    if not len(found):
        return []
    sentence = f"{len(found):,} image{' is' if len(found) == 1 else 's are'} {what}."
    reasons = {int(each): f"{kind}: {note(each)}" for each in found}
    exclude = {each: why for each, why in reasons.items() if pictures.in_train(each)}
    look = {each: why for each, why in reasons.items() if not pictures.in_train(each)}
    notes = tuple(note(int(each)) for each in found)
    return [Finding(kind, sentence, tuple((int(each),) for each in found), notes, exclude, look)]
