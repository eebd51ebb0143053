"""What a notebook that nobody watches keeps of a dashboard: pictures that need no widget."""

from __future__ import annotations

from collections.abc import Mapping

from vgglab.templates import render


def leave(pictures: Mapping[str, str], text: str) -> None:
    """Put pictures, HTML by their titles, and a line of text into the output of the running cell, if there is one."""
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is None:
        return
    page = render(
        "static.html", pictures={title: each for title, each in pictures.items() if each}, text=text
    )
    display({"text/html": page, "text/plain": text}, raw=True)
