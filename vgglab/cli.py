"""The command line: `vgglab train`, `vgglab lab` and `vgglab dashboard`."""

from __future__ import annotations

import argparse
import difflib
import os
import shlex
import subprocess
import sys
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
from vgglab.errors import InputError
from vgglab.experiment import DEFAULTS, FIELDS, Experiment, cautions, with_first
from vgglab.files import expanded, readable, why_not
from vgglab.fit import Fit
from vgglab.history import History
from vgglab.share.store import CHECKPOINT, check_place, check_settings, read_run
from vgglab.toggles import Toggle

if TYPE_CHECKING:
    from vgglab.datasets import Dataset

FIRST_NOTEBOOK = "00_start_here.ipynb"
DASHBOARD = Path(__file__).parent / "panel" / "app.ipynb"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, or after a sentence on what was wrong 2, after Ctrl-C 130."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.run not in (_lab, _dashboard):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return options.run(options, rest)
    except InputError as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        return _complain("Interrupted before there was anything to keep.", code=130)
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
        "--out",
        type=Path,
        metavar="RUN_DIR",
        help="new folder, to which history and model are written as the run goes, and its chart at the end",
    )
    train.add_argument(
        "--resume",
        type=Path,
        metavar="RUN_DIR",
        help="go on with the run in this folder, which was cut short",
    )
    lab = commands.add_parser(
        "lab", help="open the course in JupyterLab; further options go to `jupyter lab`", allow_abbrev=False
    )
    lab.set_defaults(run=_lab)
    dashboard = commands.add_parser(
        "dashboard", help="serve the dashboard alone; further options go to `voila`", allow_abbrev=False
    )
    dashboard.set_defaults(run=_dashboard)
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
    given = {name: value for name, value in vars(options).items() if name in _FLAGS}
    console = Console(markup=False, emoji=False, soft_wrap=True)  # what users named is printed as it is
    if options.resume is None:
        if options.out is not None:
            check_place(options.out)
        return _run(console, Experiment(**given), options.out, None)
    stored = read_run(options.resume)
    known = stored.history.experiment
    if isinstance(known, Fit):
        raise InputError(f"{readable(stored.path)} holds a fit that vgglab did not set up, and cannot go on.")
    check_settings(known, with_first(known, **given), readable(stored.path))
    if stored.is_finished:
        console.print(f"Nothing is left to do in {readable(stored.path)}.")
        _report(console, stored.history)
        return 0
    console.print(f"Goes on with {readable(stored.path)}. Epochs finished: {len(stored.history.epochs)}.")
    return _run(console, known, options.out, stored.path)


def _run(console: Console, experiment: Experiment, out: Path | None, resume: Path | None) -> int:
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
    with _progress(console) as progress:
        task = progress.add_task("epoch", total=experiment.planned_epochs, said="compiling the first step")
        history = train(
            experiment,
            data,
            model=model,
            on_epoch=lambda history: progress.update(
                task, completed=len(history.epochs), said=_said(history)
            ),
            out=out,
            resume=resume,
        )
    _report(console, history)
    folder = out or resume
    if folder is not None:
        _conclude(console, expanded(folder), history)
    failed = any(event["kind"] == "not written" for event in history.events)
    return 0 if history.epochs and not failed else 2


def _report(console: Console, history: History) -> None:
    console.print(_result_table(history))
    for event in history.events:
        if event["kind"] != "data":  # was said before
            console.print(event["text"])
    if history.test:
        console.print(history.tested())


def _conclude(console: Console, folder: Path, history: History) -> None:
    """Add the chart to a run's folder, and say what is there."""
    from vgglab.charts.curves import detached_axes, plot_accuracy, save_chart

    if history.epochs:
        try:
            save_chart(plot_accuracy(history, detached_axes()), folder / "accuracy.png")
        # A chart is drawn from what is written already; no failure of it may end the command.
        except Exception as error:
            _warn(console, f"The chart could not be drawn ({type(error).__name__}: {error}).")
    there = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
    console.print(f"Written to {readable(folder)}: {', '.join(there)}")
    if CHECKPOINT in there:
        console.print(f"To go on: vgglab train --resume {shlex.quote(readable(folder))}")


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


def _lab(options: argparse.Namespace, rest: list[str]) -> int:
    notebooks = Path(__file__).parent.parent / "notebooks"
    if not (notebooks / FIRST_NOTEBOOK).is_file():
        raise InputError(
            f"The notebooks are not at {notebooks}. `vgglab lab` runs from a checkout of the project; see README.md."
        )
    command = [
        "lab",
        "--ServerApp.ip=127.0.0.1",
        f"--LabApp.default_url=/lab/tree/notebooks/{FIRST_NOTEBOOK}",
        # Nothing is asked of the network that the user did not ask for.
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Jupyter refuses to run as root, which is who one is in most containers.
        command.append("--allow-root")
    return _serve([sys.executable, "-m", "jupyter", *command, *rest], notebooks.parent)


def _dashboard(options: argparse.Namespace, rest: list[str]) -> int:
    # `--token` makes one up; without it every program of this machine could run code through the page.
    command = [sys.executable, "-m", "voila", str(DASHBOARD), "--Voila.ip=127.0.0.1", "--token"]
    os.environ["VGGLAB_RUNS"] = str(Path.cwd() / "runs")
    return _serve([*command, *rest], Path.cwd())


def _serve(command: list[str], folder: Path) -> int:
    try:
        return subprocess.call(command, cwd=folder)
    except KeyboardInterrupt:
        return 0
