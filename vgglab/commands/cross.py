"""The command `vgglab cross-validate`: its options, what it says on the way, and how it ends."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from vgglab.commands.train import load_images, new_console, warn
from vgglab.experiment import Experiment, cautions
from vgglab.files import expanded, readable
from vgglab.terminal import INTERRUPTED, Signals

if TYPE_CHECKING:
    from vgglab.cross_validation import CrossValidation


def add_cross_validate(commands: Any) -> argparse.ArgumentParser:
    """Add the command to those of the parser, without the options of `vgglab train`."""
    parser = commands.add_parser(
        "cross-validate",
        help="train on several folds of the images, so that each of them validates once",
        description="Pool the training and validation images, divide them anew into folds, and train as often, each "
        "time with another fold to validate on. Groups (--group) stay whole. It ends with a table and with the mean "
        "and its 95 % interval, which is approximate: folds share training images.",
        epilog="Ctrl-C keeps the finished folds of --out, and the same command goes on.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--folds", type=int, default=5, metavar="NUMBER", help="how many, 2 to 100 (default %(default)s)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="keeps each fold's run, in a folder of its own: fold-1 and so on",
    )
    return parser


def cross_validate_anew(experiment: Experiment, folds: int, out: Path | None, signals: Signals) -> int:
    """Train on each fold, go on where `out` has some of them, and return the exit code."""
    from vgglab.datasets.folds import check_folds
    from vgglab.share.store import check_place

    check_folds(folds)
    if out is not None:
        check_place(expanded(out) / "fold-0")  # which is nobody's: whether folders may be made there
    console = new_console()
    data = load_images(experiment, console)
    for sentence in cautions(experiment):
        warn(console, sentence)
    from vgglab.cross_validation import cross_validate

    console.print(f"{folds} folds of {len(data.train) + len(data.validation):,} images:")
    signals.keep()
    found = cross_validate(experiment, data, folds, control=signals, out=out)
    if signals.came and not found.histories:
        raise KeyboardInterrupt
    _report(console, found, out)
    if signals.came:
        return INTERRUPTED
    failed = any(event["kind"] == "not written" for each in found.histories for event in each.events)
    return 0 if len(found.finished) == folds and not failed else 2


def _report(console: Console, found: CrossValidation, out: Path | None) -> None:
    console.print(_table(found))
    for number, history in enumerate(found.histories, 1):
        for event in history.events:
            if event["kind"] not in ("data", "cache"):  # was said before, or is the same for all
                console.print(f"Fold {number}: {event['text']}")
        if history.test:
            console.print(f"Fold {number}: {history.tested()}")
    finished = len(found.finished)
    if finished > 1:
        console.print(f"Mean validation accuracy: {_in_words(found)}")
    if out is not None:
        console.print(f"Written to {readable(expanded(out))}.")
    if finished < found.folds:
        on = "The same command goes on." if out is not None else "With --out the finished ones would be kept."
        console.print(f"Finished folds: {finished} of {found.folds}. {on}")


def _table(found: CrossValidation) -> Table:
    table = Table("fold", "training images", "validation images", "epoch", "train", "validation", "gap")
    for row in found.table.itertuples():
        table.add_row(
            str(row.fold),
            f"{row.training_images:,}",
            f"{row.validation_images:,}",
            str(row.epoch),
            f"{row.train_accuracy:.1%}",
            f"{row.validation_accuracy:.1%}",
            f"{100 * row.gap:.1f} points",
        )
    finished = found.finished
    if len(finished) > 1:
        means = [
            sum(each.kept[name] for each in finished) / len(finished) for name in ("train_accuracy", "gap")
        ]
        table.add_section()
        table.add_row(
            "mean",
            "",
            "",
            "",
            f"{means[0]:.1%}",
            f"{found.accuracy.mean:.1%}",
            f"{100 * means[1]:.1f} points",
        )
    return table


def _in_words(found: CrossValidation) -> str:
    """The mean with its interval, as in "81.2 % (76.0 to 86.4, 5 folds)"."""
    effect = found.accuracy
    low, high = max(effect.low, 0), min(effect.high, 1)
    return f"{100 * effect.mean:.1f} % ({100 * low:.1f} to {100 * high:.1f}, {effect.n} folds)."
