"""A checkpoint: all that the next epoch of a run depends on, as named arrays.

The order of the images and their changes follow from seed, phase and epoch, and need no place in it. Left out are
layers that have not learned yet: they are where the run began.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

import keras
import numpy as np

from vgglab.datasets import Dataset
from vgglab.engine.cache import content_key

Arrays = dict[str, np.ndarray]


def under(prefix: str, arrays: Mapping[str, np.ndarray]) -> Arrays:
    """The arrays with a prefix before their names; `part` takes them out again."""
    return {f"{prefix}/{name}": array for name, array in arrays.items()}


def part(prefix: str, arrays: Mapping[str, np.ndarray]) -> Arrays:
    """Those whose names have the prefix, without it."""
    start = f"{prefix}/"
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}


def began_with(model: keras.Model, data: Dataset) -> str:
    """A hash of what a run begins with and its record does not tell apart: the weights, and the test part."""
    digest = hashlib.blake2b(digest_size=16)
    for weights in model.get_weights():
        digest.update(np.ascontiguousarray(weights).view(np.uint8).data)
    if data.test:
        digest.update(content_key(data.test.images, data.test.labels).encode())
    return digest.hexdigest()


def weights_of(model: keras.Model, layers: Collection[str]) -> Arrays:
    """Copies of the weights of these layers, by "layer/place"."""
    return {
        f"{name}/{place}": weights
        for name in sorted(layers)
        for place, weights in enumerate(model.get_layer(name).get_weights())
    }


def set_weights(model: keras.Model, arrays: Mapping[str, np.ndarray]) -> None:
    """Give a model the weights that `weights_of` returned."""
    found: dict[str, list[np.ndarray]] = {}
    for name in sorted(arrays):  # a layer has two, kernel and bias, so that the places sort as text
        found.setdefault(name.rpartition("/")[0], []).append(arrays[name])
    for layer, weights in found.items():
        model.get_layer(layer).set_weights(weights)


def learning(model: keras.Model) -> list[str]:
    """The names of the layers that learn, as the model is configured now."""
    return [layer.name for layer in model.layers if layer.trainable_variables]
