"""The exercises' checks: `check("02.1", answer)` says whether an answer is right, and if not, what to look at."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from vgglab.errors import unknown

LESSONS = {
    "00": "start",
    "01": "anatomy",
    "02": "gap",
    "03": "regularisers",
    "04": "augmentation",
    "05": "choosing",
    "06": "mixing",
    "07": "unfreezing",
    "08": "cost",
    "09": "dashboard",
    "10": "own_images",
}
Checker = Callable[..., str | None]


def check(exercise: str, answer: object = ..., **given: object) -> str:
    """Whether the answer to an exercise, such as "02.1", is right; a sentence.

    `given` is what the notebook hands over for the check, histories for example. An answer of `...` is
    none yet. `InputError` for an exercise that there is not.
    """
    checker = checkers(exercise[:2]).get(exercise)
    if checker is None:
        raise unknown("exercise", exercise, [name for lesson in LESSONS for name in checkers(lesson)])
    if answer is ...:
        return f"Exercise {exercise}: put your answer in place of the dots, and run the cell again."
    try:
        wrong = checker(answer, **given)
    except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
        wrong = f"that is not the kind of answer that was asked for ({error})."
    return f"Exercise {exercise}: not yet, {wrong}" if wrong else f"Exercise {exercise}: right."


def checkers(lesson: str) -> dict[str, Checker]:
    """The checks of a lesson by their exercises; each returns None, or what is wrong with an answer."""
    if lesson not in LESSONS:
        return {}
    return importlib.import_module(f"checks.{LESSONS[lesson]}").CHECKS
