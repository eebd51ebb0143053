"""What can be said of an experiment before it is run: its cost, the script that does the same, what restores it."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets

from vgglab.datasets import Dataset, under_conditions
from vgglab.engine.owner import alone_at_once
from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.history import History
from vgglab.panel.link import Link
from vgglab.share.script import script
from vgglab.templates import render


class Facts:
    """A page for each kind, by its title; it is filled when it is looked at."""

    def __init__(self) -> None:
        self.cost, self.code, self.link = widgets.HTML(), widgets.HTML(), Link()
        self.pages: dict[str, widgets.Widget] = {"Cost": self.cost, "Code": self.code, "Link": self.link}
        self._fill: dict[str, Callable[[Experiment, Dataset, History | None], object]] = {
            "Cost": self._fill_cost,
            "Code": self._fill_code,
            "Link": lambda experiment, data, history: None,
        }

    def show(self, title: str, experiment: Experiment, data: Dataset, history: History | None) -> None:
        """Fill the page of a title, if there is one; `history` is the latest run, to hold the forecast against.

        The link is always that of the experiment: it stands in the address of a served page, too.
        """
        self.link.show(experiment)
        if title not in self.pages:
            return
        try:
            self._fill[title](experiment, data, history)
        except InputError as error:
            self.pages[title].value = render("alert.html", text=str(error))

    def _fill_cost(self, experiment: Experiment, data: Dataset, history: History | None) -> None:
        from vgglab.panel.costs import cost_table

        with alone_at_once("The cost card"):
            self.cost.value = cost_table(experiment, under_conditions(data, experiment), history)

    def _fill_code(self, experiment: Experiment, data: Dataset, history: History | None) -> None:
        self.code.value = render("code.html", text=script(experiment))
