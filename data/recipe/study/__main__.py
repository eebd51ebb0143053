"""Run the study and write its tables: `make study`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from recipe.study.atlas import COLUMNS, Column
from recipe.study.ledger import put_into, write_ledger
from recipe.study.photographs import columns_of
from recipe.study.plan import CHOICE, STUDIES, Study, atlas_of, choices_of, chosen_settings
from recipe.study.schedule import Studied, client_of, records_of, study
from recipe.study.tables import write_atlas, write_settings, write_tables
from recipe.study.trial import Record, trials
from vgglab.charts.atlas import plot_atlas
from vgglab.errors import InputError, unknown
from vgglab.studies import FOLDER, claims_ledger, study_atlas

PROJECT = FOLDER.parent.parent


def main() -> int:
    """Run what is not yet recorded, on this machine or on a Dask cluster; then write what comes of it."""
    parser = argparse.ArgumentParser(prog="make study", description=main.__doc__)
    parser.add_argument("stage", choices=STAGES, help="settings: choose those of the atlas; then the tables")
    parser.add_argument(
        "--photographs",
        nargs="+",
        type=Path,
        metavar="FOLDER",
        help="run the atlas on these photographs instead; needs --weights",
    )
    parser.add_argument("--weights", type=Path, metavar="FILE", help="ImageNet's, of VGG16 without its top")
    parser.add_argument(
        "--only", nargs="+", metavar="STUDY", help="these studies; the tables keep the others as they are"
    )
    parser.add_argument("--seeds", type=int, help="the first so many of each study (default: all)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask scheduler, as in tcp://host:8786")
    parser.add_argument("--workers", type=int, default=1, help="local ones, sharing the cores (default 1)")
    parser.add_argument(
        "--records",
        type=Path,
        default=Path("build/study"),
        help="keeps what each run left; delete it to begin anew",
    )
    parser.add_argument("--out", type=Path, default=FOLDER, help="for the tables (default data/studies)")
    options = parser.parse_args()
    if bool(options.photographs) != bool(options.weights):
        parser.error("`--photographs` and `--weights` go together: the full VGG16 looks at the folders")
    try:
        if options.seeds is not None and options.seeds < 2:
            raise InputError(f"`--seeds` must be at least 2, to see chance. Received: {options.seeds}.")
        columns = columns_of(options.photographs, options.weights) if options.photographs else COLUMNS
        studies = _studies(options, columns)
        planned = trials(studies.values(), options.seeds)
        with client_of(options.scheduler, options.workers) as client, _progress() as progress:
            task = progress.add_task("runs", total=len(planned), left="")
            failed = study(client, planned, options.records, lambda studied: _show(progress, task, studied))
        if failed:
            return _report(failed)
        STAGES[options.stage](Done(records_of(planned, options.records), studies, columns), options)
    except InputError as error:
        print(f"study: {error}", file=sys.stderr)
        return 2
    print(f"Written to {options.out}.")
    return 0


def _studies(options: argparse.Namespace, columns: Mapping[str, Column]) -> dict[str, Study]:
    """Those to run: of the stage, of these columns, and asked for."""
    choices = choices_of(columns)
    every = STUDIES if columns is COLUMNS else choices | atlas_of(columns, chosen_settings())
    for name in options.only or ():
        if name not in every:
            raise unknown("study", name, every)
    of_stage = choices if options.stage == "settings" else every
    return {name: each for name, each in of_stage.items() if not options.only or name in options.only}


class Done(NamedTuple):
    """What was run: the records by their trials' keys, the studies that they are of, and the columns of the atlas."""

    records: dict[str, Record]
    studies: Mapping[str, Study]
    columns: Mapping[str, Column]

    def columns_with(self, ending: str) -> dict[str, Column]:
        """The columns whose study, by the column's name and this ending, was run."""
        return {name: column for name, column in self.columns.items() if f"{name}{ending}" in self.studies}


def _settings(done: Done, options: argparse.Namespace) -> None:
    write_settings(done.records, done.columns_with(CHOICE), options.seeds, options.out)


def _tables(done: Done, options: argparse.Namespace) -> None:
    write_tables(done.records, done.studies, options.seeds, options.out)
    write_atlas(done.columns_with(""), options.out)
    write_ledger(options.out)
    if options.out == FOLDER:
        put_into(PROJECT / "README.md", claims_ledger())
        plot_atlas(study_atlas()).figure.savefig(PROJECT / "docs" / "atlas.png", dpi=80, bbox_inches="tight")


STAGES = dict(settings=_settings, tables=_tables)


def _progress() -> Progress:
    columns = (MofNCompleteColumn(), BarColumn(30), TimeElapsedColumn(), TextColumn("{task.fields[left]}"))
    return Progress(TextColumn("{task.description}"), *columns, console=Console(stderr=True))


def _show(progress: Progress, task: TaskID, studied: Studied) -> None:
    progress.update(task, completed=studied.done, left=studied.left)


def _report(failed: dict[str, str]) -> int:
    for key, error in failed.items():
        print(f"{key}: {error}", file=sys.stderr)
    print(
        f"{len(failed)} runs failed; the others are kept. Run the same command to try again.", file=sys.stderr
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
