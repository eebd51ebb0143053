"""The mistakes of a run on a page: the worst as images, the confusion as a table, and one run against another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import anywidget
import numpy as np
import traitlets

from vgglab.charts.confusion import described
from vgglab.datasets import Dataset
from vgglab.errors import InputError
from vgglab.history import History
from vgglab.measures.mistakes import class_names, confusion, predictions_of, surest
from vgglab.panel.styles import scripted, styled
from vgglab.panel.thumbnails import Thumbnail, thumbnails
from vgglab.predictions import Predictions
from vgglab.templates import render

WORST, OF_A_CELL, OF_A_SIDE = 8, 12, 6  # images of each at most
_NOTHING_YET = "Train: the images that the network gets wrong are then shown here."
_NO_EPOCH_YET = "The first epoch is not finished yet."
_NO_OTHER = "Choose a second run: its images are then held against this one's."
_NO_IMAGES = "The images themselves are not at hand."
_CHOOSE = "Choose a number to see its images."


class Mistakes(anywidget.AnyWidget):
    """Three views of what a run gets wrong, one at a time; choosing a count of the confusion shows its images.

    May be filled from any thread. `views` are their HTML by name, `view` is the number of the one that is seen,
    `chosen` the place (true, given) in the confusion or nothing, and `cell` the HTML of its images.
    """

    _esm = scripted("mistakes.js")
    _css = styled("mistakes.css")

    views = traitlets.Dict().tag(sync=True)
    view = traitlets.Int(0).tag(sync=True)
    chosen = traitlets.List(traitlets.Int()).tag(sync=True)
    cell = traitlets.Unicode().tag(sync=True)

    def __init__(self, **options: Any) -> None:
        self._given: object = None
        self._run: _Run | None = None
        super().__init__(**options)
        self.show(None, None)

    def show(
        self,
        history: History | None,
        data: Dataset | None,
        other: tuple[str, History] | None = None,
        name: str = "this run",
    ) -> None:
        """Show what the kept weights of `history` get wrong, beside `other`, a name and a history, where given.

        Nothing is done when all of that was shown before. Where something is missing, a sentence says what.
        """
        given = (
            None if history is None else (history.predictions, bool(history.epochs)),
            data,
            other and (other[0], other[1].predictions),
            name,
        )
        if given == self._given:
            return
        self._given = given
        self.views, self._run = _views(history, data, other, name)
        self._fill_cell()

    @traitlets.observe("chosen")
    def _fill_cell(self, change: object = None) -> None:
        self.cell = _of_cell(self._run, tuple(self.chosen)) if self._run else ""


def static(
    history: History | None,
    data: Dataset | None,
    other: tuple[str, History] | None = None,
    name: str = "this run",
) -> str:
    """The same views below each other as HTML, for a page without a kernel."""
    views, _ = _views(history, data, other, name)
    shown = [view for each, view in views.items() if other or each != "A against B"]
    inside = "".join(dict.fromkeys(shown))
    return f'<style>{styled("mistakes.css")}</style><div class="vgglab-mistakes" style="height: auto">{inside}</div>'


@dataclass(frozen=True)
class _Run:
    """What a run says of the validation images, the classes' names, and the images or why there are none."""

    found: Predictions
    names: list
    images: np.ndarray | None
    problem: str

    def pictures(self, chosen: np.ndarray, most: int) -> list[Thumbnail]:
        """Of the chosen images, (n,) places, those that it is surest about."""
        if self.images is None:
            return []
        return thumbnails(self.images, self.found, self.names, surest(self.found, chosen)[:most])


def _views(
    history: History | None, data: Dataset | None, other: tuple[str, History] | None, name: str
) -> tuple[dict[str, str], _Run | None]:
    """The three views by name, and what the images of a cell are taken from."""
    if history is None or not history.epochs:
        return _all(_NOTHING_YET if history is None else _NO_EPOCH_YET), None
    try:
        run = _run(history, data)
    except InputError as error:
        return _all(str(error)), None
    right, images = run.found.right.sum(), len(run.found.labels)
    counted = f"Weights of epoch {run.found.epoch}: {right} of {images} right."
    table = described(confusion(history, data if run.images is not None else None))
    views = dict(
        Worst=_sections((_worst(run, counted), run.pictures(np.flatnonzero(~run.found.right), WORST))),
        Confusion=render("confusion.html", confusion=table) + _sections((counted, [])),
    )
    return views | {"A against B": _against(run, name, other)}, run


def _all(sentence: str) -> dict[str, str]:
    return dict.fromkeys(("Worst", "Confusion", "A against B"), _sections((sentence, [])))


def _run(history: History, data: Dataset | None) -> _Run:
    """`InputError` where the history has no predictions; images that are not its own are a problem, no error."""
    problem = "" if data else _NO_IMAGES
    found = predictions_of(history)
    try:
        predictions_of(history, data)
    except InputError as error:
        data, problem = None, str(error)
    return _Run(found, class_names(history, data), data.validation.images if data else None, problem)


def _worst(run: _Run, counted: str) -> str:
    wrong = int((~run.found.right).sum())
    if not wrong:
        return f"{counted} None is wrong."
    return f"{counted} {run.problem}" if run.problem else f"{counted} Surest mistakes:"


def _against(run: _Run, name: str, other: tuple[str, History] | None) -> str:
    if other is None:
        return _sections((_NO_OTHER, []))
    other_name, history = other
    found = history.predictions
    if found is None:
        return _sections(
            (f"{other_name} has no predictions on the validation images to hold against these.", [])
        )
    if found.images != run.found.images:
        return _sections((f"{other_name} was validated on other images, so there is nothing to compare.", []))
    there = _Run(found, run.names, run.images, run.problem)
    gained, lost = (
        np.flatnonzero(found.right & ~run.found.right),
        np.flatnonzero(run.found.right & ~found.right),
    )
    weights = f"Weights of epoch {run.found.epoch} ({name}) and {found.epoch} ({other_name})."
    return _sections(
        (weights, []),
        (_right_in_one(len(gained), other_name, name), run.pictures(gained, OF_A_SIDE)),
        (_right_in_one(len(lost), name, other_name), there.pictures(lost, OF_A_SIDE)),
    )


def _right_in_one(count: int, right: str, wrong: str) -> str:
    return f"{count or 'No'} image{'' if count == 1 else 's'} that {right} gets right and {wrong} gets wrong."


def _of_cell(run: _Run, place: tuple[int, ...]) -> str:
    """The images of a place (true, given) in the confusion, or how to choose one."""
    true, given = place if len(place) == 2 else (-1, -1)
    inside = np.flatnonzero((run.found.labels == true) & (run.found.predicted == given))
    if not len(inside):
        return _sections((_CHOOSE, []))
    what = "recognised" if true == given else f"taken for {run.names[given]}"
    sentence = f"{run.names[true]}, {what}: {len(inside)}. {run.problem}".strip()
    return _sections((sentence, run.pictures(inside, OF_A_CELL)))


def _sections(*sections: tuple[str, list[Thumbnail]]) -> str:
    return render("pictures.html", sections=sections)
