"""The checks of the exercises: they know a wrong answer. Right ones are tried in the notebooks themselves."""

import importlib

import pytest

from checks import LESSONS, check, checkers
from conftest import ROOT
from vgglab.errors import InputError

TRIED = {
    path.stem.removeprefix("lesson_"): importlib.import_module(f"lessons.{path.stem}")
    for path in sorted((ROOT / "tests" / "course" / "lessons").glob("lesson_*.py"))
}
WRONG = [each for lesson in TRIED.values() for each in lesson.WRONG]
RIGHT = [each for lesson in TRIED.values() for each in getattr(lesson, "RIGHT", ())]


@pytest.mark.parametrize(("exercise", "answer", "given"), WRONG)
def test_a_wrong_answer_is_rejected_with_a_hint(exercise, answer, given):
    said = check(exercise, answer, **given)
    assert said.startswith(f"Exercise {exercise}: not yet, ") and len(said) > 35


@pytest.mark.parametrize(("exercise", "answer", "given"), RIGHT)
def test_a_right_answer_is_accepted(exercise, answer, given):
    assert check(exercise, answer, **given) == f"Exercise {exercise}: right."


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_exercise_was_tried_with_wrong_answers(lesson):
    assert 1 <= len(checkers(lesson)) <= 4
    for exercise in checkers(lesson):
        assert exercise.startswith(lesson)
        assert len([each for each in WRONG if each[0] == exercise]) >= 2


def test_no_answer_yet():
    assert "put your answer in place of the dots" in check("02.1")


def test_an_exercise_that_there_is_not():
    with pytest.raises(InputError, match="Did you mean '02.1'"):
        check("02.11", 3)
