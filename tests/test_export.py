"""A trained network in the formats that run without Keras, and what cannot be written as one."""

import contextlib
import os
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from vgglab import Experiment, InputError, Reading, build_model, exporting
from vgglab.classifier import Classifier
from vgglab.cli import main
from vgglab.exporting import FORMATS, export
from vgglab.share.model_file import Usage, read_usage, save_model

NAMES = ("ä rose", "b", "c")
MICRO = dict(backbone="vgg16-micro", weights=None, image_size=32)
USAGE = Usage(NAMES, Reading(32, "squash"))


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return build_model(Experiment(**MICRO), len(NAMES))


@pytest.fixture
def file(model, tmp_path) -> Path:
    save_model(model, tmp_path / "flowers.keras", USAGE)
    return tmp_path / "flowers.keras"


def run(to: str, path: Path, images: np.ndarray) -> np.ndarray:
    """What an exported network says, by the tools of its format and none of ours."""
    if to == "savedmodel":
        loaded = tf.saved_model.load(str(path))
        return loaded.serve(images).numpy()
    if to == "onnx":
        session = pytest.importorskip("onnxruntime").InferenceSession(path.read_bytes())
        return session.run(None, {session.get_inputs()[0].name: images})[0]
    interpreter = tf.lite.Interpreter(model_content=path.read_bytes())
    (given,), (said,) = interpreter.get_input_details(), interpreter.get_output_details()
    answers = []
    for image in images:
        interpreter.resize_tensor_input(given["index"], (1, *image.shape))
        interpreter.allocate_tensors()
        interpreter.set_tensor(given["index"], image[None])
        interpreter.invoke()
        answers.append(interpreter.get_tensor(said["index"])[0])
    return np.stack(answers)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("to", FORMATS)
def test_what_is_written_says_what_keras_says(file, model, capfd, to):
    if to == "onnx":
        pytest.importorskip("tf2onnx")
    assert main(["export", str(file), "--to", to]) == 0
    out, err = capfd.readouterr()
    path = file.with_suffix(f".{to}")
    images = np.random.default_rng(7).integers(0, 256, (3, 32, 32, 3)).astype(np.float32)
    np.testing.assert_allclose(run(to, path, images), model.predict(images, verbose=0), atol=1e-5)
    labels = path / "assets.extra" / "labels.txt" if to == "savedmodel" else Path(f"{path}.labels.txt")
    assert labels.read_text(encoding="utf-8").splitlines() == list(NAMES)
    assert "shape (n, 32, 32, 3), RGB from 0 to 255, made square by 'squash'" in out and not err
    assert not [each for each in file.parent.iterdir() if each.name.startswith(".") or ".part." in each.name]
    # A second time nothing is replaced.
    assert main(["export", str(file), "--to", to]) == 2
    assert "exists already; `out` must be a new name" in capfd.readouterr().err


def left(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if each.name != "flowers.keras")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--to", "tflit"], "Unknown format. Received: 'tflit'. Did you mean 'tflite'?"),
        ([], "the following arguments are required: --to"),
        (["--to", "tflite", "--out", "x.onnx"], "must be a name that ends in .tflite. Received: x.onnx"),
        (["--to", "onnx", "--out", "x"], "must be a name that ends in .onnx. Received: x"),
        (["--to", "savedmodel", "--out", "nowhere/x.savedmodel"], "there is no such folder"),
        (["--to", "tflite", "--out", "file.txt/x.tflite"], "there is no such folder"),
        (["--to", "savedmodel", "--out", "is.savedmodel"], "exists already"),
        (["--to", "tflite", "--out", "is.tflite"], "is.tflite.labels.txt exists already"),
    ],
)
def test_what_cannot_be_written_gets_its_sentence(file, monkeypatch, capfd, arguments, sentence):
    monkeypatch.chdir(file.parent)
    Path("is.savedmodel").mkdir()
    Path("file.txt").touch()
    Path("is.tflite.labels.txt").touch()
    before = left(file.parent)
    with pytest.raises(SystemExit) if not arguments else contextlib.nullcontext():
        assert main(["export", str(file), *arguments]) == 2
    err = capfd.readouterr().err
    assert sentence in err and err.count("\n") == 1 and left(file.parent) == before


@pytest.mark.parametrize(
    ("model_", "options", "sentence"),
    [
        ("nowhere.keras", dict(to="tflite"), "There is no run and no network at"),
        ("model", dict(to="tflite"), "`out` must name a new file"),
        ("model", dict(to=["tflite"], out="x.tflite"), "Unknown format"),
        ("model", dict(to="tflite", out=7), "`out` must be a path"),
        ("model", dict(to="tflite", out="x.tflite"), "The names of the classes are unknown"),
        ("model", dict(to="tflite", out="x.tflite", class_names=["a", "b"]), "for each of the 2 classes"),
        ("model", dict(to="tflite", out="x.tflite", class_names=["a", "b\nc", "d"]), "by one line of text"),
        ("model", dict(to="tflite", out="x.tflite", class_names=["a", "", "d"]), "by one line of text"),
    ],
)
def test_what_cannot_be_exported_gets_its_sentence(model, tmp_path, monkeypatch, model_, options, sentence):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=sentence):
        export(model if model_ == "model" else model_, **options)
    assert not left(tmp_path)


def test_a_network_in_bfloat16_is_exported_to_tensorflow_alone(tmp_path):
    model = build_model(Experiment(**MICRO, precision="bfloat16"), 3)
    for to in ("tflite", "onnx"):
        with pytest.raises(InputError, match=f"computes in bfloat16, which cannot be written as {to}"):
            export(model, to, tmp_path / f"x.{to}", class_names=NAMES)


def pretending(monkeypatch, to: str, write, said) -> None:
    """A format whose converter does what is wanted here."""
    form = exporting._FORMATS[to]
    pretended = type(form)(form.suffix, write, lambda path: said, form.is_folder)
    monkeypatch.setitem(exporting._FORMATS, to, pretended)


@pytest.mark.parametrize("to", ["onnx", "savedmodel"])
def test_nothing_is_left_of_what_says_something_else_than_keras(model, tmp_path, monkeypatch, to):
    def write(model, path):
        path.mkdir() if to == "savedmodel" else path.write_bytes(b"a network")

    says = lambda shift: lambda images: model(images, training=False).numpy() + shift  # noqa: E731
    classifier, out = Classifier(model, USAGE), tmp_path / f"x.{to}"
    for said in (says(2e-4), says(np.nan), lambda images: np.zeros((1, 3))):
        pretending(monkeypatch, to, write, said)
        with pytest.raises(InputError, match="does not say the same as Keras"):
            export(classifier, to, out)
        assert not left(tmp_path)
    pretending(monkeypatch, to, write, says(5e-5))  # within what is allowed
    assert export(classifier, to, out).difference == pytest.approx(5e-5, rel=0.05)


def test_a_converter_that_fails_is_one_sentence_and_leaves_nothing(file, monkeypatch, capfd):
    def missing(model, path):
        raise ModuleNotFoundError("No module named 'tf2onnx'", name="tf2onnx")

    def failing(model, path):
        path.write_bytes(b"half")
        raise RuntimeError("op 7 has no kernel.\nat line 1\nat line 2")

    def full(model, path):
        raise OSError(28, os.strerror(28), str(path))

    for write, sentence in [
        (missing, "(missing: tf2onnx): pip install 'vgglab[onnx]'"),
        (failing, "This network cannot be written as onnx (op 7 has no kernel)"),
        (full, "flowers.onnx cannot be used: no space left on device"),
    ]:
        pretending(monkeypatch, "onnx", write, None)
        assert main(["export", str(file), "--to", "onnx"]) == 2
        err = capfd.readouterr().err
        assert sentence in err and err.count("\n") == 1
        assert not left(file.parent)


def test_a_classifier_is_exported_as_it_is(model, tmp_path, monkeypatch):
    pretending(monkeypatch, "tflite", lambda model, path: None, lambda images: model(images).numpy())
    done = export(Classifier(model, USAGE), "tflite", tmp_path / "x.tflite")
    assert done.path == tmp_path / "x.tflite" and done.reading == USAGE.reading and done.difference < 1e-6


def test_a_saved_network_knows_its_classes(file):
    assert read_usage(file) == USAGE
