"""Which runs the study is made of: for every study its arms, each an experiment on a task."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from vgglab.experiment import Experiment
from vgglab.toggles import GENERATOR

EPOCHS = 40
# The three changes that the text calls simple, and those that it calls more advanced.
SIMPLE = ("flip", "rotation", "crop")
ADVANCED = (*SIMPLE, "color_jitter", "erasing")

_TUNED = Experiment(epochs=EPOCHS)
_SCRATCH = Experiment(weights=None, unfreeze=13, image_size=32, epochs=EPOCHS)


@dataclass(frozen=True)
class Arm:
    """What the runs of one arm share; the seed is what tells them apart."""

    task: str
    experiment: Experiment


def _arms(task: str, base: Experiment, changes: dict[str, dict]) -> dict[str, Arm]:
    return {name: Arm(task, dataclasses.replace(base, **change)) for name, change in changes.items()}


def _strength(factor: float) -> dict:
    scaled = {name: 1 if name == "flip" else factor * value for name, value in GENERATOR.items()}
    return dict(augment=scaled)


_HELD_BACK = {
    "plain": {},
    "L2": dict(l2=1e-3),
    "dropout": dict(dropout=0.5),
    "early stopping": dict(patience=10),
    "simple": dict(augment=SIMPLE),
    "MixUp": dict(mixup=0.2),
    "advanced": dict(augment=ADVANCED, mixup=0.2),
}

# Transforms with the nuisance that each was made for, as wide as that nuisance's dial.
COVERS: dict[str, tuple[str, dict[str, float]]] = {
    "rotation": ("rotation", dict(rotation=180)),
    "shift": ("position", dict(width_shift=0.1, height_shift=0.1)),
    "zoom": ("scale", dict(zoom=0.25)),
    "shear": ("aspect", dict(shear=0.2)),
    "brightness": ("light", dict(brightness=0.2)),
    "colour jitter": ("hue", dict(color_jitter=0.5)),
    "erasing": ("occlusion", dict(erasing=0.5)),
}
TRANSFORMS = {
    "none": {},
    "flip": dict(augment=("flip",)),
    **{name: dict(augment=strengths) for name, (_, strengths) in COVERS.items()},
    "MixUp": dict(mixup=0.2),
}

STUDIES: dict[str, dict[str, Arm]] = {
    "regularisers": _arms(
        "few",
        _TUNED,
        {
            **_HELD_BACK,
            "strong L2": dict(l2=1e-2),
            "generator": dict(augment=GENERATOR),
            "colour jitter": dict(augment=("color_jitter",)),
            "erasing": dict(augment=("erasing",)),
            "CutMix": dict(cutmix=1.0),
            "simple + colour jitter": dict(augment=(*SIMPLE, "color_jitter")),
            "simple + erasing": dict(augment=(*SIMPLE, "erasing")),
            "simple + MixUp": dict(augment=SIMPLE, mixup=0.2),
        },
    ),
    "from_scratch": {
        **_arms("small", _SCRATCH, _HELD_BACK),
        # What all of these are up against: the embedded weights, on the same images.
        "fine-tuned": Arm("small", dataclasses.replace(_TUNED, image_size=32)),
    },
    "training_images": {
        "fine-tuned, 5": Arm("few", _TUNED),
        **{f"fine-tuned, {count}": Arm(f"{count} a species", _TUNED) for count in (10, 20, 50)},
        "from scratch, 5": Arm("5 small a species", _SCRATCH),
        "from scratch, 20": Arm("small", _SCRATCH),
        "from scratch, 80": Arm("80 small a species", _SCRATCH),
    },
    "shuffled_labels": {
        "true labels": Arm("small", _SCRATCH),
        "shuffled labels": Arm("shuffled", dataclasses.replace(_SCRATCH, epochs=2 * EPOCHS)),
    },
    "strength": _arms(
        "few",
        _TUNED,
        {"0": {}, "0.5": _strength(0.5), "1": _strength(1), "2": _strength(2), "4": _strength(4)},
    ),
    "unfreezing": {
        f"{depth} layers, {rate:g}": Arm(
            "few", dataclasses.replace(_TUNED, unfreeze=depth, learning_rate=rate)
        )
        for depth in (0, 3, 7, 13)
        for rate in (1e-4, 5e-4, 2e-3)
    },
    "phases": {
        "one phase": Arm("few", _TUNED),
        "two phases": Arm(
            "few",
            Experiment(unfreeze=0, epochs=EPOCHS // 2).then(
                unfreeze=3, learning_rate=1e-4, epochs=EPOCHS // 2
            ),
        ),
    },
    # From random weights: the embedded ones have met these nuisances, which "none, fine-tuned" shows.
    "nuisances": {
        **_arms("small narrow", dataclasses.replace(_SCRATCH, epochs=30), TRANSFORMS),
        "none, fine-tuned": Arm("small narrow", Experiment(image_size=32, epochs=30)),
    },
    "twins": _arms("twins", Experiment(epochs=30), {"no flip": {}, "flip": dict(augment=("flip",))}),
    "batch_size": {
        f"batches of {size}": Arm("20 a species", Experiment(unfreeze=13, batch_size=size, epochs=3))
        for size in (1, 8, 32)
    },
}
