"""What the course needs of a machine: what is there, what is missing, and how to mend it.

Imports nothing that might be missing.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vgglab.files import shipped
from vgglab.weights import PRETRAINED

OLDEST, NEWEST = (3, 11), (3, 13)
# Oldest version of each package that the course is written for, as in pyproject.toml.
PACKAGES = {
    "tensorflow": "2.21",
    "keras": "3.15",
    "numpy": "2.0",
    "pillow": "11",
    "pandas": "2.2",
    "scipy": "1.13",
    "matplotlib": "3.9",
    "seaborn": "0.13",
    "jupyterlab": "4.2",
    "ipywidgets": "8.1.5",
    "ipykernel": "6.29",
}
_INSTALL = "`make env` installs it, or: pip install --requirement requirements.lock"


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


def check_setup(version: Callable[[str], str] = importlib.metadata.version) -> Checkup:
    """Look at Python, the packages, the project's own files and the processor.

    `version` gives the version of a package, or raises `PackageNotFoundError`.
    """
    return Checkup(
        [
            _python(),
            *(_package(name, oldest, version) for name, oldest in PACKAGES.items()),
            *_files(),
            _cores(),
        ]
    )


def _python() -> Point:
    found = ".".join(map(str, sys.version_info[:3]))
    right = OLDEST <= sys.version_info[:2] <= NEWEST
    return Point(
        "Python", found, "" if right else "Use Python 3.11, 3.12 or 3.13: make lab PYTHON=/path/to/python"
    )


def _package(name: str, oldest: str, version: Callable[[str], str]) -> Point:
    try:
        found = version(name)
    except importlib.metadata.PackageNotFoundError:
        return Point(name, "missing", _INSTALL)
    if _numbers(found) < _numbers(oldest):
        return Point(name, found, f"{oldest} or newer is needed. {_INSTALL}")
    if name == "ipykernel" and _numbers(found)[:2] == (7, 0):
        return Point(name, found, f"7.0 loses widget updates. {_INSTALL}")
    return Point(name, found)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", version)[:3])


def _files() -> list[Point]:
    return [
        _there("embedded weights", PRETRAINED),
        _there("flowers", shipped("blossoms")),
        _there("tables of the study", shipped("studies")),
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
