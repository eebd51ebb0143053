"""What lesson 02 must come out as, and answers that its exercises must reject."""

from vgglab.experiment import Experiment
from vgglab.history import History

RESULTS = """
# The best of all epochs: without normalisation an epoch may end in a dip, of which training recovers.
assert plain.frame()["train_accuracy"].max() >= 0.99 and plain.kept["validation_accuracy"] < 0.70
assert rise > 0.3, "the validation loss rises again"
assert shuffled.frame()["train_accuracy"].max() > 0.95 and shuffled.kept["validation_accuracy"] < 0.25
assert narrow.kept["train_accuracy"] > 0.9 and slender > wide / 2, "a narrow network learns by heart, too"
assert gaps[len(few.train)] > gaps[len(more.train)] + 0.04
assert runs[len(few.train)].kept["validation_accuracy"] > plain.kept["validation_accuracy"] + 0.1
"""
_ROW = dict(epoch=1, train_accuracy=1.0, validation_accuracy=0.5, gap=0.5, logged_accuracy=0.9)
_HISTORY = dict(history=History(Experiment(), dict(train=160, validation=400), epochs=[_ROW]))
RIGHT = [("02.1", 50, _HISTORY), ("02.2", 2.5, _HISTORY)]
WRONG = [
    ("02.1", 0.5, _HISTORY),  # a fraction
    ("02.1", -50, _HISTORY),  # the other way round
    ("02.1", 40, _HISTORY),  # with the logged accuracy
    ("02.1", "wide", _HISTORY),
    ("02.2", 0.025, _HISTORY),
    ("02.2", 3.95, _HISTORY),  # of the training images
    ("02.3", 5, {}),
    ("02.3", 50, {}),
    ("02.3", "20", {}),
]
