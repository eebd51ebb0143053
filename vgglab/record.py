"""What each line of a run's record may hold: types, ranges, and what has to be there.

Records come from other people, from other versions, and from runs that were cut off. What passes here, charts, tables,
the diagnosis and cards can take as it is. `vgglab.record_reader` reads whole records.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct, ValidationError, convert, defstruct
from msgspec.structs import fields

from vgglab.errors import shown

_SINGLE = 3.5e38  # no float32 is larger
_MOST = 10**12  # of anything that is counted

Row = dict[str, Any]  # of one epoch, by `COLUMNS`
Place = Annotated[int, Meta(ge=1, le=_MOST)]
Count = Annotated[int, Meta(ge=0, le=_MOST)]
Share = Annotated[float, Meta(ge=0, le=1)]
Loss = Annotated[float, Meta(ge=-_SINGLE, le=_SINGLE)]
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
    moved: Annotated[float, Meta(ge=0, le=_SINGLE)] | None


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


def check_images(data: dict[str, Any]) -> None:
    """A ValueError unless what is said of the images holds together."""
    check(data, Images)
    for part in ("train", "validation"):
        counts = data.get(f"{part}_counts", [])
        if counts and (len(counts) != len(data.get("classes", [])) or not any(counts)):
            raise ValueError(f"`{part}_counts` is {shown(counts)}, and must count the images of each class")
    if data.get("wrong_labels", 0) > data.get("train", math.inf):
        raise ValueError(f"`wrong_labels` is {data['wrong_labels']}, more than there are in train")


def kept_row(epochs: Sequence[Row], events: Sequence[dict[str, Any]]) -> Row | None:
    """The row of the epoch whose weights a run ended with: the last one, unless early stopping went back to another."""
    restored = [event for event in events if event["kind"] == "restored"]
    if restored and restored[-1]["epoch"] == len(epochs):
        return epochs[restored[-1]["kept_epoch"] - 1]
    return epochs[-1] if epochs else None


def check_said(said: dict[str, Any], data: dict[str, Any], kept: Row | None) -> None:
    """A ValueError unless what is said of the validation images goes with itself, the images and the kept row."""
    labels, probabilities = said["labels"], said["probabilities"]
    images = data.get("validation") or len(labels)
    if not len(labels) == len(probabilities) == images:
        raise ValueError(
            f"it has {len(labels)} `labels` and {len(probabilities)} `probabilities`, and must have {images} of each"
        )
    classes = len(data.get("classes") or probabilities[0])
    for label, of_each in zip(labels, probabilities):
        if len(of_each) != classes or not abs(sum(of_each) - 1) < 0.001:  # with room for rounding
            raise ValueError(
                f"an image has the `probabilities` {shown(of_each)}, and must have {classes} of the sum 1"
            )
        if label >= classes:
            raise ValueError(f"a label is {label}, and must be 0 to {classes - 1}")
    if kept is None or said["epoch"] != kept["epoch"]:
        counts = f"the weights that count are of epoch {kept['epoch']}" if kept else "the run has none"
        raise ValueError(f"`epoch` is {said['epoch']}, and {counts}")


def check_tested(tested: dict[str, Any], data: dict[str, Any]) -> None:
    """A ValueError unless what is said of the classes of the test part goes with its images and its accuracy."""
    counts, auc = tested.get("confusion"), tested.get("auc")
    classes = len(data.get("classes") or counts or auc or ())
    if auc is not None and len(auc) != classes:
        raise ValueError(f"`auc` has {len(auc)} numbers, and must have one for each of {classes} classes")
    if (between := tested.get("auc_interval")) is not None and (len(between) != 2 or between[0] > between[1]):
        raise ValueError(f"`auc_interval` is {shown(between)}, and must be a lower and an upper end")
    if counts is None:
        return
    if [len(row) for row in counts] != [classes] * classes:
        raise ValueError(f"`confusion` must have a row and a column for each of {classes} classes")
    images, right = sum(map(sum, counts)), sum(row[place] for place, row in enumerate(counts))
    if images != tested["images"] or abs(right / images - tested["accuracy"]) > 1e-6:
        raise ValueError(
            f"`confusion` counts {images} images, {right} of them right, and must count {tested['images']} with an "
            f"accuracy of {tested['accuracy']:.4%}"
        )


def check_single(row: Row) -> None:
    """A ValueError for a number that Keras, whose numbers are float32, cannot have logged, and no chart can draw."""
    for name, value in row.items():
        if isinstance(value, (int, float)) and _SINGLE < abs(value) != math.inf:
            raise ValueError(f"`{name}` is {shown(value)}, and must be a float32")
