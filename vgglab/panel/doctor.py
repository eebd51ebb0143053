"""The doctor on a page: a button, and what it finds in the images at hand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets as widgets

from vgglab.datasets import Dataset
from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.panel.findings import findings_html
from vgglab.templates import render

if TYPE_CHECKING:
    from vgglab.doctor.findings import Findings

_WHAT_IT_IS = (
    "Copies within and across the split, labels that are probably wrong, shortcuts, unequal classes and blank "
    "images. It takes about a minute for 3,000 images, and waits while a run goes on."
)


class Doctor(widgets.VBox):
    """Looks at the images when its button is pressed; `findings` are the latest, None before.

    `at_hand` gives the images and the experiment whose backbone looks at them. The look is taken in a thread.
    """

    def __init__(self, at_hand: Callable[[], tuple[Dataset, Experiment]]) -> None:
        self._at_hand = at_hand
        self.findings: Findings | None = None
        self._thread: threading.Thread | None = None
        self.button = widgets.Button(description="Check the images")
        self.page = widgets.HTML(render("note.html", texts=[_WHAT_IT_IS]))
        self.button.on_click(lambda _: self.start())
        super().__init__([self.button, self.page])
        self.add_class("vgglab-doctor")

    def start(self) -> None:
        """Begin to look, unless that is going on."""
        if not self.button.disabled:
            self.button.disabled = True
            self._thread = threading.Thread(target=self._look, daemon=True)
            self._thread.start()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the look is taken."""
        if self._thread:
            self._thread.join(timeout)

    def _look(self) -> None:
        # Here, not at the top: a dashboard is on the page before what this takes is loaded.
        from vgglab.doctor.check import check_images

        try:
            data, experiment = self._at_hand()
            self.findings = check_images(data, experiment, self._say)
            self.page.value = findings_html(self.findings)
        except InputError as error:
            self.page.value = render("alert.html", text=str(error))
        except Exception as error:  # a failure in a thread is seen nowhere else
            self.page.value = render("alert.html", text=f"{type(error).__name__}: {error}")
        finally:
            self.button.disabled = False

    def _say(self, sentence: str) -> None:
        self.page.value = render("note.html", texts=[sentence])
