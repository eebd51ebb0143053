"""vgglab: change one thing in the fine-tuning of VGG16, and watch train and validation accuracy part.

This page is the glossary. Names are imported when first used, so `import vgglab` is immediate and
TensorFlow is loaded only by the first call that needs it.
"""

import importlib
import os

# TensorFlow's notes on processors and missing GPUs would stand in red in every notebook.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

__version__ = "0.1.0"

_HOME = {
    "Experiment": "vgglab.experiment",  # everything that determines a run
    "AUGMENTATIONS": "vgglab.experiment",  # the random changes of images, with their strengths
    "InputError": "vgglab.experiment",  # something given cannot be used; one sentence says why
    "load": "vgglab.datasets",  # the embedded flowers or a folder of images → Dataset
    "Dataset": "vgglab.datasets",  # images, labels and class names, split into train and validation
    "draw_blossoms": "vgglab.datasets",  # flowers drawn on request, each nuisance on its own dial
    "Nuisances": "vgglab.datasets",  # those dials
    "build_model": "vgglab.backbone",  # Experiment → keras.Model
    "augmented": "vgglab.augmentation",  # what an experiment does to given images
    "Control": "vgglab.control",  # pause, stop or change a run
    "train": "vgglab.training",  # Experiment and Dataset → History
    "evaluate": "vgglab.evaluation",  # accuracy and loss of a model on clean images
    "History": "vgglab.history",  # one row an epoch, events, and how far each layer moved
    "plot_accuracy": "vgglab.charts",  # the two curves and the gap between them
    "plot_loss": "vgglab.charts",  # the same for the loss
    "plot_runs": "vgglab.charts",  # several histories side by side
    "plot_drift": "vgglab.charts",  # how far each block's features moved, what is left of the source task
    "plot_forgetting": "vgglab.charts",  # unfreeze depth × learning rate → what is left
    "plot_images": "vgglab.charts",  # a grid of images
    "LiveCurves": "vgglab.panel.curves",  # the live chart as a Keras callback
    "Dashboard": "vgglab.panel",  # toggles, a live chart, the runs of the session
}
__all__ = ["__version__", *_HOME]


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module 'vgglab' has no attribute '{name}'. It has: {', '.join(_HOME)}.")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
