"""Photographs that are dropped on the dashboard, and what a trained network takes them for."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from vgglab.datasets.found import Refused
from vgglab.datasets.reading import Unreadable, read_image
from vgglab.engine.owner import alone
from vgglab.errors import InputError
from vgglab.files import readable
from vgglab.panel.drop import Drop, Dropped
from vgglab.panel.png import png_uri
from vgglab.share.store import MODEL
from vgglab.templates import render

if TYPE_CHECKING:
    import numpy as np

    from vgglab.classifier import Classifier
    from vgglab.panel.runs import Runs

SIDE = 96  # pixels of a photograph on the page
TOP = 3  # classes that are named of each
Network = tuple[str, Path]  # what a run is called, and the file of its network

_WAITS = "A run is in progress. Your photographs are classified when it has ended."


class _Closed(Exception):
    """The page is gone, so that nobody waits for an answer any more."""


class _Answer(NamedTuple):
    source: str
    name: str
    top: list[tuple[str, str]]


class Asked(Drop):
    """Answers what is dropped in a thread, one drop after the other, by the network that `network` names then.

    While a run has Keras the answer waits for its end. `network` raises `InputError` where there is none.
    """

    def __init__(self, network: Callable[[], Network]) -> None:
        super().__init__(self.ask)
        self._network = network
        self._turn = threading.Lock()
        self._thread: threading.Thread | None = None
        self._kept: tuple[object, Classifier] | None = (
            None  # the latest one, by its file and when that was written
        )

    def ask(self, files: Sequence[Dropped]) -> None:
        """Say what the network takes files for; shown once it is known."""
        try:
            network = self._network()
        except InputError as error:
            self.status, self.html = str(error), ""
            return
        self.status = f"{network[0]} looks at {len(files)} {'file' if len(files) == 1 else 'files'}."
        self._thread = threading.Thread(target=self._answer, args=(network, files), daemon=True)
        self._thread.start()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the latest answer."""
        if self._thread:
            self._thread.join(timeout)

    def close(self) -> None:
        """Take it off the page, and let go of the network; what waits gives up."""
        super().close()
        self._kept = None

    def _answer(self, network: Network, files: Sequence[Dropped]) -> None:
        try:
            with self._turn, alone(self._check_open, lambda _: self.set_trait("status", _WAITS)):
                classifier = self._classifier(network[1])
                html, said = _said(classifier, network[0], files)
        except _Closed:
            return
        except InputError as error:
            html, said = render("alert.html", text=str(error)), ""
        except Exception as error:  # of whatever kind: a failure in a thread is seen nowhere else
            text = f"{type(error).__name__}: {error}"
            html, said = render("alert.html", text=text, details=traceback.format_exc()), ""
        if self.comm is not None:
            self.html, self.status = html, said

    def _check_open(self) -> None:
        if self.comm is None:
            raise _Closed

    def _classifier(self, path: Path) -> Classifier:
        from vgglab.classifier import open_classifier  # Keras: a dashboard is on the page before it is loaded

        try:
            key = path, path.stat().st_mtime_ns
        except OSError:
            raise InputError(f"The network {readable(path)} is no longer there.") from None
        if self._kept is None or self._kept[0] != key:
            self._kept = key, open_classifier(path)
        return self._kept[1]


def network_of(runs: Runs) -> Network:
    """The network of the chosen run or, where none is chosen, the one that was trained last."""
    names = runs.selected[:1] or list(runs.histories)
    there = {}
    for name in names:
        try:
            file = runs.folder_of(name) / MODEL
            there[name] = file.stat().st_mtime_ns, file
        except (
            InputError,
            OSError,
        ):  # a run that was loaded has no folder, and one that was stopped no network
            continue
    if not there:
        if runs.selected:
            raise InputError(
                f"The network of {names[0]} is not kept. Choose another run, or none, in the table."
            )
        raise InputError(
            "No network has been trained yet. Press Train, and drop your photographs when the run has ended."
        )
    name = max(there, key=lambda each: there[each][0])
    return name, there[name][1]


def _said(classifier: Classifier, name: str, files: Sequence[Dropped]) -> tuple[str, str]:
    """What a network says of files as HTML, and in a line."""
    images, refused = _read(classifier, files)
    answers = []
    if images:
        import numpy as np

        probabilities = classifier.probabilities(np.stack([image for _, image in images]))
        for (file, image), said in zip(images, probabilities):
            top = [
                (classifier.class_names[place], f"{said[place]:.1%}")
                for place in np.argsort(-said, kind="stable")[:TOP]
            ]
            answers.append(_Answer(png_uri(image, SIDE, Image.Resampling.BILINEAR), file, top))
    counted = f"{name} answered {len(answers)} of {len(files)}."
    return render("answers.html", answers=answers, refused=[str(each) for each in refused]), counted


def _read(
    classifier: Classifier, files: Sequence[Dropped]
) -> tuple[list[tuple[str, np.ndarray]], list[Refused]]:
    """The images of files with their names, read as those on a disk are, and those that are none."""
    images, refused = [], []
    with TemporaryDirectory(prefix="vgglab-") as folder:
        for name, content, problem in files:
            try:
                if problem:
                    raise Unreadable(problem)
                path = Path(folder, "image")
                path.write_bytes(content)
                images.append((readable(name), read_image(path, classifier.reading)))
            except Unreadable as error:
                refused.append(Refused(name, str(error)))
    return images, refused
