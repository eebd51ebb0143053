"""What the lines of a record must have in common with each other, beyond what each of them may hold by itself."""

from __future__ import annotations

import math
from typing import Any

from vgglab.errors import shown
from vgglab.record import SINGLE, Images, Row, check


def check_images(data: dict[str, Any]) -> None:
    """A ValueError unless what is said of the images holds together."""
    check(data, Images)
    for part in ("train", "validation"):
        counts = data.get(f"{part}_counts", [])
        if counts and (len(counts) != len(data.get("classes", [])) or not any(counts)):
            raise ValueError(f"`{part}_counts` is {shown(counts)}, and must count the images of each class")
    if data.get("wrong_labels", 0) > data.get("train", math.inf):
        raise ValueError(f"`wrong_labels` is {data['wrong_labels']}, more than there are in train")


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
        if isinstance(value, (int, float)) and SINGLE < abs(value) != math.inf:
            raise ValueError(f"`{name}` is {shown(value)}, and must be a float32")
