"""What the course needs of a machine: what is there, what is missing, and how to mend it.

What has to be there is read from the installed project's own requirements, so that there is no second list.
Nothing that might be missing is imported with this module.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vgglab.files import shipped
from vgglab.weights import PRETRAINED

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

OLDEST, NEWEST = (3, 11), (3, 13)
_INSTALL = "`make env` installs it, or: pip install --requirement requirements.lock"
_INSTALL_PROJECT = "`make env` installs it, or, in the checkout: pip install --no-deps --editable ."
_IN_WORDS = {">=": "{} or newer", ">": "newer than {}", "<": "older than {}", "!=": "not {}", "==": "{}"}


@dataclass(frozen=True)
class Point:
    """One thing that was looked at: `mend` says what to do, and is empty when nothing is wrong."""

    what: str
    found: str
    mend: str = ""


class Checkup(list[Point]):
    """All points; printed as a list, the ones to mend marked."""

    @property
    def fine(self) -> bool:
        return not any(point.mend for point in self)

    def __repr__(self) -> str:
        lines = []
        for point in self:
            lines.append(f"{'✗' if point.mend else '✓'} {point.what}: {point.found}")
            if point.mend:
                lines.append(f"    {point.mend}")
        lines.append(
            "Everything is there." if self.fine else "Mend what is marked, restart the kernel, try again."
        )
        return "\n".join(lines)


def check_setup(
    version: Callable[[str], str] = importlib.metadata.version,
    requires: Callable[[str], list[str] | None] = importlib.metadata.requires,
) -> Checkup:
    """Look at Python, the packages, the project's own files and the processor.

    `version` and `requires` give the version of a package and what it requires, as in `importlib.metadata`;
    both raise `PackageNotFoundError` where it is not installed.
    """
    return Checkup([_python(), *_packages(version, requires), *_files(), _cores()])


def _python() -> Point:
    found = ".".join(map(str, sys.version_info[:3]))
    right = OLDEST <= sys.version_info[:2] <= NEWEST
    return Point(
        "Python", found, "" if right else "Use Python 3.11, 3.12 or 3.13: make lab PYTHON=/path/to/python"
    )


def _packages(version: Callable[[str], str], requires: Callable[[str], list[str] | None]) -> Iterator[Point]:
    """What the project requires on this machine, without its extras."""
    try:
        asked = requires("vgglab") or []
    except importlib.metadata.PackageNotFoundError:
        # It can be imported, from a checkout on the path, but nothing says what it requires.
        yield Point("vgglab", "not installed, so the packages were not looked at", _INSTALL_PROJECT)
        return
    try:
        from packaging.requirements import Requirement
    except ImportError:
        yield Point("packaging", "missing, so the other packages were not looked at", _INSTALL)
        return
    for requirement in map(Requirement, asked):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield _package(requirement.name, requirement.specifier, version)


def _package(name: str, right: SpecifierSet, version: Callable[[str], str]) -> Point:
    try:
        found = version(name)
    except importlib.metadata.PackageNotFoundError:
        return Point(name, "missing", _INSTALL)
    if right.contains(found, prereleases=True):
        return Point(name, found)
    return Point(name, found, f"Needed: {_words(right)}. {_INSTALL}")


def _words(right: SpecifierSet) -> str:
    """`>=6.29,!=7.0.*` as "6.29 or newer, not 7.0.*", what it must be before what it must not."""
    clauses = sorted(right, key=lambda clause: (clause.operator == "!=", clause.version))
    return ", ".join(
        _IN_WORDS.get(clause.operator, f"{clause.operator} {{}}").format(clause.version) for clause in clauses
    )


def _files() -> list[Point]:
    return [
        _there("embedded weights", PRETRAINED),
        _there("flowers", shipped("blossoms")),
        _there("tables of the study", shipped("studies")),
        _there("pictures of the source task", shipped("source_task")),
    ]


def _there(what: str, place: Path) -> Point:
    if place.exists():
        return Point(what, "here")
    return Point(what, "missing", "The checkout is not whole; clone it again.")


def _cores() -> Point:
    cores = os.cpu_count() or 1
    return Point(
        "processor cores", str(cores), "" if cores > 1 else "With one core a cell may take two minutes."
    )
