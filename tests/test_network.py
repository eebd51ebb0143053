import functools
import hashlib
import http.server
import subprocess
import sys
import threading

import h5py
import keras
import numpy as np
import pytest

from vgglab.architecture import CONV_NAMES
from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.network import build_base, build_model, configure
from vgglab.weights import IMAGENET_FILE, PRETRAINED

# Simonyan & Zisserman 2015, table 1, column D: (inputs, filters) of the thirteen 3 x 3 layers.
CONVS = [
    (3, 64),
    (64, 64),
    (64, 128),
    (128, 128),
    (128, 256),
    (256, 256),
    (256, 256),
    (256, 512),
    (512, 512),
    (512, 512),
    (512, 512),
    (512, 512),
    (512, 512),
]
NAMES = [
    "block1_conv1",
    "block1_conv2",
    "block2_conv1",
    "block2_conv2",
    "block3_conv1",
    "block3_conv2",
    "block3_conv3",
    "block4_conv1",
    "block4_conv2",
    "block4_conv3",
    "block5_conv1",
    "block5_conv2",
    "block5_conv3",
]


def parameters(inputs, filters, kernel=9):
    return kernel * inputs * filters + filters


@pytest.fixture(scope="module")
def full():
    return build_model(Experiment(backbone="vgg16", weights=None, image_size=32), classes=10)


def test_vgg16_has_the_published_parameters_layer_by_layer(full):
    counts = {name: full.get_layer(name).count_params() for name in NAMES}
    assert counts == {name: parameters(*conv) for name, conv in zip(NAMES, CONVS)}
    assert sum(counts.values()) == 14_714_688
    assert (
        sum(counts.values())
        + parameters(512 * 49, 4096, 1)
        + parameters(4096, 4096, 1)
        + parameters(4096, 1000, 1)
        == 138_357_544
    )
    assert full.count_params() == 14_714_688 + parameters(512, 128, 1) + parameters(128, 10, 1)


def test_mini_has_a_quarter_of_the_filters_under_the_same_names():
    model = build_model(Experiment(image_size=32), classes=10)
    quarter = [(inputs if inputs == 3 else inputs // 4, filters // 4) for inputs, filters in CONVS]
    assert {name: model.get_layer(name).count_params() for name in NAMES} == {
        name: parameters(*conv) for name, conv in zip(NAMES, quarter)
    }


def test_preprocessing_is_keras_own(full):
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    before_first_conv = keras.Model(full.input, full.get_layer("block1_conv1").input)
    expected = keras.applications.vgg16.preprocess_input(images.copy())
    np.testing.assert_allclose(before_first_conv.predict(images, verbose=0), expected, atol=1e-4)


@pytest.mark.parametrize("unfreeze", range(14))
def test_unfreeze_counts_conv_layers_from_the_top(unfreeze):
    model = build_model(Experiment(image_size=32), classes=2)
    configure(model, Experiment(unfreeze=unfreeze))
    trainable = [layer.name for layer in model.layers if layer.trainable_variables]
    assert (
        trainable == [*NAMES[13 - unfreeze :], "fc", "predictions"]
        if unfreeze
        else trainable == ["fc", "predictions"]
    )
    assert tuple(NAMES) == CONV_NAMES


def test_l2_and_dropout_reach_the_head():
    model = build_model(Experiment(image_size=32), classes=2)
    configure(model, Experiment(l2=0.01, dropout=0.4))
    kernel = model.get_layer("fc").get_weights()[0]
    assert float(sum(model.losses)) == pytest.approx(0.01 * float((kernel**2).sum()), rel=1e-5)
    assert model.get_layer("dropout").rate == 0.4


def test_the_seed_sets_the_weights():
    first, same, other = (
        build_model(Experiment(weights=None, image_size=32, seed=seed), 2)
        .get_layer("block3_conv2")
        .get_weights()[0]
        for seed in (1, 1, 2)
    )
    assert (first == same).all() and (first != other).any()


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["vgg16-mini", "vgg16"])
def test_a_saved_model_opens_without_vgglab(tmp_path, backbone):
    model = build_model(Experiment(backbone=backbone, weights=None, image_size=32), classes=3)
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "expected.npy", model.predict(images, verbose=0))
    # -I keeps the checkout off the path; the finder refuses the installed package as well.
    code = """
import sys
import threading
class Refuse:
    def find_spec(self, name, *rest):
        if name.split(".")[0] == "vgglab": raise ImportError(name)
sys.meta_path.insert(0, Refuse())
import keras, numpy as np
model = keras.saving.load_model("model.keras")
np.testing.assert_allclose(model.predict(np.load("images.npy"), verbose=0), np.load("expected.npy"), atol=1e-6)
"""
    subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, check=True)


def write_as_keras_2(path, filters=CONVS):
    """A file laid out like the published ImageNet weights: a group a layer, names in attributes."""
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in NAMES]
        for name, (inputs, outputs) in zip(NAMES, filters):
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}_W_1:0".encode(), f"{name}_b_1:0".encode()]
            group[f"{name}_W_1:0"] = rng.normal(size=(3, 3, inputs, outputs)).astype("float32")
            group[f"{name}_b_1:0"] = rng.normal(size=outputs).astype("float32")
    return path


def assert_holds(model, path):
    with h5py.File(path) as file:
        for name in NAMES:
            kernel, bias = model.get_layer(name).get_weights()
            assert (kernel == file[name][f"{name}_W_1:0"]).all() and (
                bias == file[name][f"{name}_b_1:0"]
            ).all()


def test_a_local_file_in_the_layout_of_the_imagenet_weights(tmp_path):
    path = write_as_keras_2(tmp_path / IMAGENET_FILE)
    assert_holds(build_model(Experiment(backbone="vgg16", weights=str(path), image_size=32), 4), path)


def test_imagenet_weights_come_through_keras_own_download(tmp_path, monkeypatch):
    path = write_as_keras_2(tmp_path / IMAGENET_FILE)
    asked = []
    monkeypatch.setattr(
        "keras.utils.get_file", lambda name, *rest, **options: asked.append(name) or str(path)
    )
    assert_holds(build_model(Experiment(backbone="vgg16", weights="imagenet", image_size=32), 4), path)
    assert asked == [IMAGENET_FILE]


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A server with a file of the layout of ImageNet's weights, which Keras is to fetch; what was asked of it."""
    (tmp_path / "served").mkdir()
    path, asked = write_as_keras_2(tmp_path / "served" / "copy.h5"), []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *said):
            asked.append(self.path)

    serve = functools.partial(Handler, directory=path.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("VGGLAB_IMAGENET_URL", f"http://127.0.0.1:{server.server_port}/copy.h5")
        monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
        yield path, asked
        server.shutdown()


def test_a_mirror_is_asked_once_and_what_it_gives_is_checked(mirror, tmp_path, monkeypatch):
    path, asked = mirror
    experiment = Experiment(backbone="vgg16", weights="imagenet", image_size=32)
    kept = tmp_path / "keras" / "models" / IMAGENET_FILE
    with pytest.raises(
        InputError, match=r"nor could they be downloaded from http://127.0.0.1:\d+/copy.h5 .*hash"
    ):
        build_model(experiment, 4)
    monkeypatch.setattr("vgglab.network._IMAGENET_MD5", hashlib.md5(path.read_bytes()).hexdigest())
    for _ in range(2):
        assert_holds(build_model(experiment, 4), path)
    assert asked == ["/copy.h5"] and kept.read_bytes() == path.read_bytes()
    kept.write_bytes(b"cut short")
    assert_holds(build_model(experiment, 4), path)
    assert len(asked) == 2, "what Keras keeps is checked, too"


def test_pretrained_means_what_is_there_already(tmp_path, monkeypatch):
    """The embedded file for the mini network; for the full one the file that Keras keeps, never a download."""
    monkeypatch.setattr("keras.utils.get_file", lambda *rest, **options: pytest.fail("asked the network"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    experiment = Experiment(backbone="vgg16", weights="pretrained", image_size=32)
    with pytest.raises(InputError, match="`weights='imagenet'` downloads them"):
        build_model(experiment, 4)
    (tmp_path / "models").mkdir()
    path = write_as_keras_2(tmp_path / "models" / IMAGENET_FILE)
    assert_holds(build_model(experiment, 4), path)
    mini = build_model(Experiment(image_size=32), 4)
    base = build_base("vgg16-mini", 32)
    base.load_weights(PRETRAINED)
    assert (
        mini.get_layer("block5_conv3").get_weights()[0] == base.get_layer("block5_conv3").get_weights()[0]
    ).all()


def test_the_layers_compute_what_those_of_keras_applications_do(full):
    """The same weights in Keras's own VGG16, on the same images."""
    images = np.random.default_rng(0).uniform(0, 255, (3, 32, 32, 3)).astype("float32")
    theirs = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    for name in NAMES:
        theirs.get_layer(name).set_weights(full.get_layer(name).get_weights())
    ours = keras.Model(full.input, full.get_layer("block5_pool").output)
    expected = theirs.predict(keras.applications.vgg16.preprocess_input(images.copy()), verbose=0)
    np.testing.assert_allclose(ours.predict(images, verbose=0), expected, rtol=1e-3, atol=1e-3)


def test_bfloat16_keeps_weights_and_answers_in_float32():
    exact, coarse = (
        build_model(Experiment(image_size=32, precision=each), 4) for each in ("float32", "bfloat16")
    )
    assert {weight.dtype for weight in coarse.weights if "seed" not in weight.name} == {"float32"}
    assert coarse.get_layer("block3_conv1").compute_dtype == "bfloat16"
    images = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype("float32")
    answers = [model.predict(images, verbose=0) for model in (exact, coarse)]
    assert answers[1].dtype == np.float32
    np.testing.assert_allclose(*answers, atol=0.05)


def test_without_a_network_the_file_and_its_place_are_named(tmp_path, monkeypatch):
    def fail(*rest, **options):
        raise Exception("URL fetch failure on https://example.org: no route")

    monkeypatch.setattr("keras.utils.get_file", fail)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(InputError) as caught:
        build_model(Experiment(backbone="vgg16", weights="imagenet", image_size=32), 4)
    assert str(tmp_path / "models" / IMAGENET_FILE) in str(caught.value) and "no route" in str(caught.value)


def test_weights_written_by_plain_keras(tmp_path):
    plain = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    plain.save_weights(tmp_path / "plain.weights.h5")
    model = build_model(
        Experiment(backbone="vgg16", weights=str(tmp_path / "plain.weights.h5"), image_size=32), 4
    )
    for name in NAMES:
        assert (model.get_layer(name).get_weights()[0] == plain.get_layer(name).get_weights()[0]).all()


def test_weights_that_cannot_be_used(tmp_path):
    text = tmp_path / "text.weights.h5"
    text.write_text("not HDF5")
    whole = write_as_keras_2(tmp_path / "whole.h5").read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    narrow = write_as_keras_2(
        tmp_path / "narrow.h5",
        [(inputs if inputs == 3 else inputs // 2, filters // 2) for inputs, filters in CONVS],
    )
    for path in (text, tmp_path / "cut.h5", narrow):
        with pytest.raises(InputError, match=f"{path.name} does not hold weights of vgg16"):
            build_model(Experiment(backbone="vgg16", weights=str(path), image_size=32), 4)
    full = write_as_keras_2(tmp_path / "full.h5")
    for path in (full, text):
        with pytest.raises(InputError, match=f"{path.name} does not hold weights of vgg16-mini"):
            build_model(Experiment(weights=str(path), image_size=32), 4)
    with pytest.raises(InputError, match="There is no weights file at .*absent.h5"):
        build_model(Experiment(weights=str(tmp_path / "absent.h5")), 4)
    with pytest.raises(InputError, match="`weights='imagenet'` exists for backbone 'vgg16' only"):
        build_model(Experiment(weights="imagenet"), 4)
    with pytest.raises(
        InputError, match="`weights='pretrained'` exists for backbones 'vgg16-mini' and 'vgg16'; .*micro"
    ):
        build_model(Experiment(backbone="vgg16-micro"), 4)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(tmp_path, number):
    base = build_base("vgg16-mini", 32)
    base.get_layer("block3_conv2").bias.assign([number, *[0] * 63])
    base.get_layer("block4_conv1").kernel.assign(np.full((3, 3, 64, 128), number))
    base.save_weights(path := tmp_path / "broken.weights.h5")
    with pytest.raises(InputError, match="broken.weights.h5 holds weights that are no numbers, .* in "
                       "block3_conv2, block4_conv1. Weights must be finite."):  # fmt: skip
        build_model(Experiment(weights=str(path), image_size=32), 4)


def test_why_weights_could_not_be_loaded_is_said_to_the_end(tmp_path):
    """Keras says it in a paragraph of its own, below "Example error message for object ...:"."""
    build_base("vgg16-micro", 32).save_weights(narrow := tmp_path / "narrow.weights.h5")
    keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)]).save_weights(
        other := tmp_path / "other.weights.h5"
    )
    for path, *reason in (
        (narrow, "(block1_conv1: The shape", "(3, 3, 3, 16)", "(3, 3, 3, 4))."),
        (other, "(block1_conv1: Layer 'block1_conv1' expected 2 variables, but received 0", "'bias'])."),
    ):
        with pytest.raises(InputError) as error:
            build_model(Experiment(weights=str(path), image_size=32), 4)
        assert all(words in str(error.value) for words in reason) and "\n" not in str(error.value)


def test_the_dense_head_is_vgg16s_own():
    """Parameters and layers of the top of Keras's VGG16, but for the classes; a quarter as wide on the mini network."""
    theirs = keras.applications.VGG16(weights=None, classes=10, input_shape=(64, 64, 3))
    ours = build_model(
        Experiment(backbone="vgg16", weights=None, image_size=64, head="dense", dropout=0.5), 10
    )
    assert ours.count_params() == theirs.count_params()
    top = [
        layer for layer in ours.layers if layer.name.startswith(("flatten", "fc", "dropout", "predictions"))
    ]
    assert [type(layer).__name__ for layer in top] == [
        *("Flatten", "Dense", "Dropout", "Dense", "Dropout", "Dense")
    ]
    assert [layer.rate for layer in top if isinstance(layer, keras.layers.Dropout)] == [0.5, 0.5]
    mini = build_model(Experiment(weights=None, image_size=64, head="dense"), 10)
    assert mini.get_layer("fc").kernel.shape == (2 * 2 * 128, 1024) and mini.get_layer("fc2").units == 1024


def test_the_two_dropouts_of_the_dense_head_draw_their_own():
    model = build_model(Experiment(weights=None, image_size=32, head="dense", dropout=0.5, seed=3), 4)
    states = [model.get_layer(name).seed_generator.state.numpy().tolist() for name in ("dropout", "dropout2")]
    assert states[0] != states[1]


def test_weight_decay_is_on_the_kernels_that_learn_and_l2_on_the_first_dense_one():
    model = build_model(Experiment(weights=None, image_size=32, unfreeze=2, weight_decay=0.01, l2=0.1), 4)
    squares = {
        layer.name: float((layer.get_weights()[0] ** 2).sum()) for layer in model.layers if layer.weights
    }
    learning = ("block5_conv2", "block5_conv3", "fc", "predictions")
    right = 0.01 * sum(squares[name] for name in learning) + 0.1 * squares["fc"]
    assert float(sum(model.losses)) == pytest.approx(right, rel=1e-4)
