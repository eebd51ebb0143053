"""The controls of an experiment: a widget for each field, of the kind that its record asks for."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import traitlets

from vgglab.architecture import unfrozen
from vgglab.errors import InputError, unknown
from vgglab.experiment import FIELDS, Experiment, cautions, followed_by, what_changed, with_first
from vgglab.panel.inputs import Fold, Slider, show
from vgglab.panel.presets import PRESETS, QUESTIONS
from vgglab.panel.strengths import StrengthRows
from vgglab.templates import render
from vgglab.toggles import Choice, Number, Strengths, Text, Toggle

_ROW: dict[str, Any] = dict(style={"description_width": "104px"}, layout={"width": "auto"})
SIMPLE = tuple(name for name, toggle in FIELDS.items() if toggle.simple)
_LONGEST_SLIDER = 50  # whole numbers; more cannot be told apart by the pointer, and are typed


def widget_for(toggle: Toggle, value: Any) -> widgets.Widget:
    """The widget of a field: its trait `value` is the field's, and a change of it is a change of the field."""
    tip = f"{toggle.help} [{toggle.unit}]" if toggle.unit else toggle.help
    options: dict[str, Any] = dict(description=toggle.label, tooltip=tip)
    match toggle:
        case Strengths():
            return StrengthRows(value, **options)
        case Choice():
            return widgets.Dropdown(options=toggle.options, value=value, **options, **_ROW)
        case Text():
            return Named(toggle.suggestions, value, **options, **_ROW)
        case Number(stops=()) if toggle.whole and toggle.high - toggle.low <= _LONGEST_SLIDER:
            return Slider(range(int(toggle.low), int(toggle.high) + 1), value, _words_of(toggle), **options)
        case Number(stops=()):
            typed = widgets.BoundedIntText if toggle.whole else widgets.BoundedFloatText
            return typed(value, min=toggle.low, max=toggle.high, **options, **_ROW)
        case Number():
            return Slider(toggle.stops, value, _words_of(toggle), **options)
    raise TypeError(f"No widget is known for a field of the kind {type(toggle).__name__}.")


def _words_of(toggle: Number) -> Callable[[Any], str]:
    """What the slider of a field says at a value, with a unit of one word."""
    unit = f" {toggle.unit}" if toggle.unit and " " not in toggle.unit else ""
    return lambda value: f"{value:g}{unit}" if toggle.is_on(value) and value is not None else "off"


class Named(widgets.Combobox):
    """A field for a name or a path; `value` is "none" where there is none."""

    def __init__(self, suggestions: Sequence[str], value: str | None, **options: Any) -> None:
        super().__init__(value=value or "none", options=suggestions, continuous_update=False, **options)


class Controls(widgets.VBox):
    """A control of every field: the `names` at once, the others in a fold for each role when `full` is on.

    `experiment` is what they say now. `check` raises `InputError` where an experiment cannot be run; `problem` is then
    its sentence, and "" otherwise. Where the controls say what is no experiment at all, `experiment` stays what it was.
    While a run goes on (`held`), a control that was moved to a problem, or to what no later phase of the run can have,
    goes back instead: what runs is always what the controls show.
    """

    experiment = traitlets.Instance(Experiment)
    problem = traitlets.Unicode()
    full = traitlets.Bool(False)

    def __init__(
        self,
        experiment: Experiment,
        names: Iterable[str] | None = None,
        check: Callable[[Experiment], object] = lambda experiment: None,
    ) -> None:
        self._start, self._check = experiment, check
        self._quiet = self.held = False
        self._lock = threading.RLock()  # a run's thread unlocks the controls while somebody moves one
        self.names = SIMPLE if names is None else tuple(_known(name) for name in names)
        self.widgets = {
            name: widget_for(toggle, getattr(experiment, name)) for name, toggle in FIELDS.items()
        }
        # Why a control has no effect now, under it.
        self.idle = {name: widgets.HTML() for name, toggle in FIELDS.items() if toggle.idle}
        self.depth = widgets.HTML()
        self.beyond = widgets.HTML()  # what was changed of the controls that are not seen
        self.note = widgets.HTML()  # what is wrong with a value, or was probably not meant
        self.questions = [self._question(question) for question in (QUESTIONS if names is None else ())]
        self.preset = widgets.Dropdown(options=list(PRESETS), description="preset", **_ROW)
        self.reset_button = widgets.Button(
            description="Reset", icon="undo", tooltip="controls back to the start", layout={"width": "auto"}
        )
        self.reset_button.on_click(lambda _: self.reset())
        self._more = widgets.VBox([self.preset, *self._folds()])
        rows = [*map(self._row, self.names), self.beyond, self.note]
        super().__init__([*self.questions, *rows, self.reset_button, self._more])
        show(self._more, self.full)
        self.experiment = experiment
        self._changed()
        for widget in self.widgets.values():
            widget.observe(self._changed, "value")
        self.preset.observe(self._choose, "value")

    @traitlets.observe("full")
    def _unfold(self, change: dict[str, Any]) -> None:
        show(self._more, change["new"])
        self._say_beyond()

    def set(self, values: Mapping[str, Any]) -> None:
        """Move several controls at once, but for locked ones; `experiment` changes once."""
        self._move({name: value for name, value in values.items() if not self.widgets[name].disabled})
        self._changed()

    def reset(self) -> None:
        """Put every control back to where it started."""
        self.set(_of(self._start, self.widgets))

    def hold(self, phase: Experiment | None = None, *, everything: bool = False) -> None:
        """Lock what cannot change within a run, which goes on with `phase`, or begins with what the controls say.

        Lock `everything` where several runs follow each other: a change would be of one of them alone.
        """
        if phase is not None:
            self.held = False  # it is no change of the run that is set up
            self._move(_of(phase, self.widgets))
            self.experiment, self.problem = phase, ""
            self._describe("")
        self.held = True
        self._lock_presets()
        for name, widget in self.widgets.items():
            widget.disabled = everything or FIELDS[name].fixed or FIELDS[name].is_own

    def release(self) -> None:
        """Unlock all controls."""
        self.held = False
        self._lock_presets()
        for widget in self.widgets.values():
            widget.disabled = False
        self._changed()  # later phases of a run that went on are not kept

    def _lock_presets(self) -> None:
        for each in (self.preset, *self.questions):
            each.disabled = self.held

    def _folds(self) -> list[Fold]:
        """The fields that do not stand there at once, by their roles."""
        rest = [name for name in FIELDS if name not in self.names]
        return [
            Fold(role, [self._row(name) for name in rest if FIELDS[name].role == role], is_open=True)
            for role in dict.fromkeys(FIELDS[name].role for name in rest)
        ]

    def _row(self, name: str) -> widgets.Widget:
        """A control with what is said beneath it."""
        beneath = {"unfreeze": self.depth} | self.idle
        return widgets.VBox([self.widgets[name], beneath[name]]) if name in beneath else self.widgets[name]

    def _question(self, question: str) -> widgets.Button:
        button = widgets.Button(
            description=question,
            tooltip="set the controls so that a run answers it",
            layout={"width": "auto"},
        )
        button.add_class("vgglab-question")
        button.on_click(lambda _: self.set(_of(self._start, self.widgets) | QUESTIONS[question]))
        return button

    def _move(self, values: Mapping[str, Any]) -> None:
        with self._lock:
            self._quiet = True
            try:
                for name, value in values.items():
                    checked = FIELDS[name].check(name, value)
                    widget = self.widgets[name]
                    widget.value = "none" if checked is None and isinstance(widget, Named) else checked
            finally:
                self._quiet = False

    def _choose(self, change: dict[str, Any]) -> None:
        if not self._quiet and change["new"] is not None:
            self.set(_of(self._start, self.widgets) | PRESETS[change["new"]])

    def _changed(self, change: object = None) -> None:
        with self._lock:
            if not self._quiet:
                self._take()

    def _take(self) -> None:
        """Take up what the controls say, or put back what cannot be."""
        asked, problem = self.experiment, ""
        try:
            base = asked if self.held else self._start
            asked = with_first(base, **{name: widget.value for name, widget in self.widgets.items()})
            if self.held:
                followed_by(self.experiment.phases[0], asked.phases[0])
            self._check(asked)
        except InputError as error:
            problem = str(error)
        if problem and self.held:
            self._move(_of(self.experiment, self.widgets))
        else:
            self.experiment, self.problem = asked, problem
        self._describe(problem)

    def _describe(self, problem: str) -> None:
        """Say under the controls what they mean, and show the preset that they agree with."""
        layers = unfrozen(self.experiment.backbone, self.experiment.unfreeze)
        self.depth.value = render("beneath.html", text=layers)
        for name, line in self.idle.items():
            why = FIELDS[name].why_idle(self.experiment)
            line.value = render("beneath.html", text=f"No effect now: {why}.") if why else ""
            (self.widgets[name].add_class if why else self.widgets[name].remove_class)("vgglab-idle")
        self._say_beyond()
        notes = render("note.html", texts=cautions(self.experiment))
        self.note.value = render("alert.html", text=problem) if problem else notes
        with self._lock:
            self._quiet = True
            self.preset.value = self._preset()
            self._quiet = False

    def _say_beyond(self) -> None:
        """Nothing is set in secret: a question, a link, or a run that went on may set what only Full shows."""
        unseen = [name for name in FIELDS if name not in self.names and not self.full]
        # Which images there are, and how large, is no setting of a run of theirs.
        plain = Experiment(dataset=self._start.dataset, image_size=self._start.image_size)
        now, usual = (_of(experiment, unseen) for experiment in (self.experiment, plain))
        texts = [
            f"{FIELDS[name].label} {FIELDS[name].written(value)}"
            for name, value in now.items()
            if value != usual[name]
        ]
        lines = [f"Set as well: {', '.join(texts)}."] if texts else []
        for before, after in itertools.pairwise(self.experiment.phases):
            what = ", ".join(what_changed(before, after)) or "the same settings"
            lines.append(f"Then {after.epochs} more epochs: {what}.")
        self.beyond.value = render("note.html", texts=lines)

    def _preset(self) -> str | None:
        """The preset that would change nothing now."""
        now, start = (_of(experiment, self.widgets) for experiment in (self.experiment, self._start))
        for name in self.preset.options:
            values = {field: FIELDS[field].check(field, value) for field, value in PRESETS[name].items()}
            if start | values == now:
                return name
        return None


def _of(experiment: Experiment, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(experiment, name) for name in names}


def _known(name: str) -> str:
    if name not in FIELDS:
        raise unknown("control", name, FIELDS)
    return name
