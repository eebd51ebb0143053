"""The rows of augmentations: what a switch and a slider do to the value, and a value to them."""

import gc
import weakref

import pytest
import traitlets

from vgglab.experiment import Experiment
from vgglab.image_changes import AUGMENTATIONS
from vgglab.panel.strengths import StrengthRows

NAMES = list(AUGMENTATIONS)


def send(rows, name, on=None, place=None):
    """What the page sends when a row is switched or moved: the states of all rows."""
    states = list(rows.states)
    at = NAMES.index(name)
    was_on, was_at = states[at]
    states[at] = [was_on if on is None else on, was_at if place is None else place]
    rows.set_state(dict(states=[list(state) for state in states]))


def test_it_starts_with_what_is_on_and_all_others_at_their_defaults():
    rows = StrengthRows([("rotation", 30), ("zoom", 0.1)])
    assert rows.value == (("rotation", 30), ("zoom", 0.1))
    assert rows.strengths == {name: rule.default for name, rule in AUGMENTATIONS.items()} | dict(
        rotation=30, zoom=0.1
    )
    assert [name for name, (on, _) in zip(NAMES, rows.states) if on] == ["rotation", "zoom"]


def test_switching_off_keeps_the_strength():
    rows = StrengthRows([("rotation", 45)])
    send(rows, "rotation", on=False)
    assert rows.value == () and rows.strengths["rotation"] == 45
    rows.value = (("flip", 1),)  # a preset in between
    send(rows, "rotation", on=True)
    assert rows.value == (("flip", 1), ("rotation", 45))


def test_a_move_is_another_strength_and_the_order_is_the_tables():
    rows = StrengthRows([("erasing", 0.5)])
    send(rows, "shear", on=True, place=0)
    assert rows.value == (("shear", 0.05), ("erasing", 0.5))
    send(rows, "erasing", place=19)
    assert rows.value == (("shear", 0.05), ("erasing", 1.0))
    assert Experiment(augment=rows.value).augment == rows.value


@pytest.mark.parametrize("name", NAMES)
def test_every_place_is_a_strength_that_an_experiment_takes(name):
    rows = StrengthRows()
    for place in range(len(AUGMENTATIONS[name].stops)):
        send(rows, name, on=True, place=place)
        assert (
            Experiment(augment=rows.value).augment
            == rows.value
            == ((name, AUGMENTATIONS[name].stops[place]),)
        )


def test_a_strength_between_two_stops_becomes_one():
    rows = StrengthRows([("rotation", 7)])
    words = rows.rows[NAMES.index("rotation")]
    assert words["written"][:3] == ["±5°", "±7°", "±10°"] and words["said"][1] == "7 degrees to either side"
    rows.value = (("rotation", 7), ("contrast", 0.125))
    assert rows.value == (("rotation", 7), ("contrast", 0.125))
    assert "±12.5 %" in rows.rows[NAMES.index("contrast")]["written"]
    on, place = rows.states[NAMES.index("contrast")]
    assert on and rows.rows[NAMES.index("contrast")]["written"][place] == "±12.5 %"
    assert rows.strengths["zoom"] == 0.2, "the others stay"


def test_a_value_is_told_once():
    rows, told = StrengthRows(), []
    rows.observe(lambda change: told.append(change["new"]), "value")
    rows.value = (("rotation", 10), ("zoom", 0.3))
    send(rows, "zoom", on=False)
    send(rows, "crop", place=2)  # one that is off, and stays it
    assert told == [(("rotation", 10), ("zoom", 0.3)), (("rotation", 10),)]
    assert rows.strengths["crop"] == 0.15


def test_what_the_page_may_not_send_is_refused_or_put_right():
    rows = StrengthRows([("rotation", 20)])
    with pytest.raises(traitlets.TraitError, match="one for each of 11 rows"):
        rows.states = [(True, 0)]
    send(rows, "rotation", place=1000)
    assert rows.value == (("rotation", 180),)


def test_a_change_without_a_strength_has_no_slider():
    assert [len(row["written"]) for row in StrengthRows().rows].count(1) == 1
    assert StrengthRows().rows[NAMES.index("flip")]["written"] == ["one in two"]


def test_closed_rows_are_freed():
    rows = StrengthRows()
    gone = weakref.ref(rows)
    rows.close()
    del rows
    gc.collect()
    assert gone() is None
