"""Phrases that read as translated, and are gone from what users read."""

import re

import pytest

from conftest import ROOT

TEXTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "data/studies/README.md",
    *(ROOT / "vgglab").rglob("*.py"),
]


@pytest.mark.parametrize(
    "phrase", ["gone round", "thousand million", "who(ever)? always say", "holds? it against"]
)
def test_translated_phrases_are_gone(phrase):
    words = re.compile(phrase.replace(" ", r"[\s\"f]+"), re.IGNORECASE)
    assert [str(path) for path in TEXTS if words.search(path.read_text(encoding="utf-8"))] == []
