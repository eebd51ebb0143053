"""A question to answer before a run; what came out is then shown beside the answer."""

from __future__ import annotations

from textwrap import fill
from typing import Any

import ipywidgets as widgets

from vgglab.panel.inputs import Slider
from vgglab.templates import render

STEPS = 100  # of a slider, from one end to the other
# By question: who moves a slider and presses Shift+Enter runs its cell again, and must not lose the guess.
_KEPT: dict[str, Any] = {}
_REVEALED: set[str] = set()  # questions whose outcome has been shown: what is said then is no guess
NO_GUESS = "You made no guess."
WIDTH = 100  # characters a line: a notebook breaks what is printed wider in the middle of a word


class _Prediction(widgets.VBox):
    """What both kinds of questions share: the question, a control, and a line for the outcome."""

    def __init__(self, question: str, control: widgets.Widget) -> None:
        self.question, self.control = question, control
        self.guess: Any = None  # until the control is touched: somebody who does not guess is not made to
        self.line = widgets.HTML()
        asked = widgets.HTML(render("question.html", question=question))
        super().__init__([asked, control, self.line], layout=widgets.Layout(margin="4px 0 8px 0"))
        self.say("Your guess first; then run the next cell.")
        if question in _KEPT:
            control.value = self.guess = _KEPT[question]
            self.say(f"Your guess: {self.written(self.guess)}. Now run the next cell.")
        if question in _REVEALED:
            control.disabled = True
            self.say("The outcome has been shown. To guess anew, restart the kernel.")
        control.observe(self._guessed, "value")

    def __repr__(self) -> str:
        return f"Predict: {self.question}"

    def say(self, text: str) -> None:
        self.line.value = render("status.html", text=text)

    def _guessed(self, change: dict) -> None:
        if self.question in _REVEALED:
            return
        self.guess = _KEPT[self.question] = change["new"]
        self.say(f"Your guess: {self.written(self.guess)}. Now run the next cell.")

    def _revealed(self, text: str) -> str:
        _REVEALED.add(self.question)
        self.control.disabled = True
        self.say(text)
        return fill(text, WIDTH)

    def written(self, value: Any) -> str:
        return str(value)


class GuessNumber(_Prediction):
    """A question whose answer is a number from `low` to `high`, in `unit`, given on a slider."""

    def __init__(self, question: str, low: float = 0, high: float = 100, unit: str = "%") -> None:
        self.unit = unit
        stops = [low + (high - low) * place / STEPS for place in range(STEPS + 1)]
        super().__init__(question, Slider(stops, (low + high) / 2, self.written, tooltip=question))

    def reveal(self, outcome: float) -> str:
        """The guess against what came out, in the question's unit; without a guess it says so."""
        if self.guess is None:
            return self._revealed(f"{NO_GUESS} It came out as {self.written(outcome)}.")
        off = outcome - self.guess
        unit = "points" if self.unit == "%" else self.unit  # a difference of percentages
        how = f"{_number(abs(off))} {unit} {'higher' if off > 0 else 'lower'}".replace("  ", " ")
        if self.written(outcome) == self.written(self.guess):
            how = "as you said"
        return self._revealed(
            f"Your guess: {self.written(self.guess)}. It came out as {self.written(outcome)}: {how}."
        )

    def written(self, value: float) -> str:
        return f"{_number(value)} {self.unit}".strip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


class GuessChoice(_Prediction):
    """A question whose answer is one of `options`."""

    def __init__(self, question: str, options: tuple[str, ...] | list[str]) -> None:
        buttons = widgets.RadioButtons(options=list(options), value=None, layout=widgets.Layout(width="auto"))
        super().__init__(question, buttons)

    def reveal(self, outcome: str) -> str:
        """The guess against what came out, which must be one of the options."""
        if outcome not in self.control.options:
            options = ", ".join(repr(each) for each in self.control.options)
            raise ValueError(f"`outcome` must be one of {options}. Received: {outcome!r}.")
        if self.guess is None:
            return self._revealed(f"{NO_GUESS} It came out as: {outcome}.")
        how = "as you said" if self.guess == outcome else f"not as you said ({self.guess})"
        return self._revealed(f"It came out as: {outcome}, {how}.")
