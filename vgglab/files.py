"""Files: their names, those that come with the project, and those that are whole or absent."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vgglab.errors import InputError, shown

# What a terminal would obey, and the bytes of a name that is no UTF-8, as Python hands them over.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
LONGEST = 500  # characters of a path that people are shown


def readable(path: str | os.PathLike) -> str:
    """A path or name as people are shown it, in text that can be written anywhere.

    A byte that is no UTF-8 and a control character become "\\x..", and the middle of a very long path is left out.
    """
    text = _UNPRINTABLE.sub(lambda match: f"\\x{ord(match[0]) & 0xFF:02x}", str(path))
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}…{text[-LONGEST // 4 :]}"


def expanded(path: str | os.PathLike) -> Path:
    """The path with a leading "~" or "~somebody" replaced by that home folder; `InputError` where there is none."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        home = Path(path).parts[0]
        raise InputError(f"There is no home folder for {home}. Received: {shown(str(path))}.") from None


def why_not(error: OSError) -> str:
    """What the system says about a file that it cannot open, in the middle of a sentence: "permission denied"."""
    reason = error.strerror or str(error) or type(error).__name__
    return reason[:1].lower() + reason[1:]


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A file beside `path`, with its suffixes, to write to; it takes the name `path` when the block has ended well."""
    stem, dot, suffixes = path.name.partition(".")
    beside = path.with_name(f"{stem}.{os.getpid()}.part{dot}{suffixes}")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write a text file that is whole or absent, in UTF-8."""
    with written_whole(path) as beside:
        beside.write_text(text, encoding="utf-8")


def shipped(name: str) -> Path:
    """Where a part of `data` is: beside the package in a checkout, inside it when installed from a wheel."""
    package = Path(__file__).parent
    places = [root / "data" / name for root in (package, package.parent)]
    return next((place for place in places if place.is_dir()), places[-1])


def link_new(file: Path, path: Path) -> None:
    """Give a whole file a name on the same disk that nothing has; `FileExistsError` where something has it by now."""
    try:
        os.link(file, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: the name is taken first, and then filled
        content = file.read_bytes()
        with path.open("xb") as taken:
            try:
                taken.write(content)
                taken.flush()
            except BaseException:
                path.unlink()
                raise
