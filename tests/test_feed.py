"""The prefix cache in a run: exact at every depth, sensitive to everything, and honest about itself."""

import dataclasses

import numpy as np
import pytest

from vgglab.datasets.dataset import Dataset, Split
from vgglab.engine import feed as feeding
from vgglab.engine.cache import FeatureCache
from vgglab.engine.control import Control
from vgglab.engine.feed import feed
from vgglab.engine.step import Compiled
from vgglab.experiment import CONV_LAYERS, Experiment
from vgglab.network import build_model
from vgglab.training import train

pytestmark = pytest.mark.slow

# A learning rate at which nothing is chaotic yet: rounding must not grow into a difference of its own.
BASE = Experiment(
    weights=None, image_size=32, epochs=3, batch_size=8, dropout=0.3, l2=0.01, learning_rate=1e-4
)
RANDOM = dict(augment=("rotation", "color_jitter"), mixup=0.4)


def evaluated(data):
    return dict(clean=data.clean_slice(), validation=data.validation)


def run(experiment, data, cache):
    model = build_model(experiment, len(data.class_names))
    history = train(experiment, data, model=model, cache=cache)
    return history.frame().drop(columns=["seconds", "source_accuracy"]), model.get_weights(), history


def assert_same(experiment, data, cache):
    plain, plain_weights, _ = run(experiment, data, None)
    cached, cached_weights, history = run(experiment, data, cache)
    np.testing.assert_allclose(cached, plain, atol=1e-4)
    for ours, theirs in zip(cached_weights, plain_weights):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
    return history


@pytest.mark.parametrize("unfreeze", range(CONV_LAYERS + 1))
def test_cached_and_plain_runs_agree_at_every_depth(tiny, tmp_path, unfreeze):
    cache = FeatureCache(folder=tmp_path)
    history = assert_same(dataclasses.replace(BASE, unfreeze=unfreeze), tiny, cache)
    said = history.events[0]["text"]
    assert said.startswith(
        "Cached: the frozen layers up to" if unfreeze < CONV_LAYERS else "Not cached: nothing"
    )
    assert (cache.used > 0) == (unfreeze < CONV_LAYERS)


@pytest.mark.parametrize("unfreeze", [0, 4])
def test_views_are_the_same_epochs_cached_or_not(tiny, tmp_path, unfreeze):
    experiment = dataclasses.replace(BASE, unfreeze=unfreeze, views=2, epochs=5, **RANDOM)
    history = assert_same(experiment, tiny, FeatureCache(folder=tmp_path))
    assert "2 epochs of augmented images" in history.events[0]["text"]


def test_phases_and_files_agree_too(tiny, tmp_path):
    experiment = dataclasses.replace(BASE, unfreeze=0).then(unfreeze=5, epochs=2)
    history = assert_same(experiment, tiny, FeatureCache(memory=0, folder=tmp_path))
    assert "in files under" in history.events[0]["text"] and len(list(tmp_path.iterdir())) > 2


@pytest.mark.parametrize("unfreeze", [0, 2])
def test_the_dense_head_is_fed_alike(tiny, tmp_path, unfreeze):
    experiment = dataclasses.replace(
        BASE, unfreeze=unfreeze, head="dense", weight_decay=1e-3, schedule="cosine"
    )
    assert_same(experiment, tiny, FeatureCache(folder=tmp_path))


def test_without_views_augmented_images_are_not_cached(tiny, tmp_path):
    history = assert_same(
        dataclasses.replace(BASE, unfreeze=3, **RANDOM), tiny, FeatureCache(folder=tmp_path)
    )
    assert history.events[0]["text"].startswith("Not cached: augmentation draws new images in every epoch")


def test_without_room_the_run_is_unharmed(tiny, tmp_path):
    history = assert_same(dataclasses.replace(BASE, unfreeze=3), tiny, FeatureCache(0, 0, tmp_path))
    assert "no room" in history.events[0]["text"]


def test_without_a_folder_the_run_is_unharmed_and_says_why(tiny, tmp_path):
    (tmp_path / "file").touch()
    cache = FeatureCache(memory=0, folder=tmp_path / "file" / "cache")
    history = assert_same(dataclasses.replace(BASE, unfreeze=3), tiny, cache)
    assert history.events[0]["text"] == (
        "Not cached: every image is computed anew in every epoch. "
        f"The features could not be kept in {cache.folder} (not a directory)."
    )


def batches_of(experiment, data, epoch):
    return list(feeding._from_images(experiment, 1, data, epoch))


def test_views_go_round_and_differ(tiny):
    experiment = dataclasses.replace(BASE, views=2, **RANDOM)
    first, second, third = (
        np.concatenate([images for images, _ in batches_of(experiment, tiny, epoch)]) for epoch in range(3)
    )
    assert (first == third).all() and (first != second).any()


def test_an_epoch_shows_every_image_once(tiny):
    shown = np.concatenate([images for images, _ in batches_of(BASE, tiny, 0)])
    assert sorted(image.tobytes() for image in shown) == sorted(
        image.astype(np.float32).tobytes() for image in tiny.train.images
    )


@pytest.fixture
def filled(tiny, tmp_path):
    """A cache, and how many images a feed had to compute anew for it."""
    cache = FeatureCache(folder=tmp_path)

    def computed(experiment, data=tiny, model=None):
        compiled = Compiled(model or build_model(experiment, 2))
        seen, prefix = [], compiled.prefix

        def counting(below):
            return lambda images: seen.append(len(images)) or prefix(below)(images)

        compiled.prefix = counting
        feed(compiled, experiment, 1, data, evaluated(data), cache, Control())
        return sum(seen)

    return computed


def test_the_key_holds_everything_that_matters(tiny, filled):
    experiment = dataclasses.replace(BASE, unfreeze=4)
    everything = 10 + 10 + 24  # the clean slice, validation, train
    assert filled(experiment) == everything and filled(experiment) == 0
    # What does not reach the frozen layers is not in the key.
    assert filled(dataclasses.replace(experiment, learning_rate=1e-3, l2=0.1, dropout=0.5, batch_size=4)) == 0
    images, clean = tiny.train.images.copy(), tiny.clean_slice().images
    unseen = next(i for i, image in enumerate(images) if not (clean == image).all((1, 2, 3)).any())
    images[unseen, 5, 7, 1] ^= 1  # one pixel, of an image outside the clean slice
    assert filled(experiment, dataclasses.replace(tiny, train=Split(images, tiny.train.labels))) == 24
    assert filled(dataclasses.replace(experiment, unfreeze=5)) == everything
    assert filled(dataclasses.replace(experiment, seed=1)) == everything


@pytest.mark.parametrize("unfreeze", [0, 4])
def test_what_the_frozen_layers_computed_in_is_in_the_key(tiny, filled, unfreeze):
    """Pooled features are float32 in any case, and yet not the same."""
    experiment = dataclasses.replace(BASE, unfreeze=unfreeze)
    filled(experiment)
    assert filled(experiment) == 0
    assert filled(dataclasses.replace(experiment, precision="bfloat16")) == 10 + 10 + 24


def test_one_weight_of_the_frozen_layers_is_a_miss_and_of_the_others_is_not(tiny, filled):
    experiment = dataclasses.replace(BASE, unfreeze=4)
    model = build_model(experiment, 2)
    filled(experiment, model=model)
    for name, computed in (("block5_conv1", 0), ("block4_conv2", 44)):
        kernel, bias = model.get_layer(name).get_weights()
        kernel[0, 0, 0, 0] += 1e-6
        model.get_layer(name).set_weights([kernel, bias])
        assert filled(experiment, model=model) == computed


def test_other_views_are_a_miss(filled):
    experiment = dataclasses.replace(BASE, unfreeze=4, views=2, **RANDOM)
    assert filled(experiment) == 20 + 48 and filled(experiment) == 0
    for change in (dict(mixup=0.5), dict(augment=("flip",)), dict(batch_size=4), dict(fill_mode="wrap")):
        assert filled(dataclasses.replace(experiment, **change)) == 48
    # How long, how fast and towards what it learns changes no image.
    for change in (dict(patience=3), dict(epochs=9), dict(learning_rate=1e-3), dict(label_smoothing=0.1)):
        assert filled(dataclasses.replace(experiment, **change)) == 0


def test_another_size_is_a_miss(filled):
    rng = np.random.default_rng(0)
    parts = [
        Split(rng.integers(0, 255, (4, 48, 48, 3), dtype=np.uint8), np.array([0, 1, 0, 1])) for _ in range(2)
    ]
    larger = Dataset("larger", ("a", "b"), *parts)
    filled(dataclasses.replace(BASE, unfreeze=4))
    assert filled(dataclasses.replace(BASE, unfreeze=4, image_size=48), larger) == 12


def test_the_size_is_known_before_it_is_built(tiny, tmp_path):
    for changes, images in ((dict(unfreeze=3), 24), (dict(unfreeze=3, views=4, **RANDOM), 96)):
        experiment = dataclasses.replace(BASE, **changes)
        # Four halvings of 32 pixels, 128 filters of the mini network, four bytes a number.
        size = images * 2 * 2 * 128 * 4
        assert feeding.cached_bytes(experiment, tiny) == size
        for cache, said in (
            (FeatureCache(folder=tmp_path), f"{size / 1e6:.1f} MB in memory"),
            (FeatureCache(0, folder=tmp_path), f"{size / 1e6:.1f} MB in files under {tmp_path}"),
            (FeatureCache(0, 0, tmp_path), f"would take {size / 1e6:.1f} MB, for which there is no room"),
        ):
            assert said in feeding.forecast(experiment, tiny, cache)
    assert "nothing is frozen" in feeding.forecast(Experiment(unfreeze=13), tiny, cache)


def test_small_batches_share_a_call_and_large_ones_do_not(tiny, tmp_path):
    compiled = Compiled(build_model(BASE, 2))
    for unfreeze, calls in ((0, [24]), (13, [8, 8, 8])):
        fed = feed(
            compiled,
            dataclasses.replace(BASE, unfreeze=unfreeze),
            1,
            tiny,
            evaluated(tiny),
            FeatureCache(folder=tmp_path),
            Control(),
        )
        assert [len(targets) for _, targets in fed.batches(0)] == calls
