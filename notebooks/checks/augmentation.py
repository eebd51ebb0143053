"""Checks of lesson 04, what augmentation does: units, and changes that alter the label."""

from __future__ import annotations

import math
from collections.abc import Mapping

TURN, SLOPE = 45, 0.2  # of the generator in exercise 04.1
ABOUT = 0.5  # degrees; sine and tangent differ by less
WHY_LABELS = {  # does the change alter the label, and what to ask oneself
    "a": (True, "what does a 6 become when it is turned by half a turn?"),
    "b": (False, "is a digit another one when it stands a little to the side?"),
    "c": (False, "which way is up under a microscope?"),
    "d": (True, "what is left of the stain that names the cell when its colours change?"),
    "e": (True, "on which side is the affected lung after a flip?"),
    "f": (True, "where does the arrow of 'turn left' point after a flip?"),
    "g": (False, "does a sign mean something else at dusk?"),
}


def _units(answer: Mapping[str, float]) -> str | None:
    rotation, shear = float(answer["rotation"]), float(answer["shear"])
    if not math.isclose(rotation, TURN / 360, rel_tol=0.01):
        if math.isclose(rotation, TURN):
            return "the layer does not count in degrees: a whole turn is 1."
        if math.isclose(rotation, TURN / 180, rel_tol=0.01):
            return "a factor of 1 is a whole turn, not half of one."
        if math.isclose(rotation, math.radians(TURN), rel_tol=0.01):
            return "the layer does not count in radians: a whole turn is 1."
        return "look at the rotation again: which part of a whole turn is it?"
    if abs(shear - math.degrees(math.atan(SLOPE))) <= ABOUT:
        return None
    if shear < 1:
        return "look at the shear again: so few degrees give almost no slope at all."
    return "look at the shear again: which angle has a tangent of 0.2?"


def _labels(answer: set[str]) -> str | None:
    if isinstance(answer, str):
        answer = answer.replace(",", " ").split()
    chosen = set(answer)
    if unknown := chosen - WHY_LABELS.keys():
        return f"choose among the letters a to g, not {', '.join(sorted(map(str, unknown)))}."
    for letter, (alters, question) in WHY_LABELS.items():
        if alters != (letter in chosen):
            return f"look at {letter} again: {question}"
    return None


CHECKS = {"04.1": _units, "04.2": _labels}
