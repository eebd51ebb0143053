"""What lesson 09 must come out as, and answers that its exercises must reject."""

from vgglab.experiment import Experiment
from vgglab.history import History

RESULTS = """
assert second.kept["validation_accuracy"] > first.kept["validation_accuracy"] + 0.03
assert second.kept["gap"] < first.kept["gap"]
assert len(dashboard.runs.histories) == 3, "with the solution's run"
"""


def _history(train, validation, images="given", **fields):
    row = dict(epoch=1, train_accuracy=train, validation_accuracy=validation, gap=train - validation)
    return History(Experiment(**fields), dict(validation=400, fingerprint=images), epochs=[row])


_GIVEN = dict(first=_history(1.0, 0.8), second=_history(1.0, 0.9, augment=("flip",)))
RIGHT = [
    ("09.1", _history(0.98, 0.9, l2=0.1), _GIVEN),
    ("09.2", Experiment(unfreeze=0, epochs=10).then(unfreeze=3, learning_rate=1e-4, epochs=20), {}),
]
WRONG = [
    ("09.1", _history(1.0, 0.95, augment=("flip",)), _GIVEN),  # run already
    ("09.1", _history(1.0, 0.81, l2=0.1), _GIVEN),  # within chance
    ("09.1", _history(1.0, 0.95, augment=("flip",), seed=1), _GIVEN),  # the same with another seed
    ("09.1", _history(0.98, 0.95, images="others", l2=0.1), _GIVEN),
    ("09.1", 0.95, _GIVEN),
    ("09.2", Experiment(unfreeze=3, learning_rate=1e-4, epochs=30), {}),
    ("09.2", Experiment(unfreeze=0, epochs=10).then(unfreeze=3, epochs=20), {}),
    ("09.2", Experiment(unfreeze=0, epochs=10).then(unfreeze=3, learning_rate=1e-4, epochs=30), {}),
    ("09.2", Experiment(unfreeze=0, epochs=10, l2=0.1).then(unfreeze=3, learning_rate=1e-4, epochs=20), {}),
]
