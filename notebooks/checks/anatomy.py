"""Lesson 01: parameters, multiply-adds and receptive fields of VGG16, counted by hand."""

from __future__ import annotations

import math

from vgglab.architecture import BLOCKS, CONV_NAMES, layers_of

_UNITS = 4096  # of VGG16's first dense layer
_SIDE = 64  # of the images in exercise 01.4


def _parameters(answer, **given) -> str | None:
    layers = {layer.name: layer for layer in layers_of("vgg16", 224, 1000)}
    right = layers["block3_conv1"].parameters
    before, filters = BLOCKS[1][0], BLOCKS[2][0]
    answer = float(answer)
    if answer == right:
        return None
    if answer == right - filters:
        return "the weights are right, but every filter has a bias as well."
    if answer in (9 * filters, 10 * filters):
        return "a filter has a 3 × 3 patch for each of the channels that come in, not a single one."
    if answer == layers["block3_conv2"].parameters or answer == layers["block3_conv2"].parameters - filters:
        return "that is the layer above: what comes in here is from block 2."
    if answer in (before * filters, before * filters + filters):
        return "a filter covers 3 × 3 pixels, not one."
    return "multiply the pixels of a filter, the channels in and the filters, and count the biases."


def _doubled(answer, **given) -> str | None:
    small, large = (layers_of("vgg16", side, 1000)[: len(CONV_NAMES)] for side in (224, 448))
    right = [
        sum(getattr(layer, what) for layer in large) / sum(getattr(layer, what) for layer in small)
        for what in ("parameters", "multiply_adds")
    ]
    parameters, multiply_adds = (float(each) for each in answer)
    if math.isclose(multiply_adds, right[0]) and math.isclose(parameters, right[1]):
        return "the order is parameters first, multiply-adds second."
    if not math.isclose(parameters, right[0]):
        return "does the formula for the parameters of a convolutional layer mention the size of the image?"
    if math.isclose(multiply_adds, 2):
        return "the side doubles in both directions."
    if not math.isclose(multiply_adds, right[1]):
        return "count the pixels at which each weight is used."
    return None


def _fields() -> dict[str, int]:
    """The receptive field after every conv layer and pooling."""
    field, jump, fields, names = 1, 1, {}, iter(CONV_NAMES)
    for block, (_, convs) in enumerate(BLOCKS, 1):
        for _ in range(convs):
            field += 2 * jump
            fields[next(names)] = field
        field, jump = field + jump, 2 * jump
        fields[f"block{block}_pool"] = field
    return fields


def _receptive_field(answer, **given) -> str | None:
    fields = _fields()
    answer = float(answer)
    if answer == fields["block3_conv3"]:
        return None
    if answer == 1 + 2 * (CONV_NAMES.index("block3_conv3") + 1):
        return "that leaves the poolings out: after each of them a step is twice as long."
    if answer == fields["block3_pool"]:
        return "that is after the pooling of block 3; the question ends at its last convolutional layer."
    name = next((name for name, side in fields.items() if side == answer), None)
    if name:
        return f"that is the receptive field of {name}."
    return (
        "go from layer to layer: a filter adds twice the jump, a pooling adds the jump once and doubles it."
    )


def _flattened(answer, **given) -> str | None:
    channels, side = BLOCKS[-1][0], _SIDE // 2 ** len(BLOCKS)
    right = side**2 * channels * _UNITS + _UNITS
    answer = float(answer)
    if answer == right:
        return None
    if answer == right - _UNITS:
        return "the weights are right, but every output has a bias as well."
    if answer in (7**2 * channels * _UNITS + _UNITS, 7**2 * channels * _UNITS):
        return "that is the layer for images of 224 pixels."
    if answer in (channels * _UNITS + _UNITS, channels * _UNITS):
        return "that is the layer after global average pooling: Flatten keeps all places."
    if answer in (side * channels * _UNITS + _UNITS, side * channels * _UNITS):
        return "the places that are left have a height and a width."
    if answer in (_SIDE**2 * channels * _UNITS + _UNITS, _SIDE**2 * channels * _UNITS):
        return "each of the five poolings halves the side before Flatten sees it."
    return "how many numbers come out of block5_pool? Each has a weight to each of the outputs."


CHECKS = {"01.1": _parameters, "01.2": _doubled, "01.3": _receptive_field, "01.4": _flattened}
