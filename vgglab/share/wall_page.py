"""The class wall as one page: the table and the chart, for a projector; nothing is loaded from elsewhere."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from vgglab.charts.wall import wall_svg
from vgglab.files import written_whole
from vgglab.share.wall import COLUMNS, MARK, Wall
from vgglab.templates import render

_UNITS = dict(validation="%", train="%", gap="points", test="%")
_COUNTS = ("epoch", "epochs")


def save_wall(wall: Wall, title: str, path: str | os.PathLike, refresh: int | None = None) -> Path:
    """Write the page of a wall; it is whole or absent."""
    path = Path(path)
    with written_whole(path) as beside:
        beside.write_bytes(wall_page(wall, title, refresh).encode(errors="xmlcharrefreplace"))
    return path


def wall_page(wall: Wall, title: str, refresh: int | None = None) -> str:
    """A wall as a self-contained HTML page in the system's colours, sorted by the column whose name is pressed.

    With `refresh` the page loads itself anew every so many seconds.
    """
    return render(
        "wall.html",
        mark=MARK,
        title=title,
        refresh=refresh,
        chart=wall_svg(wall.table),
        columns=[dict(label=name, is_number=_is_number(name)) for name in COLUMNS],
        rows=[[_cell(name, row[name]) for name in COLUMNS] for row in wall.table.to_dict("records")],
        problems=wall.problems,
    )


def _is_number(column: str) -> bool:
    return column in (*_UNITS, *_COUNTS)


def _cell(column: str, value: Any) -> dict[str, Any]:
    """A cell: what it is sorted by, "" for what was not measured, and what people read."""
    is_number = _is_number(column)
    measured = not (is_number and math.isnan(value))
    text = f"{100 * value:.1f} {_UNITS[column]}" if column in _UNITS else str(value)
    return dict(
        is_number=is_number,
        is_code=column == "settings",
        value=value if measured else "",
        text=text if measured else "–",
    )
