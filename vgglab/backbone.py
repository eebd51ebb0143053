"""The network: VGG16 without its top, a small head on it, and what of it may learn."""

from __future__ import annotations

import os
from pathlib import Path

import keras
from keras import layers

from vgglab.experiment import Experiment, InputError

# Filters of the five blocks, with the number of conv layers in each: Simonyan & Zisserman 2015,
# arXiv:1409.1556, table 1, column D.
BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
CONV_NAMES = tuple(
    f"block{block}_conv{conv}" for block, (_, convs) in enumerate(BLOCKS, 1) for conv in range(1, convs + 1)
)
IMAGENET_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"


def build_model(experiment: Experiment, classes: int) -> keras.Model:
    """The network of an experiment, untrained on its data; it takes 0-255 RGB and returns probabilities.

    Input: (n, image_size, image_size, 3). Output: (n, classes). Preprocessing is part of the model.
    The head is global average pooling, Dense(128, relu), dropout and softmax. All layers are
    Keras's own, so a saved model opens with `keras.saving.load_model` alone. Random weights come
    from the experiment's seed. `InputError` says what is wrong with a weights file.
    """
    keras.utils.set_random_seed(experiment.seed)
    inputs = layers.Input((experiment.image_size, experiment.image_size, 3), name="image")
    base = _BACKBONES[experiment.backbone](inputs, experiment.weights)
    x = layers.GlobalAveragePooling2D(name="pooling")(base.output)
    x = layers.Dense(128, activation="relu", kernel_regularizer=keras.regularizers.L2(0.0), name="fc")(x)
    # Made with a rate, because Keras gives a Dropout of rate 0 no random stream; `configure` sets it.
    x = layers.Dropout(0.5, seed=experiment.seed, name="dropout")(x)
    outputs = layers.Dense(classes, activation="softmax", name="predictions")(x)
    return configure(keras.Model(inputs, outputs, name=experiment.backbone), experiment)


def configure(model: keras.Model, phase: Experiment) -> keras.Model:
    """Set what a phase says about the network: unfreeze depth, L2 and dropout. Returns the model.

    A training step traced before this call does not see the change; a new one does.
    """
    for name, trains in zip(CONV_NAMES, trainable_flags(phase.unfreeze)):
        model.get_layer(name).trainable = trains
    dense = model.get_layer("fc")
    # The variable keeps the regulariser that is applied; the layer keeps the one that is saved.
    dense.kernel_regularizer = dense.kernel.regularizer = keras.regularizers.L2(phase.l2)
    model.get_layer("dropout").rate = phase.dropout
    return model


def trainable_flags(unfreeze: int) -> list[bool]:
    """For each conv layer, from the bottom up, whether it learns at this unfreeze depth."""
    return [position >= len(CONV_NAMES) - unfreeze for position in range(len(CONV_NAMES))]


def _vgg16(inputs: keras.KerasTensor, weights: str | None) -> keras.Model:
    # RGB to BGR, minus the mean of ImageNet: what `keras.applications.vgg16.preprocess_input` does.
    x = layers.Rescaling(1.0, offset=[-123.68, -116.779, -103.939], name="minus_imagenet_mean")(inputs)
    x = keras.ops.flip(x, axis=-1)
    if weights == "imagenet":
        return _imagenet(x)
    base = keras.applications.VGG16(include_top=False, weights=None, input_tensor=x)
    return _load(base, weights) if weights else base


def _imagenet(x: keras.KerasTensor) -> keras.Model:
    try:
        return keras.applications.VGG16(include_top=False, weights="imagenet", input_tensor=x)
    # Keras raises a bare Exception when the download fails.
    except Exception as error:
        cache = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models" / IMAGENET_FILE
        raise InputError(
            f"The ImageNet weights are neither at {cache} nor could they be downloaded ({_first_line(error)}). "
            f"Put {IMAGENET_FILE} there, or give its path as `weights`."
        ) from None


def _vgg16_mini(inputs: keras.KerasTensor, weights: str | None) -> keras.Model:
    if weights == "imagenet":
        raise InputError(
            "`weights='imagenet'` exists for backbone 'vgg16' only. Received: backbone 'vgg16-mini'."
        )
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="to_minus_one_to_one")(inputs)
    for block, (filters, convs) in enumerate(BLOCKS, 1):
        for conv in range(1, convs + 1):
            # He initialisation: thirteen layers without normalisation do not train from Glorot's.
            x = layers.Conv2D(
                filters // 4,
                3,
                activation="relu",
                padding="same",
                kernel_initializer="he_normal",
                name=f"block{block}_conv{conv}",
            )(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    base = keras.Model(inputs, x, name="vgg16-mini")
    return _load(base, weights) if weights else base


_BACKBONES = {"vgg16": _vgg16, "vgg16-mini": _vgg16_mini}


def _load(base: keras.Model, weights: str) -> keras.Model:
    path = Path(weights).expanduser()
    if not path.is_file():
        raise InputError(f"There is no weights file at {path}.")
    try:
        base.load_weights(path)
    # h5py and Keras raise many kinds of error here; the model is dropped, so nothing is half-loaded.
    except Exception as error:
        raise InputError(
            f"{path} does not hold weights of {base.name} without its top ({_first_line(error)})."
        ) from None
    return base


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
