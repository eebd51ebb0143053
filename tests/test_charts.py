import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib import font_manager, rcParams
from matplotlib.colors import to_rgb
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text

from test_history import make_history
from test_mistakes import LABELS, images, predicted
from vgglab.charts import text
from vgglab.charts.atlas import plot_atlas, plot_brakes, plot_cell
from vgglab.charts.curves import (
    detached_axes,
    plot_accuracy,
    plot_drift,
    plot_forgetting,
    plot_images,
    plot_loss,
)
from vgglab.charts.learning_rate import plot_learning_rate
from vgglab.charts.mistakes import plot_confusion, plot_grad_cam, plot_mistakes
from vgglab.charts.reliability import plot_reliability
from vgglab.charts.runs import plot_gaps, plot_runs
from vgglab.charts.seeds import plot_arms, plot_growth, plot_matrix, plot_on_seeds
from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.fit import Fit, Metric
from vgglab.history import DRIFT, History
from vgglab.rate_search import RateSearch


def line(ax, label):
    (found,) = [each for each in ax.lines if each.get_label() == label]
    return found


def texts(ax):
    return [each.get_text() for each in ax.texts]


def test_accuracy_has_thin_lines_at_what_guessing_reaches():
    history = make_history()
    history.data = dict(classes=["a", "b", "c"], validation_counts=[7, 2, 1])
    ax = plot_accuracy(history, detached_axes())
    found = sorted(each.get_ydata()[0] for each in ax.lines if len(set(each.get_ydata())) == 1)
    assert found == pytest.approx([1 / 3, 0.7])
    assert {"chance 33.3%", "most frequent class 70.0%"} <= set(texts(ax))
    labels = [each.get_text() for each in ax.get_legend().get_texts()]
    assert labels == ["train", "validation", "gap"]
    assert not {"chance 33.3%"} & set(texts(plot_loss(history, detached_axes())))


@pytest.mark.parametrize(("plot", "what"), [(plot_accuracy, "accuracy"), (plot_loss, "loss")])
def test_lines_hold_the_rows(plot, what):
    history = make_history()
    ax = plot(history, detached_axes(), logged=True)
    rows = history.frame()
    for label, column in (
        ("train", f"train_{what}"),
        ("validation", f"validation_{what}"),
        ("train, as Keras logs it", f"logged_{what}"),
    ):
        np.testing.assert_array_equal(line(ax, label).get_xydata(), rows[["epoch", column]])


def test_two_cues_tell_the_lines_apart():
    ax = plot_accuracy(memorising(), detached_axes(), logged=True)
    labels = ("train", "validation", "wrong labels memorised", "train, as Keras logs it")
    lines = [line(ax, label) for label in labels]
    assert len({str(each.get_color()) for each in lines}) == 4
    assert len({(str(each._unscaled_dash_pattern), each.get_marker()) for each in lines}) == 4


def memorising():
    history = make_history()
    for row, share in zip(history.epochs, (0.1, 0.3, 0.7)):
        row["memorised"] = share
    return history


def test_wrong_labels_known_by_heart_are_a_third_line_where_there_are_any():
    ax = plot_accuracy(memorising(), detached_axes())
    known = line(ax, "wrong labels memorised").get_xydata()
    np.testing.assert_array_equal(known, [(1, 0.1), (2, 0.3), (3, 0.7)])
    without = make_history()
    for row in without.epochs:
        row["memorised"] = None
    for history in (make_history(), without, History(Experiment())):
        shown = [each.get_label() for each in plot_accuracy(history, detached_axes()).lines]
        assert "wrong labels memorised" not in shown


def test_the_gap_is_shaded_and_written():
    ax = plot_accuracy(make_history(), detached_axes())
    assert "gap 50.0 points" in texts(ax)
    corners = ax.collections[0].get_paths()[0].vertices
    assert corners[:, 1].min() == 0.4 and corners[:, 1].max() == 1.0


def test_a_phase_is_marked_with_what_changed():
    history = make_history()
    history.experiment = Experiment(epochs=2, unfreeze=0).then(unfreeze=3, epochs=3)
    history.epochs[2]["phase"] = 2
    ax = plot_accuracy(history, detached_axes())
    assert "unfreeze depth 3" in texts(ax)


def test_what_runs_ended_with_side_by_side():
    ax = plot_gaps(
        {"plain": make_history(), "held back": make_history(train=(0.5, 0.6, 0.6))}, detached_axes()
    )
    assert [label.get_text() for label in ax.get_yticklabels()] == ["plain", "held back"]
    assert [text for text in texts(ax) if text] == ["gap 50.0 points", "gap 10.0 points"]


def whole(ax):
    """The curves of a chart of several runs, without dots and without what is for the legend."""
    return [each for each in ax.lines if len(each.get_xdata()) > 1]


def test_runs_are_whole_curves_validation_thick_and_train_thin():
    long = make_history()
    short = make_history(train=(0.5, 0.6), validation=(0.3, 0.45))
    ax = plot_runs({"plain": long, "held back": short}, detached_axes())
    expected = [(run, f"{part}_accuracy") for run in (long, short) for part in ("train", "validation")]
    for (run, column), drawn in zip(expected, whole(ax), strict=True):
        np.testing.assert_array_equal(drawn.get_xydata(), run.frame()[["epoch", column]])
    train, validation, other_train, other_validation = whole(ax)
    assert validation.get_linewidth() > 2 * train.get_linewidth()
    for one, other in ((train, other_train), (validation, other_validation)):
        assert one.get_color() != other.get_color()
        assert str(one._unscaled_dash_pattern) != str(other._unscaled_dash_pattern)
    assert train.get_color() == validation.get_color() and ax.get_xlim() == (0.5, 3.5)
    assert texts(ax) == ["plain\n50.0%, gap 50.0 points", "held back\n45.0%, gap 15.0 points"]


def early_stopped():
    """Three epochs, of which the second was kept."""
    history = make_history()
    history.note("restored", "Went back.", kept_epoch=2)
    return history


def test_the_figures_and_the_dots_are_those_of_the_epoch_that_was_kept():
    history = early_stopped()
    row = history.epochs[1]
    ax = plot_runs({"stopped": history}, detached_axes())
    dots = [tuple(each.get_xydata()[0]) for each in ax.lines if len(each.get_xdata()) == 1]
    assert dots == [(2, row["train_accuracy"]), (2, row["validation_accuracy"])]
    assert texts(ax) == [
        f"stopped\n{row['validation_accuracy']:.1%}, gap {100 * row['gap']:.1f} points, epoch 2"
    ]


def test_seeds_that_kept_the_same_epoch_have_dots_there():
    both = [early_stopped(), early_stopped()]
    for row in both[1].epochs:
        row["validation_accuracy"] -= 0.2
    ax = plot_runs({"two": both}, detached_axes())
    found = [tuple(each.get_xydata()[0]) for each in ax.lines if len(each.get_xdata()) == 1]
    assert found == [(2, pytest.approx(0.8)), (2, pytest.approx(0.5))]
    assert texts(ax) == ["two\nmean of 2: 50.0%, gap 20.0 points, epoch 2"]
    both[1].events = []  # this one kept its last
    ax = plot_runs({"two": both}, detached_axes())
    assert not [each for each in ax.lines if len(each.get_xdata()) == 1]
    assert texts(ax) == ["two\nmean of 2: 45.0%, gap 35.0 points"]


def test_figures_of_validation_that_waits_for_its_turn_are_the_last_ones_there_are():
    seldom, never = make_history(), make_history()
    for row in (seldom.epochs[2], *never.epochs):
        row["validation_accuracy"] = row["gap"] = np.nan
    ax = plot_runs({"seldom": seldom, "never": never}, detached_axes())
    assert texts(ax) == ["seldom\n60.0%, gap 20.0 points, epoch 2", "never"]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_gaps_of_at_most_two_runs_are_shaded(count):
    ax = plot_runs({str(number): make_history() for number in range(count)}, detached_axes())
    shades = [each for each in ax.collections if each.get_paths()]
    assert len(shades) == (count if count <= 2 else 0)
    for each in shades:
        heights = each.get_paths()[0].vertices[:, 1]
        assert (heights.min(), heights.max()) == (0.4, 1.0)


def test_several_seeds_are_their_mean_and_a_band_as_far_as_all_go():
    seeds = [
        make_history(train=(0.6, 1.0), validation=(0.2, 0.5)),
        make_history(train=(0.8, 1.0, 1.0), validation=(0.4, 0.8, 0.9)),
    ]
    ax = plot_runs({"plain": seeds}, detached_axes())
    train, validation = whole(ax)
    np.testing.assert_allclose(train.get_xydata(), [(1, 0.7), (2, 1.0)])
    np.testing.assert_allclose(validation.get_xydata(), [(1, 0.3), (2, 0.65)])
    corners = {tuple(corner) for corner in ax.collections[0].get_paths()[0].vertices.round(6)}
    assert corners == {(1, 0.2), (1, 0.4), (2, 0.5), (2, 0.8)}
    # What each kept: 0.5 and 0.9; gaps of 0.5 and 0.1.
    assert texts(ax) == ["plain\nmean of 2: 70.0%, gap 30.0 points"]
    assert "lowest to highest" in [each.get_text() for each in ax.get_legend().get_texts()]


@pytest.mark.parametrize(
    "ends", [(0.5,) * 6, (0.0, 0.0, 1.0, 1.0), (0.1, 0.11, 0.9), (0.49, 0.5, 0.51, 1, 1, 0)]
)
@pytest.mark.parametrize("height", [2.6, 4.2])
def test_names_at_the_ends_do_not_overlap_and_stay_in_the_picture(ends, height):
    runs = {f"run {number} with a name that is long": make_history(validation=(0.1, 0.3, end))
            for number, end in enumerate(ends)}  # fmt: skip
    ax = plot_runs(runs if height > 3 else dict(itertools.islice(runs.items(), 3)), detached_axes(7, height))
    ax.figure.canvas.draw()
    boxes = [Text.get_window_extent(each) for each in ax.texts]  # without the line to the curve
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    assert min(box.x0 for box in boxes) > ax.get_window_extent().x1
    assert all(box.x1 <= ax.figure.bbox.x1 and box.y0 >= 0 and box.y1 <= ax.figure.bbox.y1 for box in boxes)
    by_height = sorted(zip(boxes, ax.texts), key=lambda each: each[0].y0)
    assert [each.xy[1] for _, each in by_height] == sorted(each.xy[1] for _, each in by_height)


def test_what_cannot_be_drawn_together_is_said():
    seven = {str(number): make_history() for number in range(7)}
    with pytest.raises(InputError, match="at most 6 runs.* Received: 7. `plot_gaps` draws"):
        plot_runs(seven, detached_axes())
    assert len(plot_gaps(seven, detached_axes()).get_yticklabels()) == 7
    with pytest.raises(InputError, match="The run 'plain' must be a History, or several. Received: none."):
        plot_runs({"plain": []}, detached_axes())
    before = plt.get_fignums()
    with pytest.raises(InputError, match="finished no epoch"):
        plot_runs({"plain": History(Experiment())})
    assert plt.get_fignums() == before
    assert plot_runs({}, detached_axes()).get_xlabel() == "epoch"


def test_runs_that_are_measured_otherwise_have_an_axis_of_their_own():
    history = make_history(train=(3.0, 2.0), validation=(4.0, 3.5))
    history.experiment = Fit(2, metric=Metric("error", is_share=False))
    history.epochs.insert(1, dict(history.epochs[0], epoch=1.5, validation_accuracy=np.nan))
    ax = plot_runs({"mine": history}, detached_axes())
    assert ax.get_ylabel() == "error" and ax.get_ylim()[1] > 4 and "3.5, gap" in texts(ax)[0]
    np.testing.assert_array_equal(whole(ax)[1].get_xydata(), [(1, 4.0), (2, 3.5)])


@pytest.mark.parametrize("seen", ["all", "no red", "no green", "no blue"])
def test_six_runs_are_told_apart_by_colour_and_by_dash(seen):
    lines = whole(plot_runs({str(number): make_history() for number in range(6)}, detached_axes()))[1::2]
    assert len({str(each._unscaled_dash_pattern) for each in lines}) == 6
    for one, other in itertools.combinations(lines, 2):
        assert np.linalg.norm(lab(one.get_color(), SEEN[seen]) - lab(other.get_color(), SEEN[seen])) > 7


def test_a_gap_has_a_decimal():
    close = make_history(train=(1.0,), validation=(0.955,))
    for ax in (plot_accuracy(close, detached_axes()), plot_gaps({"plain": close}, detached_axes())):
        assert "gap 4.5 points" in texts(ax)


def test_axes_in_axes_out_and_no_figure_left_behind():
    ax = detached_axes()
    before = plt.get_fignums()
    assert plot_accuracy(make_history(), ax) is ax and plot_loss(make_history(), ax) is ax
    assert plot_accuracy(History(Experiment()), detached_axes()).get_xlabel() == "epoch"
    assert plt.get_fignums() == before
    plt.close(plot_accuracy(make_history()).figure)


def test_images_in_rows():
    ax = plot_images(np.zeros((5, 8, 8, 3)), list("abcde"), columns=3)
    assert len(ax.images) == 5 and texts(ax) == list("abcde")
    plt.close(ax.figure)


def forgotten(unfreeze, rate, accuracy, seed=0):
    history = History(Experiment(unfreeze=unfreeze, learning_rate=rate, seed=seed))
    row = dict(epoch=1, phase=1, source_accuracy=accuracy) | {
        name: 0.1 * place for place, name in enumerate(DRIFT)
    }
    history.epochs = [dict(row, source_accuracy=None if accuracy is None else 0.9), dict(row, epoch=2)]
    return history


def test_drift_has_a_line_for_each_block_and_one_for_the_source_task():
    history = forgotten(3, 1e-3, 0.4)
    ax = plot_drift(history, detached_axes())
    for place, name in enumerate(DRIFT, start=1):
        np.testing.assert_array_equal(line(ax, f"drift of block{place}").get_ydata(), history.frame()[name])
    np.testing.assert_array_equal(line(ax, "accuracy on the source task").get_ydata(), [0.9, 0.4])
    assert len(plot_drift(forgotten(3, 1e-3, None), detached_axes()).lines) == len(DRIFT)


def test_forgetting_is_depth_by_rate_and_averages_seeds():
    runs = [
        forgotten(0, 1e-3, 0.9),
        forgotten(3, 1e-3, 0.5),
        forgotten(3, 1e-3, 0.3, seed=1),
        forgotten(3, 1e-4, 0.8),
    ]
    ax = plot_forgetting(runs, detached_axes())
    assert ax.get_xlabel() == "learning rate" and ax.get_ylabel() == "unfreeze depth"
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0.0001", "0.001"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["3", "0"]  # the deepest on top
    np.testing.assert_allclose(ax.collections[0].get_array(), [[0.8, 0.4], [np.nan, 0.9]])
    assert texts(ax) == ["80%", "40%", "90%"]


def test_forgetting_without_a_source_task_is_drift():
    ax = plot_forgetting([forgotten(3, 1e-3, None)], detached_axes())
    np.testing.assert_allclose(ax.collections[0].get_array(), [[0.4]])


def seeds_table():
    rows = [
        (arm, seed, epoch, 0.5 + 0.1 * epoch + 0.01 * seed, 0.3 + 0.1 * epoch + 0.02 * seed)
        for arm in ("plain", "flip")
        for seed in range(3)
        for epoch in (1, 2, 3)
    ]
    return pd.DataFrame(rows, columns=["arm", "seed", "epoch", "train_accuracy", "validation_accuracy"])


def test_a_run_lies_on_the_bands_of_all_seeds():
    history, table = make_history(), seeds_table()
    ax = plot_on_seeds(history, table[table["arm"] == "plain"])
    assert list(line(ax, "validation, yours").get_ydata()) == [0.4, 0.6, 0.5]
    (band,) = [each for each in ax.collections if each.get_label() == "validation, 3 seeds"]
    corners = band.get_paths()[0].vertices
    at_two = corners[corners[:, 0] == 2][:, 1]
    assert at_two.min() == pytest.approx(0.5) and at_two.max() == pytest.approx(0.54)


def test_arms_show_every_seed_their_mean_and_mine():
    ends = seeds_table().query("epoch == 3")
    ax = plot_arms(ends, "validation_accuracy", mine={"flip": 0.9})
    assert [each.get_text() for each in ax.get_yticklabels()] == ["plain", "flip"]
    dots, mean = (line(ax, label) for label in ("a seed", "their mean"))
    assert list(dots.get_xdata()) == pytest.approx([0.6, 0.62, 0.64])
    assert mean.get_xdata()[0] == pytest.approx(0.62)
    star = line(ax, "yours")
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (0.9, 1)


def test_growth_has_a_point_a_size():
    ends = seeds_table().query("epoch == 3")
    ax = plot_growth({"fine-tuned": {5: ends, 20: ends}})
    (drawn,) = [each for each in ax.containers if each.get_label() == "validation, fine-tuned"]
    assert list(drawn.lines[0].get_xdata()) == [5, 20]
    assert list(drawn.lines[0].get_ydata()) == pytest.approx([0.62, 0.62])


def test_a_matrix_shows_its_numbers():
    table = pd.DataFrame([[0.5, 1.0], [0.25, 0.75]], ["hue", "scale"], ["none", "zoom"])
    table = table.rename_axis("nuisance").rename_axis("transform", axis=1)
    ax = plot_matrix(table, label="right")
    assert texts(ax) == ["50%", "100%", "25%", "75%"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("transform", "nuisance")
    assert ax.collections[0].colorbar.ax.get_ylabel() == "right"
    assert texts(plot_matrix(table - 0.5, difference=True)) == ["+0", "+50", "-25", "+25"]


def test_reliability_bars_are_how_often_it_is_right():
    probabilities = np.array([[0.9, 0.1], [0.1, 0.9], [0.65, 0.35], [0.65, 0.35]])
    ax = plot_reliability(probabilities, np.array([0, 0, 0, 0]))
    heights = {round(bar.get_x() + bar.get_width() / 2, 2): bar.get_height() for bar in ax.patches}
    assert heights == {0.95: 0.5, 0.65: 1.0}


def pictures(ax):
    """The images of a grid, in rows from left to right."""
    return [np.asarray(each.get_array()) for each in ax.images]


def test_the_worst_mistakes_are_shown_with_what_was_said():
    data = images(LABELS, ("aster", "bell", "clover that is called red"))
    ax = plot_mistakes(predicted(data), data, most=3)
    assert texts(ax) == ["aster → bell 95 %", "clover that … → aster 80 %", "clover that … → bell 80 %"]
    for picture, place in zip(pictures(ax), (1, 4, 5), strict=True):
        np.testing.assert_array_equal(picture, data.validation.images[place])
    assert plot_mistakes(predicted(data), data, ax=(own := detached_axes())) is own
    assert len(pictures(own)) == 4
    plt.close("all")


def test_where_nothing_is_wrong_a_sentence_says_so():
    data = images(LABELS)
    ax = plot_mistakes(predicted(data, np.eye(3)[LABELS]), data, ax=detached_axes())
    assert texts(ax) == ["All 6 validation images are right."] and not pictures(ax)


def test_a_confusion_has_its_counts_where_they_belong_and_mistakes_stand_out():
    data = images(LABELS)
    ax = plot_confusion(predicted(data), data, detached_axes())
    ax.figure.canvas.draw()
    cells = {each.get_position(): each.get_text() for each in ax.texts}
    # Down: aster, bell, clover; by hand from what each of the six images was taken for.
    assert {(y - 0.5, x - 0.5): text for (x, y), text in cells.items()} == {
        (0, 0): "1", (0, 1): "1", (1, 1): "1", (1, 2): "1", (2, 0): "1", (2, 1): "1", (2, 2): "0"
    }  # fmt: skip
    assert [each.get_text() for each in ax.get_yticklabels()] == list(data.class_names)
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("true", "given")
    (mistakes,), right = ax.collections, [each.get_facecolor() for each in ax.patches]
    assert all(luminance(colour) > 0.8 and len({*colour[:3]}) == 1 for colour in right), "grey"
    shown = mistakes.get_facecolors()[~np.ma.getmaskarray(mistakes.get_array()).ravel()]
    assert len(shown) == 4 and all(luminance(colour[:3]) < 0.5 for colour in shown)


def test_a_single_mistake_beside_many_is_no_grey():
    labels, said = np.zeros(40, int), np.eye(3)[[1] * 39 + [2]]
    ax = plot_confusion(predicted(images(labels), said), ax=detached_axes())
    ax.figure.canvas.draw()
    _, many, one = ax.collections[0].get_facecolors()[:3]
    assert np.ptp(one[:3]) > 0.1 and luminance(many[:3]) < luminance(one[:3]) < 0.8
    assert many[3] == one[3] == 1


@pytest.mark.parametrize("classes", [2, 20])
def test_counts_of_a_confusion_can_be_read(classes):
    rng = np.random.default_rng(0)
    labels = rng.integers(classes, size=400)
    data = images(labels, [f"class {number}" for number in range(classes)])
    ax = plot_confusion(predicted(data, rng.dirichlet(np.ones(classes), 400)), data)
    ax.figure.canvas.draw()
    cell = ax.transData.transform([(0, 0), (1, 1)])
    width, height = np.abs(cell[1] - cell[0])
    colours_of = dict(zip(itertools.product(range(classes), repeat=2), ax.collections[0].get_facecolors()))
    for each in ax.texts:
        box, (x, y) = each.get_window_extent(), each.get_position()
        assert box.width < width and box.height < height and each.get_fontsize() >= 9
        ground = "0.95" if int(x) == int(y) else colours_of[int(y), int(x)][:3]
        contrast = (luminance(ground) + 0.05) / (luminance(each.get_color()) + 0.05)
        assert contrast >= 4.5, each.get_text()
    plt.close("all")


def test_a_map_lies_over_its_image_and_changes_nothing_where_it_is_zero():
    pair = np.full((2, 8, 8, 3), 40, np.uint8)
    maps = np.zeros((2, 4, 4), np.float32)
    maps[1, :, 2:] = 1
    ax = plot_grad_cam(pair, maps, ["one", "two"], ax=detached_axes())
    first, nothing, second, right = pictures(ax)
    assert texts(ax) == ["one", "where it looked", "two", "where it looked"]
    for plain in (first, nothing, second, right[:, :2]):
        assert (plain == 40).all()
    assert right[:, 6:].min() > 60 and right.shape == (8, 8, 3)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (dict(maps=np.zeros((3, 4, 4))), "one for each of the 2 images. Received: .3, 4, 4"),
        (dict(maps=np.zeros((4, 4))), "one for each of the 2 images. Received: .4, 4"),
        (dict(labels=["one"]), "`labels` must be one for each of the 2 images. Received: 1"),
    ],
)
def test_a_map_or_a_label_is_missing(arguments, sentence):
    given = dict(images=np.zeros((2, 8, 8, 3), np.uint8), maps=np.zeros((2, 4, 4)))
    with pytest.raises(InputError, match=sentence):
        plot_grad_cam(**given | arguments)


def test_a_label_is_missing():
    with pytest.raises(InputError, match="one for each of the 3 images. Received: 2"):
        plot_images(np.zeros((3, 8, 8, 3)), ["a", "b"])


def luminance(colour):
    """Relative luminance: WCAG 2.2."""
    channels = np.array(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def on_white(colour):
    return 1.05 / (luminance(colour) + 0.05)


def everything_drawn():
    """Charts with train at 100 % and a validation loss of nothing, the worst for marks at the border."""
    history = make_history(train=(0.0, 1.0, 1.0), validation=(0.0, 0.5, 1.0))
    for row, share in zip(history.epochs, (0.0, 0.5, 1.0)):
        row |= dict(train_loss=0.0, validation_loss=share, memorised=share, source_accuracy=share)
        row |= dict.fromkeys(DRIFT, share)
    history.experiment = Experiment(epochs=2, unfreeze=0).then(unfreeze=3, epochs=3)
    history.epochs[2]["phase"] = 2
    table = seeds_table().assign(train_accuracy=1.0, validation_accuracy=0.0)
    ends, runs = table.query("epoch == 3"), {"plain": history}
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]])
    return {
        "accuracy": plot_accuracy(history, detached_axes(), logged=True),
        "loss": plot_loss(history, detached_axes(), logged=True),
        "runs": plot_runs(runs | {"seeds": [history, history]}, detached_axes()),
        "gaps": plot_gaps(runs, detached_axes()),
        "drift": plot_drift(history, detached_axes()),
        "on seeds": plot_on_seeds(history, table[table["arm"] == "plain"], detached_axes()),
        "arms": plot_arms(ends, "train_accuracy", {"flip": 1.0}, detached_axes()),
        "growth": plot_growth({"tuned": {5: ends, 20: ends}}, detached_axes()),
        "reliability": plot_reliability(probabilities, np.array([0, 1]), ax=detached_axes()),
    }


@pytest.mark.parametrize("name", everything_drawn())
def test_no_mark_is_cut_at_the_border(name):
    ax = everything_drawn()[name]
    ax.figure.canvas.draw()
    inside = ax.get_window_extent()
    for each in ax.lines:
        if each.get_marker() in ("None", None, "", "|") or not each.get_clip_on():
            continue
        if not len(each.get_xdata()):  # is there for the legend
            continue
        reach = (each.get_markersize() + each.get_markeredgewidth()) / 2 * ax.figure.dpi / 72
        pixels = ax.transData.transform(each.get_xydata())
        assert pixels.min(axis=0)[1] - reach >= inside.y0 and pixels.max(axis=0)[1] + reach <= inside.y1
        assert pixels.min(axis=0)[0] - reach >= inside.x0 and pixels.max(axis=0)[0] + reach <= inside.x1


@pytest.mark.parametrize("name", everything_drawn())
def test_lines_and_words_stand_out_from_white(name):
    """WCAG 2.2: 3:1 for what is drawn (1.4.11), 4.5:1 for what is written (1.4.3)."""
    ax = everything_drawn()[name]
    for each in ax.lines:
        if each.get_linewidth() > 5:  # the band from validation to train, like the shading of a gap
            continue
        assert on_white(each.get_color()) >= 3, each.get_label()
    for each in (
        *ax.texts,
        *ax.get_legend().get_texts(),
        *ax.get_xticklabels(),
        ax.xaxis.label,
        ax.yaxis.label,
    ):
        assert on_white(each.get_color()) >= 4.5, each.get_text()


# What people with a kind of colour blindness see of linear RGB: Machado et al. 2009, doi:10.1109/TVCG.2009.113.
SEEN = {
    "all": np.eye(3),
    "no red": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "no green": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "no blue": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def lab(colour, seen):
    """CIE 1976 L*a*b* of a colour as somebody sees it."""
    channels = np.array(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(to_xyz @ np.clip(seen @ linear, 0, 1) / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("seen", SEEN.values(), ids=SEEN)
def test_blocks_are_told_apart_by_colour_by_dash_and_by_marker(seen):
    lines = plot_drift(forgotten(3, 1e-3, 0.4), detached_axes()).lines
    assert len({each.get_marker() for each in lines[:5]}) == 5
    assert len({str(each._unscaled_dash_pattern) for each in lines[:5]}) == 5
    for one, other in itertools.combinations(lines[:5], 2):
        apart = np.linalg.norm(lab(one.get_color(), seen) - lab(other.get_color(), seen))
        assert apart > 20, (one.get_label(), other.get_label())


@pytest.mark.parametrize("name", everything_drawn())
def test_a_title_stands_above_the_legend(name):
    ax = everything_drawn()[name]
    ax.set_title("plain")
    ax.figure.canvas.draw()
    assert ax.title.get_window_extent().y0 >= ax.get_legend().get_window_extent().y1
    assert ax.title.get_window_extent().y1 <= ax.figure.bbox.y1


NAMES = ["$5 off", "a_b^2$x$", "münze"]


def named_charts(names):
    """Charts with names that people choose, and the texts in them that say them."""
    ends = pd.DataFrame([(name, 0.5) for name in names for _ in range(2)], columns=["arm", "gap"])
    gaps = plot_gaps(dict.fromkeys(names, make_history()), detached_axes())
    runs = plot_runs(dict.fromkeys(names, make_history()), detached_axes())
    arms = plot_arms(ends, "gap", ax=detached_axes())
    matrix = plot_matrix(pd.DataFrame(np.eye(len(names)), names, names), detached_axes())
    images = plot_images(np.zeros((len(names), 8, 8, 3)), names, ax=detached_axes())
    sizes = {name: {5: seeds_table().query("epoch == 3")} for name in names}
    growth = plot_growth(sizes, detached_axes())
    return [
        (gaps, gaps.get_yticklabels()),
        (runs, runs.texts),
        (arms, arms.get_yticklabels()),
        (matrix, matrix.get_yticklabels()),
        (matrix, matrix.get_xticklabels()),
        (images, images.texts),
        (growth, [each for each in growth.get_legend().get_texts() if "train" in each.get_text()]),
    ]


def test_names_are_shown_to_the_letter():
    """Mathematics would take `$` for itself, and raise for a formula that is none."""
    for ax, shown in named_charts([*NAMES, r"$\frac$"]):
        ax.figure.canvas.draw()
        assert [each.get_text().removeprefix("train, ").partition("\n")[0] for each in shown] == [
            *NAMES,
            r"$\frac$",
        ]
        assert not any(each.get_parse_math() for each in shown)


NO_FORMULA = r"$\frac{$"


def charts_of_others_words(text):
    """Charts in which this stands wherever their caller may write something; on Axes of ours, and on Axes of theirs."""
    names = pd.Index([text, "b"], name=text)
    ends = pd.DataFrame({"arm": [text, "b"], text: [0.1, 0.2]})
    atlas = pd.DataFrame(
        dict(column=[text] * 2, arm=names, mean=[0.1, 0.2], low=0.0, high=0.3, outcome="gap", setting=text)
    )
    curves = pd.DataFrame(
        dict(arm=["plain", text], seed=1, epoch=1, train_accuracy=0.1, validation_accuracy=0.2)
    )
    for ax in (lambda: None, lambda: plt.subplots()[1]):
        yield plot_matrix(pd.DataFrame(np.eye(2), names, names), ax(), label=text)
        yield plot_arms(ends, text, ax=ax())
        yield plot_atlas(atlas, ax())
        yield plot_brakes(atlas, text, ax())
        yield plot_cell(curves, text, ax())


def test_words_that_are_no_mathematics_are_written_as_they_are():
    for ax in charts_of_others_words(NO_FORMULA):
        ax.figure.canvas.draw()
        assert any(NO_FORMULA in each.get_text() for each in ax.figure.findobj(Text))
        plt.close(ax.figure)


def test_a_title_of_ones_own_is_no_mathematics_and_powers_of_ten_are():
    ax = plot_accuracy(make_history())
    ax.set_title(NO_FORMULA)
    ax.figure.canvas.draw()
    rates = plot_learning_rate(RateSearch(np.array([1e-4, 1e-3, 1e-2]), np.array([2.0, 1.0, 3.0])))
    rates.figure.canvas.draw()
    assert all(each.get_parse_math() for each in rates.get_xticklabels() if each.get_text())
    plt.close("all")


def test_letters_that_the_font_lacks_come_from_another(monkeypatch, recwarn):
    monkeypatch.setitem(rcParams, "font.family", ["cmr10"])  # of ASCII and no more
    for _, shown in named_charts(["Kätzchen", "кот"]):
        for each in shown:
            families = [FontProperties(family=[name]) for name in each.get_fontfamily()]
            fonts = [font_manager.get_font(font_manager.findfont(family)) for family in families]
            have = set().union(*(font.get_charmap() for font in fonts))
            assert set(map(ord, each.get_text().replace("\n", ""))) <= have
    assert not [each for each in recwarn if "No installed font" in str(each.message)]


def test_a_script_that_no_font_has_is_named(monkeypatch):
    bundled = [
        font for font in font_manager.fontManager.ttflist if "DejaVu" in font.name or "Last" in font.name
    ]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", bundled)
    text._fonts_with.cache_clear()
    with pytest.warns(UserWarning, match=r"No installed font has the characters '猫고' \(CJK, HANGUL\)"):
        plot_images(np.zeros((2, 8, 8, 3)), ["猫고", "cat"], ax=detached_axes())
    text._fonts_with.cache_clear()


def test_records_that_did_not_measure_it_have_no_forgetting():
    with pytest.raises(
        InputError, match="None of these runs measured the drift of block 5. Received: 1 runs."
    ):
        plot_forgetting([make_history()])


def test_what_a_fit_of_ones_own_forgot_is_not_known():
    from vgglab.fit import Fit

    history = make_history()
    history.experiment = Fit(3)
    with pytest.raises(InputError, match="its experiment is unknown"):
        plot_forgetting([history])
