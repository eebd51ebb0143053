"""Lesson 08: arithmetic, memory and time of training VGG16, worked out before a run."""

from __future__ import annotations

import itertools
import math

from vgglab.architecture import BYTES, CONV_NAMES, Layer, layers_of

_SIDE = 224  # of the paper's images
_PASSES = 3  # of a training step in which every layer learns


def _dense(*sizes: int) -> int:
    return sum(inputs * outputs + outputs for inputs, outputs in itertools.pairwise(sizes))


def _convs(backbone: str, image_size: int) -> list[Layer]:
    return layers_of(backbone, image_size, 1000)[: len(CONV_NAMES)]


def _multiply_adds(backbone: str, image_size: int) -> int:
    return sum(layer.multiply_adds for layer in _convs(backbone, image_size))


def _is(answer: float, value: float) -> bool:
    return math.isclose(answer, value, rel_tol=0.01)


def _adam(answer, **given) -> str | None:
    convs = _convs("vgg16", _SIDE)
    top = _dense(7 * 7 * 512, 4096, 4096, 1000)
    weights = BYTES["float32"] * (sum(layer.parameters for layer in convs) + top) / 1e9
    answer = float(answer)
    if _is(answer, 4 * weights):
        return None
    if _is(answer, 4 * weights * 1e9) or _is(answer, 4 * weights * 1e3):
        return "the figure is right, but the unit is not: the question asks for GB, 10⁹ bytes."
    if _is(answer, 4 * weights * 1e9 / 2**30):
        return "that counts in 2³⁰ bytes; here a GB is 10⁹."
    if _is(answer, weights):
        return "there is one float for each parameter in this, but training keeps more than the weights."
    if _is(answer, 2 * weights):
        return "count again what is kept for every parameter: three kinds of things, one of them twice."
    if _is(answer, 3 * weights):
        return "one of the four is missing: Adam keeps two means, and a gradient is there as well."
    if _is(answer, 8 * 4 * weights):
        return "those are bits; a byte has eight."
    return (
        "multiply the parameters, the bytes of a float32, and the numbers that are kept for each parameter."
    )


def _fewer(answer, **given) -> str | None:
    small = 96
    right = _multiply_adds("vgg16", _SIDE) / _multiply_adds("vgg16", small)
    side = _SIDE / small
    answer = float(answer)
    if math.isclose(answer, right, rel_tol=0.02):
        return None
    if math.isclose(answer, side, rel_tol=0.02):
        return "that is the ratio of the sides; a filter is used at every pixel, in both directions."
    if math.isclose(answer, side**3, rel_tol=0.02):
        return "the number of filters does not change with the size of the image."
    if math.isclose(answer, 1 / right, rel_tol=0.02):
        return "that is what is left; the question asks how many times fewer."
    if answer == 1:
        return "the parameters stay the same, but each is used at fewer pixels."
    return "compare the numbers of pixels."


def _days(answer, **given) -> str | None:
    from vgglab.measures import facts

    days = facts.gpu_days(100_000, 50)
    right = days * _multiply_adds("vgg16", 2 * _SIDE) / _multiply_adds("vgg16", _SIDE)
    answer = float(answer)
    if math.isclose(answer, right, rel_tol=0.02):
        return None
    if math.isclose(answer, days, rel_tol=0.02):
        return "that is for images of 224 pixels; these are larger."
    if math.isclose(answer, 2 * days, rel_tol=0.02):
        return "the side is doubled, and the pixels grow in both directions."
    if math.isclose(answer, right / _PASSES, rel_tol=0.02):
        return "that is the forward pass alone; training goes backwards as well."
    if math.isclose(answer, 24 * right, rel_tol=0.02):
        return "those are hours."
    return "take the days at 224 pixels, and ask by how much the arithmetic of an image grows."


_WHY_NOT = {
    "a": "the dense layers hold the parameters, but how much of the arithmetic do they do?",
    "b": "that saves a lot, but something else saves more: count channels in and channels out.",
    "d": "the forward pass is still there, and that is one of three.",
    "e": "there are fewer images in a step, but more steps.",
}


def _savings() -> dict[str, float]:
    """How many times less arithmetic each change of exercise 08.4 leaves."""
    convs = _multiply_adds("vgg16", _SIDE)
    top = 7 * 7 * 512 * 4096 + 4096 * 4096 + 4096 * 1000
    pooled = 512 * 128 + 128 * 1000
    return {
        "a": (convs + top) / (convs + pooled),
        "b": convs / _multiply_adds("vgg16", _SIDE // 2),
        "c": convs / _multiply_adds("vgg16-mini", _SIDE),
        "d": _PASSES * (convs + top) / (convs + _PASSES * top),
        "e": 1.0,
    }


def _most(answer, **given) -> str | None:
    savings = _savings()
    letter = answer.strip().lower()
    if letter == max(savings, key=savings.get):
        return None
    return _WHY_NOT.get(letter, f"answer with one letter, one of {', '.join(savings)}.")


CHECKS = {"08.1": _adam, "08.2": _fewer, "08.3": _days, "08.4": _most}
