"""The trained networks of the latest runs, which can still be saved."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import numpy as np

from vgglab.engine.owner import alone_at_once
from vgglab.history import History

KEPT = 3  # a network of full size takes 60 MB


class Networks:
    """The weights that the last `KEPT` runs ended with, each by its History."""

    def __init__(self) -> None:
        self._trained: deque[tuple[History, list[np.ndarray]]] = deque(maxlen=KEPT)

    def keep(self, history: History, weights: list[np.ndarray]) -> None:
        self._trained.append((history, weights))

    def forget(self) -> None:
        self._trained.clear()

    def save(self, history: History, path: Path) -> bool:
        """Write the trained network of a run; False when it is no longer kept, `InputError` while a run goes on."""
        # Here, not at the top: a dashboard is on the page before TensorFlow is loaded.
        from vgglab.network import build_network, configure

        weights = next((weights for run, weights in self._trained if run is history), None)
        if weights is None:
            return False
        last = history.experiment.phases[-1]
        with alone_at_once("Saving a network"):
            model = build_network(last, len(history.data["classes"]))
            model.set_weights(weights)
            configure(model, last).save(path)
        return True
