"""The bar of the dashboard, which stays in view: the buttons of a run, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ipywidgets as widgets

from vgglab.panel.inputs import Segments
from vgglab.panel.progress import Progress
from vgglab.panel.styles import styled
from vgglab.templates import render

SEEDS = (1, 3, 5)  # runs of one experiment that a click trains in turn


class _Modes(Segments):
    """Simple or Full; the first widget of a dashboard, and so the one that brings its style sheet along."""

    _css = styled("inputs.css") + styled("bench.css")


class Bar(widgets.Box):
    """What stays in view: how many controls, the buttons of a run, how far it is, and a small chart where it is narrow.

    `mini` holds the small chart. `is_full` is the first choice of `modes`.
    """

    def __init__(self, actions: Mapping[str, Callable[[], object]], *, is_full: bool) -> None:
        self.modes = _Modes(
            description="controls",
            names=["Simple", "Full"],
            tooltips=["the few controls to begin with", "every control there is"],
            index=int(is_full),
        )
        self.seeds = Segments(
            description="seeds",
            names=[f"×{count}" for count in SEEDS],
            tooltips=[
                "one run" if count == 1 else f"{count} runs in turn, each with another seed"
                for count in SEEDS
            ],
        )
        self.train = _button("Train", "play", "start a run", actions["train"], button_style="primary")
        self.pause = _button("Pause", "pause", "hold or go on", actions["pause"], disabled=True)
        self.stop = _button("Stop", "stop", "end the run now", actions["stop"], disabled=True)
        self.progress = Progress()
        self.mini = widgets.HTML()
        self.mini.add_class("vgglab-mini")
        title = widgets.HTML(render("title.html"))
        buttons = [self.train, self.seeds, self.pause, self.stop]
        super().__init__([title, self.modes, *buttons, self.progress, self.mini])
        self.add_class("vgglab-bar")

    @property
    def count(self) -> int:
        """How many seeds a click trains."""
        return SEEDS[self.seeds.index]


def _button(
    name: str, icon: str, tip: str, action: Callable[[], object], **options: object
) -> widgets.Button:
    button = widgets.Button(description=name, icon=icon, tooltip=tip, **options)
    button.on_click(lambda _: action())
    return button
