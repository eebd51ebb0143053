"""The random changes of images as rows: a switch for each, and a slider for how strong it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import anywidget
import traitlets

from vgglab.image_changes import AUGMENTATIONS
from vgglab.panel.styles import scripted, styled


class StrengthRows(anywidget.AnyWidget):
    """A row for each of `AUGMENTATIONS`; `value` holds the names and strengths of those that are on.

    One that is switched off keeps its strength, and moving the slider of one that is off switches it on, so that a
    move is seen. `states` says of each row, in the table's order, whether it is on and at which of its stops; a
    strength that is set and is no stop yet becomes one.
    """

    _esm = scripted("strengths.js")
    _css = styled("strengths.css")

    description = traitlets.Unicode().tag(sync=True)
    tooltip = traitlets.Unicode().tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)
    rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    states = traitlets.List(traitlets.Tuple(traitlets.Bool(), traitlets.Int())).tag(sync=True)
    value = traitlets.Tuple()

    def __init__(self, value: Iterable[tuple[str, float]] = (), **options: Any) -> None:
        value = tuple(value)
        self._stops = {name: list(rule.stops) for name, rule in AUGMENTATIONS.items()}
        self._add_stops(value)
        strengths = {name: rule.default for name, rule in AUGMENTATIONS.items()} | dict(value)
        super().__init__(
            rows=self._in_words(), states=self._states(dict(value), strengths), value=value, **options
        )

    @property
    def strengths(self) -> dict[str, float]:
        """The strength of every change, whether it is on or off."""
        return {name: self._stops[name][place] for name, (_, place) in zip(AUGMENTATIONS, self.states)}

    @traitlets.validate("states")
    def _within(self, proposal: dict[str, Any]) -> list[tuple[bool, int]]:
        if len(proposal["value"]) != len(AUGMENTATIONS):
            raise traitlets.TraitError(f"`states` must be one for each of {len(AUGMENTATIONS)} rows.")
        return [
            (on, min(max(place, 0), len(stops) - 1))
            for (on, place), stops in zip(proposal["value"], self._stops.values())
        ]

    @traitlets.observe("states")
    def _moved(self, change: dict[str, Any]) -> None:
        strengths = self.strengths
        self.value = tuple((name, strengths[name]) for name, (on, _) in zip(AUGMENTATIONS, self.states) if on)

    @traitlets.observe("value")
    def _set(self, change: dict[str, Any]) -> None:
        strengths = self.strengths | dict(change["new"])
        with self.hold_sync():
            if self._add_stops(change["new"]):
                self.rows = self._in_words()
            self.states = self._states(dict(change["new"]), strengths)

    def _add_stops(self, value: Iterable[tuple[str, float]]) -> bool:
        """Make every strength a stop; whether there are more now."""
        new = [(name, strength) for name, strength in value if strength not in self._stops[name]]
        for name, strength in new:
            self._stops[name] = sorted([*self._stops[name], strength])
        return bool(new)

    def _states(self, on: dict[str, float], strengths: dict[str, float]) -> list[tuple[bool, int]]:
        return [(name in on, stops.index(strengths[name])) for name, stops in self._stops.items()]

    def _in_words(self) -> list[dict[str, Any]]:
        return [
            dict(
                label=rule.label,
                written=[rule.written(stop) for stop in self._stops[name]],
                said=[rule.said(stop) for stop in self._stops[name]],
            )
            for name, rule in AUGMENTATIONS.items()
        ]
