"""What each line of a run's record may hold: types, ranges, and what has to be there.

Records come from other people, from other versions, and from runs that were cut off. What passes here, charts, tables,
the diagnosis and cards can take as it is. `vgglab.record_reader` reads whole records.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct, ValidationError, convert, defstruct
from msgspec.structs import fields

from vgglab.errors import shown

SINGLE = 3.5e38  # no float32 is larger
_MOST = 10**12  # of anything that is counted

Row = dict[str, Any]  # of one epoch, by `COLUMNS`
Place = Annotated[int, Meta(ge=1, le=_MOST)]
Count = Annotated[int, Meta(ge=0, le=_MOST)]
Share = Annotated[float, Meta(ge=0, le=1)]
Loss = Annotated[float, Meta(ge=-SINGLE, le=SINGLE)]
Drift = Annotated[float, Meta(ge=-0.001, le=1.001)]  # with room for rounding


class Epoch(Struct):
    """A row of a run of `train`; what has a default, weights without a source task and older versions lack."""

    epoch: Place  # 1, 2, ... over all phases
    phase: Place  # the number of its phase: 1, 2, ...
    # Clean: inference mode, unaugmented, on a fixed slice of train, against the labels that are trained on, wrong ones
    # included.
    train_accuracy: Share
    validation_accuracy: Share
    gap: Annotated[float, Meta(ge=-1, le=1)]  # train_accuracy - validation_accuracy
    train_loss: Loss  # cross-entropy on the same clean slice, without the weight penalty
    validation_loss: Loss
    logged_accuracy: Share  # what Keras logs: a running mean over augmented, mixed, dropped-out batches
    logged_loss: Loss  # the same, weight penalty included
    learning_rate: Share  # 1 at most
    seconds: Annotated[float, Meta(ge=0, le=_MOST)]  # of the epoch, evaluation included
    source_accuracy: Share | None = None  # on the task of the embedded weights, with its own head
    # 1 - linear CKA of each block's features on the clean slice, from the run's start: `forgetting.drift`
    drift_block1: Drift | None = None
    drift_block2: Drift | None = None
    drift_block3: Drift | None = None
    drift_block4: Drift | None = None
    drift_block5: Drift | None = None
    memorised: Share | None = None  # of the clean slice's wrong labels, the share that the network says
    # Of validation, with the same weight for each class, however many images it has: `measures.class_counts`
    validation_balanced_accuracy: Share | None = None
    validation_macro_f1: Share | None = None


COLUMNS = Epoch.__struct_fields__
MEASURED = tuple(each.name for each in fields(Epoch) if each.required)  # in every run
DRIFT = tuple(name for name in COLUMNS if name.startswith("drift_block"))


def watched(monitor: str) -> str:
    """The column of a figure that `Experiment.monitor` names."""
    return f"validation_{monitor.lower().replace(' ', '_')}"


def is_low(monitor: str) -> bool:
    """Whether a monitored figure is the better the lower it is."""
    return monitor == "loss"


# A row of `LiveCurves`: what was not logged is NaN, and what diverged may be infinite.
FitEpoch: type[Struct] = defstruct(
    "FitEpoch",
    [
        (each.name, each.type if each.name in ("epoch", "phase") else float)
        if each.required
        else (each.name, float | None, None)
        for each in fields(Epoch)
    ],
)


class Event(Struct):
    """What happened after so many epochs; where weights were restored, those of which."""

    epoch: Count
    kind: str
    text: str
    kept_epoch: Place | None = None


class Layer(Struct):
    """How far a layer moved in a phase; None where its weights are no longer numbers."""

    phase: Place
    layer: str
    trainable: bool
    moved: Annotated[float, Meta(ge=0, le=SINGLE)] | None


class Tested(Struct):
    """What came out on the test part; what has a default, older versions lack, and runs of very many classes."""

    accuracy: Share
    loss: Loss
    calibration_error: Share
    images: Place
    balanced_accuracy: Share | None = None
    macro_f1: Share | None = None
    confusion: list[list[Count]] | None = None  # true classes down, given ones across
    auc: list[Share | None] | None = None  # of each class against the rest, None where it has none
    auc_interval: list[Share] | None = None  # of their mean, or of two classes of the second's


class Said(Struct):
    """What the weights of an epoch say of the validation images, one row of probabilities for each."""

    epoch: Place
    images: str
    labels: Annotated[list[Count], Meta(min_length=1)]
    probabilities: list[list[Share]]


class Images(Struct):
    """What `Dataset.describe` says; a record made by hand may say less."""

    name: str = ""
    classes: list[str] = []
    image_size: Count = 0
    train: Count = 0
    validation: Count = 0
    train_counts: list[Count] = []
    validation_counts: list[Count] = []
    wrong_labels: Count = 0
    skipped: Count = 0
    fingerprint: str = ""


class Head(Struct, forbid_unknown_fields=True):
    """The first line."""

    experiment: dict[str, Any]
    data: dict[str, Any] = {}
    versions: dict[str, str] = {}


class Replaced(Struct, forbid_unknown_fields=True):
    """The experiment as it became, in place of the one before: a control was moved on the way."""

    experiment: dict[str, Any]


ROWS: dict[str, type[Struct]] = dict(epoch=Epoch, event=Event, layer=Layer, test=Tested, validation=Said)
FIT_ROWS = ROWS | dict(epoch=FitEpoch)  # of a run that vgglab did not set up


_IN_WORDS = {
    "float": "a number",
    "int": "a whole number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "names with values",
    "null": "null",
}


def check(value: Any, schema: type[Struct]) -> None:
    """A ValueError unless a value is as the schema says; what the schema does not name must hold nothing deep."""
    try:
        convert(value, schema)
    except ValidationError as error:
        raise ValueError(_in_words(str(error), value)) from None
    for name in value.keys() - set(schema.__struct_fields__):
        parts = value[name] if isinstance(value[name], list) else [value[name]]
        if any(isinstance(part, (dict, list)) for part in parts):
            raise ValueError(f"`{name}` is {shown(value[name])}, and must be a number or text")


def _in_words(error: str, value: Any) -> str:
    """What msgspec says of a value, in the middle of a sentence."""
    said, _, path = error.partition(" - at `$")
    if field := re.search("missing required field (`.*`)", said):
        return f"{field[1]} is missing"
    if field := re.search("unknown field (`.*`)", said):
        return f"{field[1]} has no place in it"
    name = re.match(r"\.(\w+)", path)
    what, received = (f"`{name[1]}`", value[name[1]]) if name else ("a row", value)
    if not said.startswith("Expected "):
        return f"{what} is {shown(received)}, which is out of range"
    right = re.sub("`(.*)`", _named, said.removeprefix("Expected ").partition(", got")[0])
    right = right.replace(">=", "of at least").replace("<=", "of at most")
    return f"{what} is {shown(received)}, and {'each part of it' if '[' in path else 'it'} must be {right}"


def _named(types: re.Match[str]) -> str:
    return " or ".join(_IN_WORDS.get(each, each) for each in types[1].split(" | "))


def kept_row(epochs: Sequence[Row], events: Sequence[dict[str, Any]]) -> Row | None:
    """The row of the epoch whose weights a run ended with: the last one, unless early stopping went back to another."""
    restored = [event for event in events if event["kind"] == "restored"]
    if restored and restored[-1]["epoch"] == len(epochs):
        return epochs[restored[-1]["kept_epoch"] - 1]
    return epochs[-1] if epochs else None
