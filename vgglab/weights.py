"""Where weights are: the embedded ones, of which `provenance.json` says how they were made, and an experiment's."""

from __future__ import annotations

import os
from pathlib import Path

from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.files import expanded, readable, shipped

FOLDER = shipped("weights")
PRETRAINED = FOLDER / "vgg16-mini.weights.h5"
SOURCE_HEAD = FOLDER / "vgg16-mini.source-head.npz"
PROVENANCE = FOLDER / "provenance.json"
# Published by Keras: keras.io/api/applications/vgg.
IMAGENET_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
_NOT_HERE = {
    "vgg16": "The ImageNet weights are not at {path}. `weights='imagenet'` downloads them (59 MB); "
    "`weights=None` starts from random ones.",
    "vgg16-mini": "The pretrained weights are not at {path}. `make pretrain` makes them.",
}


def check_weights_exist(experiment: Experiment) -> None:
    """`InputError` when weights are asked for by a name that this backbone has none of."""
    backbone, weights = experiment.backbone, experiment.weights
    if weights == "imagenet" and backbone != "vgg16":
        raise InputError(
            f"`weights='imagenet'` exists for backbone 'vgg16' only. Received: backbone '{backbone}'."
        )
    if weights == "pretrained" and backbone == "vgg16-micro":
        raise InputError(
            "`weights='pretrained'` exists for backbones 'vgg16-mini' and 'vgg16'; backbone 'vgg16-micro' starts "
            f"from `weights=None`, or from a file. Received: `weights={weights!r}`."
        )


def find_weights(experiment: Experiment) -> Path | None:
    """The file that an experiment starts from; `InputError` when there is none.

    None for random weights, and for 'imagenet', which Keras finds or fetches.
    """
    backbone, weights = experiment.backbone, experiment.weights
    check_weights_exist(experiment)
    if weights is None or weights == "imagenet":
        return None
    if weights == "pretrained":
        path = PRETRAINED if backbone == "vgg16-mini" else keras_folder() / IMAGENET_FILE
        if not path.is_file():
            raise InputError(_NOT_HERE[backbone].format(path=path))
        return path
    path = expanded(weights)
    if not os.path.isfile(path):  # False also for what no file can be called
        raise InputError(f"There is no weights file at {readable(path)}.")
    return path


def keras_folder() -> Path:
    """Where Keras keeps the weights that it has fetched."""
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models"
