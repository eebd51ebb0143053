"""Which images are the nearest to each other in the network's own features."""

from __future__ import annotations

import numpy as np

from vgglab.doctor.sight import unique_pairs

ROWS_AT_A_TIME = 512


def nearest_by_features(features: np.ndarray, count: int) -> np.ndarray:
    """Pairs (m, 2) of images one of which is among the `count` nearest of the other, by the angle between features.

    `features` (n, width), each feature divided by its spread over all images.
    """
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / np.maximum(spread, 1e-6 + 1e-3 * spread.max())
    scaled /= np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), 1e-12)
    count, found = min(count, len(scaled) - 1), []
    for start in range(0, len(scaled), ROWS_AT_A_TIME):
        products = scaled[start : start + ROWS_AT_A_TIME] @ scaled.T
        rows = np.arange(len(products))
        products[rows, rows + start] = -np.inf
        near = np.argpartition(-products, count - 1, axis=1)[:, :count]
        found.append(np.stack([np.repeat(rows + start, count), near.ravel()], axis=1))
    return unique_pairs(found)
