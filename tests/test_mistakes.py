"""Which images are wrong and what is taken for what, against scikit-learn and by hand."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix

from test_history import make_history
from vgglab import confusion, mistakes
from vgglab.datasets import Dataset, Split
from vgglab.errors import InputError
from vgglab.measures.mistakes import confused
from vgglab.predictions import Predictions

NAMES = ("aster", "bell", "clover")
LABELS = np.array([0, 0, 1, 1, 2, 2])
# Right; surely wrong; wrong and unsure; right; wrong, as sure as the next; wrong.
SAID = [
    [0.7, 0.2, 0.1],
    [0.0, 0.95, 0.05],
    [0.3, 0.3, 0.4],
    [0.1, 0.6, 0.3],
    [0.8, 0.1, 0.1],
    [0.1, 0.8, 0.1],
]


def images(labels, names=NAMES, size=8, seed=0):
    """A data set whose validation part has these labels and random pixels."""
    rng = np.random.default_rng(seed)
    split = Split(rng.integers(0, 256, (len(labels), size, size, 3), dtype=np.uint8), np.asarray(labels))
    return Dataset("drawn", tuple(names), split, split)


def predicted(data, probabilities=SAID, epoch=3, **fields):
    """A history whose kept weights say this of the validation images of `data`."""
    history = make_history(**fields)
    history.data = data.describe()
    said, split = np.array(probabilities, np.float32), data.validation
    history.predictions = Predictions(epoch, split.labels, said, split.fingerprint)
    return history


@pytest.fixture
def data():
    return images(LABELS)


@pytest.fixture
def history(data):
    return predicted(data)


def test_the_surest_mistakes_come_first_and_those_that_are_right_never(history, data):
    table = mistakes(history, data)
    expected = pd.DataFrame(
        [
            (1, "aster", "bell", 0.95, 0.0),
            (4, "clover", "aster", 0.8, 0.1),
            (5, "clover", "bell", 0.8, 0.1),
            (2, "bell", "clover", 0.4, 0.3),
        ],
        columns=["image", "true", "given", "probability", "probability_of_true"],
    )
    pd.testing.assert_frame_equal(table, expected, check_dtype=False, rtol=1e-6)
    assert mistakes(history, data, most=2)["image"].tolist() == [1, 4]


def test_without_the_data_the_names_are_those_of_the_record_or_numbers(history, data):
    pd.testing.assert_frame_equal(mistakes(history), mistakes(history, data))
    pd.testing.assert_frame_equal(confusion(history), confusion(history, data))
    history.data = {}
    assert mistakes(history)["given"].tolist() == [1, 0, 1, 2]
    assert confusion(history).index.tolist() == confusion(history).columns.tolist() == [0, 1, 2]


def test_who_makes_no_mistake_has_an_empty_table_with_the_same_columns(data):
    right = predicted(data, np.eye(3)[LABELS])
    assert mistakes(right).empty and list(mistakes(right)) == list(mistakes(predicted(data)))
    assert np.array_equal(confusion(right), 2 * np.eye(3)) and confused(confusion(right)) == []


@pytest.mark.parametrize("classes", [2, 5, 40])
def test_confusion_is_that_of_scikit_learn(classes):
    """One class never occurs, and one is never given."""
    rng = np.random.default_rng(classes)
    labels = rng.integers(1, classes, 300)
    said = rng.dirichlet(np.ones(classes), 300)
    said[:, -1] = 0
    history = predicted(images(labels, [f"class {number}" for number in range(classes)]), said)
    table = confusion(history)
    assert np.array_equal(table, confusion_matrix(labels, said.argmax(axis=1), labels=range(classes)))
    assert (table.index.name, table.columns.name, table.to_numpy().sum()) == ("true", "given", 300)
    counts = [table.iloc[place] for place in confused(table, most=4)]
    wrong = np.sort(table.to_numpy()[~np.eye(classes, dtype=bool)])[::-1]
    assert counts == [count for count in wrong[:4] if count]


def test_the_most_frequent_mistakes_by_hand():
    table = pd.DataFrame([[9, 1, 0], [3, 9, 0], [2, 0, 9]])
    assert confused(table) == [(1, 0), (2, 0), (0, 1)]


@pytest.mark.parametrize(
    "others",
    [
        images(LABELS, seed=1),
        images(LABELS[::-1]),
        images(LABELS, size=16),
        images(LABELS[:4]),
        images(LABELS, (*NAMES, "dill")),
    ],
    ids=["pixels", "labels", "size", "number", "classes"],
)
@pytest.mark.parametrize("function", [mistakes, confusion])
def test_other_images_than_those_of_the_run_are_refused(function, others, history):
    with pytest.raises(
        InputError, match="`data` must be what the run was validated on: 6 images of 3 classes"
    ):
        function(history, others)


def test_other_training_images_are_no_reason(history, data):
    fewer = dataclasses.replace(data, train=data.train.part(np.arange(3)))
    assert mistakes(history, fewer)["image"].tolist() == [1, 4, 5, 2]


@pytest.mark.parametrize("function", [mistakes, confusion])
def test_a_run_without_predictions_says_so(function):
    with pytest.raises(InputError, match="This run has no predictions on the validation images"):
        function(make_history())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (dict(history="run-1"), "`history` must be a History, such as `train` returns. Received: 'run-1'"),
        (dict(data="flowers"), "`data` must be a Dataset, such as `load` returns. Received: 'flowers'"),
        (dict(most=0), "`most` must be a whole number from 1 on. Received: 0"),
        (dict(most=2.5), "`most` must be a whole number from 1 on. Received: 2.5"),
    ],
)
def test_what_is_no_history_no_data_or_no_number(arguments, sentence, history):
    with pytest.raises(InputError, match=sentence):
        mistakes(**{"history": history, **arguments})
