import dataclasses
import subprocess
import sys
from collections import OrderedDict

import keras
import numpy as np
import pytest
import tensorflow as tf

from vgglab.engine import lending, step
from vgglab.engine.lending import borrowed
from vgglab.engine.objective import OBJECTIVE, cross_entropy
from vgglab.engine.step import Compiled, blocks
from vgglab.experiment import Experiment
from vgglab.network import build_model
from vgglab.training import train

SMALL = Experiment(weights=None, image_size=32, epochs=2, batch_size=8, unfreeze=3)
IMAGES = np.random.default_rng(0).uniform(0, 255, (6, 32, 32, 3)).astype("float32")
PLAIN = dict.fromkeys(OBJECTIVE, 0.0) | dict(
    class_weight=np.ones(4, "float32")
)  # nothing but the cross-entropy


@pytest.mark.parametrize("below", [0, 1, 2, 4, 7, 12, 13])
def test_prefix_and_the_rest_are_the_whole_network(below):
    model = build_model(SMALL, 4)
    compiled = Compiled(model)
    features = compiled.prefix(below)(tf.constant(IMAGES))[0]
    probabilities, *pooled = compiled.predict(below)(features)
    np.testing.assert_allclose(probabilities, model.predict(IMAGES, verbose=0), atol=1e-5)
    tops = [keras.Model(model.input, model.get_layer(f"block{block}_pool").output) for block in blocks(below)]
    for ours, top in zip(pooled, tops, strict=True):
        np.testing.assert_allclose(ours, top.predict(IMAGES, verbose=0).mean((1, 2)), rtol=1e-3, atol=1e-3)


def test_which_blocks_lie_above():
    # Two, two, three, three and three conv layers.
    assert {below: blocks(below) for below in (0, 1, 2, 3, 4, 9, 10, 12, 13)} == {
        0: [1, 2, 3, 4, 5],
        1: [1, 2, 3, 4, 5],
        2: [2, 3, 4, 5],
        3: [2, 3, 4, 5],
        4: [3, 4, 5],
        9: [4, 5],
        10: [5],
        12: [5],
        13: [],
    }


def test_the_steps_are_those_of_keras_adam():
    targets = np.eye(4, dtype="float32")[[0, 1, 2, 3, 0, 1]]
    ours, theirs = build_model(SMALL, 4), build_model(SMALL, 4)
    steps = Compiled(ours).train_steps(0, SMALL)
    theirs.compile(keras.optimizers.Adam(1e-3), "categorical_crossentropy", jit_compile=False)
    for _ in range(5):
        loss, _ = steps(tf.constant(IMAGES), tf.constant(targets), 6, [1e-3], PLAIN)
        logs = theirs.train_on_batch(IMAGES, targets)
        assert float(loss) / 6 == pytest.approx(float(logs), rel=1e-4)
    for one, other in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_the_objective_is_that_of_keras():
    """Label smoothing, L2 and weight decay together, against Keras's loss and regularisers."""
    targets = np.eye(4, dtype="float32")[[0, 1, 2, 3, 0, 1]]
    held = dict(l2=0.02, weight_decay=0.003)
    ours, theirs = build_model(SMALL, 4), build_model(dataclasses.replace(SMALL, **held), 4)
    steps = Compiled(ours).train_steps(0, dataclasses.replace(SMALL, **held))
    smoothed = keras.losses.CategoricalCrossentropy(label_smoothing=0.3)
    theirs.compile(keras.optimizers.Adam(1e-3), smoothed, jit_compile=False)
    for _ in range(3):
        objective = PLAIN | dict(held, label_smoothing=0.3)
        loss, _ = steps(tf.constant(IMAGES), tf.constant(targets), 6, [1e-3], objective)
        logs = theirs.train_on_batch(IMAGES, targets)
        assert float(loss) / 6 == pytest.approx(float(logs), rel=1e-4)
    for one, other in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.parametrize("mixed", [False, True])
def test_class_weights_are_those_of_keras(mixed):
    """By class as `fit` takes them, and for mixed targets by image; with label smoothing, which they do not see."""
    targets = np.eye(4, dtype="float32")[[0, 1, 2, 3, 0, 1]]
    weights = np.float32([0.5, 3.0, 1.25, 2.0])
    given = dict(class_weight=dict(enumerate(weights.tolist())))
    if mixed:
        targets = 0.7 * targets + 0.3 * np.roll(targets, 1, axis=0)
        given = dict(sample_weight=targets @ weights)
    ours, theirs = build_model(SMALL, 4), build_model(SMALL, 4)
    steps = Compiled(ours).train_steps(0, SMALL)
    smoothed = keras.losses.CategoricalCrossentropy(label_smoothing=0.3)
    theirs.compile(keras.optimizers.Adam(1e-3), smoothed, jit_compile=False)
    objective = PLAIN | dict(label_smoothing=0.3, class_weight=weights)
    for _ in range(3):
        loss, _ = steps(tf.constant(IMAGES), tf.constant(targets), 6, [1e-3], objective)
        logs = theirs.train_on_batch(IMAGES, targets, **given)
        assert float(loss) / 6 == pytest.approx(float(logs), rel=1e-4)
    for one, other in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_weights_of_one_change_no_bit():
    """Against the loss and the gradient without weights, on mixed targets whose sum is 1 only to rounding."""
    rng = np.random.default_rng(0)
    targets = tf.constant(rng.dirichlet(np.ones(7), 64).astype("float32"))
    assert (tf.reduce_sum(targets, axis=1).numpy() != 1).any()
    logits = tf.constant(rng.normal(size=(64, 7)).astype("float32"))
    found = []
    for weighted in (True, False):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            said = tf.nn.softmax(logits)
            if weighted:
                loss = cross_entropy(targets, said, dict(label_smoothing=0.0, class_weight=tf.ones(7)))
            else:
                loss = tf.reduce_mean(keras.losses.categorical_crossentropy(targets, said))
        found.append((loss.numpy(), tape.gradient(loss, logits).numpy()))
    assert found[0][0] == found[1][0] and (found[0][1] == found[1][1]).all()


def test_several_batches_in_a_call_are_several_steps():
    targets = np.eye(4, dtype="float32")[[0, 1, 2, 3, 0, 1]]
    together, apart = build_model(SMALL, 4), build_model(SMALL, 4)
    loss, right = Compiled(together).train_steps(0, SMALL)(
        IMAGES, targets, 4, [1e-3, 1e-4], PLAIN | dict(l2=0.1)
    )
    steps = Compiled(apart).train_steps(0, SMALL)
    parts = [
        steps(IMAGES[part], targets[part], 4, [rate], PLAIN | dict(l2=0.1))
        for part, rate in ((slice(0, 4), 1e-3), (slice(4, 6), 1e-4))
    ]
    assert float(loss) == pytest.approx(sum(float(each) for each, _ in parts), rel=1e-5)
    assert float(right) == sum(float(each) for _, each in parts)
    for one, other in zip(together.get_weights(), apart.get_weights()):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_new_phase_starts_with_a_new_adam(tiny):
    """Two phases of one epoch are a run of one epoch, continued by a fresh optimizer."""
    targets = np.eye(4, dtype="float32")[[0, 1, 2, 3, 0, 1]]
    model = build_model(SMALL, 4)
    compiled = Compiled(model)
    steps = compiled.train_steps(0, SMALL)
    steps(IMAGES, targets, 6, [1e-3], PLAIN)
    theirs = keras.models.clone_model(model)
    theirs.set_weights(model.get_weights())
    for name in [layer.name for layer in model.layers if not layer.trainable]:
        theirs.get_layer(name).trainable = False
    theirs.compile(keras.optimizers.Adam(1e-3), "categorical_crossentropy", jit_compile=False)
    compiled.restart_optimizer()
    steps(IMAGES, targets, 6, [1e-3], PLAIN), theirs.train_on_batch(IMAGES, targets)
    for one, other in zip(model.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_a_borrowed_network_starts_like_a_new_one(tiny):
    for experiment in (SMALL, dataclasses.replace(SMALL, seed=3, dropout=0.5, l2=0.1), SMALL):
        ours = train(experiment, tiny)
        fresh = train(experiment, tiny, model=build_model(experiment, 2))
        assert ours.frame().drop(columns="seconds").equals(fresh.frame().drop(columns="seconds"))


def test_a_second_run_of_the_same_shape_traces_nothing(tiny, monkeypatch):
    train(SMALL, tiny)
    monkeypatch.setattr(tf, "function", lambda *rest, **options: pytest.fail("traced again"))
    other = dict(learning_rate=1e-3, l2=0.01, label_smoothing=0.1, class_weight="balanced", seed=5)
    train(dataclasses.replace(SMALL, **other), tiny)


def test_no_more_networks_and_functions_are_kept_than_said(monkeypatch):
    monkeypatch.setattr(lending, "KEPT_NETWORKS", 1)
    for classes in (2, 3):
        with borrowed(SMALL, classes) as compiled:
            pass
    assert list(lending._POOL.values()) == [compiled]
    for below in range(14):
        compiled.prefix(below), compiled.predict(below)
    assert len(compiled._functions) == step.KEPT_FUNCTIONS


def test_networks_go_when_their_functions_are_too_many_together(monkeypatch):
    """Of three networks with sixteen functions each, these took half a gigabyte."""
    monkeypatch.setattr(lending, "KEPT_IN_ALL", 5)
    monkeypatch.setattr(lending, "_POOL", OrderedDict())
    for classes, functions in ((2, 2), (3, 2), (4, 3), (5, 7)):
        with borrowed(SMALL, classes) as compiled:
            for below in range(functions):
                compiled.prefix(below)
        kept = [each.traced for each in lending._POOL.values()]
        assert kept == {2: [2], 3: [2, 2], 4: [2, 3], 5: [7]}[classes]  # the latest stays, whatever it has


@pytest.mark.slow
def test_memory_does_not_grow_with_the_runs():
    """Resident memory after the twelfth run, against that after the sixth, when each depth has run twice."""
    code = """
import numpy as np
from vgglab import Experiment, draw_blossoms, train
data = draw_blossoms(train_images=4, validation_images=4, image_size=32)
def resident():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS"))
for run in range(12):
    train(Experiment(weights=None, image_size=32, unfreeze=(0, 3, 13)[run % 3], epochs=1, seed=run, batch_size=8), data)
    if run == 5: start = resident()
print(resident() / start)
"""
    growth = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert float(growth.split()[-1]) < 1.05
