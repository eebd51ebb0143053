"""An experiment as a short line of text: `unfreeze=3&l2=0.01&augment=rotation:20,flip&then&mixup=0.2`.

It stands in the address of a served page, so that a link restores all settings, and in a cell as it is. What is at its
default is left out; each `then` begins a phase, of which only the changes stand there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from vgglab.errors import InputError, shown
from vgglab.experiment import DEFAULTS, FIELDS, Experiment, toggle_of
from vgglab.image_changes import SHORTHAND
from vgglab.toggles import AUGMENTATIONS, Number, Strengths, Text, Toggle

LONGEST = 20_000  # characters; servers take addresses of 64,000
THEN, NONE = "then", "none"
_OF_THE_SERVER = ("token",)  # what else stands behind the "?" of a page's address


def code_of(experiment: Experiment) -> str:
    """The experiment as text of letters, digits and signs that an address may have; "" when all is at its default.

    `InputError` where it has so many phases that no address would hold them.
    """
    first, *later = _steps(experiment.to_dict())
    parts = _settings({name: value for name, value in first.items() if value != DEFAULTS[name]})
    for changes in later:
        parts += [THEN, *_settings(changes)]
    code = "&".join(parts)
    if len(code) > LONGEST:
        raise InputError(
            f"An experiment of {len(later) + 1:,} phases is too long for a link: its code has {len(code):,} "
            f"characters, and may have {LONGEST:,}."
        )
    return code


def experiment_of(code: str) -> Experiment:
    """The experiment that a code, or the address of a page with one in it, stands for.

    `InputError` says what is no code: a name that is no field, a value out of range, a setting without a value.
    """
    if not isinstance(code, str):
        raise InputError(f"A code must be text such as 'unfreeze=3&l2=0.01'. Received: {shown(code)}.")
    text = code.strip().rpartition("?")[2].partition("#")[0]
    if len(text) > LONGEST:
        raise InputError(f"A code may have {LONGEST:,} characters. Received: {len(text):,}.")
    steps: list[dict[str, Any]] = [{}]
    for part in text.split("&"):
        if part == THEN:
            steps.append({})
        elif part and part.partition("=")[0] not in _OF_THE_SERVER:
            _take(part, steps[-1])
    return Experiment.from_dict(steps[0] | dict(later=steps[1:]))


def shared_experiment(code: str) -> Experiment:
    """The experiment of a code that anybody may have sent; `InputError` where it names a file or a folder.

    Otherwise whoever sends a link would choose what a server reads.
    """
    experiment = experiment_of(code)
    for name, toggle in FIELDS.items():
        value = getattr(experiment, name)
        if isinstance(toggle, Text) and value is not None and value not in toggle.suggestions:
            names = " or ".join(f"'{each}'" for each in toggle.suggestions)
            raise InputError(
                f"`{name}` must be {names} in a link, because a page opens no file that a link names. "
                f"Received: {shown(value)}."
            )
    return experiment


def _steps(plain: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields of the first phase, and then what each later one changes."""
    return [{name: value for name, value in plain.items() if name in FIELDS}, *plain["later"]]


def _settings(plain: Mapping[str, Any]) -> list[str]:
    return [f"{name}={_written(value)}" for name, value in plain.items()]


def _written(value: Any) -> str:
    """A plain value of a field; `_read` takes it back."""
    if value is None or value == {}:
        return NONE
    if isinstance(value, Mapping):
        return ",".join(_strength(name, strength) for name, strength in value.items())
    # A name of a file may hold bytes that are no UTF-8.
    return quote(value, safe="/~", errors="surrogatepass") if isinstance(value, str) else _number(value)


def _strength(name: str, strength: float) -> str:
    return name if strength == AUGMENTATIONS[name].default else f"{name}:{_number(strength)}"


def _number(value: float) -> str:
    """The shortest text that is read as the same number."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def _take(part: str, step: dict[str, Any]) -> None:
    """Add what a part such as "l2=0.01" says to the changes of a phase."""
    # An address may have been written anew on its way, with %3A for a colon and the like.
    try:
        name, equals, value = unquote(part, errors="surrogatepass").partition("=")
    except UnicodeDecodeError:
        raise InputError(f"A code must be UTF-8 text. Received: {shown(part)}.") from None
    toggle = toggle_of(name)
    if not equals:
        raise InputError(f"`{name}` must have a value in a code, as in '{name}=…'. Received: {shown(part)}.")
    if name in step:
        raise InputError(
            f"`{name}` must stand in a code once a phase, and '&{THEN}&' begins the next phase. "
            f"Received: {shown(step[name])} and {shown(value)}."
        )
    step[name] = _read(name, toggle, value)


def _read(name: str, toggle: Toggle, text: str) -> Any:
    """The value that a text stands for; what is none stays text, which the experiment then refuses by its name."""
    if isinstance(toggle, Strengths):
        return "" if text == NONE else _each_once(name, text.replace(":", "="))
    if text == NONE and toggle.optional:
        return None
    if isinstance(toggle, Number):
        try:
            return toggle.kind(text)
        except ValueError:
            return text
    return text


def _each_once(name: str, text: str) -> str:
    """The text as it is; `InputError` where a name stands in it twice, for only one of its strengths could count."""
    named = [part.partition("=")[0].strip() for part in text.split(",")]
    changes = [each for given in named for each in SHORTHAND.get(given, (given,)) if given]
    twice = next((each for each in changes if changes.count(each) > 1), None)
    if twice is not None:
        raise InputError(
            f"`{name}` must have each name once in a phase of a code. Received: {shown(twice)} more than once, "
            f"in {shown(text.replace('=', ':'))}."
        )
    return text
