"""What the network gets of one training image in an epoch of a run, drawn without the rest of the epoch."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from vgglab.augmentation import Draws, OneChanger, for_one
from vgglab.datasets import Dataset
from vgglab.engine.feed import batches_of, drawn_epoch
from vgglab.errors import InputError
from vgglab.experiment import Experiment, is_random


@dataclass(frozen=True)
class Drawn:
    """One image as the network gets it.

    `pixels`: uint8, (size, size, 3), RGB. `shares`: how much of each class its target holds, (classes,), adding up to
    1. `epoch`: the one that it is drawn in, from 1.
    """

    pixels: np.ndarray
    shares: np.ndarray
    epoch: int


def drawn(phase: Experiment, data: Dataset, image: int, epoch: int) -> Drawn:
    """What `train` makes of a training image, by its number, in an epoch, from 0, of a run's first phase.

    `data` as `under_conditions` gives it. The random numbers of the batches before the image's own are drawn too,
    because they come from the same streams; only the image itself is changed. `InputError` for a number that no
    training image has.
    """
    one_hot = np.eye(len(data.class_names), dtype=np.float32)
    _check(image, data)
    if not is_random(phase):
        return _drawn(data.train.images[image], one_hot[data.train.labels[image]], epoch)
    chosen, place, draws, change = _batch_of(phase, data, image, epoch)
    pair = chosen[[place, draws.partner[place]]]
    images, targets = data.train.images[pair].astype(np.float32), one_hot[data.train.labels[pair]]
    changed, mixed = change(draws, place, images, targets)
    return _drawn(np.asarray(changed), np.asarray(mixed), epoch)


def share_of_others(phase: Experiment, data: Dataset, image: int, epoch: int) -> float:
    """How much of the target that `drawn` gives an image is another class, from 0 to 1; no pixel is touched."""
    _check(image, data)
    if not (phase.mixup or phase.cutmix):
        return 0.0
    chosen, place, draws, _ = _batch_of(phase, data, image, epoch)
    partner = chosen[draws.partner[place]]
    return float(1 - draws.share[place]) if data.train.labels[partner] != data.train.labels[image] else 0.0


def _check(image: int, data: Dataset) -> None:
    if not 0 <= image < len(data.train):
        raise InputError(f"`image` must be 0 to {len(data.train) - 1}. Received: {image}.")


def _batch_of(
    phase: Experiment, data: Dataset, image: int, epoch: int
) -> tuple[np.ndarray, int, Draws, OneChanger]:
    """The batch that has an image in an epoch: its images, the place among them, its draws, and what applies them."""
    phase = dataclasses.replace(phase, image_size=data.image_size)
    first = drawn_epoch(phase, epoch)
    draw, change = for_one(phase, 1, first)
    batches = ((chosen, draw(len(chosen))) for chosen in batches_of(phase, 1, first, len(data.train)))
    chosen, draws = next((chosen, draws) for chosen, draws in batches if image in chosen)
    return chosen, chosen.tolist().index(image), draws, change


def _drawn(image: np.ndarray, shares: np.ndarray, epoch: int) -> Drawn:
    return Drawn(image.clip(0, 255).round().astype(np.uint8), shares, epoch + 1)
