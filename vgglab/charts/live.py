"""The live chart as SVG: text that costs a millisecond to make, where a picture costs a hundred.

Accuracy above, loss below, one x axis. Blue and solid is train, orange and dashed validation, dark and dash-dotted
the wrong labels known by heart, as in `vgglab.charts`; earlier runs are thin ghosts of the same colours.
"""

from __future__ import annotations

import html
import itertools
import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vgglab.experiment import what_changed
from vgglab.history import History

WIDTH, HEIGHT = 720, 470
POINTS = 240  # of a line; more are not told apart at this width
TRAIN, VALIDATION, GREY, LOGGED, SOURCE = "#0173b2", "#de8f05", "#6b6b6b", "#949494", "#029e73"
MEMORISED = "#5b1a5e"  # so dark that people with any kind of colour vision tell it from the others
_DASHES = {VALIDATION: "7 4", LOGGED: "2 3", SOURCE: "10 3 2 3", MEMORISED: "8 3 2 3 2 3"}
_NAMES = {
    TRAIN: "train",
    VALIDATION: "validation",
    LOGGED: "as Keras logs it",
    SOURCE: "source task",
    MEMORISED: "wrong labels known by heart",
}

Row = Mapping[str, float]


@dataclass(frozen=True)
class Scale:
    """From epochs and values to pixels: `low` is drawn at `bottom`, `high` at `top`."""

    epochs: int
    low: float
    high: float
    top: float
    bottom: float
    left: float = 62
    right: float = WIDTH - 120

    def x(self, epoch: float) -> float:
        return self.left + (epoch - 0.5) / max(self.epochs, 1) * (self.right - self.left)

    def y(self, value: float) -> float:
        part = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.bottom - part * (self.bottom - self.top)


def live_svg(
    history: History,
    ghosts: Mapping[str, History] | None = None,
    *,
    logged: bool = False,
    source: bool = True,
) -> str:
    """The accuracy and loss of a run as one `<svg>`, with earlier runs behind it.

    `logged` adds the accuracy that Keras logs, `source` the one left on the source task where it is
    known. Where training labels are wrong, a curve says how many of them are known by heart. What a
    line costs does not grow with the number of epochs.
    """
    ghosts = ghosts or {}
    everything = [history, *ghosts.values()]
    epochs = max(history.experiment.planned_epochs, *(len(each.epochs) for each in everything))
    accuracy = Scale(epochs, 0, 1, top=46, bottom=292)
    highest = max(_highest_loss(each) for each in everything)
    loss = Scale(epochs, 0, highest, top=322, bottom=HEIGHT - 36)
    rows = _thinned(history.epochs)
    parts = [
        *_frame(accuracy, "accuracy", (0, 0.25, 0.5, 0.75, 1), "{:.0%}"),
        *_frame(loss, "loss", (0, highest / 2, highest), "{:.2g}"),
        *_epoch_ticks(loss),
        *_ghosts(ghosts, accuracy, loss),
        *_gap(rows, accuracy),
        *_phases(history, accuracy),
    ]
    lines = [("train_accuracy", TRAIN), ("validation_accuracy", VALIDATION)]
    lines += [("logged_accuracy", LOGGED)] if logged else []
    lines += [("source_accuracy", SOURCE)] if source and _knows(rows, "source_accuracy") else []
    lines += [("memorised", MEMORISED)] if _knows(rows, "memorised") else []
    parts += [_line(rows, name, accuracy, colour) for name, colour in lines]
    parts += [_line(rows, "train_loss", loss, TRAIN), _line(rows, "validation_loss", loss, VALIDATION)]
    parts += _legend([colour for _, colour in lines], bool(ghosts))
    return _svg(parts, history.summary())


def _thinned(rows: Sequence[Row]) -> list[Row]:
    """At most `POINTS` rows, evenly spaced, the first and the last among them."""
    step = max(1, -(-(len(rows) - 1) // (POINTS - 1)))
    return [*rows[:-1:step], *rows[-1:]]


def _highest_loss(history: History) -> float:
    rows = [(row["train_loss"], row["validation_loss"]) for row in _thinned(history.epochs)]
    highest = [max(losses) for losses in rows if math.isfinite(sum(losses))]
    # One spike must not press everything else flat: three times the first loss is high enough.
    return max(min(max(highest), 3 * highest[0]), 0.1) if highest else 1.0


def _knows(rows: Sequence[Row], name: str) -> bool:
    return bool(rows) and rows[-1].get(name) is not None


def _frame(scale: Scale, name: str, ticks: Iterable[float], form: str) -> list[str]:
    parts = [_text(14, (scale.top + scale.bottom) / 2, name, "middle", turn=-90)]
    for tick in ticks:
        y = scale.y(tick)
        parts.append(
            f'<line x1="{scale.left}" x2="{scale.right}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e4e4e4"/>'
        )
        parts.append(_text(scale.left - 8, y + 4, form.format(tick), "end"))
    return parts


def _epoch_ticks(scale: Scale) -> list[str]:
    step = next(
        step
        for size in range(7)
        for step in (10**size, 2 * 10**size, 5 * 10**size)
        if scale.epochs / step <= 9
    )
    ticks = sorted({1, *range(step, scale.epochs + 1, step)} - ({step} if step == 2 else set()))
    parts = [_text(scale.x(tick), scale.bottom + 16, str(tick), "middle") for tick in ticks]
    return [*parts, _text((scale.left + scale.right) / 2, scale.bottom + 32, "epoch", "middle")]


def _line(
    rows: Sequence[Row], name: str, scale: Scale, colour: str, width: float = 2.2, opacity: float = 1
) -> str:
    known = [row for row in rows if row[name] is not None and not math.isnan(row[name])]
    points = [(scale.x(row["epoch"]), scale.y(row[name])) for row in known]
    if not points:
        return ""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dash = f' stroke-dasharray="{_DASHES[colour]}"' if colour in _DASHES else ""
    x, y = points[-1]
    dot = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{1.5 * width:.1f}" fill="{colour}" opacity="{opacity}"/>'
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" opacity="{opacity}"'
        f' stroke-linejoin="round"{dash}/>{dot}'
    )


def _ghosts(ghosts: Mapping[str, History], accuracy: Scale, loss: Scale) -> list[str]:
    parts = []
    for name, history in ghosts.items():
        rows = _thinned(history.epochs)
        lines = [
            _line(rows, f"{part}_{what}", scale, colour, 1, 0.45)
            for what, scale in (("accuracy", accuracy), ("loss", loss))
            for part, colour in (("train", TRAIN), ("validation", VALIDATION))
        ]
        parts.append(f"<g><title>{html.escape(name)}</title>{''.join(lines)}</g>")
    return parts


def _gap(rows: Sequence[Row], scale: Scale) -> list[str]:
    if not rows:
        return []
    outline = [(row["epoch"], row["train_accuracy"]) for row in rows]
    outline += [(row["epoch"], row["validation_accuracy"]) for row in reversed(rows)]
    points = " ".join(f"{scale.x(epoch):.1f},{scale.y(value):.1f}" for epoch, value in outline)
    last = rows[-1]
    middle = scale.y((last["train_accuracy"] + last["validation_accuracy"]) / 2)
    label = f"gap {100 * last['gap']:.0f} points"
    return [
        f'<polygon points="{points}" fill="#808080" opacity="0.14"/>',
        _text(scale.x(last["epoch"]) + 10, middle + 4, label, "start", weight="bold"),
    ]


def _phases(history: History, scale: Scale) -> list[str]:
    parts, phases = [], history.experiment.phases
    for number, (before, after) in enumerate(itertools.pairwise(phases), start=2):
        # Not as planned: early stopping ends a phase before.
        epochs = bisect_left(history.epochs, number, key=lambda row: row["phase"])
        if epochs == len(history.epochs):
            break
        x = scale.x(epochs + 0.5)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{scale.top}" y2="{scale.bottom}" stroke="#888"'
            ' stroke-dasharray="3 3"/>'
        )
        for place, change in enumerate(what_changed(before, after)):
            parts.append(_text(x + 4, scale.bottom - 8 - 13 * place, change, "start", size=11))
    return parts


def _legend(colours: Sequence[str], ghosts: bool) -> list[str]:
    """A line and a name for each colour, from left to right, in a second row where the first is full."""
    entries = [(colour, _NAMES[colour]) for colour in colours]
    entries += [("", "thin: earlier runs")] if ghosts else []
    rows: list[list[tuple[float, str, str]]] = [[]]
    x = 62.0
    for colour, name in entries:
        width = (36 if colour else 0) + 7.2 * len(name)
        if x + width > WIDTH:
            rows.append([])
            x = 62.0
        rows[-1].append((x, colour, name))
        x += width + 14
    first = 42 - 14 * len(rows)  # the baseline
    return [
        part
        for number, row in enumerate(rows)
        for entry in row
        for part in _entry(*entry, y=first + 18 * number)
    ]


def _entry(x: float, colour: str, name: str, y: float) -> list[str]:
    if not colour:
        return [_text(x, y, name, "start")]
    dash = f' stroke-dasharray="{_DASHES[colour]}"' if colour in _DASHES else ""
    height = f'y1="{y - 4}" y2="{y - 4}"'
    line = f'<line x1="{x}" x2="{x + 30}" {height} stroke="{colour}" stroke-width="2.2"{dash}/>'
    return [line, _text(x + 36, y, name, "start")]


def _text(
    x: float, y: float, text: str, anchor: str, *, weight: str = "normal", size: int = 13, turn: int = 0
) -> str:
    turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}"'
        f' fill="{GREY}"{turned}>{html.escape(text)}</text>'
    )


def _svg(parts: Iterable[str], description: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="{html.escape(description)}" style="width:100%;max-width:{WIDTH}px;background:#fff"'
        f' font-family="system-ui, sans-serif">{"".join(parts)}</svg>'
    )
