"""What lesson 03 must come out as, and answers that its exercises must reject."""

import numpy as np

from vgglab.experiment import Experiment
from vgglab.history import History

RESULTS = """
import numpy as np

assert learns == 512 * 128 + 128 + 128 * 8 + 8, "the head learns, and nothing else"
assert np.isclose(float(model.losses[0]), 0.001 * np.sum(kernel**2), rtol=1e-4)
assert 0.01 < 1 - norm["L2 of 0.001"] / norm["plain"] < 0.15, "L2 shrinks the weights, a little"
assert norm["L2 of 0.01"] < 0.99 * norm["L2 of 0.001"]
assert by_recipe.kept["validation_accuracy"] > 0.8
assert end["memorised"] > 0.95 and min(gained.values()) > 5, "each brake visibly holds the wrong labels back"
assert all(run.kept["memorised"] < 0.95 for name, run in wrong.items() if name != "plain")
assert all(history.kept["train_accuracy"] > 0.95 for history in tuned.values())
change_by_l2 = tuned["L2 of 0.001"].kept["validation_accuracy"] - tuned["plain"].kept["validation_accuracy"]
assert abs(change_by_l2) < 0.05, "next to nothing"
assert len(validation_loss) - lowest < 10, "early stopping finds nothing to do"
assert unbraked.kept["train_accuracy"] > 0.95 and len(stopped.epochs) < 40
assert stopped.kept["validation_loss"] < unbraked.frame()["validation_loss"].tail(20).median() - 0.4
assert after["validation_accuracy"] < before["validation_accuracy"] + 0.03, "a lower loss, no higher accuracy"
"""


def _run(gap: float, validation: float, images: str = "given", **fields) -> History:
    row = dict(epoch=1, gap=gap, validation_accuracy=validation, train_accuracy=gap + validation)
    return History(Experiment(unfreeze=0, epochs=40, **fields), dict(fingerprint=images), epochs=[row])


_KERNEL = dict(kernel=np.array([[3.0, -4.0], [0.0, 12.0]]), l2=0.01)
_LOSSES = dict(losses=[1.9, 1.4, 1.1, 1.2, 1.1, 1.3, 0.9, 0.8], patience=3)
_WITHOUT = dict(without=_run(0.22, 0.78))
RIGHT = [
    ("03.1", 1.69, _KERNEL),
    ("03.2", (12, 3), {}),
    ("03.3", (6, 3), _LOSSES),
    ("03.4", _run(0.03, 0.32, dropout=0.95), _WITHOUT),
]
WRONG = [
    ("03.1", 169, _KERNEL),  # without λ
    ("03.1", 0.13, _KERNEL),  # the norm
    ("03.1", 0.19, _KERNEL),  # L1
    ("03.1", 0.845, _KERNEL),  # with a half in front
    ("03.1", "1.69 nats", _KERNEL),
    ("03.2", (3, 0.75), {}),  # rescaled in inference
    ("03.2", (4, 3), {}),  # divided by the share that is dropped
    ("03.2", (3, 3), {}),
    ("03.2", 12, {}),
    ("03.3", (8, 8), _LOSSES),  # runs to the end
    ("03.3", (6, 6), _LOSSES),  # keeps the last
    ("03.3", (8, 5), _LOSSES),  # counts an equal loss as an improvement
    ("03.3", (5, 2), _LOSSES),  # counts from 0
    ("03.3", (3, 6), _LOSSES),
    ("03.3", 6, _LOSSES),
    ("03.4", _run(0.22, 0.78), _WITHOUT),  # the same again
    ("03.4", _run(0.10, 0.80, l2=0.1), _WITHOUT),  # a success
    ("03.4", _run(0.35, 0.60, dropout=0.9), _WITHOUT),  # a larger gap
    ("03.4", _run(0.03, 0.32, learning_rate=1e-5), _WITHOUT),  # something else
    ("03.4", _run(0.03, 0.32, images="others", dropout=0.95), _WITHOUT),
    ("03.4", 0.95, _WITHOUT),
]
