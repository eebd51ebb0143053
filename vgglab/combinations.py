"""Which runs a sweep is made of: settings, each with several seeds, and what of them is one run in effect."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any

from vgglab.errors import InputError, shown
from vgglab.experiment import FIELDS, Experiment, in_phases, toggle_of, with_first, with_seed
from vgglab.files import expanded
from vgglab.toggles import Text

LATER = "later"  # names what the later phases change, among the names of fields


def grid(experiment: Experiment | None = None, /, **values: Iterable[Any]) -> list[Experiment]:
    """An experiment for every combination of these values of its fields; the last field changes fastest.

    `experiment` gives the other fields, the defaults where it is left out. Each field takes a list of values, as in
    `grid(unfreeze=[0, 3, 13], learning_rate=[1e-3, 1e-4])`; an `augment` of several changes is one value, as in
    `augment=[(), ("flip", "rotation")]`. In an experiment of several phases the first one changes, and of what the
    whole run keeps, all. `InputError` for a field that there is not, for no value, and for one that is given twice.
    """
    base = Experiment() if experiment is None else experiment
    if not isinstance(base, Experiment):
        raise InputError(f"`experiment` must be an Experiment. Received: {shown(base)}.")
    lists = [_values(name, given) for name, given in values.items()]
    return [with_first(base, **dict(zip(values, each))) for each in itertools.product(*lists)]


def _values(name: str, given: Any) -> list[Any]:
    """The values of a field, as an experiment keeps them."""
    toggle = toggle_of(name)
    if isinstance(given, (str, Mapping)) or not isinstance(given, Iterable):
        raise InputError(f"`{name}` must be a list of values. Received: {shown(given)}.")
    found = [toggle.check(name, each) for each in given]
    if not found:
        raise InputError(f"`{name}` must have at least one value. Received: none.")
    for place, value in enumerate(found):
        if value in found[:place]:
            raise InputError(f"`{name}` has the value {toggle.written(value)} twice; each may come once.")
    return found


def checked_experiments(experiments: Experiment | Iterable[Experiment]) -> list[Experiment]:
    """Those to sweep over, each once; `InputError` for none, and for what is no experiment."""
    given = [experiments] if isinstance(experiments, Experiment) else experiments
    if isinstance(given, (str, Mapping)) or not isinstance(given, Iterable):
        raise InputError(
            f"`experiments` must be a list of Experiments, such as `grid` makes. Received: {shown(given)}."
        )
    found = list(given)
    for each in found:
        if not isinstance(each, Experiment):
            raise InputError(f"Each of `experiments` must be an Experiment. Received: {shown(each)}.")
    if not found:
        raise InputError("`experiments` must have at least one Experiment. Received: none.")
    settings: dict[Experiment, Experiment] = {}
    for each in found:  # those that differ in their seeds alone are one setting
        settings.setdefault(with_seed(each, 0), each)
    return [*settings.values()]


def checked_seeds(seeds: int | Sequence[int], first: int = 0) -> Sequence[int]:
    """The seeds in turn: so many from the first on, or those that are given; `InputError` for what is none."""
    check = FIELDS["seed"].check
    number = int(seeds) if isinstance(seeds, Integral) and not isinstance(seeds, bool) else 0
    if number > 0:
        check("seed", first + number - 1)
        return range(first, first + number)
    found = [check("seed", each) for each in seeds] if isinstance(seeds, Iterable) else []
    if not found or len(set(found)) < len(found):
        raise InputError(
            f"`seeds` must be a number of at least 1, or different seeds. Received: {shown(seeds)}."
        )
    return found


def in_effect(experiment: Experiment) -> Experiment:
    """The experiment with every field that has no effect at its default: runs that are equal in it are one run."""
    return in_phases([_without_idle(phase) for phase in experiment.phases])


def _without_idle(phase: Experiment) -> Experiment:
    idle: dict[str, Any] = {
        each.name: each.default
        for each in dataclasses.fields(phase)
        if each.name in FIELDS and FIELDS[each.name].why_idle(phase)
    }
    return dataclasses.replace(phase, **idle)


def planned_runs(experiments: Sequence[Experiment], seeds: Sequence[int]) -> list[Experiment]:
    """Every run once, however many settings share it: all of a first seed before any of a second."""
    runs: dict[Experiment, Experiment] = {}
    for seed in seeds:
        for each in experiments:
            run = with_seed(each, seed)
            runs.setdefault(in_effect(run), run)
    return [*runs.values()]


def paths_of(experiment: Experiment) -> dict[str, str]:
    """The files and folders that the experiment names, by the field."""
    fields = {name: each for name, each in FIELDS.items() if isinstance(each, Text) and each.is_path}
    values = {name: getattr(experiment, name) for name in fields}
    return {
        name: value
        for name, value in values.items()
        if value is not None and value not in fields[name].suggestions
    }


def with_whole_paths(experiment: Experiment) -> Experiment:
    """The experiment with its files and folders named from the root on, as a process that works elsewhere needs it."""
    whole = {name: os.path.abspath(expanded(value)) for name, value in paths_of(experiment).items()}
    return with_first(experiment, **whole)


def varied(experiments: Sequence[Experiment]) -> list[str]:
    """The fields in which these experiments differ, their seeds left aside; `LATER` where their later phases do."""
    fields = [name for name in FIELDS if name != "seed" and len({getattr(e, name) for e in experiments}) > 1]
    return fields + ([LATER] if len({later_words(each) for each in experiments}) > 1 else [])


def later_words(experiment: Experiment) -> str:
    """What the later phases change, in code, as in "then(unfreeze=3)"; "none" without one."""
    _, *later = repr(experiment).split(").then(")
    return f"then({'), then('.join(later)}" if later else "none"


def setting_words(experiment: Experiment, names: Iterable[str]) -> str:
    """What an experiment has of some fields, as in "unfreeze depth 3, learning rate 0.001"."""
    words = [
        later_words(experiment)
        if name == LATER
        else f"{FIELDS[name].label} {FIELDS[name].written(getattr(experiment, name))}"
        for name in names
    ]
    return ", ".join(words) or "one setting"


def counted(number: int, what: str) -> str:
    """As in "1 run" and "2 runs"."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")
