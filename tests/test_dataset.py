"""A Dataset made by hand is checked when it is made, not by TensorFlow in the middle of a run."""

import dataclasses
import hashlib

import numpy as np
import pytest

from vgglab.datasets import Dataset, Split, load
from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.measures.learning_rate import find_learning_rate
from vgglab.training import train


def images(count=6, size=32, channels=3, dtype=np.uint8):
    return np.zeros((count, size, size, channels), dtype)


LABELS = np.arange(6) % 2


@pytest.mark.parametrize(
    ("split", "sentence"),
    [
        (
            Split(images(), np.eye(2)[LABELS]),
            "Received: float64, shape (6, 2). One-hot rows become such labels by",
        ),
        (Split(images(), LABELS + 1), "0 for the first class to 1. Received: 1 to 2."),
        (Split(images(), LABELS - 1), "Received: -1 to 0."),
        (Split(images(), LABELS.astype(float)), "must be whole numbers, one for each of the 6 images"),
        (Split(images(), np.array(["a", "b"] * 3)), "Received: <U1, shape (6,)."),
        (Split(images(), LABELS[:5]), "Received: int64, shape (5,)."),
        (Split(images(), LABELS.tolist()), "Received: [0, 1, 0, 1, 0, 1]."),
        (Split(images(), LABELS, LABELS[:3]), "The truth of the {part} part must be whole numbers"),
        (Split(images(channels=1), LABELS), "must be square 0-255 RGB, an array of uint8"),
        (Split(images(channels=4), LABELS), "Received: uint8, shape (6, 32, 32, 4)."),
        (Split(images()[..., 0], LABELS), "Received: uint8, shape (6, 32, 32)."),
        (Split(images()[:, :20], LABELS), "Received: uint8, shape (6, 20, 32, 3)."),
        (Split(images(dtype=np.float32), LABELS), "Received: float32, shape (6, 32, 32, 3)."),
        (Split([[1]], LABELS), "Received: [[1]]."),
        ((images(), LABELS), "The {part} part must be a Split(images, labels)."),
        (None, "The {part} part must be a Split(images, labels). Received: None."),
        (Split(images(0), LABELS[:0]), "The {part} part must hold at least one image. Received: none."),
        (Split(images(size=48), LABELS), "All images must have one size, in pixels a side. Received: train"),
    ],
)
@pytest.mark.parametrize("part", ["train", "validation"])
def test_parts_that_cannot_be_used_are_one_sentence(part, split, sentence):
    parts = dict(train=Split(images(), LABELS), validation=Split(images(), LABELS)) | {part: split}
    with pytest.raises(InputError) as caught:
        Dataset("made", ("a", "b"), **parts)
    assert sentence.format(part=part) in str(caught.value)
    assert len(str(caught.value)) < 600 and "\n" not in str(caught.value)


@pytest.mark.parametrize("names", ["ab", ("a",), ("a", "a"), ("a", 2), None])
def test_names_that_cannot_be_used(tiny, names):
    with pytest.raises(InputError, match="`class_names` must be two or more different names. Received: "):
        dataclasses.replace(tiny, class_names=names)


def test_what_can_be_used_is(tiny):
    part = Split(images(), LABELS.astype(np.uint8))
    data = Dataset("made", ["a", "b"], part, part, Split(images(0), LABELS[:0]))
    assert data.class_names == ("a", "b") and len(data.describe()["fingerprint"]) == 16
    odd = dataclasses.replace(tiny, class_names=("\udcff", "\ud800"))
    assert len(odd.fingerprint) == 16 != odd.fingerprint != tiny.fingerprint


@pytest.mark.parametrize("call", [train, find_learning_rate])
def test_what_is_no_data_set_is_said_in_one_sentence(call):
    with pytest.raises(
        InputError, match="`data` must be a Dataset, such as `load` returns. Received: 'blossoms'."
    ):
        call(Experiment(image_size=32), "blossoms")


def test_what_is_no_experiment_is_said_in_one_sentence(tiny):
    with pytest.raises(InputError, match="`experiment` must be an Experiment. Received: Dataset.name='tiny'"):
        train(tiny, Experiment(image_size=32))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (dict(image_size=64.0), "`image_size` must be a whole number, 32 to 512. Received: 64.0."),
        (dict(image_size="64"), "Received: '64'."),
        (dict(image_size=None), "Received: None."),
        (dict(image_size=-1), "`image_size` must be 32 to 512. Received: -1."),
        (dict(image_size=0), "Received: 0."),
        (dict(image_size=10**6), "Received: 1000000."),
        (dict(seed=-1), "`seed` must be 0 to "),
        (dict(seed="x"), "`seed` must be"),
        (dict(dataset=""), "`dataset` must be a name or a path. Received: ''."),
        (dict(dataset=None), "`dataset` must be a name or a path. Received: None."),
        (dict(dataset=b"x"), "`dataset` must be a name or a path."),
    ],
)
def test_what_load_cannot_take_is_one_sentence(given, sentence):
    with pytest.raises(InputError) as caught:
        load(**given)
    assert sentence in str(caught.value)


def test_fingerprints_are_of_pixels_and_labels_alone(tiny):
    """By hand, as hashes in records were made; how an array lies in memory and the type of labels are nothing."""
    split = tiny.validation
    parts = [b"(10, 32, 32, 3)", split.images.tobytes(), split.labels.astype("<i8").tobytes()]
    assert split.fingerprint == hashlib.sha256(b"".join(parts)).hexdigest()[:16]
    train = [b"(24, 32, 32, 3)", tiny.train.images.tobytes(), tiny.train.labels.astype("<i8").tobytes()]
    assert tiny.fingerprint == hashlib.sha256(b"".join([b"dark\nlight", *train, *parts])).hexdigest()[:16]
    same = Split(np.asfortranarray(split.images), split.labels.astype(np.uint8))
    assert same.fingerprint == split.fingerprint
    for images, labels in (
        (split.images[::-1], split.labels[::-1]),
        (split.images, 1 - split.labels),
        (split.images ^ (np.arange(10)[:, None, None, None] == 9), split.labels),
    ):
        assert Split(images, labels).fingerprint != split.fingerprint
