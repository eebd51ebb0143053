"""What determines a run: the fields of an experiment, and its phases.

Nothing large is imported, so that every other module can stand on it. To add a field, write its record here; what
it does goes where its role says.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vgglab.errors import InputError, shown, unknown
from vgglab.image_changes import AUGMENTATIONS
from vgglab.toggles import Choice, Number, Strengths, Text, Toggle

CONV_LAYERS = 13  # of VGG16; `unfreeze` counts them from the top


def _field(default: Any, toggle: Toggle) -> Any:
    return dataclasses.field(default=default, metadata=dict(toggle=toggle))


def _no_rim(experiment: Experiment) -> str:
    rim = any(AUGMENTATIONS[name].rim for name, _ in experiment.augment)
    return "" if rim else "no change that is on leaves a rim to fill"


def _nothing_random(experiment: Experiment) -> str:
    return "" if is_random(experiment) else "without a random change all epochs have the same images"


def _no_schedule(experiment: Experiment) -> str:
    return "the learning rate is constant" if experiment.schedule == "constant" else ""


def _no_patience(experiment: Experiment) -> str:
    return "" if experiment.patience else "without patience the weights of the last epoch are kept"


@dataclass(frozen=True, repr=False)
class Experiment:
    """Everything that determines a run; two equal experiments on one machine give the same History.

    Each field has a record, in `FIELDS`, that says all about it. One that is out of range raises `InputError`.

    `augment` takes names, or a mapping from names to strengths (`AUGMENTATIONS` lists them); it is
    kept as pairs in the table's order. `later` holds the phases that `then` added.
    """

    # fmt: off
    dataset: str = _field("blossoms", Text(
        label="data set", role="data", fixed=True, loads=True, suggestions=("blossoms",), is_path=True,
        flag="--data",
        help="'blossoms', or the path of an image folder or of a table (.csv) with the columns file and label"))
    image_size: int = _field(64, Number(
        label="image size", unit="pixels a side", role="data", fixed=True, loads=True, built_from=True,
        low=32, high=512, whole=True, stops=(32, 64, 96, 128, 224),
        help="how large every image is made"))
    fit: str = _field("crop", Choice(
        label="fit", role="data", fixed=True, loads=True, options=("crop", "pad", "squash"),
        help="how a photograph becomes square: cropped to its centre, padded with black, or squashed"))
    group: str | None = _field(None, Text(
        label="group", role="data", fixed=True, loads=True, optional=True, off=None, suggestions=("folder", "none"),
        help="which images belong together, so that no group is both to train and to validate on: 'folder' for the "
             "sub-folders of class folders, a pattern with one pair of parentheses, searched in the file's name, or a "
             "column of the table"))
    exclude: str | None = _field(None, Text(
        label="exclude", role="data", fixed=True, loads=True, optional=True, off=None, suggestions=("none",),
        is_path=True, help="a text file that names images to leave out, one path a line, relative to the folder"))
    images_a_class: int | None = _field(None, Number(
        label="images a class", role="data", fixed=True, simple=True, optional=True, off=None,
        low=1, high=100_000, whole=True, stops=(None, 5, 10, 20, 50),
        help="train on so many images of each class, which the seed chooses; on all of them when left out"))
    label_noise: float = _field(0.0, Number(
        label="label noise", role="data", fixed=True, simple=True, off=0,
        low=0, high=1, stops=(0, 0.1, 0.2, 0.4, 0.6),
        help="share of the training labels that are redrawn at random, some of them right by chance; "
             "validation and test stay clean"))
    backbone: str = _field("vgg16-mini", Choice(
        label="backbone", role="network", fixed=True, built_from=True, options=("vgg16-mini", "vgg16", "vgg16-micro"),
        help="the convolutional part of the network: VGG16, a quarter as wide, or a sixteenth; the last has no weights "
             "to start from"))
    weights: str | None = _field("pretrained", Text(
        label="weights", role="network", fixed=True, optional=True, is_path=True,
        suggestions=("pretrained", "imagenet", "none"),
        help="start from 'pretrained', from 'imagenet' (which may download it), from a weights file, "
             "or from none: random"))
    precision: str = _field("float32", Choice(
        label="precision", role="network", fixed=True, built_from=True, options=("float32", "bfloat16"),
        help="what the conv layers compute in; bfloat16 is faster where the processor has it"))
    head: str = _field("pooled", Choice(
        label="head", role="network", fixed=True, built_from=True, options=("pooled", "dense"),
        help="what follows the conv layers: pooled, global average pooling and Dense(128); or dense, VGG16's own "
             "Flatten and two wide Dense layers, as narrow as the backbone is"))
    unfreeze: int = _field(3, Number(
        label="unfreeze depth", role="network", simple=True, low=0, high=CONV_LAYERS, whole=True,
        help="how many conv layers train, counted from the top"))
    dropout: float = _field(0.0, Number(
        label="dropout", role="network", simple=True, holds_back=True, off=0,
        low=0, high=0.95, stops=(0, 0.25, 0.5, 0.75),
        help="fraction of the head's units switched off in training"))
    l2: float = _field(0.0, Number(
        label="L2", role="objective", simple=True, holds_back=True, off=0,
        low=0, high=1, stops=(0, 1e-4, 1e-3, 1e-2, 1e-1),
        help="weight penalty on the head's first dense layer alone"))
    weight_decay: float = _field(0.0, Number(
        label="weight decay", role="objective", holds_back=True, off=0,
        low=0, high=1, stops=(0, 5e-4, 5e-3, 0.02, 0.05, 0.1, 0.2),
        help="weight penalty on the kernels of all layers that learn; VGG16 was trained with 5e-4"))
    label_smoothing: float = _field(0.0, Number(
        label="label smoothing", role="objective", holds_back=True, off=0,
        low=0, high=0.9, stops=(0, 0.05, 0.1, 0.2, 0.4),
        help="how much of each target is spread evenly over all classes (Szegedy et al. 2016)"))
    class_weight: str = _field("none", Choice(
        label="class weight", role="objective", off="none", options=("none", "balanced"),
        help="'balanced' makes rare classes count as much as frequent ones: the loss of an image is multiplied by "
             "n / (classes * n of its class), that of a mixed one by the mean over its labels"))
    augment: tuple[tuple[str, float], ...] = _field((), Strengths(
        label="augmentation", role="images", simple=True, holds_back=True, random=True,
        help="names, as in flip,rotation=20,erasing"))
    fill_mode: str = _field("nearest", Choice(
        label="fill mode", role="images", idle=_no_rim, options=("nearest", "reflect", "wrap", "constant"),
        help="what fills the rim that a moved image leaves"))
    mixup: float = _field(0.0, Number(
        label="MixUp", role="images", simple=True, holds_back=True, random=True, off=0,
        low=0, high=32, stops=(0, 0.1, 0.2, 0.4, 1),
        help="alpha of the Beta distribution; 0 is off"))
    cutmix: float = _field(0.0, Number(
        label="CutMix", role="images", holds_back=True, random=True, off=0,
        low=0, high=32, stops=(0, 0.2, 0.5, 1),
        help="alpha of the Beta distribution; 0 is off"))
    views: int | None = _field(None, Number(
        label="views", unit="epochs", role="images", optional=True, off=None, idle=_nothing_random,
        low=1, high=1000, whole=True, stops=(None, 2, 4, 8, 16),
        help="draw so many augmented epochs once, keep what the frozen layers make of them, and reuse them in turn; "
             "new ones in every epoch when left out"))
    batch_size: int = _field(32, Number(
        label="batch size", role="images", low=1, high=4096, whole=True, stops=(8, 16, 32, 64, 128),
        help="images a step"))
    learning_rate: float = _field(5e-4, Number(
        label="learning rate", role="schedule",
        low=1e-8, high=1, stops=(1e-5, 3e-5, 1e-4, 3e-4, 5e-4, 1e-3, 3e-3, 1e-2),
        help="how far a step of Adam goes"))
    schedule: str = _field("constant", Choice(
        label="schedule", role="schedule", options=("constant", "cosine"),
        help="of the learning rate: constant, or cosine, which warms up in the first tenth of a phase "
             "and then falls to 0"))
    horizon: int | None = _field(None, Number(
        label="horizon", unit="epochs", role="schedule", optional=True, off=None, idle=_no_schedule,
        low=1, high=100_000, whole=True, stops=(None, 20, 50, 100),
        help="the epochs that the schedule is laid out for; those of the phase when left out"))
    patience: int | None = _field(None, Number(
        label="patience", unit="epochs", role="schedule", holds_back=True, optional=True, off=None,
        low=1, high=100_000, whole=True, stops=(None, 3, 5, 10),
        help="stop after so many epochs in which the monitored figure was not better and restore the best weights; "
             "never when left out"))
    monitor: str = _field("loss", Choice(
        label="monitor", role="schedule", idle=_no_patience,
        options=("loss", "accuracy", "balanced accuracy", "macro F1"),
        help="the figure of validation that patience waits for, and whose best epoch is kept"))
    epochs: int = _field(20, Number(
        label="epochs", role="schedule", is_own=True,
        low=1, high=100_000, whole=True, stops=(5, 10, 20, 30, 50, 100),
        help="passes over the training images"))
    seed: int = _field(0, Number(
        label="seed", role="schedule", fixed=True, low=0, high=2**31 - 1, whole=True,
        help="of the weights, the order of the images and every random change"))
    # fmt: on
    later: tuple[Experiment, ...] = ()

    def __new__(cls, *args: Any, **fields: Any) -> Experiment:
        # Before the dataclass's own TypeError, which does not say what was meant.
        for name in fields.keys() - {"later"}:
            toggle_of(name)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for name, toggle in FIELDS.items():
            object.__setattr__(self, name, toggle.check(name, getattr(self, name)))
        object.__setattr__(self, "later", _checked_phases(self))

    def __repr__(self) -> str:
        """The code that makes it: what is not at its default, and what each later phase changes."""
        plain = self.to_dict()
        given = {name: plain[name] for name, value in DEFAULTS.items() if plain[name] != value}
        calls = ["Experiment(" + _arguments(given), *(".then(" + _arguments(each) for each in plain["later"])]
        return "".join(call + ")" for call in calls)

    @property
    def phases(self) -> tuple[Experiment, ...]:
        """This run's phases in order, each an experiment of one phase."""
        return (dataclasses.replace(self, later=()), *self.later) if self.later else (self,)

    @property
    def planned_epochs(self) -> int:
        """The epochs of all phases together; early stopping and Stop make them fewer."""
        return sum(phase.epochs for phase in self.phases)

    def then(self, **changes: Any) -> Experiment:
        """This experiment followed by one more phase: the last one's fields, with `changes`.

        What a run keeps from its first phase to its last cannot change; `InputError`.
        """
        phase = _next(self.later[-1] if self.later else self, changes)
        return dataclasses.replace(self, later=(*self.later, phase))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; of each later phase only what it changed."""
        first, *later = (_plain(phase) for phase in self.phases)
        changed = [
            {name: value for name, value in after.items() if value != before[name]}
            for before, after in zip([first, *later], later)
        ]
        return first | dict(later=changed)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Experiment:
        """The experiment that `to_dict` wrote; `InputError` says what is no such thing."""
        first = {name: value for name, value in _mapping("an experiment", plain).items() if name != "later"}
        for name in first:
            toggle_of(name)
        phases, later = [cls(**first)], plain.get("later", ())
        if not isinstance(later, (list, tuple)):
            raise InputError(f"`later` must list what each phase changes. Received: {shown(later)}.")
        for changes in later:
            phases.append(_next(phases[-1], _mapping("each phase of `later`", changes)))
        return in_phases(phases)  # checked together once: to add them one by one takes the square of the time


FIELDS: dict[str, Toggle] = {
    each.name: each.metadata["toggle"] for each in dataclasses.fields(Experiment) if each.metadata
}


def _mapping(what: str, plain: Any) -> Mapping[str, Any]:
    if not isinstance(plain, Mapping):
        raise InputError(
            f"{what[0].upper()}{what[1:]} must be names of fields with their values. Received: {shown(plain)}."
        )
    return plain


def _next(phase: Experiment, changes: Mapping[str, Any]) -> Experiment:
    """The phase that follows one, with its changes; `InputError` for those of what the whole run keeps."""
    for name in changes:
        if toggle_of(name).fixed:
            raise InputError(
                f"`{name}` belongs to the whole run and cannot change in a later phase. "
                f"Received: {shown(changes[name])}."
            )
    return dataclasses.replace(phase, later=(), **changes)


def _checked_phases(experiment: Experiment) -> tuple[Experiment, ...]:
    phases = experiment.later if isinstance(experiment.later, Sequence) else (experiment.later,)
    if not all(isinstance(phase, Experiment) and not phase.later for phase in phases):
        raise InputError("`later` must hold experiments of one phase each; `experiment.then(...)` adds them.")
    for name in [name for name, toggle in FIELDS.items() if toggle.fixed]:
        values = [getattr(phase, name) for phase in (experiment, *phases)]
        if len(set(values)) > 1:
            raise InputError(f"`{name}` must be the same in all phases of a run. Received: {shown(values)}.")
    return tuple(phases)


def toggle_of(name: str) -> Toggle:
    """The record of a field; `InputError` with the nearest name where there is none."""
    if name not in FIELDS:
        raise unknown("field of an experiment", name, FIELDS)
    return FIELDS[name]


def _plain(phase: Experiment) -> dict[str, Any]:
    return {name: toggle.plain(getattr(phase, name)) for name, toggle in FIELDS.items()}


def _arguments(plain: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in plain.items())


DEFAULTS = _plain(Experiment())  # as plain values


def of_role(phase: Experiment, role: str) -> dict[str, Any]:
    """The plain values of a phase's fields of one role, by their names."""
    return {name: value for name, value in _plain(phase).items() if FIELDS[name].role == role}


def brakes(phase: Experiment, *, on: bool = True) -> list[str]:
    """The fields that hold a phase back, or those that would if they were on; what changes the images comes first."""
    names = [name for name, toggle in FIELDS.items() if toggle.holds_back]
    found = [name for name in names if FIELDS[name].is_on(getattr(phase, name)) == on]
    return sorted(found, key=lambda name: FIELDS[name].role != "images")


def random_changes(phase: Experiment) -> list[str]:
    """The fields through which chance changes a phase's training images."""
    return [name for name, each in FIELDS.items() if each.random and each.is_on(getattr(phase, name))]


def loaded_from(experiment: Experiment) -> dict[str, Any]:
    """What says which files become which images: the arguments of `load`, by their names, but for the seed."""
    return {name: getattr(experiment, name) for name, toggle in FIELDS.items() if toggle.loads}


def built_from(experiment: Experiment) -> tuple:
    """What the layers of its network are made from; experiments that agree in it can share one."""
    return tuple(getattr(experiment, name) for name, toggle in FIELDS.items() if toggle.built_from)


def traced_from(phase: Experiment) -> tuple:
    """What a traced training step depends on: all of the network that a phase may change."""
    network = [name for name, toggle in FIELDS.items() if toggle.role == "network" and not toggle.fixed]
    return tuple(getattr(phase, name) for name in network)


def is_random(phase: Experiment) -> bool:
    """Whether a phase trains on images that chance has changed."""
    return bool(random_changes(phase))


def without_effect(experiment: Experiment) -> list[str]:
    """A sentence for each field that was set and has no effect in any phase."""
    sentences = []
    for name, toggle in FIELDS.items():
        set_in = [
            phase for phase in experiment.phases if toggle.plain(getattr(phase, name)) != DEFAULTS[name]
        ]
        why = [toggle.why_idle(phase) for phase in set_in]
        if why and all(why):
            sentences.append(f"{toggle.label[0].upper()}{toggle.label[1:]} has no effect: {why[0]}.")
    return sentences


def never_trained(experiment: Experiment) -> int:
    """How many conv layers are frozen in every phase at the random weights that they start from."""
    deepest = max(phase.unfreeze for phase in experiment.phases)
    return CONV_LAYERS - deepest if experiment.weights is None else 0


def cautions(experiment: Experiment) -> list[str]:
    """A sentence for each thing that somebody who set this experiment probably did not mean."""
    layers = never_trained(experiment)
    frozen = (
        f"{layers} of the {CONV_LAYERS} conv layers are frozen at random weights, so they never learn to see. "
        f"Start from other weights, or set unfreeze depth to {CONV_LAYERS}."
    )
    return ([frozen] if layers else []) + without_effect(experiment)


def in_phases(phases: Sequence[Experiment]) -> Experiment:
    """One experiment of these phases, each an experiment of one phase; `phases` takes it apart again."""
    first, *later = phases
    return dataclasses.replace(first, later=tuple(later))


def followed_by(experiment: Experiment, phase: Experiment) -> Experiment:
    """The experiment with one more phase; `InputError` where that phase changes what the whole run keeps."""
    last = experiment.phases[-1]
    changed = [name for name in FIELDS if getattr(phase, name) != getattr(last, name)]
    return experiment.then(**{name: getattr(phase, name) for name in changed})


def with_seed(experiment: Experiment, seed: int) -> Experiment:
    """The experiment with another seed, in all of its phases."""
    return in_phases([dataclasses.replace(phase, seed=seed) for phase in experiment.phases])


def with_first(experiment: Experiment, **changes: Any) -> Experiment:
    """The experiment with changes in its first phase; of what the whole run keeps, in all of them."""
    kept = {name: value for name, value in changes.items() if FIELDS[name].fixed}
    first, *later = experiment.phases
    return in_phases(
        [dataclasses.replace(first, **changes), *(dataclasses.replace(each, **kept) for each in later)]
    )


def what_changed(before: Experiment, after: Experiment) -> list[str]:
    """The fields that a phase changed, each in a few words such as "MixUp on" or "L2 0.01"."""
    return [
        words
        for name, toggle in FIELDS.items()
        for words in toggle.changes(getattr(before, name), getattr(after, name))
    ]
