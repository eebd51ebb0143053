"""What of a folder is read, what is left out, and that each reason reaches the user."""

import os
import unicodedata

import numpy as np
import pytest

from test_folder import BLUE, RED, save
from vgglab.datasets import load
from vgglab.errors import InputError

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))


@pytest.fixture
def pets(tmp_path):
    folder = tmp_path / "pets"
    fill(folder, "cats", "dogs")
    return folder


def fill(folder, *names, count=3):
    for number in range(count):
        for name in names:
            save(folder / name / f"{number}.png", RED)


def said_of(folder):
    """The data set, and what its loading says, one text."""
    with pytest.warns(UserWarning) as caught:
        data = load(folder, 32)
    return data, "\n".join(str(each.message) for each in caught)


def to_itself(path):
    path.symlink_to(path.name)


def make_device(path):
    path.symlink_to("/dev/zero")


def make_link_to_pipe(path):
    os.mkfifo(path.with_suffix(".pipe"))
    path.symlink_to(path.with_suffix(".pipe"))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (os.mkfifo, "no regular file but a pipe"),
        (make_device, "no regular file but a pipe, a socket or a device"),
        (make_link_to_pipe, "no regular file but a pipe"),
        (to_itself, "a link that leads nowhere"),
        (lambda path: path.symlink_to("absent.png"), "a link that leads nowhere"),
    ],
)
@pytest.mark.parametrize("place", ["cats/x.png", "x.png"])
def test_only_regular_files_are_opened_and_the_others_are_listed(pets, make, reason, place):
    make(pets / place)
    data, text = said_of(pets)
    assert len(data.train) + len(data.validation) == 6
    assert dict(data.skipped)[str(pets / place)].startswith(reason) and f"{pets / place}: {reason}" in text


def test_a_link_to_a_file_or_to_a_class_folder_is_read(pets, tmp_path):
    fill(tmp_path, "birds")
    (pets / "birds").symlink_to(tmp_path / "birds")
    (pets / "cats" / "link.png").symlink_to(tmp_path / "birds" / "0.png")
    data = load(pets, 32)
    assert data.class_names == ("birds", "cats", "dogs") and len(data.train) + len(data.validation) == 10


def test_a_link_that_leads_back_is_no_class(pets):
    (pets / "loop").symlink_to(".")
    data, text = said_of(pets)
    assert data.class_names == ("cats", "dogs") and "loop: a link that leads back" in text


@pytest.mark.parametrize("name", ["__MACOSX", "@eaDir", "lost+found", ".ipynb_checkpoints"])
def test_what_systems_leave_behind_is_no_class_and_not_mentioned(pets, name, recwarn):
    fill(pets, name)
    fill(pets / "cats", name)
    assert load(pets, 32).class_names == ("cats", "dogs") and not recwarn


def test_what_lies_beside_the_train_part_or_too_deep_is_listed_file_by_file(tmp_path):
    fill(tmp_path, "train/a", "train/b", "val/a", "val/b")
    fill(tmp_path, "extra/a", "train/a/more", count=2)
    save(tmp_path / "loose.jpg"), save(tmp_path / "train" / "loose.png")
    (tmp_path / "notes").mkdir()
    data, text = said_of(tmp_path)
    assert (len(data.train), len(data.validation)) == (6, 6) and "Left out 7 files" in text
    reasons = {path.removeprefix(f"{tmp_path}/"): reason for path, reason in data.skipped}
    assert reasons == {
        "extra/a/0.png": "beside the train part, so in no part",
        "extra/a/1.png": "beside the train part, so in no part",
        "loose.jpg": "beside the train part, so in no part",
        "notes": "a folder without images, beside the train part, so in no part",
        "train/loose.png": "beside the class folders, so it has no class",
        "train/a/more/0.png": "in a folder inside a class folder",
        "train/a/more/1.png": "in a folder inside a class folder",
    }


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (("train", "bus", "car"), ("bus", "car", "train")),
        (("bus", "test"), ("bus", "test")),
        (("valid", "void"), ("valid", "void")),
    ],
)
def test_a_class_may_be_called_like_a_part(tmp_path, names, classes):
    fill(tmp_path, *names)
    assert load(tmp_path, 32).class_names == classes


@pytest.mark.parametrize("test", ["Testing", "test"])
def test_without_a_validation_part_a_fifth_of_train_becomes_it(tmp_path, test):
    fill(tmp_path, "Training/a", "Training/b", count=10)
    fill(tmp_path, f"{test}/a", f"{test}/b", count=4)
    data = load(tmp_path, 32)
    assert [np.bincount(part.labels).tolist() for part in (data.train, data.validation, data.test)] == [
        [8, 8],
        [2, 2],
        [4, 4],
    ]


def test_an_empty_test_part_is_none(tmp_path):
    fill(tmp_path, "train/a", "train/b")
    save(tmp_path / "test" / "unlabelled.png")
    data, text = said_of(tmp_path)
    assert data.test is None and "unlabelled.png: beside the class folders" in text


def broken(folder):
    fill(folder, "b")
    for number in range(3000):
        path = folder / "a" / f"{number:04}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"no picture")


def only_pdf(folder):
    for name in ("a/1.pdf", "a/2.PDF", "b/1.pdfx", "b/2.pdf"):
        save(folder / name, format="TIFF")


def pointers(folder):
    for name in ("a", "b"):
        path = save(folder / name / "1.png")
        path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n")


@pytest.mark.parametrize(
    ("make", "parts_of_the_error"),
    [
        (broken, ["3,000 files: not an image of a format that is read, among them a/0000.jpg, a/0001.jpg"]),
        (only_pdf, [".pdf is not one of .png, .jpg", "a/2.PDF: .PDF is not one of"]),
        (pointers, ["a Git LFS pointer", "git lfs pull"]),
        (
            lambda folder: fill(folder, "x/cats", "y/dogs", count=2),
            [
                "x holds no images but folders: cats. Are they the classes?",
                "in a folder inside a class folder",
            ],
        ),
        (
            lambda folder: fill(folder, "images/cats", "images/dogs"),
            ["Found: one, 'images'.", "images holds no images but folders: cats, dogs."],
        ),
        (
            lambda folder: fill(folder, "data/train/a", "data/train/b", "data/val/a"),
            ["Found: one, 'data'.", "data the folder, which has a train part?"],
        ),
        (lambda folder: fill(folder, "."), ["Found: none.", "Images that lie in it directly: 3;"]),
        (
            lambda folder: fill(folder, "train", "val"),
            ["train must hold", "Images that lie in it directly: 3;"],
        ),
        (lambda folder: fill(folder, "val/a", "test/a"), ["has test/ and val/, but no train/ to train on."]),
        (
            lambda folder: fill(folder, "train/Cat", "train/dog", "val/cat", "val/dog"),
            ["has class folders that", "lacks: cat. Is 'Cat' meant?"],
        ),
    ],
)
def test_an_error_has_the_reasons_and_names_what_was_nearly_right(tmp_path, make, parts_of_the_error):
    make(tmp_path)
    with pytest.raises(InputError) as caught:
        load(tmp_path, 32)
    for part in parts_of_the_error:
        assert part in str(caught.value)
    assert len(str(caught.value).splitlines()) < 6


def test_a_warning_groups_files_by_reason(pets):
    for number in range(50):
        # Each is cut at another place, so that Pillow gives each an error of its own.
        path = save(pets / "cats" / f"cut{number:02}.jpg", size=(200, 200))
        path.write_bytes(path.read_bytes()[: 800 + 4 * number])
    data, text = said_of(pets)
    assert len(data.skipped) == 50 and len(text.splitlines()) <= 3 and "Left out 50 files" in text
    assert "cats/cut00.jpg, cats/cut01.jpg, cats/cut02.jpg" in text


def test_names_that_are_no_utf_8_are_written_out_and_break_nothing(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    fill(folder, os.fsdecode(b"\xffred"), "blue\nish")
    (folder / os.fsdecode(b"\xffred") / os.fsdecode(b"broken\xe9.png")).touch()
    data, text = said_of(folder)
    assert data.class_names == ("\\xffred", "blue\\x0aish") and data.name.endswith("caf\\xe9")
    assert "broken\\xe9.png: zero bytes" in text
    for each in (data.name, text, *data.class_names, *(path for path, _ in data.skipped)):
        each.encode()
    assert len(data.fingerprint) == 16


@pytest.mark.parametrize("twin", [DECOMPOSED, f"{COMPOSED} ", f" {DECOMPOSED}"])
def test_one_name_in_two_spellings_is_one_class(tmp_path, twin):
    fill(tmp_path / "one", COMPOSED, twin, "tea")
    data, text = said_of(tmp_path / "one")
    assert data.class_names == (COMPOSED, "tea") and f"are read as one class, '{COMPOSED}'" in text
    assert (np.bincount(data.train.labels) + np.bincount(data.validation.labels)).tolist() == [6, 3]
    # In different parts it needs no remark.
    fill(tmp_path / "parts" / "train", COMPOSED, "tea")
    fill(tmp_path / "parts" / "val", twin, "tea")
    assert np.bincount(load(tmp_path / "parts", 32).validation.labels).tolist() == [3, 3]


def test_names_that_differ_in_capital_letters_are_remarked_on(tmp_path):
    fill(tmp_path, "Cat", "cat", "dog")
    data, text = said_of(tmp_path)
    assert (
        data.class_names == ("Cat", "cat", "dog")
        and "'Cat' and 'cat' differ in capital letters alone" in text
    )


@pytest.mark.parametrize(
    "place", [".", "train", "train/a", "val", "val/b", "train/a/0.png"], ids=lambda place: place
)
def test_what_may_not_be_read_is_one_sentence(tmp_path, monkeypatch, place):
    """Whoever runs the tests may be allowed to read all, so the system's refusal is staged."""
    fill(tmp_path, "train/a", "train/b", "val/a", "val/b")
    closed = str(tmp_path / place)

    def refusing(function):
        def refuse(path, *rest, **options):
            if str(path).rstrip("/") == closed.rstrip("/"):
                raise PermissionError(13, "Permission denied", str(path))
            return function(path, *rest, **options)

        return refuse

    monkeypatch.setattr(os, "listdir", refusing(os.listdir))
    monkeypatch.setattr(os, "scandir", refusing(os.scandir))
    monkeypatch.setattr("builtins.open", refusing(open))
    if place.endswith("png"):
        data, text = said_of(tmp_path)
        assert dict(data.skipped) == {closed: "permission denied"} and "permission denied" in text
    else:
        with pytest.raises(InputError, match=f"^{tmp_path / place} cannot be read: permission denied.$"):
            load(tmp_path, 32)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/" + 1000 * "long/", "cannot be read: file name too long."),
        ("/" + 300 * "x", "cannot be read: file name too long."),
        ("/a\0b", "There is no folder at /a\\x00b."),
        ("~nobody_of_this_name/x", "There is no home folder for ~nobody_of_this_name."),
    ],
)
def test_paths_that_no_folder_can_have(path, sentence):
    with pytest.raises(InputError) as caught:
        load(path)
    assert sentence in str(caught.value) and len(str(caught.value)) < 700


def test_of_what_is_loaded_the_colours_are_those_of_the_class(tmp_path):
    for number in range(5):
        save(tmp_path / "a" / f"{number}.png", RED), save(tmp_path / "b" / f"{number}.png", BLUE)
    data = load(tmp_path, 32)
    for label, color in enumerate((RED, BLUE)):
        assert (data.train.images[data.train.labels == label] == color).all()
