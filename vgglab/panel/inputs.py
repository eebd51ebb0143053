"""Inputs that a screen reader can name, say the value of, and move by its keys: a slider, a choice, a fold.

Those of ipywidgets give a slider no name and, for a value, its place in the list; and a fold no key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import anywidget
import ipywidgets as widgets
import traitlets

from vgglab.panel.styles import scripted, styled


class _Input(anywidget.AnyWidget):
    """What both share: a name, what it says when pointed at, and whether it can be moved."""

    _css = styled("inputs.css")

    description = traitlets.Unicode().tag(sync=True)
    tooltip = traitlets.Unicode().tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)


class Slider(_Input):
    """A slider over chosen values; `value` is the one it stands at.

    `stops` are the values in any order, `written` gives the words for one. A value that is set and is no stop yet
    becomes one. None stands before all numbers.
    """

    _esm = scripted("slider.js")

    labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    index = traitlets.Int(0).tag(sync=True)
    value = traitlets.Any()

    def __init__(
        self, stops: Iterable[Any], value: Any, written: Callable[[Any], str] = str, **options: Any
    ) -> None:
        self._written = written
        self._stops = _ordered([*stops, value])
        super().__init__(
            labels=[written(each) for each in self._stops],
            index=self._stops.index(value),
            value=value,
            **options,
        )

    @traitlets.validate("index")
    def _within(self, proposal: dict[str, Any]) -> int:
        return min(max(proposal["value"], 0), len(self._stops) - 1)

    @traitlets.observe("index")
    def _moved(self, change: dict[str, Any]) -> None:
        self.value = self._stops[change["new"]]

    @traitlets.observe("value")
    def _set(self, change: dict[str, Any]) -> None:
        value = change["new"]
        with self.hold_sync():
            if value not in self._stops:
                self._stops = _ordered([*self._stops, value])
                self.labels = [self._written(each) for each in self._stops]
            self.index = self._stops.index(value)


def _ordered(values: Iterable[Any]) -> list[Any]:
    return sorted(set(values), key=lambda value: float("-inf") if value is None else value)


class Segments(_Input):
    """One of a few words, which all are seen at once; `index` is the place of the one that is chosen."""

    _esm = scripted("segments.js")

    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    tooltips = traitlets.List(traitlets.Unicode()).tag(sync=True)
    index = traitlets.Int(0).tag(sync=True)


class _Disclosure(_Input):
    _esm = scripted("disclosure.js")

    is_open = traitlets.Bool(False).tag(sync=True)


class Fold(widgets.VBox):
    """What stands under a heading that opens and closes it; `is_open` says whether it is seen."""

    is_open = traitlets.Bool(False)

    def __init__(self, heading: str, inside: Sequence[widgets.Widget], is_open: bool = False) -> None:
        self._heading = _Disclosure(description=heading, is_open=is_open)
        self._inside = widgets.VBox(inside)
        super().__init__([self._heading, self._inside], is_open=is_open)
        traitlets.link((self._heading, "is_open"), (self, "is_open"))
        show(self._inside, is_open)

    @traitlets.observe("is_open")
    def _opened(self, change: dict[str, Any]) -> None:
        show(self._inside, change["new"])


def show(widget: widgets.DOMWidget, is_seen: bool) -> None:
    """Put a widget on the page, or take it off without letting go of it."""
    widget.layout.display = "" if is_seen else "none"
