import copy
import math
import pickle
import re
import warnings
from types import SimpleNamespace
from xml.etree import ElementTree

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.base import BaseEstimator, clone

from vgglab.charts.curves import detached_axes, plot_accuracy
from vgglab.errors import InputError
from vgglab.measures.diagnosis import diagnose
from vgglab.panel import callback
from vgglab.panel.callback import LiveCurves
from vgglab.panel.metric import accuracies, scalars
from vgglab.share.card import load_card, run_card, save_card
from vgglab.share.script import script

RNG = np.random.default_rng(0)
IMAGES, LABELS = RNG.normal(size=(60, 4)).astype("float32"), RNG.integers(0, 3, 60)
WEIGHTS = np.linspace(0.1, 2, 60)
VALIDATION = (IMAGES[:20], LABELS[:20])


@pytest.fixture(autouse=True)
def nothing_goes_wrong():
    """What goes wrong in the chart is a warning, and does not stop the fit: here it is an error."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="LiveCurves")
        yield


def network():
    return [keras.Input((4,)), keras.layers.Dropout(0.5), keras.layers.Dense(3, activation="softmax")]


def model(kind=keras.Sequential, **options):
    made = kind(network())
    made.compile(
        **{
            "optimizer": "adam",
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
            "jit_compile": False,
            "run_eagerly": True,  # tracing takes longer than these fits
            **options,
        },
    )
    return made


def fit(made, curves, labels=LABELS, **options):
    options = {
        "epochs": 4,
        "validation_data": (IMAGES[:20], labels[:20]),
        "batch_size": 64,
        "verbose": 0,
    } | options
    return made.fit(IMAGES, labels, callbacks=[curves], **options).history


def picture(curves):
    return ElementTree.fromstring(curves.chart.picture.svg)


def words(curves):
    return [each.text for each in picture(curves).iter("{http://www.w3.org/2000/svg}text")]


def epochs(curves):
    return [row["epoch"] for row in curves.history.epochs]


def test_the_rows_are_what_keras_logs():
    curves = LiveCurves()
    logs = fit(model(), curves)
    rows = curves.history.frame()
    np.testing.assert_allclose(rows["train_accuracy"], logs["accuracy"])
    np.testing.assert_allclose(rows["validation_accuracy"], logs["val_accuracy"])
    np.testing.assert_allclose(rows["validation_loss"], logs["val_loss"])
    assert "Epoch 4 of 4: train" in curves.chart.text and "as Keras logs it" in curves.chart.text


@pytest.mark.parametrize(
    "clean",
    [
        (IMAGES, LABELS),
        [IMAGES, LABELS],
        (IMAGES, LABELS, WEIGHTS),
        tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(16),
        tf.data.Dataset.from_tensor_slices((IMAGES, LABELS, WEIGHTS)).batch(16),
    ],
    ids=["pair", "list", "weighted", "data set", "weighted data set"],
)
def test_with_clean_images_train_is_measured_like_validation(clean):
    made = model(weighted_metrics=["accuracy"], metrics=[])
    curves = LiveCurves(clean=clean)
    fit(made, curves)
    weights = WEIGHTS if isinstance(clean, tuple) and len(clean) == 3 else None
    if isinstance(clean, tf.data.Dataset) and len(clean.element_spec) == 3:
        weights = WEIGHTS
    loss, accuracy = made.evaluate(IMAGES, LABELS, sample_weight=weights, verbose=0)
    row = curves.history.epochs[-1]
    assert row["train_accuracy"] == pytest.approx(accuracy) and row["train_loss"] == pytest.approx(loss)
    assert row["logged_loss"] != row["train_loss"] and "as Keras logs it" not in curves.chart.text


def test_clean_images_that_do_not_fit_are_said_and_the_fit_goes_on():
    curves = LiveCurves(clean=(IMAGES[:, :2], LABELS))
    logs = fit(model(), curves)
    assert [row["train_loss"] for row in curves.history.epochs] == pytest.approx(logs["loss"])
    assert "`clean` could not be evaluated, so train is as Keras logs it. " in curves.chart.text
    assert not curves.history.experiment.is_clean


@pytest.mark.parametrize(
    ("clean", "sentence"),
    [
        (iter([(IMAGES, LABELS)]), "used up after one epoch. Received: list_iterator. It must be images"),
        (tf.data.Dataset.from_tensors((IMAGES, LABELS)).repeat(), "never ends. Received: _RepeatDataset"),
        ((IMAGES,), "has 1 parts. It must be images and targets"),
    ],
)
def test_what_cannot_be_evaluated_every_epoch_is_refused_before_the_fit(clean, sentence):
    with pytest.raises(InputError, match=sentence):
        LiveCurves(clean=clean)
    with pytest.raises(InputError, match="must be the name of a logged metric. Received: 3."):
        LiveCurves(metric=3)


def top2(y_true, y_pred):
    return keras.metrics.sparse_top_k_categorical_accuracy(y_true, y_pred, k=2)


def far_off(y_true, y_pred):
    return 1.25 + 0 * y_pred[:, 0]


class OfNoLoss(keras.Sequential):
    def train_step(self, data):
        super().train_step(data)
        return {"steps": tf.constant(1.0)}


class PerClass(keras.metrics.Metric):
    """A vector, as `F1Score(average=None)` gives one."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        pass

    def result(self):
        return tf.constant([0.1, 0.2, 0.3])


@pytest.mark.parametrize(
    ("options", "fitting", "sentence"),
    [
        (dict(), dict(validation_data=None), r"train \d+\.\d% \(no validation yet\)"),
        (dict(), dict(validation_freq=3), r"Epoch 4 of 4: train \d+\.\d%, validation \d+\.\d% in epoch 3 "),
        (
            dict(metrics=[]),
            dict(),
            r"train loss [\d.]+, validation loss [\d.]+ \(no accuracy is logged; compile",
        ),
        (dict(metrics=[far_off]), dict(), r"\(no accuracy is logged; `metric` can draw far_off\)"),
        (dict(metrics=["Accuracy"]), dict(), r"Epoch 4 of 4: train \d+\.\d%, validation"),
        (dict(metrics=["ACC"]), dict(), r"Epoch 4 of 4: train \d+\.\d%, validation"),
        (dict(kind=OfNoLoss), dict(), r"validation \d+\.\d% "),
        (dict(metrics=[PerClass(name="accuracy")]), dict(), r"train loss .* \(no accuracy is logged"),
        (dict(metrics=[PerClass(name="f1"), "accuracy"]), dict(), r"Epoch 4 of 4: train \d+\.\d%"),
        (dict(optimizer=keras.optimizers.SGD(np.nan)), dict(), "Epoch 4 of 4"),
        (
            dict(optimizer=keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 9))),
            {},
            "Epoch 4 of 4",
        ),
    ],
)
def test_no_fit_is_stopped_and_what_there_is_is_drawn(options, fitting, sentence):
    curves = LiveCurves()
    logs = fit(model(**options), curves, **fitting)
    assert epochs(curves) == [1, 2, 3, 4] and re.search(sentence, curves.chart.text), curves.chart.text
    assert "nan" not in curves.chart.text and "nan" not in curves.chart.picture.svg
    picture(curves)
    for name, column in (("val_loss", "validation_loss"), ("loss", "logged_loss")):
        known = [row[column] for row in curves.history.epochs if not np.isnan(row[column])]
        assert known == pytest.approx([value for value in logs.get(name, []) if not np.isnan(value)])


def test_a_fit_may_be_planned_for_as_long_as_one_likes():
    curves = LiveCurves()
    made = model()
    stop = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(made, "stop_training", epoch == 2)
    )
    made.fit(IMAGES, LABELS, epochs=200_000, callbacks=[curves, stop], verbose=0)
    assert epochs(curves) == [1, 2, 3] and "Epoch 3 of 200000: train" in curves.chart.text
    (x, *_) = [line.get("points") for line in picture(curves).iter() if line.tag.endswith("polyline")]
    assert float(x.split()[-1].split(",")[0]) > 70, "three epochs are seen apart"


def test_the_fit_is_the_same_with_and_without_the_chart():
    def weights(callbacks):
        keras.utils.set_random_seed(0)
        made = model()
        made.fit(IMAGES, LABELS, epochs=3, validation_data=VALIDATION, callbacks=callbacks, verbose=0)
        return made.get_weights()

    for plain, drawn in zip(weights([]), weights([LiveCurves(clean=(IMAGES, LABELS))])):
        np.testing.assert_array_equal(plain, drawn)


def test_what_goes_wrong_in_the_chart_is_a_warning_and_the_fit_goes_on(monkeypatch):
    def fail(*arguments):
        raise RuntimeError("No page.\nMore.")

    monkeypatch.setattr(callback.LiveChart, "update", fail)
    with pytest.warns(UserWarning, match="no longer draws this fit. RuntimeError: No page.$") as said:
        warnings.filterwarnings("always", message="LiveCurves")
        assert len(fit(model(), LiveCurves())["loss"]) == 4
    assert len([each for each in said if "LiveCurves" in str(each.message)]) == 1


@pytest.mark.parametrize(
    ("names", "right"),
    [
        (["acc_top2", "accuracy", "loss"], ["accuracy"]),
        (["accumulated_error", "loss"], []),
        (["inaccuracy", "accuracy_loss", "vacc"], []),
        (["Accuracy"], ["Accuracy"]),
        (["acc_top2", "ACC"], ["ACC"]),
        (["acc", "accuracy"], ["accuracy"]),
        (["a_accuracy", "sparse_categorical_accuracy"], ["sparse_categorical_accuracy"]),
        (["a_accuracy", "b_accuracy", "a_loss"], ["a_accuracy", "b_accuracy"]),
        (["sparse_top_k_categorical_accuracy", "BalancedAccuracy"], ["BalancedAccuracy"]),
        (["acc_top2", "mae"], ["acc_top2"]),
    ],
)
def test_exact_names_come_first(names, right):
    assert accuracies(names) == right


def test_only_single_numbers_count():
    logs = dict(a=1, b=np.float32(2), c=tf.constant(3.0), d=[4.0], e=[1.0, 2.0], f="text", g=None, h=np.nan)
    assert scalars(logs) == pytest.approx(dict(a=1, b=2, c=3, d=4, h=np.nan), nan_ok=True)


def test_the_accuracy_is_drawn_and_not_what_comes_before_it_in_the_alphabet():
    made = model(
        metrics=[
            keras.metrics.MeanMetricWrapper(top2, name="acc_top2"),
            keras.metrics.MeanMetricWrapper(far_off, name="accumulated_error"),
            "accuracy",
        ]
    )
    curves = LiveCurves()
    logs = fit(made, curves)
    assert [row["train_accuracy"] for row in curves.history.epochs] == pytest.approx(logs["accuracy"])
    assert (
        logs["accuracy"] != logs["acc_top2"]
        and "top2" not in curves.chart.text
        and "accuracy" in words(curves)
    )


def test_another_metric_can_be_chosen_and_is_named():
    made = model(metrics=["accuracy", keras.metrics.MeanMetricWrapper(far_off, name="far_off")])
    curves = LiveCurves(metric="far_off")
    fit(made, curves)
    assert curves.history.epochs[-1]["validation_accuracy"] == 1.25
    assert "Epoch 4 of 4, far_off: train 1.25, validation 1.25, gap 0" in curves.chart.text
    assert "%" not in "".join(words(curves)) and "far_off" in words(curves) and "gap 0" in words(curves)
    drawn = [line.get("points") for line in picture(curves).iter() if line.tag.endswith("polyline")][1]
    assert {pair.split(",")[1] for pair in drawn.split()} == {"46.0"}, "the axis ends at 1.25, not at 1"


@pytest.mark.parametrize("name", ["acuracy", "f1"])
def test_a_metric_that_there_is_not_is_said(name):
    curves = LiveCurves(metric=name)
    fit(model(metrics=["accuracy", PerClass(name="f1")]), curves)
    assert f"`metric='{name}'` is not among the single numbers logged: accuracy, loss" in curves.chart.text


def test_of_two_outputs_the_drawn_one_is_named_and_so_is_the_other():
    image = keras.Input((4,))
    heads = {
        name: keras.layers.Dense(3, activation="softmax", name=name)(image) for name in ("color", "shape")
    }
    made = keras.Model(image, heads)
    made.compile(
        run_eagerly=True,
        loss=dict.fromkeys(heads, "sparse_categorical_crossentropy"),
        metrics={name: ["accuracy"] for name in heads},
    )
    labels = dict(color=LABELS, shape=LABELS[::-1].copy())
    curves = LiveCurves()
    logs = made.fit(IMAGES, labels, epochs=2, callbacks=[curves], verbose=0).history
    assert [row["train_accuracy"] for row in curves.history.epochs] == pytest.approx(logs["color_accuracy"])
    assert "Epoch 2 of 2, color_accuracy: train" in curves.chart.text and "color_accuracy" in words(curves)
    assert "(`metric` can draw shape_accuracy instead)" in curves.chart.text


def by_hand(logs):
    """What Keras calls in a fit of a model that it knows nothing of but its logs, an epoch each."""
    curves = LiveCurves()
    curves.set_model(SimpleNamespace())
    curves.set_params(dict(epochs=len(logs)))
    curves.on_train_begin()
    for epoch, each in enumerate(logs):
        curves.on_epoch_begin(epoch)
        curves.on_epoch_end(epoch, each)
    curves.on_train_end()
    return curves


def test_values_that_are_no_numbers_stay_out_of_the_picture():
    names = ("accuracy", "val_accuracy", "loss", "val_loss")
    curves = by_hand([dict.fromkeys(names, value) for value in (math.nan, math.inf, -math.inf)])
    assert epochs(curves) == [1, 2, 3]
    card = run_card(curves.history, "it").partition("jsonl")[0]
    for text in (curves.chart.picture.svg, curves.chart.text, card):
        assert not re.search(r"\b(nan|inf|infinity)\b", text, re.IGNORECASE)
    picture(curves)


def test_a_training_step_that_logs_nothing_has_an_empty_chart():
    curves = by_hand([None, {}])
    assert "Epoch 2 of 2: nothing was logged that a chart could show (no accuracy" in curves.chart.text
    assert not list(picture(curves).iter("{http://www.w3.org/2000/svg}polyline"))
    page = run_card(curves.history, "it")
    for label in ("optimizer", "learning rate at the end"):
        assert f"<tr><td>{label}</td><td>unknown</td></tr>" in page


def test_a_second_fit_has_a_chart_of_its_own():
    curves, made = LiveCurves(), model()
    fit(made, curves)
    chart, text = curves.chart, curves.chart.text
    fit(made, curves, epochs=2)
    assert curves.chart is not chart and chart.text == text
    assert epochs(curves) == [1, 2] and "Epoch 2 of 2" in curves.chart.text


def test_epochs_have_the_numbers_that_keras_gives_them():
    curves = LiveCurves()
    fit(model(), curves, initial_epoch=3, epochs=6)
    assert epochs(curves) == [4, 5, 6] and "Epoch 6 of 6: " in curves.chart.text
    below = [each.text for each in picture(curves).iter() if each.get("y") == "450.0"]
    assert below == ["4", "5", "6"]


def test_a_fit_that_goes_on_goes_on_in_its_chart():
    curves, made = LiveCurves(), model()
    fit(made, curves, epochs=2)
    chart = curves.chart
    for epoch in (2, 3):
        fit(made, curves, initial_epoch=epoch, epochs=epoch + 1)
    assert curves.chart is chart and epochs(curves) == [1, 2, 3, 4] and "Epoch 4 of 4" in chart.text
    fit(made, curves, initial_epoch=3, epochs=4)  # the cell run once more
    assert curves.chart is not chart and epochs(curves) == [4]
    fit(model(), curves, initial_epoch=4, epochs=5)  # another model
    assert epochs(curves) == [5]


def test_a_loop_of_fits_of_one_epoch_is_one_chart():
    curves, made = LiveCurves(), model()
    for _ in range(3):
        fit(made, curves, epochs=1)
    assert epochs(curves) == [1, 2, 3] and "Epoch 3 of 3" in curves.chart.text
    fit(made, curves, epochs=2)
    assert epochs(curves) == [1, 2]
    fit(model(), curves, epochs=1)
    fit(model(), curves, epochs=1)
    assert epochs(curves) == [1], "another model is another run"


@pytest.fixture
def notebook(monkeypatch):
    """A notebook's shell, and the charts that were put on the page, each with the cell that it went to."""
    shell = SimpleNamespace(kernel=None, execution_count=1, shown=[])
    monkeypatch.setattr(callback, "get_ipython", lambda: shell)
    monkeypatch.setattr(callback, "display", lambda chart: shell.shown.append((shell.execution_count, chart)))
    return shell


def test_each_cell_shows_the_run_that_it_trains(notebook):
    curves, made = LiveCurves(), model()
    fit(made, curves, epochs=2)
    first = curves.chart
    fit(made, curves, epochs=3, initial_epoch=2)
    assert notebook.shown == [(1, first)]
    notebook.execution_count = 2
    fit(made, curves, epochs=5, initial_epoch=3)  # the same run goes on: its chart is here as well
    assert notebook.shown == [(1, first), (2, first)] and epochs(curves) == [1, 2, 3, 4, 5]
    fit(made, curves, epochs=2)
    assert notebook.shown[2:] == [(2, curves.chart)] and curves.chart is not first


def test_a_loop_in_a_cell_shows_one_chart_and_the_cell_run_again_another(notebook):
    curves, made = LiveCurves(), model()
    for cell in (1, 2):
        notebook.execution_count = cell
        for _ in range(3):
            fit(made, curves, epochs=1)
        assert epochs(curves) == [1, 2, 3]
    assert [cell for cell, _ in notebook.shown] == [1, 2] and notebook.shown[0][1] is not notebook.shown[1][1]


def test_a_notebook_prints_nothing(notebook, capsys):
    fit(model(), LiveCurves())
    assert capsys.readouterr().out == ""


def test_a_script_prints_a_line_and_no_picture(capsys):
    curves = LiveCurves()
    fit(model(), curves)
    printed = capsys.readouterr().out
    assert (
        printed == curves.chart.text + "\n" and printed.startswith("Epoch 4 of 4: ") and "svg" not in printed
    )
    assert repr(curves.chart) == "LiveChart: " + curves.chart.text


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_copy_draws_fits_of_its_own(copied):
    curves = LiveCurves(clean=(IMAGES, LABELS), metric="accuracy")
    for made in (copied(curves), curves):  # before a fit and after it
        fit(model(), made, epochs=2)
    twin = copied(curves)
    assert twin.metric == "accuracy" and np.array_equal(twin.clean[0], IMAGES)
    assert twin.history == curves.history and twin.chart is None
    fit(model(), twin, epochs=1)
    assert epochs(twin) == [1] and twin.chart is not curves.chart and "Epoch 2 of 2" in curves.chart.text


class Estimator(BaseEstimator):
    def __init__(self, callbacks=()):
        self.callbacks = callbacks


def test_scikit_learn_clones_what_holds_one():
    curves = LiveCurves()
    fit(model(), curves, epochs=1)
    twin = clone(Estimator([curves])).callbacks[0]
    assert twin is not curves and isinstance(twin, LiveCurves)


def test_a_deep_copy_shares_the_images_and_not_the_rows():
    data = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(16)
    curves = LiveCurves(clean=data)
    fit(model(), curves, epochs=1)
    twin = copy.deepcopy(curves)
    assert twin.clean is data and twin.history.epochs is not curves.history.epochs


@pytest.fixture(scope="module")
def strangers():
    """The history of a fit that vgglab knows nothing of."""
    curves = LiveCurves()
    fit(model(optimizer=keras.optimizers.SGD(0.5)), curves)
    return curves.history


def test_the_card_of_a_fit_states_only_what_is_known(strangers, tmp_path):
    page = run_card(strangers, "mine")
    for guess in ("vgg16", "pretrained", "0.0005", "blossoms", "unfreeze", "<td>seed</td>"):
        assert guess not in page
    for label, value in (
        ("settings", "unknown: vgglab did not set this fit up"),
        ("metric", "accuracy"),
        ("optimizer", "SGD"),
        ("learning rate at the end", "0.5"),
        ("epochs", "4"),
    ):
        assert f"<tr><td>{label}</td><td>{value}</td></tr>" in page
    assert "as Keras logs it, while it learns" in page
    assert load_card(save_card(strangers, "mine", tmp_path / "card.html")) == strangers


def test_there_is_no_script_of_a_fit(strangers):
    with pytest.raises(InputError, match="did not set this fit up, so its experiment is unknown"):
        script(strangers.experiment)
    with pytest.raises(InputError, match="asked for `then`"):
        strangers.experiment.then(l2=0.1)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        strangers.experiment.nonsense


def test_other_views_of_a_fit_work(strangers, tmp_path):
    assert strangers.load(strangers.save(tmp_path / "history.jsonl")) == strangers
    assert diagnose(strangers) and strangers.versions["keras"] == keras.__version__
    assert len(plot_accuracy(strangers, detached_axes()).lines) >= 2
