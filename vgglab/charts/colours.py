"""The colours of all charts, and how those of the live one follow the theme of the page that it is on.

Blue and orange stand out at least three times from white and from the dark theme's black (WCAG 2.2, 1.4.11), and people
with any kind of colour vision tell them apart.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

TRAIN, VALIDATION, LOGGED, SOURCE = "#0173b2", "#c96a00", "#949494", "#029e73"
MEMORISED = "#5b1a5e"  # so dark that people with any kind of colour vision tell it from the others
GROUND, GREY, GRID, MARK = "#ffffff", "#6b6b6b", "#e4e4e4", "#888888"

# Of several runs, in their order: each stands out at least three times from white and from #111, and the two that are
# hardest to tell apart with any kind of colour vision are still seven times what is just noticeable.
RUNS = ("#961ed2", "#1ea596", "#f0691e", "#4b6978", "#c369ff", "#b43c00")
DASHES = ("", "8 4", "3 3", "14 4", "6 3 2 3", "14 3 3 3")

# What takes the place of a colour on a page that has a theme, by our own variables (vgglab/panel/theme.css) or, where
# they are not known, by those of JupyterLab. The colour itself holds everywhere else: on a run card, in a file, in a
# program that does not know variables.
THEMED = {
    GROUND: f"var(--vgglab-ground,var(--jp-layout-color0,{GROUND}))",
    GREY: f"var(--vgglab-quiet,var(--jp-ui-font-color2,{GREY}))",
    GRID: f"var(--jp-border-color2,{GRID})",
    # Halfway to the colour of text: the dark purple above on light, a light one on dark.
    MEMORISED: "color-mix(in srgb,#b634bc,var(--vgglab-text,var(--jp-ui-font-color1,#000)))",
}
# The same for those who ask for more contrast, and for those whose system sets the colours itself.
_CONTRASTED = dict.fromkeys((GREY, MARK), "var(--vgglab-text,var(--jp-ui-font-color0,#000))") | {GRID: MARK}
_FORCED = {GROUND: "Canvas", GRID: "GrayText"} | dict.fromkeys((GREY, MARK, MEMORISED), "CanvasText")
THICK, THIN = 2.2, 1.2  # pixels of a line
_THICKER = {THICK: 3.4, THIN: 2.2}


class Look(NamedTuple):
    """The colour and the dashes of a run among others."""

    colour: str
    dash: str


def looks(letters: Sequence[str]) -> list[Look]:
    """A look for each run: that of its letter, A to Z, so that it keeps it; the first one that is free without one.

    The first 36 looks all differ.
    """
    numbers = [ord(letter) - ord("A") if letter else None for letter in letters]
    free = (number for number in itertools.count() if number not in numbers)
    places = [next(free) if number is None else number for number in numbers]
    return [Look(RUNS[place % 6], DASHES[(place + place // 6) % 6]) for place in places]


def stylesheet(within: str) -> str:
    """The rules of `THEMED` for what is drawn inside a class; they overrule the attributes that name the colours."""
    thicker = "".join(
        f'.{within} polyline[stroke-width="{width}"]{{stroke-width:{more}}}'
        for width, more in _THICKER.items()
    )
    return (
        _rules(within, THEMED)
        + f"@media (prefers-contrast:more){{{_rules(within, _CONTRASTED)}{thicker}}}"
        + f"@media (forced-colors:active){{{_rules(within, _FORCED)}{thicker}}}"
    )


def _rules(within: str, paints: Mapping[str, str]) -> str:
    return "".join(
        f'.{within} [{paint}="{colour}"]{{{paint}:{painted}}}'
        for colour, painted in paints.items()
        for paint in ("fill", "stroke")
    )
