"""The controls of an experiment: one table from its fields to widgets."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets
import traitlets

from vgglab.experiment import AUGMENTATIONS, FIELDS, Experiment

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
        ordered = sorted({*values, value}, key=lambda each: -1.0 if each is None else each)
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


def _menu(field: dataclasses.Field, value: str) -> widgets.Widget:
    return widgets.Dropdown(
        options=field.metadata["options"], value=value, description=field.metadata["label"], **_ROW
    )


def _entry(field: dataclasses.Field, value: int) -> widgets.Widget:
    rule = field.metadata
    return widgets.BoundedIntText(value, rule["low"], rule["high"], description=rule["label"], **_ROW)


# In the order in which they stand on the panel; a field that is not here keeps its value.
CONTROLS: dict[str, Callable[[dataclasses.Field, Any], widgets.Widget]] = {
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


class Controls(widgets.VBox):
    """All controls; `experiment` is what they say now, and everything else as in the one given."""

    experiment = traitlets.Instance(Experiment)

    def __init__(self, experiment: Experiment) -> None:
        self.widgets = {
            name: make(FIELDS[name], getattr(experiment, name)) for name, make in CONTROLS.items()
        }
        super().__init__(list(self.widgets.values()))
        self.experiment = experiment
        for name, widget in self.widgets.items():
            widget.observe(self._changed, "value")

    def _changed(self, change: object) -> None:
        values = {name: widget.value for name, widget in self.widgets.items()}
        self.experiment = dataclasses.replace(self.experiment, **values)
