import dataclasses
import json
import re

import numpy as np
import pytest

from vgglab.errors import InputError
from vgglab.experiment import (
    DEFAULTS,
    FIELDS,
    Experiment,
    brakes,
    built_from,
    cautions,
    of_role,
    random_changes,
    traced_from,
    with_first,
    without_effect,
)
from vgglab.image_changes import AUGMENTATIONS
from vgglab.toggles import Number


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (dict(unfreeze=17), "`unfreeze` must be 0 to 13. Received: 17."),
        (dict(unfreeze=2.5), "`unfreeze` must be a whole number, 0 to 13. Received: 2.5."),
        (dict(unfreeze=True), "Received: True."),
        (dict(l2=float("nan")), "`l2` must be 0 to 1. Received: nan."),
        (dict(l2="0.1"), "`l2` must be 0 to 1. Received: '0.1'."),
        (dict(patience=0), "`patience` must be 1 to 100000 or None. Received: 0."),
        (dict(image_size=16), "`image_size` must be 32 to 512. Received: 16."),
        (dict(backbone="vgg19"), "Did you mean 'vgg16'?"),
        (dict(backbone=None), "It must be one of: vgg16-mini, vgg16, vgg16-micro."),
        (dict(unfrieze=3), "Unknown field of an experiment. Received: 'unfrieze'. Did you mean 'unfreeze'?"),
        (dict(augment=("rotaton",)), "Unknown augmentation. Received: 'rotaton'. Did you mean 'rotation'?"),
        (
            dict(augment={"rotation": 300}),
            "augmentation 'rotation' must be 0 to 180 (degrees to either side) and not 0. Received: 300.",
        ),
        (dict(augment="flip=2"), "augmentation 'flip' has no strength but 1."),
        (dict(augment="zoom=much"), "Received: 'much'."),
        (dict(augment=7), "`augment` must be names such as"),
        (dict(augment=(7,)), "`augment` must be names such as"),
        (dict(augment=[("rotation", 20, 3)]), "`augment` must be names, or pairs such as ('rotation', 20)."),
        (dict(augment=[["rotation"]]), "Received: ['rotation']."),
        (dict(augment=[([1], 2)]), "or pairs such as"),
        (dict(dataset=""), "`dataset` must be a name or a path."),
        (dict(l2=10**400), "`l2` must be 0 to 1."),
        (dict(backbone=np.zeros(3)), "Unknown backbone."),
        (dict(weights=np.zeros(3)), "`weights` must be a name or a path."),
        (dict(weights=np.zeros((40, 40))), "`weights` must be a name or a path. Received: array([[0., 0., "),
        (dict(unfreeze=10**400), "`unfreeze` must be 0 to 13. Received: 1000000000"),
        (dict(unfreeze=10**5000), "Received: something of type int that cannot be written out."),
        (dict(backbone="x" * 10_000), "Unknown backbone. Received: 'xxxxx"),
        (dict(backbone=10**5000), "Unknown backbone. Received: something of type int"),
        (dict(augment={"rotation": 10**400}), "augmentation 'rotation' must be 0 to 180"),
        (dict(augment=None), "`augment` must be names such as ('flip', 'rotation'). Received: None."),
        (dict(augment=np.array("flip")), "`augment` must be names such as"),
        (dict(augment={("rotation",): 20}), "Unknown augmentation. Received: ('rotation',)."),
        (dict(augment=[("rotation", [20])]), "augmentation 'rotation' must be 0 to 180"),
        (dict(later=None), "`later` must hold experiments of one phase each"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(fields, sentence):
    with pytest.raises(InputError) as caught:
        Experiment(**fields)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_later_phases_change_only_what_they_name():
    experiment = (
        Experiment(l2=0.01, unfreeze=0).then(unfreeze=3, learning_rate=1e-4, epochs=10).then(mixup=0.2)
    )
    first, second, third = experiment.phases
    assert (first.unfreeze, second.unfreeze, third.unfreeze) == (0, 3, 3)
    assert (second.l2, third.learning_rate, second.mixup, third.mixup) == (0.01, 1e-4, 0.0, 0.2)


@pytest.mark.parametrize("name", [name for name, toggle in FIELDS.items() if toggle.fixed])
def test_a_phase_cannot_change_what_the_whole_run_keeps(name):
    with pytest.raises(InputError, match=f"`{name}` belongs to the whole run"):
        Experiment().then(**{name: getattr(Experiment(), name)})


def test_the_phases_of_a_run_agree_on_what_the_whole_run_keeps():
    two = Experiment(unfreeze=0).then(unfreeze=3)
    with pytest.raises(
        InputError, match=r"`image_size` must be the same in all phases of a run. Received: \[32, 64\]"
    ):
        dataclasses.replace(two, image_size=32)
    moved = with_first(two, image_size=32, unfreeze=1)
    assert [(phase.image_size, phase.unfreeze) for phase in moved.phases] == [(32, 1), (32, 3)]


def test_what_networks_and_steps_follow_from():
    assert built_from(Experiment(backbone="vgg16", image_size=32)) == (32, "vgg16", "float32", "pooled")
    assert built_from(Experiment(weights=None, unfreeze=0, seed=3)) == built_from(Experiment())
    assert traced_from(Experiment(dropout=0.5)) == (3, 0.5) != traced_from(Experiment())
    assert traced_from(Experiment(l2=0.1, mixup=0.2, weights=None)) == traced_from(Experiment())


def test_augment_may_be_given_in_any_form_and_order():
    expected = (("flip", 1.0), ("rotation", 20.0), ("width_shift", 0.1), ("height_shift", 0.1))
    for given in (
        "shift=0.1, rotation,flip",
        ["rotation=20", "shift=0.1", "flip"],
        {"flip": 1, "shift": 0.1, "rotation": None},
        expected,
    ):
        assert Experiment(augment=given).augment == expected


def test_plain_values_and_back():
    experiment = (
        Experiment(augment={"zoom": 0.3}, patience=4).then(unfreeze=2, augment=()).then(patience=None)
    )
    plain = json.loads(json.dumps(experiment.to_dict()))
    assert plain["later"] == [{"unfreeze": 2, "augment": {}}, {"patience": None}]
    assert Experiment.from_dict(plain) == experiment
    assert hash(Experiment.from_dict(plain)) == hash(experiment)


def test_every_field_says_what_it_is():
    for name, toggle in FIELDS.items():
        assert toggle.help and toggle.label
        assert toggle.check(name, DEFAULTS[name]) == getattr(Experiment(), name)
        for stop in getattr(toggle, "stops", ()):
            toggle.check(name, stop)
    assert all(rule.low <= rule.default <= rule.high for rule in AUGMENTATIONS.values())


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_every_stop_of_a_change_is_a_strength_and_has_words(name):
    rule = AUGMENTATIONS[name]
    assert rule.default in rule.stops and list(rule.stops) == sorted(set(rule.stops))
    for stop in rule.stops:
        assert Experiment(augment={name: stop}).augment == ((name, stop),)
    words = [(rule.written(stop), rule.said(stop)) for stop in rule.stops]
    assert len(set(words)) == len(words) and not any("{" in each for pair in words for each in pair)


def test_a_strength_is_written_with_its_unit_and_said_in_words():
    said = {
        name: (rule.written(rule.default), rule.said(rule.default)) for name, rule in AUGMENTATIONS.items()
    }
    assert said["rotation"] == ("±20°", "20 degrees to either side")
    assert said["zoom"] == ("±20 %", "20 percent in or out")
    assert said["shear"] == ("slope ±0.2", "a slope of 0.2 to either side")
    assert said["erasing"] == ("p 0.5", "a probability of 0.5 for each image")


def test_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Experiment().l2 = 1


def test_none_may_be_written_out():
    assert Experiment(weights="none") == Experiment(weights=None)
    with pytest.raises(InputError):
        Experiment(patience="none")


def test_it_reads_as_the_code_that_makes_it():
    experiment = (
        Experiment(augment="flip,zoom=0.3", weights=None).then(unfreeze=5, patience=3).then(mixup=0.2)
    )
    assert repr(experiment) == (
        "Experiment(weights=None, augment={'flip': 1.0, 'zoom': 0.3})"
        ".then(unfreeze=5, patience=3).then(mixup=0.2)"
    )
    assert eval(repr(experiment)) == experiment and repr(Experiment()) == "Experiment()"


def test_what_holds_back_is_known_and_what_changes_images_comes_first():
    held = Experiment(l2=0.1, mixup=0.2, patience=3, augment=("flip",), learning_rate=1e-5, views=4)
    assert brakes(held) == ["augment", "mixup", "l2", "patience"]
    assert brakes(held, on=False) == ["cutmix", "dropout", "weight_decay", "label_smoothing"]
    assert random_changes(held) == ["augment", "mixup"] and not random_changes(Experiment(views=4, l2=0.1))
    assert of_role(held, "objective") == dict(
        l2=0.1, weight_decay=0.0, label_smoothing=0.0, class_weight="none"
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (dict(fill_mode="wrap"), "Fill mode has no effect: no change that is on leaves a rim to fill."),
        (dict(fill_mode="wrap", augment=("flip", "crop")), "Fill mode has no effect"),
        (dict(fill_mode="wrap", augment=("rotation",)), ""),
        (dict(views=4), "Views has no effect: without a random change all epochs have the same images."),
        (dict(views=4, cutmix=1.0), ""),
        ({}, ""),
    ],
)
def test_a_field_without_effect_says_why(fields, sentence):
    (said,) = without_effect(Experiment(**fields)) or ("",)
    assert said.startswith(sentence) and bool(said) == bool(sentence)
    # One phase in which it matters is enough.
    if said:
        assert not without_effect(Experiment(**fields).then(augment=("rotation",)))


@pytest.mark.parametrize(
    ("experiment", "layers"),
    [
        (Experiment(weights=None), 10),
        (Experiment(weights=None, unfreeze=0), 13),
        (Experiment(weights=None, unfreeze=13), 0),
        (Experiment(weights=None, unfreeze=0).then(unfreeze=13), 0),
        (Experiment(unfreeze=0), 0),
    ],
)
def test_layers_that_are_frozen_at_random_weights_are_said(experiment, layers):
    said = [text for text in cautions(experiment) if "frozen at random weights" in text]
    assert bool(said) == bool(layers)
    assert not layers or said[0].startswith(f"{layers} of the 13 conv layers ")


def test_what_has_no_effect_is_among_the_cautions():
    assert cautions(Experiment(fill_mode="wrap")) == without_effect(Experiment(fill_mode="wrap"))
    assert cautions(Experiment()) == []


def test_reading_many_phases_checks_each_of_them_about_once(monkeypatch):
    """Adding them one by one checks all of those before each time: 3,000 took a minute and a half."""
    checked = []
    check = Number.check
    monkeypatch.setattr(Number, "check", lambda *given: checked.append(given[1]) or check(*given))
    plain = Experiment().to_dict() | dict(later=[dict(l2=0.1 * (each % 2)) for each in range(100)])
    assert len(Experiment.from_dict(plain).phases) == 101
    assert checked.count("l2") < 3 * 101


@pytest.mark.parametrize(
    ("plain", "sentence"),
    [
        (3, "An experiment must be names of fields with their values. Received: 3."),
        (dict(later=3), "`later` must list what each phase changes. Received: 3."),
        (dict(later=[3]), "Each phase of `later` must be names of fields with their values. Received: 3."),
        (dict(cls=1), "Unknown field of an experiment. Received: 'cls'."),
        (dict(later=[dict(later=[])]), "Unknown field of an experiment. Received: 'later'."),
        (dict(later=[dict(self=1)]), "Unknown field of an experiment. Received: 'self'."),
    ],
)
def test_what_is_no_experiment_is_refused(plain, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        Experiment.from_dict(plain)


def test_a_path_that_nobody_can_read_is_written_so_that_it_can_be_shown():
    written = FIELDS["dataset"].written("a\ud800b\n" + "x" * 100_000)
    assert written.startswith(r"a\x00b\x0ax") and len(written) < 1000 and written.encode()
