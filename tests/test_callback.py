import keras
import numpy as np
import pytest

from vgglab.errors import InputError
from vgglab.panel.callback import LiveCurves

RNG = np.random.default_rng(0)
IMAGES, LABELS = RNG.normal(size=(60, 4)), RNG.integers(0, 3, 60)


def model(**options):
    made = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dropout(0.5), keras.layers.Dense(3, activation="softmax")]
    )
    made.compile(
        "adam",
        "sparse_categorical_crossentropy",
        **{"metrics": ["accuracy"], "jit_compile": False, **options},
    )
    return made


def fit(made, curves, **options):
    return made.fit(
        IMAGES,
        LABELS,
        epochs=4,
        validation_data=(IMAGES[:20], LABELS[:20]),
        callbacks=[curves],
        verbose=0,
        **options,
    ).history


def test_the_rows_are_what_keras_logs():
    curves = LiveCurves()
    logs = fit(model(), curves)
    rows = curves.history.frame()
    np.testing.assert_allclose(rows["train_accuracy"], logs["accuracy"])
    np.testing.assert_allclose(rows["validation_accuracy"], logs["val_accuracy"])
    np.testing.assert_allclose(rows["validation_loss"], logs["val_loss"])
    assert "Epoch 4 of 4" in curves.chart.text and "as Keras logs it" in curves.chart.text


def test_with_clean_images_train_is_measured_like_validation():
    curves, made = LiveCurves(clean=(IMAGES, LABELS)), model()
    fit(made, curves)
    loss, accuracy = made.evaluate(IMAGES, LABELS, verbose=0)
    row = curves.history.epochs[-1]
    assert row["train_accuracy"] == pytest.approx(accuracy) and row["train_loss"] == pytest.approx(loss)
    assert row["logged_loss"] != row["train_loss"] and "as Keras logs it" not in curves.chart.text


def test_a_second_fit_starts_a_new_chart():
    curves, made = LiveCurves(), model()
    fit(made, curves)
    fit(made, curves)
    assert len(curves.history.epochs) == 4


def test_what_it_needs_is_said():
    with pytest.raises(InputError, match="needs a model compiled with metrics=.*Received: loss, val_loss"):
        fit(model(metrics=[]), LiveCurves())
    with pytest.raises(InputError, match="validation_data"):
        model().fit(IMAGES, LABELS, epochs=1, callbacks=[LiveCurves()], verbose=0)
