"""The live chart as SVG: text that costs a millisecond to make, where a picture costs a hundred.

Accuracy above, loss below, one x axis. Blue and solid is train, orange and dashed validation, dark and dash-dotted
the wrong labels known by heart, as in `vgglab.charts`; earlier runs are thin ghosts of the same colours.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence

from vgglab.charts.colours import GRID, LOGGED, MARK, MEMORISED, SOURCE, TRAIN, VALIDATION
from vgglab.charts.scale import Epochs, Scale, fitted, share_scale
from vgglab.charts.svg import area, curve, group, line, svg, text
from vgglab.experiment import what_changed
from vgglab.history import History

WIDTH, HEIGHT = 720, 470
LEFT, RIGHT = 62, WIDTH - 120
POINTS = 240  # of a line; more are not told apart at this width
AHEAD = 100  # epochs: where more are planned, the axis doubles from here on, to show the first ones
_DASHES = {VALIDATION: "7 4", LOGGED: "2 3", SOURCE: "10 3 2 3", MEMORISED: "8 3 2 3 2 3"}
_NAMES = {
    TRAIN: "train",
    VALIDATION: "validation",
    LOGGED: "as Keras logs it",
    SOURCE: "source task",
    MEMORISED: "wrong labels known by heart",
}
_PAIR = {"train": TRAIN, "validation": VALIDATION}

Row = Mapping[str, float]


def live_svg(
    history: History,
    ghosts: Mapping[str, History] | None = None,
    *,
    logged: bool = False,
    source: bool = True,
) -> str:
    """The accuracy and loss of a run as one `<svg>`, with earlier runs behind it.

    `logged` adds the accuracy that Keras logs, `source` the one left on the source task where it is
    known. Where training labels are wrong, a curve says how many of them are known by heart. Its alternative text
    says how the curves run. What a line costs does not grow with the number of epochs.
    """
    behind = {name: _thinned(each.epochs) for name, each in (ghosts or {}).items()}
    rows = _thinned(history.epochs)
    everything = [rows, *behind.values()]
    epochs = _epochs(history, everything)
    accuracy = _accuracy_scale(history, everything)
    loss = fitted([value for each in everything for value in _values(each, "loss")], 322, HEIGHT - 36)
    lines = {"train_accuracy": TRAIN, "validation_accuracy": VALIDATION}
    lines |= {"logged_accuracy": LOGGED} if logged else {}
    lines |= {"source_accuracy": SOURCE} if source and _knows(rows, "source_accuracy") else {}
    lines |= {"memorised": MEMORISED} if _knows(rows, "memorised") else {}
    form = "{:.0%}" if history.metric.is_share else "{:g}"
    parts = [
        *_frame(accuracy, history.metric.name or "accuracy", form),
        *_frame(loss, "loss", "{:g}"),
        *_epoch_ticks(epochs, loss.bottom),
        *_behind(behind, epochs, accuracy, loss),
        *_gap(history, rows, epochs, accuracy),
        *_phases(history, epochs, accuracy),
        *(_line(rows, name, epochs, accuracy, colour) for name, colour in lines.items()),
        *(_line(rows, f"{part}_loss", epochs, loss, colour) for part, colour in _PAIR.items()),
        *_legend([*lines.values()], bool(ghosts)),
    ]
    return svg(parts, " ".join(_sentences(history, rows)), WIDTH, HEIGHT)


def _thinned(rows: Sequence[Row]) -> list[Row]:
    """At most `POINTS` rows, evenly spaced, the first and the last among them."""
    step = max(1, -(-(len(rows) - 1) // (POINTS - 1)))
    return [*rows[:-1:step], *rows[-1:]]


def _epochs(history: History, everything: Sequence[Sequence[Row]]) -> Epochs:
    """From the first epoch of any run to the last that is planned, or as far as can be seen beforehand."""
    first = min((int(rows[0]["epoch"]) for rows in everything if rows), default=1)
    done = max((int(rows[-1]["epoch"]) for rows in everything if rows), default=0)
    planned = max(history.experiment.planned_epochs, first)
    if done:
        planned = min(planned, first - 1 + (AHEAD << ((done - first) // AHEAD).bit_length()))
    return Epochs(first, max(planned, done), LEFT, RIGHT)


def _accuracy_scale(history: History, everything: Sequence[Sequence[Row]]) -> Scale:
    if history.metric.is_share:
        return share_scale(46, 292)
    return fitted([value for rows in everything for value in _values(rows, "accuracy")], 46, 292)


def _values(rows: Sequence[Row], what: str) -> Iterator[float]:
    return (row[f"{part}_{what}"] for row in rows for part in _PAIR)


def _knows(rows: Sequence[Row], name: str) -> bool:
    return bool(rows) and rows[-1].get(name) is not None


def _frame(scale: Scale, name: str, form: str) -> list[str]:
    room = (scale.bottom - scale.top) / 7.2  # letters
    name = name if len(name) <= room else f"{name[: int(room) - 1]}…"
    parts = [text(14, (scale.top + scale.bottom) / 2, name, "middle", turn=-90)]
    for tick in scale.ticks():
        y = scale.y(tick)
        parts += [line(LEFT, RIGHT, y, y, GRID), text(LEFT - 8, y + 4, form.format(tick), "end")]
    return [*parts, text(LEFT, scale.top - 5, scale.note(), "start", size=11)] if scale.note() else parts


def _epoch_ticks(epochs: Epochs, bottom: float) -> list[str]:
    parts = [text(epochs.x(tick), bottom + 16, str(tick), "middle") for tick in epochs.ticks()]
    return [*parts, text((LEFT + RIGHT) / 2, bottom + 32, "epoch", "middle")]


def _line(rows: Sequence[Row], name: str, epochs: Epochs, scale: Scale, colour: str, **look: float) -> str:
    known = [row for row in rows if row[name] is not None and not math.isnan(row[name])]
    points = [(epochs.x(row["epoch"]), scale.y(row[name])) for row in known]
    return curve(points, colour, dash=_DASHES.get(colour, ""), **look)


def _behind(behind: Mapping[str, Sequence[Row]], epochs: Epochs, accuracy: Scale, loss: Scale) -> list[str]:
    """The earlier runs, thin."""
    return [
        group(
            name,
            (
                _line(rows, f"{part}_{what}", epochs, scale, colour, width=1, opacity=0.45)
                for what, scale in (("accuracy", accuracy), ("loss", loss))
                for part, colour in _PAIR.items()
            ),
        )
        for name, rows in behind.items()
    ]


def _gap(history: History, rows: Sequence[Row], epochs: Epochs, scale: Scale) -> list[str]:
    """The area between the curves, and its height where both were measured last."""
    rows = [row for row in rows if math.isfinite(row["gap"])]
    if not rows:
        return []
    outline = [(row["epoch"], row["train_accuracy"]) for row in rows]
    outline += [(row["epoch"], row["validation_accuracy"]) for row in reversed(rows)]
    last = rows[-1]
    middle = (scale.y(last["train_accuracy"]) + scale.y(last["validation_accuracy"])) / 2
    label = f"gap {history.metric.difference(last['gap'])}"
    return [
        area([(epochs.x(epoch), scale.y(value)) for epoch, value in outline]),
        text(epochs.x(last["epoch"]) + 10, middle + 4, label, "start", weight="bold"),
    ]


def _phases(history: History, epochs: Epochs, scale: Scale) -> list[str]:
    parts, phases = [], history.experiment.phases
    for number, (before, after) in enumerate(itertools.pairwise(phases), start=2):
        # Not as planned: early stopping ends a phase before.
        done = bisect_left(history.epochs, number, key=lambda row: row["phase"])
        if done == len(history.epochs):
            break
        x = epochs.x(done + 0.5)
        parts.append(line(x, x, scale.top, scale.bottom, MARK, dash="3 3"))
        for place, change in enumerate(what_changed(before, after)):
            parts.append(text(x + 4, scale.bottom - 8 - 13 * place, change, "start", size=11))
    return parts


def _legend(colours: Sequence[str], ghosts: bool) -> list[str]:
    """A line and a name for each colour, from left to right, in a second row where the first is full."""
    entries = [(colour, _NAMES[colour]) for colour in colours]
    entries += [("", "thin: earlier runs")] if ghosts else []
    rows: list[list[tuple[float, str, str]]] = [[]]
    x: float = LEFT
    for colour, name in entries:
        width = (36 if colour else 0) + 7.2 * len(name)
        if x + width > WIDTH:
            rows.append([])
            x = LEFT
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
        return [text(x, y, name, "start")]
    drawn = line(x, x + 30, y - 4, y - 4, colour, dash=_DASHES.get(colour, ""), width=2.2)
    return [drawn, text(x + 36, y, name, "start")]


def _sentences(history: History, rows: Sequence[Row]) -> Iterator[str]:
    """What the chart shows, for people who hear it: the outcome, then how each pair of curves runs."""
    yield f"{history.summary().removesuffix('.')}."
    if len(rows) > 1:
        name = history.metric.name or "accuracy"
        yield from _course(rows, "accuracy", name, history.metric.written, "highest", max)
        yield from _course(rows, "loss", "loss", "{:.3g}".format, "lowest", min)


def _course(
    rows: Sequence[Row],
    what: str,
    name: str,
    written: Callable[[float], str],
    best: str,
    choose: Callable[..., Row],
) -> Iterator[str]:
    """A sentence for train and one for validation: from where to where, and the best of validation between them."""
    for part in _PAIR:
        column = f"{part}_{what}"
        known = [row for row in rows if math.isfinite(row[column])]
        if len(known) < 2:
            continue
        first, last = known[0], known[-1]
        sentence = (
            f"{part} {name} from {written(first[column])} in epoch {first['epoch']} "
            f"to {written(last[column])} in epoch {last['epoch']}"
        )
        if part == "validation":
            peak = choose(known, key=lambda row: row[column])
            sentence += f", {best} {written(peak[column])} in epoch {peak['epoch']}"
        yield f"{sentence[0].upper()}{sentence[1:]}."
