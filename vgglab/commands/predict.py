"""The command `vgglab predict`: a table of what a network takes image files for; returns the exit code."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from vgglab.errors import InputError
from vgglab.files import expanded, readable, write_whole

if TYPE_CHECKING:
    from vgglab.answers import Answers

TOP = 3  # classes of each file that the terminal shows


def add_predict(commands: Any) -> None:
    """Add the command to those of the command line."""
    parser = commands.add_parser(
        "predict",
        help="say which class a trained network sees in each photograph",
        description="Say which class a trained network sees in each photograph, read just as its training images were.",
        epilog="What cannot be read as an image is named with the reason, the other files are answered, and the exit "
        "code is 2.",
        allow_abbrev=False,
    )
    parser.set_defaults(run=lambda options, rest: answer_files(options.model, options.files, options.csv))
    parser.add_argument(
        "model", type=Path, metavar="RUN_DIR_OR_MODEL", help="folder of a run, or a .keras file"
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="image file, folder that is searched with all folders in it, or pattern such as 'photos/*.jpg'",
    )
    parser.add_argument(
        "--csv", type=Path, metavar="FILE.csv", help="write the probabilities of all classes there"
    )


def answer_files(model: Path, files: list[str], csv: Path | None) -> int:
    """Print the likeliest classes of each file, and write all probabilities to `csv`; 2 where a file was refused."""
    if csv is not None:
        csv = _checked(expanded(csv))
    from vgglab.answers import FILE, answer, class_columns
    from vgglab.classifier import open_classifier
    from vgglab.share.sheet import csv_text

    classifier = open_classifier(model)
    answers = answer(classifier, files)
    console = Console(markup=False, emoji=False)
    if len(answers.table):
        console.print(_table(answers, class_columns(classifier.class_names)))
        if csv is not None:
            names = answers.table[FILE].map(readable)
            write_whole(csv, csv_text(answers.table.assign(**{FILE: names})))
            print(f"Written to {readable(csv)}.")
    return _conclude(answers)


def _checked(csv: Path) -> Path:
    """Where the probabilities go; `InputError` before anything is asked where they could not be written there."""
    if csv.suffix.lower() != ".csv":
        raise InputError(f"`--csv` must be a file whose name ends in .csv. Received: {readable(csv)}.")
    if csv.is_dir() or not csv.absolute().parent.is_dir():
        what = "it is a folder" if csv.is_dir() else f"there is no folder {readable(csv.absolute().parent)}"
        raise InputError(f"`--csv` cannot be {readable(csv)}: {what}.")
    return csv


def _table(answers: Answers, columns: list[str]) -> Table:
    files = [Path(file) for file in answers.table["file"]]
    folder = _shared_folder(files)
    table = Table(title=f"Files in {readable(folder)}" if folder else None, title_justify="left")
    table.add_column("file", overflow="fold")
    for place in range(min(TOP, len(columns))):
        table.add_column(("likeliest", "second", "third")[place], overflow="fold")
        table.add_column("", justify="right", no_wrap=True)
    probabilities = answers.table[columns].to_numpy()
    for file, said in zip(files, probabilities):
        cells = []
        for place in (-said).argsort(kind="stable")[:TOP]:
            cells += [readable(columns[place]), f"{said[place]:.1%}"]
        table.add_row(readable(file.relative_to(folder) if folder else file), *cells)
    return table


def _shared_folder(files: list[Path]) -> Path | None:
    """The folder that several files are in, to be said once, so that a row has room for the classes."""
    try:
        folder = Path(os.path.commonpath([file.parent for file in files]))
    except ValueError:  # none, relative and absolute ones, or several drives
        return None
    return folder if len(files) > 1 and folder != Path() else None


def _conclude(answers: Answers) -> int:
    """Say how many files were answered, and which were not and why."""
    answered, refused, beside = len(answers.table), answers.refused, answers.beside
    for each in refused:
        print(f"vgglab: {each}", file=sys.stderr)
    if beside:
        suffixes = ", ".join(sorted({readable(each.suffix) or "no suffix" for each in beside}))
        print(
            f"Files in folders that were left out, because their names are no images' ({suffixes}): {len(beside)}."
        )
    print(f"Files answered: {answered} of {answered + len(refused)}.")
    return 2 if refused else 0
