"""Which runs a sweep is made of, against itertools."""

import dataclasses
import itertools

import numpy as np
import pytest

from vgglab import AUGMENTATIONS
from vgglab.combinations import (
    checked_experiments,
    checked_seeds,
    grid,
    in_effect,
    later_words,
    paths_of,
    planned_runs,
    setting_words,
    varied,
    with_whole_paths,
)
from vgglab.errors import InputError
from vgglab.experiment import FIELDS, Experiment, with_seed


def test_a_grid_is_the_product_and_the_last_field_changes_fastest():
    values = dict(unfreeze=[0, 3, 13], learning_rate=[1e-3, 1e-4], augment=[(), ("flip", "rotation")])
    base = Experiment(epochs=7)
    expected = [
        dataclasses.replace(base, **dict(zip(values, each))) for each in itertools.product(*values.values())
    ]
    assert grid(base, **values) == expected and len(set(expected)) == 12
    assert grid() == [Experiment()] and grid(base) == [base]
    assert grid(unfreeze=range(14)) == [Experiment(unfreeze=depth) for depth in range(14)]


def test_what_the_whole_run_keeps_changes_in_all_phases_and_the_rest_in_the_first():
    two = Experiment(unfreeze=0).then(unfreeze=3)
    first, second = grid(two, image_size=[32, 64], l2=[0.1])
    assert [phase.image_size for phase in first.phases] == [32, 32]
    assert [(phase.unfreeze, phase.l2) for phase in second.phases] == [(0, 0.1), (3, 0.0)]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (dict(unfreez=[3]), "Unknown field of an experiment. Received: 'unfreez'. Did you mean 'unfreeze'?"),
        (dict(unfreeze=[]), "`unfreeze` must have at least one value. Received: none."),
        (dict(unfreeze=3), "`unfreeze` must be a list of values. Received: 3."),
        (dict(backbone="vgg16"), "`backbone` must be a list of values. Received: 'vgg16'."),
        (dict(augment=dict(flip=1)), "`augment` must be a list of values."),
        (dict(unfreeze=[3, 0, 3]), "`unfreeze` has the value 3 twice; each may come once."),
        (dict(learning_rate=[1e-3, 0.001]), "`learning_rate` has the value 0.001 twice"),
        (dict(unfreeze=[3, 14]), "`unfreeze` must be 0 to 13. Received: 14."),
        (dict(unfreeze=[True]), "`unfreeze` must be a whole number"),
        (dict(dropout=[float("nan")]), "`dropout` must be 0 to 0.95. Received: nan."),
        (dict(patience=[None, 0]), "`patience` must be 1 to 100000 or None. Received: 0."),
        (dict(augment=[("flip",), ("flop",)]), "Unknown augmentation. Received: 'flop'."),
    ],
)
def test_values_that_cannot_be_swept_over(values, sentence):
    with pytest.raises(InputError) as error:
        grid(**values)
    assert sentence in str(error.value)
    with pytest.raises(InputError, match="`experiment` must be an Experiment. Received: 'small'"):
        grid("small")


def test_experiments_are_each_one_setting_once():
    one, two = Experiment(), Experiment(unfreeze=0)
    assert checked_experiments([one, two, with_seed(one, 7)]) == [one, two]
    assert checked_experiments(two) == [two] and checked_experiments(iter([two, one])) == [two, one]
    for given, sentence in [
        ([], "`experiments` must have at least one Experiment. Received: none."),
        (None, "`experiments` must be a list of Experiments, such as `grid` makes. Received: None."),
        ("blossoms", "`experiments` must be a list of Experiments"),
        (dict(unfreeze=[3]), "`experiments` must be a list of Experiments"),
        ([one, 3], "Each of `experiments` must be an Experiment. Received: 3."),
    ]:
        with pytest.raises(InputError) as error:
            checked_experiments(given)
        assert sentence in str(error.value)


@pytest.mark.parametrize("seeds", [0, -1, [], [1, 1], [1, -1], "a", 2.5, True, None, 2**31 + 1, ["0"]])
def test_seeds_that_are_none(seeds):
    with pytest.raises(InputError, match="seed"):
        checked_seeds(seeds)


def test_seeds_are_a_number_or_a_list():
    assert list(checked_seeds(3)) == [0, 1, 2] and list(checked_seeds(np.int64(2), 4)) == [4, 5]
    assert list(checked_seeds([7, 0])) == [7, 0] and list(checked_seeds(range(2, 4))) == [2, 3]


def test_what_has_no_effect_makes_no_further_run():
    settings = grid(fill_mode=["nearest", "wrap"], augment=[(), ("rotation",)], views=[None, 4])
    settings += grid(horizon=[20, 50]) + grid(schedule=["cosine"], horizon=[20, 50])
    effects = {in_effect(each) for each in settings}
    # None of fill mode and views while nothing is random: 1. Rotation: 4. Horizon: of the cosine alone, 2 more.
    assert len(effects) == 1 + 4 + 2
    for each in settings:
        assert in_effect(in_effect(each)) == in_effect(each)
    two = Experiment(fill_mode="wrap", unfreeze=0).then(augment=("rotation",))
    assert [phase.fill_mode for phase in in_effect(two).phases] == ["nearest", "wrap"]


def test_runs_are_planned_once_and_a_first_seed_is_whole_before_a_second():
    settings = grid(unfreeze=[0, 3], fill_mode=["nearest", "wrap"])
    planned = planned_runs(settings, [5, 2])
    assert [(each.unfreeze, each.seed) for each in planned] == [(0, 5), (3, 5), (0, 2), (3, 2)]
    assert {each.fill_mode for each in planned} == {"nearest"}
    every = planned_runs(grid(unfreeze=range(14), dropout=[0, 0.5]), range(3))
    assert {(e.seed, e.unfreeze, e.dropout) for e in every} == set(
        itertools.product(range(3), range(14), (0, 0.5))
    )


def test_settings_in_words():
    settings = grid(unfreeze=[0, 3], augment=[(), dict(rotation=20)], epochs=[5])
    assert varied(settings) == ["unfreeze", "augment"]
    words = f"unfreeze depth 3, augmentation {AUGMENTATIONS['rotation'].named(20.0)}"
    assert setting_words(settings[-1], varied(settings)) == words
    assert setting_words(settings[0], []) == "one setting"
    one = Experiment(unfreeze=0)
    phases = [one, one.then(unfreeze=3), one.then(unfreeze=3).then(learning_rate=1e-4, epochs=2)]
    assert varied(phases) == ["later"]
    assert [later_words(each) for each in phases] == [
        "none",
        "then(unfreeze=3)",
        "then(unfreeze=3), then(learning_rate=0.0001, epochs=2)",
    ]


def test_paths_are_whole_and_names_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert paths_of(Experiment()) == {} and with_whole_paths(Experiment()) == Experiment()
    named = Experiment(dataset="photos", weights="own.weights.h5").then(unfreeze=1)
    assert paths_of(named) == dict(dataset="photos", weights="own.weights.h5")
    whole = with_whole_paths(named)
    assert {phase.dataset for phase in whole.phases} == {str(tmp_path / "photos")}
    assert {phase.weights for phase in whole.phases} == {str(tmp_path / "own.weights.h5")}
    assert with_whole_paths(Experiment(weights=None)).weights is None


def test_a_comma_is_part_of_a_value_where_fields_say_so():
    assert {name for name, toggle in FIELDS.items() if toggle.holds_commas} >= {
        "dataset",
        "weights",
        "augment",
    }
    assert not FIELDS["unfreeze"].holds_commas and not FIELDS["backbone"].holds_commas
    assert Experiment(augment="none") == Experiment(augment=" none ") == Experiment()
    with pytest.raises(InputError, match="Unknown augmentation. Received: 'none'"):
        Experiment(augment="flip,none")
