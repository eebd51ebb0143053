import re

import numpy as np
import pytest
from PIL import Image

from vgglab.datasets import draw_blossoms, draw_twins, load
from vgglab.errors import InputError

RED, BLUE = (200, 30, 40), (20, 40, 210)


def save(path, color=RED, size=(40, 40), mode="RGB", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).convert(mode).save(path, **options)
    return path


@pytest.fixture
def folder(tmp_path):
    for name, color, count in (("cats", RED, 10), ("dogs", BLUE, 5)):
        for number in range(count):
            save(tmp_path / "pets" / name / f"{number}.png", color)
    return tmp_path / "pets"


def test_split_is_stratified_complete_and_set_by_the_seed(folder):
    data = load(folder, image_size=32)
    assert data.class_names == ("cats", "dogs") and data.image_size == 32
    assert np.bincount(data.train.labels).tolist() == [8, 4]
    assert np.bincount(data.validation.labels).tolist() == [2, 1]


def test_the_seed_chooses_the_validation_images(tmp_path):
    for name in "ab":
        for number in range(20):
            save(tmp_path / name / f"{number:02}.png", (number * 10, 0, 0))

    def chosen(seed):
        return load(tmp_path, 32, seed).validation.images[:, 0, 0, 0].tolist()

    assert chosen(0) == chosen(0) != chosen(1)
    data = load(tmp_path, 32)
    both = np.concatenate([data.train.images, data.validation.images])[:, 0, 0, 0]
    assert sorted(both) == sorted(2 * [number * 10 for number in range(20)])


@pytest.mark.parametrize(
    "names",
    [
        ("train", "validation", "test"),
        ("train", "val", "test"),
        ("Train", "Val", "Test"),
        ("Training", "VALID", "Testing"),
        ("training_set", "validation set", "test-set"),
        ("train", "dev", "test "),
    ],
)
def test_a_split_that_was_made_is_kept(tmp_path, names):
    for part, count in zip(names, (3, 2, 1)):
        for name, color in (("a", RED), ("b", BLUE)):
            for number in range(count):
                save(tmp_path / part / name / f"{number}.png", color)
    data = load(tmp_path, 32)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [6, 4, 2]
    assert data.train.images[0, 5, 5].tolist() == list(RED) and data.test.labels.tolist() == [0, 1]


def test_unreadable_files_are_listed_and_counted(folder):
    (folder / "cats" / "empty.jpg").touch()
    (folder / "cats" / "text.jpg").write_text("not a picture")
    (folder / "dogs" / "notes.txt").write_text("notes")
    whole = save(folder / "dogs" / "cut.jpg", size=(300, 300)).read_bytes()
    (folder / "dogs" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    save(folder / "loose.png")
    with pytest.warns(UserWarning, match="Left out 5 files") as caught:
        data = load(folder, 32)
    text = str(caught[0].message)
    for name, reason in (
        ("empty.jpg", "zero bytes"),
        ("text.jpg", "not an image"),
        ("notes.txt", "not one of"),
        ("cut.jpg", "truncated"),
        ("loose.png", "beside the class folders"),
    ):
        (line,) = [line for line in text.splitlines() if name in line]
        assert reason in line and str(folder) in line
    assert len(data.train) + len(data.validation) == 15 and len(data.skipped) == 5


def make_empty(folder):
    folder.mkdir()


def make_one_class(folder):
    save(folder / "cats" / "1.png")


def make_lone_image(folder):
    save(folder / "cats" / "1.png"), save(folder / "cats" / "2.png"), save(folder / "dogs" / "1.png")


def make_no_validation(folder):
    save(folder / "train" / "a" / "1.png"), save(folder / "train" / "b" / "1.png")


def make_two_validations(folder):
    make_no_validation(folder)
    save(folder / "val" / "a" / "1.png"), save(folder / "validation" / "a" / "1.png")


def make_unknown_class(folder):
    make_no_validation(folder)
    save(folder / "val" / "c" / "1.png")


def make_class_without_validation(folder):
    make_no_validation(folder)
    save(folder / "val" / "a" / "1.png")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda folder: None, "There is no folder at"),
        (lambda folder: save(folder), "There is no folder at"),
        (make_empty, "must hold at least two class folders. Found: none."),
        (make_one_class, "must hold at least two class folders. Found: one, 'cats'."),
        (make_lone_image, "Class 'dogs' in .* needs at least two images, .*. Readable: 1."),
        (make_no_validation, "Class 'a' in .*train needs at least two images, .*. Readable: 1."),
        (make_two_validations, "has both val/ and validation/"),
        (make_unknown_class, "has class folders that .* lacks: c."),
        (make_class_without_validation, "Class 'b' in .*val needs at least an image. Readable: 0."),
    ],
)
def test_folders_that_cannot_be_used(tmp_path, make, sentence):
    make(tmp_path / "x.png")
    with pytest.raises(InputError, match=sentence):
        load(tmp_path / "x.png")


def test_clean_slice_is_fixed_stratified_and_no_larger_than_validation(tmp_path):
    for name in "ab":
        for number in range(30):
            save(tmp_path / name / f"{number}.png")
    data = load(tmp_path, 32)
    assert np.bincount(data.clean_slice().labels).tolist() == [6, 6] and len(data.validation) == 12


def test_the_fingerprint_tells_one_pixel(folder):
    data, again = load(folder, 32), load(folder, 32)
    assert data.fingerprint == again.fingerprint
    again = load(folder, 32)
    again.train.images[0, 0, 0, 0] ^= 1
    assert data.fingerprint != again.fingerprint


def test_embedded_set():
    data = load()
    assert (
        np.bincount(data.train.labels).tolist() == [20] * 8
        and np.bincount(data.validation.labels).tolist() == [50] * 8
    )
    drawn = draw_blossoms(train_images=2, validation_images=1)
    assert drawn.class_names == data.class_names and (len(drawn.train), len(drawn.validation)) == (16, 8)
    with pytest.raises(InputError, match="`train_images` must be a whole number of at least 1"):
        draw_blossoms(train_images=0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "counts"), [("clothing", (3068, 341, 372)), ("bloodcells", (1920, 480, None))]
)
def test_real_photographs(shared, name, counts):
    data = load(shared / name, 32)
    assert (len(data.train), len(data.validation), data.test and len(data.test)) == counts
    assert not data.skipped


def test_a_test_part_can_be_drawn_and_changes_no_other_part():
    sizes = dict(train_images=2, validation_images=1, image_size=32)
    plain, drawn = draw_blossoms(**sizes, seed=3), draw_blossoms(**sizes, seed=3, test_images=2)
    assert plain.test is None and np.bincount(drawn.test.labels).tolist() == [2] * 8
    assert drawn.fingerprint == plain.fingerprint
    parts = (drawn.train, drawn.validation, drawn.test, draw_blossoms(**sizes, seed=4, test_images=2).test)
    pictures = [image.tobytes() for part in parts for image in part.images]
    assert len(set(pictures)) == len(pictures) == 16 + 8 + 16 + 16
    with pytest.raises(InputError, match="`test_images` must be a whole number of at least 0. Received: -1."):
        draw_blossoms(test_images=-1)


def test_the_twins_of_a_test_part_are_mirrored_as_the_others_are(monkeypatch):
    """Drawn alike under one name, the two classes are the mirror image of each other."""
    sizes = dict(train_images=1, validation_images=1, image_size=32)
    assert draw_twins(**sizes).test is None
    data = draw_twins(**sizes, test_images=2)
    assert data.test.labels.tolist() == [0, 0, 1, 1]
    monkeypatch.setattr("vgglab.datasets._mirrored", lambda split: split)
    unturned = draw_twins(**sizes, test_images=2)
    for part in ("train", "validation", "test"):
        images, before = getattr(data, part).images, getattr(unturned, part).images
        first = len(images) // 2
        assert (images[:first] == before[:first, :, ::-1]).all() and (images[first:] == before[first:]).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("train_images", "3"),
        ("validation_images", 2.5),
        ("test_images", None),
        ("image_size", "32"),
        ("seed", -1),
    ],
)
def test_what_flowers_are_drawn_with_are_whole_numbers(name, value):
    with pytest.raises(InputError, match=re.escape(f"`{name}` must be a whole number")):
        draw_blossoms(**{name: value})
