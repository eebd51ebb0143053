"""A trained network with what its outputs are called: from a run, from a file, or as Keras has it in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from vgglab.datasets.dataset import checked_names
from vgglab.datasets.reading import Reading
from vgglab.engine.owner import alone
from vgglab.errors import InputError, first_line, shown
from vgglab.files import expanded, readable
from vgglab.history import History
from vgglab.share.model_file import Usage, checked_reading, read_usage, usage_of_run
from vgglab.share.store import MODEL, RECORD, check_is_run

SUFFIX = ".keras"
_ROUNDING = 1e-3  # by which the probabilities of an image may miss the sum of 1


@dataclass(frozen=True, eq=False)
class Classifier:
    """A `keras.Model` that takes 0-255 RGB images and returns a probability for each class, and its usage."""

    model: keras.Model
    usage: Usage

    def __post_init__(self) -> None:
        _check_fits(self.model, self.usage)

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.usage.class_names

    @property
    def reading(self) -> Reading:
        return self.usage.reading

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """What the network says of images (n, image_size, image_size, 3), 0-255: float32, shape (n, classes).

        `InputError` where that are no probabilities.
        """
        with alone():
            said = self._forward(tf.cast(images, self.model.inputs[0].dtype)).numpy().astype(np.float32)
        if not (
            np.isfinite(said).all() and (said >= 0).all() and (abs(said.sum(axis=1) - 1) < _ROUNDING).all()
        ):
            raise InputError(
                "The network must return probabilities: for each image numbers from 0 on that add up to 1, such as a "
                f"softmax gives. Received: {shown(said[0].tolist())}."
            )
        return said

    @cached_property
    def _forward(self) -> Callable[[tf.Tensor], tf.Tensor]:
        inputs = self.model.inputs[0]
        # As evaluation in training does: one trace for any number of images, and no XLA.
        spec = [tf.TensorSpec((None, *inputs.shape[1:]), inputs.dtype)]
        return tf.function(lambda images: self.model(images, training=False), spec, jit_compile=False)


def open_classifier(
    model: str | os.PathLike | keras.Model | Classifier,
    class_names: Sequence[str] | None = None,
    reading: Reading | None = None,
) -> Classifier:
    """The classifier of a run's folder, of a `.keras` file, or of a `keras.Model` in memory.

    A file says itself what the classes are called and how images are read for it; one of an older version is helped by
    the record of its run beside it. `class_names` and `reading` are for networks that say nothing, and come before what
    a file says; without a `reading`, photographs are cropped to the size that the network takes. `InputError` says what
    is missing.
    """
    if isinstance(model, Classifier):
        return model
    if isinstance(model, keras.Model):
        network, said = model, None
    elif isinstance(model, (str, os.PathLike)):
        path = _file_of(expanded(model))
        said = read_usage(path) or _usage_beside(path)
        network = _load(path)
    else:
        raise InputError(
            f"`model` must be the folder of a run, a .keras file or a keras.Model. Received: {shown(model)}."
        )
    names = class_names if class_names is not None else said and said.class_names
    if names is None:
        where = "a keras.Model" if isinstance(model, keras.Model) else readable(os.fspath(model))
        raise InputError(
            f"The names of the classes are unknown. Received: {where}, which does not say them, without a {RECORD} of "
            "its run beside it. Give them as `class_names`, in the order of the outputs."
        )
    reading = reading or (said.reading if said else _cropped(network))
    return Classifier(network, Usage(checked_names(names), checked_reading(reading)))


def _file_of(place: Path) -> Path:
    """The file of the network that a path names."""
    if place.is_dir():
        if (place / MODEL).is_file():
            return place / MODEL
        check_is_run(place)
        raise InputError(
            f"{readable(place)} has no {MODEL}: its run has not ended yet, or ended before its first epoch."
        )
    if not place.exists():
        raise InputError(f"There is no run and no network at {readable(place)}.")
    if not place.is_file() or place.suffix.lower() != SUFFIX:
        raise InputError(
            f"The network must be the folder of a run or a {SUFFIX} file. Received: {readable(place)}."
        )
    return place


def _usage_beside(path: Path) -> Usage | None:
    """What the record of a run beside a network says."""
    record = path.with_name(RECORD)
    return usage_of_run(History.load(record)) if record.is_file() else None


def _load(path: Path) -> keras.Model:
    try:
        with alone():
            return keras.saving.load_model(path, compile=False)
    except MemoryError:
        raise
    # Keras, h5py and zipfile raise many kinds of error for what is no network.
    except Exception as error:
        raise InputError(f"{readable(path)} cannot be opened as a network ({first_line(error)}).") from None


def _cropped(model: keras.Model) -> Reading:
    """The plainest reading that fits a network."""
    shape: tuple = model.inputs[0].shape if getattr(model, "inputs", None) else (None,)
    if len(shape) != 4 or shape[1] is None:
        raise InputError(
            "The size of the images is unknown, because the network does not fix it. Give it as "
            "`reading=Reading(image_size)`."
        )
    return Reading(int(shape[1]))


def _check_fits(model: keras.Model, usage: Usage) -> None:
    """`InputError` where a network does not take such images, or does not tell such classes apart."""
    if not isinstance(model, keras.Model) or len(getattr(model, "inputs", None) or ()) != 1:
        raise InputError("The network must be a keras.Model of one input, and built.")
    size, classes = usage.reading.image_size, len(usage.class_names)
    taken, given = tuple(model.inputs[0].shape[1:]), tuple(model.outputs[0].shape[1:])
    wanted = (size, size, 3)
    if len(taken) != 3 or any(have not in (None, want) for want, have in zip(wanted, taken)):
        raise InputError(f"The network must take images of shape {wanted}. It takes: {taken}.")
    if len(model.outputs) != 1 or given != (classes,):
        raise InputError(
            f"The network must have one output, with a number for each of the {classes} classes. It has: "
            f"{', '.join(str(tuple(each.shape[1:])) for each in model.outputs)}."
        )
