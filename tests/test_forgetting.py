import numpy as np
import pytest

from recipe.source_task import CLASS_NAMES, draw_source
from recipe.source_task.__main__ import SEED
from vgglab.datasets import draw_blossoms
from vgglab.datasets.dataset import Split
from vgglab.experiment import Experiment
from vgglab.measures.forgetting import drift, has_source_task, source_images
from vgglab.training import train

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(60, 12))


def cka_by_kernels(x, y):
    """Linear CKA from its definition: the Hilbert-Schmidt criterion of n x n kernels, normalised."""
    centre = np.eye(len(x)) - 1 / len(x)
    k, m = centre @ x @ x.T @ centre, centre @ y @ y.T @ centre
    return np.trace(k @ m) / np.sqrt(np.trace(k @ k) * np.trace(m @ m))


def test_drift_is_one_minus_linear_cka():
    for other in (FEATURES, FEATURES + RNG.normal(size=FEATURES.shape), RNG.normal(size=(60, 5))):
        assert drift(FEATURES, other) == pytest.approx(1 - cka_by_kernels(FEATURES, other), abs=1e-12)


def test_turning_moving_and_scaling_all_features_is_no_drift():
    turn, _ = np.linalg.qr(RNG.normal(size=(12, 12)))
    assert drift(FEATURES, 3 * FEATURES @ turn + 7) == pytest.approx(0, abs=1e-12)
    assert drift(FEATURES, np.ones((60, 12))) == 1 and drift(np.ones((60, 2)), np.ones((60, 2))) == 0


def test_what_did_not_change_has_not_drifted_at_all():
    for seed in range(20):
        features = np.random.default_rng(seed).normal(size=(7, 3)).astype("float32")
        assert drift(features, features.copy()) == 0


@pytest.mark.parametrize("n", [20, 40, 400])
def test_features_with_nothing_in_common_give_what_the_docstring_says(n):
    """The mean over ways to deal the images out, against the formula by eigenvalues."""
    rng = np.random.default_rng(1)
    features = rng.normal(size=(n, 12)) * np.geomspace(1, 0.1, 12)
    eigenvalues = np.linalg.eigvalsh(np.cov(features.T))
    by_formula = 1 - eigenvalues.sum() ** 2 / (eigenvalues**2).sum() / (n - 1)
    dealt_out = [drift(features, features[rng.permutation(n)]) for _ in range(400)]
    assert np.mean(dealt_out) == pytest.approx(by_formula, abs=0.01) and by_formula < 1


def test_forty_images_of_the_course_give_between_83_and_92_hundredths():
    import keras

    from vgglab.network import build_model

    images = draw_blossoms(train_images=5, validation_images=5).clean_slice().images.astype("float32")
    model, rng = build_model(Experiment(), 8), np.random.default_rng(0)
    pools = [model.get_layer(f"block{block}_pool").output for block in range(1, 6)]
    found = []
    for pool in keras.Model(model.input, pools).predict(images, verbose=0):
        features = pool.mean(axis=(1, 2))
        found.append(np.mean([drift(features, features[rng.permutation(40)]) for _ in range(100)]))
    assert len(images) == 40 and (min(found), max(found)) == pytest.approx((0.83, 0.92), abs=0.01)


@pytest.mark.parametrize("size", [32, 64])
def test_the_source_pictures_are_fixed_and_one_of_each_class(size):
    split = source_images(size)
    assert split.images.dtype == np.uint8 and (split.labels == np.arange(len(CLASS_NAMES))).all()
    drawn = np.stack([draw_source(name, 1, size, SEED)[0] for name in CLASS_NAMES])
    assert np.abs(split.images.astype(int) - drawn).max() <= 1, "in the order of the source head"
    assert source_images(size) is split


def sixteenths(images):
    """The mean colour of each sixteenth of a picture, so that sizes can be compared."""
    side = images.shape[1] // 4
    return images.reshape(-1, 4, side, 4, side, 3).mean((2, 4))


@pytest.mark.parametrize(("size", "of"), [(16, 32), (48, 64), (128, 64)])
def test_source_pictures_of_another_size_are_resized(size, of):
    split, drawn = source_images(size), source_images(of)
    assert split.images.shape == (len(CLASS_NAMES), size, size, 3) and split.images.dtype == np.uint8
    assert (split.labels == drawn.labels).all()
    assert np.abs(sixteenths(split.images) - sixteenths(drawn.images)).mean() < 2


def test_only_embedded_weights_have_a_source_task():
    assert has_source_task(Experiment())
    assert not has_source_task(Experiment(weights=None))
    assert not has_source_task(Experiment(backbone="vgg16"))


@pytest.fixture(scope="module")
def flowers():
    return draw_blossoms(train_images=6, validation_images=4)


def test_frozen_layers_forget_nothing(flowers):
    rows = train(Experiment(unfreeze=0, epochs=3), flowers).frame()
    assert rows["source_accuracy"].nunique() == 1 and (rows.filter(like="drift") == 0).all(axis=None)


def test_the_head_does_not_matter_to_what_frozen_layers_know(flowers):
    pooled, dense = (
        train(Experiment(unfreeze=0, epochs=1, head=head), flowers).epochs[0]["source_accuracy"]
        for head in ("pooled", "dense")
    )
    assert pooled == dense > 0.5


@pytest.mark.slow
def test_a_high_learning_rate_forgets_more_and_only_what_is_unfrozen_drifts(flowers):
    gentle, harsh = (
        train(Experiment(unfreeze=6, epochs=4, learning_rate=rate), flowers).frame() for rate in (1e-5, 3e-3)
    )
    before = train(Experiment(unfreeze=0, epochs=1), flowers).frame()["source_accuracy"].iloc[0]
    assert before > 0.5
    assert gentle["source_accuracy"].iloc[-1] > before - 0.1
    assert harsh["source_accuracy"].iloc[-1] < before - 0.3
    for block in (1, 2, 3):
        assert (harsh[f"drift_block{block}"] == 0).all()
    for block in (4, 5):
        assert harsh[f"drift_block{block}"].iloc[-1] > 2 * gentle[f"drift_block{block}"].iloc[-1] > 0


def test_a_later_phase_keeps_the_drift_of_the_one_before(flowers):
    experiment = Experiment(unfreeze=3, epochs=2, learning_rate=1e-3).then(unfreeze=0, epochs=2)
    rows = train(experiment, flowers).frame()
    assert rows["drift_block5"].iloc[1] > 0
    assert (rows["drift_block5"].iloc[2:] == rows["drift_block5"].iloc[1]).all()


def test_source_accuracy_is_that_of_the_whole_source_network(flowers):
    """Against the network put together from the shipped files with plain Keras."""
    import keras

    from vgglab.network import build_base
    from vgglab.weights import PRETRAINED, SOURCE_HEAD

    base = build_base("vgg16-mini", 64)
    base.load_weights(PRETRAINED)
    head = np.load(SOURCE_HEAD)
    pooled = keras.layers.GlobalAveragePooling2D()(base.output)
    scores = keras.layers.Dense(len(CLASS_NAMES))
    network = keras.Model(base.input, scores(pooled))
    scores.set_weights([head["kernel"], head["bias"]])
    split: Split = source_images(64)
    expected = np.mean(network.predict(split.images.astype("float32"), verbose=0).argmax(1) == split.labels)
    row = train(Experiment(unfreeze=0, epochs=1), flowers).epochs[0]
    assert row["source_accuracy"] == pytest.approx(expected, abs=1e-6)
