"""The network as a picture that needs no page's script, for a notebook that nobody watches."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from vgglab.charts.colours import GREY, GROUND, TRAIN
from vgglab.charts.svg import group, line, svg, text
from vgglab.experiment import CONV_LAYERS

WIDTH, HEIGHT = 640, 148
_TALLEST, _FLOOR, _DEEPEST = 54, 80, 40  # pixels: of a bar, where bars stand, of what hangs beneath them
_LEGEND = "hatched: frozen · filled: learns · hanging: how far it moved · dotted: how far features drifted"
_GAP = 10  # between two blocks
_HATCH = (
    f'<pattern id="vgglab-frozen" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<rect width="5" height="5" fill="{GROUND}"/><line y2="5" stroke="{GREY}" stroke-width="2"/></pattern>'
)


def layers_svg(layers: Sequence[dict[str, Any]], unfreeze: int, description: str) -> str:
    """The bars of `Layers.layers` with their border; hatched ones are frozen, filled ones learn."""
    groups = [list(bars) for _, bars in itertools.groupby(enumerate(layers), lambda each: each[1]["group"])]
    wide = (WIDTH - 2 * _GAP - (len(groups) - 1) * _GAP) / len(layers)
    parts, left, border = [f"<defs>{_HATCH}</defs>"], float(_GAP), float(_GAP)
    parts.append(text(_GAP, 16, _LEGEND, "start", size=12))
    for bars in groups:
        start = left
        for place, layer in bars:
            if place == CONV_LAYERS - unfreeze:
                border = left - (_GAP / 2 if left == start else 0)
            parts.append(_bar(layer, left, wide, learns=place >= CONV_LAYERS - unfreeze))
            left += wide
        parts += _drift(bars[0][1], start, left)
        parts.append(text((start + left) / 2, HEIGHT - 8, bars[0][1]["group"], "middle", size=12))
        left += _GAP
    parts.append(_border(border))
    return svg(parts, description, WIDTH, HEIGHT)


def _bar(layer: dict[str, Any], left: float, wide: float, *, learns: bool) -> str:
    tall = _TALLEST * layer["height"]
    fill = TRAIN if learns else "url(#vgglab-frozen)"
    bars = [_box(left + 2, _FLOOR - tall, wide - 4, tall, fill)]
    if layer["moved"]:
        bars.append(_box(left + wide / 3, _FLOOR + 2, wide / 3, max(1, _DEEPEST * layer["moved"]), GREY))
    return group(f"{layer['name']} {'learns' if learns else 'is frozen'}. {layer['says']}", bars)


def _drift(layer: dict[str, Any], start: float, end: float) -> list[str]:
    if not layer["drift"]:
        return []
    deep = _FLOOR + 2 + _DEEPEST * layer["drift"]
    return [line(start, end, deep, deep, GREY, dash="2 3")]


def _border(left: float) -> str:
    return line(left, left, 22, _FLOOR + 6, GREY, width=2)


def _box(left: float, top: float, wide: float, tall: float, fill: str) -> str:
    return f'<rect x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{tall:.1f}" fill="{fill}" stroke="{GREY}"/>'
