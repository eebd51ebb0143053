"""The command `vgglab sweep`: its options, what it says on the way, and how it ends."""

from __future__ import annotations

import argparse
import contextlib
import math
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from vgglab.combinations import LATER, checked_seeds, grid
from vgglab.commands.train import new_console
from vgglab.epoch_bar import EpochBar, is_terminal
from vgglab.errors import InputError, shown
from vgglab.experiment import FIELDS
from vgglab.files import expanded, readable
from vgglab.terminal import INTERRUPTED, Signals
from vgglab.toggles import Toggle

if TYPE_CHECKING:
    import pandas as pd

_DESCRIPTION = (
    "Train every combination of the settings that are given, with several seeds each, and end with a table and a "
    "heatmap of what they came to. An option takes one value, or several with commas between them: --unfreeze 0,3,13. "
    "{commas} may hold commas themselves, so they take one value each and are repeated instead: "
    "--augment none --augment flip,rotation=20. Settings that are equal in effect are run once."
)
_EPILOG = (
    "Ctrl-C keeps what is finished, and the same command goes on: finished runs are read, one that was cut short goes "
    "on at its checkpoint, further values and seeds are added. The workers of --scheduler need this vgglab and the "
    "same files under the same names, which is checked before the first run: dask worker ADDRESS --nthreads 1. Those "
    "that do not see the folder of --out send each run when it is finished."
)


def add_sweep(commands: Any, flags: Mapping[str, str], help_of: Callable[[Toggle], str]) -> None:
    """Add the command to those of the parser; `flags` are the options of `vgglab train` by their fields."""
    flags = {name: flag for name, flag in flags.items() if name != "seed"}
    commas = ", ".join(flag for name, flag in flags.items() if FIELDS[name].holds_commas)
    parser = commands.add_parser(
        "sweep",
        help="train on every combination of settings, with several seeds each",
        description=_DESCRIPTION.format(commas=commas),
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    parser.set_defaults(run=lambda options, rest: run_command(options, flags))
    for name, flag in flags.items():
        kind = type(FIELDS[name]).__name__.upper()
        parser.add_argument(
            flag,
            dest=name,
            action="append",
            metavar=kind if FIELDS[name].holds_commas else f"{kind},...",
            help=help_of(FIELDS[name]).replace("%", "%%"),
        )
    parser.add_argument(
        "--seeds", default="5", metavar="NUMBER", help="so many from 0 on, or a list as in 0,7,42 (default 5)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("sweep"),
        metavar="FOLDER",
        help="the runs, a folder each, sweep.csv and sweep.png; new, or that of this sweep (default %(default)s)",
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="of a Dask scheduler whose workers train, as in tcp://host:8786",
    )
    place.add_argument(
        "--workers",
        type=int,
        metavar="NUMBER",
        help="local processes that share the cores; the runs are made one after another when left out",
    )


def run_command(options: argparse.Namespace, flags: Mapping[str, str]) -> int:
    """Run the sweep that the options describe; returns the exit code."""
    words = {name: given for name in flags if (given := getattr(options, name)) is not None}
    settings = grid(**{name: _values(flags[name], name, given) for name, given in words.items()})
    seeds = _seeds(options.seeds)
    console = new_console()

    def say(sentence: str) -> None:
        console.print(sentence)

    with Signals() as signals, contextlib.ExitStack() as opened:
        client = None
        if options.scheduler is not None or options.workers is not None:
            from vgglab.cluster import client_of

            client = opened.enter_context(client_of(options.scheduler, options.workers or 0))
        from vgglab.sweeping import run_sweep

        on_epoch = None
        if client is None:
            signals.keep()  # a run that goes on here ends at its next batch; a wait for workers is broken off
            if is_terminal(sys.stdout):
                on_epoch = opened.enter_context(EpochBar(console, settings[0].planned_epochs)).count
        result = run_sweep(
            settings, None, seeds, client, out=options.out, say=say, control=signals, on_epoch=on_epoch
        )
    _conclude(console, expanded(options.out), result.table, result.best)
    for words_of_run, why in result.failed.items():
        print(f"vgglab: {words_of_run}: {why}", file=sys.stderr)
    if result.failed or result.stopped:
        console.print(f"The same command goes on in {shlex.quote(readable(options.out))}.")
    return INTERRUPTED if result.stopped else 2 if result.failed else 0


def _values(flag: str, name: str, given: list[str]) -> list[Any]:
    """The values of an option, in the order given; a wrong one is left to the field, which says what is right."""
    toggle = FIELDS[name]
    words = given if toggle.holds_commas else [each.strip() for text in given for each in text.split(",")]
    if "" in words and not toggle.holds_commas:
        raise InputError(
            f"`{flag}` must have a value on both sides of each comma. Received: {shown(','.join(given))}."
        )
    return [_value(toggle, word) for word in words]


def _value(toggle: Toggle, word: str) -> Any:
    if toggle.optional and word == "none":
        return None
    try:
        return toggle.kind(word)
    except ValueError:
        return word


def _seeds(text: str) -> list[int]:
    """The seeds that `--seeds` names: so many from 0 on, or those of a list."""
    words = [each.strip() for each in text.split(",")]
    try:
        numbers = [int(each) for each in words]
    except ValueError:
        raise InputError(
            f"`--seeds` must be a number of seeds, or whole numbers with commas between them. Received: {shown(text)}."
        ) from None
    return list(checked_seeds(numbers[0] if len(numbers) == 1 else numbers))


def _conclude(console: Console, folder: Path, table: pd.DataFrame, best: str) -> None:
    console.print(_printed(table))
    if best:
        console.print(best)
    there = [
        each.name for each in sorted(folder.iterdir()) if each.is_file() and not each.name.startswith(".")
    ]
    console.print(f"Written to {readable(folder)}: {', '.join([*there, 'and a folder for each run'])}")


def _printed(table: pd.DataFrame) -> Table:
    from vgglab.measures.sweep_table import MEASURES

    settings = [name for name in table if name in FIELDS or name == LATER]
    printed = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in settings:
        label = FIELDS[name].label if name in FIELDS else name
        printed.add_column(label, min_width=max(map(len, label.split())), overflow="fold")
    for name in ("seeds", "validation", "train", "gap", "seconds"):
        printed.add_column(name, no_wrap=True)
    for _, row in table.iterrows():
        measured = [_interval(row, name) for name in MEASURES[:3]]  # the file has all of them
        seconds = "" if math.isnan(row["seconds"]) else f"{row['seconds']:.1f}"
        printed.add_row(*(_cell(row[name]) for name in settings), _seeds_of(row), *measured, seconds)
    return printed


def _seeds_of(row: Any) -> str:
    return f"{row['seeds']}" + (f", {row['diverged']} diverged" if row["diverged"] else "")


def _cell(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _interval(row: Any, name: str) -> str:
    """A mean and half of its interval, as in "83.0% ± 2.9"; "" without a run."""
    if math.isnan(row[name]):
        return ""
    mean, half = 100 * row[name], 50 * (row[f"{name}_high"] - row[f"{name}_low"])
    return f"{mean:.1f}{'' if name == 'gap' else '%'}" + ("" if math.isnan(half) else f" ± {half:.1f}")
