"""How classes weigh, against scikit-learn, and what is said of it."""

import dataclasses

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from test_mistakes import images
from vgglab.datasets import in_words, under_conditions
from vgglab.datasets.class_weights import class_weights
from vgglab.engine.objective import objective_of
from vgglab.errors import InputError
from vgglab.experiment import Experiment, brakes, cautions, what_changed, without_effect
from vgglab.share.link import code_of, experiment_of

BALANCED = Experiment(class_weight="balanced", image_size=32)


@pytest.mark.parametrize("counts", [[1, 1], [1, 999], [30, 7, 7, 1], [2] * 50, list(range(1, 80))])
def test_the_weights_are_those_of_scikit_learn(counts):
    labels = np.repeat(np.arange(len(counts)), counts)
    found = class_weights(np.random.default_rng(0).permutation(labels), len(counts))
    expected = compute_class_weight("balanced", classes=np.arange(len(counts)), y=labels)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.dtype == np.float32 and found[labels].mean() == pytest.approx(1)


def test_a_class_without_images_counts_for_nothing():
    """scikit-learn is asked for those that are there, and refuses the others."""
    labels = np.array([0, 0, 0, 3])
    expected = compute_class_weight("balanced", classes=np.array([0, 3]), y=labels)
    assert class_weights(labels, 5).tolist() == pytest.approx([expected[0], 1, 1, expected[1], 1])


def test_the_labels_that_are_trained_on_count_and_only_where_it_is_on():
    data = images([0] * 12 + [1] * 4, ("a", "b"), size=32)
    few = under_conditions(data, dataclasses.replace(BALANCED, images_a_class=6))
    assert objective_of(BALANCED, few)["class_weight"].tolist() == pytest.approx([10 / 12, 10 / 8])
    noisy = under_conditions(data, dataclasses.replace(BALANCED, label_noise=0.9, seed=1))
    assert objective_of(BALANCED, noisy)["class_weight"].tolist() == pytest.approx(
        compute_class_weight("balanced", classes=np.arange(2), y=noisy.train.labels), rel=1e-6
    )
    assert objective_of(Experiment(), data)["class_weight"].tolist() == [1, 1]


def test_what_it_does_is_said_before_the_run():
    data = images([0] * 12 + [1] * 4 + [2] * 6, ("a", "b", "c"), size=32)
    assert in_words(data, data, BALANCED) == [
        "Class weights: an image counts 1.83 times for 'b' (4 training images), and 0.611 times for 'a' "
        "(12 training images)."
    ]
    assert in_words(data, data, Experiment()) == []
    later = Experiment().then(class_weight="balanced")
    assert len(in_words(data, data, later)) == 1
    equal = images([0, 0, 1, 1], ("a", "b"), size=32)
    assert in_words(equal, equal, BALANCED) == [
        "All classes have the same number of training images, 2, so class weights change nothing."
    ]
    lost = images([0, 0, 2], ("a", "b", "c"), size=32)
    assert in_words(lost, lost, BALANCED)[1] == (
        "No training image is labelled 'b', so no class weight makes the network learn it."
    )


def test_the_records_of_both_fields():
    assert "class_weight" not in brakes(BALANCED) + brakes(BALANCED, on=False)
    assert what_changed(Experiment(), BALANCED) == ["image size 32", "class weight on"]
    assert what_changed(BALANCED, Experiment(image_size=32)) == ["class weight off"]
    waits = Experiment(patience=3, monitor="macro F1")
    assert what_changed(Experiment(patience=3), waits) == ["monitor macro F1"]
    assert without_effect(waits) == [] == without_effect(Experiment(patience=3))
    assert cautions(Experiment(monitor="accuracy")) == [
        "Monitor has no effect: without patience the weights of the last epoch are kept."
    ]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (dict(class_weight="balanced"), "class_weight=balanced"),
        (dict(patience=3, monitor="macro F1"), "patience=3&monitor=macro%20F1"),
        (dict(patience=3, monitor="balanced accuracy"), "patience=3&monitor=balanced%20accuracy"),
    ],
)
def test_a_link_has_them_and_one_of_before_is_read(fields, code):
    assert code_of(Experiment(**fields)) == code and experiment_of(code) == Experiment(**fields)
    older = {
        name: value
        for name, value in Experiment().to_dict().items()
        if name not in ("class_weight", "monitor")
    }
    assert Experiment.from_dict(older) == Experiment()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (dict(class_weight="balance"), "Unknown class weight. Received: 'balance'. Did you mean 'balanced'?"),
        (dict(class_weight=None), "Unknown class weight. Received: None. It must be one of: none, balanced."),
        (dict(class_weight=True), "Unknown class weight. Received: True."),
        (dict(class_weight={0: 1.0}), "Unknown class weight."),
        (dict(class_weight=""), "Unknown class weight. Received: ''."),
        (dict(class_weight="Balanced"), "Did you mean 'balanced'?"),
        (dict(monitor="val_loss"), "Unknown monitor. Received: 'val_loss'. Did you mean 'loss'?"),
        (dict(monitor="macro f1"), "Did you mean 'macro F1'?"),
        (dict(monitor="balanced_accuracy"), "Did you mean 'balanced accuracy'?"),
        (dict(monitor=None), "Unknown monitor. Received: None."),
        (dict(monitor=["loss"]), "Unknown monitor. Received: ['loss']."),
        (dict(monitor="auc"), "Unknown monitor. Received: 'auc'."),
        (dict(class_weights="balanced"), "Unknown field of an experiment"),
    ],
)
def test_what_neither_can_be(fields, sentence):
    with pytest.raises(InputError) as error:
        Experiment(**fields)
    assert sentence in str(error.value)
