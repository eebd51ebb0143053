"""What is raised when something that was given cannot be used."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST = 200  # characters of what was received that an error repeats


class InputError(ValueError):
    """Something the user gave cannot be used; one sentence says what, and what would be right."""

    def _render_traceback_(self) -> list[str]:
        # IPython shows these lines instead of a stack of frames that the user did not write.
        return [f"{type(self).__name__}: {self}"]


def shown(value: object) -> str:
    """A value as an error repeats it: its repr on one line, cut short where it is long."""
    try:
        text = " ".join(repr(value).split())
    # What was given may be anything; Python itself refuses to write a whole number of over 4,300 digits.
    except Exception:
        text = f"something of type {type(value).__name__} that cannot be written out"
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}…{text[-LONGEST // 4 :]}"


def first_line(error: Exception) -> str:
    """What another library's error says in its first line, without the stop; its type where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def unknown(what: str, received: object, options: Iterable[str]) -> InputError:
    """The error for a name that is not one of `options`: the nearest one, or all of them."""
    options = list(options)
    near = difflib.get_close_matches(received if isinstance(received, str) else "", options, n=1)
    right = f"Did you mean '{near[0]}'?" if near else f"It must be one of: {', '.join(options)}."
    return InputError(f"Unknown {what}. Received: {shown(received)}. {right}")
