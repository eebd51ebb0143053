"""The sheets of paper: in step with the lessons, and one page of A4 each when a browser prints them."""

import re

import pytest

from conftest import ROOT
from recipe.sheets import FOLDER, SHEETS, sheet_of

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_sheet_is_in_step_with_its_lesson(path):
    page = (FOLDER / f"{path.name[:2]}.html").read_text(encoding="utf-8")
    assert page == sheet_of(path), "write the sheets again: `PYTHONPATH=data python -m recipe.sheets`"
    asked = len(re.findall(r"Guess(?:Number|Choice)\(", path.read_text(encoding="utf-8")))
    assert page.count("<td></td><td></td>") == asked
    assert page.count('class="ask"') == 3 and page.count("<li>") >= 3
    assert not re.search(r"(src|href)=|url\(", page), "a sheet asks nothing of the network"


def test_each_lesson_has_a_sheet_and_no_sheet_is_left_over():
    numbers = [path.name[:2] for path in NOTEBOOKS]
    assert list(SHEETS) == numbers == sorted(path.stem for path in FOLDER.iterdir())


@pytest.mark.slow
def test_each_sheet_is_printed_on_one_page(browser):
    page = browser.new_page()
    for path in sorted(FOLDER.glob("*.html")):
        page.goto(path.as_uri())
        printed = page.pdf(prefer_css_page_size=True)
        sizes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", printed)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1, path.name
        assert {(round(float(wide)), round(float(high))) for wide, high in sizes} == {(595, 842)}, "A4"
