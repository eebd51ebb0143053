"""The command `vgglab train`: what it says on the way, and how it ends; each function returns the exit code."""

from __future__ import annotations

import shlex
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from vgglab.commands.class_tables import print_classes
from vgglab.epoch_bar import EpochBar
from vgglab.experiment import FIELDS, Experiment, cautions, with_first
from vgglab.files import expanded, readable
from vgglab.image_bar import ImageBar
from vgglab.terminal import INTERRUPTED, Signals

if TYPE_CHECKING:
    from vgglab.datasets import Dataset
    from vgglab.history import History


def train_anew(experiment: Experiment, out: Path | None, signals: Signals) -> int:
    """Run an experiment, and write it to the new folder `out` where one is named."""
    from vgglab.share.store import check_place

    if out is not None:
        check_place(out)
    return _train(new_console(), experiment, signals, out=out)


def train_on(folder: Path, given: dict[str, Any], signals: Signals) -> int:
    """Go on with the run in a folder; `given` are the fields that the user named, which must be as they were."""
    from vgglab.share.store import check_settings, read_run

    console, stored = new_console(), read_run(folder)
    experiment, place = stored.experiment, readable(stored.path)
    check_settings(experiment, with_first(experiment, **given), place)
    if stored.is_finished:
        console.print(f"Nothing is left to do in {place}.")
        _report(console, stored.history)
        return 0
    console.print(f"Goes on with {place}. Epochs finished: {len(stored.history.epochs)}.")
    return _train(console, experiment, signals, resume=stored.path)


def new_console() -> Console:
    """Where a command speaks."""
    return Console(markup=False, emoji=False, soft_wrap=True)  # what users named is printed as it is


def _train(
    console: Console,
    experiment: Experiment,
    signals: Signals,
    out: Path | None = None,
    resume: Path | None = None,
) -> int:
    data = load_images(experiment, console)
    from vgglab.datasets import in_words, under_conditions
    from vgglab.engine.cache import CACHE
    from vgglab.engine.feed import forecast
    from vgglab.network import build_model
    from vgglab.training import train

    used = under_conditions(data, experiment)
    for sentence in in_words(data, used, experiment):
        console.print(sentence)
    model = build_model(experiment, len(data.class_names))
    if experiment.weights and experiment.weights not in getattr(FIELDS["weights"], "suggestions", ()):
        console.print(
            f"Of {readable(experiment.weights)} the conv layers are used; its head is not, if it has one."
        )
    for sentence in cautions(experiment):
        warn(console, sentence)
    console.print(forecast(experiment, used, CACHE))
    signals.keep()
    with EpochBar(console, experiment.planned_epochs) as bar:
        history = train(experiment, data, bar.count, model=model, control=signals, out=out, resume=resume)
    if signals.came and not history.epochs:
        raise KeyboardInterrupt
    _report(console, history)
    folder = out or resume
    if folder is not None:
        _conclude(console, expanded(folder), history)
    failed = any(event["kind"] == "not written" for event in history.events)
    return INTERRUPTED if signals.came else 0 if history.epochs and not failed else 2


def _report(console: Console, history: History) -> None:
    console.print(_result_table(history))
    for event in history.events:
        if event["kind"] != "data":  # was said before
            console.print(event["text"])
    if history.test:
        console.print(history.tested())
    print_classes(console, history)


def _conclude(console: Console, folder: Path, history: History) -> None:
    """Add the chart to a run's folder, and say what is there."""
    from vgglab.charts.curves import detached_axes, plot_accuracy, save_chart
    from vgglab.share.store import CHECKPOINT

    if history.epochs:
        try:
            save_chart(plot_accuracy(history, detached_axes()), folder / "accuracy.png")
        # A chart is drawn from what is written already; no failure of it may end the command.
        except Exception as error:
            warn(console, f"The chart could not be drawn ({type(error).__name__}: {error}).")
    there = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
    console.print(f"Written to {readable(folder)}: {', '.join(there)}")
    if CHECKPOINT in there:
        console.print(f"To go on: vgglab train --resume {shlex.quote(readable(folder))}")


def load_images(experiment: Experiment, console: Console) -> Dataset:
    """The data set of an experiment, with a bar while it is read, and what is odd about it said."""
    from vgglab.datasets import load_for

    with ImageBar(console) as bar, warnings.catch_warnings():
        warnings.simplefilter("always")
        # At once: what is said of the room for the images is said before they are read.
        warnings.showwarning = lambda message, *rest: warn(console, str(message))
        data = load_for(experiment, progress=bar.move)
    for said in data.odd_pixels:
        warn(console, said)
    if data.reading is not None:  # what was read from files may be anybody's
        from vgglab.doctor.quick import quick_check

        for said in quick_check(data):
            warn(console, said)
    console.print(
        f"{data.name}: {len(data.class_names)} classes, {len(data.train)} training and "
        f"{len(data.validation)} validation images"
    )
    return data


def warn(console: Console, sentence: str) -> None:
    """Say what may be a mistake."""
    console.print(f"Warning: {sentence}", style="yellow")


def _result_table(history: History) -> Table:
    last, kept = history.epochs[-1:], history.epochs and history.kept
    table = Table("", "epoch", "train", "validation", "gap", "logged by Keras", "validation loss")
    rows = [("last", row) for row in last] + ([("kept", kept)] if kept and kept is not last[0] else [])
    for name, row in rows:
        table.add_row(
            name,
            str(row["epoch"]),
            f"{row['train_accuracy']:.1%}",
            f"{row['validation_accuracy']:.1%}",
            f"{100 * row['gap']:.1f} points",
            f"{row['logged_accuracy']:.1%}",
            f"{row['validation_loss']:.3f}",
        )
    return table
