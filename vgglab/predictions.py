"""What a network says of the validation images: all that is needed to look at its mistakes, or to compare two runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Predictions:
    """Of the weights of one `epoch`, for the validation images in their order.

    `labels` (n,) are the true classes, `probabilities` (n, classes) in float32 what the network says; `images` is a
    fingerprint of the images' pixels, so that it can be told whether two runs saw the same.
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

    @property
    def predicted(self) -> np.ndarray:
        """The likeliest class of each image, (n,)."""
        return self.probabilities.argmax(axis=1)

    @property
    def right(self) -> np.ndarray:
        """Whether the likeliest class is the true one, (n,)."""
        return self.predicted == self.labels
