"""What a `.keras` file says beside its network: the names of the classes, and how image files are read for it.

A `.keras` file is a zip, and Keras opens one with members that it does not know. It keeps none of them when it saves
the network again, and has no place of its own for such things: its `metadata.json` is written anew each time.
"""

from __future__ import annotations

import json
import math
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from vgglab.datasets.dataset import Dataset, checked_names
from vgglab.datasets.reading import Reading
from vgglab.errors import InputError, shown
from vgglab.experiment import FIELDS, Experiment
from vgglab.files import readable, why_not
from vgglab.history import History
from vgglab.record import check

if TYPE_CHECKING:
    import keras

MEMBER = "vgglab.json"
LARGEST = 10_000  # pixels a side of an image
MOST_BYTES = 16 * 2**20  # of the member: room for 100,000 classes


@dataclass(frozen=True)
class Usage:
    """How a network is used: what its outputs are called, in their order, and how files become its images."""

    class_names: tuple[str, ...]
    reading: Reading

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dict(class_names=list(self.class_names), reading=self.reading.to_dict())


class _Plain(Struct, forbid_unknown_fields=True):
    class_names: list[str]
    reading: dict[str, Any]


def usage_of(data: Dataset) -> Usage:
    """How a network that was trained on a data set is used; cropped where the images did not come from files."""
    return Usage(data.class_names, data.reading or Reading(data.image_size))


def usage_of_run(history: History) -> Usage | None:
    """The same by the record of a run, which does not know how images of more than 8 bits were scaled.

    None where it has no class names.
    """
    names, size = history.data.get("classes"), history.data.get("image_size")
    if not names or not size:
        return None
    fit = history.experiment.fit if isinstance(history.experiment, Experiment) else "crop"
    return Usage(checked_names(names), Reading(size, fit))


def save_model(model: keras.Model, path: Path, usage: Usage) -> None:
    """Write a network to `path` and its usage into the same file: all that vgglab saves is saved here.

    `path` should be one that nobody reads yet, such as that of `files.written_whole`.
    """
    model.save(path)
    add_usage(path, usage)


def add_usage(path: Path, usage: Usage) -> None:
    """Put the usage into a saved network that has none."""
    with zipfile.ZipFile(path, "a") as parts:
        parts.writestr(MEMBER, json.dumps(usage.to_dict(), indent=1))


def copy_with_usage(source: Path, path: Path, usage: Usage | None) -> None:
    """Copy a saved network; one of an older version, which has no usage, gets this one."""
    shutil.copyfile(source, path)
    if usage and read_usage(path) is None:
        add_usage(path, usage)


def read_usage(path: Path) -> Usage | None:
    """What a saved network says of its usage; None where it says nothing. `InputError` where it cannot be read."""
    try:
        with zipfile.ZipFile(path) as parts:
            if MEMBER not in parts.namelist():
                return None
            if (size := parts.getinfo(MEMBER).file_size) > MOST_BYTES:
                raise _broken(path, f"it has {size:,} bytes, where {MOST_BYTES:,} are allowed")
            return _usage(json.loads(parts.read(MEMBER).decode("utf-8")))
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{readable(path)} cannot be read: {why_not(error)}.") from None
    except zipfile.BadZipFile:
        raise InputError(
            f"{readable(path)} is not a network that Keras saved: such a file is a zip, and this is none, or a part of "
            "one."
        ) from None
    except RecursionError:
        raise _broken(path, "it is nested too deeply") from None
    except (ValueError, TypeError, KeyError) as error:
        raise _broken(path, str(error)) from None


def _usage(plain: Any) -> Usage:
    """A ValueError, an `InputError` among them, says what is wrong with it."""
    if not isinstance(plain, dict):
        raise ValueError(f"it is {shown(plain)}, and must be names with values")
    check(plain, _Plain)
    try:
        return Usage(
            checked_names(plain["class_names"]), checked_reading(Reading.from_dict(plain["reading"]))
        )
    except InputError as error:
        raise ValueError(str(error).rstrip(".")) from None


def checked_reading(reading: Any) -> Reading:
    """A reading that can be read by; `InputError` for others."""
    if not isinstance(reading, Reading):
        raise InputError(f"`reading` must be a Reading, as a Dataset has. Received: {shown(reading)}.")
    if not 0 < reading.image_size <= LARGEST:
        raise InputError(f"`image_size` must be 1 to {LARGEST} pixels. Received: {reading.image_size}.")
    FIELDS["fit"].check("fit", reading.fit)
    for name in ("whole", "fractions"):
        ends = getattr(reading, name)
        if ends is not None and not (all(map(math.isfinite, ends)) and ends.black < ends.white):
            raise InputError(f"`{name}` must go from a number up to a larger one. Received: {tuple(ends)}.")
    return reading


def _broken(path: Path, reason: str) -> InputError:
    return InputError(
        f"{readable(path)} has a {MEMBER} that does not say how it is used: {reason.rstrip('.')}."
    )
