"""The controls of an experiment: a widget for each field, of the kind that its record asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import traitlets

from vgglab.architecture import unfrozen
from vgglab.errors import InputError, unknown
from vgglab.experiment import FIELDS, Experiment, cautions, with_first
from vgglab.templates import render
from vgglab.toggles import AUGMENTATIONS, GENERATOR, Choice, Number, Strengths, Text, Toggle

_ROW = dict(style={"description_width": "110px"}, layout=widgets.Layout(width="372px"))
_LONGEST_SLIDER = 50  # whole numbers; more cannot be told apart by the pointer, and are typed

# The three examples of the text that the course is built on stand among them.
PRESETS: dict[str, dict[str, Any]] = {
    "as it was": {},
    "all layers, nothing held back": dict(unfreeze=13),
    "example 1: frozen base, L2, early stopping": dict(unfreeze=0, l2=1e-3, patience=10, learning_rate=1e-3),
    "example 2: its augmentation": dict(augment=GENERATOR),
    "example 3: block5 unfrozen, low rate": dict(unfreeze=3, learning_rate=1e-4),
    "MixUp and CutMix": dict(mixup=0.2, cutmix=1.0),
}


class AugmentToggles(widgets.Box):
    """A toggle for every augmentation; `value` holds the names and strengths of those that are on."""

    value = traitlets.Tuple()

    def __init__(self, value: Sequence[tuple[str, float]]) -> None:
        strengths = dict(value)
        self._buttons = {
            name: widgets.ToggleButton(
                name in strengths,
                description=rule.label,
                layout=widgets.Layout(width="120px"),
            )
            for name, rule in AUGMENTATIONS.items()
        }
        self._strengths = {name: strengths.get(name, rule.default) for name, rule in AUGMENTATIONS.items()}
        super().__init__(
            list(self._buttons.values()), layout=widgets.Layout(flex_flow="row wrap", width="376px")
        )
        for button in self._buttons.values():
            button.observe(self._collect, "value")
        self.set(value)

    def set(self, value: Sequence[tuple[str, float]] | Mapping[str, float]) -> None:
        """Switch these on, with these strengths, and all others off."""
        strengths = dict(value)
        self._strengths |= strengths
        for name, button in self._buttons.items():
            button.value = name in strengths
            button.tooltip = f"{button.description}: {self._strengths[name]:g} {AUGMENTATIONS[name].unit}"
        self._collect()

    def _collect(self, change: object = None) -> None:
        self.value = tuple(
            (name, self._strengths[name]) for name, button in self._buttons.items() if button.value
        )


class Stops(widgets.SelectionSlider):
    """A slider over chosen values, because most numbers matter by their order of magnitude."""

    def __init__(self, toggle: Number, value: float | None, **options: Any) -> None:
        self._toggle = toggle
        stops = self._ordered({*toggle.stops, value})
        super().__init__(options=self._named(stops), index=stops.index(value), **options)

    def set(self, value: float | None) -> None:
        """Move to a value, which becomes a place of its own where it is none yet."""
        stops = self._ordered({*self._values(), value})
        if len(stops) > len(self._values()):
            self.options = self._named(stops)
        self.index = stops.index(value)

    @traitlets.observe("value")
    def _propagate_value(self, change: dict[str, Any]) -> None:
        # The parent's takes None for "nothing selected", which a slider does not allow; here it is a place.
        self.index = self._values().index(change["new"])

    def _values(self) -> list[float | None]:
        return [value for _, value in self.options]

    def _ordered(self, values: Iterable[float | None]) -> list[float | None]:
        return sorted(values, key=lambda value: -1.0 if value is None else value)

    def _named(self, stops: Sequence[float | None]) -> list[tuple[str, float | None]]:
        return [(f"{each:g}" if self._toggle.is_on(each) else "off", each) for each in stops]


def widget_for(toggle: Toggle, value: Any) -> widgets.Widget:
    """The widget of a field: its trait `value` is the field's, and a change of it is a change of the field."""
    tip = f"{toggle.help} [{toggle.unit}]" if toggle.unit else toggle.help
    options: dict[str, Any] = dict(description=toggle.label, tooltip=tip, **_ROW)
    match toggle:
        case Strengths():
            return AugmentToggles(value)
        case Choice():
            return widgets.Dropdown(options=toggle.options, value=value, **options)
        case Text():
            suggestions = toggle.suggestions
            return widgets.Combobox(
                value=value or "none", options=suggestions, continuous_update=False, **options
            )
        case Number(stops=()) if toggle.whole and toggle.high - toggle.low <= _LONGEST_SLIDER:
            return widgets.IntSlider(value, toggle.low, toggle.high, continuous_update=False, **options)
        case Number(stops=()) if toggle.whole:
            return widgets.BoundedIntText(value, toggle.low, toggle.high, **options)
        case Number(stops=()):
            return widgets.BoundedFloatText(value, min=toggle.low, max=toggle.high, **options)
        case Number():
            return Stops(toggle, value, continuous_update=False, **options)
    raise TypeError(f"No widget is known for a field of the kind {type(toggle).__name__}.")


def move(widget: widgets.Widget, value: Any) -> None:
    """Set a widget of `widget_for` to a value of its field."""
    if isinstance(widget, AugmentToggles | Stops):
        widget.set(value)
    else:
        widget.value = "none" if value is None else value


class Controls(widgets.VBox):
    """Controls of the named fields; `experiment` is what they say now, and everything else as in the one given."""

    experiment = traitlets.Instance(Experiment)

    def __init__(self, experiment: Experiment, names: Iterable[str] = tuple(FIELDS)) -> None:
        self._start = experiment
        self._quiet = False
        self.widgets = {name: widget_for(_known(name), getattr(experiment, name)) for name in names}
        # A preset moves fields that a lesson's panel may not have.
        presets = [name for name, values in PRESETS.items() if values.keys() <= self.widgets.keys()]
        self.preset = widgets.Dropdown(options=presets, description="preset", **_ROW)
        self.depth = widgets.HTML(layout=widgets.Layout(margin="0 0 0 118px"))
        self.note = widgets.HTML()  # what is wrong with a value, or has no effect
        super().__init__([*([self.preset] if len(presets) > 1 else []), *self._rows(), self.note])
        self.experiment = experiment
        self._describe()
        for widget in self.widgets.values():
            widget.observe(self._changed, "value")
        self.preset.observe(self._choose, "value")

    def set(self, values: Mapping[str, Any]) -> None:
        """Move several controls at once, but for locked ones; `experiment` changes once."""
        self._quiet = True
        try:
            for name, value in values.items():
                if not getattr(self.widgets[name], "disabled", False):
                    move(self.widgets[name], value)
        finally:
            self._quiet = False
        self._changed()

    def reset(self) -> None:
        """Put every control back to where it started."""
        self.preset.value = next(iter(PRESETS))
        self.set(self._values(self._start))

    def hold(self) -> None:
        """Lock what cannot change within a run."""
        for name, widget in self.widgets.items():
            if FIELDS[name].fixed or FIELDS[name].is_own:
                widget.disabled = True
        self.preset.disabled = True

    def release(self) -> None:
        """Unlock all controls."""
        for widget in (*self.widgets.values(), self.preset):
            if hasattr(widget, "disabled"):
                widget.disabled = False

    def _rows(self) -> list[widgets.Widget]:
        rows = []
        for name, widget in self.widgets.items():
            rows += [widget, self.depth] if name == "unfreeze" else [widget]
        return rows

    def _values(self, experiment: Experiment) -> dict[str, Any]:
        return {name: getattr(experiment, name) for name in self.widgets}

    def _choose(self, change: dict[str, Any]) -> None:
        self.set(self._values(self._start) | PRESETS[change["new"]])

    def _changed(self, change: object = None) -> None:
        if self._quiet:
            return
        values = {name: widget.value for name, widget in self.widgets.items()}
        try:
            self.experiment = with_first(self.experiment, **values)
        except InputError as error:  # an empty name, say; the experiment stays as it was
            self.note.value = render("alert.html", text=str(error))
        else:
            self._describe()

    def _describe(self) -> None:
        unfrozen_layers = unfrozen(self.experiment.backbone, self.experiment.unfreeze)
        self.depth.value = render("note.html", texts=[unfrozen_layers])
        self.note.value = render("note.html", texts=cautions(self.experiment))


def _known(name: str) -> Toggle:
    if name not in FIELDS:
        raise unknown("control", name, FIELDS)
    return FIELDS[name]
