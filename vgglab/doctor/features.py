"""What the frozen base makes of each image: its pooled features, from the cache that training uses as well."""

from __future__ import annotations

import numpy as np

from vgglab.doctor.pictures import Pictures
from vgglab.engine.cache import CACHE
from vgglab.engine.control import Control
from vgglab.engine.feed import as_features
from vgglab.engine.lending import borrowed
from vgglab.engine.step import outputs
from vgglab.experiment import Experiment


def pooled_features(pictures: Pictures, experiment: Experiment | None = None) -> np.ndarray:
    """Pooled features of the last block, (n, width) in float32, of the backbone and weights of an experiment."""
    given = experiment or Experiment()
    data = pictures.data
    base = Experiment(
        image_size=data.image_size,
        backbone=given.backbone,
        weights=given.weights,
        precision=given.precision,
        unfreeze=0,
    )
    control, found = Control(), []
    with borrowed(base, len(data.class_names)) as network:
        for split in pictures.splits.values():
            below, kept = as_features(network, base, split, CACHE, control)
            # Where the cache has no room for them they are made here.
            features = kept.images if below else outputs(network.predict(0), split, control)[1][-1]
            found.append(np.asarray(features, np.float32))
    return np.concatenate(found)
