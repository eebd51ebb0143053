"""The network as a picture and a control: which layers learn, how many weights they have, how far they moved."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from vgglab.architecture import BACKBONES, BLOCKS, dense_layers, layers_of, unfrozen
from vgglab.experiment import CONV_LAYERS, Experiment, built_from
from vgglab.history import DRIFT, History
from vgglab.panel.layers_svg import layers_svg
from vgglab.panel.styles import scripted, styled

_BLOCKS = tuple(f"block {block}" for block, (_, convs) in enumerate(BLOCKS, 1) for _ in range(convs))


class Layers(anywidget.AnyWidget):
    """The conv layers and the head as bars; to choose a layer has it and all above it learn.

    `choose` is called with the depth that a person chooses on the page, how many conv layers learn, counted from the
    top; whoever takes it up shows the experiment that follows. `unfreeze` is the depth that is shown, and what is
    shown chooses nothing. `layers` are the bars from the bottom up, `words` what each depth means, `summary` how the
    layers moved. `classes` is what the last layer has a unit for. May be shown from any thread.
    """

    _esm = scripted("layers.js")
    _css = styled("layers.css")

    unfreeze = traitlets.Int(0, min=0, max=CONV_LAYERS).tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)
    layers = traitlets.List(traitlets.Dict()).tag(sync=True)
    words = traitlets.List(traitlets.Unicode()).tag(sync=True)
    summary = traitlets.Unicode().tag(sync=True)

    def __init__(
        self, experiment: Experiment, classes: int, choose: Callable[[int], object] = lambda depth: None
    ) -> None:
        self.classes, self._experiment, self._choose = classes, experiment, choose
        self._lock = threading.RLock()  # a run's thread shows how far it is while the page chooses
        super().__init__()
        self.on_msg(self._hear)
        self.show(experiment)

    def show(self, experiment: Experiment, history: History | None = None) -> None:
        """The network of an experiment, and how far its layers moved in the latest phase of a run of it.

        While a phase goes on, its layers have the drift of their block alone. A run of another network moved others.
        """
        with self._lock:
            self._experiment = experiment
            self.update(history)

    def update(self, history: History | None) -> None:
        """How far the layers moved in a run, of the network that is shown: what was chosen meanwhile stays."""
        with self._lock, self.hold_sync():
            experiment = self._experiment
            if history and not _of_the_same_network(history, experiment):
                history = None
            moved = _moved(history)
            self.layers = _bars(experiment, self.classes, moved, _drifted(history))
            self.words = [words_for(experiment.backbone, depth) for depth in range(CONV_LAYERS + 1)]
            self.summary = _summary(moved, history)
            self.unfreeze = experiment.unfreeze

    def _hear(self, _: object, said: dict[str, Any], buffers: object) -> None:
        """A person has chosen; the page shows it at once, and after our answer what is shown here."""
        depth = said.get("unfreeze")
        try:
            if not self.disabled and type(depth) is int and 0 <= depth <= CONV_LAYERS:
                self._choose(depth)
        finally:
            self.send(dict(heard=said.get("choice")))

    def static(self) -> str:
        """The same picture as an SVG that needs no widget."""
        return layers_svg(self.layers, self.unfreeze, f"{self.words[self.unfreeze]} {self.summary}".rstrip())


def _of_the_same_network(history: History, experiment: Experiment) -> bool:
    run = history.experiment
    return isinstance(run, Experiment) and built_from(run) == built_from(experiment)


def words_for(backbone: str, depth: int) -> str:
    """What learns at an unfreeze depth, in a sentence."""
    which = unfrozen(backbone, depth)
    if not depth:
        return f"{which[0].upper()}{which[1:]}."
    return f"{depth} conv {'layer learns' if depth == 1 else 'layers learn'}: {which}."


def _bars(
    experiment: Experiment, classes: int, moved: dict[str, float], drifted: dict[str, float]
) -> list[dict[str, Any]]:
    """The bars: heights, movements and drifts from 0 to 1, None where there is none, and what each says of itself."""
    widths = [filters // BACKBONES[experiment.backbone] for filters, convs in BLOCKS for _ in range(convs)]
    widths += [units for _, units in dense_layers(experiment.backbone, experiment.head, classes)]
    layers = layers_of(experiment.backbone, experiment.image_size, classes, experiment.head)
    groups = [*_BLOCKS, *["head"] * (len(layers) - CONV_LAYERS)]
    return [
        dict(
            name=layer.name,
            group=group,
            height=_height(width, widths[0]),
            moved=_part(moved.get(layer.name)),
            drift=_part(drifted.get(group)),
            says=_says(group, width, layer.parameters, moved.get(layer.name), drifted.get(group)),
        )
        for layer, group, width in zip(layers, groups, widths)
    ]


def _height(width: int, lowest: int) -> float:
    """A doubling of the width is a fifth of the height."""
    return round(min(max(0.4 + 0.2 * math.log2(width / lowest), 0.2), 1.0), 3)


def _part(change: float | None) -> float | None:
    """How long a change is drawn, 0 to 1: its square root, so that small ones are seen; 1 where it is no number."""
    if change is None:
        return None
    return round(math.sqrt(min(max(change, 0.0), 1.0)), 3) if math.isfinite(change) else 1.0


def _says(group: str, width: int, weights: int, moved: float | None, drift: float | None) -> str:
    units = "units" if group == "head" else "channels"
    said = [f"{width:,} {units}, {weights:,} weights."]
    if moved is not None:
        said.append(f"It moved by {_percent(moved)}.")
    if drift is not None:
        said.append(f"The features of {group} drifted by {drift:.2g}.")
    return " ".join(said)


def _percent(change: float) -> str:
    """A change as per cent of what it was before, with two digits that count."""
    return f"{float(f'{100 * change:.2g}'):g} %" if math.isfinite(change) else "more than any number"


def _moved(history: History | None) -> dict[str, float]:
    """By layer, how far it moved in the latest phase that ended; nothing before one did."""
    rows = history.layers if history else []
    latest = max((row["phase"] for row in rows), default=0)
    rows = [row for row in rows if row["phase"] == latest and row["moved"] is not None]
    return {row["layer"]: row["moved"] for row in rows}


def _drifted(history: History | None) -> dict[str, float]:
    """By block, how far its features have drifted since the run began."""
    row: dict[str, Any] = dict(history.epochs[-1]) if history and history.epochs else {}
    drifts = {f"block {block}": row.get(name) for block, name in enumerate(DRIFT, 1)}
    return {block: drift for block, drift in drifts.items() if drift is not None}


def _summary(moved: dict[str, float], history: History | None) -> str:
    if not history or not moved:
        return ""
    farthest = max(moved, key=lambda name: moved[name])
    if not moved[farthest]:
        return "No layer has moved."
    phase = max(row["phase"] for row in history.layers)
    where = f" in phase {phase}" if history.experiment.phases[1:] else ""
    return f"{farthest} moved farthest{where}, by {_percent(moved[farthest])} of its weights' size."
