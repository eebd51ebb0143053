"""What can be counted about VGG16, from Keras's own network, or worked out from published figures."""

from __future__ import annotations

import math
from functools import cache

import keras

from vgglab.engine.owner import alone

IMAGENET_IMAGES = 1.28e6  # Russakovsky et al. 2015, arXiv:1409.0575
PAPER_EPOCHS = 74  # Simonyan & Zisserman 2015, arXiv:1409.1556, section 3.1
FLOPS_A_MULTIPLY_ADD = 2
PASSES = 3  # one forwards, and two of its size backwards: to the inputs and to the weights
GPU_FLOPS = 15.7e12  # float32 peak of an NVIDIA V100, from its data sheet
GPU_SHARE = 0.5  # of the peak that training reaches, generously
SECONDS_A_DAY = 86_400


@cache
def vgg16() -> keras.Model:
    """The whole network of the paper, with random weights: nothing is downloaded."""
    with alone():
        return keras.applications.VGG16(weights=None)


def multiply_adds() -> int:
    """Of one image of 224 pixels forwards."""
    return sum(multiply_adds_of(layer) for layer in vgg16().layers)


def multiply_adds_of(layer: keras.layers.Layer) -> int:
    """Of one layer, for one image."""
    if not layer.weights:
        return 0
    places = math.prod(layer.output.shape[1:-1])  # height times width; a dense layer has neither
    return places * math.prod(layer.kernel.shape)


def gpu_days(images: float, epochs: float) -> float:
    """How long all layers of VGG16 train on so many images of 224 pixels, on a GPU as above."""
    operations = images * epochs * multiply_adds() * FLOPS_A_MULTIPLY_ADD * PASSES
    return operations / (GPU_FLOPS * GPU_SHARE) / SECONDS_A_DAY
