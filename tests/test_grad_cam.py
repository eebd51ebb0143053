"""Grad-CAM against class activation maps, which need no gradient, and against finite differences."""

import keras
import numpy as np
import pytest
from keras import layers

from vgglab import Experiment, build_model, grad_cam
from vgglab.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), dtype=np.uint8)


@pytest.fixture(scope="module", autouse=True)
def seeded():
    keras.utils.set_random_seed(0)


def network(*head, activation="softmax"):
    """Two conv layers, a pooling, and a head of four classes."""
    inputs = layers.Input((16, 16, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="to_minus_one_to_one")(inputs)
    x = layers.Conv2D(5, 3, strides=2, activation="relu", name="conv1")(x)
    x = layers.Conv2D(6, 3, padding="same", activation="relu", name="conv2")(x)
    for layer in head:
        x = layer(x)
    return keras.Model(inputs, layers.Dense(4, activation=activation, name="predictions")(x))


def features(model, layer):
    return keras.Model(model.input, model.get_layer(layer).output).predict(IMAGES, verbose=0).astype(float)


def shares(maps):
    return maps / np.maximum(maps.max(axis=(1, 2), keepdims=True), 1e-12)


@pytest.mark.parametrize("activation", ["softmax", "linear"])
@pytest.mark.parametrize("classes", [None, 2, np.array([3, 0, 1, 2, 0])])
def test_under_pooling_and_a_linear_layer_it_is_the_class_activation_map(activation, classes):
    """Zhou et al. 2016, arXiv:1512.04150, equation 2: channels weighted by the class's own weights."""
    model = network(layers.GlobalAveragePooling2D(), activation=activation)
    model.trainable = False  # as frozen layers are
    wanted = model.predict(IMAGES, verbose=0).argmax(axis=1) if classes is None else np.resize(classes, 5)
    kernel = model.get_layer("predictions").kernel.numpy()
    by_hand = np.maximum(np.einsum("nhwk,kn->nhw", features(model, "conv2"), kernel[:, wanted]), 0)
    maps = grad_cam(model, IMAGES, classes=classes)
    assert maps.shape == (5, 7, 7) and maps.dtype == np.float32
    np.testing.assert_allclose(maps, shares(by_hand), atol=1e-5)


def test_weights_are_finite_differences_of_the_score():
    """Each channel is shifted by a little everywhere; the head is done in float64 by hand."""
    model = network(
        layers.MaxPooling2D(7),
        layers.Flatten(),
        layers.Dense(9, activation="tanh", name="fc"),
        layers.Dropout(0.5),
    )
    weights = [
        each.numpy().astype(float) for name in ("fc", "predictions") for each in model.get_layer(name).weights
    ]

    def score(seen):
        inner, inner_bias, outer, outer_bias = weights
        return np.tanh(seen.max(axis=(1, 2)) @ inner + inner_bias) @ outer[:, 1] + outer_bias[1]

    seen, step = features(model, "conv2"), 1e-4
    slopes = [score(seen + step * one) - score(seen - step * one) for one in np.eye(6)]
    by_hand = np.maximum(np.einsum("nhwk,kn->nhw", seen, np.array(slopes)), 0)
    np.testing.assert_allclose(grad_cam(model, IMAGES, classes=1), shares(by_hand), atol=1e-4)


def test_the_network_of_the_course_is_seen_from_any_conv_layer_and_is_left_as_it_was():
    model = build_model(Experiment(backbone="vgg16-micro", weights=None, image_size=32), classes=3)
    images = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
    before = [each.copy() for each in model.get_weights()]
    for layer, side in ((None, 2), ("block5_conv3", 2), ("block3_conv1", 8), ("block1_pool", 16)):
        maps = grad_cam(model, images, layer)
        assert maps.shape == (40, side, side) and maps.min() >= 0
        assert set(maps.max(axis=(1, 2))) <= {0.0, 1.0}
        np.testing.assert_allclose(maps[35:36], grad_cam(model, images[35:36], layer), atol=1e-5)
    assert all(np.array_equal(*pair) for pair in zip(before, model.get_weights(), strict=True))


def test_a_class_that_nothing_speaks_for_has_a_map_of_zeros():
    model = network(layers.GlobalAveragePooling2D())
    kernel = model.get_layer("predictions").kernel
    kernel.assign(-np.abs(kernel.numpy()))
    assert not grad_cam(model, IMAGES).any()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (dict(layer="conv3"), "Unknown layer. Received: 'conv3'. Did you mean 'conv"),
        (dict(layer=2), "Unknown layer. Received: 2. It must be one of: to_minus_one_to_one, conv1, conv2"),
        (
            dict(layer="predictions"),
            "one whose output has height and width: conv1, conv2. Received: 'predictions'",
        ),
        (dict(images=IMAGES[0]), r"the shape \(n, 16, 16, 3\), n from 1 on. Received: \(16, 16, 3\)"),
        (dict(images=IMAGES[:, :8]), r"n from 1 on. Received: \(5, 8, 16, 3\)"),
        (dict(images=IMAGES[:0]), r"n from 1 on. Received: \(0, 16, 16, 3\)"),
        (dict(classes=4), "from 0 to 3, or one for each of the 5 images. Received: 4"),
        (dict(classes=-1), "from 0 to 3, or one for each of the 5 images. Received: -1"),
        (dict(classes=[0, 1]), r"one for each of the 5 images. Received: \[0, 1\]"),
        (dict(classes=0.5), "`classes` must be a whole number from 0 to 3"),
        (
            dict(model="vgg16"),
            "`model` must be a keras.Model, such as `build_model` returns. Received: 'vgg16'",
        ),
    ],
)
def test_what_cannot_be_used(arguments, sentence):
    given = dict(model=network(layers.GlobalAveragePooling2D()), images=IMAGES)
    with pytest.raises(InputError, match=sentence):
        grad_cam(**given | arguments)


def test_a_network_without_a_conv_layer():
    inputs = layers.Input((16, 16, 3))
    model = keras.Model(inputs, layers.Dense(4)(layers.Flatten()(inputs)))
    with pytest.raises(InputError, match="none here. Received: a network without a conv layer."):
        grad_cam(model, IMAGES)


@pytest.mark.parametrize("layer", [None, "conv2"])
def test_conv_layers_inside_of_another_layer_are_named(layer):
    whole = network(layers.Flatten())
    base = keras.Model(whole.input, whole.get_layer("conv2").output, name="base")
    model = keras.Sequential([base, layers.GlobalAveragePooling2D(), layers.Dense(4)])
    with pytest.raises(InputError, match="one that has them inside of its layer 'base'. Build it as"):
        grad_cam(model, IMAGES, layer)


def test_a_sequential_network_that_ends_with_softmax_is_seen_through_as_well():
    model = network(layers.GlobalAveragePooling2D())
    again = keras.Sequential(
        [*keras.models.clone_model(model).layers[:-1], layers.Dense(4), layers.Softmax()]
    )
    with pytest.raises(
        InputError, match="belongs to another network as well; `keras.models.clone_model` makes"
    ):
        grad_cam(again, IMAGES)
    again = keras.models.clone_model(again)
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(grad_cam(again, IMAGES), grad_cam(model, IMAGES), atol=1e-5)


def test_a_network_that_is_not_built_is_refused():
    with pytest.raises(InputError, match="`model` must be a keras.Model, such as `build_model` returns"):
        grad_cam(keras.Sequential([layers.Dense(4)]), IMAGES)
