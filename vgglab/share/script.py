"""Show the code: an experiment as a plain Keras script, to read, run and change without vgglab.

What the script says stands in the templates; a line is written only when what it does is on.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from textwrap import wrap
from typing import Any

from vgglab.architecture import BACKBONES, BLOCKS, dense_layers
from vgglab.datasets import BLOSSOMS
from vgglab.datasets.layout import find_parts
from vgglab.datasets.table import SUFFIXES as TABLES
from vgglab.datasets.table import lay_out_table
from vgglab.engine.rates import WARM_UP
from vgglab.errors import InputError
from vgglab.experiment import CONV_LAYERS, FIELDS, Experiment, is_random, of_role
from vgglab.image_changes import AUGMENTATIONS
from vgglab.record import is_low, watched
from vgglab.templates import render
from vgglab.weights import PRETRAINED, check_weights_exist

WIDTH = 100  # characters a line
_LOGGED = ("loss", "accuracy")  # what Keras logs of validation by itself


def script(experiment: Experiment, data: dict[str, Any] | None = None) -> str:
    """The text of a Python script that does with plain Keras what `train` does with the experiment.

    It needs keras and tensorflow, and ends by printing the clean accuracies of each epoch, as in
    "epoch 3: train 0.71, validation 0.55". The random numbers are others than those of `train`, but for the images and
    labels that `images_a_class` and `label_noise` choose where the folder has a validation part; where it has none,
    Keras divides it in another way than `load`. Keras also reads other files and pixels than `load` where a folder has
    .webp, .tif, .avif or .heic, hidden, nested or broken images, folders that are no classes, photographs to be turned
    by their EXIF, transparency or 16 bits, it resizes in another way, and it shears about the top row and not about the
    middle one; it keeps no groups whole and leaves out no files that a list names. Comments in the script say so. The
    files of a table it lays out as a folder of links.
    `data`, what `Dataset.describe` returns, is noted in a comment. `InputError` when the weights
    do not exist for the backbone.
    """
    check_weights_exist(experiment)
    phases, built = experiment.phases, _as_built(experiment)
    stretches = [_stretch(*pair) for pair in zip([built, *phases], phases)]
    text = render(
        "script.py.jinja",
        experiment=experiment,
        built=built,
        stretches=stretches,
        made_from=_comment(repr(experiment), indent="    "),
        folder=_folder(experiment),
        table=_is_table(_folder(experiment)),
        keeps_groups=experiment.group is not None or _is_table(_folder(experiment)),
        exclude_comment=_comment(repr(experiment.exclude)),
        parts=_parts(_folder(experiment)),
        place_of=_place_of,
        about_data=_comment(_about(experiment, data)) if data else "",
        weights_file=_weights_file(experiment),
        blocks=[(filters // BACKBONES[experiment.backbone], convs) for filters, convs in BLOCKS],
        is_full=experiment.backbone == "vgg16",
        is_bfloat16=experiment.precision == "bfloat16",
        freezes=any(phase.unfreeze < CONV_LAYERS for phase in phases),
        decays=any(phase.weight_decay for phase in phases),
        hidden=dense_layers(experiment.backbone, experiment.head, classes=0)[:-1],
        warm_up=WARM_UP,
        has_conditions=experiment.images_a_class is not None or experiment.label_noise > 0,
        weighs=any(each["weighs"] for each in stretches),
        weighs_mixed=any(each["weighs_mixed"] for each in stretches),
        by_class=any(each["by_class"] for each in stretches),
        cuts=any(phase.cutmix for phase in phases),
        erases=any("erasing" in dict(phase.augment) for phase in phases),
        tosses_coin=any(phase.mixup and phase.cutmix for phase in phases),
        conv_layers=CONV_LAYERS,
        constant=_constant,
        number=_number,
    )
    return text + "\n"


def _as_built(experiment: Experiment) -> Experiment:
    """What the model is before its first phase: every layer learns, and a Dropout is there if ever needed."""
    rates = [phase.dropout for phase in experiment.phases if phase.dropout]
    first = experiment.phases[0]
    return dataclasses.replace(first, dropout=rates[0] if rates else 0, unfreeze=CONV_LAYERS, weight_decay=0)


def _stretch(before: Experiment, phase: Experiment) -> dict[str, Any]:
    """What the template of a phase says it with; `before` is what the model and its images were until then."""
    views = phase.views if is_random(phase) else None
    strengths = dict.fromkeys(AUGMENTATIONS, 0.0) | dict(phase.augment)
    objective = of_role(phase, "objective").items()
    weighs = FIELDS["class_weight"].is_on(phase.class_weight)
    is_mixed = bool(phase.mixup or phase.cutmix)
    return dict(
        phase=phase,
        before=before,
        views=views,
        is_fed_anew=views is not None or of_role(phase, "images") != of_role(before, "images"),
        strengths=strengths,
        has_layers=any(strength for name, strength in strengths.items() if name not in ("crop", "erasing")),
        # Of validation: its images have no weights.
        in_loss=[
            FIELDS[name].label
            for name, value in objective
            if FIELDS[name].is_on(value) and name != "class_weight"
        ],
        weighs=weighs and not is_mixed,
        weighs_mixed=weighs and is_mixed,
        by_class=bool(phase.patience) and phase.monitor not in _LOGGED,
        watched="" if is_low(phase.monitor) else watched(phase.monitor).replace("validation", "val"),
    )


def _folder(experiment: Experiment) -> Path:
    return BLOSSOMS if experiment.dataset == "blossoms" else _absolute(experiment.dataset)


def _is_table(place: Path) -> bool:
    """Whether it is a table, by its name: it need not be here."""
    return place.suffix.lower() in TABLES


def _parts(folder: Path) -> dict[str, str]:
    """The names of the folders of the train and the validation part; "" where there is none, so that Keras divides.

    Of a folder that is not here, or in which nobody can say, those that vgglab would name so itself.
    """
    try:
        if _is_table(folder):
            found = {part: Path(part) for part in lay_out_table(folder).photos if part != "all"}
        else:
            found = find_parts(folder)
    except InputError:
        return dict(train="train", validation="validation")
    return {part: found[part].name if part in found else "" for part in ("train", "validation")}


def _place_of(name: str) -> str:
    """The code for the folder of a part."""
    return f"DATA + {'/' + name!r}" if name else "DATA"


def _weights_file(experiment: Experiment) -> Path | None:
    """The file that the backbone starts from; None for random weights and for those that Keras fetches."""
    if experiment.weights is None or experiment.weights == "imagenet":
        return None
    if experiment.weights == "pretrained":
        return PRETRAINED if experiment.backbone == "vgg16-mini" else None
    return _absolute(experiment.weights)


def _about(experiment: Experiment, data: dict[str, Any]) -> str:
    counted = [f"{len(data['classes'])} classes"] if data.get("classes") else []
    counted += [f"{data['train']} images to train on"] if data.get("train") else []
    counted += [f"{data['validation']} to validate on"] if data.get("validation") else []
    sentences, name = [f"{', '.join(counted)}."] if counted else [], data.get("name")
    if name and name != experiment.dataset and _absolute(name) != _folder(experiment):
        sentences.append(f"The run had others than this folder's: {name!r}.")
    return " ".join(sentences)


def _absolute(path: str) -> Path:
    return Path(os.path.abspath(os.path.expanduser(path)))


def _comment(text: str, indent: str = "") -> str:
    start = f"# {indent}"
    return "\n".join(wrap(text, WIDTH, initial_indent=start, subsequent_indent=start, break_on_hyphens=False))


def _constant(name: str, path: Path) -> str:
    """The assignment of a path to a name, over several lines where it is long."""
    text, line = str(path), f"{name} = {str(path)!r}"
    if len(line) <= WIDTH:
        return line
    pieces = [f"    {text[at : at + 60]!r}" for at in range(0, len(text), 60)]
    return "\n".join([f"{name} = (", *pieces, ")"])


def _number(value: float) -> str:
    value = float(f"{value:.12g}")
    return repr(int(value) if value.is_integer() else value)
