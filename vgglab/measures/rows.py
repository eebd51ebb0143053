"""What is measured after every epoch of a run: the columns of its row that describe the network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vgglab.engine.control import Control
from vgglab.engine.feed import Feed
from vgglab.engine.step import Compiled, blocks, outputs
from vgglab.experiment import CONV_LAYERS
from vgglab.history import DRIFT, Row
from vgglab.measures.class_counts import counted
from vgglab.measures.evaluation import class_scores, known_by_heart, score
from vgglab.measures.forgetting import drift, source_accuracy


class Measuring:
    """Measures the network of one run on what a `Feed` holds to be evaluated.

    `before` are the pooled features (images, channels) of the clean slice by block, as they were before the block moved
    for the first time.
    """

    def __init__(self, compiled: Compiled, control: Control) -> None:
        self.compiled, self.control = compiled, control
        self.before: dict[int, np.ndarray] = {}

    def remember(self, fed: Feed) -> None:
        """Keep the features of the blocks that move from now on and never did before."""
        new = [block for block in blocks(fed.below) if block not in self.before]
        if new:
            _, pooled = outputs(self.compiled.predict(fed.below), fed.evaluated["clean"], self.control)
            now = dict(zip(blocks(fed.below), pooled))
            self.before |= {block: now[block] for block in new}

    def measure(self, fed: Feed, last: Row | None) -> tuple[Row, np.ndarray]:
        """Accuracies, losses, drift and what was memorised; and what is said of the validation images, (n, classes).

        `last` is the row of the epoch before, None without one.
        """
        predict = self.compiled.predict(fed.below)
        clean, validation = fed.evaluated["clean"], fed.evaluated["validation"]
        probabilities, pooled = outputs(predict, clean, self.control)
        train_accuracy, train_loss = score(probabilities, clean.labels)
        memorised = known_by_heart(probabilities, clean)
        probabilities, _ = outputs(predict, validation, self.control)
        validation_accuracy, validation_loss = score(probabilities, validation.labels)
        counts = counted(validation.labels, probabilities.argmax(axis=1), probabilities.shape[1])
        row = dict(
            train_accuracy=train_accuracy,
            validation_accuracy=validation_accuracy,
            gap=train_accuracy - validation_accuracy,
            train_loss=train_loss,
            validation_loss=validation_loss,
            source_accuracy=self._source_accuracy(predict, fed),
            memorised=memorised,
            **{f"validation_{name}": figure for name, figure in class_scores(counts).items()},
            **self._drift(dict(zip(blocks(fed.below), pooled)), last),
        )
        return row, probabilities

    def _source_accuracy(self, predict: Callable, fed: Feed) -> float | None:
        source = fed.evaluated.get("source")
        if source is None:
            return None
        if fed.below == CONV_LAYERS:  # nothing to run: what is fed in are the features
            return source_accuracy(np.asarray(source.images), source.labels)
        _, pooled = outputs(predict, source, self.control)
        return source_accuracy(pooled[-1], source.labels)

    def _drift(self, pooled: dict[int, np.ndarray], last: Row | None) -> dict[str, float]:
        """How far each block has drifted in this run; those below the fed-in features did not move now."""
        now = {name: last[name] if last else 0.0 for name in DRIFT}
        return now | {DRIFT[block - 1]: drift(self.before[block], after) for block, after in pooled.items()}
