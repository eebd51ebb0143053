"""What is made of a network's probabilities, against sums by hand."""

import math

import numpy as np
import pytest

from vgglab.datasets import Split
from vgglab.measures import evaluation
from vgglab.measures.evaluation import judged, known_by_heart

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.0, 0.1, 0.9]], np.float32)


def split(labels, truth=None):
    images = np.zeros((len(labels), 1, 1, 3), np.uint8)
    return Split(images, np.array(labels), None if truth is None else np.array(truth))


@pytest.mark.parametrize(
    ("labels", "truth", "share"),
    [
        ([0, 1, 2, 2], [1, 1, 2, 0], 1.0),  # both wrong labels are said
        ([0, 1, 0, 2], [1, 1, 2, 0], 2 / 3),  # three are wrong; of the third the network says the truth
        ([1, 0, 2, 2], [0, 1, 2, 2], 0.0),  # what is right is known, which does not count
    ],
)
def test_the_share_of_wrong_labels_that_are_said(labels, truth, share):
    assert known_by_heart(PROBABILITIES, split(labels, truth)) == pytest.approx(share)


@pytest.mark.parametrize("truth", [None, [0, 1, 2, 2]])
def test_where_no_label_is_wrong_none_can_be_known(truth):
    assert known_by_heart(PROBABILITIES, split([0, 1, 2, 2], truth)) is None


def test_a_confusion_that_no_record_has_room_for_is_left_out(monkeypatch):
    monkeypatch.setattr(evaluation, "MOST_WRITTEN", 8)
    found = judged(PROBABILITIES, np.array([0, 1, 0, 2]))
    assert set(found) == {"accuracy", "loss", "calibration_error", "images"}


def test_what_is_kept_of_a_test_part_by_hand():
    found = judged(PROBABILITIES, np.array([0, 1, 0, 2]))
    # Of class 0 one of two is right, the others all; 0 is given once, 1 once, and 2 twice.
    assert found.pop("confusion") == [[1, 0, 1], [0, 1, 0], [0, 0, 1]]
    assert found["balanced_accuracy"] == pytest.approx((1 / 2 + 1 + 1) / 3)
    assert found["macro_f1"] == pytest.approx((2 / 3 + 1 + 2 / 3) / 3)
    assert len(found.pop("auc")) == 3 and len(found.pop("auc_interval")) == 2
    assert set(found) == {"accuracy", "loss", "calibration_error", "images", "balanced_accuracy", "macro_f1"}
    assert found["accuracy"] == 0.75 and found["images"] == 4
    assert found["loss"] == pytest.approx(-sum(map(math.log, (0.7, 0.8, 0.3, 0.9))) / 4, rel=1e-5)
    # Confidences 0.7, 0.8 and 0.9 are right and 0.4 is wrong, each in a bin of its own.
    assert found["calibration_error"] == pytest.approx((0.3 + 0.2 + 0.1 + 0.4) / 4, abs=1e-6)
    assert all(type(value) in (int, float) for value in found.values()), "plain values, for JSON"
