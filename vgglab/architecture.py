"""The shape of VGG16 in numbers: blocks, layers, parameters and multiply-adds, without loading anything."""

from __future__ import annotations

from dataclasses import dataclass

# Filters of the five blocks, with the number of conv layers in each: Simonyan & Zisserman 2015,
# arXiv:1409.1556, table 1, column D.
BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
CONV_NAMES = tuple(
    f"block{block}_conv{conv}" for block, (_, convs) in enumerate(BLOCKS, 1) for conv in range(1, convs + 1)
)
# With what the filters are divided by: as published, the course's own, and one that shows what width is good for.
BACKBONES = {"vgg16": 1, "vgg16-mini": 4, "vgg16-micro": 16}
# The dense layers of each head below the last, with their units; those of the original top (the same table) are
# divided as the filters are.
HEADS = {"pooled": (("fc", 128),), "dense": (("fc", 4096), ("fc2", 4096))}


BYTES = {"float32": 4, "bfloat16": 2}  # of a number that a conv layer makes


@dataclass(frozen=True)
class Layer:
    """A layer with weights: multiply-adds, and the numbers that go in and out, are those of one image.

    `pooled` are those that the pooling above it makes of what comes out; 0 where there is none.
    """

    name: str
    parameters: int
    multiply_adds: int
    inputs: int
    outputs: int
    pooled: int = 0


def dense_layers(backbone: str, head: str, classes: int) -> list[tuple[str, int]]:
    """The names and units of a head's dense layers, from the bottom up."""
    narrower = BACKBONES[backbone] if head == "dense" else 1
    return [*((name, units // narrower) for name, units in HEADS[head]), ("predictions", classes)]


def layers_of(backbone: str, image_size: int, classes: int, head: str = "pooled") -> list[Layer]:
    """The conv layers and the head's dense layers, from the bottom up."""
    side, channels, rows = image_size, 3, []
    names = iter(CONV_NAMES)
    for filters, convs in BLOCKS:
        width = filters // BACKBONES[backbone]
        for conv in range(1, convs + 1):
            kernel = 9 * channels * width
            pixels = side**2
            pooled = (side // 2) ** 2 * width if conv == convs else 0
            rows.append(
                Layer(next(names), kernel + width, kernel * pixels, channels * pixels, width * pixels, pooled)
            )
            channels = width
        side //= 2
    if head == "dense":
        channels *= side**2
    for name, width in dense_layers(backbone, head, classes):
        rows.append(Layer(name, channels * width + width, channels * width, channels, width))
        channels = width
    return rows


def unfrozen(backbone: str, unfreeze: int) -> str:
    """Which layers learn at an unfreeze depth, and how many weights the conv layers among them have."""
    convs = layers_of(backbone, 32, 1)[: len(CONV_NAMES)]
    learning = convs[len(convs) - unfreeze :]
    if not learning:
        return "only the head learns"
    weights = sum(layer.parameters for layer in learning)
    which = f"{learning[0].name} and up" if len(learning) > 1 else learning[0].name
    return f"{which} ({weights:,} weights) and the head"
