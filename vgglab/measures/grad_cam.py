"""Where in an image a network looks for a class: Grad-CAM."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from vgglab.engine.owner import alone
from vgglab.errors import InputError, shown, unknown

_BATCH = 32  # images whose gradients are in memory at the same time


def grad_cam(
    model: keras.Model,
    images: np.ndarray,
    layer: str | None = None,
    classes: int | np.ndarray | None = None,
) -> np.ndarray:
    """What in each image speaks for a class, as maps (n, h, w) from 0 to 1 of the size of a layer's output.

    `images` (n, height, width, 3) are RGB, 0-255; `layer` is the name of one whose output has height and width, by
    default the last conv layer; `classes` is one class for all images, or one for each, by default the likeliest. The
    layer's channels are weighted by the mean gradient of the class's score before the softmax; what is negative in
    their sum counts as 0, and the highest value of a map is 1. In a map of zeros nothing speaks for the class.
    `InputError` says which of these cannot be used. Selvaraju et al. 2017, arXiv:1610.02391, equations 1 and 2.
    """
    with alone():
        seen = _layer(model, layer)
        images = _images(images, model)
        tapped = keras.Model(model.inputs, [seen.output, _before_softmax(model), model.outputs[0]])
        wanted = _classes(classes, len(images), model.outputs[0].shape[-1])
        parts = range(0, len(images), _BATCH)
        maps = [_maps(tapped, model, images[at : at + _BATCH], wanted[at : at + _BATCH]) for at in parts]
    return np.concatenate(maps)


def _maps(tapped: keras.Model, model: keras.Model, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
    pixels = tf.convert_to_tensor(images, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(pixels)  # a network that is frozen has nothing else that a tape follows
        features, last, probabilities = tapped(pixels, training=False)
        chosen = tf.where(classes < 0, tf.argmax(probabilities, axis=1), classes)
        score = tf.reduce_sum(_scores(model, last) * tf.one_hot(chosen, probabilities.shape[-1]))
    slopes = tape.gradient(score, features)
    if slopes is None:
        raise InputError(
            "`layer` must be one on the way to the classes. Received: one that the classes do not depend on, or that "
            "belongs to another network as well; `keras.models.clone_model` makes one of its own."
        )
    weights = tf.reduce_mean(tf.cast(slopes, tf.float32), axis=(1, 2), keepdims=True)
    maps = tf.nn.relu(tf.reduce_sum(weights * tf.cast(features, tf.float32), axis=-1)).numpy()
    highest = maps.max(axis=(1, 2), keepdims=True)
    return np.divide(maps, highest, out=np.zeros_like(maps), where=highest > 0)


def _before_softmax(model: keras.Model) -> keras.KerasTensor:
    """What the scores of the classes are made of: the last layer's input, or its output where it is no softmax."""
    last = model.layers[-1]
    return last.input if isinstance(last, (layers.Dense, layers.Softmax, layers.Activation)) else last.output


def _scores(model: keras.Model, last: tf.Tensor) -> tf.Tensor:
    dense = model.layers[-1]
    if isinstance(dense, layers.Dense):
        last = tf.matmul(tf.cast(last, tf.float32), dense.kernel)
        last = last + dense.bias if dense.use_bias else last
    return tf.cast(last, tf.float32)


def _layer(model: keras.Model, name: str | None) -> layers.Layer:
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        raise InputError(
            f"`model` must be a keras.Model, such as `build_model` returns. Received: {shown(model)}."
        )
    inner = [layer.name for layer in model.layers if isinstance(layer, keras.Model)]
    spatial = {
        layer.name: layer
        for layer in model.layers
        if not isinstance(layer, (layers.InputLayer, keras.Model)) and len(layer.output.shape) == 4
    }
    convs = [name for name, layer in spatial.items() if isinstance(layer, layers.Conv2D)]
    if name in spatial:
        return spatial[name]
    if name is None and convs:
        return spatial[convs[-1]]
    if inner and not convs:
        raise InputError(
            f"`model` must have its conv layers among its own. Received: one that has them inside of its layer "
            f"'{inner[0]}'. Build it as keras.Model(base.input, head(base.output))."
        )
    if name is None or any(layer.name == name for layer in model.layers):
        received = "a network without a conv layer" if name is None else shown(name)
        raise InputError(
            f"`layer` must be one whose output has height and width: {', '.join(convs or spatial) or 'none here'}. "
            f"Received: {received}."
        )
    raise unknown("layer", name, spatial)


def _images(images: np.ndarray, model: keras.Model) -> np.ndarray:
    images = np.asarray(images)
    shape = model.inputs[0].shape[1:]
    fits = images.ndim == 4 and all(want in (None, have) for want, have in zip(shape, images.shape[1:]))
    if not fits or not len(images):
        wanted = ", ".join("any" if each is None else str(each) for each in shape)
        raise InputError(
            f"`images` must have the shape (n, {wanted}), n from 1 on. Received: {images.shape}."
        )
    return images


def _classes(classes: int | np.ndarray | None, images: int, there: int) -> np.ndarray:
    """The class of each image, (n,); -1 where it is the likeliest."""
    if classes is None:
        return np.full(images, -1, np.int64)
    wanted = np.asarray(classes)
    whole = wanted.dtype.kind in "iu" and wanted.shape in ((), (images,))
    if not whole or wanted.min() < 0 or wanted.max() >= there:
        raise InputError(
            f"`classes` must be a whole number from 0 to {there - 1}, or one for each of the {images} images. "
            f"Received: {shown(classes)}."
        )
    return np.broadcast_to(wanted, images).astype(np.int64)
