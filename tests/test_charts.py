import matplotlib.pyplot as plt
import numpy as np
import pytest
from test_history import make_history

from vgglab.charts import (
    detached_axes,
    plot_accuracy,
    plot_drift,
    plot_forgetting,
    plot_images,
    plot_loss,
    plot_runs,
)
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
    ax = plot_accuracy(make_history(), detached_axes())
    train, validation = line(ax, "train"), line(ax, "validation")
    assert train.get_color() != validation.get_color() and train.get_linestyle() != validation.get_linestyle()


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
