"""The style sheets and scripts of our widgets, each after what all of them share."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent


def source(name: str) -> str:
    """A style sheet or a script that stands beside this module.

    Text, not a path: for a path anywidget keeps a hold of every instance, which is then never freed.
    """
    return (_HERE / name).read_text(encoding="utf-8")


def styled(name: str) -> str:
    """A style sheet after that of the colours."""
    return source("theme.css") + source(name)


def scripted(name: str) -> str:
    """A script after what all of ours share."""
    return source("keys.js") + source(name)
