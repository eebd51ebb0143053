"""What lesson 00 must come out as, and answers that its exercises must reject."""

from vgglab.experiment import Experiment
from vgglab.history import History

RESULTS = """
assert scratch.kept["train_accuracy"] >= 0.9 and scratch.kept["validation_accuracy"] < 0.70
assert tuned.kept["validation_accuracy"] > scratch.kept["validation_accuracy"] + 0.1
assert most == "validation_accuracy"
"""
_HISTORY = dict(
    history=History(
        Experiment(), dict(train=160, validation=400), epochs=[dict(epoch=1, validation_accuracy=0.75)]
    )
)
RIGHT = [("00.1", 12.5, {}), ("00.2", 100, _HISTORY)]
WRONG = [
    ("00.1", 0.125, {}),  # a fraction
    ("00.1", 8, {}),  # the number of species
    ("00.1", 50, {}),  # right or wrong
    ("00.1", "one in eight", {}),
    ("00.2", 300, _HISTORY),  # the right ones
    ("00.2", 0.25, _HISTORY),  # the share
    ("00.2", 25, _HISTORY),  # in percent
    ("00.2", 40, _HISTORY),  # of the training images
    ("00.2", None, _HISTORY),
]
