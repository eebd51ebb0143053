"""The network: VGG16 without its top, a small head on it, and what of it may learn."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

import keras
import numpy as np
from keras import layers

from vgglab.architecture import BACKBONES, BLOCKS, CONV_NAMES, dense_layers
from vgglab.engine.owner import alone
from vgglab.errors import InputError, first_line
from vgglab.experiment import Experiment
from vgglab.weights import IMAGENET_FILE, find_weights, keras_folder

_IMAGENET_URL = f"https://storage.googleapis.com/tensorflow/keras-applications/vgg16/{IMAGENET_FILE}"
_IMAGENET_MD5 = "6d6bbae143d832006294945121d1f1fc"
# Keras names a layer, says in the next paragraph what is wrong with it, and may go on with the numbers it holds.
_EXAMPLE = re.compile(
    r"Example error message for object <.*?name=([^,>]+).*?:\n\n(.{1,400}?)(?: Target variable:|\n\n|$)",
    re.DOTALL,
)


def build_model(experiment: Experiment, classes: int) -> keras.Model:
    """The network of an experiment, untrained on its data; it takes 0-255 RGB and returns probabilities.

    Input: (n, image_size, image_size, 3). Output: (n, classes). Preprocessing is part of the model.
    The head is global average pooling, Dense(128, relu), dropout and softmax; or, with `head="dense"`, that of the
    paper at the backbone's width. All layers are Keras's own, so a saved model opens with
    `keras.saving.load_model` alone. `InputError` says what is wrong with a weights file.
    """
    with alone():
        model = build_network(experiment, classes)
        return configure(initialise(model, experiment), experiment)


def build_network(experiment: Experiment, classes: int) -> keras.Model:
    """The layers of `build_model`, their weights yet to be set; they follow from `built_from(experiment)`."""
    base = build_base(experiment.backbone, experiment.image_size, experiment.precision)
    bottom = layers.GlobalAveragePooling2D if experiment.head == "pooled" else layers.Flatten
    x = bottom(name="pooling" if experiment.head == "pooled" else "flatten", dtype="float32")(base.output)
    *hidden, (last, units) = dense_layers(experiment.backbone, experiment.head, classes)
    for name, width in hidden:
        x = layers.Dense(width, activation="relu", name=name)(x)
        # Made with a rate, because Keras gives a Dropout of rate 0 no random stream; `configure` sets it.
        x = layers.Dropout(0.5, seed=0, name=name.replace("fc", "dropout"))(x)
    outputs = layers.Dense(units, activation="softmax", name=last)(x)
    return keras.Model(base.input, outputs, name=base.name)


def dropouts(model: keras.Model) -> list[layers.Dropout]:
    """The Dropout layers of a network, from the bottom up."""
    return [layer for layer in model.layers if isinstance(layer, layers.Dropout)]


def build_base(backbone: str, image_size: int | None, precision: str = "float32") -> keras.Model:
    """The thirteen conv layers with their preprocessing; an `image_size` of None takes any.

    With precision "bfloat16" they compute in bfloat16 and keep their weights in float32.
    """
    dtype = "mixed_bfloat16" if precision == "bfloat16" else "float32"
    inputs = layers.Input((image_size, image_size, 3), name="image")
    x = _PREPROCESSING[backbone](inputs)
    for block, (filters, convs) in enumerate(BLOCKS, 1):
        for conv in range(1, convs + 1):
            x = layers.Conv2D(
                filters // BACKBONES[backbone],
                3,
                activation="relu",
                padding="same",
                kernel_initializer="he_normal",
                dtype=dtype,
                name=f"block{block}_conv{conv}",
            )(x)
        x = layers.MaxPooling2D(2, dtype=dtype, name=f"block{block}_pool")(x)
    return keras.Model(inputs, x, name=backbone)


def _imagenet_preprocessing(inputs: keras.KerasTensor) -> keras.KerasTensor:
    # What `keras.applications.vgg16.preprocess_input` does: minus the mean of ImageNet, RGB to BGR.
    x = layers.Rescaling(1.0, offset=[-123.68, -116.779, -103.939], name="minus_imagenet_mean")(inputs)
    return keras.ops.flip(x, axis=-1)


def _mini_preprocessing(inputs: keras.KerasTensor) -> keras.KerasTensor:
    return layers.Rescaling(1 / 127.5, offset=-1.0, name="to_minus_one_to_one")(inputs)


_PREPROCESSING = {
    "vgg16": _imagenet_preprocessing,
    "vgg16-mini": _mini_preprocessing,
    "vgg16-micro": _mini_preprocessing,
}


def initialise(model: keras.Model, experiment: Experiment) -> keras.Model:
    """Set all weights of a `build_network` to where the experiment starts; returns the model.

    Random ones come from the seed, He et al. 2015 (arXiv:1502.01852) for the conv layers, because
    thirteen layers without normalisation do not train from Glorot's. After an `InputError` the
    weights are none that should be used.
    """
    seeds = np.random.SeedSequence(experiment.seed).generate_state(len(model.layers)).tolist()
    for place, layer in enumerate(layer for layer in model.layers if layer.count_params()):
        conv = isinstance(layer, layers.Conv2D)
        initializer = keras.initializers.HeNormal if conv else keras.initializers.GlorotUniform
        layer.kernel.assign(initializer(seed=seeds[place])(layer.kernel.shape))
        layer.bias.assign(keras.ops.zeros(layer.bias.shape))
    for place, dropout in enumerate(dropouts(model)):  # each a stream of its own
        dropout.seed_generator.state.assign(keras.random.SeedGenerator(experiment.seed + place).state)
    path = find_weights(experiment)
    if experiment.weights == "imagenet":
        path = _imagenet()
    if path is not None:
        _load(keras.Model(model.input, model.get_layer("block5_pool").output, name=model.name), path)
    return model


def configure(model: keras.Model, phase: Experiment) -> keras.Model:
    """Set what a phase says about the network: unfreeze depth, weight penalties and dropout. Returns the model.

    A training step traced before this call does not see the change; a new one does.
    """
    for name, trains in zip(CONV_NAMES, trainable_flags(phase.unfreeze)):
        model.get_layer(name).trainable = trains
    for name, penalty in penalties(phase, model).items():
        layer = model.get_layer(name)
        # The variable keeps the regulariser that is applied; the layer keeps the one that is saved.
        layer.kernel_regularizer = layer.kernel.regularizer = (
            keras.regularizers.L2(penalty) if penalty else None
        )
    for dropout in dropouts(model):
        dropout.rate = phase.dropout
    return model


def penalties(phase: Experiment, model: keras.Model) -> dict[str, float]:
    """The weight of each layer's squared kernel in the loss: 0 for frozen ones, `l2` and `weight_decay` added up."""
    weighted = [layer for layer in model.layers if layer.count_params()]
    return {
        layer.name: layer.trainable * phase.weight_decay + (layer.name == "fc") * phase.l2
        for layer in weighted
    }


def trainable_flags(unfreeze: int) -> list[bool]:
    """For each conv layer, from the bottom up, whether it learns at this unfreeze depth."""
    return [position >= len(CONV_NAMES) - unfreeze for position in range(len(CONV_NAMES))]


def has_fast_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 itself; on others it is slower than float32."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:  # not Linux: nothing to ask
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _imagenet() -> Path:
    """The file that Keras keeps, or fetches; VGGLAB_IMAGENET_URL may name a mirror in one's own network."""
    url, folder = os.environ.get("VGGLAB_IMAGENET_URL") or _IMAGENET_URL, keras_folder()
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)  # else Keras goes to a place for temporary files, unsaid
    try:
        return Path(
            keras.utils.get_file(
                IMAGENET_FILE,
                url,
                cache_dir=str(folder.parent),
                cache_subdir=folder.name,
                file_hash=_IMAGENET_MD5,
            )
        )
    # Keras raises a bare Exception when the download fails.
    except Exception as error:
        raise InputError(
            f"The ImageNet weights are neither at {folder / IMAGENET_FILE} nor could they be downloaded from {url} "
            f"({first_line(error)}). Put {IMAGENET_FILE} there, or give its path as `weights`."
        ) from None


def _load(base: keras.Model, path: Path) -> None:
    try:
        base.load_weights(path)
    # h5py and Keras raise many kinds of error here.
    except Exception as error:
        raise InputError(
            f"{path} does not hold weights of {base.name} without its top ({_reason(error)})."
        ) from None
    broken = [
        layer.name
        for layer in base.layers
        if not all(np.isfinite(each).all() for each in layer.get_weights())
    ]
    if broken:
        raise InputError(
            f"{path} holds weights that are no numbers, NaN or infinite, in {', '.join(broken)}. "
            "Weights must be finite."
        )


def _reason(error: Exception) -> str:
    """Why weights could not be loaded: the layer that Keras takes for an example, and what is wrong with it."""
    found = _EXAMPLE.search(str(error))
    return f"{found[1]}: {' '.join(found[2].split()).rstrip('.')}" if found else first_line(error)
