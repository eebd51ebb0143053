"""How many images are read, as a line and a bar in a cell's output, where one line stays."""

from __future__ import annotations

import time
from types import TracebackType

from IPython.display import DisplayHandle, display

from vgglab.templates import render

SOON = 1.0  # seconds: what is done by then needs no line
PAUSE = 0.2  # seconds between two changes


class CellLine:
    """Counts images while the block lasts, from its second second on; then says how many there were."""

    def __init__(self) -> None:
        self._handle: DisplayHandle | None = None
        self._began = time.monotonic()
        self._due = self._began + SOON
        self._done = self._total = 0

    def __enter__(self) -> CellLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            took = time.monotonic() - self._began
            of = "" if self._done == self._total else f" of {self._total:,}"
            self._put(f"{self._done:,}{of} images were read in {took:.0f} s.", None)

    def move(self, done: int, total: int) -> None:
        """So many of the images are read."""
        self._done, self._total = done, total
        if time.monotonic() >= self._due:
            self._put(f"Reading the images: {done:,} of {total:,}.", done / total)
            self._due = time.monotonic() + PAUSE

    def _put(self, text: str, share: float | None) -> None:
        page = render("cell.html", picture="", lines=[], text=text, share=share)
        bundle = {"text/html": page, "text/plain": text}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)
