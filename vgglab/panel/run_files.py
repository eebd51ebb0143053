"""The files that are taken away of runs on the table: records, charts, run cards and trained networks."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vgglab.charts.curves import detached_axes, plot_accuracy, save_chart
from vgglab.errors import InputError
from vgglab.files import readable, why_not
from vgglab.history import History
from vgglab.panel.exports import Makers, Placed, holds, numbered, place
from vgglab.panel.table import Row, compare
from vgglab.share.card import history_of_card, save_card
from vgglab.share.model_file import copy_with_usage, usage_of_run
from vgglab.share.sheet import csv_text
from vgglab.share.store import MODEL

TABLE = "runs"  # the name of the file with the table
LONGEST_STEM = 60  # characters: file systems take 255 bytes, and a character has up to 4
RECORD = ".jsonl"  # the file that says whose the others of its stem are

Rows = Mapping[str, Row]


def read_uploads(files: Iterable[Mapping[str, Any]], take: Callable[[History, str], str]) -> str:
    """Have `take` put run cards and records, as a browser hands them over, on a table; says what it called them.

    `InputError` says of each file that is none what it lacks, after the others were taken.
    """
    loaded, refused = [], []
    for file in files:
        text = bytes(file["content"]).decode("utf-8", errors="replace")
        read = history_of_card if file["name"].lower().endswith(".html") else History.from_lines
        try:
            loaded.append(take(read(text, file["name"]), Path(file["name"]).stem))
        except Exception as error:  # one file must not keep the others off the table
            refused.append(_in_words(error))
    said = f"Loaded: {', '.join(loaded)}." if loaded else ""
    if refused:
        raise InputError(" ".join([*refused, said]).rstrip())
    return said


def _in_words(error: Exception) -> str:
    return str(error) if isinstance(error, (InputError, OSError)) else f"{type(error).__name__}: {error}"


class Files:
    """Writes to one folder, in which nothing of other content is ever replaced; each method says what it wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def export(self, rows: Rows, names: Sequence[str]) -> str:
        """Write history (JSON lines and CSV) and chart (PNG and SVG) of each named run, and the table."""
        placed = self._written(rows, names, self._record_and_charts)
        table = compare({name: row.history for name, row in rows.items()})
        with self._said(placed, "the table"):
            makers = {".csv": lambda path: path.write_text(csv_text(table), encoding="utf-8")}
            placed.add(place(makers, self.folder, numbered(TABLE, "{}-{}"))[1])
        return placed.said(self.folder)

    def cards(self, rows: Rows, names: Sequence[str]) -> str:
        """Write one HTML page for each named run."""
        placed = self._written(
            rows, names, lambda name, row: {".html": lambda path: save_card(row.history, name, path)}
        )
        return placed.said(self.folder)

    def save_models(self, rows: Rows, names: Sequence[str]) -> str:
        """Write the trained network of each named run."""
        placed = self._written(
            rows, names, lambda name, row: {".keras": lambda path: self._copy_network(name, row, path)}
        )
        return placed.said(self.folder)

    def _record_and_charts(self, name: str, row: Row) -> Makers:
        chart = plot_accuracy(row.history, detached_axes())
        return {
            RECORD: row.history.save,
            ".csv": lambda path: path.write_text(csv_text(row.history.frame()), encoding="utf-8"),
            ".png": lambda path: save_chart(chart, path),
            ".svg": lambda path: save_chart(chart, path),
        }

    def _copy_network(self, name: str, row: Row, path: Path) -> None:
        if row.folder is None or not (row.folder / MODEL).is_file():
            raise InputError(f"The network of {name} is not kept in {readable(self.folder)}.")
        copy_with_usage(row.folder / MODEL, path, usage_of_run(row.history))

    def _written(self, rows: Rows, names: Sequence[str], makers_of: Callable[[str, Row], Makers]) -> Placed:
        """The files of each of these runs, those of one under one stem."""
        placed = Placed()
        for name in names:
            with self._said(placed, name):
                self.folder.mkdir(parents=True, exist_ok=True)
                makers = makers_of(name, rows[name])
                stems = self._stems_for(rows, name, set(makers))
                rows[name].stem, new = place(makers, self.folder, stems)
                placed.add(new)
        return placed

    @contextmanager
    def _said(self, placed: Placed, what: str) -> Iterator[None]:
        """What goes wrong with the files of `what` in a sentence, and what was `placed` before."""
        try:
            yield
        except InputError as error:
            raise InputError(f"{error} {placed.said(self.folder)}".strip()) from None
        except OSError as error:
            sentence = f"The files of {what} cannot be written to {self.folder}: {why_not(error)}."
            raise InputError(f"{sentence} {placed.said(self.folder)}".strip()) from None

    def _stems_for(self, rows: Rows, name: str, suffixes: Set[str]) -> Iterator[str]:
        """What the files of a run may be called, but for their suffixes: as those before, or as no other run's files.

        No other run's name on the table gives the same, also where capitals make no difference.
        """
        row = rows[name]
        if row.stem:
            yield row.stem
        taken = {TABLE, *(each.stem.casefold() for each in rows.values() if each is not row)}
        safe = "".join(each if each.isalnum() or each in "-_" else "-" for each in name[:LONGEST_STEM])
        for stem in numbered(safe, "{}-{}"):
            if stem.casefold() not in taken and not self._is_anothers(stem, row.history, suffixes):
                yield stem

    def _is_anothers(self, stem: str, history: History, suffixes: Set[str]) -> bool:
        """Whether files of other kinds stand there, and no record says that they are this run's."""
        there = {path.suffix for path in self.folder.glob(f"{glob.escape(stem)}.*")}
        return bool(there - suffixes) and not holds(
            self.folder / f"{stem}{RECORD}", history.to_lines().encode()
        )
