"""The live chart: its pixels are computed here once more, from the rows."""

import html
import itertools
import math
from xml.etree import ElementTree

import pytest

from test_history import make_history
from vgglab.charts.live import LOGGED, MEMORISED, POINTS, SOURCE, TRAIN, VALIDATION, live_svg
from vgglab.experiment import Experiment, what_changed
from vgglab.history import History

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


def test_it_is_an_image_whose_text_alternative_is_the_summary():
    history = make_history()
    root = draw(history)
    assert root.tag == NAMESPACE + "svg" and root.get("role") == "img"
    assert root.get("aria-label") == "Epoch 3 of 5: train 100.0%, validation 50.0%, gap 50.0 points"


def test_curves_pass_through_the_rows():
    root = draw(make_history(validation=(0.4, 0.6, 0.5), train=(0.5, 0.8, 1.0)))
    accuracy, loss = curves(root, TRAIN)
    assert accuracy == expected((0.5, 0.8, 1.0), 5, 1, ACCURACY)
    assert loss == expected((0.5, 0.2, 0.0), 5, 0.6, LOSS)
    accuracy, loss = curves(root, VALIDATION)
    assert accuracy == expected((0.4, 0.6, 0.5), 5, 1, ACCURACY)
    assert loss == expected((0.6, 0.4, 0.5), 5, 0.6, LOSS)


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
    assert "wrong labels known by heart" in texts(root)
    assert root.get("aria-label").endswith("70% of the wrong labels known by heart")
    for history in (make_history(), with_memorised(make_history(), (None, None, None))):
        root = draw(history)
        assert curves(root, MEMORISED) == [] and "wrong labels known by heart" not in texts(root)


def test_earlier_runs_are_thin_and_named_behind_the_present_one():
    root = draw(make_history(), {"first": make_history(train=(0.1, 0.2)), "second": make_history()})
    groups = elements(root, "g")
    assert [group.find(NAMESPACE + "title").text for group in groups] == ["first", "second"]
    assert [len(elements(group, "polyline")) for group in groups] == [4, 4]
    assert len(curves(root, TRAIN, width="1")) == 4 and len(curves(root, TRAIN)) == 2
    assert curves(groups[0], TRAIN, width="1") == [
        expected((0.1, 0.2), 5, 1, ACCURACY),
        expected((0.9, 0.8), 5, 0.9, LOSS),
    ]
    order = list(root)
    last_ghost, first_curve = order.index(groups[-1]), order.index(root.find(NAMESPACE + "polyline"))
    assert last_ghost < first_curve and "thin: earlier runs" in texts(root)


def test_without_earlier_runs_nothing_is_said_of_them():
    root = draw(make_history())
    assert elements(root, "g") == [] and "thin: earlier runs" not in texts(root)


def test_the_axis_is_as_long_as_the_longest_run():
    root = draw(make_history(train=(0.5, 0.8), validation=(0.4, 0.6)), {"longer": long_history(20)})
    assert curves(root, TRAIN)[0] == expected((0.5, 0.8), 20, 1, ACCURACY)


def test_the_legend_fits_beside_itself():
    root = draw(with_source(make_history(), (1, 1, 1)), {"other": make_history()}, logged=True)
    legend = [each for each in elements(root, "text") if each.get("y") == "28.0"]
    ends = [float(each.get("x")) + 7.2 * len(each.text) for each in legend]
    assert len(legend) == 5 and ends[-1] <= WIDTH
    assert all(end < float(each.get("x")) for end, each in zip(ends, legend[1:]))


def test_a_full_legend_takes_a_second_row():
    history = with_memorised(with_source(make_history(), (1, 1, 1)), (0, 0, 0))
    root = draw(history, {"other": make_history()}, logged=True)
    names = {"train", "validation", "as Keras logs it", "source task", "wrong labels known by heart"}
    legend = [each for each in elements(root, "text") if each.text in {*names, "thin: earlier runs"}]
    rows = {}
    for each in legend:
        rows.setdefault(float(each.get("y")), []).append(each)
    assert len(legend) == 6 and len(rows) == 2
    first, second = sorted(rows)
    assert second - first >= 11 and second < ACCURACY[1], "above the curves, and not on each other"
    for row in rows.values():
        ends = [float(each.get("x")) + 7.2 * len(each.text) for each in row]
        assert ends[-1] <= WIDTH
        assert all(end < float(each.get("x")) for end, each in zip(ends, row[1:]))
    for each in legend[:-1]:  # beside each name the line that it names
        x, y = float(each.get("x")), float(each.get("y"))
        assert elements(root, "line", x2=f"{x - 6}", y1=f"{y - 4:g}")


def test_the_gap_is_shaded_and_written():
    root = draw(make_history(validation=(0.4, 0.6, 0.5), train=(0.5, 0.8, 1.0)))
    (shade,) = elements(root, "polygon")
    train, validation = (expected(row, 5, 1, ACCURACY) for row in ((0.5, 0.8, 1.0), (0.4, 0.6, 0.5)))
    assert pixels(shade) == [*train, *reversed(validation)]
    (label,) = [each for each in elements(root, "text") if each.text == "gap 50 points"]
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
    words = {each.text: each for each in elements(root, "text")}
    assert {"unfreeze depth 3", "L2 off"} <= words.keys()
    heights = [float(words[text].get("y")) for text in ("unfreeze depth 3", "L2 off")]
    assert abs(heights[0] - heights[1]) >= 11  # pixels of the letters


def test_a_phase_that_has_not_begun_is_not_marked():
    history = make_history()
    history.experiment = Experiment(epochs=4, unfreeze=0).then(unfreeze=3)
    assert phase_marks(draw(history)) == [] and "unfreeze depth 3" not in texts(draw(history))


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
        (dict(), dict(augment=("flip",)), ["flip on"]),
        (dict(augment=("width_shift",)), dict(augment=()), ["width shift off"]),
        (dict(augment={"rotation": 20}), dict(augment={"rotation": 30}), ["rotation 30"]),
        (
            dict(augment={"flip": 1, "zoom": 0.2, "crop": 0.1}),
            dict(augment={"zoom": 0.2, "crop": 0.3, "erasing": 0.5}),
            ["erasing on", "flip off", "crop 0.3"],
        ),
    ],
)
def test_what_a_phase_changed_in_words(before, after, words):
    before = Experiment(**before)
    assert what_changed(before, before.then(**after).phases[1]) == words


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
    few, many = (live_svg(run, {"ghost": run}) for run in runs)
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
    text = live_svg(make_history(), {name: make_history()})
    assert "<script" not in text and "<b>" not in text and html.escape(name) in text
    (title,) = ElementTree.fromstring(text).iter(NAMESPACE + "title")
    assert title.text == name


def test_an_empty_history_has_axes_and_no_curves():
    root = draw(History(Experiment(epochs=7)))
    assert root.get("aria-label") == "No epoch finished yet."
    assert [elements(root, kind) for kind in ("polyline", "polygon", "circle")] == [[], [], []]
    assert {"accuracy", "loss", "epoch", "0%", "100%", "7"} <= set(texts(root))


def test_an_empty_history_shows_earlier_runs():
    ghosts = {"earlier": make_history(), "stopped at once": History(Experiment())}
    assert len(elements(draw(History(Experiment(epochs=5)), ghosts), "polyline")) == 4


def height(pair):
    return LOSS[0] - pair[1]


@pytest.mark.parametrize("spike", [1e9, math.inf, math.nan])
def test_a_spike_of_the_loss_does_not_press_the_others_flat(spike):
    usual = [2.0, 1.5, 1.0, 1.2]
    text = live_svg(with_losses([*usual, spike, 1.0]))
    assert "nan" not in text and "inf" not in text
    _, loss = curves(ElementTree.fromstring(text), TRAIN)
    assert all(0 <= height(point) <= LOSS[0] - LOSS[1] for point in loss)
    room = LOSS[0] - LOSS[1]
    assert height(loss[0]) > room / 4 and height(loss[0]) - height(loss[2]) > room / 8
    if not math.isnan(spike):  # what is no number has no place; what is too high ends at the top
        assert height(loss[4]) == pytest.approx(room, abs=CLOSE)
    assert len(loss) == (5 if math.isnan(spike) else 6)


@pytest.mark.parametrize("losses", [[math.inf, 1.0], [math.nan, math.nan], [1.0, math.nan], [0.0, 0.0]])
def test_losses_that_are_no_numbers_or_nothing_leave_a_chart(losses):
    text = live_svg(with_losses(losses))
    assert "nan" not in text.replace("nan%", "") and "inf" not in text
    root = ElementTree.fromstring(text)
    assert len(curves(root, TRAIN)[0]) == 2
    for curve in curves(root, TRAIN)[1:]:
        assert all(0 <= height(point) <= LOSS[0] - LOSS[1] for point in curve)


def test_an_earlier_run_that_went_astray_does_not_press_this_one_flat():
    root = draw(make_history(), {"astray": with_losses([1.0, 1e9, 1e9])})
    _, loss = curves(root, VALIDATION)
    assert height(loss[0]) == pytest.approx((LOSS[0] - LOSS[1]) * 0.6 / 3, abs=1)
