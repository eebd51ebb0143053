"""What a run will cost, before it is started: parameters, arithmetic, memory, and time on this machine."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass

import keras
import tensorflow as tf

from vgglab.architecture import BACKBONES, BLOCKS, BYTES, CONV_NAMES, Layer, layers_of
from vgglab.datasets import Dataset
from vgglab.engine.feed import cached_bytes, why_not_cached
from vgglab.engine.owner import alone
from vgglab.engine.step import IMAGES_A_CALL
from vgglab.experiment import CONV_LAYERS, Experiment
from vgglab.measures.forgetting import has_source_task, source_images

LONG = 60  # seconds; a lesson should answer sooner
TIMED_CALLS = 3
# As many images as are trained on at once, or a call is mostly overhead; fewer where a layer makes so much of one
# that the overhead does not count.
MOST_IMAGES, FEWEST_IMAGES, TIMED_NUMBERS = 32, 2, 2_000_000
STEP_OVERHEAD = 2e-3  # seconds a call of the network takes beside its arithmetic


@dataclass(frozen=True)
class Cost:
    """The figures of one phase.

    `multiply_adds` are those of one image, forwards through all layers; `flops` are floating-point
    operations of one training step, two a multiply-add; `memory` is bytes for weights, gradients, Adam's
    moments and the activations of a batch: what goes into the layers that run, what they make of it, and what
    poolings make of that; `cache` is bytes of kept features; `seconds` are an epoch's, evaluation included, as
    measured layer by layer on this machine.
    """

    parameters: int
    trainable: int
    multiply_adds: int
    flops: int
    memory: int
    cache: int
    seconds: float
    epochs: int

    @property
    def total_seconds(self) -> float:
        return self.seconds * self.epochs


def cost(phase: Experiment, data: Dataset) -> Cost:
    """What one phase will cost; the first call for a network times its layers, which takes a second or two."""
    layers = layers_of(phase.backbone, phase.image_size, len(data.class_names), phase.head)
    frozen = CONV_LAYERS - phase.unfreeze
    cached = why_not_cached(phase) is None
    trained_from = frozen if cached else 0
    learning = layers[frozen:]
    forwards = sum(layer.multiply_adds for layer in layers[trained_from:])
    # Backwards: the gradient of each learning layer's weights, and of all inputs above the lowest of them.
    backwards = sum(layer.multiply_adds for layer in learning) + sum(
        layer.multiply_adds for layer in learning[1:]
    )
    parameters = sum(layer.parameters for layer in layers)
    trainable = sum(layer.parameters for layer in learning)
    activations = phase.batch_size * _made(phase, layers[trained_from:])
    return Cost(
        parameters=parameters,
        trainable=trainable,
        multiply_adds=sum(layer.multiply_adds for layer in layers),
        flops=2 * phase.batch_size * (forwards + backwards),
        memory=BYTES["float32"] * (parameters + 3 * trainable) + activations,
        cache=cached_bytes(phase, data) if cached else 0,
        seconds=_seconds(phase, data, trained_from, frozen),
        epochs=phase.epochs,
    )


def _made(phase: Experiment, layers: list[Layer]) -> int:
    """Bytes of what goes into the lowest of these layers, of one image, and of all that is made of it."""
    convs = [layer for layer in layers if layer.name in CONV_NAMES]
    in_convs = sum(layer.outputs + layer.pooled for layer in convs)
    in_head = sum(layer.outputs for layer in layers if layer not in convs)
    if (
        phase.head == "pooled" or not convs
    ):  # a mean over all places, or what was kept; flattening copies nothing
        in_head += layers[len(convs)].inputs
    fed = layers[0].inputs if convs else 0
    as_images = layers[0].name == CONV_NAMES[0]
    conv, full = BYTES[phase.precision], BYTES["float32"]
    return conv * in_convs + full * in_head + (full if as_images else conv) * fed


def _seconds(phase: Experiment, data: Dataset, trained_from: int, frozen: int) -> float:
    forwards, backwards = layer_seconds(phase.backbone, phase.image_size, phase.precision)
    # Measured alone, a pass backwards may come out shorter than it is; it is never shorter than one forwards.
    backwards = [max(pair) for pair in zip(forwards, backwards)]
    train = len(data.train) * (sum(forwards[trained_from:]) + sum(backwards[frozen:]))
    clean = min(len(data.train), len(data.validation))
    evaluated = (
        clean + len(data.validation) + (len(source_images(phase.image_size)) if has_source_task(phase) else 0)
    )
    calls = len(data.train) / phase.batch_size + evaluated / IMAGES_A_CALL
    return train + evaluated * sum(forwards[frozen:]) + calls * STEP_OVERHEAD


@functools.cache
def layer_seconds(backbone: str, image_size: int, precision: str) -> tuple[list[float], list[float]]:
    """Seconds an image takes forwards and backwards through each conv layer, measured now."""
    dtype = "mixed_bfloat16" if precision == "bfloat16" else "float32"
    side, channels, forwards, backwards = image_size, 3, [], []
    for filters, convs in BLOCKS:
        width = filters // BACKBONES[backbone]
        for conv in range(convs):
            if conv < 2:  # the third layer of a block has the shape of the second
                there, back = _time_conv(side, channels, width, dtype, pooled=conv == convs - 1)
            forwards.append(there)
            backwards.append(back)
            channels = width
        side //= 2
    return forwards, backwards


def _time_conv(side: int, channels: int, width: int, dtype: str, *, pooled: bool) -> tuple[float, float]:
    """Seconds an image forwards and backwards; nothing else runs in Keras meanwhile, which would be timed too."""
    with alone():
        return _timed(side, channels, width, dtype, pooled=pooled)


def _timed(side: int, channels: int, width: int, dtype: str, *, pooled: bool) -> tuple[float, float]:
    conv = keras.layers.Conv2D(width, 3, padding="same", activation="relu", dtype=dtype)
    images = min(MOST_IMAGES, max(FEWEST_IMAGES, TIMED_NUMBERS // (side * side * width)))
    x = tf.random.normal((images, side, side, channels), dtype=conv.compute_dtype)
    conv.build(x.shape)

    @tf.function(jit_compile=False)
    def there(x: tf.Tensor) -> tf.Tensor:
        y = conv(x)
        return tf.reduce_sum(tf.nn.max_pool2d(y, 2, 2, "VALID") if pooled else y)

    @tf.function(jit_compile=False)
    def back(x: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            result = there(x)
        return tape.gradient(result, [x, conv.kernel.value, conv.bias.value])

    forward = _fastest(there, x)
    return forward, _fastest(back, x) - forward


def _fastest(call: Callable, x: tf.Tensor) -> float:
    call(x)
    times = []
    for _ in range(TIMED_CALLS):
        start = time.perf_counter()
        tf.nest.flatten(call(x))[0].numpy()
        times.append(time.perf_counter() - start)
    return min(times) / len(x)
