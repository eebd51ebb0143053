"""The live chart: its pixels are computed here once more, from the rows."""

import gc
import html
import itertools
import math
import random
import re
import sys
import weakref
from pathlib import Path
from xml.etree import ElementTree

import pytest

from test_history import make_history
from vgglab.charts import live as charts_live
from vgglab.charts.colours import (
    DASHES,
    GREY,
    GRID,
    GROUND,
    LOGGED,
    MARK,
    MEMORISED,
    RUNS,
    SOURCE,
    TRAIN,
    VALIDATION,
    looks,
)
from vgglab.charts.layout import Layout, apart
from vgglab.charts.live import LiveDrawing, live_svg
from vgglab.charts.mini import mini_svg
from vgglab.charts.phases import phase_list
from vgglab.charts.scale import FAR, STRIP, fitted
from vgglab.charts.shown import POINTS, Memo, Shown
from vgglab.errors import InputError
from vgglab.experiment import Experiment, what_changed
from vgglab.fit import Fit, Metric
from vgglab.history import History
from vgglab.panel import live
from vgglab.panel import progress as panel_progress
from vgglab.panel.live import LiveChart
from vgglab.panel.progress import Progress
from vgglab.toggles import AUGMENTATIONS

NAMESPACE = "{http://www.w3.org/2000/svg}"
WIDTH, LEFT, RIGHT = 720, 62, 600
ACCURACY, LOSS = (292, 46), (434, 322)  # the pixels of the lowest and of the highest value
CLOSE = 0.051  # coordinates have one decimal


def draw(*arguments, **options):
    return ElementTree.fromstring(live_svg(*arguments, **options))


def elements(root, kind, **attributes):
    found = root.iter(NAMESPACE + kind)
    return [each for each in found if all(each.get(name) == value for name, value in attributes.items())]


def texts(root):
    return [each.text for each in elements(root, "text")]


def pixels(element):
    return [tuple(map(float, pair.split(","))) for pair in element.get("points").split()]


def curves(root, colour, width="2.2"):
    found = elements(root, "polyline", stroke=colour)
    return [pixels(each) for each in found if each.get("stroke-width") == width]


def place(epoch, epochs, value, highest, axis):
    bottom, top = axis
    return LEFT + (RIGHT - LEFT) * (epoch - 0.5) / epochs, bottom - (bottom - top) * value / highest


def expected(values, epochs, highest, axis):
    return [
        pytest.approx(place(epoch, epochs, value, highest, axis), abs=CLOSE)
        for epoch, value in enumerate(values, start=1)
    ]


def long_history(epochs, **fields):
    train = [1 - 1 / epoch for epoch in range(2, epochs + 2)]
    history = make_history(validation=[value / 2 for value in train], train=train)
    history.experiment = Experiment(epochs=epochs, **fields)
    return history


def with_losses(losses):
    history = long_history(len(losses))
    for row, loss in zip(history.epochs, losses):
        row["train_loss"] = row["validation_loss"] = loss
    return history


def with_source(history, values):
    for row, value in zip(history.epochs, values):
        row["source_accuracy"] = value
    return history


def with_memorised(history, values):
    for row, value in zip(history.epochs, values):
        row["memorised"] = value
    return history


def test_it_is_an_image_whose_text_alternative_says_the_outcome_and_the_trend():
    root = draw(make_history())
    assert root.tag == NAMESPACE + "svg" and root.get("role") == "img"
    assert root.get("aria-label") == (
        "Epoch 3 of 5: train 100.0%, validation 50.0%, gap 50.0 points. "
        "Train accuracy from 50.0% in epoch 1 to 100.0% in epoch 3. "
        "Validation accuracy from 40.0% in epoch 1 to 50.0% in epoch 3, highest 60.0% in epoch 2. "
        "Train loss from 0.5 in epoch 1 to 0 in epoch 3. "
        "Validation loss from 0.6 in epoch 1 to 0.5 in epoch 3, lowest 0.4 in epoch 2."
    )
    one = draw(make_history(train=(0.5,), validation=(0.4,))).get("aria-label")
    assert one == "Epoch 1 of 5: train 50.0%, validation 40.0%, gap 10.0 points."


def test_curves_pass_through_the_rows():
    root = draw(make_history(validation=(0.4, 0.6, 0.5), train=(0.5, 0.8, 1.0)))
    accuracy, loss = curves(root, TRAIN)
    assert accuracy == expected((0.5, 0.8, 1.0), 5, 1, ACCURACY)
    assert loss == expected((0.5, 0.2, 0.0), 5, 0.6, LOSS)
    accuracy, loss = curves(root, VALIDATION)
    assert accuracy == expected((0.4, 0.6, 0.5), 5, 1, ACCURACY)
    assert loss == expected((0.6, 0.4, 0.5), 5, 0.6, LOSS)


def unequal(counts):
    history = make_history()
    history.data = dict(classes=[f"c{place}" for place in range(len(counts))], validation_counts=counts)
    return history


def baselines_of(root):
    return sorted(round(float(each.get("y1")), 1) for each in elements(root, "line", stroke=MARK))


def test_chance_and_the_most_frequent_class_are_lines_where_they_are_known():
    root = draw(unequal([30, 6, 4]))
    ends = [place(1, 5, share, 1, ACCURACY)[1] for share in (0.75, 1 / 3)]
    assert baselines_of(root) == pytest.approx(ends, abs=CLOSE)
    assert {"chance 33.3%", "most frequent class 75.0%"} <= set(texts(root))
    assert root.get("aria-label").endswith(" Thin lines: chance 33.3%, most frequent class 75.0%.")
    equal = draw(unequal([5, 5]))
    assert len(baselines_of(equal)) == 1 and "chance 50.0%" in texts(equal)
    assert "most frequent" not in equal.get("aria-label")
    assert baselines_of(draw(make_history())) == []


def test_words_of_close_lines_are_one_and_a_small_picture_has_none():
    root = draw(unequal([21, 19]))
    assert "most frequent class 52.5%, chance 50.0%" in texts(root) and len(baselines_of(root)) == 2
    small = draw(unequal([30, 6, 4]), width=300, height=180)
    assert len(baselines_of(small)) == 2 and not [each for each in texts(small) if "chance" in each]


def test_runs_on_other_classes_have_no_line_in_common():
    history = unequal([30, 10])
    assert len(baselines_of(draw(history, dict(b=Shown((unequal([3, 1]),)))))) == 2
    assert baselines_of(draw(history, dict(b=Shown((unequal([1, 1, 1]),))))) == []


def test_a_fit_of_ones_own_has_no_line_of_guessing():
    history = unequal([30, 10])
    history.experiment = Fit(5, Metric("auc", is_share=True))
    assert baselines_of(draw(history)) == []


def test_a_dot_marks_the_end_of_each_curve():
    root = draw(make_history())
    for colour in (TRAIN, VALIDATION):
        dots = [(float(dot.get("cx")), float(dot.get("cy"))) for dot in elements(root, "circle", fill=colour)]
        assert dots == [curve[-1] for curve in curves(root, colour)]


def test_two_cues_tell_the_curves_apart():
    everything = with_memorised(with_source(make_history(), (0.9, 0.8, 0.7)), (0.1, 0.2, 0.6))
    found = elements(draw(everything, logged=True), "polyline")
    cues = {(each.get("stroke"), each.get("stroke-dasharray")) for each in found}
    assert len(cues) == len({colour for colour, _ in cues}) == len({dash for _, dash in cues}) == 5


@pytest.mark.parametrize("logged", [False, True])
@pytest.mark.parametrize("source", [False, True])
def test_further_curves_are_there_when_asked_for(logged, source):
    root = draw(with_source(make_history(), (0.9, 0.8, 0.7)), logged=logged, source=source)
    assert curves(root, LOGGED) == ([expected((0.25, 0.4, 0.5), 5, 1, ACCURACY)] if logged else [])
    assert curves(root, SOURCE) == ([expected((0.9, 0.8, 0.7), 5, 1, ACCURACY)] if source else [])
    assert ("as Keras logs it" in texts(root)) == logged and ("source task" in texts(root)) == source


@pytest.mark.parametrize("values", [(), (None, None, None)])
def test_weights_without_a_source_task_have_no_curve_of_it(values):
    root = draw(with_source(make_history(), values))
    assert curves(root, SOURCE) == [] and "source task" not in texts(root)


def test_wrong_labels_known_by_heart_are_a_curve_where_there_are_any():
    root = draw(with_memorised(make_history(), (0.0, 0.3, 0.7)))
    assert curves(root, MEMORISED) == [expected((0.0, 0.3, 0.7), 5, 1, ACCURACY)]
    assert "wrong labels memorised" in texts(root)
    assert ", 70.0% of the wrong labels memorised. " in root.get("aria-label")
    for history in (make_history(), with_memorised(make_history(), (None, None, None))):
        root = draw(history)
        assert curves(root, MEMORISED) == [] and "wrong labels memorised" not in texts(root)


def one(history, letter=""):
    return Shown((history,), letter)


def groups(root):
    return {group.find(NAMESPACE + "title").text: group for group in elements(root, "g")}


def test_several_runs_have_looks_of_their_own_thick_for_validation_and_thin_for_train():
    flip, plain = make_history(train=(0.1, 0.2), validation=(0.1, 0.15)), make_history()
    root = draw(make_history(), {"with flip": one(flip, "B"), "plain": one(plain)}, letter="A", name="now")
    found = groups(root)
    assert list(found) == ["plain", "B, with flip", "A, now"], "the first one is drawn last, on top"
    cues = set()
    for title, group in found.items():
        assert len(elements(group, "polyline")) == 4
        (cue,) = {
            (each.get("stroke"), each.get("stroke-dasharray") or "") for each in elements(group, "polyline")
        }
        cues.add(cue)
        place = dict(zip(("A, now", "B, with flip", "plain"), range(3)))[title]
        assert cue == (RUNS[place], DASHES[place])
    assert len({colour for colour, _ in cues}) == len({dash for _, dash in cues}) == 3
    assert curves(found["B, with flip"], RUNS[1], width="1.2")[0] == expected((0.1, 0.2), 5, 1, ACCURACY)
    assert curves(found["B, with flip"], RUNS[1])[0] == expected((0.1, 0.15), 5, 1, ACCURACY)
    assert curves(found["B, with flip"], RUNS[1])[1] == expected((0.9, 0.85), 5, 0.9, LOSS)
    assert "thick: validation, thin: train" in texts(root)
    assert not {TRAIN, VALIDATION} & {each.get("stroke") for each in root.iter()}


def test_a_run_alone_is_drawn_as_in_the_lessons_wherever_it_is_given():
    history = make_history()
    assert not elements(draw(history), "g") and "thick: validation, thin: train" not in texts(draw(history))
    assert curves(draw(History(Experiment(epochs=5)), {"plain": one(history, "A")}), TRAIN) == curves(
        draw(history), TRAIN
    )


def test_a_run_that_is_among_the_others_is_drawn_once_and_first():
    history, other = make_history(), long_history(4)
    root = draw(history, {"other": one(other, "A"), "mine": one(history, "B")})
    assert list(groups(root)) == ["A, other", "B, mine"]
    shade = elements(root, "polygon")
    assert len(shade) == 1 and pixels(shade[0])[:3] == expected((0.5, 0.8, 1.0), 5, 1, ACCURACY)
    assert root.get("aria-label").startswith("B, mine: Epoch 3 of 5: train 100.0%")


def test_a_run_keeps_the_look_of_its_letter_and_the_first_36_differ():
    assert looks(["", "B", "A", ""]) == [*looks(["C", "B", "A", "D"])]
    assert looks(["B"]) == [looks(["A", "B"])[1]]
    assert len(set(looks([""] * 36))) == 36


@pytest.mark.parametrize("histories", [(), None])
def test_a_run_without_a_history_is_refused(histories):
    with pytest.raises(InputError, match="`histories` must have at least one History. Received: none."):
        Shown(histories or ())


@pytest.mark.parametrize("letter", ["a", "AB", "1", "Ä"])
def test_a_letter_is_one_of_a_to_z(letter):
    with pytest.raises(InputError, match=f"`letter` must be one of A to Z, or ''. Received: '{letter}'."):
        Shown((make_history(),), letter)


def labels(root):
    """What stands at the ends of the curves: words, left, right and baseline."""
    found = [
        each for each in elements(root, "text") if each.get("paint-order") and each.get("font-size") == "13"
    ]
    return [
        (
            each.text,
            float(each.get("x")) - 22 * (each.get("text-anchor") == "start"),
            float(each.get("x")) + 7.2 * len(each.text) * (each.get("text-anchor") == "start"),
            float(each.get("y")),
        )
        for each in found
    ]


def test_each_of_several_runs_is_named_at_its_end_with_what_validation_came_to():
    high, low = make_history(validation=(0.5, 0.9, 0.834)), make_history(validation=(0.1, 0.2))
    root = draw(high, {"low": one(low, "B")}, letter="A")
    found = {words: (left, y) for words, left, _, y in labels(root)}
    assert found.keys() == {"A 83.4", "B 20.0"}
    for words, epoch, value in (("A 83.4", 3, 0.834), ("B 20.0", 2, 0.2)):
        x, y = place(epoch, 5, value, 1, ACCURACY)
        assert found[words] == (pytest.approx(x + 8, abs=CLOSE), pytest.approx(y + 4, abs=CLOSE))
    samples = {each.get("stroke") for each in elements(root, "line", **{"stroke-width": "2.2"})}
    assert samples == set(RUNS[:2]), "a piece of each curve stands beside its name"
    assert not [each for each in texts(root) if each.startswith("gap")]


def went_back(history, epoch):
    """The same history, whose weights of an epoch were restored."""
    history.note("restored", "Went back.", kept_epoch=epoch)
    return history


def kept_second(*validation, train=(0.5, 0.9, 1.0)):
    return went_back(make_history(train=train, validation=validation), 2)


def dots(root, colour):
    found = elements(root, "circle", fill=colour)
    return sorted((float(dot.get("cx")), float(dot.get("cy"))) for dot in found)


def test_labels_and_dots_are_those_of_the_weights_that_were_kept():
    a, b = kept_second(0.5, 0.85, 0.7), kept_second(0.4, 0.85, 0.8)
    root = draw(a, {"other": one(b, "B")}, letter="A")
    found = {words: (left, y) for words, left, _, y in labels(root)}
    assert found.keys() == {"A 85.0, epoch 2", "B 85.0, epoch 2"}
    for words, value in (("A 85.0, epoch 2", 0.7), ("B 85.0, epoch 2", 0.8)):
        x, y = place(3, 5, value, 1, ACCURACY)
        assert found[words] == (pytest.approx(x + 8, abs=CLOSE), pytest.approx(y + 4, abs=CLOSE))
    for colour, highest in ((RUNS[0], 0.6), (RUNS[1], 0.6)):
        accuracy = [place(2, 5, value, 1, ACCURACY) for value in (0.85, 0.9)]
        loss = [place(2, 5, value, highest, LOSS) for value in (1 - 0.85, 1 - 0.9)]
        expected_dots = sorted([*accuracy, *loss])
        assert dots(root, colour) == [pytest.approx(each, abs=CLOSE) for each in expected_dots]
    assert "dot: epoch kept" in texts(root)
    assert "dot: epoch kept" not in texts(draw(make_history(), {"other": one(make_history())}))
    said = root.get("aria-label")
    for letter, last, gap in (("A: ", "70.0%", "30.0"), ("B, other: ", "80.0%", "20.0")):
        assert (
            f"{letter}Epoch 3 of 5: train 100.0%, validation {last}, gap {gap} points. "
            "The weights of epoch 2 are kept: train 90.0%, validation 85.0%, gap 5.0 points."
        ) in said


def test_the_gap_of_a_run_alone_is_that_of_the_weights_that_were_kept():
    root = draw(kept_second(0.5, 0.85, 0.7))
    (gap,) = [each for each in elements(root, "text") if (each.text or "").startswith("gap ")]
    (epoch,) = [each for each in elements(root, "text") if each.text == "epoch 2"]
    assert gap.text == "gap 5.0 points" and gap.get("x") == epoch.get("x")
    assert float(epoch.get("y")) - float(gap.get("y")) >= 14
    assert dots(root, VALIDATION)[0] == pytest.approx(place(2, 5, 0.85, 1, ACCURACY), abs=CLOSE)
    assert root.get("aria-label").startswith(
        "Epoch 3 of 5: train 100.0%, validation 70.0%, gap 30.0 points. "
        "The weights of epoch 2 are kept: train 90.0%, validation 85.0%, gap 5.0 points. Train accuracy from"
    )


def test_a_dot_is_at_the_very_epoch_of_a_long_run_that_is_thinned():
    history = long_history(5000)
    epochs = range(2501, 2530)
    for epoch in epochs:  # of which most are no points of the curve
        history.events = []
        root = draw(went_back(history, epoch))
        value = history.epochs[epoch - 1]["validation_accuracy"]
        assert dots(root, VALIDATION)[0] == pytest.approx(place(epoch, 5000, value, 1, ACCURACY), abs=CLOSE)


@pytest.mark.parametrize(
    ("seeds", "words", "where", "dot"),
    [
        # Those that went back, and one that went further than the others: each with what it kept.
        (
            [kept_second(0.2, 0.9, 0.3), make_history(validation=(0.4, 0.5, 0.6, 0.8), train=(1,) * 4)],
            "B 85.0",
            "with the weights that each kept",
            None,
        ),
        ([kept_second(0.2, 0.9, 0.3), kept_second(0.4, 0.6, 0.5)], "B 75.0, epoch 2", "in epoch 2", 0.75),
        ([make_history(validation=(0.2, each)) for each in (0.4, 0.6)], "B 50.0", "in epoch 2", 0.5),
    ],
)
def test_the_label_of_seeds_is_the_mean_of_what_each_kept(seeds, words, where, dot):
    root = draw(make_history(), {"two": Shown(tuple(seeds), "B")}, letter="A")
    assert {found for found, *_ in labels(root)} == {"A 50.0", words}
    mean = sum(each.kept["validation_accuracy"] for each in seeds) / 2
    assert f"B, two: mean of 2 seeds {where}: train " in root.get("aria-label")
    assert f"validation {mean:.1%}, gap" in root.get("aria-label")
    found = elements(groups(root)["B, two"], "circle")
    assert len(found) == (0 if dot is None else 4)
    if dot is not None:
        places = dots(groups(root)["B, two"], RUNS[1])
        assert pytest.approx(place(2, 5, dot, 1, ACCURACY), abs=CLOSE) in places


def test_validation_that_waits_for_its_turn_is_labelled_with_its_epoch():
    seldom = of_a_fit(Metric(), (0.5, 0.6, 0.7), (0.4, 0.5, math.nan))
    assert {"gap 10.0 points", "epoch 2"} <= {*texts(draw(seldom))}
    root = draw(make_history(), {"seldom": one(seldom, "B")})
    assert "B 50.0, epoch 2" in texts(root) and "dot: epoch kept" not in texts(root)


def test_weights_that_are_restored_after_the_last_epoch_are_drawn_though_no_row_is_new():
    history, runs, memo = make_history(), {"other": one(make_history(), "B")}, Memo()
    for each in (history, runs["other"].histories[0]):
        LiveDrawing(history, runs, memo).svg()
        went_back(each, 2)
        assert LiveDrawing(history, runs, memo).svg() == live_svg(history, runs)


SIZES = [(720, 470), (640, 330), (1200, 700), (390, 240), (390, 160), (300, 120)]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("count", [2, 5, 31])
def test_labels_do_not_lie_on_each_other_and_none_is_left_out_in_silence(width, height, count):
    rng = random.Random(0)
    runs = {
        f"a run with a long name {number}": one(make_history(validation=(0.1, rng.choice((0.8, 0.81, 0.9)))))
        for number in range(count)
    }
    found = labels(draw(History(Experiment(epochs=2)), runs, width=width, height=height))
    more = [words for words, *_ in found if words.startswith("+")]
    named = [each for each in found if not each[0].startswith("+")]
    left_out = int(more[0].removeprefix("+").removesuffix(" more")) if more else 0
    assert len(named) + left_out == count and len(named) >= min(count, 3)
    for _, left, right, y in named:
        assert left >= 0 and right <= width and y - 10 > 0 and y < height
    for (_, left, right, y), (_, other_left, other_right, other) in itertools.combinations(found, 2):
        assert abs(y - other) >= 14 or right <= other_left or other_right <= left


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("count", [1, 4])
def test_labels_with_an_epoch_are_inside_the_picture(width, height, count):
    def run():
        return went_back(long_history(20), 12)

    runs = {f"a run with a long name {number}": one(run()) for number in range(count - 1)}
    root = draw(run(), runs, width=width, height=height)
    found = labels(root)
    assert sum("epoch 12" in words for words, *_ in found) == min(count, len(found))
    assert all(left >= 0 and right <= width and 10 <= y <= height for _, left, right, y in found)
    for (_, left, right, y), (_, other_left, other_right, other) in itertools.combinations(found, 2):
        assert abs(y - other) >= 14 or right <= other_left or other_right <= left


def test_labels_stand_as_near_to_their_place_as_can_be():
    assert apart([(0, 10, 50), (0, 10, 52), (20, 30, 52)], 0, 100) == [50, 65, 52]
    assert apart([(0, 10, 300), (0, 10, 301), (0, 10, -9)], 0, 100) == [85, 100, 15]
    assert apart([(0, 10, 15)] * 3, 0, 30) == [15, 30, None]
    assert apart([(0, 10, 90), (0, 10, 80), (0, 10, 85)], 0, 90) == [90, 60, 75], (
        "in the order of their values"
    )


def with_seeds(*validations):
    return tuple(make_history(train=[1.0] * len(each), validation=each) for each in validations)


def test_seeds_are_their_mean_and_a_band_from_the_lowest_to_the_highest():
    seeds = with_seeds((0.2, 0.4, 0.9), (0.4, 0.6, 0.6), (0.6, 0.8, 0.6))
    root = draw(make_history(), {"three": Shown(seeds, "B")}, letter="A")
    group = groups(root)["B, three"]
    assert curves(group, RUNS[1])[0] == expected((0.4, 0.6, 0.7), 5, 1, ACCURACY)
    band = pixels(elements(group, "polygon", fill=RUNS[1])[0])
    low, high = expected((0.2, 0.4, 0.6), 5, 1, ACCURACY), expected((0.6, 0.8, 0.9), 5, 1, ACCURACY)
    assert band == [*high, *reversed(low)]
    assert "band: lowest to highest of 3 seeds" in texts(root)
    assert (
        "B, three: mean of 3 seeds in epoch 3: train 100.0%, validation 70.0%, gap 30.0 points."
        in root.get("aria-label")
    )
    assert {words for words, *_ in labels(root)} == {"A 50.0", "B 70.0"}


def test_seeds_alone_have_a_band_around_both_curves_and_a_gap():
    seeds = with_seeds((0.2, 0.4), (0.4, 0.6))
    root = draw(History(Experiment(epochs=5)), {"two": Shown(seeds)})
    assert curves(root, VALIDATION)[0] == expected((0.3, 0.5), 5, 1, ACCURACY)
    assert {each.get("fill") for each in elements(root, "polygon")} == {TRAIN, VALIDATION, "#808080"}
    assert "gap 50.0 points" in texts(root) and "band: lowest to highest of 2 seeds" in texts(root)
    assert root.get("aria-label").startswith("Mean of 2 seeds in epoch 2: train 100.0%, validation 50.0%")


def test_seeds_are_drawn_as_far_as_all_of_them_have_come():
    seeds = (*with_seeds((0.2, 0.4, 0.9), (0.4, 0.6)), History(Experiment()))
    root = draw(History(Experiment(epochs=5)), {"two": Shown(seeds)})
    assert curves(root, VALIDATION)[0] == expected((0.3, 0.5), 5, 1, ACCURACY)


def test_what_only_one_run_has_is_drawn_in_its_colour_and_said_to_be_its_own():
    history = with_memorised(with_source(make_history(), (1, 1, 1)), (0, 0.3, 0.7))
    root = draw(history, {"other": one(make_history(), "B")}, letter="A", logged=True)
    thin = curves(groups(root)["A"], RUNS[0], width="1.2")
    assert expected((0, 0.3, 0.7), 5, 1, ACCURACY) in thin and len(thin) == 4
    assert {"wrong labels memorised, A", "as Keras logs it, A"} <= {*texts(root)}
    assert "source task" not in " ".join(texts(root)), "that is about one run alone"


def test_the_axis_is_as_long_as_the_longest_run():
    root = draw(make_history(train=(0.5, 0.8), validation=(0.4, 0.6)), {"longer": one(long_history(20))})
    live = RUNS[1]  # the other one keeps the look that it has without a live run
    assert curves(root, live, width="1.2")[0] == expected((0.5, 0.8), 20, 1, ACCURACY)


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("among", [False, True])
def test_the_legend_fits_beside_itself_and_above_the_curves(width, height, among):
    history = with_memorised(with_source(make_history(), (1, 1, 1)), (0, 0, 0))
    runs = {"three": Shown(with_seeds((0.2,), (0.4,)))} if among else {}
    drawing = LiveDrawing(history, runs, logged=True, width=width, height=height)
    root = ElementTree.fromstring(drawing.svg())
    names = [words for _, words in drawing.entries]
    legend = [each for each in elements(root, "text") if each.text in names]
    assert len(legend) == len(names) == (4 if among else 5)
    rows = {}
    for each in legend:
        rows.setdefault(float(each.get("y")), []).append(each)
    heights = sorted(rows)
    assert all(below - above >= 14 for above, below in itertools.pairwise(heights))
    assert heights[0] >= 11 and heights[-1] <= drawing.layout.top - 9, (
        "above the circles with numbers as well"
    )
    for row in rows.values():
        ends = [float(each.get("x")) + 7.2 * len(each.text) for each in row]
        assert ends[-1] <= width
        assert all(end < float(each.get("x")) for end, each in zip(ends, row[1:]))
    for (drawn, _), each in zip(drawing.entries, legend):  # beside each name the line that it names
        x, y = float(each.get("x")), float(each.get("y"))
        assert not drawn or elements(root, "line", x2=f"{x - 6:.1f}", y1=f"{y - 4:.1f}", stroke=drawn.colour)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_both_curves_are_there_at_any_size_and_text_is_never_small(width, height):
    history = with_losses([1e9, 3.0, 2.0, 1.0])
    history.experiment = Experiment(epochs=2, l2=0.1).then(epochs=2, augment=("flip", "rotation"), l2=0)
    for row in history.epochs[2:]:
        row["phase"] = 2
    root = draw(history, width=width, height=height)
    assert (root.get("viewBox"), "not to scale above 3" in texts(root)) == (
        f"0 0 {width} {height}",
        height >= 170,
    )
    assert {float(each.get("font-size")) for each in elements(root, "text")} <= {12.0, 13.0}
    wide, high = Layout(width, height), (2 if height >= 170 else 1)
    for colour in (TRAIN, VALIDATION):
        drawn = curves(root, colour)
        assert len(drawn) == high and len(drawn[0]) == 4
        assert all(wide.left <= x <= wide.right and 0 <= y <= wide.bottom for each in drawn for x, y in each)
    for each in elements(root, "text"):  # all of it is inside the picture
        reach = 7.2 * len(each.text)
        x, y = float(each.get("x")), float(each.get("y"))
        left = dict(start=x, middle=x - reach / 2, end=x - reach)[each.get("text-anchor")]
        assert each.get("transform") or (left >= 0 and left + reach <= width), each.text
        assert 10 <= y <= height


def test_a_small_picture_has_fewer_numbers_beside_the_loss():
    def numbers(**size):
        drawing = LiveDrawing(make_history(), **size)
        root = ElementTree.fromstring(drawing.svg())
        top, bottom = drawing.layout.loss
        beside = elements(root, "text", **{"text-anchor": "end"})
        return [each.text for each in beside if top - 1 <= float(each.get("y")) <= bottom + 5]

    assert len(numbers()) > 2 and len(numbers(width=390, height=300)) == 2


def test_the_gap_is_shaded_and_written():
    root = draw(make_history(validation=(0.4, 0.6, 0.5), train=(0.5, 0.8, 1.0)))
    (shade,) = elements(root, "polygon")
    train, validation = (expected(row, 5, 1, ACCURACY) for row in ((0.5, 0.8, 1.0), (0.4, 0.6, 0.5)))
    assert pixels(shade) == [*train, *reversed(validation)]
    (label,) = [each for each in elements(root, "text") if each.text == "gap 50.0 points"]
    x, y = place(3, 5, 0.75, 1, ACCURACY)
    assert float(label.get("x")) > x and float(label.get("y")) == pytest.approx(y, abs=8)


def phase_marks(root):
    upright = [line for line in elements(root, "line") if line.get("x1") == line.get("x2")]
    return [float(line.get("x1")) for line in upright]


@pytest.mark.parametrize("planned", [2, 4])  # 4: stopped early, after two of them
def test_a_phase_is_marked_where_it_began_with_what_it_changed(planned):
    history = make_history()
    history.experiment = Experiment(epochs=planned, unfreeze=0, l2=0.01).then(unfreeze=3, l2=0, epochs=3)
    history.epochs[2]["phase"] = 2
    root = draw(history)
    between = LEFT + (RIGHT - LEFT) * 2 / (planned + 3)  # the second epoch ends there
    assert phase_marks(root) == [pytest.approx(between, abs=CLOSE)]
    (circle,) = [each for each in elements(root, "circle") if each.get("r") == "9"]
    assert (float(circle.get("cx")), float(circle.get("cy"))) == (
        pytest.approx(between, abs=CLOSE),
        ACCURACY[1],
    )
    words = {each.text: each for each in elements(root, "text")}
    assert {"unfreeze depth 3", "L2 off"} <= words.keys()
    heights = [float(words[text].get("y")) for text in ("unfreeze depth 3", "L2 off")]
    assert abs(heights[0] - heights[1]) >= 11  # pixels of the letters


def test_a_phase_that_has_not_begun_is_not_marked():
    history = make_history()
    history.experiment = Experiment(epochs=4, unfreeze=0).then(unfreeze=3)
    assert phase_marks(draw(history)) == [] and "unfreeze depth 3" not in texts(draw(history))


def in_phases(*phases, epochs=2):
    """A history of an experiment's phases, of two epochs each."""
    history = long_history(epochs * len(phases))
    history.experiment = Experiment(epochs=epochs, **phases[0])
    for changes in phases[1:]:
        history.experiment = history.experiment.then(**changes)
    for row in history.epochs:
        row["phase"] = 1 + (row["epoch"] - 1) // epochs
    return history


def test_the_phases_of_a_run_are_a_list():
    history = in_phases({}, dict(mixup=0.2, l2=0.01), {}, dict(augment={"width_shift": 0.1}))
    assert phase_list(history) == [
        "① from epoch 1: as it began",
        "② from epoch 3: L2 on, MixUp on",
        "③ from epoch 5: nothing changed",
        "④ from epoch 7: shift sideways on",
    ]
    del history.epochs[2:4]  # the second phase was changed before its first epoch
    assert phase_list(history)[1] == "③ from epoch 5: L2 on, MixUp on"
    assert phase_list(make_history()) == phase_list(History(Experiment())) == []
    assert phase_list(of_a_fit(Metric(), (0.5, 0.6), (0.4, 0.5))) == []
    assert phase_list(in_phases(*[{}] * 21))[-1].startswith("(21) from epoch 41")


def test_words_of_a_phase_stand_in_the_chart_only_where_they_fit():
    changes = dict(mixup=0.2), dict(augment=("flip",)), dict(mixup=0)
    roomy, tight = in_phases({}, *changes), in_phases({}, *changes, *[{}] * 30)
    assert {"MixUp on", "flip left-right on", "MixUp off"} <= {*texts(draw(roomy))}
    assert not {"MixUp on", "flip left-right on", "MixUp off"} & {*texts(draw(tight))}
    circles = [float(each.get("cx")) for each in elements(draw(tight), "circle") if each.get("r") == "9"]
    assert len(circles) > 5 and all(b - a >= 18 for a, b in itertools.pairwise(circles))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (dict(), dict(), []),
        (dict(epochs=3), dict(epochs=9), []),
        (dict(unfreeze=0), dict(unfreeze=3), ["unfreeze depth 3"]),
        (dict(unfreeze=3), dict(unfreeze=0), ["unfreeze depth 0"]),
        (dict(l2=0.01), dict(l2=0), ["L2 off"]),
        (dict(l2=0), dict(l2=0.01), ["L2 on"]),
        (dict(l2=0.1), dict(l2=0.01), ["L2 0.01"]),
        (dict(dropout=0.5), dict(dropout=0), ["dropout off"]),
        (dict(mixup=0), dict(mixup=0.2), ["MixUp on"]),
        (dict(mixup=0.2, cutmix=0.5), dict(mixup=0, cutmix=1), ["MixUp off", "CutMix 1"]),
        (dict(learning_rate=1e-3), dict(learning_rate=1e-5), ["learning rate 1e-05"]),
        (dict(batch_size=8), dict(batch_size=16), ["batch size 16"]),
        (dict(patience=3), dict(patience=None), ["patience off"]),
        (dict(fill_mode="nearest"), dict(fill_mode="wrap"), ["fill mode wrap"]),
        (dict(), dict(augment=("flip",)), ["flip left-right on"]),
        (dict(augment=("width_shift",)), dict(augment=()), ["shift sideways off"]),
        (dict(augment={"rotation": 20}), dict(augment={"rotation": 30}), ["rotation ±30°"]),
        (
            dict(augment={"flip": 1, "zoom": 0.2, "crop": 0.1}),
            dict(augment={"zoom": 0.2, "crop": 0.3, "erasing": 0.5}),
            ["random erasing on", "flip left-right off", "random crop 30 %"],
        ),
    ],
)
def test_what_a_phase_changed_in_words(before, after, words):
    before = Experiment(**before)
    assert what_changed(before, before.then(**after).phases[1]) == words


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_a_phase_calls_an_augmentation_by_the_word_of_its_switch(name):
    rule = AUGMENTATIONS[name]
    plain, on = Experiment(), Experiment(augment={name: rule.default})
    assert what_changed(plain, on) == [f"{rule.label} on"] and what_changed(on, plain) == [
        f"{rule.label} off"
    ]
    if rule.high > rule.low:
        stronger = Experiment(augment={name: rule.high})
        assert what_changed(on, stronger) == [f"{rule.label} {rule.written(rule.high)}"]


@pytest.mark.parametrize("epochs", [1, 2, POINTS - 1, POINTS, POINTS + 1, 2 * POINTS, 4800, 5000])
def test_long_runs_are_drawn_with_few_points_from_the_first_epoch_to_the_last(epochs):
    curve = curves(draw(long_history(epochs)), TRAIN)[0]
    assert min(epochs, POINTS / 2) <= len(curve) <= POINTS
    ends = [place(epoch, epochs, epoch / (epoch + 1), 1, ACCURACY) for epoch in (1, epochs)]
    assert [curve[0], curve[-1]] == [pytest.approx(end, abs=CLOSE) for end in ends]
    steps = [after[0] - before[0] for before, after in itertools.pairwise(curve)]
    assert all(step <= steps[0] + 2 * CLOSE for step in steps)  # evenly, apart from a shorter one at the end


def test_the_size_of_the_text_does_not_grow_with_the_epochs():
    runs = [long_history(epochs) for epochs in (POINTS, 20 * POINTS + 1)]
    few, many = (live_svg(run, {"other": one(long_history(len(run.epochs)))}) for run in runs)
    assert len(many) < 1.1 * len(few) < 60_000


@pytest.mark.parametrize("epochs", [1, 7, 10, 95, 5000, 100_000])
def test_epochs_are_numbered_readably(epochs):
    root = draw(History(Experiment(epochs=epochs)))
    below = [each for each in elements(root, "text") if each.get("y") == f"{LOSS[0] + 16:.1f}"]
    numbers = [int(each.text) for each in below]
    assert numbers[0] == 1 and numbers == sorted({*numbers}) and numbers[-1] <= epochs
    assert min(epochs, 4) <= len(numbers) <= 10
    for each, number in zip(below, numbers):
        assert float(each.get("x")) == pytest.approx(place(number, epochs, 0, 1, LOSS)[0], abs=CLOSE)


def test_names_do_not_become_markup():
    name = """</title><script>alert("1")</script> & 'more' <b>"""
    text = live_svg(make_history(), {name: one(make_history())})
    assert "<script" not in text and "<b>" not in text and html.escape(name) in text
    assert [each.text for each in ElementTree.fromstring(text).iter(NAMESPACE + "title")] == [
        name,
        "this run",
    ]


def test_an_empty_history_has_axes_and_no_curves():
    root = draw(History(Experiment(epochs=7)))
    assert root.get("aria-label") == "No epoch finished yet."
    assert [elements(root, kind) for kind in ("polyline", "polygon", "circle")] == [[], [], []]
    assert {"accuracy", "loss", "epoch", "0%", "100%", "7"} <= set(texts(root))


def test_an_empty_history_shows_earlier_runs():
    runs = {"earlier": one(make_history()), "stopped at once": one(History(Experiment()))}
    assert len(elements(draw(History(Experiment(epochs=5)), runs), "polyline")) == 4


ROOM = LOSS[0] - LOSS[1]


def height(pair):
    return LOSS[0] - pair[1]


@pytest.mark.parametrize("spike", [1e9, math.inf, math.nan])
def test_a_spike_of_the_loss_does_not_press_the_others_flat(spike):
    usual = [2.0, 1.5, 1.0, 1.2]
    text = live_svg(with_losses([*usual, spike, 1.0]))
    assert "nan" not in text and "inf" not in text
    _, loss = curves(ElementTree.fromstring(text), TRAIN)
    assert all(0 <= height(point) <= ROOM for point in loss)
    assert height(loss[0]) > ROOM / 4 and height(loss[0]) - height(loss[2]) > ROOM / 8
    if not math.isnan(
        spike
    ):  # what is no number has no place; what is too high is above all others, and that is said
        assert height(loss[4]) == pytest.approx(ROOM, abs=1 + CLOSE)
        assert "not to scale above 2" in text
    assert len(loss) == (5 if math.isnan(spike) else 6)


@pytest.mark.parametrize(
    "losses", [[math.inf, 1.0], [math.nan, math.nan], [1.0, math.nan], [0.0, 0.0], [-1.0, -1.0]]
)
def test_losses_that_are_no_numbers_or_nothing_leave_a_chart(losses):
    text = live_svg(with_losses(losses))
    assert "nan" not in text and "inf" not in text
    root = ElementTree.fromstring(text)
    assert len(curves(root, TRAIN)[0]) == 2
    for curve in curves(root, TRAIN)[1:]:
        assert all(0 <= height(point) <= ROOM for point in curve)


def test_an_earlier_run_that_went_astray_does_not_press_this_one_flat():
    root = draw(make_history(), {"astray": one(with_losses([1.0, 1e9, 1e9]))})
    _, loss = curves(root, RUNS[0])
    assert height(loss[0]) > ROOM / 2


def with_both(train, validation):
    history = long_history(len(train))
    for row, *losses in zip(history.epochs, train, validation):
        row["train_loss"], row["validation_loss"] = losses
    return history


def heights(history, colour):
    return [height(point) for point in curves(draw(history), colour)[1]]


def test_a_validation_loss_that_rises_is_seen_rising():
    """The very picture of overfitting."""
    history = with_both([0.3, 0.1, 0.05, 0.03, 0.01], [0.8, 0.95, 1.2, 1.6, 2.1])
    rising = heights(history, VALIDATION)
    assert all(after - before > 5 for before, after in itertools.pairwise(rising)), "pixels"
    late = with_both([0.3 / epoch for epoch in range(1, 26)], [0.3] * 20 + [0.8, 1.3, 1.9, 2.4, 3.0])
    rising = heights(late, VALIDATION)[-6:]
    assert all(after - before > 5 for before, after in itertools.pairwise(rising))


def test_a_high_start_leaves_the_rest_to_be_read():
    losses = [7.0, 3.0, 1.2, 0.6, 0.4, 0.3, 0.25, 0.22, 0.2, 0.21, 0.23, 0.26, 0.3, 0.35, 0.4]
    drawn = heights(with_both(losses, losses), VALIDATION)
    assert drawn[4] - drawn[8] > 12 and drawn[-1] - drawn[8] > 12, "pixels; on a linear axis they were 3"
    assert any(each.startswith("logarithmic above 0.3") for each in texts(draw(with_both(losses, losses))))


def test_a_linear_axis_says_nothing_of_its_kind():
    assert not [each for each in texts(draw(make_history())) if "above" in each]


def test_negative_losses_have_their_place():
    falling = heights(with_losses([-1.0, -2.0, -4.0, -9.0]), TRAIN)
    assert falling == sorted(falling, reverse=True) and falling[-1] == pytest.approx(0, abs=CLOSE)
    assert falling[0] - falling[1] == pytest.approx((falling[2] - falling[3]) / 5, abs=2 * CLOSE)
    across = draw(with_losses([1.0, -1.0, -300.0, -2.0, -1.5]))
    assert "logarithmic beyond ±1.5" in texts(across) and {"0", "-20", "-200"} <= {*texts(across)}


def hostile_losses():
    rng = random.Random(0)
    for _ in range(200):
        size, spread = 10 ** rng.uniform(-12, 12), rng.uniform(0, 6)
        values = [size * 10 ** rng.uniform(-spread, spread) * rng.choice((1, 1, 1, -1)) for _ in range(12)]
        yield values + [0.0] * rng.randint(0, 3) + [math.inf] * rng.randint(0, 1)
    yield from (
        [1.0, 1e300, 1e308],
        [5e-324, 1.0, 1.0],
        [1e308, -1e308],
        [-math.inf, 1.0],
        [0.0, math.inf],
        [-5.0],
    )
    yield from ([5e-324] * 5 + [1.0], [1.7e308] * 3, [1e-310, 2e-310], [-1.7e308, 1.7e308, 1.0])


def test_a_larger_value_is_never_drawn_lower():
    for values in hostile_losses():
        scale = fitted(values, *reversed(LOSS))
        drawn = [scale.y(value) for value in sorted(values)]
        assert drawn == sorted(drawn, reverse=True) and all(LOSS[1] <= y <= LOSS[0] for y in drawn), values
        ticks = scale.ticks()
        places = [scale.y(tick) for tick in ticks]
        assert len(ticks) <= 6 and ticks == sorted({*ticks}) and all(map(math.isfinite, ticks)), values
        assert all(below - above > 12 for below, above in itertools.pairwise(places)), "letters are as high"


def test_what_is_above_the_scale_is_ordered_too():
    values = [1.0, 1.1, 2 * FAR, 5 * FAR, 1e9, math.inf]
    scale = fitted([*values, *[1.0] * 9], *reversed(LOSS))
    drawn = [scale.y(value) for value in values]
    assert all(before - after >= 0.1 for before, after in itertools.pairwise(drawn)), (
        "the last digit that is written"
    )
    assert drawn[1] == LOSS[1] + STRIP and drawn[-1] == LOSS[1]
    assert scale.ticks()[-1] == 1e9 and scale.note() == "not to scale above 1.1"


def of_a_fit(metric, train, validation, first=1, planned=5):
    history = make_history(train=train, validation=validation)
    history.experiment = Fit(planned, metric)
    for place, row in enumerate(history.epochs):
        row["epoch"] = first + place
    return history


def test_a_metric_that_is_no_share_has_a_scale_of_its_own():
    root = draw(of_a_fit(Metric("far_off", is_share=False), (1.0, 4.0), (2.0, 3.0)))
    assert curves(root, TRAIN)[0] == expected((1, 4), 5, 4, ACCURACY)
    assert {"far_off", "gap 1"} <= {*texts(root)} and not [each for each in texts(root) if "%" in each]


def test_what_was_not_measured_is_not_drawn():
    root = draw(of_a_fit(Metric(), (0.5, 0.6, 0.7), (0.4, math.nan, 0.5)))
    assert len(curves(root, TRAIN)[0]) == 3 and len(curves(root, VALIDATION)[0]) == 2
    assert len(pixels(*elements(root, "polygon"))) == 4
    root = draw(of_a_fit(Metric(), (0.5, 0.6), (math.nan, math.nan)))
    assert len(curves(root, VALIDATION)) == 0 and elements(root, "polygon") == []
    assert not [each for each in texts(root) if each.startswith("gap")]


def test_the_axis_begins_with_the_first_epoch_that_there_is():
    root = draw(of_a_fit(Metric(), (0.5, 0.6), (0.4, 0.5), first=51, planned=54))
    assert curves(root, TRAIN)[0] == expected((0.5, 0.6), 4, 1, ACCURACY)
    below = [each.text for each in elements(root, "text") if each.get("y") == f"{LOSS[0] + 16:.1f}"]
    assert below == ["51", "52", "53", "54"]


@pytest.mark.parametrize(("done", "shown"), [(1, 100), (100, 100), (101, 200), (201, 400), (60_000, 102_400)])
def test_the_first_of_very_many_epochs_can_be_told_apart(done, shown):
    history = long_history(done)
    history.experiment = Fit(200_000, Metric())
    assert curves(draw(history), TRAIN)[0][-1][0] == pytest.approx(
        place(done, shown, 0, 1, ACCURACY)[0], abs=CLOSE
    )


def test_a_metric_may_be_called_anything():
    history = make_history()
    history.experiment = Fit(9, Metric("{far}{0}$\\frac{$", is_share=False))
    assert "Train {far}{0}$\\frac{$ from" in html.unescape(live_svg(history))


def test_long_names_of_a_metric_fit_beside_their_axis():
    root = draw(of_a_fit(Metric("a" * 90), (0.5, 0.6), (0.4, 0.5)))
    (name,) = [each.text for each in elements(root, "text") if each.text.startswith("aaa")]
    assert 7.2 * len(name) <= ACCURACY[0] - ACCURACY[1] and "…" in name


def readings(*arguments, **options):
    return LiveDrawing(*arguments, **options).readings()


def test_a_reading_has_the_figures_of_an_epoch_at_its_place():
    history = with_memorised(with_source(make_history(), (0.9, 0.8, 0.7)), (0.0, 0.3, 0.6))
    found = readings(history)
    assert [each["x"] for each in found] == [
        pytest.approx(place(epoch, 5, 0, 1, LOSS)[0], abs=CLOSE) for epoch in (1, 2, 3)
    ]
    assert found[2]["lines"] == [
        "epoch 3",
        "train 100.0%, validation 50.0%, gap 50.0",
        "loss: train 0, validation 0.5",
        "source task 70.0%, wrong labels memorised 60.0%",
    ]
    assert readings(History(Experiment())) == []


def test_a_reading_has_a_line_for_each_run_that_has_the_epoch():
    first, short = make_history(), make_history(train=(0.9, 0.8), validation=(0.7, 0.6))
    three = Shown(with_seeds((0.2, 0.4, 0.9), (0.4, 0.6, 0.6), (0.6, 0.8, 0.6)), "C")
    found = readings(first, {"short": one(short, "B"), "three": three}, letter="A")
    assert found[1]["lines"] == [
        "epoch 2",
        "A: train 80.0%, validation 60.0%, gap 20.0",
        "B: train 80.0%, validation 60.0%, gap 20.0",
        "C, mean of 3: train 100.0%, validation 60.0%, gap 40.0",
    ]
    assert [each[0] for each in found[2]["lines"]] == ["e", "A", "C"], "B ended before"
    two = readings(first, {"short": one(short)}, letter="A")[0]["lines"]
    assert two[1:3] == ["A: train 50.0%, validation 40.0%, gap 10.0", "A loss: train 0.5, validation 0.6"]
    assert two[3:] == [
        "short: train 90.0%, validation 70.0%, gap 20.0",
        "short loss: train 0.1, validation 0.3",
    ]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_box_of_a_reading_takes_half_of_the_picture_at_most_and_says_what_it_leaves_out(width, height):
    runs = {f"run {number}": one(make_history()) for number in range(20)}
    for each in readings(make_history(), runs, letter="A", width=width, height=height):
        lines = each["lines"]
        assert len(lines) == max(3, min(12, height // 36)) and lines[1].startswith("A: ")
        assert lines[-1] == f"and {21 - (len(lines) - 2)} more"


@pytest.mark.parametrize("epochs", [1, 2, POINTS, POINTS + 1, 5000])
def test_readings_are_as_many_as_the_points_of_a_curve(epochs):
    history = long_history(epochs)
    found = readings(history, {"short": one(long_history(min(7, epochs)))})
    assert len(found) == len(curves(draw(history), TRAIN)[0])
    for each in (found[0], found[len(found) // 2], found[-1]):
        epoch = int(each["lines"][0].removeprefix("epoch "))
        assert each["x"] == pytest.approx(place(epoch, epochs, 0, 1, LOSS)[0], abs=CLOSE)
        row = history.epochs[epoch - 1]
        assert (
            f"train {row['train_accuracy']:.1%}, validation {row['validation_accuracy']:.1%}"
            in each["lines"][1]
        )


def test_readings_find_epochs_that_are_not_numbered_one_after_the_other():
    history = of_a_fit(Metric("far_off", is_share=False), (1.0, 4.0), (2.0, math.nan), first=51)
    history.epochs[1]["epoch"] = 55
    history.epochs[1]["gap"] = math.nan
    found = {each["lines"][0]: each["lines"][1:] for each in readings(history)}
    assert found["epoch 51"][0] == "train 1, validation 2, gap -1" and found["epoch 53"] == []
    assert found["epoch 55"][0] == "train 4"


def grown(memo, history, rows, runs, **options):
    """What is drawn and read while a history grows, with one memo."""
    for row in rows:
        history.epochs.append(row)
        drawing = LiveDrawing(history, runs, memo, **options)
        yield drawing.svg(), drawing.readings()


def test_what_is_not_made_again_is_what_would_have_been_made():
    runs = {"a": one(long_history(30), "A"), "three": Shown(with_seeds((0.2, 0.4), (0.4, 0.6)))}
    rows, history, memo = long_history(260).epochs, History(Experiment(epochs=300)), Memo()
    history.epochs = rows[:220]
    for number, found in enumerate(grown(memo, history, rows[220:], runs)):
        if number % 10 == 0:
            fresh = LiveDrawing(history, runs)
            assert found == (fresh.svg(), fresh.readings())
    del history.epochs[5:]  # a run that goes on anew from its fifth epoch
    other = [row | dict(train_accuracy=0.1, validation_accuracy=0.05, gap=0.05) for row in rows[5:30]]
    *_, found = grown(memo, history, other, runs)
    fresh = LiveDrawing(history, runs)
    assert found == (fresh.svg(), fresh.readings())


def test_a_memo_holds_what_the_latest_drawing_used_and_nothing_else():
    gone, memo = long_history(5), Memo()
    LiveDrawing(make_history(), {"gone": one(gone)}, memo).svg()
    freed = weakref.ref(gone)
    del gone
    LiveDrawing(make_history(), {}, memo).svg()
    LiveDrawing(make_history(), {}, memo).svg()
    gc.collect()
    assert freed() is None


def test_curves_of_thirty_runs_that_have_ended_are_drawn_once(monkeypatch):
    drawn = []
    monkeypatch.setattr(charts_live, "curve", lambda *given, **look: drawn.append(given) or "")
    runs = {f"run {seed}": one(long_history(40)) for seed in range(30)}
    counts = []
    for _ in grown(Memo(), History(Experiment(epochs=40)), long_history(40).epochs, runs):
        counts.append(len(drawn))
        drawn.clear()
    assert counts[0] == 31 * 4 and sorted(counts)[len(counts) // 2] == 4, "those of the run that goes on"


def test_the_mini_chart_has_both_curves_and_says_how_they_end():
    root = ElementTree.fromstring(mini_svg(make_history(validation=(0.4, 0.6, 0.5)), 120, 32))
    assert root.get("viewBox") == "0 0 120 32" and not elements(root, "text")
    assert root.get("aria-label") == "Epoch 3 of 5: train 100.0%, validation 50.0%, gap 50.0 points."
    for colour, values in ((TRAIN, (0.5, 0.8, 1.0)), (VALIDATION, (0.4, 0.6, 0.5))):
        (line,) = elements(root, "polyline", stroke=colour)
        assert pixels(line) == [
            pytest.approx((4 + 112 * (number + 0.5) / 5, 28 - 24 * value), abs=CLOSE)
            for number, value in enumerate(values)
        ]
    stopped = ElementTree.fromstring(mini_svg(kept_second(0.4, 0.6, 0.5), 120, 32))
    assert dots(stopped, VALIDATION) == [pytest.approx((4 + 112 * 1.5 / 5, 28 - 24 * 0.6), abs=CLOSE)]
    assert "The weights of epoch 2 are kept: train 90.0%, validation 60.0%" in stopped.get("aria-label")
    empty = ElementTree.fromstring(mini_svg(History(Experiment())))
    assert not elements(empty, "polyline") and empty.get("aria-label") == "No epoch finished yet."


def theme(name):
    """The variables of a theme of JupyterLab, as its stylesheet has them."""
    path = Path(sys.prefix, f"share/jupyter/lab/themes/@jupyterlab/theme-{name}-extension/index.css")
    return dict(re.findall(r"(--[\w-]+):\s*([^;}]+)", path.read_text()))


def channels(colour, variables, ground=(255, 255, 255)):
    """Red, green and blue of a colour, 0-255, on its ground."""
    colour = colour.strip()
    if found := re.fullmatch(r"var\((--[\w-]+)(?:,(.*))?\)", colour):
        return channels(variables.get(found[1], found[2]), variables, ground)
    if found := re.fullmatch(r"color-mix\(in srgb,(#\w+),(.*)\)", colour):
        pair = (channels(each, variables, ground) for each in found.groups())
        return tuple((one + other) / 2 for one, other in zip(*pair))
    if found := re.fullmatch(r"rgba\((\d+), ?(\d+), ?(\d+), ?([\d.]+)\)", colour):
        *parts, opacity = map(float, found.groups())
        return tuple(opacity * part + (1 - opacity) * under for part, under in zip(parts, ground))
    digits = {"white": "ffffff", "black": "000000"}.get(colour, colour.removeprefix("#"))
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    return tuple(int(digits[place : place + 2], 16) for place in (0, 2, 4))


def luminance(colour):
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear))


def contrast(one, other):
    """WCAG 2.2, from 1 to 21."""
    low, high = sorted(luminance([part / 255 for part in colour]) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["light", "dark", "dark-high-contrast", None], ids=str)
def test_everything_can_be_read_on_every_theme(name):
    """4.5 for letters, 3 for what a curve is told by; None is a page without a theme, as a run card is."""
    variables = theme(name) if name else {}
    text = live_svg(with_memorised(with_source(make_history(), (1, 1, 1)), (0, 0, 0)), logged=True)
    plain = text.partition("@media")[0]
    rules = dict(re.findall(r'\.vgglab-chart \[(?:stroke|fill)="(#\w+)"\]\{\w+:([^}]+)\}', plain))

    def seen(colour, ground=(255, 255, 255)):
        return channels(rules.get(colour, colour), variables, ground)

    ground = seen(GROUND)
    assert (luminance([part / 255 for part in ground]) < 0.02) == bool(name and "dark" in name)
    root = ElementTree.fromstring(text)
    for colour in {*RUNS, *(each.get("stroke") for each in elements(root, "polyline"))}:
        assert contrast(seen(colour, ground), ground) >= 3, colour
    for colour in {each.get("fill") for each in elements(root, "text")}:
        assert contrast(seen(colour, ground), ground) >= 4.5, colour
    if name != "dark-high-contrast":  # which wants every line to be seen
        assert contrast(seen(GRID, ground), ground) < 2, "lines that help to read stay behind what is read"


def test_where_no_variable_is_known_the_colours_stand_by_themselves():
    """In a file that another program shows: the first thing drawn is the ground, and each colour is a plain one."""
    root = draw(make_history())
    ground = root.find(NAMESPACE + "rect")
    assert (ground.get("fill"), ground.get("width"), ground.get("height")) == (GROUND, "720", "470")
    painted = [each.get(name) for each in root.iter() for name in ("fill", "stroke") if each.get(name)]
    assert {GREY, GRID, TRAIN} <= {*painted} and all(
        re.fullmatch("none|#[0-9a-f]{6}", each) for each in painted
    )
    assert contrast(channels(GREY, {}), channels(GROUND, {})) >= 4.5


# What people with protanopia, deuteranopia and tritanopia see of linear red, green and blue (Machado et al. 2009).
SIGHT = {
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def opponents(colour, sight):
    """Lightness and two opponent colours (OKLab, Ottosson 2020) as somebody with this sight sees them."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    seen = [min(max(sum(a * b for a, b in zip(row, linear)), 0), 1) for row in sight]
    cones = (
        (0.4122214708, 0.5363325363, 0.0514459929),
        (0.2119034982, 0.6806995451, 0.1073969566),
        (0.0883024619, 0.2817188376, 0.6299787005),
    )
    long, middle, short = (sum(a * b for a, b in zip(row, seen)) ** (1 / 3) for row in cones)
    return (
        0.2104542553 * long + 0.793617785 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.428592205 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.808675766 * short,
    )


@pytest.mark.parametrize("sight", [((1, 0, 0), (0, 1, 0), (0, 0, 1)), *SIGHT.values()], ids=["any", *SIGHT])
def test_runs_are_told_apart_by_any_kind_of_colour_vision(sight):
    found = [opponents([part / 255 for part in channels(each, {})], sight) for each in RUNS]
    assert len(found) == 6 and min(math.dist(*pair) for pair in itertools.combinations(found, 2)) > 0.14


def test_runs_stand_out_from_white_and_from_dark():
    for colour in RUNS:
        assert min(contrast(channels(colour, {}), ground) for ground in ((255, 255, 255), (17, 17, 17))) >= 3


def test_who_asks_for_contrast_gets_thick_lines_and_the_colour_of_text():
    text = live_svg(make_history(), {"other": one(make_history())})
    more, forced = (
        text.partition(f"@media ({media}){{")[2].partition("}}")[0] + "}"
        for media in ("prefers-contrast:more", "forced-colors:active")
    )
    root = ElementTree.fromstring(text)
    for rules, paint in ((more, "var(--vgglab-text,"), (forced, "CanvasText")):
        painted = dict(re.findall(r'\[fill="(#\w+)"\]\{fill:([^}]+)\}', rules))
        assert all(painted[colour].startswith(paint) for colour in (GREY, MARK))
        assert painted[GRID] in (MARK, "GrayText"), "still behind what is read"
        widths = dict(re.findall(r'polyline\[stroke-width="([\d.]+)"\]\{stroke-width:([\d.]+)\}', rules))
        assert widths.keys() == {each.get("stroke-width") for each in elements(root, "polyline")}
        assert all(float(now) >= 1.5 * float(was) for was, now in widths.items())
    assert f'[fill="{GROUND}"]{{fill:Canvas}}' in forced


@pytest.mark.parametrize("sight", SIGHT.values(), ids=SIGHT)
def test_train_and_validation_are_told_apart_by_any_kind_of_colour_vision(sight):
    pair = [opponents([part / 255 for part in channels(each, {})], sight) for each in (TRAIN, VALIDATION)]
    assert math.dist(*pair) > 0.2  # ten times what is just noticeable


def test_a_growing_chart_is_spoken_of_now_and_then(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(live.time, "perf_counter", lambda: now[0])
    history = long_history(60)
    rows, history.epochs = history.epochs, []
    chart = LiveChart(history.experiment)
    spoken, seen = [], []
    chart._spoken.observe(lambda change: spoken.append(change["new"]), "value")
    chart._status.observe(lambda change: seen.append(change["new"]), "value")
    for row in rows:  # an epoch each half second; the second phase begins with the last five
        history.epochs.append(row | dict(phase=1 + (row["epoch"] > 55)))
        now[0] += 0.5
        chart.update(history)
    assert len(seen) == 60 and [re.search(r"Epoch (\d+)", each)[1] for each in spoken] == [
        "1",
        "21",
        "41",
        "56",
    ]
    assert all('role="status"' in each for each in spoken) and not any("role=" in each for each in seen)
    chart.draw(history)
    assert "Epoch 60 of 60" in spoken[-1] and len(spoken) == 5
    chart.say("Stopped.")
    assert "Stopped." in spoken[-1] and "Stopped." in seen[-1] and chart.text == "Stopped."


def test_the_chart_is_drawn_at_the_size_of_its_place():
    chart = LiveChart(Experiment(epochs=5), letter="A")
    chart.runs = {"other": one(make_history(), "B")}
    chart.draw(make_history())
    assert chart.static() == chart.picture.svg and 'viewBox="0 0 720 470"' in chart.static()
    chart.picture.set_state(dict(width=390, height=160))  # as the browser reports it
    assert chart.static() == live_svg(make_history(), chart.runs, letter="A", width=390, height=160)
    drawing = LiveDrawing(make_history(), chart.runs, letter="A", width=390, height=160)
    assert chart.picture.readings == drawing.readings()
    chart.picture.set_state(dict(width=0, height=-4))
    assert ElementTree.fromstring(chart.static()).get("viewBox") == "0 0 160 90"


def test_the_picture_and_its_readings_come_together():
    chart = LiveChart(Experiment(epochs=5))
    sent = []
    chart.picture.send_state = lambda key=None: sent.append({key} if isinstance(key, str) else set(key))
    chart.draw(make_history())
    assert sent == [{"svg", "readings"}]


def test_drawing_takes_a_fiftieth_of_the_time_at_most(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(live.time, "perf_counter", lambda: now[0])
    chart, drawn = LiveChart(Experiment(epochs=400)), []

    def slowly(self):
        now[0] += 0.03
        drawn.append(now[0])
        return ""

    monkeypatch.setattr(LiveDrawing, "svg", slowly)
    history = long_history(3)
    begin = now[0]
    for _ in range(400):
        now[0] += 0.05
        chart.update(history)
    assert len(drawn) > 8 and 0.03 * len(drawn) <= 0.021 * (now[0] - begin)


def test_a_drawing_that_took_long_does_not_stop_the_chart(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    chart = LiveChart(Experiment(epochs=5))
    chart._cost = 9.0
    history = make_history()
    now[0] += 1.9
    chart.update(history)
    assert "Epoch 3" not in chart.text
    now[0] += 0.2
    chart.update(history)
    assert "Epoch 3" in chart.text


class Late:
    """A lock that something happens before, once."""

    def __init__(self, lock, happens):
        self.lock, self.happens = lock, [happens]

    def __enter__(self):
        while self.happens:
            self.happens.pop()()
        return self.lock.__enter__()

    def __exit__(self, *error):
        return self.lock.__exit__(*error)


def test_a_chart_that_gets_another_size_shows_the_run_that_was_shown_last():
    chart, new = LiveChart(Experiment(epochs=5)), make_history()
    chart._lock = Late(chart._lock, lambda: chart.draw(new))  # a run begins in its thread at that very moment
    chart.picture.set_state(dict(width=390))
    assert chart.static() == live_svg(new, width=390)


def test_what_an_update_left_out_is_shown_when_it_is_asked_for(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    chart, history = LiveChart(Experiment(epochs=5)), make_history()
    assert not chart.flush(), "nothing was left out"
    rows, history.epochs = history.epochs, []
    for row in rows:
        history.epochs.append(row)
        assert not chart.update(history, "Note.") and "No epoch" in chart.text
    assert chart.flush() and chart.text.startswith("Epoch 3 of 5") and chart.text.endswith("points Note.")
    assert chart.static() == live_svg(history) and "Epoch 3" in chart._spoken.value
    assert not chart.flush(), "it was shown"
    now[0] += 9
    assert chart.update(history) and not chart.flush()
    assert not chart.update(history)
    chart.draw(make_history(validation=(0.1,), train=(0.2,)))  # another run
    assert not chart.flush() and "Epoch 1" in chart.text


def test_the_line_under_the_chart_says_which_weights_were_kept():
    chart = LiveChart(Experiment(epochs=5))
    chart.draw(kept_second(0.5, 0.85, 0.7), "Note.")
    assert chart.text == (
        "Epoch 3 of 5: train 100.0%, validation 70.0%, gap 30.0 points. "
        "The weights of epoch 2 are kept: train 90.0%, validation 85.0%, gap 5.0 points Note."
    )


def finished(epochs, seconds=2.0):
    history = long_history(epochs)
    for row in history.epochs:
        row["seconds"] = seconds
    return history


def test_the_bar_goes_with_the_images_and_the_epochs():
    bar = Progress()
    bar.begin(4, finished=1)
    assert bar.bar.value == 0.25 and bar.left.value == ""
    bar.move(8, 8)
    assert bar.bar.value == 0.5
    bar.count(finished(2))
    assert bar.bar.value == 0.5 and bar.left.value == "epoch 2 of 4, 4 s left"


def test_a_run_that_ends_before_what_was_planned_has_a_full_bar_and_a_stopped_one_has_not():
    bar = Progress()
    bar.begin(20)
    bar.count(finished(6))
    assert bar.bar.value == 0.3, "as a stopped one leaves it"
    bar.finish()
    assert bar.bar.value == 1
    bar.begin(20)
    assert bar.bar.value == 0


def test_no_fewer_epochs_are_planned_than_there_are(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(panel_progress.time, "monotonic", lambda: now[0])
    bar = Progress()
    bar.begin(8)
    bar.count(finished(5))
    now[0] += 3
    bar.move(4, 8)
    bar.planned = 3  # which takes effect after the epoch that goes on, the sixth
    assert bar.planned == 6
    now[0] += 1
    bar.move(8, 8)
    assert bar.left.value == "epoch 6 of 6, 8 of 8 images" and bar.bar.value == 1
    bar.count(finished(6))
    assert bar.left.value == "epoch 6 of 6, 0 s left" and bar.bar.value == 1
    bar.planned = 5
    bar.paused = True
    bar.say("")
    assert bar.left.value == "paused after epoch 6 of 6; Resume goes on"
    bar.planned = 9
    assert bar.planned == 9
    bar.begin(2)
    assert bar.planned == 2


def test_of_several_runs_in_turn_the_time_left_is_that_of_all():
    bar = Progress()
    bar.begin(20, which="seed 2 of 5:", later=3)
    bar.count(finished(3, seconds=0.5))
    assert bar.left.value == f"seed 2 of 5: epoch 3 of 20, {(17 + 3 * 20) * 0.5:.0f} s left in all"
    assert bar.bar.value == 0.15
    bar.begin(20, which="seed 5 of 5:")
    bar.count(finished(3, seconds=0.5))
    assert bar.left.value == f"seed 5 of 5: epoch 3 of 20, {17 * 0.5:.0f} s left"


def test_a_chart_that_was_closed_is_freed():
    chart = LiveChart(Experiment(epochs=5))
    chart.draw(make_history())
    freed = [weakref.ref(chart), weakref.ref(chart.picture)]
    for each in (*chart.children, chart):
        each.close()
    del chart, each
    gc.collect()
    assert [each() for each in freed] == [None, None]
