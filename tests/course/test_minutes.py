"""The minutes that each lesson names: its measured running time, and the time to read it by one stated rule."""

import re

import nbformat
import pytest

from conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
GUIDE = (ROOT / "notebooks" / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d\d) \| (\d+) s \| (\d+) \| (\d+) \|$", GUIDE, re.MULTILINE)
# The rule, as the guide states it.
WORDS_A_MINUTE, A_CODE_CELL, A_GUESS, AN_EXERCISE = 200, 0.5, 1, 4
TO_THE_NEXT = 5


def reading(path):
    """Minutes to read a lesson, guess and do the exercises, without the time that its cells run."""
    cells = nbformat.read(path, as_version=4).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    words = len(re.sub(r"<details>.*?</details>", "", prose, flags=re.DOTALL).split())
    guesses = len(re.findall(r"Guess(?:Number|Choice)\(", "\n".join(code)))
    exercises = len(re.findall(r"check\(\"", "\n".join(code)))
    return words / WORDS_A_MINUTE + A_CODE_CELL * len(code) + A_GUESS * guesses + AN_EXERCISE * exercises


def test_the_guide_has_a_row_for_each_lesson_and_states_the_rule():
    assert [row[0] for row in ROWS] == [path.stem[:2] for path in NOTEBOOKS]
    rule = "200 words a minute, half a minute a code cell, a minute a prediction and four minutes an exercise"
    assert rule in " ".join(GUIDE.split())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_time_is_what_was_measured_and_the_rule(path):
    ((seconds, alone, taught),) = [row[1:] for row in ROWS if row[0] == path.stem[:2]]
    prose = nbformat.read(path, as_version=4).cells[0].source
    stated = int(re.search(r"\*\*Time:\*\* about (\d+) minutes", prose)[1])
    minutes = int(seconds) / 60 + reading(path)
    assert stated == int(alone) and stated % TO_THE_NEXT == 0
    assert abs(stated - minutes) <= TO_THE_NEXT / 2 + 1, f"about {minutes:.0f} minutes"
    assert int(taught) % TO_THE_NEXT == 0


@pytest.mark.parametrize(
    "plan", re.findall(r"^## (?:Half|A full).*?(?=^## )", GUIDE, re.MULTILINE | re.DOTALL)
)
def test_a_plan_has_no_hole_and_is_as_long_as_it_says(plan):
    hours, minutes = re.search(r"\((\d) h (\d+) min", plan).groups()
    rows = re.findall(r"^\| (\d):(\d\d) \| (\d+) \|", plan, re.MULTILINE)
    now = 0
    for hour, minute, lasts in rows:
        assert now == 60 * int(hour) + int(minute)
        now += int(lasts)
    assert rows and now == 60 * int(hours) + int(minutes)
