"""The live chart as SVG: text that costs a millisecond to make, where a picture costs a hundred.

Accuracy above, loss below, one x axis. Of one run, blue and solid is train, orange and dashed validation, dark and
dash-dotted the wrong labels memorised, as in `vgglab.charts`. Of several runs, each has a colour and dashes of
its own, its validation curves thick and its train curves thin. Dots and the figures of labels are those of the weights
that were kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypedDict

import numpy as np

from vgglab.charts.baselines import baselines, grouped
from vgglab.charts.colours import GRID, MARK, THICK
from vgglab.charts.layout import HEIGHT, LABEL, LETTER, WIDTH, Layout, apart, at_least, in_rows, shortened
from vgglab.charts.lines import Line, legend, lines_alone, lines_among
from vgglab.charts.phases import begun
from vgglab.charts.scale import Epochs, Scale, fitted, share_scale
from vgglab.charts.shown import Memo, Shown, Visible, thinned, visible
from vgglab.charts.svg import Point, area, curve, group, line, numbered, svg, text
from vgglab.charts.told import lines_at, sentences
from vgglab.history import History

AHEAD = 100  # epochs: where more are planned, the axis doubles from here on, to show the first ones
_SAMPLE = 22  # pixels of a label's line, and the space after it
_ROW = 18  # pixels of a line in the box of readings


class Reading(TypedDict):
    """What a chart shows at an epoch: its place, and a line of text for each run."""

    x: float
    lines: list[str]


def live_svg(
    history: History,
    runs: Mapping[str, Shown] | None = None,
    *,
    name: str = "",
    letter: str = "",
    logged: bool = False,
    source: bool = True,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> str:
    """The accuracy and loss of a run as one `<svg>`, with other runs, by their names, beside it.

    `name` and `letter` are the run's own. A run that is among `runs` is drawn there alone. `logged` adds the accuracy
    that Keras logs, of the first run; `source` the one left on the source task where it is known and no other run is
    there. Where training labels are wrong, a curve says how many of them are known by heart. Thin lines stand at chance
    and, where classes are unequal, at the accuracy of always giving the most frequent one. `width` and `height` are
    in pixels; text has the same size in all. Its alternative text says how the curves run. What a line costs does not
    grow with the number of epochs.
    """
    return LiveDrawing(
        history, runs, name=name, letter=letter, logged=logged, source=source, width=width, height=height
    ).svg()


class LiveDrawing:
    """What `live_svg` draws, on axes that are laid out: the picture, and what it shows at each epoch.

    What `memo` has from the drawing before is not made again.
    """

    def __init__(
        self,
        history: History,
        runs: Mapping[str, Shown] | None = None,
        memo: Memo | None = None,
        *,
        name: str = "",
        letter: str = "",
        logged: bool = False,
        source: bool = True,
        width: int = WIDTH,
        height: int = HEIGHT,
    ) -> None:
        self.history, self.memo = history, memo or Memo()
        self.memo.begin()
        self.runs = visible(history, runs or {}, name, letter, self.memo)
        self.first = self.runs[0] if self.runs else None
        self.is_alone = len(self.runs) <= 1
        self.metric = self.first.run.histories[0].metric if self.first else history.metric
        wanted = dict(logged_accuracy=logged, source_accuracy=source and self.is_alone, memorised=True)
        known = [each for each in wanted if self.first and self.first.course.knows(each)]
        self.extras = [each for each in known if wanted[each]]
        shown = [each for run in self.runs for each in run.run.histories] or [history]
        self.guesses = baselines(shown) if self.metric.is_share else []
        self.layout = self._laid_out(*at_least(width, height))
        self.epochs = self._epoch_axis()
        self.accuracy = share_scale(*self.layout.accuracy)
        if not self.metric.is_share:
            self.accuracy = fitted(self._values("accuracy"), *self.layout.accuracy)
        self.loss = fitted(self._values("loss"), *self.layout.loss) if self.layout.has_loss else None

    def _laid_out(self, width: int, height: int) -> Layout:
        self.entries = legend(self.runs, self.extras)
        widths = [(36 if drawn else 0) + LETTER * len(words) for drawn, words in self.entries]
        self.places = in_rows(widths, Layout(width, height).legend_left, width)
        return Layout(width, height, 1 + self.places[-1][0])

    def svg(self) -> str:
        form = "{:.0%}" if self.metric.is_share else "{:g}"
        behind = [self._drawn(run) for run in reversed(self.runs[1:])]
        parts = [
            *self._frame(self.accuracy, self.metric.name or "accuracy", form),
            *(self._frame(self.loss, "loss", "{:g}") if self.loss else ()),
            *self._epoch_ticks(),
            *self._baselines(),
            *behind,
            *self._gap(),
            *self._phases(),
            *([self._drawn(self.first)] if self.first else ()),
            *self._labels(),
            *self._legend(),
        ]
        words = " ".join([*sentences(self.history, self.runs, self.memo), *self._guessed()])
        return svg(parts, words, self.layout.width, self.layout.height)

    def _guessed(self) -> Iterator[str]:
        if self.guesses:
            yield f"Thin lines: {', '.join(map(str, self.guesses))}."

    def readings(self) -> list[Reading]:
        """For each epoch, thinned as the curves are: its `x` in pixels, and `lines` of text, the epoch first."""
        if not self.runs:
            return []
        first, last = (
            f(getattr(run.course, end) for run in self.runs) for f, end in ((min, "first"), (max, "last"))
        )
        most = max(3, min(12, self.layout.height // 2 // _ROW))  # half of the picture stays free
        epochs = thinned(range(first, last + 1))
        lines = lines_at(epochs, self.runs, self.metric, self.extras, most, self.memo)
        return [Reading(x=round(self.epochs.x(epoch), 1), lines=each) for epoch, each in zip(epochs, lines)]

    def _epoch_axis(self) -> Epochs:
        """From the first epoch of any run to the last that is planned, or as far as can be seen beforehand."""
        first = min((run.course.first for run in self.runs), default=1)
        done = max((run.course.last for run in self.runs), default=0)
        planned = max(self.history.experiment.planned_epochs, first)
        if done:
            planned = min(planned, first - 1 + (AHEAD << ((done - first) // AHEAD).bit_length()))
        return Epochs(first, max(planned, done), self.layout.left, self.layout.right)

    def _values(self, what: str) -> np.ndarray:
        columns = [
            numbers[f"{part}_{what}"]
            for run in self.runs
            for numbers in (run.course.means, run.course.lows, run.course.highs)
            for part in ("train", "validation")
            if numbers
        ]
        return np.concatenate([*columns, []])

    def _drawn(self, run: Visible) -> str:
        """The curves of a run; of several runs, each in a group with its name."""
        own = self.extras if run is self.first else []
        lines = lines_alone(own) if self.is_alone else lines_among(run, own)
        key = ("drawn", run.title, self.epochs, self.accuracy, self.loss, self.is_alone, *lines)
        return self.memo.get(run.run, key, lambda: self._draw(run, lines))

    def _draw(self, run: Visible, lines: Sequence[Line]) -> str:
        scales = [self.loss if each.column.endswith("_loss") else self.accuracy for each in lines]
        pairs = [(each, scale) for each, scale in zip(lines, scales) if scale]
        bands = [self._band(run, each, scale) for each, scale in pairs if each.has_band and run.course.lows]
        curves = [
            curve(
                self._points(run, run.course.means[column], scale),
                colour,
                dot=run.course.dot(column, self.epochs, scale),
                dash=dash,
                width=width,
            )
            for (column, colour, dash, width, _), scale in pairs
        ]
        parts = [*bands, *curves]
        return "".join(parts) if self.is_alone else group(run.title or "this run", parts)

    def _band(self, run: Visible, drawn: Line, scale: Scale) -> str:
        low, high = (
            self._points(run, side[drawn.column], scale) for side in (run.course.lows, run.course.highs)
        )
        return area([*high, *reversed(low)], drawn.colour, 0.2)

    def _points(self, run: Visible, values: np.ndarray, scale: Scale) -> list[Point]:
        known = ~np.isnan(values)
        pairs = zip(run.course.means["epoch"][known].tolist(), values[known].tolist())
        return [(self.epochs.x(epoch), scale.y(value)) for epoch, value in pairs]

    def _gap(self) -> list[str]:
        """The area between the first run's curves, and where it stands alone the height that it was kept with."""
        if self.first is None:
            return []
        course = self.first.course
        means = course.means
        known = np.isfinite(means["gap"])
        if not known.any():
            return []
        epochs, train, validation = (
            means[name][known].tolist() for name in ("epoch", "train_accuracy", "validation_accuracy")
        )
        outline = [*zip(epochs, train), *reversed([*zip(epochs, validation)])]
        shade = area([(self.epochs.x(epoch), self.accuracy.y(value)) for epoch, value in outline])
        if not self.is_alone:
            return [shade]
        if "gap" not in course.kept:
            return [shade]
        words = f"gap {self.metric.difference(course.kept['gap'].value)}"
        words = words.removesuffix(" points") if self.layout.is_small else words
        lines = [each for each in (words, course.when("gap")) if each]
        middle = (self.accuracy.y(train[-1]) + self.accuracy.y(validation[-1])) / 2
        x, y = self.epochs.x(epochs[-1]) + 10, middle + 4 - LABEL * (len(lines) - 1) / 2
        return [
            shade,
            *(
                text(x, y + LABEL * place, each, "start", weight="bold", halo=True)
                for place, each in enumerate(lines)
            ),
        ]

    def _frame(self, scale: Scale, name: str, form: str) -> list[str]:
        left, right = self.layout.left, self.layout.right
        name = shortened(name, int((scale.bottom - scale.top) / LETTER))
        parts = [text(14, (scale.top + scale.bottom) / 2, name, "middle", turn=-90)]
        ticks = scale.ticks()
        if self.layout.is_small and scale is self.loss:
            ticks = sorted({ticks[0], ticks[-1]})
        for tick in ticks:
            y = scale.y(tick)
            parts += [line(left, right, y, y, GRID), text(left - 8, y + 4, form.format(tick), "end")]
        if scale.note():
            parts.append(text(left, scale.top - 5, scale.note(), "start", size=12))
        return parts

    def _baselines(self) -> Iterator[str]:
        """Thin lines at chance and, where classes are unequal, at the most frequent one, with words where they fit."""
        left, right = self.layout.left, self.layout.right
        for each in self.guesses:
            y = self.accuracy.y(each.accuracy)
            yield line(left, right, y, y, MARK, dash="1 3")
        least = LABEL / (self.accuracy.bottom - self.accuracy.top)
        for at, words in [] if self.layout.is_small else grouped(self.guesses, least):
            yield text(right - 2, self.accuracy.y(at) - 3, words, "end", size=12, halo=True)

    def _epoch_ticks(self) -> Iterator[str]:
        left, right, bottom = self.layout.left, self.layout.right, self.layout.bottom
        for tick in self.epochs.ticks():
            yield text(self.epochs.x(tick), bottom + 16, str(tick), "middle")
        if self.layout.is_small:
            yield text(self.layout.width - 4, bottom + 16, "epoch", "end")
        else:
            yield text((left + right) / 2, bottom + 32, "epoch", "middle")

    def _phases(self) -> Iterator[str]:
        """A line where each phase of the first run began, with its number and, where they fit, its changes."""
        histories = self.first.run.histories if self.first else ()
        found = list(begun(histories[0])) if len(histories) == 1 else []
        starts = [self.epochs.x(epoch - 0.5) for _, epoch, _ in found]
        room, top, bottom = -18.0, self.accuracy.top, self.accuracy.bottom
        for (number, _, changes), x, end in zip(found, starts, [*starts[1:], self.layout.right]):
            if x < room + 3:
                continue
            yield line(x, x, top, bottom, MARK, dash="3 3")
            if x < room + 20:
                continue
            room = x
            yield numbered(x, top, number)
            # The others are in the list of phases that stands below the chart.
            if len(changes) <= 3 and x + 4 + max((6.7 * len(each) for each in changes), default=0) <= end:
                for place, each in enumerate(changes):
                    yield text(x + 4, bottom - 8 - 14 * place, each, "start", size=12, halo=True)

    def _labels(self) -> Iterator[str]:
        """The name of each of several runs and the validation that it was kept with, at the end of its curve."""
        if self.is_alone:
            return
        top, bottom = self.accuracy.top - LABEL / 2, self.accuracy.bottom
        ends = [self._end(run) for run in self.runs]
        wishes = [(x, x + _SAMPLE + LETTER * len(words), y) for words, x, y in ends]
        found = apart(wishes, top, bottom)
        if None in found:  # which takes a line to say
            found = apart(wishes, top, bottom - LABEL)
            yield text(self.layout.width - 4, bottom, f"+{found.count(None)} more", "end", halo=True)
        for run, (words, x, _), y in zip(self.runs, ends, found):
            if y is not None:
                yield line(x, x + _SAMPLE - 4, y - 4, y - 4, run.look.colour, dash=run.look.dash, width=THICK)
                yield text(x + _SAMPLE, y, words, "start", halo=True)

    def _end(self, run: Visible) -> tuple[str, float, float]:
        """The words of a run's label, and where they would stand: at the end of validation or, without it, of train."""
        means, kept, number, when = run.course.means, run.course.kept.get("validation_accuracy"), "", ""
        known = np.flatnonzero(np.isfinite(means["validation_accuracy"]))
        value = means["train_accuracy"][-1]
        if len(known):
            value = means["validation_accuracy"][known[-1]]
        if kept and np.isfinite(kept.value):
            number = f"{100 * kept.value:.1f}" if self.metric.is_share else self.metric.written(kept.value)
            when = run.course.when("validation_accuracy")
        room = (self.layout.width - self.layout.right - _SAMPLE - 10) / LETTER
        words = f"{shortened(run.name or 'this run', int(room) - len(number) - 1)} {number}".rstrip()
        words = f"{words}, {when}" if when else words  # reaches into the picture, which ends after that epoch
        x = self.epochs.x(means["epoch"][known[-1] if len(known) else -1]) + 8
        y = self.accuracy.y(value) if np.isfinite(value) else self.accuracy.bottom
        return words, min(x, self.layout.width - _SAMPLE - LETTER * len(words) - 2), y + 4

    def _legend(self) -> Iterator[str]:
        for (drawn, words), (row, x) in zip(self.entries, self.places):
            y = self.layout.legend(row)
            if drawn:
                yield line(x, x + 30, y - 4, y - 4, drawn.colour, dash=drawn.dash, width=drawn.width)
            yield text(x + 36 if drawn else x, y, words, "start")
