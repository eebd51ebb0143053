"""The reference of the site: every public name has an example, and every example runs."""

import doctest
import importlib.util
import re

import matplotlib.pyplot as plt
import pytest

import vgglab
from conftest import ROOT

PAGES = sorted(page for page in (ROOT / "docs" / "pages" / "reference").glob("*.md") if page.stem != "index")
SECTION = re.compile(r"^## `(\w+)`$", re.M)
EXAMPLE = re.compile(r"^```pycon\n(.*?)^```$", re.M | re.S)


def sections():
    """The name and the text of each section of the reference."""
    for page in PAGES:
        _, *parts = SECTION.split(page.read_text(encoding="utf-8"))
        yield from zip(parts[::2], parts[1::2], strict=True)


def test_no_module_takes_the_place_of_a_public_name():
    # `from vgglab import grid` would be the module, and not the function in it.
    assert [name for name in vgglab.__all__ if importlib.util.find_spec(f"vgglab.{name}")] == []


def test_every_public_name_has_one_section():
    assert sorted(name for name, _ in sections()) == sorted(vgglab.__all__)


@pytest.mark.parametrize("name, text", list(sections()), ids=[name for name, _ in sections()])
def test_the_example_of_a_name_uses_it(name, text):
    lines = [
        line[4:]
        for each in EXAMPLE.findall(text)
        for line in each.splitlines()
        if line[:4] in (">>> ", "... ")
    ]
    assert any(re.search(rf"\b{name}\b", line) for line in lines if not line.startswith(("from ", "import ")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    names, said = {}, []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for example in EXAMPLE.finditer(text):
        line = text.count("\n", 0, example.start(1))
        test = doctest.DocTestParser().get_doctest(example[1], names, page.stem, str(page), line)
        runner.run(test, out=said.append, clear_globs=False)
        names.update(test.globs)
    plt.close("all")
    assert not runner.failures, "".join(said)
    assert runner.tries
