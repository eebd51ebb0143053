"""Shortcuts: a number or a format that has nothing to do with what is shown, and yet tells the classes apart."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from vgglab.doctor.facts import FileFacts
from vgglab.doctor.findings import Finding
from vgglab.doctor.images import Tones
from vgglab.doctor.pictures import Pictures

FOLDS, BINS = 5, 24
LEAST_A_CLASS = 10  # images, for such an accuracy to say something
# Of the way from chance to always right, at least: a file's size should say nothing, a tone may belong to the thing.
OF_FILES, OF_TONES = 0.1, 0.35


@dataclass(frozen=True)
class Told:
    """How often one number tells the class: the mean of the classes' shares, its interval, and chance."""

    accuracy: float
    low: float
    high: float
    chance: float

    def is_above(self, least: float) -> bool:
        """Whether even the lower end is so far on the way from chance to always right."""
        return (self.low - self.chance) / (1 - self.chance) >= least


def told_by(values: np.ndarray, labels: np.ndarray, classes: int) -> Told | None:
    """How well one value, a number or a word, tells the class of an image that the rule was not made from.

    `values` and `labels` (n,). The values are cut into bins with as many images each; a bin stands for the class that
    has the largest share of its own images there. Five folds; all classes count alike, so chance is one in their
    number. None where a class has too few images, or nothing differs.
    """
    counts = np.bincount(labels, minlength=classes)
    bins = _binned(values)
    if counts.min() < LEAST_A_CLASS or bins.max() == 0:
        return None
    fold = _folds(labels)
    right = np.zeros(len(labels), bool)
    for asked in range(FOLDS):
        table = np.full((bins.max() + 1, classes), 1e-9)
        shown = fold != asked
        np.add.at(table, (bins[shown], labels[shown]), 1)
        rule = (table / np.maximum(1, np.bincount(labels[shown], minlength=classes))).argmax(axis=1)
        right[~shown] = rule[bins[~shown]] == labels[~shown]
    # A share of n images, with two of each outcome more, as of Agresti & Coull 1998: none has a width of 0.
    hits = np.bincount(labels, right, minlength=classes)
    shares = (hits + 2) / (counts + 4)
    reach = (
        NormalDist().inv_cdf(0.975) * float(np.sqrt((shares * (1 - shares) / (counts + 4)).sum())) / classes
    )
    accuracy = float((hits / counts).mean())
    return Told(accuracy, max(0.0, accuracy - reach), min(1.0, accuracy + reach), 1 / classes)


def _binned(values: np.ndarray) -> np.ndarray:
    """The number of each value's bin; words and few different numbers each have a bin of their own."""
    distinct, which = np.unique(values, return_inverse=True)
    if values.dtype == object or len(distinct) <= BINS:
        return which
    edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(edges, values, side="right")


def _folds(labels: np.ndarray) -> np.ndarray:
    """The fold of each image, each class dealt out in random order."""
    rng, fold = np.random.default_rng(0), np.empty(len(labels), int)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        fold[members] = np.arange(len(members)) % FOLDS
    return fold


def findings_of_shortcuts(pictures: Pictures, tones: Tones, facts: FileFacts) -> list[Finding]:
    """What tells the classes apart though it should not, one finding each; of what belongs together, the best."""
    files: dict[str, np.ndarray] = {
        "number of pixels": facts.width * facts.height,
        "shape": facts.width / facts.height,
        "file format": facts.format,
    }
    red, green, blue = tones.colour.T
    hues = {"brightness": tones.brightness, "contrast": tones.contrast, "red against green": red - green}
    hues |= {"blue against yellow": blue - (red + green) / 2}
    found = []
    for values, least, why in ((files, OF_FILES, _WHY_FILES), (hues, OF_TONES, _WHY_TONES)):
        told = {name: _told(pictures, each) for name, each in values.items()}
        above = {name: each for name, each in told.items() if each and each.is_above(least)}
        if above:
            name, best = max(above.items(), key=lambda item: item[1].accuracy)
            others = [
                f"{other} {100 * each.accuracy:.0f} %" for other, each in above.items() if other != name
            ]
            also = f" Others: {', '.join(others)}." if others else ""
            sentence = (
                f"The {name} alone tells the class of {100 * best.accuracy:.0f} % of the images "
                f"({100 * best.low:.0f} to {100 * best.high:.0f} %), where chance gives {100 * best.chance:.0f} %."
                f"{also} {why}"
            )
            kind = "shortcut in the files" if values is files else "shortcut in the tones"
            found.append(Finding(kind, sentence, _examples(pictures, values[name]), ()))
    return found


_WHY_FILES = (
    "A network can pick it up from blur, edges or compression instead of from what is shown. Bring all classes into "
    "one form."
)
_WHY_TONES = (
    "If that belongs to the things shown, it is real information. If it comes from how the pictures were taken, the "
    "network learns that instead."
)


def _told(pictures: Pictures, values: np.ndarray) -> Told | None:
    known = np.array([each != "" for each in values]) if values.dtype == object else np.isfinite(values)
    return (
        told_by(values[known], pictures.labels[known], len(pictures.data.class_names))
        if known.all()
        else None
    )


def _examples(pictures: Pictures, values: np.ndarray) -> tuple[tuple[int, ...], ...]:
    """Of every class the image whose number is in the middle, as one group."""
    middle = []
    for label in range(len(pictures.data.class_names)):
        members = np.flatnonzero(pictures.labels == label)
        order = np.argsort(
            values[members].astype(str) if values.dtype == object else values[members], kind="stable"
        )
        middle.append(int(members[order[len(members) // 2]]))
    return (tuple(middle),)
