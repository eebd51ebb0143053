"""The controls of an experiment: one table from its fields to widgets."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import ipywidgets as widgets
import traitlets

from vgglab.architecture import unfrozen
from vgglab.errors import InputError, unknown
from vgglab.experiment import FIELDS, Experiment
from vgglab.toggles import AUGMENTATIONS

_ROW = dict(style={"description_width": "110px"}, layout=widgets.Layout(width="372px"))


class AugmentToggles(widgets.Box):
    """A toggle for every augmentation; `value` holds the names and strengths of those that are on."""

    value = traitlets.Tuple()

    def __init__(self, value: Sequence[tuple[str, float]]) -> None:
        strengths = dict(value)
        self._toggles = {
            name: widgets.ToggleButton(
                name in strengths,
                description=rule.label,
                tooltip=f"{rule.label}: {strengths.get(name, rule.default):g} {rule.unit}",
                layout=widgets.Layout(width="120px"),
            )
            for name, rule in AUGMENTATIONS.items()
        }
        self._strengths = {name: strengths.get(name, rule.default) for name, rule in AUGMENTATIONS.items()}
        super().__init__(
            list(self._toggles.values()), layout=widgets.Layout(flex_flow="row wrap", width="376px")
        )
        for toggle in self._toggles.values():
            toggle.observe(self._collect, "value")
        self._collect()

    def set(self, value: Sequence[tuple[str, float]] | dict[str, float]) -> None:
        """Switch these on, with these strengths, and all others off."""
        strengths = dict(value)
        self._strengths |= strengths
        for name, toggle in self._toggles.items():
            toggle.value = name in strengths
        self._collect()

    def _collect(self, change: object = None) -> None:
        self.value = tuple(
            (name, self._strengths[name]) for name, toggle in self._toggles.items() if toggle.value
        )


def _slider(field: dataclasses.Field, value: int) -> widgets.Widget:
    rule = field.metadata
    return widgets.IntSlider(
        value, rule["low"], rule["high"], description=rule["label"], continuous_update=False, **_ROW
    )


def _steps(*values: float | None) -> Callable[[dataclasses.Field, Any], widgets.Widget]:
    """A slider over chosen values, because most of these fields matter by their order of magnitude."""

    def make(field: dataclasses.Field, value: float | None) -> widgets.Widget:
        ordered = sorted({*values, value}, key=_place)
        off = None if field.metadata.get("optional") else 0
        options = [("off" if each == off else f"{each:g}", each) for each in ordered]
        return widgets.SelectionSlider(
            options=options,
            index=ordered.index(value),
            description=field.metadata["label"],
            continuous_update=False,
            **_ROW,
        )

    return make


def _place(value: float | None) -> float:
    """Where a value stands among the others on a slider: None, which is "off", first."""
    return -1.0 if value is None else value


def _menu(field: dataclasses.Field, value: str) -> widgets.Widget:
    return widgets.Dropdown(
        options=field.metadata["options"], value=value, description=field.metadata["label"], **_ROW
    )


def _entry(field: dataclasses.Field, value: int) -> widgets.Widget:
    rule = field.metadata
    return widgets.BoundedIntText(value, rule["low"], rule["high"], description=rule["label"], **_ROW)


def _name(field: dataclasses.Field, value: str | None) -> widgets.Widget:
    return widgets.Combobox(
        value=value or "none",
        options=_NAMES[field.name],
        description=field.metadata["label"],
        continuous_update=False,
        **_ROW,
    )


_NAMES = {"dataset": ("blossoms",), "weights": ("pretrained", "imagenet", "none")}

# In the order in which they stand on the panel; a field that is not here keeps its value.
CONTROLS: dict[str, Callable[[dataclasses.Field, Any], widgets.Widget]] = {
    "dataset": _name,
    "image_size": _steps(32, 64, 96, 128, 224),
    "backbone": _menu,
    "weights": _name,
    "precision": _menu,
    "unfreeze": _slider,
    "l2": _steps(0.0, 1e-4, 1e-3, 1e-2, 1e-1),
    "dropout": _steps(0.0, 0.25, 0.5, 0.75),
    "augment": lambda field, value: AugmentToggles(value),
    "fill_mode": _menu,
    "mixup": _steps(0.0, 0.1, 0.2, 0.4, 1.0),
    "cutmix": _steps(0.0, 0.2, 0.5, 1.0),
    "views": _steps(None, 2, 4, 8, 16),
    "patience": _steps(None, 3, 5, 10),
    "learning_rate": _steps(1e-5, 3e-5, 1e-4, 3e-4, 5e-4, 1e-3, 3e-3, 1e-2),
    "batch_size": _steps(8, 16, 32, 64, 128),
    "epochs": _steps(5, 10, 20, 30, 50, 100),
    "seed": _entry,
}


PRESETS: dict[str, dict[str, Any]] = {
    "as it was": {},
    "all layers, nothing held back": dict(unfreeze=13),
    "seed 1: frozen base, L2, early stopping": dict(unfreeze=0, l2=1e-3, patience=10, learning_rate=1e-3),
    "seed 2: simple augmentation": dict(
        augment={
            "flip": 1,
            "rotation": 20,
            "width_shift": 0.2,
            "height_shift": 0.2,
            "shear": 0.2,
            "zoom": 0.2,
        }
    ),
    "seed 3: block5 unfrozen, low rate": dict(unfreeze=3, learning_rate=1e-4),
    "MixUp and CutMix": dict(mixup=0.2, cutmix=1.0),
}


class Controls(widgets.VBox):
    """Controls of the named fields; `experiment` is what they say now, and everything else as in the one given."""

    experiment = traitlets.Instance(Experiment)

    def __init__(self, experiment: Experiment, names: Iterable[str] = tuple(CONTROLS)) -> None:
        self._start = experiment
        self._quiet = False
        self.widgets = {name: _maker(name)(FIELDS[name], getattr(experiment, name)) for name in names}
        # A preset moves fields that a lesson's panel may not have.
        presets = [name for name, values in PRESETS.items() if values.keys() <= self.widgets.keys()]
        self.preset = widgets.Dropdown(options=presets, description="preset", **_ROW)
        self._depth = widgets.HTML(layout=widgets.Layout(margin="0 0 0 118px"))
        rows = []
        for name, widget in self.widgets.items():
            rows += [widget, self._depth] if name == "unfreeze" else [widget]
        if self._depth not in rows:  # it is where an error stands, too
            rows.append(self._depth)
        super().__init__([self.preset, *rows] if len(presets) > 1 else rows)
        self.experiment = experiment
        self._describe_depth()
        for widget in self.widgets.values():
            widget.observe(self._changed, "value")
        self.preset.observe(
            lambda change: self.set({**self._values(self._start), **PRESETS[change["new"]]}), "value"
        )

    def set(self, values: dict[str, Any]) -> None:
        """Move several controls at once; `experiment` changes once."""
        self._quiet = True
        try:
            for name, value in values.items():
                _move(self.widgets[name], value)
        finally:
            self._quiet = False
        self._changed()

    def reset(self) -> None:
        """Put every control back to where it started."""
        self.preset.value = next(iter(PRESETS))
        self.set(self._values(self._start))

    def hold(self, names: Iterable[str]) -> None:
        """Lock the controls of what cannot change within a run."""
        for name in {*names} & self.widgets.keys():
            self.widgets[name].disabled = True
        self.preset.disabled = True

    def release(self) -> None:
        """Unlock all controls."""
        for widget in (*self.widgets.values(), self.preset):
            if hasattr(widget, "disabled"):
                widget.disabled = False

    def _values(self, experiment: Experiment) -> dict[str, Any]:
        return {name: getattr(experiment, name) for name in self.widgets}

    def _changed(self, change: object = None) -> None:
        if self._quiet:
            return
        values = {name: widget.value for name, widget in self.widgets.items()}
        try:
            self.experiment = dataclasses.replace(self.experiment, **values)
        except InputError as error:  # an empty name, say; the experiment stays as it was
            self._depth.value = f'<small role="alert"><b>{html.escape(str(error))}</b></small>'
        else:
            self._describe_depth()

    def _describe_depth(self) -> None:
        self._depth.value = (
            f"<small>{html.escape(unfrozen(self.experiment.backbone, self.experiment.unfreeze))}</small>"
        )


def _maker(name: str) -> Callable[[dataclasses.Field, Any], widgets.Widget]:
    if name not in CONTROLS:
        raise unknown("control", name, CONTROLS)
    return CONTROLS[name]


def _move(widget: widgets.Widget, value: Any) -> None:
    """Set a control to a value, which a slider over chosen values may not have yet."""
    if isinstance(widget, AugmentToggles):
        widget.set(value)
    elif isinstance(widget, widgets.SelectionSlider) and value not in [each for _, each in widget.options]:
        widget.options = sorted([*widget.options, (f"{value:g}", value)], key=lambda each: _place(each[1]))
        widget.value = value
    else:
        widget.value = "none" if value is None and isinstance(widget, widgets.Combobox) else value
