"""Which runs the study is made of: for every study its arms, each an experiment on a task."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from recipe.study.atlas import ADVANCED, COLUMNS, SIMPLE, Column, Setting
from vgglab.experiment import Experiment
from vgglab.studies import FOLDER
from vgglab.toggles import GENERATOR

EPOCHS = 40
CHOICE = "_settings"  # ends the name of a study that a column's settings are chosen on
SETTINGS = FOLDER / "settings.csv"  # of the atlas: what was chosen, on which figures

_TUNED = Experiment(epochs=EPOCHS)
_SCRATCH = Experiment(weights=None, unfreeze=13, image_size=32, epochs=EPOCHS)


@dataclass(frozen=True)
class Arm:
    """What the runs of one arm share; the seed is what tells them apart."""

    task: str
    experiment: Experiment


@dataclass(frozen=True)
class Study:
    """The arms of a study, and the seeds that each of them has a run of."""

    arms: Mapping[str, Arm]
    seeds: range


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


def choices_of(columns: Mapping[str, Column]) -> dict[str, Study]:
    """For each column of an atlas that has brakes with several settings, the study that they are chosen on."""
    found = {name: _settings(column) for name, column in columns.items()}
    return {
        f"{name}{CHOICE}": Study(arms, columns[name].choosing)
        for name, arms in found.items()
        if len(arms) > 1
    }


def _settings(column: Column) -> dict[str, Arm]:
    """The plain arm of a column, and every setting of the brakes that have more than one."""
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


def atlas_of(columns: Mapping[str, Column], chosen: Mapping[tuple[str, str], str]) -> dict[str, Study]:
    """The study that each column is judged on: every arm with its chosen setting, or the first while none is chosen."""
    return {name: Study(_judged(name, column, chosen), column.judging) for name, column in columns.items()}


def _judged(name: str, column: Column, chosen: Mapping[tuple[str, str], str]) -> dict[str, Arm]:
    task = f"{column.task}, tested"
    found = {"plain": Arm(task, column.plain)}
    for arm, given in column.arms.items():
        by_name = {setting_name(given, each): each for each in given}
        setting = by_name[chosen.get((name, arm), next(iter(by_name)))]
        found[arm] = Arm(task, column.experiment(setting))
    return found


def chosen_settings() -> dict[tuple[str, str], str]:
    """The name of the setting that was chosen, by column and arm; empty before the choice."""
    if not SETTINGS.is_file():
        return {}
    rows = pd.read_csv(SETTINGS, dtype=str).query("chosen == 'yes'")
    return {(row.column, row.arm): row.setting for row in rows.itertuples()}


CHOICES = choices_of(COLUMNS)
ATLAS = atlas_of(COLUMNS, chosen_settings())
STUDIES = {name: Study(arms, range(5)) for name, arms in _COURSE.items()} | CHOICES | ATLAS
