"""What is raised when something that was given cannot be used."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Something the user gave cannot be used; one sentence says what, and what would be right."""

    def _render_traceback_(self) -> list[str]:
        # IPython shows these lines instead of a stack of frames that the user did not write.
        return [f"{type(self).__name__}: {self}"]


def unknown(what: str, received: object, options: Iterable[str]) -> InputError:
    """The error for a name that is not one of `options`: the nearest one, or all of them."""
    options = list(options)
    near = difflib.get_close_matches(str(received), options, n=1)
    right = f"Did you mean '{near[0]}'?" if near else f"It must be one of: {', '.join(options)}."
    return InputError(f"Unknown {what}. Received: {received!r}. {right}")
