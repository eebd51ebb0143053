"""The atlas: every brake in every condition, on drawn flowers. Written down before its runs.

A *column* is a condition: a task and a way to train. Its *arms* are brakes, each as the plain arm with one thing
changed. The outcome is the accuracy on a test part of 2,000 images that nothing is chosen on; a difference is that of
two runs of one seed, which share images, start and order. What interests is two points or more.

- *Settings.* A brake with several gets the one with the best mean validation accuracy over the seeds `choosing` of its
  column; of equals, the first. They are judged on other seeds, `JUDGING`. A setting that the text names has an arm of
  its own.
- *Test part.* The judging seeds have one, the choosing seeds none.
- *Rates.* 0.003 for a head on frozen layers, 0.0005 where conv layers learn, the same for all arms of a column, but
  where a depth is the arm: its rate is a setting like any other.
- *Lengths.* Four times the epochs after which the plain arm's clean training loss was below 0.1, on seed `PILOT`,
  rounded up to tens; at least 40, at most 200. All arms of a column train so long, so that one that makes learning
  harder has the steps for it and the plain one has them, too. Early stopping alone may end before.
- *Predictions.* `predicted` are the brakes that should help in a column, written down with the design.
- *Verdicts* are those of `verdicts.py`: Student's interval over the seeds, p by Holm over the arms of a column.

Where the frozen layers' output is kept, a random change is drawn for `VIEWS` epochs, which then go round.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vgglab.experiment import CONV_LAYERS, FIELDS, Experiment, in_phases, is_random, with_first
from vgglab.toggles import GENERATOR

PILOT = 900
CHOOSING = range(100, 103)
JUDGING = range(200, 210)
VIEWS = 8
SIMPLE = ("flip", "rotation", "crop")  # the changes that the text calls simple
ADVANCED = (*SIMPLE, "color_jitter", "erasing")  # and those that it calls more advanced, which go with MixUp
# As wide as the nuisances that the flowers vary in.
GEOMETRIC = dict(rotation=180, width_shift=0.1, height_shift=0.1, zoom=0.25, shear=0.2)

Setting = Mapping[str, Any]

BRAKES: dict[str, tuple[Setting, ...]] = {
    "L2, as in the text": (dict(l2=1e-3),),
    "L2": (dict(l2=1e-2), dict(l2=1e-1)),
    "weight decay": (dict(weight_decay=5e-4), dict(weight_decay=0.02), dict(weight_decay=0.2)),
    "dropout": (dict(dropout=0.5), dict(dropout=0.8)),
    "early stopping": (dict(patience=10),),
    "label smoothing": (dict(label_smoothing=0.1), dict(label_smoothing=0.4)),
    "simple": (dict(augment=SIMPLE),),
    "geometric": (dict(augment=GEOMETRIC),),
    "colour": (dict(augment=dict(color_jitter=0.5)),),
    "erasing": (dict(augment=dict(erasing=0.5)),),
    "generator": (dict(augment=GENERATOR),),
    "MixUp": (dict(mixup=0.2), dict(mixup=1.0)),
    "CutMix": (dict(cutmix=1.0),),
    "advanced": (dict(augment=ADVANCED, mixup=0.2),),
}
FREEZING = {"freezing": (dict(unfreeze=0, learning_rate=3e-3),)}
# The first example of the text as it stands.
RECIPE = {
    "the text's recipe": (dict(unfreeze=0, learning_rate=1e-3, l2=1e-3, epochs=100, patience=10),),
}


@dataclass(frozen=True)
class Column:
    """A condition of the atlas: its task, how the plain arm trains, and the settings of each other arm."""

    says: str
    task: str
    plain: Experiment
    arms: Mapping[str, tuple[Setting, ...]]
    predicted: tuple[str, ...] = ()
    choosing: range = CHOOSING
    judging: range = JUDGING
    views: int = VIEWS

    def experiment(self, setting: Setting) -> Experiment:
        """The plain arm with a setting in its last phase; what a run keeps, in all of them."""
        whole = with_first(
            self.plain, **{name: value for name, value in setting.items() if FIELDS[name].fixed}
        )
        *before, last = whole.phases
        changed = dataclasses.replace(last, **setting)
        if changed.unfreeze < CONV_LAYERS and is_random(changed):
            changed = dataclasses.replace(changed, views=self.views)
        return in_phases([*before, changed])


_HEAD = Experiment(unfreeze=0, learning_rate=3e-3)
_RATES = (1e-5, 1e-4, 1e-3, 1e-2)

COLUMNS: dict[str, Column] = {
    "label_noise": Column(
        "40 % of the training labels redrawn; frozen base",
        "20 a species",
        dataclasses.replace(_HEAD, label_noise=0.4, epochs=200),
        {**BRAKES, **RECIPE, "dense head": (dict(head="dense"),)},
        predicted=("weight decay", "dropout", "early stopping", "generator", "L2"),
    ),
    "few_images": Column(
        "5 images a species; three layers learn",
        "5 a species",
        Experiment(epochs=40),
        {**BRAKES, **FREEZING, **RECIPE, "dense head": (dict(head="dense"),)},
        predicted=("geometric", "generator", "advanced"),
    ),
    "dense_head": Column(
        "10 images a species; frozen base, VGG16's own dense head",
        "10 a species",
        dataclasses.replace(_HEAD, learning_rate=1e-3, head="dense", epochs=40),
        {**BRAKES, "pooled head": (dict(head="pooled", learning_rate=3e-3),)},
        predicted=("weight decay", "dropout", "geometric", "generator", "pooled head"),
    ),
    "narrow_to_wide": Column(
        "Training images all alike, the others not; frozen base",
        "narrow to wide",
        dataclasses.replace(_HEAD, epochs=40),
        {**BRAKES, "dense head": (dict(head="dense", learning_rate=1e-3),)},
        predicted=("geometric", "generator", "advanced"),
    ),
    "solved": Column(
        "50 images a species; frozen base: a task that is solved, where nobody should win",
        "50 a species",
        dataclasses.replace(_HEAD, epochs=60),
        # The first setting of each: there is nothing to choose on where all are right.
        {
            **{name: given[:1] for name, given in BRAKES.items()},
            "dense head": (dict(head="dense", learning_rate=1e-3),),
        },
    ),
    "depth": Column(
        "5 images a species; the head first, then so many layers at the best of their rates",
        "5 a species",
        dataclasses.replace(_HEAD, epochs=15).then(epochs=25),
        {
            f"{depth} layers": tuple(dict(unfreeze=depth, learning_rate=rate) for rate in _RATES)
            for depth in (3, 7, 13)
        },
        choosing=range(100, 105),  # more, because lesson 07 shows what every rate does
    ),
    # Small images, because all thirteen layers learn them from nothing. One setting each: a run takes a minute.
    "scratch_long": Column(
        "20 images a species; all layers learn, from random weights, for long",
        "20 small a species",
        Experiment(weights=None, unfreeze=13, image_size=32, epochs=90),
        {
            "dropout": (dict(dropout=0.5),),
            "early stopping": (dict(patience=10),),
            "simple": (dict(augment=SIMPLE),),
            "generator": (dict(augment=GENERATOR),),
            "MixUp": (dict(mixup=1.0),),
            "advanced": (dict(augment=ADVANCED, mixup=0.2),),
            # No brake, but what all of them are up against: the embedded weights, on the same images.
            "fine-tuned": (dict(weights="pretrained", unfreeze=3),),
        },
        predicted=("simple", "generator", "MixUp", "advanced", "fine-tuned"),
    ),
}
