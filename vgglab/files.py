"""Files: their names, those that come with the project, and those that are whole or absent."""

from __future__ import annotations

import errno
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vgglab.errors import InputError, shown

# What a terminal would obey, and the bytes of a name that is no UTF-8, as Python hands them over.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
LONGEST = 500  # characters of a path that people are shown
_PART = re.compile(r"[0-9a-f]{16}\.part\..*", re.DOTALL)
ALWAYS_SHORT = 100  # bytes of a name that every system takes
ABANDONED = 24 * 3600  # seconds after which nobody is still writing


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
    """A file beside `path`, with its suffixes, to write to; it takes the name `path` when the block has ended well.

    It is new and its name is drawn at random, so that threads, processes and containers write without meeting. It is
    on the disk before it takes its name, and so is the name, where the system can do that. When the block fails, it is
    removed and `path` is as it was. What a killed process left is removed by the first write to the folder that comes
    a day later. A link at `path` is replaced, and what it leads to is left alone. `OSError`, which names `path`: before
    the block when the folder cannot be written or `path` is a folder, after it when the disk is full.
    """
    if path.is_dir() and not path.is_symlink():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    _remove_abandoned(path.parent)
    beside = _part_of(path)
    try:
        beside.touch(exist_ok=False)  # follows no link
        yield beside
        with beside.open("r+b") as file:  # some systems sync only what is open for writing
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException as error:
        with suppress(OSError):
            beside.unlink()
        if isinstance(error, OSError) and str(error.filename) == str(beside):
            error.filename, error.filename2 = str(path), None
        raise
    _sync_folder(path.parent)


def is_part(path: Path) -> bool:
    """Whether a file is one that `written_whole` has not finished, or never will."""
    return _PART.fullmatch(path.name) is not None


def _part_of(path: Path) -> Path:
    """A new name beside `path` that ends as its name does, and is too long for no system that takes its name."""
    mark, end = f"{secrets.token_hex(8)}.part.", path.name
    while len(os.fsencode(mark + end)) > max(len(os.fsencode(path.name)), ALWAYS_SHORT):
        end = end[1:]
    return path.with_name(mark + end)


def _remove_abandoned(folder: Path) -> None:
    with suppress(
        OSError
    ):  # a folder that cannot be listed, or a file that cannot be removed, is no failure here
        for part in filter(is_part, folder.iterdir()):
            with suppress(OSError):
                if time.time() - part.lstat().st_mtime > ABANDONED:
                    part.unlink()


def _sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk; some systems cannot, and then the file has its name all the same."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


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
