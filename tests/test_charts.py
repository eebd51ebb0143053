import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from test_history import make_history
from vgglab.charts.curves import (
    detached_axes,
    plot_accuracy,
    plot_drift,
    plot_forgetting,
    plot_images,
    plot_loss,
    plot_runs,
)
from vgglab.charts.reliability import plot_reliability
from vgglab.charts.seeds import plot_arms, plot_growth, plot_matrix, plot_on_seeds
from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.history import DRIFT, History


def line(ax, label):
    (found,) = [each for each in ax.lines if each.get_label() == label]
    return found


def texts(ax):
    return [each.get_text() for each in ax.texts]


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
    labels = ("train", "validation", "wrong labels known by heart", "train, as Keras logs it")
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
    known = line(ax, "wrong labels known by heart").get_xydata()
    np.testing.assert_array_equal(known, [(1, 0.1), (2, 0.3), (3, 0.7)])
    without = make_history()
    for row in without.epochs:
        row["memorised"] = None
    for history in (make_history(), without, History(Experiment())):
        shown = [each.get_label() for each in plot_accuracy(history, detached_axes()).lines]
        assert "wrong labels known by heart" not in shown


def test_the_gap_is_shaded_and_written():
    ax = plot_accuracy(make_history(), detached_axes())
    assert "gap 50 points" in texts(ax)
    corners = ax.collections[0].get_paths()[0].vertices
    assert corners[:, 1].min() == 0.4 and corners[:, 1].max() == 1.0


def test_a_phase_is_marked_with_what_changed():
    history = make_history()
    history.experiment = Experiment(epochs=2, unfreeze=0).then(unfreeze=3, epochs=3)
    history.epochs[2]["phase"] = 2
    ax = plot_accuracy(history, detached_axes())
    assert "unfreeze depth 3" in texts(ax)


def test_runs_side_by_side():
    ax = plot_runs(
        {"plain": make_history(), "held back": make_history(train=(0.5, 0.6, 0.6))}, detached_axes()
    )
    assert [label.get_text() for label in ax.get_yticklabels()] == ["plain", "held back"]
    assert [text for text in texts(ax) if text] == ["gap 50 points", "gap 10 points"]


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


def test_a_label_is_missing():
    with pytest.raises(InputError, match="one for each of the 3 images. Received: 2"):
        plot_images(np.zeros((3, 8, 8, 3)), ["a", "b"])
