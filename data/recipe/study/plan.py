"""Which runs the study is made of: for every study its arms, each an experiment on a task."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from recipe.study.atlas import ADVANCED, COLUMNS, JUDGING, SIMPLE, Setting
from vgglab.experiment import Experiment
from vgglab.studies import FOLDER
from vgglab.toggles import GENERATOR

EPOCHS = 40
SETTINGS = FOLDER / "settings.csv"  # of the atlas: what was chosen, on which figures

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

_COURSE: dict[str, dict[str, Arm]] = {
    "from_scratch": {
        **_arms(
            "small",
            _SCRATCH,
            {
                "plain": {},
                "L2": dict(l2=1e-3),
                "dropout": dict(dropout=0.5),
                "early stopping": dict(patience=10),
                "simple": dict(augment=SIMPLE),
                "MixUp": dict(mixup=0.2),
                "advanced": dict(augment=ADVANCED, mixup=0.2),
            },
        ),
        # What all of these are up against: the embedded weights, on the same images.
        "fine-tuned": Arm("small", dataclasses.replace(_TUNED, image_size=32)),
    },
    "training_images": {
        "fine-tuned, 5": Arm("5 a species", _TUNED),
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
        "5 a species",
        _TUNED,
        {"0": {}, "0.5": _strength(0.5), "1": _strength(1), "2": _strength(2), "4": _strength(4)},
    ),
    "phases": {
        "one phase": Arm("5 a species", _TUNED),
        "one phase, 0.0001": Arm("5 a species", dataclasses.replace(_TUNED, learning_rate=1e-4)),
        "head alone": Arm("5 a species", dataclasses.replace(_TUNED, unfreeze=0)),
        "two phases": Arm(
            "5 a species",
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


def settings(name: str) -> dict[str, Arm]:
    """The plain arm of a column of the atlas, and every setting of the brakes that have more than one."""
    column = COLUMNS[name]
    found = {"plain": Arm(column.task, column.plain)}
    for arm, given in column.arms.items():
        if len(given) > 1:
            found |= {
                f"{arm}, {setting_name(given, each)}": Arm(column.task, column.experiment(each))
                for each in given
            }
    return found


def setting_name(settings: Sequence[Setting], one: Setting) -> str:
    """What a setting has that the others do not, as in "0.05"."""
    own = [value for field, value in one.items() if any(value != other.get(field) for other in settings)]
    return " ".join(f"{each:g}" if isinstance(each, float) else "+".join(each) for each in own)


def column_arms(name: str, chosen: Mapping[tuple[str, str], str]) -> dict[str, Arm]:
    """The arms of a column of the atlas, each with its chosen setting; the first where none was chosen yet."""
    column = COLUMNS[name]
    found = {"plain": Arm(f"{column.task}, tested", column.plain)}
    for arm, given in column.arms.items():
        by_name = {setting_name(given, each): each for each in given}
        setting = by_name[chosen.get((name, arm), next(iter(by_name)))]
        found[arm] = Arm(f"{column.task}, tested", column.experiment(setting))
    return found


def chosen_settings() -> dict[tuple[str, str], str]:
    """The name of the setting that was chosen, by column and arm; empty before the choice."""
    if not SETTINGS.is_file():
        return {}
    rows = pd.read_csv(SETTINGS, dtype=str).query("chosen == 'yes'")
    return {(row.column, row.arm): row.setting for row in rows.itertuples()}


CHOICES = {f"{name}_settings": settings(name) for name in COLUMNS if len(settings(name)) > 1}
ATLAS = {name: column_arms(name, chosen_settings()) for name in COLUMNS}
STUDIES = _COURSE | CHOICES | ATLAS
SEEDS = (
    dict.fromkeys(_COURSE, range(5))
    | {study: COLUMNS[study.removesuffix("_settings")].choosing for study in CHOICES}
    | dict.fromkeys(ATLAS, JUDGING)
)
