"""The forecast: counted against real networks and by hand, its times with layers that take as told."""

import dataclasses
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from recipe.source_task import CLASS_NAMES
from test_history import make_history
from vgglab.datasets.dataset import Dataset, Split
from vgglab.engine.step import Compiled
from vgglab.experiment import CONV_LAYERS, Experiment, is_random
from vgglab.measures import cost as module
from vgglab.measures.cost import cost
from vgglab.network import build_model, build_network, configure
from vgglab.panel.costs import cost_table

BASE = Experiment(weights=None, unfreeze=13, image_size=32, batch_size=8, epochs=5)
RANDOM = dict(augment=("flip",))
# Multiply-adds of vgg16-mini for one 32-pixel image: 9 x channels x filters x pixels.
CONVS = [
    *(9 * 3 * 16 * 32**2, 9 * 16 * 16 * 32**2),
    *(9 * 16 * 32 * 16**2, 9 * 32 * 32 * 16**2),
    *(9 * 32 * 64 * 8**2, 9 * 64 * 64 * 8**2, 9 * 64 * 64 * 8**2),
    *(9 * 64 * 128 * 4**2, 9 * 128 * 128 * 4**2, 9 * 128 * 128 * 4**2),
    *(9 * 128 * 128 * 2**2, 9 * 128 * 128 * 2**2, 9 * 128 * 128 * 2**2),
]
HEAD = [128 * 128, 128 * 2]


@pytest.fixture
def stopwatch(monkeypatch):
    """Sets what a layer takes for an image, forwards and backwards; a millisecond and two at first."""

    def takes(forwards, backwards):
        times = [forwards] * CONV_LAYERS, [backwards] * CONV_LAYERS
        monkeypatch.setattr(module, "layer_seconds", lambda *network: times)

    takes(0.001, 0.002)
    return takes


def numbers(weights):
    return sum(math.prod(weight.shape) for weight in weights)


@pytest.mark.parametrize("backbone", ["vgg16", "vgg16-mini"])
def test_parameters_are_those_of_the_network_at_every_depth(backbone, tiny, stopwatch):
    experiment = dataclasses.replace(BASE, backbone=backbone)
    model = build_model(experiment, 2)
    for unfreeze in (0, 1, 2, 3, 6, 9, 12, 13):
        phase = dataclasses.replace(experiment, unfreeze=unfreeze)
        configure(model, phase)
        figures = cost(phase, tiny)
        assert figures.parameters == model.count_params()
        assert figures.trainable == numbers(model.trainable_weights)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("size", [32, 44, 47])  # the last two leave odd sides, whose last pixel is dropped
def test_kept_features_are_as_large_as_the_cache_makes_them(precision, size, tiny, stopwatch):
    compiled = Compiled(build_network(Experiment(image_size=size, precision=precision), 2))
    base = dataclasses.replace(BASE, image_size=size, precision=precision)
    for unfreeze in range(CONV_LAYERS):
        boundary = compiled.boundary(CONV_LAYERS - unfreeze)
        kept = math.prod(boundary.shape[1:]) * np.dtype(tf.as_dtype(boundary.dtype).as_numpy_dtype).itemsize
        for changes in ({}, dict(RANDOM, views=1), dict(mixup=0.2, views=5), dict(views=5)):
            phase = dataclasses.replace(base, unfreeze=unfreeze, **changes)
            images = len(tiny.train) * (phase.views if is_random(phase) else 1)
            assert cost(phase, tiny).cache == images * kept > 0, phase


def test_nothing_is_kept_where_nothing_can_be(tiny, stopwatch):
    assert cost(dataclasses.replace(BASE, unfreeze=13), tiny).cache == 0
    assert cost(dataclasses.replace(BASE, unfreeze=3, **RANDOM), tiny).cache == 0


def test_arithmetic_by_hand(tiny, stopwatch):
    frozen = dataclasses.replace(BASE, unfreeze=1)
    everything = sum(CONVS) + sum(HEAD)
    # Kept features: up and down through one conv layer and the head, whose inputs have a gradient too.
    forwards = weights = CONVS[-1] + sum(HEAD)
    figures = cost(frozen, tiny)
    assert figures.multiply_adds == everything == 19_923_200
    assert figures.flops == 2 * 8 * (forwards + weights + sum(HEAD)) == 19_673_088
    # New images in every epoch: the frozen layers have to compute them, forwards only.
    figures = cost(dataclasses.replace(frozen, **RANDOM), tiny)
    assert figures.flops == 2 * 8 * (everything + weights + sum(HEAD)) == 328_740_864
    # All layers: only the images have no gradient.
    figures = cost(dataclasses.replace(BASE, unfreeze=13), tiny)
    assert figures.flops == 2 * 8 * (3 * everything - CONVS[0])


@pytest.mark.parametrize(("precision", "size"), [("float32", 4), ("bfloat16", 2)])
def test_memory_by_hand(tiny, stopwatch, precision, size):
    conv, head = 128 * 128 * 9 + 128, (128 * 128 + 128) + (128 * 2 + 2)
    parameters = build_network(Experiment(image_size=32), 2).count_params()
    figures = cost(dataclasses.replace(BASE, unfreeze=1, precision=precision), tiny)
    # Four places of kept features, what conv layer and pooling make of them, their mean, and the head's two layers.
    activations = 8 * (size * (128 * 2 * 2 + 128 * 2 * 2 + 128) + 4 * (128 + 128 + 2))
    assert figures.memory == 4 * (parameters + 3 * (conv + head)) + activations


@pytest.mark.parametrize("head", ["pooled", "dense"])
def test_activations_are_all_that_keras_lists(tiny, stopwatch, head):
    """Input, conv, pooling and dense layers of Keras's own VGG16; flattening is another look at the same numbers."""
    base = keras.applications.VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
    made = sum(math.prod(layer.output.shape[1:]) for layer in base.layers)
    made += 512 + 128 + 2 if head == "pooled" else 4096 + 4096 + 2
    figures = cost(dataclasses.replace(BASE, backbone="vgg16", head=head), tiny)
    assert figures.memory == 4 * 4 * figures.parameters + 4 * 8 * made


def test_the_head_on_kept_features_is_fed_with_them(tiny, stopwatch):
    for head, units in (("pooled", 128), ("dense", 1024 + 1024)):
        figures = cost(dataclasses.replace(BASE, unfreeze=0, head=head), tiny)
        assert figures.memory == 4 * (figures.parameters + 3 * figures.trainable) + 8 * 4 * (128 + units + 2)


def test_seconds_by_hand(tiny, stopwatch):
    train, validation, step = 24, 10, module.STEP_OVERHEAD
    figures = cost(dataclasses.replace(BASE, unfreeze=2), tiny)
    evaluated = 2 * validation * 2 * 0.001 + 2 * validation / 64 * step
    assert figures.seconds == pytest.approx(train * 2 * 0.003 + train / 8 * step + evaluated)
    assert figures.total_seconds == pytest.approx(5 * figures.seconds)
    # Frozen layers that have to compute changed images do so forwards; evaluation goes on from the kept ones.
    changed = cost(dataclasses.replace(BASE, unfreeze=2, **RANDOM), tiny)
    assert changed.seconds - figures.seconds == pytest.approx(train * 11 * 0.001)


def test_the_source_task_is_evaluated_too(tiny, stopwatch):
    without, with_it = (
        cost(dataclasses.replace(BASE, unfreeze=2, weights=weights), tiny) for weights in (None, "pretrained")
    )
    images = len(CLASS_NAMES)
    more = images * (2 * 0.001 + module.STEP_OVERHEAD / 64)
    assert with_it.seconds - without.seconds == pytest.approx(more)


def test_no_more_training_images_are_evaluated_than_there_are(stopwatch):
    few, many = (Split(np.zeros((n, 32, 32, 3), np.uint8), np.arange(n) % 2) for n in (8, 100))
    figures = cost(dataclasses.replace(BASE, unfreeze=2), Dataset("few", ("a", "b"), few, many))
    evaluated = 108 * 2 * 0.001 + 108 / 64 * module.STEP_OVERHEAD
    assert figures.seconds == pytest.approx(8 * 2 * 0.003 + module.STEP_OVERHEAD + evaluated)


def test_measured_seconds_grow_with_the_depth_and_are_measured_once(tiny):
    module.layer_seconds.cache_clear()
    figures = [cost(dataclasses.replace(BASE, unfreeze=unfreeze), tiny) for unfreeze in (0, 1, 6, 13)]
    seconds = [each.seconds for each in figures]
    assert 0 < seconds[0] < seconds[1] < seconds[2] < seconds[3]
    assert module.layer_seconds.cache_info().misses == 1
    for times in module.layer_seconds("vgg16-mini", 32, "float32"):
        assert len(times) == CONV_LAYERS and all(time > 0 for time in times)


def rows_of(table):
    cells = table.partition("<tr><td>")[2].removesuffix("</td></tr></table>")
    return dict(row.split("</td><td>") for row in cells.split("</td></tr><tr><td>"))


def test_the_table_says_the_figures(tiny, stopwatch):
    experiment = dataclasses.replace(BASE, unfreeze=1)
    figures, rows = cost(experiment, tiny), rows_of(cost_table(experiment, tiny, None))
    assert rows["parameters"] == f"{figures.parameters:,} in all, {figures.trainable:,} of them train"
    assert rows["arithmetic"] == "20 million multiply-adds an image forwards"
    assert rows["a training step"] == "0.02 GFLOP for 8 images"
    assert rows["kept features"] == "0.0 MB" and figures.cache == 24 * 2 * 2 * 128 * 4
    assert rows["an epoch"] == f"about {figures.seconds:.2f} s on this machine"
    assert rows["the run"] == f"about {5 * figures.seconds:.0f} s for 5 epochs"
    assert rows_of(cost_table(BASE, tiny, None))["kept features"] == "none"


def test_more_than_a_minute_is_warned_of_and_a_minute_is_not(tiny, stopwatch, monkeypatch):
    monkeypatch.setattr(module, "STEP_OVERHEAD", 0)
    experiment = dataclasses.replace(BASE, unfreeze=1, epochs=10)
    # An epoch: 24 images up and down one layer, as slowly down as up at least; 20 images up.
    for seconds, warned in ((5.99, False), (6.01, True)):
        stopwatch(seconds / 68, 0)
        table = cost_table(experiment, tiny, None)
        assert ('role="alert"' in table) == ("more than a minute" in table) == warned
    assert "smaller unfreeze depth" not in table
    assert "smaller unfreeze depth" in cost_table(dataclasses.replace(experiment, unfreeze=13), tiny, None)


def test_later_phases_count_for_the_run(tiny, stopwatch):
    experiment = dataclasses.replace(BASE, unfreeze=0, epochs=3).then(unfreeze=3, epochs=100)
    first, second = (cost(phase, tiny) for phase in experiment.phases)
    seconds = first.total_seconds + second.total_seconds
    assert seconds > 20 and first.total_seconds < 1
    rows = rows_of(cost_table(experiment, tiny, None))
    assert rows["the run"] == f"about {seconds:.0f} s for 103 epochs"


def actual(table):
    return rows_of(table).get("the last run took", "")


def test_the_last_run_is_held_against_the_forecast(tiny, stopwatch):
    history = make_history(weights=None, image_size=32, batch_size=8, unfreeze=1)
    for row, seconds in zip(history.epochs, (99.0, 0.4, 0.6)):  # the first compiles, so it does not count
        row["seconds"] = seconds
    forecast = cost(history.experiment, tiny).seconds
    said = actual(cost_table(history.experiment, tiny, history))
    assert said == f"0.50 s an epoch, {0.5 / forecast:.1f} times the forecast"


def test_another_run_or_one_epoch_is_not_held_against_the_forecast(tiny, stopwatch):
    history = make_history(weights=None, image_size=32, batch_size=8, unfreeze=1)
    assert actual(cost_table(history.experiment, tiny, history))
    assert not actual(cost_table(dataclasses.replace(history.experiment, unfreeze=2), tiny, history))
    assert not actual(cost_table(history.experiment, tiny, make_history(train=(0.5,), validation=(0.5,))))
    del history.epochs[1:]
    assert not actual(cost_table(history.experiment, tiny, history))
    assert not actual(cost_table(history.experiment, tiny, None))
