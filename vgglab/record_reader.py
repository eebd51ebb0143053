"""A record of a run, read: the only door through which one comes in, from a file, a card or somebody else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vgglab.errors import InputError, shown
from vgglab.experiment import Experiment
from vgglab.files import why_not
from vgglab.fit import Fit
from vgglab.predictions import Predictions
from vgglab.record import FIT_ROWS, ROWS, Head, Replaced, Row, check, kept_row
from vgglab.record_checks import check_images, check_said, check_single, check_tested

MOST_BYTES = 256 * 2**20  # of a record: 200,000 epochs take half of it
LONGEST_LINE = 32 * 2**20  # characters: room for `predictions.MOST_WRITTEN`
MOST_PHASES = 10_000
_KINDS = ("run", "experiment", *ROWS)


def text_of(path: Path) -> str:
    """The text of a record's file; `InputError` where it cannot be one."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _too_large(str(path), path.stat().st_size)
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not a history of vgglab: it is not UTF-8 text, as byte {error.start + 1} shows."
        ) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {why_not(error)}.") from None


def read_record(text: str, origin: str) -> dict[str, Any]:
    """The fields of the `History` that a record holds; `InputError` names the `origin`, and the line that is no record.

    Blank lines are nothing, and so is a mark of the byte order. A last line that was cut short is left out, and an
    event of kind "torn" says so.
    """
    if len(text) > MOST_BYTES:
        raise _too_large(origin, len(text))
    reader = _Reader()
    try:
        return reader.read(text)
    except _Unlike as error:  # a field or a value that this version does not have
        raise InputError(
            f"{origin} is a history of vgglab, but not for this version: {error} It stands in line {reader.number}."
        ) from None
    except ValueError as error:
        where = f"line {reader.number} is not a record ({error})" if reader.number else "it is empty"
        raise InputError(f"{origin} is not a history of vgglab: {where}.") from None


class _Unlike(InputError):
    """An experiment that this version cannot have."""


class _Reader:
    """What was read of a record so far; `number` is that of the line that is looked at, 0 before the first."""

    def __init__(self) -> None:
        self.number = 0
        self._head: dict[str, Any] | None = None
        self._experiment: tuple[int, dict[str, Any]] = 0, {}  # the latest, with the number of its line
        self._rows: dict[str, list[Row]] = {kind: [] for kind in ROWS}
        self._placed: list[tuple[int, str, Row]] = []  # rows that speak of other lines, with their own

    def read(self, text: str) -> dict[str, Any]:
        """The fields of a `History`; a ValueError says why the line of that `number` is no record."""
        # At line feeds alone: a JSON text may hold the other characters that Python takes for the end of a line.
        parts = text.removeprefix("\ufeff").split("\n")
        torn = False
        for number, part in enumerate(parts, start=1):
            if not part.strip():
                continue
            self.number = number
            try:
                line = _decoded(part)
            except json.JSONDecodeError:
                torn = self._head is not None and number == len(parts)  # no line feed ends it
                if not torn:
                    raise
                break
            self._take(line)
        if self._head is None:
            raise ValueError("there is none")
        return self._whole(self._head, torn)

    def _take(self, line: dict[str, Any]) -> None:
        kind = line.pop("kind", None)
        if kind not in _KINDS:
            raise ValueError(f"`kind` is {shown(kind)}, and must be one of {', '.join(_KINDS)}")
        if (kind == "run") == (self._head is not None):
            raise ValueError(f"`kind` is {kind!r}, and must be 'run' in the first line and in no other")
        if kind == "run":
            check(line, Head)
            check_images(line.get("data", {}))
            self._head, self._experiment = line, (self.number, line["experiment"])
        elif kind == "experiment":
            check(line, Replaced)
            if self._is_fit != Fit.wrote(line["experiment"]):
                raise ValueError("a fit cannot become an experiment, nor an experiment a fit")
            self._experiment = self.number, line["experiment"]
        else:
            self._take_row(kind, line)

    def _take_row(self, kind: str, line: dict[str, Any]) -> None:
        if line.keys() != {"row"}:
            raise ValueError(f"beside `kind` it must have `row` alone, and has {shown(sorted(line))}")
        if (
            kind == "validation" and self._rows[kind]
        ):  # one may fill a line to its end, so that many fill a memory
            raise ValueError("a run has one line of `kind` 'validation', and this is the second")
        row = line["row"]
        check(row, (FIT_ROWS if self._is_fit else ROWS)[kind])
        if kind == "epoch":
            _check_order(row, self._rows["epoch"][-1:], self._is_fit)
        if self._is_fit:
            check_single(row)
        if kind == "test":
            check_tested(row, (self._head or {}).get("data", {}))
        else:
            self._placed.append((self.number, kind, row))
        self._rows[kind].append(row)

    @property
    def _is_fit(self) -> bool:
        return Fit.wrote(self._experiment[1])

    def _whole(self, head: dict[str, Any], torn: bool) -> dict[str, Any]:
        """The fields, once all that the lines say of each other holds."""
        epochs, events, layers, tests, said = (self._rows[kind] for kind in ROWS)
        self.number, plain = self._experiment
        experiment = _experiment(plain)
        phases, data = len(experiment.phases) or 1, head.get("data", {})
        for number, kind, row in self._placed:
            self.number = number
            if kind != "validation":
                _check_place(kind, row, phases, len(epochs))
        predictions = None
        if said:  # after all events, which say what epoch counts
            self.number = next(number for number, kind, _ in self._placed if kind == "validation")
            kept = kept_row(epochs, events)
            check_said(said[0], data, kept)
            predictions = Predictions.of(said[0])
            if kept and not self._is_fit:
                _check_accuracy(predictions, kept)
        if torn:
            text = "The last line of the record was cut short and is left out; all before it was read."
            events.append(dict(epoch=len(epochs), kind="torn", text=text))
        return dict(
            experiment=experiment,
            data=data,
            versions=head.get("versions", {}),
            epochs=epochs,
            events=events,
            layers=layers,
            test=tests[-1] if tests else None,
            predictions=predictions,
        )


def _decoded(part: str) -> dict[str, Any]:
    if len(part) > LONGEST_LINE:
        raise ValueError(f"it has {len(part):,} characters, and may have {LONGEST_LINE:,}")
    try:
        line = json.loads(part)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(line, dict):
        raise ValueError(f"it is {shown(line)}, and must be names with values")
    return line


def _experiment(plain: dict[str, Any]) -> Experiment | Fit:
    later = plain.get("later", ())
    if isinstance(later, list) and len(later) >= MOST_PHASES:
        raise ValueError(f"the run has {len(later) + 1:,} phases, and may have {MOST_PHASES:,}")
    if Fit.wrote(plain):
        return Fit.from_dict(plain)
    try:
        return Experiment.from_dict(plain)
    except InputError as error:
        raise _Unlike(str(error)) from None


def _check_order(row: Row, before: list[Row], is_fit: bool) -> None:
    """A ValueError unless an epoch follows the one before; Keras may begin with a later one, and leave some out."""
    epoch, phase = (before[0]["epoch"], before[0]["phase"]) if before else (0, 1)
    if row["epoch"] <= epoch if is_fit else row["epoch"] != epoch + 1:
        raise ValueError(f"`epoch` is {row['epoch']} after {epoch}")
    if row["phase"] < phase or (not before and row["phase"] > 1):
        raise ValueError(f"`phase` is {row['phase']}, and must be 1 at first and never fall")


def _check_place(kind: str, row: Row, phases: int, epochs: int) -> None:
    """A ValueError where a row speaks of a phase or an epoch that the run does not have."""
    if kind != "event":
        if row["phase"] > phases:
            raise ValueError(f"`phase` is {row['phase']}, and the run has {phases}")
        return
    if row["epoch"] > epochs:
        raise ValueError(f"`epoch` is {row['epoch']}, and the run has {epochs}")
    kept = row.get("kept_epoch")
    if row["kind"] == "restored" and (kept is None or kept > row["epoch"]):
        raise ValueError(f"`kept_epoch` is {kept}, and must be 1 to {row['epoch']}")


def _check_accuracy(predictions: Predictions, kept: Row) -> None:
    """A ValueError unless what is said of the validation images is right as often as the row of its epoch says."""
    right, measured = float(predictions.right.mean()), kept["validation_accuracy"]
    if abs(right - measured) > 1e-6:
        raise ValueError(
            f"its `probabilities` are right for {right:.4%} of the images, and `validation_accuracy` of epoch "
            f"{kept['epoch']} is {measured:.4%}"
        )


def _too_large(origin: str, size: int) -> InputError:
    return InputError(
        f"{origin} is too large for a history of vgglab: {size:,} bytes, where {MOST_BYTES:,} are allowed."
    )
