"""What determines a run: the fields of an experiment, their ranges, and the words for what is wrong.

Imports nothing but the standard library, so that every other module can stand on it.
"""

from __future__ import annotations

import dataclasses
import difflib
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

CONV_LAYERS = 13  # of VGG16; `unfreeze` counts them from the top


class InputError(ValueError):
    """Something the user gave cannot be used; one sentence says what, and what would be right."""

    def _render_traceback_(self) -> list[str]:
        # IPython shows these lines instead of a stack of frames that the user did not write.
        return [f"{type(self).__name__}: {self}"]


def unknown(what: str, received: object, options: Iterable[str]) -> InputError:
    """The error for a name that is not one of `options`: the nearest one, or all of them."""
    options = list(options)
    near = difflib.get_close_matches(str(received), options, n=1)
    right = f"Did you mean '{near[0]}'?" if near else f"It must be one of: {', '.join(options)}."
    return InputError(f"Unknown {what}. Received: {received!r}. {right}")


@dataclass(frozen=True)
class Augmentation:
    """One random change of the training images: `strength` lies between `low` and `high`, in `unit`."""

    label: str
    default: float
    low: float
    high: float
    unit: str


AUGMENTATIONS = {
    "flip": Augmentation("flip left-right", 1, 1, 1, "always one image in two"),
    "rotation": Augmentation("rotation", 20, 0, 180, "degrees to either side"),
    "width_shift": Augmentation("shift sideways", 0.2, 0, 1, "fraction of the width"),
    "height_shift": Augmentation("shift up/down", 0.2, 0, 1, "fraction of the height"),
    "shear": Augmentation("shear", 0.2, 0, 1, "slope"),
    "zoom": Augmentation("zoom", 0.2, 0, 0.9, "fraction in or out"),
    "crop": Augmentation("random crop", 0.15, 0, 0.9, "fraction of each side cut off"),
    "brightness": Augmentation("brightness", 0.2, 0, 1, "fraction of the range 0-255"),
    "contrast": Augmentation("contrast", 0.3, 0, 1, "fraction around the mean"),
    "color_jitter": Augmentation(
        "colour jitter", 0.4, 0, 1, "of brightness, contrast, saturation; a quarter of it for hue"
    ),
    "erasing": Augmentation("random erasing", 0.5, 0, 1, "probability an image"),
}
SHORTHAND = {"shift": ("width_shift", "height_shift")}


def _number(
    default: Any,
    low: float,
    high: float,
    label: str,
    help: str,
    *,
    whole: bool = False,
    optional: bool = False,
) -> Any:
    return field(
        default=default,
        metadata=dict(
            kind="number", low=low, high=high, label=label, help=help, whole=whole, optional=optional
        ),
    )


def _choice(default: str, options: tuple[str, ...], label: str, help: str) -> Any:
    return field(default=default, metadata=dict(kind="choice", options=options, label=label, help=help))


def _text(default: str, label: str, help: str, *, optional: bool = False) -> Any:
    return field(default=default, metadata=dict(kind="text", label=label, help=help, optional=optional))


@dataclass(frozen=True)
class Experiment:
    """Everything that determines a run; two equal experiments on one machine give the same History.

    The metadata of the fields holds their ranges: the check below, the command line and the panel
    all read it there. A field that is out of range raises `InputError`.

    `augment` takes names, or a mapping from names to strengths (`AUGMENTATIONS` lists them); it is
    kept as pairs in the table's order. `later` holds the phases that `then` added.
    """

    dataset: str = _text("blossoms", "data set", "'blossoms', or the path of an image folder")
    backbone: str = _choice(
        "vgg16-mini", ("vgg16-mini", "vgg16"), "backbone", "the convolutional part of the network"
    )
    weights: str | None = _text(
        "pretrained",
        "weights",
        "start from 'pretrained', from 'imagenet' (which may download it), from a weights file, or from none: random",
        optional=True,
    )
    image_size: int = _number(64, 32, 512, "image size", "pixels a side", whole=True)
    precision: str = _choice(
        "float32",
        ("float32", "bfloat16"),
        "precision",
        "what the conv layers compute in; bfloat16 is faster where the processor has it",
    )
    unfreeze: int = _number(
        3,
        0,
        CONV_LAYERS,
        "unfreeze depth",
        "how many conv layers train, counted from the top",
        whole=True,
    )
    l2: float = _number(0.0, 0, 1, "L2", "weight penalty on the head's Dense(128)")
    dropout: float = _number(0.0, 0, 0.95, "dropout", "fraction of the head's units switched off in training")
    augment: tuple[tuple[str, float], ...] = field(
        default=(),
        metadata=dict(kind="augment", label="augmentation", help="names, as in flip,rotation=20,erasing"),
    )
    fill_mode: str = _choice(
        "nearest",
        ("nearest", "reflect", "wrap", "constant"),
        "fill mode",
        "what fills the rim that a moved image leaves",
    )
    mixup: float = _number(0.0, 0, 1, "MixUp", "alpha of the Beta distribution; 0 is off")
    cutmix: float = _number(0.0, 0, 1, "CutMix", "alpha of the Beta distribution; 0 is off")
    views: int | None = _number(
        None,
        1,
        1000,
        "views",
        "draw so many augmented epochs once, keep what the frozen layers make of them, and go round; new ones in every epoch when left out",
        whole=True,
        optional=True,
    )
    learning_rate: float = _number(5e-4, 1e-8, 1, "learning rate", "of Adam")
    batch_size: int = _number(32, 1, 4096, "batch size", "images a step", whole=True)
    epochs: int = _number(20, 1, 100_000, "epochs", "passes over the training images", whole=True)
    patience: int | None = _number(
        None,
        1,
        100_000,
        "patience",
        "stop after so many epochs without a lower validation loss and restore the best weights; never when left out",
        whole=True,
        optional=True,
    )
    seed: int = _number(
        0, 0, 2**31 - 1, "seed", "of the weights, the order of the images and every random change", whole=True
    )
    later: tuple[Experiment, ...] = field(default=(), metadata=dict(kind="phases"))

    def __new__(cls, *args: Any, **fields: Any) -> Experiment:
        # Before the dataclass's own TypeError, which does not say what was meant.
        for name in fields:
            _field_named(name)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for each in dataclasses.fields(self):
            check = _CHECKS[each.metadata["kind"]]
            object.__setattr__(self, each.name, check(each, getattr(self, each.name)))

    @property
    def phases(self) -> tuple[Experiment, ...]:
        """This run's phases in order, each an experiment of one phase."""
        return (dataclasses.replace(self, later=()), *self.later)

    @property
    def planned_epochs(self) -> int:
        """The epochs of all phases together; early stopping and Stop make them fewer."""
        return sum(phase.epochs for phase in self.phases)

    def then(self, **changes: Any) -> Experiment:
        """This experiment followed by one more phase: the last one's fields, with `changes`.

        What a run keeps from its first phase to its last (`FIXED`) cannot change; `InputError`.
        """
        for name in changes:
            if _field_named(name).name in FIXED:
                raise InputError(
                    f"`{name}` belongs to the whole run and cannot change in a later phase. Received: {changes[name]!r}."
                )
        phase = dataclasses.replace(self.phases[-1], **changes)
        return dataclasses.replace(self, later=(*self.later, phase))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; of each later phase only what it changed."""
        plain = {name: getattr(self, name) for name in FIELDS if name != "later"}
        plain["augment"] = dict(self.augment)
        plain["later"] = [
            {name: value for name, value in after.to_dict().items() if value != before.to_dict()[name]}
            for before, after in zip(self.phases, self.later)
        ]
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Experiment:
        """The experiment that `to_dict` wrote."""
        experiment = cls(**{name: value for name, value in plain.items() if name != "later"})
        for changes in plain.get("later", ()):
            experiment = experiment.then(**changes)
        return experiment


def is_random(phase: Experiment) -> bool:
    """Whether a phase trains on images that chance has changed."""
    return bool(phase.augment or phase.mixup or phase.cutmix)


def in_phases(phases: Sequence[Experiment]) -> Experiment:
    """One experiment of these phases, each an experiment of one phase; `phases` takes it apart again."""
    first, *later = phases
    return dataclasses.replace(first, later=tuple(later))


def with_seed(experiment: Experiment, seed: int) -> Experiment:
    """The experiment with another seed, in all of its phases."""
    return in_phases([dataclasses.replace(phase, seed=seed) for phase in experiment.phases])


FIELDS = {each.name: each for each in dataclasses.fields(Experiment)}
FIXED = ("dataset", "backbone", "weights", "image_size", "precision", "seed", "later")


def check_weights_exist(experiment: Experiment) -> None:
    """`InputError` when ImageNet weights are asked for a backbone that nobody trained on ImageNet."""
    if experiment.weights == "imagenet" and experiment.backbone != "vgg16":
        raise InputError(
            f"`weights='imagenet'` exists for backbone 'vgg16' only. Received: backbone '{experiment.backbone}'."
        )


def what_changed(before: Experiment, after: Experiment) -> list[str]:
    """The fields that a phase changed, each in a few words such as "MixUp on" or "L2 0.01"."""
    words: list[str] = []
    for name, each in FIELDS.items():
        was, now = getattr(before, name), getattr(after, name)
        if was != now and name not in ("later", "epochs"):
            words += _CHANGES.get(name, _number_change)(each.metadata["label"], was, now)
    return words


def _number_change(label: str, was: object, now: object) -> list[str]:
    if not now:
        return [f"{label} off"]
    return [f"{label} on" if not was else f"{label} {now:g}" if isinstance(now, float) else f"{label} {now}"]


def _augment_change(label: str, was: tuple, now: tuple) -> list[str]:
    was, now = dict(was), dict(now)
    words = [f"{name.replace('_', ' ')} on" for name in now if name not in was]
    words += [f"{name.replace('_', ' ')} off" for name in was if name not in now]
    return words + [
        f"{name.replace('_', ' ')} {now[name]:g}" for name in now if was.get(name, now[name]) != now[name]
    ]


_CHANGES: dict[str, Callable[..., list[str]]] = {
    "augment": _augment_change,
    "unfreeze": lambda label, was, now: [f"{label} {now}"],
}


def _field_named(name: str) -> dataclasses.Field:
    if name not in FIELDS:
        raise unknown("field of an experiment", name, FIELDS)
    return FIELDS[name]


def _check_number(each: dataclasses.Field, value: Any) -> Any:
    rule = each.metadata
    if value is None and rule["optional"]:
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError
        number = operator.index(value) if rule["whole"] else float(value)
    except TypeError:
        number = None
    if number is None or not rule["low"] <= number <= rule["high"]:
        kind = "a whole number, " if rule["whole"] and number is None else ""
        none = " or None" if rule["optional"] else ""
        raise InputError(
            f"`{each.name}` must be {kind}{rule['low']:g} to {rule['high']:g}{none}. Received: {value!r}."
        )
    return number


def _check_choice(each: dataclasses.Field, value: Any) -> str:
    if value not in each.metadata["options"]:
        raise unknown(each.metadata["label"], value, each.metadata["options"])
    return value


def _check_text(each: dataclasses.Field, value: Any) -> str | None:
    if value in (None, "none") and each.metadata["optional"]:  # the word, for the command line
        return None
    try:
        text = operator.methodcaller("__fspath__")(value) if hasattr(value, "__fspath__") else value
        if not isinstance(text, str) or not text:
            raise TypeError
    except TypeError:
        raise InputError(f"`{each.name}` must be a name or a path. Received: {value!r}.") from None
    return text


def _check_augment(each: dataclasses.Field, value: Any) -> tuple[tuple[str, float], ...]:
    if isinstance(value, str):
        value = [part for part in value.split(",") if part.strip()]
    if not isinstance(value, Iterable):
        raise InputError(f"`augment` must be names such as ('flip', 'rotation'). Received: {value!r}.")
    pairs = value.items() if isinstance(value, Mapping) else map(_name_and_strength, value)
    strengths = {name: strength for given, strength in pairs for name in SHORTHAND.get(given, (given,))}
    for name, strength in strengths.items():
        strengths[name] = _check_strength(name, strength)
    return tuple((name, strengths[name]) for name in AUGMENTATIONS if name in strengths)


def _name_and_strength(item: Any) -> tuple[str, Any]:
    """("rotation", 20), "rotation=20" and "rotation" all name a change; the last has its default strength."""
    if isinstance(item, str):
        name, _, strength = item.partition("=")
        return name.strip(), strength.strip() or None
    if not isinstance(item, Iterable):
        raise InputError(f"`augment` must be names such as ('flip', 'rotation'). Received: {item!r}.")
    name, strength = item
    return name, strength


def _check_strength(name: str, strength: Any) -> float:
    if name not in AUGMENTATIONS:
        raise unknown("augmentation", name, [*AUGMENTATIONS, *SHORTHAND])
    rule = AUGMENTATIONS[name]
    try:
        number = float(rule.default if strength is None or strength is True else strength)
    except (TypeError, ValueError):
        number = None
    if number is None or not rule.low <= number <= rule.high or number == 0:
        right = (
            f"must be {rule.low:g} to {rule.high:g} ({rule.unit}) and not 0"
            if rule.high > rule.low
            else "has no strength but 1"
        )
        raise InputError(f"augmentation '{name}' {right}. Received: {strength!r}.")
    return number


def _check_phases(each: dataclasses.Field, value: Any) -> tuple[Experiment, ...]:
    if not all(isinstance(phase, Experiment) and not phase.later for phase in value):
        raise InputError("`later` must hold experiments of one phase each; `experiment.then(...)` adds them.")
    return tuple(value)


_CHECKS = {
    "number": _check_number,
    "choice": _check_choice,
    "text": _check_text,
    "augment": _check_augment,
    "phases": _check_phases,
}
