"""The dashboards that are open in this kernel: a few, because ipywidgets itself lets none of its widgets go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import ipywidgets as widgets

AT_MOST = 8


class Board(Protocol):
    """A dashboard, as far as it matters here."""

    @property
    def running(self) -> bool: ...
    def close(self) -> None: ...


_OPEN: list[Board] = []  # the oldest first


def count_in(board: Board, say: Callable[[str], object] = print) -> None:
    """Count a new dashboard in; where there are too many, the oldest without a run is closed, and it is said."""
    _OPEN.append(board)
    idle = [each for each in _OPEN[:-1] if not each.running]
    for oldest in idle[: max(0, len(_OPEN) - AT_MOST)]:
        oldest.close()
        say(f"The oldest dashboard of this notebook was closed, because at most {AT_MOST} are kept open.")


def count_out(board: Board) -> None:
    """A dashboard is closed; one that was not counted in is no error."""
    _OPEN[:] = [each for each in _OPEN if each is not board]


def parts(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    """A widget after all that it is made of, its layout and style too."""
    for name in widget.keys:
        value = getattr(widget, name)
        for each in value if isinstance(value, (tuple, list)) else (value,):
            if isinstance(each, widgets.Widget):
                yield from parts(each)
    yield widget
