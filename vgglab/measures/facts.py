"""What can be counted about VGG16, from Keras's own network, or worked out from published figures."""

from __future__ import annotations

import math
from functools import cache

import keras

IMAGENET_IMAGES = 1.28e6  # Russakovsky et al. 2015, arXiv:1409.0575
PAPER_EPOCHS = 74  # Simonyan & Zisserman 2015, arXiv:1409.1556, section 3.1
PAPER_BATCH = 256  # the same; on four NVIDIA Titan Black of 6 GB each, section 3.3
FLOPS_A_MULTIPLY_ADD = 2
PASSES = 3  # one forwards, and two of its size backwards: to the inputs and to the weights
GPU_FLOPS = 15.7e12  # float32 peak of an NVIDIA V100, from its data sheet
GPU_SHARE = 0.5  # of the peak that training reaches, generously
SECONDS_A_DAY = 86_400


@cache
def vgg16() -> keras.Model:
    """The whole network of the paper, with random weights: nothing is downloaded."""
    return keras.applications.VGG16(weights=None)


def conv_layers() -> int:
    return sum(isinstance(layer, keras.layers.Conv2D) for layer in vgg16().layers)


def parameters() -> int:
    return vgg16().count_params()


def multiply_adds() -> int:
    """Of one image of 224 pixels forwards."""
    return sum(_multiply_adds(layer) for layer in vgg16().layers)


def _multiply_adds(layer: keras.layers.Layer) -> int:
    if not layer.weights:
        return 0
    places = math.prod(layer.output.shape[1:-1])  # height times width; a dense layer has neither
    return places * math.prod(layer.kernel.shape)


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
    return sum(_multiply_adds(layer) for layer in _dense()) / multiply_adds()


def step_gigabytes(images: int) -> float:
    """10⁹ bytes for a training step of all layers in float32, on so many images of 224 pixels: weights, gradients,
    Adam's two means, and what each layer that learns makes."""
    learning = [layer for layer in vgg16().layers if layer.weights]
    made = sum(math.prod(layer.output.shape[1:]) for layer in learning)
    return 4 * (4 * parameters() + images * made) / 1e9


def gpu_days(images: float, epochs: float) -> float:
    """How long all layers of VGG16 train on so many images of 224 pixels, on a GPU as above."""
    operations = images * epochs * multiply_adds() * FLOPS_A_MULTIPLY_ADD * PASSES
    return operations / (GPU_FLOPS * GPU_SHARE) / SECONDS_A_DAY
