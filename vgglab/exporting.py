"""A trained network in the formats that run without Keras, each held against Keras when it is written."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from vgglab.answers import Model
from vgglab.classifier import SUFFIX, open_classifier
from vgglab.datasets import BLOSSOMS
from vgglab.datasets.reading import Reading, read_image
from vgglab.engine.owner import alone
from vgglab.errors import InputError, first_line, shown, unknown
from vgglab.files import expanded, readable, why_not, write_whole, written_whole
from vgglab.quiet import silent_stderr
from vgglab.share.store import MODEL

LARGEST_DIFFERENCE = 1e-4  # of a probability, between Keras and what was written
_LONGEST_REASON = 300  # characters of what a converter says
_CHECKED = 8  # drawn flowers, and as many images of noise

Run = Callable[[np.ndarray], np.ndarray]  # float32 images (n, s, s, 3) → probabilities (n, classes)


class Exported(NamedTuple):
    """Where the network and the names of its classes are, how files are read for it, and how far from Keras it was."""

    path: Path
    labels: Path
    reading: Reading
    difference: float


@dataclass(frozen=True)
class _Format:
    """How a network is written to a path in one format, and how what was written is run."""

    suffix: str
    write: Callable[[keras.Model, Path], object]
    open: Callable[[Path], Run]
    is_folder: bool = False
    takes_bfloat16: bool = False


def export(
    model: Model,
    to: str,
    out: str | os.PathLike | None = None,
    *,
    class_names: Sequence[str] | None = None,
    reading: Reading | None = None,
) -> Exported:
    """Write a trained network as "tflite", "onnx" or "savedmodel", and check it against Keras.

    `model`, `class_names` and `reading` are those of `predict`. `out` is a new file or folder, by default beside the
    network's file and named after it. What was written takes float32 images (n, image_size, image_size, 3), RGB from 0
    to 255, and returns probabilities; preprocessing is inside. The names of the classes, a line each in the order of
    the outputs, stand beside a file, in "model.tflite.labels.txt", and in a SavedModel in "assets.extra/labels.txt".
    Before anything has its name, the file is run on 16 images by TensorFlow Lite, ONNX Runtime or
    TensorFlow; `InputError`, and nothing is left, where a probability is more than 0.0001 from Keras's, and where the
    network cannot be written like that. "onnx" needs the extra packages of `vgglab[onnx]`.
    """
    if not isinstance(to, str) or to not in _FORMATS:
        raise unknown("format", to, _FORMATS)
    format = _FORMATS[to]
    path = _place(model, format, out)
    classifier = open_classifier(model, class_names, reading)
    if not format.takes_bfloat16 and any(
        layer.compute_dtype == "bfloat16" for layer in classifier.model.layers
    ):
        raise InputError(
            f"This network computes in bfloat16, which cannot be written as {to}. Export it as savedmodel, or train it "
            "with `precision='float32'`."
        )
    labels = _as_lines(classifier.class_names)
    images = _images(classifier.reading)
    with alone():
        expected = classifier.probabilities(images)
        if format.is_folder:
            with _new_folder(path) as beside:
                difference = _write(format, classifier.model, beside, images, expected, to)
                (beside / "assets.extra").mkdir()
                write_whole(beside / "assets.extra" / "labels.txt", labels)
            return Exported(path, path / "assets.extra" / "labels.txt", classifier.reading, difference)
        beside_labels = _labels_of(path)
        with written_whole(beside_labels) as names, written_whole(path) as beside:
            difference = _write(format, classifier.model, beside, images, expected, to)
            names.write_text(labels, encoding="utf-8")
        return Exported(path, beside_labels, classifier.reading, difference)


def _write(
    format: _Format, model: keras.Model, path: Path, images: np.ndarray, expected: np.ndarray, to: str
) -> float:
    """Write the network, run what was written, and return how far it is from what was expected."""
    try:
        with _quietly():
            format.write(model, path)
            said = np.asarray(format.open(path)(images), np.float32)
    except (MemoryError, OSError):
        raise
    except ImportError as error:
        raise InputError(
            f"To write {to}, packages are needed that are not installed (missing: {error.name}): "
            "pip install 'vgglab[onnx]'."
        ) from None
    # Converters raise whatever they meet.
    except Exception as error:
        raise InputError(
            f"This network cannot be written as {to} ({first_line(error)[:_LONGEST_REASON].rstrip('.')})."
        ) from None
    difference = float(abs(said - expected).max()) if said.shape == expected.shape else np.inf
    if not difference <= LARGEST_DIFFERENCE:
        raise InputError(
            f"What was written as {to} does not say the same as Keras: a probability differs by {difference:.2g}, "
            f"where {LARGEST_DIFFERENCE:g} is allowed. Nothing was kept."
        )
    return difference


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without what converters print about their own insides."""
    with contextlib.redirect_stdout(io.StringIO()), silent_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _write_tflite(model: keras.Model, path: Path) -> None:
    path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())


def _open_tflite(path: Path) -> Run:
    runner = tf.lite.Interpreter(str(path)).get_signature_runner()
    (image,) = runner.get_input_details()
    return lambda images: next(iter(runner(**{image: images}).values()))


def _write_onnx(model: keras.Model, path: Path) -> None:
    import onnxruntime  # noqa: F401  before the network is written, so that what is missing is known first

    model.export(str(path), format="onnx", verbose=False)


def _open_onnx(path: Path) -> Run:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {session.get_inputs()[0].name: images})[0]


def _write_savedmodel(model: keras.Model, path: Path) -> None:
    model.export(str(path), format="tf_saved_model", verbose=False)


def _open_savedmodel(path: Path) -> Run:
    loaded = tf.saved_model.load(str(path))
    return lambda images: loaded.serve(images).numpy()


_FORMATS = {
    "tflite": _Format(".tflite", _write_tflite, _open_tflite),
    "onnx": _Format(".onnx", _write_onnx, _open_onnx),
    "savedmodel": _Format(
        ".savedmodel", _write_savedmodel, _open_savedmodel, is_folder=True, takes_bfloat16=True
    ),
}
FORMATS = tuple(_FORMATS)


def _place(model: Model, format: _Format, out: str | os.PathLike | None) -> Path:
    """Where the network goes; `InputError` where there is something already, or can be nothing."""
    if out is None:
        if not isinstance(model, (str, os.PathLike)):
            raise InputError(
                "`out` must name a new file, because a network in memory has no place of its own."
            )
        source = expanded(model)
        source = source if source.suffix == SUFFIX and not source.is_dir() else source / MODEL
        path = source.with_suffix(format.suffix)
    elif isinstance(out, (str, os.PathLike)):
        path = expanded(out)
    else:
        raise InputError(f"`out` must be a path. Received: {shown(out)}.")
    if path.suffix.lower() != format.suffix:
        raise InputError(f"`out` must be a name that ends in {format.suffix}. Received: {readable(path)}.")
    places = [path] if format.is_folder else [path, _labels_of(path)]
    for each in places:
        if os.path.lexists(each):
            raise InputError(f"{readable(each)} exists already; `out` must be a new name.")
    parent = path.absolute().parent
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        reason = "nothing may be written there" if parent.is_dir() else "there is no such folder"
        raise InputError(f"`out` cannot be in {readable(parent)}: {reason}.")
    return path


def _labels_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.labels.txt")


@contextlib.contextmanager
def _new_folder(path: Path) -> Iterator[Path]:
    """A folder beside `path` that takes its name when the block has ended well, and is gone when it has not."""
    try:
        with tempfile.TemporaryDirectory(prefix=".vgglab-", dir=path.absolute().parent) as beside:
            yield Path(beside, path.name)
            os.rename(Path(beside, path.name), path)
    except OSError as error:
        raise InputError(f"{readable(path)} cannot be written: {why_not(error)}.") from None


def _as_lines(names: Sequence[str]) -> str:
    """A line for each class; `InputError` for a name that takes more than one."""
    for name in names:
        if len(name.splitlines()) != 1:
            raise InputError(
                f"A class must be called by one line of text to be exported. Received: {shown(name)}."
            )
    return "".join(f"{name}\n" for name in names)


def _images(reading: Reading) -> np.ndarray:
    """What networks are held against each other on: drawn flowers, and noise, which drives units to their ends."""
    flowers = sorted((BLOSSOMS / "validation").glob("*/000.png"))[:_CHECKED]
    size = reading.image_size
    noise = np.random.default_rng(0).integers(0, 256, (_CHECKED, size, size, 3))
    return np.concatenate([[read_image(path, reading) for path in flowers], noise]).astype(np.float32)
