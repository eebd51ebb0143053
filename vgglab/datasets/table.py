"""A table as a data set: which file shows what, and, where it says so, its group and its part."""

from __future__ import annotations

import csv
import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from vgglab.datasets.groups import Photo, some
from vgglab.datasets.layout import (
    FOLDER,
    SPELLINGS,
    Layout,
    LeftOut,
    alike_in_capitals,
    part_of,
    what_is,
    why_no_image,
)
from vgglab.errors import InputError, shown, unknown
from vgglab.files import readable, why_not

SUFFIXES = (".csv", ".tsv", ".txt")
SEPARATORS = ",;\t"
FILE, LABEL, GROUP, SPLIT = "file", "label", "group", "split"


class Row(NamedTuple):
    """A line of the table, all but its number as text."""

    line: int
    file: str
    label: str
    group: str
    split: str


def lay_out_table(table: Path, group: str | None = None) -> Layout:
    """What a table says: columns `file` and `label`, and `group` and `split` where there are such, in any order.

    Paths count from the table's folder. Separated by commas, semicolons or tabs; UTF-8. `group` names another column
    for the groups. `InputError` where a column or a cell is wrong, or one file has two labels.
    """
    rows = _read(table, group)
    _check_cells(table, rows)
    is_split = any(row.split for row in rows)
    parts = _parts_of(table, rows) if is_split else ["all"] * len(rows)
    class_names = _class_names(table, rows, parts)
    numbers = {name: number for number, name in enumerate(class_names)}
    places = {part: table for part in ("all", *SPELLINGS) if part in parts}
    photos: dict[str, list[Photo]] = {part: [] for part in places}
    left_out: LeftOut = []
    rows_of, again = _by_file(table, rows, parts)
    for path, (row, part) in rows_of.items():
        kind = what_is(path)
        if reason := why_no_image(path, "a folder" if kind == FOLDER else kind):
            left_out.append((path, reason))
        else:
            photos[part].append(Photo(path, numbers[row.label], row.group or None))
    if not any(photos.values()):
        raise InputError(
            f"None of the {len(rows_of):,} files of {readable(table)} is there as an image; their paths count from "
            f"{readable(table.parent)}. The first: {readable(left_out[0][0])}: {left_out[0][1]}."
        )
    return Layout(places, class_names, photos, left_out, again + alike_in_capitals(class_names))


def _read(table: Path, group: str | None) -> list[Row]:
    lines = _cells(table)
    _, header = next(lines, (1, []))
    names = [_plain(name).casefold() for name in header]
    found = ", ".join(f"'{readable(name)}'" for name in header) or "nothing"
    for name in (FILE, LABEL):
        if name not in names:
            raise InputError(
                f"{readable(table)} must begin with a line that names its columns, 'file' and 'label' at least. "
                f"Found: {found if len(found) < 300 else found[:300] + '…'}."
            )
    used = _plain(group).casefold() if group is not None else GROUP
    if group is not None and used not in names:
        raise unknown(f"column of {readable(table)} for `group`", group, [name for name in names if name])
    for name in (FILE, LABEL, SPLIT, used):
        if names.count(name) > 1:
            raise InputError(f"{readable(table)} must have one column '{name}'. Found: {names.count(name)}.")
    places = [names.index(name) if name in names else -1 for name in (FILE, LABEL, used, SPLIT)]
    rows = []
    for line, cells in lines:
        if len(cells) < len(names) or any(cell.strip() for cell in cells[len(names) :]):
            raise InputError(
                f"Line {line} of {readable(table)} has {len(cells)} cells where there are {len(names)} columns. "
                'A name that holds the separator must stand in quotes: "a,b.png".'
            )
        file, label, its, split = ("" if place < 0 else cells[place] for place in places)
        rows.append(Row(line, file.strip(), _plain(label), _plain(its), split.strip()))
    if not rows:
        raise InputError(f"{readable(table)} must have a line for each image. It has none.")
    return rows


def _cells(table: Path) -> Iterator[tuple[int, list[str]]]:
    """The number and the cells of each line that is not blank."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            separator = _separator(file.readline())
            file.seek(0)
            reader = csv.reader(file, delimiter=separator, strict=True, skipinitialspace=True)
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield reader.line_num, cells
    except UnicodeDecodeError:
        raise InputError(f"{readable(table)} is no text in UTF-8. Save it as 'CSV UTF-8'.") from None
    except csv.Error as error:
        raise InputError(
            f"{readable(table)} cannot be read as a table: line {reader.line_num}: {error}."
        ) from None
    except OSError as error:
        raise InputError(f"{readable(table)} cannot be read: {why_not(error)}.") from None


def _separator(header: str) -> str:
    """The one that stands oftenest between the names of the columns."""
    return max(SEPARATORS, key=header.count)


def _plain(text: str) -> str:
    """Without spaces around it and in one form of Unicode, as the names of class folders are."""
    return readable(unicodedata.normalize("NFC", text).strip())


def _check_cells(table: Path, rows: Sequence[Row]) -> None:
    for name in (FILE, LABEL):
        empty = [row.line for row in rows if not getattr(row, name)]
        if empty:
            raise InputError(f"{readable(table)} must have a {name} in every line. Empty: {_lines(empty)}.")


def _parts_of(table: Path, rows: Sequence[Row]) -> list[str]:
    """The part of each row; `InputError` where a split is missing or unknown, or there is nothing to train on."""
    parts = [part_of(row.split) for row in rows]
    empty = [row.line for row in rows if not row.split]
    if empty:
        raise InputError(
            f"{readable(table)} must have a split in every line, or in none, and then it is divided by the seed. "
            f"Empty: {_lines(empty)}."
        )
    odd = next((row for row, part in zip(rows, parts) if not part), None)
    if odd:
        raise InputError(
            f"A split must be one of: {', '.join(name for names in SPELLINGS.values() for name in names)}. "
            f"Received: {shown(odd.split)}, in line {odd.line} of {readable(table)}."
        )
    if "train" not in parts:
        raise InputError(f"{readable(table)} must have lines of the split 'train' to train on. Found: none.")
    return parts


def _class_names(table: Path, rows: Sequence[Row], parts: Sequence[str]) -> tuple[str, ...]:
    """The labels to train on, in the order of their names; `InputError` for fewer than two, or others elsewhere."""
    first = "train" if "train" in parts else "all"
    names = sorted({row.label for row, part in zip(rows, parts) if part == first})
    where = f"{readable(table)} must hold at least two labels" + (" to train on" if first == "train" else "")
    if len(names) < 2:
        raise InputError(f"{where}. Found: one, '{names[0]}'.")
    for row, part in zip(rows, parts):
        if row.label not in names:
            raise InputError(
                f"Label '{row.label}' is in the {part} part of {readable(table)} (line {row.line}), but not in its "
                "train part."
            )
    return tuple(names)


def _by_file(
    table: Path, rows: Iterable[Row], parts: Iterable[str]
) -> tuple[dict[Path, tuple[Row, str]], list[str]]:
    """By its path each file's row and part, and a remark on those listed twice; `InputError` where they differ."""
    found: dict[str, tuple[Path, Row, str]] = {}
    again = []
    for row, part in zip(rows, parts):
        path = _place(table, row.file)
        _, first, of_first = found.setdefault(os.path.abspath(path), (path, row, part))
        if first is row:
            continue
        for name, one, other in (
            (LABEL, first.label, row.label),
            (SPLIT, of_first, part),
            (GROUP, first.group, row.group),
        ):
            if one != other:
                raise InputError(
                    f"{readable(table)} lists {readable(row.file)} twice, with {name} '{one}' in line {first.line} and "
                    f"'{other}' in line {row.line}. Keep one of the lines."
                )
        again.append(readable(row.file))
    files = "1 file" if len(again) == 1 else f"{len(again):,} files"
    remarks = [f"{files} of {readable(table)} is listed twice, read once: {some(again)}."] if again else []
    return {path: (row, part) for path, row, part in found.values()}, remarks


def _place(table: Path, file: str) -> Path:
    """Where a file is; backslashes are a name's own only where there is such a file."""
    path = table.parent / file
    return path if "\\" not in file or os.path.exists(path) else table.parent / file.replace("\\", "/")


def _lines(numbers: Sequence[int]) -> str:
    return ("line " if len(numbers) == 1 else f"{len(numbers):,} lines, ") + some(
        [str(each) for each in numbers]
    )
