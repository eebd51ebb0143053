"""vgglab: change one thing in the fine-tuning of VGG16, and watch train and validation accuracy part.

This page is the glossary. Names are imported when first used, so `import vgglab` is immediate and
TensorFlow is loaded only by the first call that needs it.
"""

import importlib
import os
from typing import Any

from vgglab import quiet

quiet.install()
# What TensorFlow says later on, when it runs.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

__version__ = "0.1.0"

_HOME = {
    "Experiment": "vgglab.experiment",  # everything that determines a run
    "code_of": "vgglab.share.link",  # an experiment as a short text, for a link
    "experiment_of": "vgglab.share.link",  # and back
    "AUGMENTATIONS": "vgglab.image_changes",  # the random changes of images, with their strengths
    "InputError": "vgglab.errors",  # something given cannot be used; one sentence says why
    "load": "vgglab.live_load",  # the embedded flowers or a folder of images → Dataset
    "check_setup": "vgglab.checkup",  # what this machine lacks for the course, and how to mend it
    "check_images": "vgglab.doctor.check",  # copies, wrong labels, shortcuts and images of nothing in a data set
    "Reading": "vgglab.datasets",  # how image files become the images of a data set
    "Dataset": "vgglab.datasets",  # images, labels and class names, split into train and validation
    "draw_blossoms": "vgglab.datasets",  # flowers drawn on request, each nuisance on its own dial
    "Nuisances": "vgglab.datasets",  # those dials
    "NARROW": "vgglab.datasets",  # all dials at 0
    "WIDE": "vgglab.datasets",  # all dials at 1
    "Species": "vgglab.datasets",  # the geometry of a flower
    "draw_twins": "vgglab.datasets",  # two classes, one the mirror image of the other
    "shuffled_labels": "vgglab.datasets",  # the same images with nothing left to learn
    "validation_by_nuisance": "vgglab.datasets",  # validation images that vary in one thing each
    "build_model": "vgglab.network",  # Experiment → keras.Model
    "augmented": "vgglab.augmentation",  # what an experiment does to given images
    "predict": "vgglab.answers",  # a trained network and image files → a table of classes and probabilities
    "export": "vgglab.exporting",  # a trained network for machines without Keras
    "Control": "vgglab.engine.control",  # pause, stop or change a run
    "train": "vgglab.live_train",  # Experiment and Dataset → History, shown as it grows
    "train_seeds": "vgglab.seeds",  # the same with several seeds in turn → a list of them
    "k_folds": "vgglab.datasets",  # a Dataset divided anew, so that each image validates once → a list of them
    "cross_validate": "vgglab.cross_validation",  # Experiment on each fold → the records, their mean, its interval
    "grid": "vgglab.combinations",  # every combination of values of fields → a list of Experiments
    "sweep": "vgglab.sweeping",  # Experiments, several seeds each, here or on a cluster → a table, a row a setting
    "find_learning_rate": "vgglab.measures.learning_rate",  # the loss as the rate grows → a rate to begin with
    "evaluate": "vgglab.measures.evaluation",  # accuracy and loss of a model on clean images
    "mistakes": "vgglab.measures.mistakes",  # the validation images that it is most sure and wrong about
    "confusion": "vgglab.measures.mistakes",  # how many images of each class it takes for which
    "class_report": "vgglab.measures.classes",  # recall, precision and more of each class, with intervals
    "grad_cam": "vgglab.measures.grad_cam",  # where in an image it looks for a class
    "calibration_error": "vgglab.measures.evaluation",  # how honest its confidence is
    "History": "vgglab.history",  # one row an epoch, events, and how far each layer moved
    "plot_accuracy": "vgglab.charts.curves",  # the two curves and the gap between them
    "plot_loss": "vgglab.charts.curves",  # the same for the loss
    "plot_runs": "vgglab.charts.runs",  # the curves of several runs, or of several seeds each
    "plot_gaps": "vgglab.charts.runs",  # what any number of runs ended with
    "plot_drift": "vgglab.charts.curves",  # how far each block's features moved, what is left of the source task
    "plot_forgetting": "vgglab.charts.curves",  # unfreeze depth × learning rate → what is left
    "plot_images": "vgglab.charts.curves",  # a grid of images
    "plot_on_seeds": "vgglab.charts.seeds",  # a run on the bands of several seeds
    "plot_arms": "vgglab.charts.seeds",  # what each seed of each arm ended with
    "plot_growth": "vgglab.charts.seeds",  # accuracy against training images
    "plot_atlas": "vgglab.charts.atlas",  # brakes against conditions as a heatmap
    "plot_brakes": "vgglab.charts.atlas",  # one condition of it, with intervals
    "plot_cell": "vgglab.charts.atlas",  # the runs behind one of its numbers
    "plot_matrix": "vgglab.charts.seeds",  # a table of accuracies as a heatmap
    "plot_sweep": "vgglab.charts.sweep",  # the table of a sweep as a heatmap
    "plot_mistakes": "vgglab.charts.mistakes",  # the worst mistakes as images
    "plot_findings": "vgglab.charts.findings",  # what was found, as images
    "plot_confusion": "vgglab.charts.mistakes",  # what is taken for what, as a heatmap
    "plot_class_report": "vgglab.charts.classes",  # recall and precision of each class, with intervals
    "plot_grad_cam": "vgglab.charts.mistakes",  # images, and where in them the network looks
    "plot_predictions": "vgglab.gallery",  # photographs, what they are taken for, and where the network looks
    "plot_reliability": "vgglab.charts.reliability",  # confidence against how often it is right
    "wall": "vgglab.share.wall",  # a folder of run cards and runs → one table, a row each
    "plot_wall": "vgglab.charts.wall",  # the gap of each against its validation accuracy
    "plot_learning_rate": "vgglab.charts.learning_rate",  # the loss against the growing rate
    "mean_interval": "vgglab.measures.intervals",  # a mean over seeds with its interval
    "fold_interval": "vgglab.measures.intervals",  # a mean over folds with its interval
    "paired_difference": "vgglab.measures.intervals",  # A minus B over seeds with its interval
    "compare": "vgglab.measures.comparison",  # two runs, or runs of several seeds → is B better than A, or is it luck?
    "verdict": "vgglab.measures.intervals",  # is A better than B, or is it noise?
    "sign_flip_p": "vgglab.measures.intervals",  # the same as a p value that asks for no distribution
    "holm": "vgglab.measures.intervals",  # p values of several comparisons, adjusted for their number
    "study_curves": "vgglab.studies",  # the curves of the course's own runs, over several seeds
    "study_atlas": "vgglab.studies",  # what each brake changes in each condition
    "study_ends": "vgglab.studies",  # what those runs ended with
    "claims_ledger": "vgglab.studies",  # every claim with its evidence and a verdict
    "lesson_claims": "vgglab.studies",  # those of one lesson
    "GuessNumber": "vgglab.panel",  # a number to predict before a run
    "GuessChoice": "vgglab.panel",  # a choice to predict before a run
    "LiveCurves": "vgglab.panel.callback",  # the live chart as a Keras callback
    "Dashboard": "vgglab.panel",  # toggles, a live chart, the runs of the session
}
__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'vgglab' has no attribute '{name}'. It has: {', '.join(_HOME)}.")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
