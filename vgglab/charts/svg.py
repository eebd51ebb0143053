"""The few elements of SVG that the live chart is made of."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from vgglab.charts.colours import GREY, GROUND, THICK, stylesheet

Point = tuple[float, float]
CLASS = "vgglab-chart"


def svg(parts: Iterable[str], description: str, width: int, height: int) -> str:
    """A picture with its alternative text, on a ground that follows the page's theme."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" class="{CLASS}"'
        f' aria-label="{html.escape(description)}" style="width:100%;max-width:{width}px"'
        f' font-family="system-ui, sans-serif"><style>{stylesheet(CLASS)}</style>'
        f'<rect width="{width}" height="{height}" fill="{GROUND}"/>{"".join(parts)}</svg>'
    )


def text(
    x: float,
    y: float,
    words: str,
    anchor: str,
    *,
    weight: str = "normal",
    size: int = 13,
    turn: int = 0,
    halo: bool = False,
) -> str:
    """Words at a point: their start, middle or end stands there; a `halo` keeps them readable on what is below."""
    around = f' stroke="{GROUND}" stroke-width="3" paint-order="stroke"' if halo else ""
    turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}"'
        f' fill="{GREY}"{around}{turned}>{html.escape(words)}</text>'
    )


def line(x1: float, x2: float, y1: float, y2: float, colour: str, *, dash: str = "", width: float = 1) -> str:
    """A straight line."""
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}" stroke="{colour}"'
        f' stroke-width="{width}"{dashes}/>'
    )


def curve(
    points: Sequence[Point], colour: str, *, dot: Point | None, dash: str = "", width: float = THICK
) -> str:
    """A line through points, and a dot on it unless there is none; "" without a point."""
    if not points:
        return ""
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    drawn = (
        f'<polyline points="{_pairs(points)}" fill="none" stroke="{colour}" stroke-width="{width}"'
        f' stroke-linejoin="round"{dashes}/>'
    )
    if dot is None:
        return drawn
    x, y = dot
    return f'{drawn}<circle cx="{x:.1f}" cy="{y:.1f}" r="{1.5 * width:.1f}" fill="{colour}"/>'


def area(points: Sequence[Point], colour: str = "#808080", opacity: float = 0.14) -> str:
    """A shade over the area that the points enclose; "" without a point."""
    return f'<polygon points="{_pairs(points)}" fill="{colour}" opacity="{opacity}"/>' if points else ""


def numbered(x: float, y: float, number: int) -> str:
    """A number in a circle."""
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" fill="{GROUND}" stroke="{GREY}"/>'
        + text(x, y + 4.3, str(number), "middle", size=12)
    )  # fmt: skip


def group(title: str, parts: Iterable[str]) -> str:
    """Parts that belong together, under a title that the pointer shows."""
    return f"<g><title>{html.escape(title)}</title>{''.join(parts)}</g>"


def _pairs(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
