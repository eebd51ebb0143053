"""What stands on the strip: one training image, and what the network gets of it in the epochs of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from vgglab.datasets import Dataset
from vgglab.experiment import Experiment, is_random
from vgglab.panel.png import png_uri

if TYPE_CHECKING:
    from vgglab.engine.drawn import Drawn

DRAWS = 4  # beside the original
LARGEST = 192  # pixels a side of a picture; more are not seen in a tile, on a fine screen either
_CLEAR = 0.2  # of another class, from which on a mix is one that people see
_LOOK_AHEAD = 8  # epochs in which a clear mix is looked for
AS_THEY_ARE = "As they are: nothing changes the images."


def tiles_of(phase: Experiment, data: Dataset, image: int, first: int) -> list[dict[str, Any]]:
    """The original, four draws and, where images are mixed, a clear mix, each with picture, alt text and caption.

    `data` as `under_conditions` gives it; `image` counts its training images in a fixed random order, round and round;
    `first` is the epoch of the first draw, from 0. The first call that draws loads TensorFlow. `shares` are the classes
    in the target of a mixed image with their per cent, the image's own label first.
    """
    number = chosen(data, image)
    if not is_random(phase):
        return [original(data, image), *(_same(data, number, first + place) for place in range(DRAWS))]
    from vgglab.engine.drawn import drawn

    draws = [drawn(phase, data, number, first + place) for place in range(DRAWS)]
    draws += _clear_mix(phase, data, number, first + DRAWS)
    return [
        original(data, image),
        *(_drawn_tile(phase, data, each, int(data.train.labels[number])) for each in draws),
    ]


def original(data: Dataset, image: int) -> dict[str, Any]:
    """The tile of the image as it is, with its class and, where its label is wrong, with both."""
    number, train = chosen(data, image), data.train
    is_class, label = (data.class_names[int(each[number])] for each in (train.true_labels, train.labels))
    caption = f"labelled {label}, is {is_class}" if train.wrong[number] else is_class
    return _tile(train.images[number], f"A training image, {caption}", caption)


def chosen(data: Dataset, image: int) -> int:
    """The number of the training image that comes `image`-th."""
    return int(np.random.default_rng(0).permutation(len(data.train))[image % len(data.train)])


def note(experiment: Experiment, data: Dataset, first: int) -> str:
    """What the tiles are, in a sentence or two."""
    phase, size = experiment.phases[0], data.image_size
    said = [AS_THEY_ARE]
    if is_random(phase):
        said = [f"What the network gets of this image in epochs {first + 1} to {first + DRAWS}."]
        if phase.views:
            said += [
                "With 1 view every epoch has the same draws."
                if phase.views == 1
                else f"With {phase.views} views the draws repeat every {phase.views} epochs."
            ]
    if phase.label_noise:
        said += [f"{int(data.train.wrong.sum())} of {len(data.train)} labels are wrong."]
    if phase.image_size != size:
        said += [f"Here they have {size} pixels a side; the run reads them anew at {phase.image_size}."]
    return " ".join(said)


def _clear_mix(phase: Experiment, data: Dataset, number: int, first: int) -> list[Drawn]:
    """The next epoch's draw in which another class has a fifth or more of the picture, or none."""
    from vgglab.engine.drawn import drawn, share_of_others

    if not (phase.mixup or phase.cutmix):
        return []
    epochs = range(first, min(first + _LOOK_AHEAD, phase.views or first + _LOOK_AHEAD))
    clear = next((each for each in epochs if share_of_others(phase, data, number, each) >= _CLEAR), None)
    return [] if clear is None else [drawn(phase, data, number, clear)]


def _drawn_tile(phase: Experiment, data: Dataset, each: Drawn, own: int) -> dict[str, Any]:
    caption = f"epoch {each.epoch}"
    if not (phase.mixup or phase.cutmix):
        return _tile(each.pixels, f"The same image as drawn in {caption}", caption)
    shares = _shares(data, each.shares, own)
    words = " and ".join(f"{name} {percent} percent" for name, percent in shares)
    return _tile(each.pixels, f"A mix with the label {words}, {caption}", caption, shares)


def _shares(data: Dataset, target: np.ndarray, own: int) -> list[tuple[str, int]]:
    """The classes of a target with their per cent, which add up to 100; `own` is the first, whatever its share."""
    others = [
        (data.class_names[place], round(100 * float(share)))
        for place, share in enumerate(target)
        if place != own
    ]
    others = [(name, percent) for name, percent in others if percent]
    return [(data.class_names[own], 100 - sum(percent for _, percent in others)), *others]


def _same(data: Dataset, number: int, epoch: int) -> dict[str, Any]:
    caption = f"epoch {epoch + 1}"
    return _tile(data.train.images[number], f"The same image, unchanged in {caption}", caption)


def _tile(
    pixels: np.ndarray, alt: str, caption: str, shares: list[tuple[str, int]] | None = None
) -> dict[str, Any]:
    source = png_uri(pixels, LARGEST, Image.Resampling.BICUBIC)
    return dict(source=source, alt=alt, caption=caption, shares=shares or [])
