"""Files: those that come with the project, and those that are whole or absent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A file beside `path`, with its suffixes, to write to; it takes the name `path` when the block has ended well."""
    stem, dot, suffixes = path.name.partition(".")
    beside = path.with_name(f"{stem}.{os.getpid()}.part{dot}{suffixes}")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write a text file that is whole or absent, in UTF-8."""
    with written_whole(path) as beside:
        beside.write_text(text, encoding="utf-8")


def shipped(name: str) -> Path:
    """Where a part of `data` is: beside the package in a checkout, inside it when installed from a wheel."""
    package = Path(__file__).parent
    places = [root / "data" / name for root in (package, package.parent)]
    return next((place for place in places if place.is_dir()), places[-1])
