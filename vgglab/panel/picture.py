"""A picture that Python draws at the size of its place, and that says its values where somebody points."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from vgglab.panel.styles import scripted, styled


class Picture(anywidget.AnyWidget):
    """An SVG in a place of a fixed size.

    `width` and `height` are those of the place in pixels, rounded down to ten, once a browser has reported them; before
    that 720 and 470. `readings` are what a line shows that follows the pointer, a finger or the arrow keys: each has an
    `x` in pixels of the SVG and `lines` of text, of which the first names it. `description` says what is read there.
    The place is as wide as there is room, and as high as its style says: `layout.height`, by default 470 pixels.
    """

    _esm = scripted("picture.js")
    _css = styled("picture.css")

    svg = traitlets.Unicode().tag(sync=True)
    width = traitlets.Int(720).tag(sync=True)
    height = traitlets.Int(470).tag(sync=True)
    readings: Any = traitlets.List(traitlets.Dict()).tag(sync=True)
    description = traitlets.Unicode("values").tag(sync=True)

    @traitlets.validate("width", "height")
    def _some(self, proposal: dict[str, Any]) -> int:
        return max(proposal["value"], 10)
