"""The colours of all charts, and how those of the live one follow the theme of the page that it is on.

Blue and orange stand out at least three times from white and from the dark theme's black (WCAG 2.2, 1.4.11), and people
with any kind of colour vision tell them apart.
"""

from __future__ import annotations

TRAIN, VALIDATION, LOGGED, SOURCE = "#0173b2", "#c96a00", "#949494", "#029e73"
MEMORISED = "#5b1a5e"  # so dark that people with any kind of colour vision tell it from the others
GROUND, GREY, GRID, MARK = "#ffffff", "#6b6b6b", "#e4e4e4", "#888888"

# Of several runs in one picture, by their places; the dash, lengths as in SVG, is for eyes that see no colour.
RUN_COLOURS = ("#0173b2", "#c96a00", "#029e73", "#a34e9e", "#8b5a2b", "#4c4c9d")
RUN_DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 2", "12 4")

# What takes the place of a colour on a page that has a theme, by the variables of JupyterLab, which Voilà shares. The
# colour itself holds everywhere else: on a run card, in a file, in a program that does not know variables.
THEMED = {
    GROUND: f"var(--jp-layout-color0,{GROUND})",
    GREY: f"var(--jp-content-font-color2,{GREY})",
    GRID: f"var(--jp-border-color2,{GRID})",
    # Halfway to the colour of text: the dark purple above on light, a light one on dark.
    MEMORISED: "color-mix(in srgb,#b634bc,var(--jp-content-font-color0,#000))",
}


def stylesheet(within: str) -> str:
    """The rules of `THEMED` for what is drawn inside a class; they overrule the attributes that name the colours."""
    return "".join(
        f'.{within} [{paint}="{colour}"]{{{paint}:{themed}}}'
        for colour, themed in THEMED.items()
        for paint in ("fill", "stroke")
    )
