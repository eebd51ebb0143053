"""The full VGG16 with ImageNet's own weights on real photographs: the way that a person with photographs goes."""

import dataclasses
import shutil
import subprocess
import sys

import h5py
import keras
import numpy as np
import pytest

from conftest import ROOT
from vgglab.architecture import CONV_NAMES
from vgglab.datasets import load, under_conditions
from vgglab.experiment import Experiment
from vgglab.network import build_base, build_model
from vgglab.training import train
from vgglab.weights import IMAGENET_FILE

pytestmark = pytest.mark.slow
MADE = ROOT / "build" / "imagenet" / "vgg16-imagenet.weights.h5"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of ImageNet's conv weights; made where there is none yet."""
    maker = ROOT.parent / "shared" / "imagenet" / "make_weights.py"
    if MADE.is_file():
        return MADE
    if not maker.is_file():
        pytest.skip(f"ImageNet's weights are neither at {MADE}, nor is there {maker} to make them")
    file = tmp_path_factory.mktemp("imagenet") / MADE.name
    subprocess.run([sys.executable, str(maker), str(file)], check=True, capture_output=True)
    return file


@pytest.fixture(scope="module")
def clothing(shared):
    return load(shared / "clothing", 64)


def plain_features(path, images):
    """What Keras's own VGG16 with these weights makes of images, pooled: (n, 512)."""
    base = keras.applications.VGG16(include_top=False, weights=None, input_shape=(64, 64, 3), pooling="avg")
    ours = build_base("vgg16", 64)
    ours.load_weights(path)
    for name in CONV_NAMES:
        base.get_layer(name).set_weights(ours.get_layer(name).get_weights())
    pixels = keras.applications.vgg16.preprocess_input(images.astype("float32"))
    return base.predict(pixels, verbose=0)


def test_a_head_on_the_frozen_base_sees_what_plain_keras_sees(weights, clothing):
    """The text's own recipe, on 30 images a class; the oracle is a head of plain Keras on its own VGG16."""
    experiment = Experiment(
        backbone="vgg16",
        weights=str(weights),
        images_a_class=30,
        unfreeze=0,
        learning_rate=1e-3,
        epochs=15,
    )
    data = dataclasses.replace(clothing, test=None)
    history = train(experiment, data)
    used = under_conditions(data, experiment)
    keras.utils.set_random_seed(1)
    head = keras.Sequential(
        [keras.layers.Dense(128, activation="relu"), keras.layers.Dense(10, activation="softmax")]
    )
    head.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    seen = plain_features(weights, np.concatenate([used.train.images, used.validation.images]))
    x, validation = np.split(seen, [len(used.train)])
    head.fit(x, used.train.labels, batch_size=32, epochs=15, verbose=0)
    accuracy = head.evaluate(validation, used.validation.labels, verbose=0)[1]
    assert accuracy > 0.3, "far above one in ten"
    assert history.kept["validation_accuracy"] == pytest.approx(accuracy, abs=0.06)
    assert history.kept["train_accuracy"] > 0.97


def test_the_file_the_cache_of_keras_and_a_mirror_give_one_network(weights, tmp_path, monkeypatch):
    """The same arrays in the layout that Keras publishes, and in its place."""
    ours = build_base("vgg16", 64)
    ours.load_weights(weights)
    kept = tmp_path / "models" / IMAGENET_FILE
    kept.parent.mkdir()
    with h5py.File(kept, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in CONV_NAMES]
        for name in CONV_NAMES:
            group, arrays = file.create_group(name), ours.get_layer(name).get_weights()
            keys = [f"{name}_W_1:0", f"{name}_b_1:0"]
            group.attrs["weight_names"] = [key.encode() for key in keys]
            for key, array in zip(keys, arrays, strict=True):
                group[key] = array
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    elsewhere = shutil.copy(kept, tmp_path / "elsewhere.h5")
    for named in ("pretrained", str(elsewhere), str(weights)):
        model = build_model(Experiment(backbone="vgg16", weights=named), 10)
        for name in CONV_NAMES:
            for mine, theirs in zip(
                model.get_layer(name).get_weights(), ours.get_layer(name).get_weights(), strict=True
            ):
                np.testing.assert_array_equal(mine, theirs)
