"""Wherever a lesson is named by its number, that lesson is there, and is about what the sentence is about."""

import re
import subprocess

import nbformat
import pytest

from checks import LESSONS
from conftest import ROOT

NOTEBOOKS = {path.name[:2]: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
NAMED = re.compile(r"\b[Ll]essons? (\d\d)(?: and (\d\d))?\b")
# What the words around a number must be about, when they say what to find there.
ABOUT = {
    "00": "start|such a run|second|seed",
    "01": "anatomy|parameter|receptive|filter|sit",
    "02": "gap|surer|intervals?|rule|narrow|micro",
    "03": "brake|L2|dropout|label|penalty|weight",
    "04": "augment|chang|label|generator|mirror|scratch|plain network",
    "05": "augment|chang|strength|nuisance|narrow",
    "06": "mix|logged|clean|scratch",
    "07": "freez|depth|rate|fine-tun|deep|test",
    "08": "cost|arithmetic|memory|time|comput|fast|batch|days",
    "09": "dashboard",
    "10": "photograph|image|split|folder|interval|goes all",
}


def texts():
    """The text files of the project, by their path; not what was true of an earlier version."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("no repository here")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        here = name.startswith(("tests/course/test_numbers", "tests/course/lessons/", "CHANGELOG"))
        if (
            path.suffix in (".py", ".md", ".ipynb", ".jinja", ".js", ".html", ".toml")
            and path.is_file()
            and not here
        ):
            yield name, path.read_text(encoding="utf-8")


def test_every_lesson_that_is_named_is_there_and_is_about_that():
    found = 0
    for name, text in texts():
        for mention in NAMED.finditer(text):
            around = text[max(0, mention.start() - 240) : mention.end() + 240]
            for number in filter(None, mention.groups()):
                assert number in NOTEBOOKS, f"{name}: {mention[0]}"
                assert re.search(ABOUT[number], around, re.IGNORECASE), (
                    f"{name}: {mention[0]} is not about {ABOUT[number]}"
                )
                found += 1
    assert found > 30


def test_every_notebook_that_is_named_is_there():
    names = {path.name for path in NOTEBOOKS.values()}
    for name, text in texts():
        for mentioned in re.findall(r"\b(?:0\d|10)_[a-z0-9_]+\.ipynb", text):
            # The shelf's tests keep runs in folders named after a notebook, whatever its name.
            assert mentioned in names or name == "tests/test_shelf.py", f"{name}: {mentioned}"


@pytest.mark.parametrize("number", LESSONS)
def test_the_parts_of_a_lesson_bear_its_number(number):
    code = "\n".join(
        cell.source
        for cell in nbformat.read(NOTEBOOKS[number], as_version=4).cells
        if cell.cell_type == "code"
    )
    assert set(re.findall(r'lesson_claims\("(\d\d)"\)', code)) <= {number}
    assert set(re.findall(r'check\("(\d\d)\.', code)) == {number}
    checks = (ROOT / "notebooks" / "checks" / f"{LESSONS[number]}.py").read_text(encoding="utf-8")
    assert NAMED.search(checks)[1] == number
    assert set(re.findall(r'"(\d\d)\.\d"', checks)) == {number}
    tried = (ROOT / "tests" / "course" / "lessons" / f"lesson_{number}.py").read_text(encoding="utf-8")
    assert NAMED.search(tried)[1] == number


@pytest.mark.parametrize("page", ["README.md", "notebooks/00_start_here.ipynb"])
def test_a_table_of_lessons_links_each_number_with_its_notebook(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\| (\d\d) \| \[[^\]]+\]\((?:notebooks/)?(\d\d)_(\w+)\.ipynb\)", text)
    assert all(number == named for number, named, _ in links)
    assert {number for number, *_ in links} >= NOTEBOOKS.keys() - {"00"}
