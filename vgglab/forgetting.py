"""What fine-tuning takes away: accuracy on the source task, and how far each block's features drift."""

from __future__ import annotations

import functools

import numpy as np

from vgglab.datasets import Split
from vgglab.experiment import Experiment
from vgglab.weights import SOURCE_HEAD

SOURCE_SEED = 2  # 0 and 1 drew what the weights were trained and tested on


def has_source_task(experiment: Experiment) -> bool:
    """Whether a run starts from weights whose source task can be measured: the embedded ones."""
    return experiment.backbone == "vgg16-mini" and experiment.weights == "pretrained"


@functools.lru_cache(maxsize=2)
def source_images(image_size: int) -> Split:
    """One picture of each class of the source task, drawn once in a process."""
    from vgglab.source import CLASS_NAMES, draw_source

    images = [draw_source(name, 1, image_size, SOURCE_SEED) for name in CLASS_NAMES]
    return Split(np.concatenate(images), np.arange(len(CLASS_NAMES)))


@functools.cache
def _source_head() -> tuple[np.ndarray, np.ndarray]:
    with np.load(SOURCE_HEAD, allow_pickle=False) as head:
        return head["kernel"], head["bias"]


def source_accuracy(pooled: np.ndarray, labels: np.ndarray) -> float:
    """Accuracy of the source head on the pooled features of block 5, (n, 128)."""
    kernel, bias = _source_head()
    return float(np.mean(np.argmax(pooled @ kernel + bias, axis=1) == labels))


def drift(before: np.ndarray, after: np.ndarray) -> float:
    """How far features of the same n images have moved: 1 - linear CKA, from 0 (the same) to 1.

    Both are (n, channels). Turning or rescaling the whole feature space is no drift. Linear centred
    kernel alignment: Kornblith et al. 2019, arXiv:1905.00414, equation 3.
    """
    before, after = (each - each.mean(axis=0) for each in (np.float64(before), np.float64(after)))
    size = np.linalg.norm(before.T @ before) * np.linalg.norm(after.T @ after)
    if size == 0:  # features that are the same for every image say nothing about direction
        return 0.0 if np.array_equal(before, after) else 1.0
    return float(max(0.0, 1 - np.linalg.norm(before.T @ after) ** 2 / size))
