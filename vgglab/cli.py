"""The command line: `vgglab` and its commands, of which each stands in a module of its own."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import vgglab
from vgglab import serving
from vgglab.commands.check import add_check
from vgglab.commands.course import add_course, lessons_for
from vgglab.commands.cross import add_cross_validate, cross_validate_anew
from vgglab.commands.export import add_export
from vgglab.commands.predict import add_predict
from vgglab.commands.sweep import add_sweep
from vgglab.commands.train import train_anew, train_on
from vgglab.errors import InputError
from vgglab.experiment import DEFAULTS, FIELDS, Experiment
from vgglab.files import readable, why_not
from vgglab.terminal import INTERRUPTED, Signals, speaking
from vgglab.toggles import Toggle


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
    train = commands.add_parser(
        "train",
        help="train on a data set or a folder of images",
        epilog="Images that take more than half of the free memory, or more than $VGGLAB_IMAGE_MEMORY says in GB, are "
        "decoded once into a file in $VGGLAB_CACHE, by default ~/.cache/vgglab, and read from there.",
        allow_abbrev=False,
    )
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
    add_check(commands, lambda parser, name: _add_flag(parser, name, _FLAGS[name]))
    cross = add_cross_validate(commands)
    cross.set_defaults(run=_cross_validate)
    for name, flag in _FLAGS.items():
        _add_flag(cross, name, flag)
    add_sweep(commands, _FLAGS, _help)
    wall = commands.add_parser(
        "wall", help="make one page of the run cards and runs in a folder", allow_abbrev=False
    )
    wall.set_defaults(run=_wall)
    wall.add_argument(
        "folder", type=Path, metavar="FOLDER", help="what was handed in, in it and in folders in it"
    )
    wall.add_argument(
        "--out",
        type=Path,
        default=Path("wall.html"),
        metavar="FILE.html",
        help="the page (default %(default)s)",
    )
    wall.add_argument(
        "--watch", action="store_true", help="write it again whenever a run comes or changes, until Ctrl-C"
    )
    add_predict(commands)
    add_export(commands)
    add_course(commands)
    lab = commands.add_parser(
        "lab",
        help="open the course in JupyterLab; further options go to `jupyter lab`",
        description="Copy the lessons to a folder, unless they are there already, and open them in JupyterLab. "
        "A checkout of the project opens its own lessons.",
        allow_abbrev=False,
    )
    lab.set_defaults(run=_lab)
    lab.add_argument(
        "--folder",
        type=Path,
        metavar="DIR",
        help="where the lessons are, or go (default: the present folder if it is empty or has them, otherwise "
        "'vgglab-course' in it)",
    )
    dashboard = commands.add_parser(
        "dashboard",
        help="serve the dashboard alone; further options go to `voila`",
        description="Serve the dashboard, to each open page with a process of its own. All pages keep their runs in "
        "$VGGLAB_RUNS, or in 'runs' in the present folder.",
        epilog="What stands behind the '?' of the address, as in '?unfreeze=5&l2=0.01', are the settings of that page. "
        "A page that is closed ends its process. One whose connection was lost ends it after 300 quiet seconds "
        "(--Pages.cull_idle_timeout), and after 3600 even if it trains (--Pages.cull_unseen_timeout); what it has "
        "trained is kept. --ip, --port, --no-browser and the options of `voila` are obeyed as well.",
        allow_abbrev=False,
    )
    dashboard.set_defaults(run=_dashboard)
    dashboard.add_argument(
        "--pages",
        type=int,
        default=8,
        metavar="NUMBER",
        help="pages open at a time; one more waits for its place (default %(default)s)",
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


def _given(options: argparse.Namespace) -> dict[str, Any]:
    """The fields of the experiment that the user named."""
    return {name: value for name, value in vars(options).items() if name in _FLAGS}


def _train(options: argparse.Namespace, rest: list[str]) -> int:
    given = _given(options)
    with Signals() as signals:
        if options.resume is None:
            return train_anew(Experiment(**given), options.out, signals)
        if options.out is not None:
            raise InputError(
                "A run that is resumed stays in its folder, so `--out` must be left out. "
                f"Received: {readable(options.out)}."
            )
        return train_on(options.resume, given, signals)


def _cross_validate(options: argparse.Namespace, rest: list[str]) -> int:
    with Signals() as signals:
        return cross_validate_anew(Experiment(**_given(options)), options.folds, options.out, signals)


def _wall(options: argparse.Namespace, rest: list[str]) -> int:
    from vgglab.commands.wall import write_wall

    return write_wall(options.folder, options.out, watch=options.watch)


def _lab(options: argparse.Namespace, rest: list[str]) -> int:
    serving.lab(rest, *lessons_for(options.folder))
    return 0


def _dashboard(options: argparse.Namespace, rest: list[str]) -> int:
    serving.dashboard(rest, options.pages, options.cache_memory)
    return 0
