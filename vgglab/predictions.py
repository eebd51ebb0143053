"""What a network says of the validation images: all that is needed to look at its mistakes, or to compare two runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_WRITTEN = 1_500_000  # probabilities that a record takes, all in one line


@dataclass(frozen=True, eq=False)
class Predictions:
    """Of the weights of one `epoch`, for the validation images in their order.

    `labels` (n,) are the true classes, `probabilities` (n, classes) in float32 what the network says; `images` is
    `Split.fingerprint` of the validation part, so that it can be told whether two runs saw the same.
    """

    epoch: int
    labels: np.ndarray
    probabilities: np.ndarray
    images: str

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Predictions)
            and (self.epoch, self.images) == (other.epoch, other.images)
            and np.array_equal(self.labels, other.labels)
            and np.array_equal(self.probabilities, other.probabilities)
        )

    def to_row(self) -> dict[str, Any]:
        """Plain values for a record, which read back to the same float32; a probability takes about 13 characters."""
        shortest = self.probabilities.astype(str).astype(float)  # not the 17 digits of a float64
        return dict(
            epoch=self.epoch, images=self.images, labels=self.labels.tolist(), probabilities=shortest.tolist()
        )

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The same as arrays, for a checkpoint."""
        return {name: np.asarray(value) for name, value in vars(self).items()}

    @classmethod
    def of(cls, parts: Mapping[str, Any]) -> Predictions:
        """What `to_row` or `to_arrays` returned."""
        return cls(
            epoch=int(parts["epoch"]),
            labels=np.asarray(parts["labels"], dtype=np.int64),
            probabilities=np.asarray(parts["probabilities"], dtype=np.float32),
            images=str(parts["images"]),
        )

    @property
    def predicted(self) -> np.ndarray:
        """The likeliest class of each image, (n,)."""
        return self.probabilities.argmax(axis=1)

    @property
    def right(self) -> np.ndarray:
        """Whether the likeliest class is the true one, (n,)."""
        return self.predicted == self.labels
