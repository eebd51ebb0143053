"""The mistakes of a run on a page: the worst as images, the confusion, the classes, and one run against another."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import anywidget
import numpy as np
import traitlets

from vgglab.charts.class_table import described_classes
from vgglab.charts.confusion import described
from vgglab.datasets import Dataset
from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.history import History
from vgglab.measures.classes import class_report
from vgglab.measures.mistakes import are_of, class_names, confusion, predictions_of, surest
from vgglab.panel.styles import scripted, styled
from vgglab.panel.thumbnails import Thumbnail, thumbnails
from vgglab.predictions import Predictions
from vgglab.stored.stored_rows import Images
from vgglab.templates import render

Side = tuple[str, Sequence[History]]  # a name, and the runs that it stands for

WORST, OF_A_CELL, OF_A_SIDE = 8, 12, 6  # images of each at most
_THIS = "this run"
_NOTHING_YET = "Press Train, and the images that the network gets wrong appear here."
_NO_EPOCH_YET = "The first epoch is not finished yet."
_NO_OTHER = "Choose a second run to compare its images with this one's."
_NO_IMAGES = "The images themselves are not available."
_OTHER_IMAGES = "The images available are not those that this run was validated on, so none are shown."
_CHOOSE = "Choose a number to see its images."


class Mistakes(anywidget.AnyWidget):
    """Four views of what a run gets wrong, one at a time; choosing a count of the confusion shows its images.

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
        self._lock = threading.RLock()  # a run's thread may fill it while the page chooses
        super().__init__(**options)
        self.show([], None)

    def show(
        self, histories: Sequence[History], data: Dataset | None, other: Side | None = None, name: str = _THIS
    ) -> None:
        """Show what the kept weights of the last of `histories` get wrong, and hold all of them against `other`.

        `histories` are a run, or several of one experiment with other seeds, `name` is what they are called; `other` is
        the same of A. An image is right where most of the seeds get it right, as `compare` counts. Nothing is done when
        all of that was shown before. Where something is missing, a sentence says what.
        """
        # As they are now: a run that goes on has other predictions in a moment.
        histories, other = _copied(histories), other and (other[0], _copied(other[1]))
        given = (_state_of(histories), data, other and (other[0], _state_of(other[1])), name)
        with self._lock:
            if given == self._given or self.comm is None:  # closed, and its run still ends
                return
            self._given = given
            self.views, self._run = _views(histories, data, other, name)
            self._fill_cell()

    def close(self) -> None:
        """Take it off the page, and let go of the images."""
        super().close()
        with self._lock:
            self._given = self._run = None

    @traitlets.observe("chosen")
    def _fill_cell(self, change: object = None) -> None:
        with self._lock:
            self.cell = _of_cell(self._run, tuple(self.chosen)) if self._run else ""


def static(
    histories: History | Sequence[History],
    data: Dataset | None,
    other: Side | None = None,
    name: str = _THIS,
) -> str:
    """The same views below each other as HTML, for a page without a kernel; of one history or of several."""
    several = [histories] if isinstance(histories, History) else histories
    views, _ = _views(several, data, other, name)
    shown = [view for each, view in views.items() if other or each != "A against B"]
    inside = "".join(dict.fromkeys(shown))
    return f'<style>{styled("mistakes.css")}</style><div class="vgglab-mistakes" style="height: auto">{inside}</div>'


def _copied(histories: Sequence[History]) -> list[History]:
    return [dataclasses.replace(each) for each in histories]


def _state_of(histories: Sequence[History]) -> list[object]:
    """What the views of histories follow from; a run that goes on changes it."""
    return [(each.predictions, each.experiment, each.data, bool(each.epochs)) for each in histories]


@dataclass(frozen=True)
class _Run:
    """What a run says of the validation images, the classes' names, and the images or why there are none."""

    found: Predictions
    names: list
    images: Images | None
    problem: str

    def pictures(self, chosen: np.ndarray, most: int) -> list[Thumbnail]:
        """Of the chosen images, (n,) places, those that it is surest about."""
        if self.images is None:
            return []
        return thumbnails(self.images, self.found, self.names, surest(self.found, chosen)[:most])


def _views(
    histories: Sequence[History], data: Dataset | None, other: Side | None, name: str
) -> tuple[dict[str, str], _Run | None]:
    """The four views by name, and what the images of a cell are taken from."""
    latest = histories[-1] if histories else None
    if latest is None or not latest.epochs:
        return _all(_NO_EPOCH_YET if latest else _NOTHING_YET), None
    try:
        run = _run(latest, data)
    except InputError as error:
        return _all(str(error)), None
    counted = _counted(run.found, histories, name)
    own = data if run.images is not None else None
    table = described(confusion(latest, own))
    views = dict(
        Worst=_sections((_worst(run, counted), run.pictures(np.flatnonzero(~run.found.right), WORST))),
        Confusion=render("confusion.html", confusion=table) + _sections((counted, [])),
        Classes=render("classes.html", classes=described_classes(class_report(latest, own)))
        + _sections((counted, [])),
    )
    return views | {"A against B": _against(run, (name, histories), other)}, run


def _all(sentence: str) -> dict[str, str]:
    return dict.fromkeys(("Worst", "Confusion", "Classes", "A against B"), _sections((sentence, [])))


def _run(history: History, data: Dataset | None) -> _Run:
    """`InputError` where the history has no predictions; images that are not its own are a problem, no error."""
    found = predictions_of(history)
    problem = _NO_IMAGES if data is None else "" if are_of(found, data) else _OTHER_IMAGES
    own = None if problem else data
    return _Run(found, class_names(history, own), own.validation.images if own else None, problem)


def _counted(found: Predictions, histories: Sequence[History], name: str) -> str:
    """Whose figures they are: of several seeds, the latest's."""
    experiment = histories[-1].experiment
    if len(histories) > 1 and isinstance(experiment, Experiment):
        name = f"{name}, seed {experiment.seed}"
    return (
        f"{_first(name)}: weights of epoch {found.epoch}: {found.right.sum()} of {len(found.labels)} right."
    )


def _first(name: str) -> str:
    """A name at the beginning of a sentence; one that somebody gave is as it is."""
    return name.capitalize() if name == _THIS else name


def _worst(run: _Run, counted: str) -> str:
    wrong = int((~run.found.right).sum())
    if not wrong:
        return f"{counted} None is wrong."
    return f"{counted} {run.problem}" if run.problem else f"{counted} Surest mistakes:"


def _against(run: _Run, side: Side, other: Side | None) -> str:
    """Which images one side gets right and the other does not, by the rule of `compare`, whose answer it stands by."""
    from vgglab.measures.comparison import compare  # scipy, which who only trains need not wait for

    if other is None or not other[1]:
        return _sections((_NO_OTHER, []))
    (name, histories), (other_name, others) = side, other
    try:
        compared = compare(others, histories)
    except InputError as error:
        return _sections((str(error), []))
    here = dataclasses.replace(run, found=_surest_mistakes(histories))
    there = dataclasses.replace(run, found=_surest_mistakes(others), names=class_names(others[-1]))
    judged, other_judged = (_judged(runs, compared.seeds) for runs in (histories, others))
    gained, lost = compared.only_b_right, compared.only_a_right
    return _sections(
        (f"{_first(name)} is judged by {judged}, {other_name} by {other_judged}. {run.problem}".rstrip(), []),
        (_right_in_one(len(lost), other_name, name), here.pictures(lost, OF_A_SIDE)),
        (_right_in_one(len(gained), name, other_name), there.pictures(gained, OF_A_SIDE)),
    )


def _judged(histories: Sequence[History], shared: int) -> str:
    """What counts of a side: the seeds that are `shared`, where there are several, else all."""
    seeds = shared if shared > 1 else len(histories)
    if seeds == 1:
        return f"the weights of epoch {predictions_of(histories[-1]).epoch}"
    return "both of 2 seeds" if seeds == 2 else f"most of {seeds} seeds"


def _surest_mistakes(histories: Sequence[History]) -> Predictions:
    """For each image, what the surest of those runs says that get it wrong; where none does, the first.

    Most of the runs need not be wrong in the same way, and their mean may be right.
    """
    runs = [predictions_of(each) for each in histories]
    sure = np.array([np.where(each.right, 0.0, each.probabilities.max(axis=1)) for each in runs])
    said = [runs[surest].probabilities[image] for image, surest in enumerate(sure.argmax(axis=0))]
    return dataclasses.replace(runs[-1], probabilities=np.array(said))


def _right_in_one(count: int, right: str, wrong: str) -> str:
    return f"{count or 'No'} image{'' if count == 1 else 's'} that {right} gets right and {wrong} does not."


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
