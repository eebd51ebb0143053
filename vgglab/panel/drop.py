"""A place on a page where files are dropped or chosen; they come to Python in slices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import anywidget
import traitlets

from vgglab.panel.styles import scripted, styled

MOST_FILES, MOST_BYTES = 12, 20 * 10**6  # at a time, and of each


class Dropped(NamedTuple):
    """A file as it arrived; where it did not, `problem` says why, in the middle of a sentence."""

    name: str
    content: bytes
    problem: str


class Drop(anywidget.AnyWidget):
    """Hands `take` what somebody drops or chooses, and shows what is said of it.

    `html` is what stands below, `status` a line that is read out when it changes. At most `most_files` files of
    `most_bytes` bytes each are taken at a time.
    """

    _esm = scripted("drop.js")
    _css = styled("drop.css")

    html = traitlets.Unicode().tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    most_files = traitlets.Int(MOST_FILES, read_only=True).tag(sync=True)
    most_bytes = traitlets.Int(MOST_BYTES, read_only=True).tag(sync=True)

    def __init__(self, take: Callable[[Sequence[Dropped]], object], **options: Any) -> None:
        super().__init__(**options)
        self._take = take
        self._arriving = _Arriving("", [])
        self.on_msg(self._heard)

    def _heard(self, _: object, message: dict[str, Any], buffers: Sequence[memoryview]) -> None:
        """A page begins to send files, sends a slice of one, or has sent all; `batch` tells pages and drops apart."""
        kind, batch = message["kind"], message["batch"]
        if kind == "begin":
            self._arriving = _Arriving(batch, message["files"][: self.most_files + 1])
        elif batch != self._arriving.batch:  # another page's, which has begun before
            return
        elif kind == "slice":
            self._arriving.add(message["file"], buffers[0])
        elif kind == "end":
            arrived, self._arriving = self._arriving, _Arriving("", [])
            self._take(arrived.files())


class _Arriving:
    """Files on their way; each of them is said to have a name and a size."""

    def __init__(self, batch: str, files: Sequence[dict[str, Any]]) -> None:
        self.batch = batch
        self._said = files
        self._content = [bytearray() for _ in files]

    def add(self, place: int, part: memoryview) -> None:
        if len(self._content[place]) + len(part) <= MOST_BYTES:
            self._content[place] += part

    def files(self) -> list[Dropped]:
        return [
            Dropped(said["name"], bytes(content), _problem(place, said["size"], len(content)))
            for place, (said, content) in enumerate(zip(self._said, self._content))
        ]


def _problem(place: int, size: int, arrived: int) -> str:
    if place >= MOST_FILES:
        return f"it and what comes after it is left out, because {MOST_FILES} files are taken at a time"
    if size > MOST_BYTES:
        return f"it has {size / 1e6:.1f} MB, and may have {MOST_BYTES / 1e6:.0f}"
    return "" if arrived == size else "it is a folder, or did not arrive whole"
