"""What lesson 06 must come out as, and answers that its exercises must reject."""

import numpy as np

RESULTS = """
assert np.abs(mixed - by_hand).max() < 0.01, "the module mixes as the formula says"
assert alone[0.2] > 0.5 > alone[1.0] > alone[4.0]
assert np.isclose(labels.numpy().sum(axis=1), 1).all() and (labels.numpy().max(axis=1) < 1).any()
assert cutmix.kept["train_accuracy"] > cutmix.kept["logged_accuracy"] + 0.1, "the logged accuracy is too low"
assert seeming < 100 * cutmix.kept["gap"] - 10
assert all(run.kept["train_accuracy"] > 0.9 for run in runs.values())
assert mine["MixUp"] < mine["plain"] + 0.03, "no gain on few images"
assert sure.kept["train_accuracy"] > 0.95 and gained > 0, "MixUp helps where it has time"
assert tuned_error["plain"] < 0.1, "nearly honest already"
assert scratch_error["MixUp"] < scratch_error["plain"] - 0.05, "less sure, more honest"
"""

_PAIR = dict(
    images=(np.array([[0, 100], [200, 50]]), np.array([[100, 100], [0, 250]])),
    labels=(np.array([1, 0, 0]), np.array([0, 0, 1])),
    share=0.3,
)
_BOX = dict(box=(44, 10, 84, 50), size=64)
_COIN = dict(alpha=1.0, sure_from=0.7)
_TABLE = dict(confidence=np.array([0.95, 0.93, 0.97, 0.91, 0.65, 0.62]), right=np.array([1, 1, 0, 1, 1, 1]))
_BLEND, _LABEL = [[70, 100], [60, 190]], [0.3, 0, 0.7]
RIGHT = [
    ("06.1", (_BLEND, _LABEL), _PAIR),
    ("06.2", 1 - 800 / 4096, _BOX),
    ("06.3", 0.8, _COIN),
    ("06.4", 1.49 / 6, _TABLE),
]
WRONG = [
    ("06.1", ([[30, 100], [140, 110]], [0.7, 0, 0.3]), _PAIR),  # the other way round
    ("06.1", (_BLEND, [0, 0, 1]), _PAIR),  # a hard label
    ("06.1", (_BLEND, [0.7, 0, 0.3]), _PAIR),
    ("06.1", ([[50, 100], [100, 150]], [0.5, 0, 0.5]), _PAIR),  # the plain mean
    ("06.1", _BLEND, _PAIR),  # no label
    ("06.1", 0.3, _PAIR),
    ("06.2", 800 / 4096, _BOX),  # the other image's share
    ("06.2", 1 - 1600 / 4096, _BOX),  # not cut off
    ("06.2", 800, _BOX),
    ("06.2", "most", _BOX),
    ("06.3", 1.0, _COIN),  # on clean images
    ("06.3", 0.6, _COIN),  # without the coin
    ("06.3", 0.65, _COIN),  # one end of λ only
    ("06.3", 80, _COIN),
    ("06.4", 0.005, _TABLE),  # over all images at once
    ("06.4", 0.2775, _TABLE),  # bins unweighted
    ("06.4", 0.3183, _TABLE),  # image by image
    ("06.4", 0.365, _TABLE),  # the worst bin
    ("06.4", None, _TABLE),
]
