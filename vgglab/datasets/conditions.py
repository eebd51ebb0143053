"""The conditions of a run as dials of its data set: fewer images of each class, and labels that are wrong."""

from __future__ import annotations

import dataclasses

import numpy as np

from vgglab.datasets.class_weights import weights_in_words
from vgglab.datasets.dataset import Dataset, Split
from vgglab.errors import InputError, shown
from vgglab.experiment import FIELDS, Experiment


def under_conditions(data: Dataset, experiment: Experiment) -> Dataset:
    """The data that an experiment trains on, with its `images_a_class` and `label_noise`; `data` itself without them.

    Only the training part changes. Of each class so many images are kept, which the seed chooses; of a class that has
    fewer, all. Then exactly round(`label_noise` * n) of the n labels left are redrawn, all classes being equally
    likely, so that some come out right by chance; `Split.truth` has what they were (Zhang et al. 2017,
    arXiv:1611.03530). With one seed, few images are among those of a larger number and a small share of redrawn
    labels within a larger one. What it returned it does not change again. `InputError` when it is given anything but an
    Experiment and a Dataset.
    """
    if not isinstance(experiment, Experiment):
        raise InputError(f"`experiment` must be an Experiment. Received: {shown(experiment)}.")
    if not isinstance(data, Dataset):
        raise InputError(f"`data` must be a Dataset, such as `load` returns. Received: {shown(data)}.")
    which_images, which_labels = np.random.default_rng(experiment.seed).spawn(2)
    train = _fewer(data.train, experiment.images_a_class, which_images)
    train = _mislabelled(train, experiment.label_noise, len(data.class_names), which_labels)
    return data if train is data.train else dataclasses.replace(data, train=train)


def check_fits(experiment: Experiment, data: Dataset) -> None:
    """`InputError` when the data is of another size than the experiment, or smaller than one of its batches.

    `data` with the experiment's conditions or without: nothing is drawn to count the images that they leave.
    """
    if data.image_size != experiment.image_size:
        raise InputError(
            f"`image_size` of the experiment is {experiment.image_size}, but the data was loaded at {data.image_size}: "
            f"load(..., image_size={experiment.image_size})."
        )
    images = len(data.train)
    if experiment.images_a_class is not None:
        _, of_each = np.unique(data.train.true_labels, return_counts=True)
        images = int(np.minimum(of_each, experiment.images_a_class).sum())
    for phase in experiment.phases:
        if phase.batch_size > images:
            raise InputError(
                f"`batch_size` must be at most the number of training images, {images}. "
                f"Received: {phase.batch_size}."
            )


def in_words(given: Dataset, used: Dataset, experiment: Experiment) -> list[str]:
    """What `under_conditions` made of the training images, a sentence for each condition, and how classes weigh."""
    few = [] if experiment.images_a_class is None else [_count(given, used, experiment.images_a_class)]
    noisy = [_redrawn(used, experiment.label_noise)] if experiment.label_noise else []
    weighs = any(FIELDS["class_weight"].is_on(phase.class_weight) for phase in experiment.phases)
    return few + noisy + (weights_in_words(used) if weighs else [])


def _fewer(train: Split, images_a_class: int | None, rng: np.random.Generator) -> Split:
    """So many images of each class, in the order they had."""
    if images_a_class is None:
        return train
    labels = train.true_labels
    members = [rng.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    chosen = np.sort(np.concatenate([each[:images_a_class] for each in members]))
    return train if len(chosen) == len(train) else train.part(chosen)


def _mislabelled(train: Split, share: float, classes: int, rng: np.random.Generator) -> Split:
    """The same images with a share of their labels redrawn."""
    if not share:
        return train
    order, drawn = rng.permutation(len(train)), rng.integers(classes, size=len(train))
    redrawn, labels = order[: round(share * len(train))], train.labels.copy()
    labels[redrawn] = drawn[redrawn]
    return dataclasses.replace(train, labels=labels, truth=train.true_labels)


def _count(given: Dataset, used: Dataset, images_a_class: int) -> str:
    if len(used.train) == len(given.train):
        return f"All {len(given.train)} training images are used: no class has more than {images_a_class}."
    labels = used.train.true_labels
    counts = np.bincount(labels, minlength=len(used.class_names))
    short = [f"{n} of '{name}'" for name, n in zip(used.class_names, counts) if n < images_a_class]
    only = f"; there are only {', '.join(short)}" if short else ""
    return (
        f"{len(used.train)} of the {len(given.train)} training images are used, "
        f"{images_a_class} of each class{only}."
    )


def _redrawn(used: Dataset, share: float) -> str:
    n, wrong = len(used.train), int(used.train.wrong.sum())
    return (
        f"Of the {n} training labels {round(share * n)} were redrawn: {wrong} of them are wrong now, "
        "the others came out right by chance."
    )
