"""What a trained network says of image files, from Python and on the command line."""

import json
import os
import shutil
import zipfile
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageOps

from vgglab import (
    Dataset,
    Experiment,
    History,
    InputError,
    Reading,
    load,
    plot_predictions,
    predict,
    train,
)
from vgglab.classifier import Classifier, open_classifier
from vgglab.cli import main
from vgglab.commands.predict import _shared_folder
from vgglab.datasets import Split
from vgglab.datasets.found import find_images
from vgglab.panel import exports
from vgglab.share.model_file import MEMBER, Usage, add_usage, copy_with_usage, read_usage, usage_of_run
from vgglab.share.store import MODEL, RECORD

MICRO = dict(backbone="vgg16-micro", weights=None, image_size=32, batch_size=4, unfreeze=13)
ORIENTATION = 0x0112
CLASSES = ["dark", "light"]


def photograph(level: int, number: int) -> Image.Image:
    """48 × 40 pixels, each side of which differs from the others."""
    rng = np.random.default_rng(number)
    pixels = rng.integers(0, 90, (40, 48, 3)) + level
    pixels[:, :12, 0] += 60
    pixels[:8, :, 2] += 40
    return Image.fromarray(pixels.astype(np.uint8))


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def deep(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 200)


def clear(image: Image.Image) -> Image.Image:
    image = image.convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


# Every format, mode and orientation that is read, by the name of the file.
KINDS = {
    "rgb.png": lambda image, path: image.save(path),
    "palette.png": lambda image, path: image.quantize(16).save(path),
    "clear.png": lambda image, path: clear(image).save(path),
    "grey-alpha.png": lambda image, path: clear(image).convert("LA").save(path),
    "bits.png": lambda image, path: image.convert("1").save(path),
    "deep.png": lambda image, path: deep(image).save(path),
    "plain.jpg": lambda image, path: image.save(path),
    "progressive.jpeg": lambda image, path: image.save(path, progressive=True),
    "cmyk.jpg": lambda image, path: image.convert("CMYK").save(path),
    "moving.gif": lambda image, path: image.save(path, save_all=True, append_images=[ImageOps.invert(image)]),
    "old.bmp": lambda image, path: image.save(path),
    "new.webp": lambda image, path: image.save(path),
    "clear.webp": lambda image, path: clear(image).save(path, lossless=True),
    **{
        f"turned-{each}.jpg": lambda image, path, each=each: image.save(path, exif=turned(each))
        for each in range(1, 9)
    },
}


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """A folder whose validation part has a file of every kind in each class."""
    folder = tmp_path_factory.mktemp("photos")
    for label, level in zip(CLASSES, (0, 100)):
        for part, kinds in dict(
            train=["rgb.png", "plain.jpg", "old.bmp", "deep.png"], validation=KINDS
        ).items():
            place = folder / part / label
            place.mkdir(parents=True)
            for number, kind in enumerate(kinds):
                KINDS[kind](photograph(level, number), place / kind)
    return folder


@pytest.fixture(scope="module")
def trained(photos, tmp_path_factory) -> tuple[Path, History, Dataset]:
    """A run, its record and its images."""
    out = tmp_path_factory.mktemp("runs") / "run"
    data = load(photos, 32, fit="pad")
    experiment = Experiment(**MICRO, dataset=str(photos), fit="pad", epochs=2, learning_rate=3e-3)
    return out, train(experiment, data, out=out), data


@pytest.fixture(scope="module")
def classifier(trained) -> Classifier:
    """The network of the run, loaded once."""
    return open_classifier(trained[0])


@pytest.fixture
def run(trained, tmp_path) -> Path:
    """A copy of the run that a test may break."""
    return Path(shutil.copytree(trained[0], tmp_path / "run"))


def test_every_kind_of_file_gets_the_probabilities_that_training_measured(trained):
    out, history, data = trained
    said = predict(out, list(data.validation.paths))
    assert list(said.columns) == ["file", "class", "probability", *CLASSES]
    assert list(said["file"]) == list(data.validation.paths) and len(said) == 2 * len(KINDS)
    np.testing.assert_allclose(said[CLASSES], history.predictions.probabilities, rtol=0, atol=1e-6)
    assert data.reading.whole == (
        0,
        65535,
    )  # 16-bit images are scaled as in training, not each by its own range
    assert read_usage(out / MODEL).reading == data.reading


def test_what_is_said_is_what_plain_keras_says_of_the_pixels(trained, tmp_path):
    photograph(50, 7).crop((0, 0, 32, 32)).save(tmp_path / "square.png")  # nothing is left to resize
    model = keras.saving.load_model(trained[0] / MODEL)
    pixels = np.asarray(Image.open(tmp_path / "square.png"), np.float32)
    (row,) = predict(trained[0] / MODEL, tmp_path / "square.png").to_dict("records")
    expected = model.predict(pixels[None], verbose=0)[0]
    np.testing.assert_allclose([row[name] for name in CLASSES], expected, atol=1e-6)
    assert row["class"] == CLASSES[expected.argmax()] and row["probability"] == max(
        row[name] for name in CLASSES
    )


def test_an_orientation_is_the_same_image_turned(classifier, tmp_path):
    image = photograph(60, 3)
    image.save(tmp_path / "as-it-is.png")
    image.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "6.png", exif=turned(6))
    image.transpose(Image.Transpose.ROTATE_180).save(tmp_path / "3.webp", exif=turned(3), lossless=True)
    image.save(tmp_path / "same.tif", compression="tiff_deflate")
    files = [tmp_path / name for name in ("as-it-is.png", "6.png", "3.webp", "same.tif")]
    said = predict(classifier, files)[CLASSES].to_numpy()
    np.testing.assert_allclose(said, said[:1].repeat(4, axis=0), atol=1e-6)


def test_folders_are_searched_in_order_and_patterns_understood(classifier, photos, monkeypatch):
    monkeypatch.chdir(photos / "validation")
    searched = predict(classifier, ["light", "dark/*.png", "dark/**/old.bmp"])["file"]
    light = sorted(Path("light").iterdir())
    assert list(searched) == list(map(str, [*light, *sorted(Path("dark").glob("*.png")), "dark/old.bmp"]))


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(classifier, tmp_path):
    photograph(0, 0).save(tmp_path / "a[1].png")
    photograph(0, 0).save(tmp_path / "a1.png")
    assert list(predict(classifier, tmp_path / "a[1].png")["file"]) == [str(tmp_path / "a[1].png")]


def test_links_that_go_in_circles_end(classifier, tmp_path):
    for one, other in ("ab", "ba"):
        (tmp_path / one).mkdir(exist_ok=True)
        (tmp_path / one / "link").symlink_to(tmp_path / other, target_is_directory=True)
    photograph(0, 0).save(tmp_path / "a" / "x.png")
    assert len(predict(classifier, tmp_path)) == 1


def broken(kind: str, folder: Path) -> Path:
    path = folder / f"{kind}.jpg"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
        (path / "notes.txt").write_text("no image")
    elif kind == "link":
        path.symlink_to(folder / "nowhere")
    elif kind == "cut":
        photograph(0, 0).save(path)
        path.write_bytes(path.read_bytes()[:600])
    elif kind == "eps":
        photograph(0, 0).save(path, format="EPS")
    elif kind == "lfs":
        path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n")
    elif kind == "empty":
        path.touch()
    elif kind == "words":
        path.write_text("a photograph, honestly")
    return path


BROKEN = {
    "pipe": "no regular file but a pipe",
    "folder": "a folder without images",
    "link": "a link that leads nowhere",
    "cut": "truncated File Read",
    "eps": "not an image of a format that is read",
    "lfs": "not an image but a Git LFS pointer",
    "empty": "zero bytes",
    "words": "not an image of a format that is read",
    "absent": "no such file or directory",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_no_image_is_left_out_by_a_sentence(classifier, tmp_path, kind):
    good, bad = tmp_path / "good.png", broken(kind, tmp_path)
    photograph(0, 0).save(good)
    with pytest.warns(UserWarning, match=f"Of 2 files 1 could not be read:\n  .*{kind}.jpg: {BROKEN[kind]}"):
        assert list(predict(classifier, [bad, good])["file"]) == [str(good)]
    with pytest.raises(InputError, match=BROKEN[kind]):
        predict(classifier, bad)


def test_the_command_names_what_is_no_image_and_answers_the_others(trained, tmp_path, capfd):
    photograph(0, 0).save(tmp_path / "good.png")
    bad = [broken(kind, tmp_path) for kind in BROKEN]
    assert main(["predict", str(trained[0]), *map(str, bad), str(tmp_path / "good.png")]) == 2
    out, err = capfd.readouterr()
    wanted = {f"vgglab: {path}: {reason}" for path, reason in zip(bad, BROKEN.values())}
    assert len(err.splitlines()) == len(bad) and "Traceback" not in err
    assert all(any(line.startswith(each) for line in err.splitlines()) for each in wanted)
    assert f"Files answered: 1 of {len(bad) + 1}." in out


def test_names_that_no_file_has_are_refused_by_what_was_given(classifier, tmp_path):
    photograph(0, 0).save(tmp_path / "good.png")
    odd = ["", "a\0b.png", "no-*.png", "~nobody-at-all/a.png", "http://example.org/a.png"]
    with pytest.warns(UserWarning) as said:
        assert len(predict(classifier, [*odd, tmp_path / "good.png"])) == 1
    (text,) = (str(each.message) for each in said)
    for reason in ("a name is missing", "no file can have", "no file has a name like that", "no home folder"):
        assert reason in text
    for files in (7, None, [], [3], b"x.png"):
        with pytest.raises(InputError, match="`files` must be a path, or a list of paths"):
            predict(classifier, files)


def test_what_lies_beside_images_in_a_folder_is_said(trained, tmp_path, capfd):
    photograph(0, 0).save(tmp_path / "a.png")
    (tmp_path / "labels.csv").write_text("a.png,dark")
    (tmp_path / ".hidden.png").write_text("the system's own")
    assert main(["predict", str(trained[0]), str(tmp_path)]) == 0
    assert "left out, because their names are no images' (.csv): 1." in capfd.readouterr().out


@pytest.mark.parametrize(
    ("files", "shared"),
    [
        (["photos/cats/a.png", "photos/cats/b.png"], "photos/cats"),
        (["photos/cats/a.png", "photos/dogs/a.png"], "photos"),
        (["/photos/a.png", "/photos/dogs/b.png"], "/photos"),
        (["photos/a.png"], None),
        (["a.png", "b.png"], None),
        (["/photos/a.png", "photos/b.png"], None),
        ([], None),
    ],
)
def test_the_folder_of_several_files_is_said_once(files, shared):
    assert _shared_folder([Path(file) for file in files]) == (shared and Path(shared))


def test_the_command_prints_the_top_three_and_writes_all(tmp_path, capfd):
    rng = np.random.default_rng(0)
    names = ("cat", "file", "=cmd", "\x1b[31mred")
    labels = np.arange(8) % 4
    split = Split(rng.integers(0, 256, (8, 32, 32, 3)).astype(np.uint8), labels)
    train(Experiment(**MICRO, epochs=1), Dataset("noise", names, split, split), out=tmp_path / "run")
    photograph(0, 0).save(tmp_path / "a.png")
    assert (
        main(["predict", str(tmp_path / "run"), str(tmp_path / "a.png"), "--csv", str(tmp_path / "a.csv")])
        == 0
    )
    out, _ = capfd.readouterr()
    assert "\x1b[31m" not in out and all(word in out for word in ("likeliest", "second", "third"))
    table = pd.read_csv(tmp_path / "a.csv")
    said = predict(tmp_path / "run", tmp_path / "a.png")
    assert list(said.columns)[:3] == ["file", "class", "probability"] and "file (class)" in said
    assert table.shape == said.shape == (1, 7)
    np.testing.assert_allclose(
        table.to_numpy()[0, 3:].astype(float), said.to_numpy()[0, 3:].astype(float), atol=1e-6
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--csv", "x.png"], "`--csv` must be a file whose name ends in .csv"),
        (["--csv", "nowhere/x.csv"], "there is no folder"),
        (["--csv", "is.csv"], "it is a folder"),
    ],
)
def test_a_table_that_cannot_be_written_is_refused_first(
    trained, tmp_path, monkeypatch, capfd, options, sentence
):
    monkeypatch.chdir(tmp_path)
    Path("is.csv").mkdir()
    photograph(0, 0).save("x.png")
    before = Path("x.png").read_bytes()
    assert main(["predict", str(trained[0]), "x.png", *options]) == 2
    out, err = capfd.readouterr()
    assert sentence in err and not out and Path("x.png").read_bytes() == before


def rewritten(path: Path, change) -> None:
    """A saved network whose usage is another text, or that has none."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    text = change(parts.pop(MEMBER).decode())
    with zipfile.ZipFile(path, "w") as new:
        for name, content in parts.items():
            new.writestr(name, content)
        if text is not None:
            new.writestr(MEMBER, text)


def with_reading(**values):
    return lambda text: json.dumps((plain := json.loads(text)) | dict(reading=plain["reading"] | values))


def with_names(names):
    return lambda text: json.dumps(json.loads(text) | dict(class_names=names))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda text: "{", "does not say how it is used"),
        (lambda text: "[]", r"it is \[\], and must be names with values"),
        (lambda text: "[" * 100_000, "nested too deeply"),
        (lambda text: "{}", "`class_names` is missing"),
        (with_names(["one"]), "must be two or more different names"),
        (with_names(["a", "a"]), "must be two or more different names"),
        (with_names([1, 2]), "must be text"),
        (with_names(["a", "b", "c"]), "a number for each of the 3 classes. It has: \\(2,\\)"),
        (with_reading(image_size=64), r"must take images of shape \(64, 64, 3\). It takes: \(32, 32, 3\)"),
        (with_reading(image_size=-1), "`image_size` must be 1 to 10000 pixels"),
        (with_reading(fit="stretch"), "Received: 'stretch'"),
        (with_reading(whole=[5, 5]), "must go from a number up to a larger one"),
        (with_reading(whole=[0, float("inf")]), "must go from a number up to a larger one"),
    ],
)
def test_a_usage_that_cannot_be_followed_gets_its_sentence(run, photos, change, sentence):
    rewritten(run / MODEL, change)
    with pytest.raises(InputError, match=sentence):
        predict(run, photos / "validation" / "dark" / "rgb.png")


def test_a_usage_of_gigabytes_is_not_read(run, monkeypatch):
    monkeypatch.setattr("vgglab.share.model_file.MOST_BYTES", 50)
    with pytest.raises(InputError, match="where 50 are allowed"):
        predict(run, "x.png")


def test_a_network_of_an_older_version_is_helped_by_its_record(run, trained, photos):
    files = [
        photos / "validation" / label / name for label in CLASSES for name in ("rgb.png", "turned-6.jpg")
    ]
    before = predict(run, files)
    rewritten(run / MODEL, lambda text: None)
    pd.testing.assert_frame_equal(predict(run, files), before)
    (run / RECORD).unlink()
    with pytest.raises(InputError, match="The names of the classes are unknown"):
        predict(run / MODEL, files)
    given = predict(run / MODEL, files, class_names=["no", "yes"], reading=Reading(32, "pad"))
    assert list(given.columns[3:]) == ["no", "yes"]
    np.testing.assert_array_equal(given[["no", "yes"]], before[CLASSES])


def test_the_usage_survives_where_keras_opens_the_file(run):
    assert read_usage(run / MODEL).class_names == tuple(CLASSES)
    model = keras.saving.load_model(run / MODEL)
    model.save(run / "again.keras")  # Keras keeps no member that it does not know
    assert read_usage(run / "again.keras") is None
    add_usage(run / "again.keras", read_usage(run / MODEL))
    assert keras.saving.load_model(run / "again.keras").output_shape == (None, 2)


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("nowhere", "There is no run and no network at"),
        ("folder", "is not the folder of a run: it has no history.jsonl"),
        ("unfinished", "has no model.keras: its run has not ended yet"),
        ("weights.h5", "must be the folder of a run or a .keras file"),
        ("text.keras", "is not a network that Keras saved"),
        ("cut.keras", "is not a network that Keras saved"),
        ("zip.keras", "cannot be opened as a network"),
        ("folder.keras", "is not the folder of a run"),
    ],
)
def test_what_is_no_network_gets_its_sentence(run, tmp_path, capfd, place, sentence):
    path = tmp_path / place
    if place in ("folder", "folder.keras"):
        path.mkdir()
    elif place == "unfinished":
        path.mkdir()
        shutil.copy(run / RECORD, path)
    elif place == "cut.keras":
        path.write_bytes((run / MODEL).read_bytes()[:5000])
    elif place == "zip.keras":
        with zipfile.ZipFile(path, "w") as parts:
            parts.writestr("config.json", "{}")
        add_usage(path, read_usage(run / MODEL))
    elif place != "nowhere":
        path.write_text("no network")
    assert main(["predict", str(path), "x.png"]) == 2
    err = capfd.readouterr().err
    assert sentence in err and err.count("\n") == 1


def plain(classes: int = 2, activation: str = "softmax", size: int | None = 32) -> keras.Model:
    inputs = keras.Input((size, size, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(inputs))
    return keras.Model(inputs, keras.layers.Dense(classes, activation)(x))


def test_a_network_of_plain_keras_is_asked_with_its_names(tmp_path):
    photograph(0, 0).save(tmp_path / "a.png")
    model = plain()
    said = predict(model, tmp_path / "a.png", class_names=["x", "y"])  # cropped to the size that it takes
    cropped = np.asarray(ImageOps.fit(photograph(0, 0), (32, 32), Image.Resampling.BILINEAR), np.float32)
    np.testing.assert_allclose(
        said[["x", "y"]].to_numpy(), model.predict(cropped[None], verbose=0), atol=1e-6
    )
    with pytest.raises(InputError, match="The names of the classes are unknown"):
        predict(model, "a.png")
    with pytest.raises(InputError, match="The size of the images is unknown"):
        predict(plain(size=None), "a.png", class_names=["x", "y"])
    for odd, sentence in [
        (plain(3), "a number for each of the 2 classes"),
        (plain(1, "sigmoid"), r"It has: \(1,\)"),
        (keras.Sequential(), "of one input, and built"),
        (7, "`model` must be the folder of a run"),
    ]:
        with pytest.raises(InputError, match=sentence):
            predict(odd, "a.png", class_names=["x", "y"], reading=Reading(32))
    with pytest.raises(InputError, match="`reading` must be a Reading"):
        predict(model, "a.png", class_names=["x", "y"], reading=32)
    with pytest.raises(InputError, match="The network must return probabilities"):
        predict(plain(activation="linear"), tmp_path / "a.png", class_names=["x", "y"])
    model.layers[-1].bias.assign([np.nan, 0])
    with pytest.raises(InputError, match="The network must return probabilities"):
        predict(model, tmp_path / "a.png", class_names=["x", "y"])


def test_the_gallery_shows_what_can_be_read_and_where_it_looks(classifier, photos, tmp_path):
    bad = tmp_path / "bad.png"
    bad.touch()
    folder = photos / "validation" / "light"
    with pytest.warns(UserWarning, match="zero bytes"):
        ax = plot_predictions(classifier, [bad, folder], most=3)
    pictures = [image.get_array() for image in ax.images]
    assert len(pictures) == 6  # each beside its map
    said = predict(classifier, sorted(folder.iterdir())[:3])
    labels = [text.get_text() for text in ax.texts]
    wanted = [f"{name} {100 * share:.0f} %" for name, share in zip(said["class"], said["probability"])]
    assert labels[::2] == wanted and set(labels[1::2]) == {"where it looked"}
    with pytest.raises(InputError, match="zero bytes"):
        plot_predictions(classifier, bad)
    for most in (0, True, 1.5):
        with pytest.raises(InputError, match="`most` must be a whole number"):
            plot_predictions(classifier, folder, most=most)


def test_files_are_found_without_being_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed").chmod(0)
    try:
        found = find_images(tmp_path)
    finally:
        (tmp_path / "closed").chmod(0o700)
    assert [each.reason[:15] for each in found.refused][-1] == "no regular file" and not found.files


def test_a_network_that_is_taken_away_knows_its_classes_also_where_its_run_is_older(run, tmp_path):
    history = History.load(run / RECORD)
    copy_with_usage(run / MODEL, tmp_path / "new.keras", usage_of_run(history))
    assert (tmp_path / "new.keras").read_bytes() == (run / MODEL).read_bytes()
    rewritten(run / MODEL, lambda text: None)
    copy_with_usage(run / MODEL, tmp_path / "old.keras", usage_of_run(history))
    assert read_usage(tmp_path / "old.keras") == Usage(tuple(CLASSES), Reading(32, "pad"))
    # With other classes it is another network, though its weights are the same.
    copy_with_usage(run / MODEL, tmp_path / "other.keras", Usage(("a", "b"), Reading(32)))
    assert exports._say_the_same(tmp_path / "old.keras", tmp_path / "old.keras")
    assert not exports._say_the_same(tmp_path / "old.keras", tmp_path / "other.keras")
