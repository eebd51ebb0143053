"""How much memory images may take: what is free on this machine and within the limits that it sets this process."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from numbers import Real
from pathlib import Path

import psutil

from vgglab.errors import InputError, shown

GB = 10**9
VARIABLE = "VGGLAB_IMAGE_MEMORY"
SHARE = 0.5  # of the free memory
CGROUPS = Path("/sys/fs/cgroup")
CGROUPS_OF_THIS = Path("/proc/self/cgroup")
_UNLIMITED = 2**60  # what version 1 writes for no limit is a little more


def image_memory(given: float | None = None) -> int:
    """How many bytes images may take in memory.

    `given` in GB, or else what the variable VGGLAB_IMAGE_MEMORY says in GB, or else half of what is free. `InputError`
    for what is no number from 0 on.
    """
    said = os.environ.get(VARIABLE, "").strip()
    if given is not None:
        return _bytes("memory", given)
    return _bytes(VARIABLE, said) if said else int(SHARE * free_memory())


def _bytes(name: str, given: object) -> int:
    try:
        number = float(given) if isinstance(given, Real | str) and not isinstance(given, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not 0 <= number < math.inf:
        raise InputError(f"`{name}` must be a number of GB, 0 or more. Received: {shown(given)}.")
    return int(number * GB)


def free_memory() -> int:
    """Bytes that this process can take: of the machine, and of each control group that it is in."""
    return max(0, min([psutil.virtual_memory().available, *_left_in_groups()]))


def _left_in_groups() -> Iterator[int]:
    """What each control group with a limit has left: https://docs.kernel.org/admin-guide/cgroup-v2.html and v1/memory.

    Files that the system has read ahead, and would drop, count as free.
    """
    for folder, limit, usage, kept in _groups():
        try:
            most, used = (int((folder / name).read_text()) for name in (limit, usage))
            lines = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        except (OSError, ValueError):  # no such group, or "max": no limit
            continue
        if most < _UNLIMITED:
            yield most - used + int(lines.get(kept, 0))


def _groups() -> Iterator[tuple[Path, str, str, str]]:
    """The folders of the memory groups of this process, from its own up, with the names of their files."""
    try:
        lines = CGROUPS_OF_THIS.read_text().splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        _, _, kind_and_path = line.partition(":")
        kind, _, path = kind_and_path.partition(":")
        if kind and "memory" not in kind.split(","):
            continue
        root = CGROUPS / "memory" if kind else CGROUPS
        own = root / path.lstrip("/")
        names = (
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            if kind
            else ("memory.max", "memory.current", "inactive_file")
        )
        # A container may see its own group as the root, whatever the path says.
        for folder in [own, *(each for each in own.parents if each.is_relative_to(root))]:
            yield folder, *names
