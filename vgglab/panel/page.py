"""The served page: the dashboard that its address asks for."""

from __future__ import annotations

from pathlib import Path

import ipywidgets as widgets

from vgglab.datasets import load_for
from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.panel.dashboard import Dashboard
from vgglab.share.link import shared_experiment
from vgglab.templates import render


def page(query: str, folder: str | Path) -> widgets.Widget:
    """A dashboard with the settings that stand behind the "?" of an address; runs are kept in `folder`.

    An address that names no experiment, or a file, gives a sentence that says so, and the default dashboard.
    """
    try:
        return _dashboard(shared_experiment(query), folder)
    except InputError as error:
        said = widgets.HTML(render("alert.html", text=f"This link cannot be followed. {error}"))
        opened = widgets.VBox([said, _dashboard(Experiment(), folder)])
        opened.add_class("vgglab-page")
        return opened


def _dashboard(experiment: Experiment, folder: str | Path) -> Dashboard:
    return Dashboard(load_for(experiment), experiment, folder=folder)
