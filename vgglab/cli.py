"""The command line: `vgglab train`, `vgglab lab` and `vgglab dashboard`."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import os
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

import vgglab
from vgglab import serving
from vgglab.errors import InputError
from vgglab.experiment import DEFAULTS, FIELDS, Experiment, cautions
from vgglab.files import expanded, readable, why_not
from vgglab.terminal import Signals, speaking
from vgglab.toggles import Toggle

if TYPE_CHECKING:
    import keras

    from vgglab.datasets import Dataset
    from vgglab.history import History

INTERRUPTED = 130  # the exit code, whether anything was kept or not


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, after a sentence on what was wrong 2, after a stop 130.

    What cannot be printed ends nothing; a loss of output is an error too, unless a pipe was closed.
    """
    with speaking() as lost:
        code = _run(arguments)
    return code or (2 if lost() else 0)


def _run(arguments: Sequence[str] | None) -> int:
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.run not in (_lab, _dashboard):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return options.run(options, rest)
    except InputError as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        return _complain("Interrupted before there was anything to keep.", code=INTERRUPTED)
    except MemoryError:
        return _complain("The memory of this machine was not enough. Smaller images or batches need less.")
    except OSError as error:
        return _complain(f"{readable(error.filename or 'A file')} cannot be used: {why_not(error)}.")


def _complain(text: str, code: int = 2) -> int:
    print(f"vgglab: {text}", file=sys.stderr)
    return code


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser that answers in one sentence and suggests what was meant."""

    def error(self, message: str) -> NoReturn:
        _, _, received = message.partition("unrecognized arguments: ")
        near = difflib.get_close_matches(received.partition(" ")[0].partition("=")[0], _FLAGS.values(), n=1)
        self.exit(_complain(message + (f". Did you mean '{near[0]}'?" if near else "")))


_FLAGS = {name: toggle.flag or f"--{name.replace('_', '-')}" for name, toggle in FIELDS.items()}


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="vgglab", description="Fine-tune VGG16 and see the overfitting gap.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"vgglab {vgglab.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    train = commands.add_parser("train", help="train on a data set or a folder of images", allow_abbrev=False)
    train.set_defaults(run=_train)
    for name, flag in _FLAGS.items():
        _add_flag(train, name, flag)
    train.add_argument(
        "--out", type=Path, metavar="RUN_DIR", help="new folder for the history, the model and the chart"
    )
    lab = commands.add_parser(
        "lab", help="open the course in JupyterLab; further options go to `jupyter lab`", allow_abbrev=False
    )
    lab.set_defaults(run=_lab)
    dashboard = commands.add_parser(
        "dashboard", help="serve the dashboard alone; further options go to `voila`", allow_abbrev=False
    )
    dashboard.set_defaults(run=_dashboard)
    dashboard.add_argument(
        "--pages", type=int, default=8, metavar="NUMBER", help="pages open at a time (default %(default)s)"
    )
    dashboard.add_argument(
        "--cache-memory",
        type=float,
        default=0.25,
        metavar="GB",
        help="memory for each page's cache of features; what is larger goes to files (default %(default)s)",
    )
    return parser


def _add_flag(parser: argparse.ArgumentParser, name: str, flag: str) -> None:
    toggle, default = FIELDS[name], DEFAULTS[name]
    # Choices and ranges are left to the experiment, which words its errors the same everywhere.
    parser.add_argument(
        flag,
        dest=name,
        type=toggle.kind,
        default=argparse.SUPPRESS,
        metavar=type(toggle).__name__.upper(),
        help=_help(toggle).replace("%", "%%") + (f" (default {default})" if default else ""),
    )


def _help(toggle: Toggle) -> str:
    limits = " ".join(filter(None, [toggle.choices, toggle.unit]))
    return f"{toggle.help} [{limits}]" if limits else toggle.help


def _train(options: argparse.Namespace, rest: list[str]) -> int:
    with Signals() as signals:
        return _train_until(options, signals)


def _train_until(options: argparse.Namespace, signals: Signals) -> int:
    experiment = Experiment(**{name: value for name, value in vars(options).items() if name in _FLAGS})
    out = None if options.out is None else _new_folder(options.out)
    console = Console(markup=False, emoji=False, soft_wrap=True)  # what users named is printed as it is
    data = _load(experiment, console)
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
        _warn(console, sentence)
    console.print(forecast(experiment, used, CACHE))
    signals.keep()
    with _progress(console) as progress:
        task = progress.add_task("epoch", total=experiment.epochs, said="compiling the first step")
        history = train(
            experiment,
            data,
            model=model,
            control=signals,
            on_epoch=lambda history: progress.update(
                task, completed=len(history.epochs), said=_said(history)
            ),
        )
    if signals.came and not history.epochs:
        raise KeyboardInterrupt
    console.print(_result_table(history))
    for event in history.events:
        if event["kind"] != "data":  # was said before
            console.print(event["text"])
    if history.test:
        console.print(history.tested())
    if out is not None:
        _write_run(out, history, model)
        console.print(f"Written to {readable(out)}: history.jsonl, model.keras, accuracy.png")
    return INTERRUPTED if signals.came else 0 if history.epochs else 2


def _load(experiment: Experiment, console: Console) -> Dataset:
    from vgglab.datasets import load

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        data = load(experiment.dataset, experiment.image_size, experiment.seed)
    for said in [*(str(warning.message) for warning in caught), *data.odd_pixels]:
        _warn(console, said)
    console.print(
        f"{data.name}: {len(data.class_names)} classes, {len(data.train)} training and "
        f"{len(data.validation)} validation images"
    )
    return data


def _warn(console: Console, sentence: str) -> None:
    console.print(f"Warning: {sentence}", style="yellow")


def _new_folder(path: Path) -> Path:
    """Where `--out` points to; `InputError` before the run when it could not be written after it."""
    out = expanded(path)
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        os.lstat(out)
        raise InputError(f"{readable(out)} exists already; `--out` must name a new folder.")
    above = next(each for each in out.absolute().parents if os.path.lexists(each))
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        reason = "no new folder may be made there" if above.is_dir() else "it is no folder"
        raise InputError(f"`--out` cannot be in {readable(above)}: {reason}. Received: {readable(path)}.")
    return out


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        MofNCompleteColumn(),
        BarColumn(20),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[said]}"),
        console=console,
    )


def _said(history: History) -> str:
    return history.summary().partition(": ")[2]


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


def _write_run(out: Path, history: History, model: keras.Model) -> None:
    """Write the run beside `out`, then rename, so that the folder is whole or absent."""
    from vgglab.charts.curves import detached_axes, plot_accuracy, save_chart

    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name[:50]}.") as beside:
        run = Path(beside) / out.name
        run.mkdir()
        history.save(run / "history.jsonl")
        model.save(run / "model.keras")
        save_chart(plot_accuracy(history, detached_axes()), run / "accuracy.png")
        run.rename(out)


def _lab(options: argparse.Namespace, rest: list[str]) -> int:
    serving.lab(rest)
    return 0


def _dashboard(options: argparse.Namespace, rest: list[str]) -> int:
    serving.dashboard(rest, options.pages, options.cache_memory)
    return 0
