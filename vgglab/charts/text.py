"""What is written on a chart: names as they are given, in any script, and legends that cover nothing."""

from __future__ import annotations

import functools
import unicodedata
import warnings
from collections.abc import Iterable

import numpy as np
import pandas as pd
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.axes._base import _AxesBase
from matplotlib.backend_bases import RendererBase
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.transforms import Bbox

# They claim to have every character, and draw a box for each; and mathematics, at other places than Unicode's.
_NO_LETTERS = ("Last Resort", "cm", "STIXSize", "STIXNonUnicode")


def as_given(texts: Iterable[Text]) -> None:
    """Show names of classes, runs and the like to the letter: `$` is a dollar, and no letter is an empty box.

    Letters that the font lacks come from another installed one. A warning says where none has them, and of which
    script they are.
    """
    for text in texts:
        text.set_parse_math(False)
        lacking = _lacking(text.get_text(), tuple(text.get_fontfamily()))
        if lacking:
            text.set_fontfamily([*text.get_fontfamily(), *_fonts_with(lacking)])


def named_as_given(ax: Axes) -> Axes:
    """The Axes, whose title and names of axes are never mathematics, whoever writes them and when."""
    for text in (ax.title, ax.xaxis.label, ax.yaxis.label):
        text.set_parse_math(False)
    return ax


def name_cells(ax: Axes, table: pd.DataFrame) -> None:
    """Name the rows and columns of a heatmap as those of its table, and its axes too.

    It has to be drawn with no names: seaborn would take them for mathematics.
    """
    ax.set_xticks(np.arange(len(table.columns)) + 0.5, [str(each) for each in table.columns])
    ax.set_yticks(np.arange(len(table.index)) + 0.5, [str(each) for each in table.index], rotation=0)
    ax.set(xlabel=table.columns.name or "", ylabel=table.index.name or "")
    as_given([*ax.get_xticklabels(), *ax.get_yticklabels(), ax.xaxis.label, ax.yaxis.label])


def legend_above(ax: Axes, columns: int = 4) -> None:
    """A legend that covers no line, and no title either: a title goes above it."""
    labels = ax.get_legend_handles_labels()[1]
    legend = ax.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        borderaxespad=0.2,
        ncols=columns if len(labels) <= columns else min(columns, 3),
        frameon=False,
        handlelength=2.4,
    )
    as_given(legend.get_texts())

    def where_the_legend_is(place: _AxesBase, renderer: RendererBase) -> Bbox:
        shown = ax.get_legend()
        assert place.figure is not None  # Axes that are drawn are on one
        extent = shown.get_window_extent(renderer) if shown else ax.get_window_extent()
        return extent.transformed(place.figure.transSubfigure.inverted())

    # Matplotlib puts a title above all child axes, and takes no notice of legends.
    place = ax.inset_axes((0, 1, 1, 0.1))
    place.axis("off")
    place.set_axes_locator(where_the_legend_is)


def _lacking(text: str, families: tuple[str, ...]) -> str:
    """The characters of a text that none of the fonts has, each once."""
    there = set().union(*(_characters(path) for family in families for path in _paths(family)))
    return "".join(each for each in dict.fromkeys(text) if ord(each) not in there and not each.isspace())


def _paths(family: str) -> list[str]:
    """Of the font that Matplotlib takes for a family; nothing where there is none."""
    try:
        return [font_manager.findfont(FontProperties(family=[family]), fallback_to_default=False)]
    except ValueError:
        return []


@functools.cache
def _characters(path: str) -> frozenset[int]:
    return frozenset(font_manager.get_font(path).get_charmap())


@functools.cache
def _fonts_with(letters: str) -> tuple[str, ...]:
    """Few installed fonts that have these characters together; a warning, once, of those that none has."""
    upright = [
        font
        for font in font_manager.fontManager.ttflist
        if font.style == "normal" and not font.name.startswith(_NO_LETTERS)
    ]
    found, left = [], set(letters)
    for font in sorted(upright, key=lambda font: ("Sans" not in font.name, font.name)):
        has = {each for each in left if ord(each) in _characters(font.fname)}
        if has:
            found.append(font.name)
            left -= has
    if left:
        missing = [each for each in letters if each in left]
        scripts = dict.fromkeys(unicodedata.name(each, "UNKNOWN").split()[0] for each in missing)
        warnings.warn(
            f"No installed font has the characters {''.join(missing)!r} ({', '.join(scripts)}), so charts show boxes "
            "in their place. A font that has them, such as one of the Noto family, mends it.",
            stacklevel=4,
        )
    return tuple(found)
