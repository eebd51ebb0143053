"""What a field of an experiment says about itself: one record, from which everything else derives.

The command line, the panel, the key of the cache, the words for a phase, the diagnosis and the exported script read
these records; none of them has a list of field names of its own.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

from vgglab.errors import InputError, shown, unknown
from vgglab.files import readable
from vgglab.image_changes import AUGMENTATIONS, SHORTHAND

Role = Literal["data", "images", "network", "objective", "schedule"]
ALWAYS_ON = object()
# The settings of the ImageDataGenerator in the text that the course is built on.
GENERATOR = dict(rotation=20, width_shift=0.2, height_shift=0.2, shear=0.2, zoom=0.2, flip=1)


@dataclass(frozen=True, kw_only=True)
class Toggle:
    """One field: `label` and `unit` for people, `help` in one line.

    `role` is the part of a run that it belongs to: "data" (which images there are), "images" (how those to train on
    are batched and changed), "network", "objective" (what a training step lowers: a number reaches it under its name)
    or "schedule". A `fixed` one is kept for the whole run; one that `is_own` belongs to each phase anew, so that
    another value is no news. `load` takes one that it `loads` by. The layers of the network are made from those it is
    `built_from`. One that `holds_back` is a brake on overfitting while it is on, that is, not at its `off` value;
    through one that is `random` chance changes the training images. An `optional` one may be None. `idle` gives the
    reason why it has no effect in an experiment, or "". `flag` is its name on the command line, where that is another.
    One that is `simple` stands on the dashboard before somebody asks for all of them. On the command line a
    comma is part of a value that `holds_commas`, and stands between two values otherwise.
    """

    label: str
    help: str
    role: Role
    unit: str = ""
    fixed: bool = False
    is_own: bool = False
    loads: bool = False
    built_from: bool = False
    holds_back: bool = False
    random: bool = False
    optional: bool = False
    off: Any = ALWAYS_ON
    idle: Callable[[Any], str] | None = None
    flag: str = ""
    simple: bool = False
    holds_commas: bool = False

    def check(self, name: str, value: Any) -> Any:
        """The value as an experiment keeps it; `InputError` when it cannot be one."""
        raise NotImplementedError

    @property
    def kind(self) -> type:
        """What a word of the command line is read as; `check` judges the value."""
        return str

    @property
    def choices(self) -> str:
        """What it may be, in a few words for the command line."""
        return ""

    def why_idle(self, experiment: Any) -> str:
        """Why the field has no effect in an experiment, or ""."""
        return self.idle(experiment) if self.idle else ""

    def is_on(self, value: Any) -> bool:
        """Whether a value is not the one that switches it off."""
        return self.off is ALWAYS_ON or value != self.off

    def plain(self, value: Any) -> Any:
        """The value as JSON has it."""
        return value

    def written(self, value: Any) -> str:
        """The value as people write it."""
        return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)

    def changes(self, was: Any, now: Any) -> list[str]:
        """What a phase changed, in a few words such as "MixUp on" or "L2 0.01"."""
        if was == now or self.is_own:
            return []
        if not self.is_on(now):
            return [f"{self.label} off"]
        return [f"{self.label} {self.written(now) if self.is_on(was) else 'on'}"]


@dataclass(frozen=True, kw_only=True)
class Number(Toggle):
    """From `low` to `high`, both included; `stops` are the places of its slider, where it moves in steps."""

    low: float
    high: float
    whole: bool = False
    stops: tuple[float | None, ...] = ()

    def __post_init__(self) -> None:
        if self.optional and not self.stops:
            raise TypeError(f"The {self.label} may be None, which only a slider with `stops` can show.")

    def check(self, name: str, value: Any) -> Any:
        if value is None and self.optional:
            return None
        number = None
        if isinstance(value, Real) and not isinstance(value, bool):
            number = _whole(value) if self.whole else _float(value)
        if number is None or not self.low <= number <= self.high:
            kind = "a whole number, " if self.whole and number is None else ""
            none = " or None" if self.optional else ""
            raise InputError(
                f"`{name}` must be {kind}{self.low:g} to {self.high:g}{none}. Received: {shown(value)}."
            )
        return number

    @property
    def kind(self) -> type:
        return int if self.whole else float

    @property
    def choices(self) -> str:
        return f"{self.low:g} to {self.high:g}"


def _whole(value: Real) -> int | None:
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return None


def _float(value: Real) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None


@dataclass(frozen=True, kw_only=True)
class Choice(Toggle):
    """One of `options`."""

    options: tuple[str, ...]

    def check(self, name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in self.options:
            raise unknown(self.label, value, self.options)
        return str(value)

    @property
    def choices(self) -> str:
        return " or ".join(self.options)


@dataclass(frozen=True, kw_only=True)
class Text(Toggle):
    """A name or a path, such as one of `suggestions`; "none", for the command line, is none.

    One that `is_path` names a file or a folder wherever it is no suggestion.
    """

    suggestions: tuple[str, ...] = ()
    is_path: bool = False
    holds_commas: bool = True

    def check(self, name: str, value: Any) -> str | None:
        text = os.fspath(value) if isinstance(value, os.PathLike) else value
        if self.optional and (text is None or (isinstance(text, str) and text == "none")):
            return None
        if not isinstance(text, str) or not text:
            raise InputError(f"`{name}` must be a name or a path. Received: {shown(value)}.")
        return str(text)

    def written(self, value: str | None) -> str:
        return "none" if value is None else readable(value)


@dataclass(frozen=True, kw_only=True)
class Strengths(Toggle):
    """Names of `AUGMENTATIONS` with their strengths, kept as pairs in the table's order."""

    off: Any = ()
    holds_commas: bool = True

    def check(self, name: str, value: Any) -> tuple[tuple[str, float], ...]:
        if isinstance(value, str):  # "none", for the command line, is none
            value = [part for part in value.split(",") if part.strip()] if value.strip() != "none" else []
        pairs = (
            value.items()
            if isinstance(value, Mapping)
            else [_pair(name, item) for item in _items(name, value)]
        )
        strengths = {each: strength for given, strength in pairs for each in SHORTHAND.get(given, (given,))}
        checked = {each: _strength(each, strength) for each, strength in strengths.items()}
        return tuple((each, checked[each]) for each in AUGMENTATIONS if each in checked)

    def plain(self, value: Any) -> dict[str, float]:
        return dict(value)

    def written(self, value: Any) -> str:
        return (
            ", ".join(AUGMENTATIONS[name].named(strength) for name, strength in dict(value).items()) or "none"
        )

    def changes(self, was: Any, now: Any) -> list[str]:
        was, now = dict(was), dict(now)
        words = [f"{AUGMENTATIONS[name].label} on" for name in now if name not in was]
        words += [f"{AUGMENTATIONS[name].label} off" for name in was if name not in now]
        others = [name for name in now if was.get(name, now[name]) != now[name]]
        return words + [AUGMENTATIONS[name].named(now[name]) for name in others]


def _items(name: str, value: Any) -> tuple[Any, ...]:
    try:
        return tuple(value)
    except TypeError:
        right = "must be names such as ('flip', 'rotation')"
        raise InputError(f"`{name}` {right}. Received: {shown(value)}.") from None


def _pair(name: str, item: Any) -> tuple[str, Any]:
    """("rotation", 20), "rotation=20" and "rotation" all name a change; the last has its default strength."""
    if isinstance(item, str):
        change, _, strength = item.partition("=")
        return change.strip(), strength.strip() or None
    pair = _items(name, item)
    if len(pair) != 2 or not isinstance(pair[0], str):
        raise InputError(
            f"`{name}` must be names, or pairs such as ('rotation', 20). Received: {shown(item)}."
        )
    return pair


def _strength(name: str, strength: Any) -> float:
    if name not in AUGMENTATIONS:
        raise unknown("augmentation", name, [*AUGMENTATIONS, *SHORTHAND])
    rule = AUGMENTATIONS[name]
    try:
        number = float(rule.default if strength is None or strength is True else strength)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or not rule.low <= number <= rule.high or number == 0:
        right = (
            f"must be {rule.low:g} to {rule.high:g} ({rule.unit}) and not 0"
            if rule.high > rule.low
            else "has no strength but 1"
        )
        raise InputError(f"augmentation '{name}' {right}. Received: {shown(strength)}.")
    return number
