"""What fine-tuning takes away: accuracy on the source task, and how far each block's features drift."""

from __future__ import annotations

import functools

import numpy as np
from PIL import Image

from vgglab.datasets import Split
from vgglab.experiment import Experiment
from vgglab.files import shipped
from vgglab.weights import SOURCE_HEAD

SOURCE_TASK = shipped("source_task")
DRAWN_AT = (32, 64)  # pixels a side: what the weights saw


def has_source_task(experiment: Experiment) -> bool:
    """Whether a run starts from weights whose source task can be measured: the embedded ones."""
    return experiment.backbone == "vgg16-mini" and experiment.weights == "pretrained"


@functools.lru_cache(maxsize=2)
def source_images(image_size: int) -> Split:
    """One picture of each class of the source task: uint8 (classes, image_size, image_size, 3), labels in order.

    They are read from `data/source_task`; a size that is not there is resized from the next larger one, or from the
    largest.
    """
    drawn_at = next((size for size in DRAWN_AT if size >= image_size), DRAWN_AT[-1])
    with Image.open(SOURCE_TASK / f"{drawn_at}.webp") as column:
        pictures = np.asarray(column.convert("RGB")).reshape(-1, drawn_at, drawn_at, 3)
    if drawn_at != image_size:
        side = (image_size, image_size)
        # Bicubic, because the source head is right on it about as often as on pictures drawn at that size.
        pictures = np.stack(
            [np.asarray(Image.fromarray(each).resize(side, Image.Resampling.BICUBIC)) for each in pictures]
        )
    return Split(pictures, np.arange(len(pictures)))


@functools.cache
def _source_head() -> tuple[np.ndarray, np.ndarray]:
    with np.load(SOURCE_HEAD, allow_pickle=False) as head:
        return head["kernel"], head["bias"]


def source_accuracy(features: np.ndarray, labels: np.ndarray) -> float:
    """Accuracy of the source head on the features of block 5: pooled, (n, 128), or of all places, (n, places * 128)."""
    kernel, bias = _source_head()
    pooled = features.reshape(len(features), -1, len(kernel)).mean(axis=1)
    return float(np.mean(np.argmax(pooled @ kernel + bias, axis=1) == labels))


def drift(before: np.ndarray, after: np.ndarray) -> float:
    """How far features of the same n images have moved: 1 - linear CKA, from 0 (the same) to 1.

    Both are (n, channels). Turning or rescaling the whole feature space is no drift. Features that have nothing in
    common give less than 1, the fewer the images the less, because a few images agree by chance: those of `before` and
    of other images give 1 - d / (n - 1) on average, where d, the square of the sum of the eigenvalues of their
    covariance over the sum of the squares, counts directions. For 40 images of the course that is 0.83 to 0.92,
    depending on the block. Linear centred kernel alignment: Kornblith et al. 2019, arXiv:1905.00414, equation 3.
    """
    if np.array_equal(before, after):
        return 0.0
    before, after = (each - each.mean(axis=0) for each in (np.float64(before), np.float64(after)))
    size = float(np.linalg.norm(before.T @ before) * np.linalg.norm(after.T @ after))
    if size == 0:  # features that are the same for every image say nothing about direction
        return 0.0 if not before.any() and not after.any() else 1.0
    return max(0.0, 1 - float(np.linalg.norm(before.T @ after)) ** 2 / size)
