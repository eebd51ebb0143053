import dataclasses
import itertools
import threading
import time
import warnings

import keras
import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score, recall_score, roc_auc_score
from sklearn.utils.class_weight import compute_class_weight

from vgglab import history as history_module
from vgglab import training
from vgglab.architecture import CONV_NAMES
from vgglab.datasets import under_conditions
from vgglab.datasets.dataset import Dataset, Split
from vgglab.engine.cache import FeatureCache
from vgglab.engine.control import Control, Stopped
from vgglab.errors import InputError
from vgglab.experiment import FIELDS, Experiment
from vgglab.history import COLUMNS, History
from vgglab.measures import rows
from vgglab.measures.evaluation import evaluate
from vgglab.network import build_model
from vgglab.training import train

SMALL = Experiment(weights=None, image_size=32, epochs=3, batch_size=8, unfreeze=2)


def curves(history):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history.epochs]


def test_same_seed_same_history(tiny):
    experiment = Experiment(
        image_size=32,
        epochs=2,
        batch_size=8,
        dropout=0.5,
        augment=("rotation", "color_jitter", "crop"),
        mixup=0.4,
        cutmix=0.5,
    )
    first, same = train(experiment, tiny), train(experiment, tiny)
    assert curves(first) == curves(same) and first.layers == same.layers
    assert set(first.epochs[0]) == set(COLUMNS)


def test_the_curves_are_those_of_plain_keras(tiny):
    """Whole-batch steps, so that the order of the images does not matter."""
    experiment = Experiment(image_size=32, epochs=4, batch_size=24, unfreeze=4, l2=0.01, learning_rate=1e-3)
    history = train(experiment, tiny)
    model = build_model(experiment, 2)
    model.compile(
        keras.optimizers.Adam(1e-3),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
    )
    plain = model.fit(
        tiny.train.images,
        tiny.train.labels,
        batch_size=24,
        epochs=4,
        shuffle=False,
        validation_data=(tiny.validation.images, tiny.validation.labels),
        verbose=0,
    ).history
    rows = history.frame()
    np.testing.assert_allclose(rows["logged_loss"], plain["loss"], rtol=2e-3)
    np.testing.assert_allclose(rows["logged_accuracy"], plain["accuracy"], atol=1e-6)
    np.testing.assert_allclose(rows["validation_accuracy"], plain["val_accuracy"], atol=1e-6)


def test_what_is_trained_on_are_the_conditions_of_the_run(tiny):
    """Few images with redrawn labels, in whole-batch steps, against plain Keras on the same few."""
    experiment = Experiment(image_size=32, epochs=3, batch_size=16, unfreeze=2, learning_rate=1e-3)
    experiment = dataclasses.replace(experiment, images_a_class=8, label_noise=0.5, seed=1)
    model = build_model(experiment, 2)
    history = train(experiment, tiny, model=model)
    few = under_conditions(tiny, experiment).train
    assert len(few) == 16 and 0 < few.wrong.sum() < 16
    assert (history.data["train"], history.data["wrong_labels"]) == (16, few.wrong.sum())
    assert [event["kind"] for event in history.events][:2] == ["data", "data"]
    plain = build_model(experiment, 2)
    plain.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", jit_compile=False)
    fitted = plain.fit(few.images, few.labels, batch_size=16, epochs=3, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history.frame()["logged_loss"], fitted["loss"], rtol=2e-3)
    # The last epoch, with the weights that the run ended with. Validation has ten images, so ten are measured.
    row, clean = history.epochs[-1], under_conditions(tiny, experiment).clean_slice()
    said = {
        part: np.asarray(model(each.images.astype("float32"))).argmax(1)
        for part, each in (("clean", clean), ("validation", tiny.validation))
    }
    known, wrong = said["clean"] == clean.labels, clean.labels != clean.truth
    assert len(clean) == 10 and wrong.any()
    assert row["train_accuracy"] == known.mean() and row["memorised"] == known[wrong].mean()
    assert row["validation_accuracy"] == (said["validation"] == tiny.validation.labels).mean()


def test_without_wrong_labels_none_is_memorised(tiny):
    history = train(dataclasses.replace(SMALL, epochs=1, images_a_class=6), tiny)
    assert history.epochs[0]["memorised"] is None and history.data["wrong_labels"] == 0
    assert history.test is None and history.tested() == ""


@pytest.fixture(scope="module")
def tested(tiny):
    """The tiny data with a test part that is not easy: every third label is another one."""
    labels = np.where(np.arange(len(tiny.train)) % 3 == 0, 1 - tiny.train.labels, tiny.train.labels)
    return dataclasses.replace(tiny, test=Split(tiny.train.images // 2 + 60, labels))


def keras_of(model, split):
    """Loss and accuracy of the model's plain call, in NumPy; tests/test_cli.py asks Keras's `evaluate`."""
    said = np.asarray(model(split.images.astype("float32"), training=False))
    loss = -np.log(said[np.arange(len(split)), split.labels]).mean()
    accuracy = (said.argmax(axis=1) == split.labels).mean()
    return dict(loss=pytest.approx(loss, rel=1e-3), accuracy=pytest.approx(accuracy))


def assert_measured(history, model, test):
    """The figures of the test part are those that Keras finds for the model."""
    figures = dict(history.test)
    assert figures.pop("images") == len(test) and 0 < figures.pop("calibration_error") < 1
    said = np.asarray(model(test.images.astype("float32"), training=False))
    given = said.argmax(axis=1)
    assert figures.pop("confusion") == confusion_matrix(test.labels, given, labels=[0, 1]).tolist()
    assert figures.pop("balanced_accuracy") == pytest.approx(balanced_accuracy_score(test.labels, given))
    assert figures.pop("macro_f1") == pytest.approx(f1_score(test.labels, given, average="macro"))
    area, (low, high) = figures.pop("auc")[1], figures.pop("auc_interval")
    assert area == pytest.approx(roc_auc_score(test.labels, said[:, 1]), abs=1e-3) and low < area < high
    assert figures == keras_of(model, test)


def assert_said(history, model, validation):
    """What is kept of the validation images is what Keras finds for the model, and is of the epoch that counts."""
    said = history.predictions
    assert said.epoch == history.kept["epoch"] and said.images == validation.fingerprint
    assert said.labels.tolist() == validation.labels.tolist() and said.probabilities.dtype == np.float32
    np.testing.assert_allclose(said.probabilities, model.predict(validation.images, verbose=0), atol=1e-4)
    assert said.right.mean() == history.kept["validation_accuracy"]


LATER = dataclasses.replace(SMALL, epochs=1).then(unfreeze=4, epochs=1)


@pytest.mark.parametrize(
    "experiment",
    [dataclasses.replace(SMALL, epochs=1, unfreeze=0), pytest.param(LATER, marks=pytest.mark.slow)],
)
def test_the_test_part_is_what_keras_measures_cached_or_not(tested, tmp_path, experiment):
    for cache in (None, FeatureCache(folder=tmp_path), FeatureCache(0, 0, tmp_path)):
        model = build_model(experiment, 2)
        assert_measured(train(experiment, tested, model=model, cache=cache), model, tested.test)


def test_the_test_part_changes_nothing_else(tiny, tested):
    experiment = dataclasses.replace(SMALL, epochs=2, patience=1)
    assert curves(train(experiment, tested)) == curves(train(experiment, tiny))


def test_the_test_part_is_measured_with_the_weights_that_were_restored(tested, monkeypatch):
    losses, after = [3.0, 1.0, 2.0, 2.0], []
    experiment = Experiment(image_size=32, batch_size=8, epochs=9, patience=2, unfreeze=0, learning_rate=1e-3)
    model, count = build_model(experiment, 2), itertools.count()
    monkeypatch.setattr(rows, "score", lambda *given: (0.5, losses[next(count) // 2]))
    history = train(experiment, tested, lambda history: after.append(model.get_weights()), model=model)
    assert len(history.epochs) == 4 and history.kept["epoch"] == 2
    assert_measured(history, model, tested.test)
    for epoch, is_it in ((2, True), (4, False)):
        model.set_weights(after[epoch - 1])
        assert (keras_of(model, tested.test)["loss"] == history.test["loss"]) == is_it


def test_a_change_that_ends_the_run_leaves_a_tested_one(tested):
    control, model = Control(), build_model(SMALL, 2)
    head = dataclasses.replace(SMALL, unfreeze=0)
    change = dataclasses.replace(head, l2=0.01, epochs=1)
    history = train(head, tested, lambda history: control.change(change), model=model, control=control)
    assert len(history.epochs) == 1
    assert_measured(history, model, tested.test)


@pytest.mark.parametrize("epoch", [1, 3])  # 3 is the last one: only the test part is still to be measured
@pytest.mark.parametrize("how", ["stopped", "interrupted"])
def test_a_run_that_was_cut_short_is_not_tested(tested, epoch, how):
    control = Control()

    def cut(history):
        if len(history.epochs) == epoch:
            control.stop()
            if how == "interrupted":
                raise KeyboardInterrupt

    history = train(SMALL, tested, cut, control=control)
    assert len(history.epochs) == epoch and history.events[-1]["kind"] == how
    assert history.test is None and history.tested() == ""


def test_a_run_that_diverged_is_not_tested(tested):
    model = build_model(SMALL, 2)
    head = model.get_layer("predictions")
    head.set_weights([weights * np.nan for weights in head.get_weights()])
    with pytest.warns(UserWarning, match="The loss became nan"):
        assert train(SMALL, tested, model=model).test is None


def test_evaluation_is_keras_evaluation_without_the_penalty(tiny):
    model = build_model(SMALL, 2)
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    loss, accuracy = model.evaluate(tiny.train.images, tiny.train.labels, verbose=0)
    assert evaluate(model, tiny.train) == (pytest.approx(accuracy), pytest.approx(loss, rel=1e-4))


def test_the_clean_accuracy_does_not_see_the_augmentation(tiny):
    """With a learning rate of almost nothing, clean accuracy is the untrained network's."""
    experiment = Experiment(
        image_size=32,
        epochs=1,
        batch_size=8,
        learning_rate=1e-8,
        mixup=1.0,
        dropout=0.9,
        augment=("brightness",),
    )
    row = train(experiment, tiny).epochs[0]
    accuracy, loss = evaluate(build_model(experiment, 2), tiny.clean_slice())
    assert row["train_accuracy"] == accuracy and row["train_loss"] == pytest.approx(loss, rel=1e-3)
    assert row["gap"] == row["train_accuracy"] - row["validation_accuracy"]


def test_phases_are_recompiled(tiny):
    experiment = Experiment(image_size=32, epochs=1, batch_size=8, unfreeze=0).then(
        unfreeze=3, learning_rate=1e-4, epochs=2
    )
    history = train(experiment, tiny)
    layers = history.layer_frame()
    moved = {phase: set(rows.loc[rows["moved"] > 0, "layer"]) for phase, rows in layers.groupby("phase")}
    assert moved == {1: {"fc", "predictions"}, 2: {"fc", "predictions", *CONV_NAMES[-3:]}}
    assert [(row["phase"], row["learning_rate"]) for row in history.epochs] == [
        (1, 5e-4),
        (2, 1e-4),
        (2, 1e-4),
    ]
    assert {event["kind"] for event in history.events} == {"cache"}


def test_a_layer_that_should_have_moved_is_reported(tiny):
    model = build_model(SMALL, 2)
    kernel, bias = model.get_layer("block5_conv2").get_weights()
    model.get_layer("block5_conv2").set_weights([kernel * 0, bias - 1e6])  # dead: no gradient passes
    history = train(SMALL, tiny, model=model)
    # What lies above a dead layer gets zeros only, and stays at its initial biases of zero.
    assert [event["text"] for event in history.events if event["kind"] == "did not move"] == [
        f"Layer {name} was trainable in phase 1, but its weights did not change."
        for name in ("block5_conv2", "block5_conv3", "fc")
    ]


def test_a_frozen_layer_that_moved_is_reported(tiny):
    model = build_model(SMALL, 2)

    def meddle(history):
        layer = model.get_layer("block1_conv1")
        layer.set_weights([weights + 1 for weights in layer.get_weights()])

    history = train(SMALL, tiny, on_epoch=meddle, model=model)
    assert [event["text"] for event in history.events if event["kind"] == "moved"] == [
        "Layer block1_conv1 was frozen in phase 1, but its weights changed."
    ]


def test_early_stopping_follows_a_hand_made_sequence(tiny, monkeypatch):
    losses = [5.0, 4.0, 4.5, 3.0, 3.5, 3.2, 3.1, 1.0]
    kept = []
    model = build_model(SMALL, 2)

    count = itertools.count()

    def measured(probabilities, labels):
        number = next(count)
        if number % 2 == 0:  # the clean slice
            return 0.5, 1.0
        kept.append(model.get_weights())
        return 0.5, losses[number // 2]

    monkeypatch.setattr(rows, "score", measured)
    history = train(Experiment(image_size=32, epochs=8, batch_size=8, patience=3), tiny, model=model)
    # 4.0 is lower than 5.0 and 3.0 lowest; the three epochs after it bring nothing, so 1.0 is never seen.
    assert [row["validation_loss"] for row in history.epochs] == losses[:7]
    assert history.kept["epoch"] == 4
    assert all((now == then).all() for now, then in zip(model.get_weights(), kept[3]))
    assert [event["kind"] for event in history.events][1:3] == ["early stop", "restored"]


@pytest.mark.parametrize(
    ("monitor", "kept", "words"),
    [
        ("loss", 4, ("lower", "lowest")),
        ("accuracy", 2, ("higher", "highest")),
        ("balanced accuracy", 3, ("higher", "highest")),
        ("macro F1", 1, ("higher", "highest")),
    ],
)
def test_the_monitored_figure_says_what_is_kept(tiny, monkeypatch, monitor, kept, words):
    """Made by hand, each best in another epoch; of equal ones the first counts, as Keras has it."""
    figures = dict(
        validation_loss=[5.0, 4.0, 4.5, 3.0, 3.0, 9.0, 3.5, 8.0],
        validation_accuracy=[0.2, 0.6, 0.6, 0.1, 0.5, 0.6, 0.4, 0.3],
        validation_balanced_accuracy=[0.1, 0.2, 0.7, 0.3, 0.7, 0.2, 0.1, 0.0],
        validation_macro_f1=[0.9, 0.2, 0.3, 0.9, 0.8, 0.2, 0.1, 0.0],
    )
    measure, count = rows.Measuring.measure, itertools.count()

    def measured(*given):
        row, said = measure(*given)
        epoch = next(count)
        return row | {name: values[epoch] for name, values in figures.items()}, said

    monkeypatch.setattr(rows.Measuring, "measure", measured)
    experiment = dataclasses.replace(SMALL, unfreeze=0, epochs=8, patience=3, monitor=monitor)
    history = train(experiment, tiny)
    assert (history.kept["epoch"], len(history.epochs)) == (kept, kept + 3)
    assert history.predictions.epoch == kept
    texts = {event["kind"]: event["text"] for event in history.events}
    assert texts["early stop"] == f"No {words[0]} validation {monitor} for 3 epochs."
    figure = f"the {words[1]} validation {monitor}"
    assert texts["restored"] == f"The weights of epoch {kept}, which had {figure}, were restored."


def test_each_epoch_has_the_figures_in_which_all_classes_count_alike(tiny):
    """Of unequal classes, and of one that validation has no image of, against scikit-learn."""
    for chosen in (np.array([0, 1, 2, 4, 6, 8]), np.arange(0, 10, 2)):
        seen = []
        data = dataclasses.replace(tiny, validation=tiny.validation.part(chosen))
        experiment = dataclasses.replace(SMALL, unfreeze=0, epochs=2)
        train(
            experiment,
            data,
            lambda history, seen=seen: seen.append((history.epochs[-1], history.predictions)),
        )
        for row, said in seen:
            there = set(said.labels)
            recall = recall_score(said.labels, said.predicted, labels=sorted(there), average="macro")
            assert row["validation_balanced_accuracy"] == pytest.approx(recall)
            f1 = f1_score(said.labels, said.predicted, average="macro")
            assert row["validation_macro_f1"] == pytest.approx(f1)


def test_class_weights_are_those_of_plain_keras(tiny):
    """A whole run on unequal classes, in whole-batch steps, against `fit` with the weights of scikit-learn."""
    few = np.flatnonzero((tiny.train.labels == 0) | (np.arange(24) < 6))
    data = dataclasses.replace(tiny, train=tiny.train.part(few))
    experiment = Experiment(image_size=32, epochs=4, batch_size=15, unfreeze=2, learning_rate=1e-3)
    experiment = dataclasses.replace(experiment, class_weight="balanced", label_smoothing=0.1)
    labels = data.train.labels
    assert np.bincount(labels).tolist() == [12, 3]
    history = train(experiment, data)
    model = build_model(experiment, 2)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    model.compile(keras.optimizers.Adam(1e-3), loss, jit_compile=False)
    weights = compute_class_weight("balanced", classes=np.arange(2), y=labels)
    plain = model.fit(
        data.train.images,
        np.eye(2)[labels],
        batch_size=15,
        epochs=4,
        shuffle=False,
        class_weight=dict(enumerate(weights)),
        verbose=0,
    ).history
    np.testing.assert_allclose(history.frame()["logged_loss"], plain["loss"], rtol=2e-3)
    without = train(dataclasses.replace(experiment, class_weight="none"), data)
    assert abs(without.epochs[0]["logged_loss"] / plain["loss"][0] - 1) > 0.02, "they make a difference"
    assert history.events[0]["text"] == (
        "Class weights: an image counts 2.5 times for 'light' (3 training images), and 0.625 times for 'dark' "
        "(12 training images)."
    )
    assert "Class weights" not in "".join(event["text"] for event in without.events)


def test_stop_takes_effect_within_the_batch(tiny):
    seen = []
    control = Control(lambda done, total: seen.append((done, total)) or (len(seen) == 7 and control.stop()))
    history = train(Experiment(image_size=32, epochs=50, batch_size=8, unfreeze=13), tiny, control=control)
    # Three batches an epoch: two whole epochs and one batch of the third, whatever the evaluation takes.
    assert seen == [(8, 24), (16, 24), (24, 24)] * 2 + [(8, 24)]
    assert len(history.epochs) == 2 and history.events[-1]["kind"] == "stopped"


LIVELY = Experiment(weights=None, image_size=32, epochs=50, batch_size=8, unfreeze=13, learning_rate=3e-3)
ENDS = {
    "plain": (LIVELY, 2),
    "with patience": (dataclasses.replace(LIVELY, patience=9), 2),
    "before an epoch": (LIVELY, 0),
    "in a later phase": (dataclasses.replace(LIVELY, epochs=2).then(unfreeze=3, epochs=9), 3),
    "at the start of a later phase": (dataclasses.replace(LIVELY, epochs=2).then(unfreeze=3, epochs=9), 2),
    "at the start of one with patience": (
        dataclasses.replace(LIVELY, epochs=3).then(unfreeze=0, patience=2, epochs=9),
        3,
    ),
    "after one with patience": (
        dataclasses.replace(LIVELY, epochs=3, patience=9).then(unfreeze=1, epochs=9),
        3,
    ),
}


@pytest.mark.parametrize(
    ("end", "how"),
    [
        *((end, "stopped") for end in ENDS),
        *itertools.product(("plain", "at the start of a later phase"), ("interrupted", "diverged")),
    ],
)
def test_the_network_kept_is_the_one_whose_row_is_kept(tiny, end, how):
    """However an epoch is left in its middle, Keras measures of the model what stands in the row."""
    experiment, epochs = ENDS[end]
    model = build_model(experiment, 2)
    began, finished = model.get_weights(), []

    def leave(done, total):
        if len(finished) == epochs:
            if how == "interrupted":
                raise KeyboardInterrupt
            if how == "stopped":
                control.stop()
            else:
                head = model.get_layer("predictions")
                head.set_weights([weights * np.nan for weights in head.get_weights()])

    control = Control(leave)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The (loss became nan|network's output stopped being numbers)")
        history = train(experiment, tiny, finished.append, model=model, control=control)
    assert len(history.epochs) == epochs and history.events[-1]["kind"] == how
    assert not [event for event in history.events if event["kind"] in ("moved", "did not move")]
    if not epochs:
        assert history.predictions is None
        assert all((now == then).all() for now, then in zip(model.get_weights(), began))
        return
    row = history.kept
    assert keras_of(model, tiny.validation) == dict(
        loss=pytest.approx(row["validation_loss"], rel=1e-3), accuracy=row["validation_accuracy"]
    )
    assert_said(history, model, tiny.validation)


def test_patience_goes_back_where_its_best_epoch_is_not_the_last(tiny, monkeypatch):
    losses, after = [2.0, 1.0, 3.0], []
    control = Control(lambda done, total: len(after) == 3 and control.stop())
    model, count = build_model(LIVELY, 2), itertools.count()
    monkeypatch.setattr(rows, "score", lambda *given: (0.5, losses[next(count) // 2]))
    experiment = dataclasses.replace(LIVELY, patience=9)
    history = train(
        experiment, tiny, lambda _: after.append(model.get_weights()), model=model, control=control
    )
    assert len(history.epochs) == 3 and history.kept["epoch"] == 2
    assert all((now == then).all() for now, then in zip(model.get_weights(), after[1]))


def test_predictions_are_at_every_moment_of_the_epoch_that_counts(tiny, monkeypatch):
    """By hand: 1.0 is lowest of the first phase, and the second, which has no patience, counts with its last epoch."""
    losses, turn, seen = iter([2.0, 1.0, 3.0, 3.0, 9.0, 8.0]), itertools.cycle(["clean", "validation"]), []
    monkeypatch.setattr(rows, "score", lambda *given: (0.5, 1.0 if next(turn) == "clean" else next(losses)))
    experiment = dataclasses.replace(SMALL, unfreeze=0, patience=2, epochs=9).then(patience=None, epochs=2)
    model = build_model(experiment, 2)
    history = train(experiment, tiny, lambda history: seen.append(history.predictions), model=model)
    assert [said.epoch for said in seen] == [1, 2, 2, 2, 5, 6]
    assert seen[2] is seen[1] and history.predictions is seen[5]
    np.testing.assert_allclose(
        seen[5].probabilities, model.predict(tiny.validation.images, verbose=0), atol=1e-4
    )


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_predictions_are_probabilities_that_a_record_takes(tiny, precision, tmp_path):
    history = train(dataclasses.replace(SMALL, epochs=1, precision=precision), tiny)
    assert history.predictions.probabilities.dtype == np.float32
    assert History.load(history.save(tmp_path / "run.jsonl")) == history


def test_a_record_that_has_no_room_for_predictions_says_so(tiny, monkeypatch):
    for module in (training, history_module):
        monkeypatch.setattr(module, "MOST_WRITTEN", 19)
    history = train(dataclasses.replace(SMALL, epochs=1, unfreeze=0), tiny)
    assert len(history.predictions.labels) == 10 and '"kind": "validation"' not in history.to_lines()
    assert [event["text"] for event in history.events if event["kind"] == "left out"] == [
        "A record has room for 19 probabilities, so it leaves out what this run says of 10 validation images; "
        "`History.predictions` has it until Python ends."
    ]


def test_the_best_epoch_is_kept_also_where_its_own_report_is_interrupted(tiny, monkeypatch):
    losses = [2.0, 1.0]

    def interrupt(history):
        if len(history.epochs) == 2:
            seen.extend(model.get_weights())
            raise KeyboardInterrupt

    model, count, seen = build_model(LIVELY, 2), itertools.count(), []
    monkeypatch.setattr(rows, "score", lambda *given: (0.5, losses[next(count) // 2]))
    history = train(dataclasses.replace(LIVELY, patience=5), tiny, interrupt, model=model)
    assert history.kept["epoch"] == 2
    assert all((now == then).all() for now, then in zip(model.get_weights(), seen, strict=True))


def test_stop_is_heard_during_evaluation_too(tiny):
    def stop_at_the_last_batch(done, total):
        if done == total:
            control.stop()

    control = Control(stop_at_the_last_batch)
    assert not train(Experiment(image_size=32, epochs=50, batch_size=8), tiny, control=control).epochs


def test_a_paused_run_waits_and_goes_on(tiny):
    control, history = Control(), []
    plain = train(SMALL, tiny)
    control.pause()
    thread = threading.Thread(target=lambda: history.append(train(SMALL, tiny, control=control)))
    thread.start()
    time.sleep(0.5)
    assert thread.is_alive() and control.paused
    control.resume()
    thread.join(60)
    assert curves(history[0]) == curves(plain)


def test_a_paused_run_can_be_stopped(tiny):
    control = Control()
    control.pause()
    threading.Timer(0.2, control.stop).start()
    assert train(SMALL, tiny, control=control).events[-1]["kind"] == "stopped"


def test_a_change_on_the_way_is_a_phase_that_replays_to_the_same_curve(tiny):
    experiment = Experiment(image_size=32, epochs=6, batch_size=8, unfreeze=2)
    change = dataclasses.replace(experiment, mixup=0.4, l2=0.01, unfreeze=4, epochs=5)
    control = Control()

    def intervene(history):
        if len(history.epochs) == 2:
            control.change(change)

    live = train(experiment, tiny, intervene, control=control)
    assert live.experiment == dataclasses.replace(experiment, epochs=2).then(
        mixup=0.4, l2=0.01, unfreeze=4, epochs=3
    )
    assert [row["phase"] for row in live.epochs] == [1, 1, 2, 2, 2]
    replayed = train(live.experiment, tiny)
    assert curves(replayed) == curves(live) and replayed.layers == live.layers


CHANGED = dict(
    dataset="elsewhere",
    image_size=64,
    images_a_class=5,
    label_noise=0.2,
    backbone="vgg16",
    weights="imagenet",
    precision="bfloat16",
    head="dense",
    fit="pad",
    group="folder",
    exclude="leave out.txt",
    seed=7,
)


def test_a_change_that_could_not_be_replayed_is_refused_at_once(tiny):
    """What the whole run keeps, a batch larger than the data, or no phase; the run goes on as if nobody had asked."""
    assert CHANGED.keys() == {name for name, toggle in FIELDS.items() if toggle.fixed}
    refused = {name: f"`{name}` belongs to the whole run" for name in CHANGED}
    control, epochs = Control(), []

    def ask(history):
        epochs.append(len(history.epochs))
        for name, sentence in refused.items():
            with pytest.raises(InputError, match=sentence):
                control.change(dataclasses.replace(SMALL, **{name: CHANGED[name]}))
        with pytest.raises(
            InputError, match="`batch_size` must be at most the number of training images, 24"
        ):
            control.change(dataclasses.replace(SMALL, batch_size=25))
        for other in (SMALL.then(l2=0.1), "faster", None):
            with pytest.raises(InputError, match="`phase` must be an Experiment of one phase. Received: "):
                control.change(other)
        assert not control.changed

    history = train(SMALL, tiny, ask, control=control)
    assert epochs and history.experiment == SMALL and curves(history) == curves(train(SMALL, tiny))


def test_a_change_asked_for_before_the_run_is_checked_as_it_begins(tiny):
    control = Control()
    control.change(dataclasses.replace(SMALL, seed=7))
    with pytest.raises(InputError, match="`seed` belongs to the whole run"):
        train(SMALL, tiny, control=control)


def test_a_run_that_was_stopped_cannot_be_paused(tiny):
    control = Control()
    control.pause()
    control.stop()
    control.pause()
    assert not control.paused  # it would wait for ever
    with pytest.raises(Stopped):
        control.check()


def test_ctrl_c_returns_what_there_is(tiny):
    def interrupt(history):
        if len(history.epochs) == 2:
            raise KeyboardInterrupt

    history = train(SMALL, tiny, on_epoch=interrupt)
    assert len(history.epochs) == 2 and history.events[-1]["kind"] == "interrupted" and history.layers


def test_a_loss_that_is_no_number_ends_the_run(tiny, tmp_path):
    model = build_model(SMALL, 2)

    def poison(history):
        layer = model.get_layer("predictions")
        layer.set_weights([weights * np.nan for weights in layer.get_weights()])

    with pytest.warns(UserWarning, match="The loss became nan in epoch 2"):
        history = train(SMALL, tiny, on_epoch=poison, model=model)
    assert len(history.epochs) == 1 and history.events[-1]["kind"] == "diverged"
    assert "NaN" not in history.save(tmp_path / "h.jsonl").read_text()


def test_what_does_not_fit_together_is_said_before_training(tiny):
    with pytest.raises(
        InputError, match="`image_size` of the experiment is 64, but the data was loaded at 32"
    ):
        train(Experiment(), tiny)
    with pytest.raises(
        InputError, match="`batch_size` must be at most the number of training images, 24. Received: 32."
    ):
        train(Experiment(image_size=32), tiny)
    with pytest.raises(InputError, match="`batch_size`"):
        train(Experiment(image_size=32, batch_size=8).then(batch_size=64), tiny)
    with pytest.raises(InputError, match="the number of training images, 10. Received: 12."):
        train(Experiment(image_size=32, batch_size=12, images_a_class=5), tiny)


def test_a_batch_that_is_not_full_counts_by_its_images():
    images = np.zeros((5, 32, 32, 3), np.uint8)
    labels = np.array([0, 0, 0, 1, 1])
    data = Dataset("five", ("a", "b"), Split(images, labels), Split(images, labels))
    row = train(Experiment(image_size=32, epochs=1, batch_size=4, learning_rate=1e-8), data).epochs[0]
    assert row["logged_accuracy"] == pytest.approx(row["train_accuracy"]) and row["train_accuracy"] in (
        0.4,
        0.6,
    )


@pytest.mark.slow
def test_the_figure_of_the_text_is_reproduced():
    """An unregularised network reaches 99 % on train and stays under 70 % on validation."""
    from vgglab.datasets import load

    rows = train(Experiment(weights=None, unfreeze=13, epochs=40), load()).frame()
    top = rows.loc[rows["train_accuracy"].idxmax()]
    assert top["train_accuracy"] >= 0.99
    assert rows["validation_accuracy"].max() < 0.70
    assert top["gap"] > 0.3


@pytest.mark.slow
def test_the_full_network_trains_on_real_photographs(shared):
    from vgglab.datasets import load

    data = load(shared / "bloodcells", image_size=32)
    few = Dataset(
        "few",
        data.class_names,
        Split(data.train.images[::60], data.train.labels[::60]),
        Split(data.validation.images[::40], data.validation.labels[::40]),
    )
    history = train(
        Experiment(backbone="vgg16", weights=None, image_size=32, batch_size=8, epochs=1, unfreeze=1), few
    )
    assert len(history.epochs) == 1 and [event["kind"] for event in history.events] == ["cache"]
