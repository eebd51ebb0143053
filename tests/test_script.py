import ast
import dataclasses
import math
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.metrics import f1_score, recall_score

from vgglab.augmentation import augmenter
from vgglab.datasets import load, under_conditions
from vgglab.datasets.layout import lay_out
from vgglab.datasets.reading import Reading, read_image
from vgglab.engine.objective import objective_of
from vgglab.engine.rates import rates
from vgglab.errors import InputError
from vgglab.experiment import CONV_LAYERS, DEFAULTS, FIELDS, Experiment
from vgglab.image_changes import AUGMENTATIONS
from vgglab.network import build_model
from vgglab.share.script import script
from vgglab.toggles import Number
from vgglab.training import train

pytestmark = pytest.mark.slow

# What each setting writes into a script, and nothing else does.
MARKS = {
    "flip": "RandomFlip",
    "rotation": "RandomRotation",
    "shift": "RandomTranslation",
    "shear": "RandomShear",
    "zoom": "RandomZoom",
    "crop": "RandomCrop",
    "brightness": "RandomBrightness",
    "contrast": "RandomContrast",
    "color_jitter": "RandomColorJitter",
    "erasing": "def erase(",
    "mixup": "MixUp",
    "cutmix": "def cutmix(",
    "coin": "ops.cond",
    "tensorflow": "import tensorflow",
    "numpy": "import numpy",
    "few": "# So many images of each class",
    "noise": "# This share of the labels is redrawn",
    "views": ".repeat(",
    "l2": "regularizers.L2(",
    "smoothing": "CategoricalCrossentropy(label_smoothing=",
    "dropout": "Dropout(",
    "patience": "EarlyStopping(",
    "by_class": "class ByClass(",
    "weights": "class_weight=dict(",
    "weighed": "def weighed(",
    "trainable": ".trainable = ",
    "phases": "# --- Phase",
    "vgg16": "applications.VGG16",
    "mini": "layers.Conv2D(",
    "file": "load_weights",
    "he": "HeNormal",
    "bfloat16": "mixed_bfloat16",
    "folder": 'interpolation="area"',
    "fill": "fill_mode=",
}
FULL = dict(backbone="vgg16", image_size=32)
CASES = {
    "the default": (Experiment(), "mini file"),
    "all layers": (Experiment(unfreeze=13), "mini file"),
    "random": (Experiment(weights=None), "mini"),
    "a folder": (Experiment(dataset="/photographs"), "mini file folder"),
    "the head": (Experiment(unfreeze=0, l2=1e-3, dropout=0.5), "mini file l2 dropout"),
    "label smoothing": (Experiment(label_smoothing=0.1, patience=3), "mini file smoothing patience"),
    "geometry": (
        Experiment(augment=("flip", "rotation", "width_shift", "shear", "zoom")),
        "mini file flip rotation shift shear zoom fill",
    ),
    "colour": (
        Experiment(augment={"brightness": 0.1, "contrast": 0.3, "color_jitter": 0.123456789}),
        "mini file brightness contrast color_jitter",
    ),
    "crop and erasing": (Experiment(augment=("crop", "erasing")), "mini file crop erasing"),
    "mixup": (Experiment(mixup=0.2), "mini file mixup"),
    "cutmix": (Experiment(cutmix=1), "mini file cutmix"),
    "either": (Experiment(mixup=0.2, cutmix=1), "mini file mixup cutmix coin"),
    "few images": (Experiment(images_a_class=5), "mini file numpy tensorflow few"),
    "wrong labels": (Experiment(label_noise=0.4), "mini file numpy tensorflow noise"),
    "both": (
        Experiment(images_a_class=5, label_noise=0.4, mixup=0.2, cutmix=1).then(unfreeze=0),
        "mini file numpy tensorflow few noise mixup cutmix coin phases",
    ),
    "views": (Experiment(unfreeze=3, mixup=0.2, views=4), "mini file mixup views"),
    "views of nothing": (Experiment(views=4), "mini file"),
    "imagenet": (Experiment(weights="imagenet", patience=5, **FULL), "vgg16 patience"),
    "two phases": (
        Experiment(weights="pretrained", unfreeze=0, patience=5, l2=0.1, **FULL).then(unfreeze=3, epochs=9),
        "vgg16 patience l2 phases",
    ),
    "later changes": (
        Experiment().then(l2=0.01, dropout=0.3, augment=("flip",)),
        "mini file l2 dropout flip phases",
    ),
    "vgg16 from nothing": (Experiment(weights=None, precision="bfloat16", **FULL), "vgg16 he bfloat16"),
    "bfloat16": (Experiment(precision="bfloat16", weights=None), "mini bfloat16"),
    "class weights": (Experiment(class_weight="balanced"), "mini file numpy weights"),
    "class weights of mixed labels": (
        Experiment(class_weight="balanced", mixup=0.2).then(mixup=0),
        "mini file numpy mixup weights weighed phases",
    ),
    "class weights and CutMix": (
        Experiment(class_weight="balanced", cutmix=1, monitor="macro F1"),
        "mini file numpy cutmix weighed",
    ),
    "monitored accuracy": (Experiment(patience=3, monitor="accuracy"), "mini file patience"),
    "monitored by class": (
        Experiment(patience=3, monitor="macro F1", l2=0.1).then(monitor="balanced accuracy"),
        "mini file numpy patience l2 by_class phases",
    ),
}


@pytest.mark.parametrize(("experiment", "on"), CASES.values(), ids=CASES)
def test_a_script_mentions_what_is_on_and_nothing_else(experiment, on):
    text = script(experiment)
    tree = ast.parse(text)
    frozen = {"trainable"} if any(phase.unfreeze < CONV_LAYERS for phase in experiment.phases) else set()
    assert {name for name, mark in MARKS.items() if mark in text} == set(on.split()) | frozen
    assert max(map(len, text.splitlines())) <= 100 and "\n\n\n\n" not in text
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)} | {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    assert imported <= {"math", "keras", "numpy", "tensorflow"}
    assert text.count("model.fit(") == text.count("model.compile(") == len(experiment.phases)


@pytest.mark.parametrize("experiment", [experiment for experiment, _ in CASES.values()], ids=CASES)
def test_a_script_says_what_it_was_made_from(experiment):
    head, *lines = re.findall("^# (.*)", script(experiment).partition("import math")[0], re.MULTILINE)
    assert head == "Made from this experiment of vgglab:"
    assert " ".join(line.strip() for line in lines) == repr(experiment)


@pytest.fixture
def wider(monkeypatch):
    """Gives the class of experiments with one more field, `sharpness`, of a role."""

    def make(role: str) -> type[Experiment]:
        toggle = Number(low=0, high=1, off=0, label="sharpness", help="made up", role=role)
        monkeypatch.setitem(FIELDS, "sharpness", toggle)
        monkeypatch.setitem(DEFAULTS, "sharpness", 0.0)
        extra = ("sharpness", float, dataclasses.field(default=0.0))
        return dataclasses.make_dataclass("Wider", [extra], bases=(Experiment,), frozen=True, repr=False)

    return make


def test_a_field_that_no_section_knows_is_still_named(wider):
    text = script(wider("schedule")(sharpness=0.25).then(sharpness=0.5))
    assert "sharpness=0.25" in text and "sharpness=0.5" in text
    ast.parse(text)


@pytest.mark.parametrize(("role", "pipelines"), [("images", 2), ("schedule", 1)])
def test_what_concerns_the_images_makes_a_new_pipeline_of_them(wider, role, pipelines):
    assert script(wider(role)().then(sharpness=0.5)).count("train = (") == pipelines


def test_early_stopping_watches_the_plain_cross_entropy():
    for fields, watched in (
        ({}, '"val_loss", patience'),
        (dict(l2=0.01), '"val_categorical_crossentropy", mode="min"'),
        (dict(label_smoothing=0.1), '"val_categorical_crossentropy", mode="min"'),
    ):
        text = script(Experiment(patience=3, **fields))
        assert watched in text and ("# Not the loss" in text) == bool(fields)
    text = script(Experiment(patience=3, l2=0.01).then(label_smoothing=0.1))
    noted = re.findall("# Not the loss.*: (.*)\\.", text)
    assert noted == ["L2", "L2, label smoothing"]
    assert text.count('loss="categorical_crossentropy"') == 1


@pytest.mark.parametrize(
    ("monitor", "watched"),
    [
        ("accuracy", '"val_accuracy", mode="max"'),
        ("balanced accuracy", '"val_balanced_accuracy", mode="max"'),
        ("macro F1", '"val_macro_f1", mode="max"'),
    ],
)
def test_early_stopping_watches_what_is_monitored(monitor, watched):
    text = script(Experiment(patience=3, monitor=monitor, l2=0.01))
    assert watched in text and "val_categorical_crossentropy" not in text and "# Not the loss" not in text


@pytest.fixture(scope="module")
def unequal(tmp_path_factory, easy) -> Path:
    """The easy folder with 24, 12 and 4 training images, and 16, 16 and 3 validation images."""
    folder = Path(shutil.copytree(easy, tmp_path_factory.mktemp("unequal") / "data"))
    for place, keep in (("train/b", 12), ("train/c", 4), ("validation/c", 3)):
        for path in sorted((folder / place).iterdir())[keep:]:
            path.unlink()
    return folder


def test_the_class_weights_are_those_of_train(unequal, fits, run_here):
    experiment = Experiment(dataset=str(unequal), image_size=32, class_weight="balanced", batch_size=8)
    names = run_here(experiment.then(mixup=0.2).then(mixup=0, class_weight="none"))
    ours = objective_of(experiment, load(unequal, 32))["class_weight"]
    first, second, third = fits
    assert first["class_weight"] == pytest.approx(dict(enumerate(ours)))
    assert "class_weight" not in second and "class_weight" not in third
    batch = next(iter(second["train"]))
    assert len(batch) == 3 and len(next(iter(first["train"]))) == len(next(iter(third["train"]))) == 2
    assert len(np.unique(batch[1])) > 2, "mixed"
    np.testing.assert_allclose(batch[2], np.asarray(batch[1]) @ ours, rtol=1e-5)
    assert names["weights"] == pytest.approx(ours)


def test_a_class_without_training_images_stops_no_script(unequal, fits, run_here, tmp_path):
    folder = Path(shutil.copytree(unequal, tmp_path / "lost"))
    for path in (folder / "train" / "b").iterdir():
        path.unlink()
    run_here(Experiment(dataset=str(folder), image_size=32, class_weight="balanced", batch_size=8))
    assert fits[0]["class_weight"] == pytest.approx({0: 28 / 48, 1: 28 / 2, 2: 28 / 8})


def test_what_a_script_logs_by_class_is_what_scikit_learn_finds(unequal, fits, run_here):
    names = run_here(
        Experiment(dataset=str(unequal), image_size=32, batch_size=8, patience=2, monitor="macro F1")
    )
    measured, logs = names["ByClass"](), {}
    measured.set_model(names["model"])
    measured.on_epoch_end(0, logs)
    data = load(unequal, 32)
    given = names["model"].predict(data.validation.images, verbose=0).argmax(axis=1)
    assert logs == dict(
        val_balanced_accuracy=pytest.approx(recall_score(data.validation.labels, given, average="macro")),
        val_macro_f1=pytest.approx(f1_score(data.validation.labels, given, average="macro")),
    )
    assert [type(each).__name__ for each in fits[0]["callbacks"]] == ["Curve", "ByClass", "EarlyStopping"]


def test_numbers_arrive():
    experiment = Experiment(learning_rate=1.25e-8, batch_size=7, epochs=3, seed=5, image_size=48, l2=1e-12)
    text = script(experiment)
    for part in ("learning_rate=1.25e-08", ".batch(7)", "epochs=3", "SEED = 5", "SIZE = 48", "L2(1e-12)"):
        assert part in text


def test_imagenet_weights_of_the_mini_network():
    with pytest.raises(InputError, match="exists for backbone 'vgg16' only"):
        script(Experiment(weights="imagenet"))
    with pytest.raises(InputError, match="backbone 'vgg16-micro' starts from `weights=None`"):
        script(Experiment(backbone="vgg16-micro"))


@pytest.mark.parametrize("name", ['it\'s "mine"', "back\\slash", "two\nlines", "l" * 150, "ümläut '''"])
def test_any_path_is_a_safe_constant(name):
    folder, weights = f"/tmp/{name}", f"/tmp/{name}.weights.h5"
    text = script(Experiment(dataset=folder, weights=weights), dict(describe(4, 2), name=f"other {name}"))
    constants = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("DATA", "WEIGHTS")
    }
    assert constants == {"DATA": folder, "WEIGHTS": weights}
    assert max(map(len, text.splitlines())) <= 100


def describe(train_images, validation_images):
    return dict(classes=["a", "b"], train=train_images, validation=validation_images, name="blossoms")


def test_the_data_is_noted():
    text = script(Experiment(), describe(160, 400))
    assert "# 2 classes, 160 images to train on, 400 to validate on.\n" in text
    text = script(Experiment(), dict(describe(160, 400), name="blossoms drawn on request"))
    assert "others than this folder's" in " ".join(text.split()).replace(" # ", " ")


def write_folder(folder: Path, told_apart: bool, split: bool = True) -> Path:
    """Three classes of 32-pixel PNGs, each of its own colour; `told_apart` or with the labels mixed up."""
    rng = np.random.default_rng(0)
    colours = 40 + 150 * np.eye(3)
    for part, count in (("train", 24), ("validation", 16)) if split else (("", 10),):
        shown = np.repeat(np.arange(3), count)
        labels = shown if told_apart else rng.permutation(shown)
        for number, (colour, label) in enumerate(zip(shown, labels)):
            image = rng.normal(colours[colour], 25, (32, 32, 3)).clip(0, 255).astype(np.uint8)
            path = folder / part / "abc"[label] / f"{number:03}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)
    return folder


@pytest.fixture(scope="module")
def easy(tmp_path_factory) -> Path:
    return write_folder(tmp_path_factory.mktemp("easy"), told_apart=True)


@pytest.fixture(scope="module")
def mixed_up(tmp_path_factory) -> Path:
    return write_folder(tmp_path_factory.mktemp("mixed_up"), told_apart=False)


@pytest.fixture
def fits(monkeypatch):
    """What `fit` is called with, and the state of the model then; nothing is trained."""
    calls = []

    def fit(model, images, **options):
        base = next(layer for layer in model.layers if isinstance(layer, keras.Model))
        convs = [layer for layer in base.layers if isinstance(layer, keras.layers.Conv2D)]
        head = {layer.name: layer for layer in model.layers}
        calls.append(
            dict(
                options,
                train=images,
                trainable=[layer.trainable for layer in convs],
                learns=len(model.trainable_variables),
                rate=head["dropout"].rate if "dropout" in head else 0,
                l2=float(sum(model.losses)) / float((head["fc"].get_weights()[0] ** 2).sum()),
            )
        )

    monkeypatch.setattr(keras.Model, "fit", fit)
    return calls


@pytest.fixture
def run_here(tmp_path):
    """Runs an experiment's script in this process; gives the names that it leaves behind."""

    def run(experiment: Experiment) -> dict:
        path = tmp_path / "script.py"
        path.write_text(script(experiment))
        return runpy.run_path(str(path))

    return run


def test_the_images_are_those_of_load(easy, fits, run_here):
    names, data = run_here(Experiment(dataset=str(easy), image_size=32, batch_size=10)), load(easy, 32)
    for part, split in (("train_images", data.train), ("validation_images", data.validation)):
        dataset = names[part]
        assert (np.stack([image for image, _ in dataset]) == split.images).all()
        assert (np.stack([label for _, label in dataset]).argmax(1) == split.labels).all()
    batches = [len(images) for images, _ in names["train"]]
    assert batches == [10] * 7 + [2]
    clean = np.concatenate([labels for _, labels in names["clean"]])
    assert len(clean) == 36 and (clean.sum(0) == 12).all()


@pytest.mark.parametrize("names", [("Training", "Valid"), ("train", "val"), ("training_set", "dev")])
def test_parts_in_any_spelling_are_those_of_load(tmp_path, easy, fits, run_here, names):
    for part, name in zip(("train", "validation"), names):
        shutil.copytree(easy / part, tmp_path / "data" / name)
    names = run_here(Experiment(dataset=str(tmp_path / "data"), image_size=32))
    data = load(tmp_path / "data", 32)
    for part, split in (("train_images", data.train), ("validation_images", data.validation)):
        assert (np.stack([image for image, _ in names[part]]) == split.images).all()


def test_of_train_alone_keras_divides_what_load_divides(tmp_path, easy, fits, run_here):
    shutil.copytree(easy / "train", tmp_path / "data" / "Training")
    shutil.copytree(easy / "validation", tmp_path / "data" / "Testing")
    names = run_here(Experiment(dataset=str(tmp_path / "data"), image_size=32))
    data = load(tmp_path / "data", 32)
    theirs, ours = (
        sorted(np.asarray(image, np.uint8).tobytes() for part in parts for image in part)
        for parts in (
            ([image for image, _ in names[part]] for part in ("train_images", "validation_images")),
            (data.train.images, data.validation.images),
        )
    )
    assert theirs == ours and len(names["validation_images"]) == round(0.2 * len(ours))


# What the script says of Keras's own way, and a file for each: with the images that Keras and `load` make of it.
DIFFERENT = {
    "leaves out .webp": ("x.webp", False, True),
    ".tif, ": ("x.tif", False, True),
    ".avif and .heic": ("x.avif", False, True),
    "gets a .bmp with a palette wrong": ("palette.bmp", True, True),
    "reads hidden images": (".hidden.png", True, False),
    "folders inside a class folder": ("deep/x.png", True, False),
    "does not turn photographs upright": ("turned.png", True, True),
    "drops transparency": ("clear.png", True, True),
    "of 16 bits keeps the upper 8": ("16bits.png", True, True),
}


@pytest.fixture
def different(tmp_path, easy):
    """The easy folder, with one image more for each line of `DIFFERENT`."""
    folder = Path(shutil.copytree(easy, tmp_path / "different"))
    bright_above = np.zeros((32, 32, 3), np.uint8)
    bright_above[:16] = 200
    plain, exif = Image.fromarray(bright_above), Image.Exif()
    exif[0x0112] = 6
    clear = plain.convert("RGBA")
    clear.putalpha(0)
    kinds = {
        "palette.bmp": plain.convert("P"),
        "clear.png": clear,
        "16bits.png": Image.fromarray(bright_above[..., 0].astype(np.uint16)),
    }
    (folder / "train" / "a" / "deep").mkdir()
    for name, _, _ in DIFFERENT.values():
        options = dict(exif=exif) if name == "turned.png" else {}
        kinds.get(name, plain).save(folder / "train" / "a" / name, **options)
    return folder


def read_as_the_script_does(experiment: Experiment) -> dict[str, np.ndarray]:
    """The training images by their paths."""
    names = {}
    exec(script(experiment).partition("classes = len")[0], names)
    images = names["train_images"]
    return {path: image.numpy() for path, (image, _) in zip(images.file_paths, images)}


def test_what_keras_reads_in_another_way_is_what_the_script_says(different):
    experiment = Experiment(dataset=str(different), image_size=32)
    said = " ".join(re.sub("^# ?", "", line).strip() for line in script(experiment).splitlines())
    assert not any(words in script(Experiment()) for words in DIFFERENT), "the flowers have none of it"
    theirs = read_as_the_script_does(experiment)
    read = {str(photo.path) for photo in lay_out(different).photos["train"]}
    with pytest.warns(UserWarning):
        ours = load(different, 32)
    ours = {image.tobytes() for part in (ours.train, ours.validation) for image in part.images}
    for words, (name, by_keras, by_load) in DIFFERENT.items():
        path = different / "train" / "a" / name
        assert words in said and (str(path) in theirs) == by_keras
        assert (str(path) in read) == by_load
        if by_keras and by_load:
            assert np.abs(theirs.pop(str(path)) - read_image(path, Reading(32))).max() > 50
    added = {str(different / "train/a" / name) for name in (".hidden.png", "deep/x.png")}
    plain = {path: image for path, image in theirs.items() if path not in added}
    assert len(plain) == 72 and {image.astype(np.uint8).tobytes() for image in plain.values()} <= ours


def test_a_broken_file_and_a_folder_of_the_system_are_as_the_script_says(different):
    experiment = Experiment(dataset=str(different), image_size=32)
    text = script(experiment)
    assert (
        "ends with an\n#   error at a file that is no image" in text
        and "takes every folder for a class" in text
    )
    (different / "train" / "a" / "broken.png").write_text("no image")
    with pytest.raises(tf.errors.InvalidArgumentError):
        read_as_the_script_does(experiment)
    (different / "train" / "__MACOSX").mkdir()
    names = {}
    exec(text.partition("classes = len")[0], names)
    assert "__MACOSX" in names["train_images"].class_names
    with pytest.warns(UserWarning):
        assert load(different, 32).class_names == ("a", "b", "c")


@pytest.mark.parametrize(
    "fields",
    [dict(images_a_class=7), dict(label_noise=0.4), dict(images_a_class=11, label_noise=0.3, seed=6)],
)
def test_few_images_and_wrong_labels_are_those_of_train(easy, fits, run_here, fields):
    experiment = Experiment(dataset=str(easy), image_size=32, batch_size=10, **fields)
    names, data = run_here(experiment), under_conditions(load(easy, 32), experiment)
    images, labels = map(np.stack, zip(*names["train_images"]))
    assert (images == data.train.images).all() and (labels.argmax(1) == data.train.labels).all()
    assert (labels.sum(1) == 1).all() and sum(len(batch) for batch, _ in names["train"]) == len(data.train)
    before = load(easy, 32).train
    assert len(images) < len(before) or (labels.argmax(1) != before.labels).any(), "something was changed"
    assert (np.stack([image for image, _ in names["validation_images"]]) == data.validation.images).all()


def test_few_images_and_wrong_labels_of_a_folder_without_a_split(tmp_path, fits, run_here):
    folder = write_folder(tmp_path, told_apart=True, split=False)
    named = {path: "abc".index(path.parent.name) for path in folder.glob("*/*.png")}
    truth = {np.asarray(Image.open(path)).tobytes(): label for path, label in named.items()}
    experiment = Experiment(dataset=str(folder), image_size=32, images_a_class=5, label_noise=0.4)
    images, labels = map(np.stack, zip(*run_here(experiment)["train_images"]))
    was = np.array([truth[image.astype(np.uint8).tobytes()] for image in images])
    assert np.bincount(was).tolist() == [5, 5, 5] and 0 < (was != labels.argmax(1)).sum() <= 6


def test_a_folder_without_a_split(tmp_path, fits, run_here):
    folder = write_folder(tmp_path, told_apart=True, split=False)
    names = run_here(Experiment(dataset=str(folder), image_size=32))
    assert (len(names["train_images"]), len(names["validation_images"])) == (24, 6)
    parts = (names["train_images"], names["validation_images"])
    train_images, validation_images = ({image.numpy().tobytes() for image, _ in part} for part in parts)
    assert len(train_images) == 24 and not train_images & validation_images


@pytest.mark.parametrize(
    "fields",
    [
        {},
        dict(weights=None),
        dict(backbone="vgg16", weights=None, unfreeze=2, dropout=0.4),
        dict(backbone="vgg16-micro", weights=None, unfreeze=13, head="dense"),
    ],
)
def test_the_network_is_that_of_build_model(easy, fits, run_here, fields):
    experiment = Experiment(dataset=str(easy), image_size=32, **fields)
    theirs, ours = run_here(experiment)["model"], build_model(experiment, 3)
    assert theirs.count_params() == ours.count_params()
    kernels = [[weight for weight in model.get_weights() if weight.ndim > 1] for model in (theirs, ours)]
    if experiment.weights:
        assert all((a == b).all() for a, b in zip(kernels[0][:13], kernels[1][:13]))
    else:
        for a, b in zip(*(each[1:-1] for each in kernels)):
            # The spreads of two samples of n numbers differ by about 1 in the root of n.
            assert a.std() == pytest.approx(b.std(), rel=0.05 if a.size >= 1000 else 5 / np.sqrt(a.size))
    for own, weights in zip(ours.weights, theirs.get_weights()):
        own.assign(weights)
    images = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype("float32")
    np.testing.assert_allclose(
        theirs.predict(images, verbose=0), ours.predict(images, verbose=0), rtol=1e-3, atol=1e-4
    )


def test_bfloat16_is_only_in_the_conv_layers(easy, fits, run_here):
    for backbone in ("vgg16-mini", "vgg16", "vgg16-micro"):
        experiment = Experiment(
            dataset=str(easy), image_size=32, backbone=backbone, weights=None, precision="bfloat16"
        )
        model = run_here(experiment)["model"]
        base = next(layer for layer in model.layers if isinstance(layer, keras.Model))
        assert base.layers[-2].compute_dtype == "bfloat16"
        assert model.get_layer("fc").compute_dtype == "float32"
        assert keras.config.dtype_policy().name == "float32" and model.output.dtype == "float32"


def test_phases_change_the_model_and_what_it_is_fed(easy, fits, run_here):
    experiment = Experiment(dataset=str(easy), image_size=32, weights=None, unfreeze=0, batch_size=12)
    experiment = dataclasses.replace(experiment, l2=0.1, epochs=5, patience=2)
    experiment = experiment.then(unfreeze=3, dropout=0.5, l2=0, epochs=7, patience=None)
    experiment = experiment.then(unfreeze=13, batch_size=24)
    run_here(experiment)
    assert [sum(call["trainable"]) for call in fits] == [0, 3, 13]
    assert fits[1]["trainable"] == [False] * 10 + [True] * 3
    assert [call["learns"] for call in fits] == [4, 10, 30]
    assert [call["rate"] for call in fits] == [0, 0.5, 0.5] and [call["epochs"] for call in fits] == [5, 7, 7]
    assert [call["l2"] for call in fits] == pytest.approx([0.1, 0, 0], abs=1e-6)
    assert [len(call["train"]) for call in fits] == [6, 6, 3]
    stop = fits[0]["callbacks"][1]
    assert stop.monitor == "val_categorical_crossentropy" and stop.patience == 2 and stop.restore_best_weights
    assert len(fits[1]["callbacks"]) == 1


def test_views_are_drawn_once(easy, fits, run_here):
    run_here(Experiment(dataset=str(easy), image_size=32, augment=("rotation",), views=2, batch_size=36))
    (call,) = fits
    assert call["steps_per_epoch"] == 2
    epochs = [images.numpy() for images, _ in call["train"].take(8)]
    assert (epochs[0] == epochs[4]).all() and (epochs[3] == epochs[7]).all()
    assert (epochs[0] != epochs[2]).any()


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_strengths_are_in_the_units_of_keras_layers(tmp_path, fits, run_here, name):
    """Smooth images change as much as vgglab's own augmentation changes them."""
    rows, columns = np.meshgrid(*[np.linspace(-1, 1, 32)] * 2, indexing="ij")
    smooth = [rows, columns, rows * columns, rows**2 - columns]
    for part, label in ((part, label) for part in ("train", "validation") for label in "ab"):
        for number in range(30):
            rng = np.random.default_rng((number, ord(label)))
            image = 128 + 35 * np.tensordot(smooth, rng.uniform(-1, 1, (4, 3)), (0, 0))
            image = image.clip(0, 255).astype(np.uint8)
            path = tmp_path / part / label / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)
    experiment = Experiment(dataset=str(tmp_path), image_size=32, weights=None, augment=(name,))
    names = run_here(experiment)
    originals = np.stack([image for image, _ in names["train_images"]])
    changed = {"theirs": [], "ours": []}
    for epoch in range(8):
        one_by_one = names["train_images"]
        if name == "crop":
            one_by_one = one_by_one.map(lambda image, label: (names["crop"](image, training=True), label))
        (images,) = [images for images, _ in one_by_one.batch(60)]
        theirs = (
            names["erase"](images, AUGMENTATIONS[name].default) if name == "erasing"
            else images if name == "crop"
            else names["augment"](images, training=True)
        )  # fmt: skip
        ours, _ = augmenter(experiment, epoch=epoch)(originals, np.zeros((60, 2), np.float32))
        for key, result in (("theirs", theirs), ("ours", ours)):
            assert result.shape == originals.shape
            changed[key].append(np.abs(np.asarray(result) - originals).mean((1, 2, 3)))
    # Keras shears about the top row, not the middle.
    tolerance = {"shear": 1.0}.get(name, 0.15)
    assert np.mean(changed["theirs"]) == pytest.approx(np.mean(changed["ours"]), rel=tolerance)


def test_mixing_takes_two_images_at_most(easy, fits, run_here):
    for fields in (dict(mixup=0.8), dict(cutmix=0.8), dict(mixup=0.8, cutmix=0.8)):
        names = run_here(Experiment(dataset=str(easy), image_size=32, batch_size=24, **fields))
        labels = np.concatenate([labels for _, labels in names["train"]])
        np.testing.assert_allclose(labels.sum(1), 1, atol=1e-5)
        assert ((labels > 0.01).sum(1) == 2).any() and ((labels > 0.01).sum(1) <= 2).all()


@pytest.mark.parametrize("alpha", [0.3, 1, 4])
def test_cutmix_boxes_come_from_the_course_s_distribution(easy, fits, run_here, alpha):
    """The shares that images keep, over 100 epochs of both; Keras's own layer keeps 0.50 of an image at alpha 1."""
    from scipy.stats import ks_2samp

    experiment = Experiment(dataset=str(easy), image_size=32, batch_size=72, cutmix=alpha)
    names, one_hot = run_here(experiment), np.eye(72, dtype=np.float32)
    batch, theirs, ours = np.zeros((72, 32, 32, 3), np.float32), [], []
    for epoch in range(100):
        theirs.append(np.asarray(names["cutmix"](batch, one_hot, alpha)[1]).max(axis=1))
        ours.append(np.asarray(augmenter(experiment, epoch=epoch)(batch, one_hot)[1]).max(axis=1))
    theirs, ours = np.concatenate(theirs), np.concatenate(ours)
    assert theirs.mean() == pytest.approx(ours.mean(), abs=0.01)
    assert (
        ks_2samp(theirs, ours).statistic < 0.035
    )  # for 7,200 each, one in a thousand pairs is farther apart


def test_what_cutmix_pastes_has_the_area_that_the_labels_say(easy, fits, run_here):
    names = run_here(Experiment(dataset=str(easy), image_size=32, batch_size=24, cutmix=1))
    values = np.arange(40, dtype=np.float32)
    images, targets = (
        np.asarray(each)
        for each in names["cutmix"](
            np.tile(values[:, None, None, None], (1, 32, 32, 3)), np.eye(40, dtype="float32"), 1.0
        )
    )
    for value, image, target in zip(values, images[..., 0], targets):
        assert (image == value).mean() == pytest.approx(target[int(value)], abs=1e-5)
        rows, columns = np.nonzero(image != value)
        assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1) if len(rows) else True, "one box"


def test_erasing_is_the_course_s(easy, fits, run_here):
    """Areas and fillings, over 100 epochs of both; half of what Keras's own layer fills in is black."""
    from scipy.stats import ks_2samp

    experiment = Experiment(dataset=str(easy), image_size=32, batch_size=72, augment={"erasing": 0.8})
    names, batch, none = run_here(experiment), np.full((72, 32, 32, 3), -1, np.float32), np.zeros((72, 2))
    found = {"theirs": [], "ours": []}
    for epoch in range(100):
        found["theirs"].append(np.asarray(names["erase"](batch, 0.8)))
        found["ours"].append(np.asarray(augmenter(experiment, epoch=epoch)(batch, none)[0]))
    areas = {
        who: np.concatenate([(each != -1).mean((1, 2, 3)) for each in them]) for who, them in found.items()
    }
    assert (areas["theirs"] > 0).mean() == pytest.approx(0.8, abs=0.015)
    assert ks_2samp(areas["theirs"], areas["ours"]).statistic < 0.035
    filled = {who: np.concatenate([each[each != -1][::97] for each in them]) for who, them in found.items()}
    assert ks_2samp(filled["theirs"], filled["ours"]).statistic < 0.03


@pytest.mark.parametrize("fields", [dict(mixup=0.4, cutmix=1), dict(cutmix=1), dict(augment=("erasing",))])
def test_every_epoch_draws_anew(easy, fits, run_here, fields):
    """Random numbers of `tf.random` would come back in each, and so would the toss of the coin."""
    import tensorflow as tf

    names = run_here(Experiment(dataset=str(easy), image_size=32, batch_size=12, seed=3, **fields))
    black_and_white = np.tile(np.float32([0, 255])[:, None, None, None], (6, 32, 32, 3))
    batches = tf.data.Dataset.from_tensors((black_and_white, np.eye(12, dtype="float32"))).repeat(12)
    if "mixup" in fields:
        batches = batches.map(names["blend_or_cut"])
    elif "cutmix" in fields:
        batches = batches.map(lambda images, labels: names["cutmix"](images, labels, 1))
    else:
        batches = batches.map(lambda images, labels: (names["erase"](images, 0.5), labels))
    first, second = (np.stack([images for images, _ in batches]) for _ in range(2))
    assert (first != second).any()
    is_blended = [((each > 0) & (each < 255)).any((1, 2, 3, 4)) for each in (first, second)]
    assert (is_blended[0] != is_blended[1]).any() == ("mixup" in fields)
    assert ("mixup" not in fields) or 0 < is_blended[0].sum() < 12


CURVE = dict(image_size=32, weights=None, batch_size=8, epochs=3, learning_rate=1e-3)


def curves_of(scripts: list[Path]) -> list[np.ndarray]:
    """The printed curves, (epochs, 2): train and validation, of scripts that cannot import vgglab."""
    code = """
import runpy, sys
class Refuse:
    def find_spec(self, name, *rest):
        if name.split(".")[0] == "vgglab": raise ImportError(name)
sys.meta_path.insert(0, Refuse())
for path in sys.argv[1:]:
    runpy.run_path(path)
    print("===")
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, *scripts], capture_output=True, text=True, cwd=scripts[0].parent
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = []
    for text in done.stdout.split("===\n")[:-1]:
        lines = re.findall(r"^epoch (\d+): train (\d\.\d\d), validation (\d\.\d\d)$", text, re.MULTILINE)
        assert [int(number) for number, _, _ in lines] == list(range(1, len(lines) + 1))
        found.append(np.array([[float(value) for value in line[1:]] for line in lines]))
    return found


@pytest.mark.slow
def test_the_curve_is_that_of_train(tmp_path, easy, mixed_up):
    """Three seeds each: an easy task is learnt by both, labels mixed up at random by neither."""
    tasks = [Experiment(dataset=str(folder), **CURVE) for folder in (easy, mixed_up)]
    tasks = [dataclasses.replace(task, seed=seed) for task in tasks for seed in range(3)]
    paths = [tmp_path / f"{number}.py" for number in range(len(tasks))]
    for task, path in zip(tasks, paths):
        path.write_text(script(task))
    theirs = np.array([curve[-1] for curve in curves_of(paths)]).reshape(2, 3, 2)
    histories = [train(task, load(task.dataset, 32)).epochs[-1] for task in tasks]
    ours = [[row["train_accuracy"], row["validation_accuracy"]] for row in histories]
    ours = np.array(ours).reshape(2, 3, 2)
    assert theirs[0].mean(0).min() > 0.9 and ours[0].mean(0).min() > 0.9
    chance, spread = 1 / 3, 3 * np.sqrt(1 / 3 * 2 / 3 / 48)  # of 48 validation images
    for validation in (theirs[1, :, 1], ours[1, :, 1]):
        assert np.abs(validation - chance).max() < spread
    assert np.abs(theirs[1, :, 0].mean() - ours[1, :, 0].mean()) < 0.2


def test_the_penalties_are_those_of_the_model_that_is_trained(run_here, fits, easy):
    """In every phase the sum of the losses is that of vgglab's own model with the same weights."""
    held = dict(dataset=str(easy), image_size=32, weights=None, epochs=1, batch_size=8)
    experiment = Experiment(**held, unfreeze=0, l2=0.01, weight_decay=0.002, head="dense", dropout=0.5)
    experiment = experiment.then(unfreeze=2, l2=0.0).then(weight_decay=0.0, l2=0.3)
    names = run_here(experiment)
    kernels = {
        layer.name: layer.get_weights()[0] for layer in names["model"].layers if layer.name in ("fc", "fc2")
    }
    assert [kernel.shape[1] for kernel in kernels.values()] == [1024, 1024]
    square = {name: float((kernel**2).sum()) for name, kernel in kernels.items()}
    square["last"] = float((names["model"].layers[-1].get_weights()[0] ** 2).sum())
    convs = [float((layer.get_weights()[0] ** 2).sum()) for layer in names["convs"]]
    head = sum(square.values())
    right = [
        0.002 * head + 0.01 * square["fc"],
        0.002 * (head + sum(convs[-2:])),
        0.3 * square["fc"],
    ]
    assert [call["l2"] * square["fc"] for call in fits] == pytest.approx(right, rel=1e-3)


@pytest.mark.parametrize("horizon", [None, 7])
def test_the_schedule_is_that_of_the_training_loop(run_here, fits, easy, horizon):
    experiment = Experiment(
        dataset=str(easy), image_size=32, epochs=4, batch_size=8, schedule="cosine", horizon=horizon
    )
    names = run_here(experiment)
    an_epoch = math.ceil(len(names["train_images"]) / 8)
    ours = np.concatenate([rates(experiment, an_epoch, epoch) for epoch in range(4)])
    theirs = [float(names["rate"](step)) for step in range(len(ours))]
    np.testing.assert_allclose(theirs, ours, atol=1e-9)


@pytest.mark.slow
def test_everything_at_once_runs(tmp_path, easy, mixed_up):
    everything = Experiment(
        dataset=str(easy),
        image_size=32,
        images_a_class=16,
        label_noise=0.2,
        unfreeze=2,
        l2=1e-3,
        label_smoothing=0.1,
        weight_decay=1e-3,
        schedule="cosine",
        dropout=0.3,
        augment=tuple(AUGMENTATIONS),
        mixup=0.2,
        cutmix=0.5,
        views=2,
        class_weight="balanced",
        batch_size=16,
        epochs=3,
        patience=3,
    ).then(unfreeze=0, augment=(), mixup=0, cutmix=0, epochs=2)
    stops = Experiment(dataset=str(mixed_up), image_size=32, learning_rate=2e-3, epochs=15, patience=1)
    stops = dataclasses.replace(stops, monitor="balanced accuracy")
    for name, experiment in (("everything", everything), ("stops", stops)):
        (tmp_path / f"{name}.py").write_text(script(experiment))
    first, second = curves_of([tmp_path / "everything.py", tmp_path / "stops.py"])
    assert len(first) == 5 and 2 <= len(second) < 15


def test_keras_shears_about_the_top_row_and_the_script_says_so():
    import keras

    ramp = np.broadcast_to(np.arange(64, dtype=np.float32)[None, :, None], (64, 64, 3))
    shear = keras.layers.RandomShear(x_factor=(0.2, 0.2), y_factor=0.0, seed=0)
    moved = np.abs(np.asarray(shear(ramp[None], training=True))[0, :, 32, 0] - 32)
    assert moved[0] < 0.5 < moved[32]
    assert "leaves the top row" in script(Experiment(augment=("shear",)))
    assert "top row" not in script(Experiment(augment=("rotation",)))


def test_of_the_data_is_noted_what_is_known():
    assert "# 2 classes.\n" in script(Experiment(), dict(classes=["a", "b"]))
    assert script(Experiment(), dict(fingerprint="0f")).count("#") == script(Experiment()).count("#")
