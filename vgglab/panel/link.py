"""A field that holds what brings an experiment back, to be copied: on a served page its link, in a notebook code."""

from __future__ import annotations

import anywidget
import traitlets

from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.panel.styles import scripted, styled
from vgglab.share.link import code_of


class Link(anywidget.AnyWidget):
    """What restores the settings that `show` was given last, and a button that copies it.

    Where it stands is for the page to know: served by Voilà it is the address, which goes along in the address bar but
    never with the server's token; in a notebook it is the code of a cell. `problem` says why there is none.
    """

    _esm = scripted("link.js")
    _css = styled("link.css")

    code = traitlets.Unicode().tag(sync=True)
    cell = traitlets.Unicode().tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)

    def __init__(self, experiment: Experiment | None = None) -> None:
        super().__init__()
        self.show(experiment or Experiment())

    def show(self, experiment: Experiment) -> None:
        """Hold what restores this experiment."""
        try:
            code, problem = code_of(experiment), ""
        except InputError as error:
            code, problem = "", str(error)
        with self.hold_sync():
            self.code, self.problem = code, problem
            self.cell = f'Dashboard(data, experiment_of("{code}"))'
