"""What it trains on: an image, and what the network will get of it, drawn anew as a control moves."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import anywidget
import traitlets

from vgglab.datasets import Dataset, under_conditions
from vgglab.experiment import Experiment, is_random, of_role
from vgglab.image_changes import AUGMENTATIONS
from vgglab.panel.latest import Latest
from vgglab.panel.styles import scripted, styled
from vgglab.panel.tiles import DRAWS, note, original, tiles_of
from vgglab.templates import render

GETTING_READY = "Getting ready: TensorFlow is being loaded."
# What TensorFlow does for the first time is slow, whatever it is.
_ALL_ON = Experiment(
    augment=tuple((name, rule.default) for name, rule in AUGMENTATIONS.items()), mixup=1.0, views=1
)


@dataclass(frozen=True)
class _Request:
    """What the strip is to show: an experiment's images, which of them, from which epoch on."""

    experiment: Experiment
    data: Dataset
    image: int
    first: int


class Strip(anywidget.AnyWidget):
    """One training image and what an experiment's first phase makes of it, epoch by epoch.

    The draws are those of training: the same code, with the same random numbers. They are made in a thread of their
    own, the latest that was asked for only, and wait for no run. `image` counts the training images in a fixed random
    order, `first` is the epoch of the first draw, from 0; "another image" and "draw again" move them. `contents` is
    what is seen: `tiles`, and a `note`.
    """

    _esm = scripted("strip.js")
    _css = styled("strip.css")

    image = traitlets.Int(0, min=0).tag(sync=True)
    first = traitlets.Int(0, min=0).tag(sync=True)
    contents = traitlets.Dict().tag(sync=True)
    draws = traitlets.Int(DRAWS, read_only=True).tag(sync=True)

    def __init__(self) -> None:
        self._is_closed = False
        self._wanted: tuple[Experiment, Dataset] | None = None
        self._used: tuple[tuple, Dataset, Dataset] | None = None
        self._latest: Latest[_Request] = Latest(self._draw)
        super().__init__(contents=dict(tiles=[], note=""))

    def show(self, experiment: Experiment, data: Dataset) -> None:
        """Draw what the experiment makes of the data's images, soon; `data` without the experiment's conditions."""
        self._wanted = experiment, data
        if self._is_closed:  # asked afterwards: it may be closed at any moment
            self._wanted = None
        self._ask()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until what was asked for is drawn, so many seconds at most; whether it is."""
        return self._latest.join(timeout)

    def static(self) -> str:
        """What the strip shows as HTML that needs no widget, "" before anything was asked for; draws it at once."""
        request = self._request()
        return render("strip.html", **self._made(request)) if request else ""

    def close(self) -> None:
        """Take the strip off the page, and draw no more."""
        self._is_closed = True
        self._wanted = self._used = None
        self._latest.forget()
        super().close()

    @traitlets.observe("image", "first")
    def _ask(self, change: object = None) -> None:
        request = self._request()
        if request:
            self._latest.ask(request)

    def _request(self) -> _Request | None:
        return _Request(*self._wanted, self.image, self.first) if self._wanted else None

    def _draw(self, request: _Request) -> None:
        loaded = "vgglab.engine.drawn" in sys.modules
        try:
            if is_random(request.experiment.phases[0]) and not loaded:
                used = self._under_conditions(request)
                self.contents = dict(tiles=[original(used, request.image)], note=GETTING_READY)
            self.contents = self._made(request)
            if (
                not loaded
            ):  # while nothing is on, so that the first toggle is answered at once, and so is Train
                tiles_of(_ALL_ON, request.data, request.image, first=0)
        except Exception as error:  # in a thread it would be seen nowhere
            self.contents = dict(tiles=[], note=f"This could not be drawn: {type(error).__name__}: {error}")

    def _made(self, request: _Request) -> dict[str, Any]:
        used = self._under_conditions(request)
        tiles = tiles_of(request.experiment.phases[0], used, request.image, request.first)
        return dict(tiles=tiles, note=note(request.experiment, used, request.first))

    def _under_conditions(self, request: _Request) -> Dataset:
        """The data that is trained on; kept, because it is the same for most of the controls."""
        key = (request.experiment.seed, *of_role(request.experiment.phases[0], "data").items())
        kept = self._used
        if kept is None or kept[:1] != (key,) or kept[1] is not request.data:
            kept = self._used = key, request.data, under_conditions(request.data, request.experiment)
        if self._is_closed:  # asked afterwards, as in `show`
            self._used = None
        return kept[2]
