"""What the ledger counts about VGG16, on Keras's own network."""

from __future__ import annotations

import math

import keras

from vgglab.measures.facts import multiply_adds, multiply_adds_of, vgg16

PAPER_BATCH = 256  # the same; on four NVIDIA Titan Black of 6 GB each, section 3.3


def conv_layers() -> int:
    return sum(isinstance(layer, keras.layers.Conv2D) for layer in vgg16().layers)


def parameters() -> int:
    return vgg16().count_params()


def last_five_that_learn() -> int:
    """How many of the last five layers of the network without its top have weights at all."""
    base = keras.applications.VGG16(weights=None, include_top=False)
    return sum(bool(layer.weights) for layer in base.layers[-5:])


def _dense() -> list[keras.layers.Dense]:
    return [layer for layer in vgg16().layers if isinstance(layer, keras.layers.Dense)]


def dense_share() -> float:
    """The share of the parameters that lies in the three dense layers."""
    return sum(layer.count_params() for layer in _dense()) / parameters()


def dense_work() -> float:
    """The share of the multiply-adds that the three dense layers do."""
    return sum(multiply_adds_of(layer) for layer in _dense()) / multiply_adds()


def step_gigabytes(images: int) -> float:
    """10⁹ bytes for a training step of all layers in float32, on so many images of 224 pixels: weights, gradients,
    Adam's two means, the images, and what each layer makes of them."""
    makes = [
        layer for layer in vgg16().layers if not isinstance(layer, keras.layers.Flatten)
    ]  # which copies nothing
    made = sum(math.prod(layer.output.shape[1:]) for layer in makes)
    return 4 * (4 * parameters() + images * made) / 1e9


def parameters_in_memory(images: int) -> float:
    """Of those bytes, the share of weights, gradients and Adam's two means."""
    return 16 * parameters() / (1e9 * step_gigabytes(images))
