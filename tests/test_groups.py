"""Which images belong together: by sub-folder, by file name, by column; and files that a list leaves out."""

import os
import re
import unicodedata

import pytest

from test_folder import RED, save
from vgglab.datasets import load, load_for
from vgglab.datasets.sources import laid_out
from vgglab.errors import InputError
from vgglab.experiment import Experiment


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def groups_of(folder, group, exclude=None, part="all"):
    """By the path from the folder on, the group of each file that is read."""
    base, layout = laid_out(folder, group, exclude and str(exclude))
    return {photo.path.relative_to(base).as_posix(): photo.group for photo in layout.photos[part]}


def remarks_of(folder, group=None, exclude=None):
    return " ".join(laid_out(folder, group, exclude and str(exclude))[1].remarks)


@pytest.fixture
def patients(tmp_path):
    """Two classes of three patients each, of whom P2 is in both."""
    folder = tmp_path / "set"
    for name, number in (("a", 0), ("a", 1), ("a", 2), ("b", 2), ("b", 3), ("b", 4)):
        touch(folder, *(f"{name}/p{number}/P{number}_{scan}.png" for scan in range(2)))
    return folder


def test_sub_folders_are_groups_the_same_in_every_class(patients):
    touch(patients, "a/loose.png", "a/p0/deeper/x.png", "a/p0/notes.txt", "b/.hidden/x.png")
    found = groups_of(patients, "folder")
    assert found["a/p2/P2_0.png"] == found["b/p2/P2_1.png"] == "p2"
    assert found["a/p0/deeper/x.png"] == "p0" and found["a/loose.png"] is None and len(found) == 14
    assert "1 image has no group and is a group alone: a/loose.png." in remarks_of(patients, "folder")
    _, layout = laid_out(patients, "folder", None)
    assert [path.name for path, _ in layout.left_out] == ["notes.txt"]


def test_without_group_sub_folders_are_left_out_as_before(patients):
    touch(patients, "a/x.png", "b/y.png")
    _, layout = laid_out(patients, None, None)
    assert {reason for _, reason in layout.left_out} == {"in a folder inside a class folder"}
    assert len(layout.left_out) == 12 and set(groups_of(patients, None).values()) == {None}


def test_one_name_in_two_forms_of_unicode_is_one_group(tmp_path):
    names = [unicodedata.normalize(form, "Zoé") for form in ("NFC", "NFD")]
    touch(tmp_path, f"a/{names[0]}/1.png", f"b/{names[1]} /1.png", "b/x/1.png")
    assert len(set(groups_of(tmp_path, "folder").values())) == 2


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"(P\d+)_", {"P7_1.png": "P7", "P7_2.png": "P7", "xP8_1.png": "P8", "none.png": None}),
        (r"^(?:x)?(P\d+)", {"P7_1.png": "P7", "P7_2.png": "P7", "xP8_1.png": "P8", "none.png": None}),
        (r"(x)?", {"P7_1.png": None, "P7_2.png": None, "xP8_1.png": "x", "none.png": None}),
    ],
)
def test_a_pattern_is_searched_in_the_name(tmp_path, pattern, expected):
    touch(tmp_path, "b/P9_1.png", *(f"a/{name}" for name in expected))
    found = groups_of(tmp_path, pattern)
    assert {name: found[f"a/{name}"] for name in expected} == expected


@pytest.mark.parametrize(
    ("group", "sentence"),
    [
        ("(P", r"Received: '\(P', which is no regular expression: .*unterminated"),
        ("[", "no regular expression"),
        ("*(a)", "no regular expression"),
        ("(a){99999999999999999999}", "no regular expression"),
        (r"P\d+", "which has none"),
        ("patient", "must be 'folder', for the sub-folders .*which has none"),
        (r"(P)(\d+)", "which has 2"),
        ("(?:P)", "which has none"),
        ("", "`group` must be a name or a path"),
        (3, "`group` must be a name or a path"),
        (["folder"], "`group` must be a name or a path"),
    ],
)
def test_a_group_that_says_nothing_is_refused(patients, group, sentence):
    with pytest.raises(InputError, match=sentence):
        load(patients, 32, group=group)


def test_a_pattern_that_no_name_matches_is_a_remark(tmp_path):
    touch(tmp_path, *(f"{name}/{number}.png" for name in "ab" for number in range(4)))
    said = remarks_of(tmp_path, "(Q)")
    assert said == "8 images have no group and are each a group alone: a/0.png, a/1.png, a/2.png, …."


def test_groups_of_one_image_each_are_a_remark(tmp_path):
    touch(tmp_path, "a/1.png", "a/2.png", "b/3.png", "b/4.png")
    assert "No two images share a group" in remarks_of(tmp_path, r"(\d)")
    assert remarks_of(tmp_path, r"(\.)") == ""


def test_groups_on_both_sides_of_a_given_split_are_named(tmp_path):
    parts = {"train": range(6), "val": range(2, 9), "test": (0, 9)}
    for part, numbers in parts.items():
        touch(tmp_path, *(f"{part}/{name}/P{number}.png" for name in "ab" for number in numbers))
    said = remarks_of(tmp_path, r"(P\d)")
    assert (
        "4 groups are in train and in validation: P2, P3, P4, …; validation will look better than it is."
        in said
    )
    assert "1 group is in train and in test: P0; test will look better than it is." in said


@pytest.mark.parametrize("target", [".", "..", "../../set", "../b"])
def test_links_that_lead_back_end_the_search(patients, target):
    (patients / "a" / "link").symlink_to(target)
    if target == "../b":
        (patients / "b" / "back").symlink_to("../a")
    _, layout = laid_out(patients, "folder", None)
    assert layout.left_out and len(layout.photos["all"]) <= 24


def test_whole_groups_validate(tmp_path):
    for name in "ab":
        for number in range(5):
            for scan in range(2):
                save(tmp_path / name / f"p{number}{name}" / f"{scan}.png", RED)
    experiment = Experiment(dataset=str(tmp_path), image_size=32, group="folder", seed=3)
    data = load_for(experiment)
    assert (len(data.train), len(data.validation)) == (16, 4)
    assert not set(data.train.groups) & set(data.validation.groups)
    assert data.train.counts(2) == [8, 8] and data.validation.counts(2) == [2, 2]
    assert all(
        os.path.basename(os.path.dirname(path)) == group
        for path, group in zip(data.train.paths, data.train.groups)
    )


def test_one_group_of_a_class_is_one_sentence(tmp_path):
    for name in "ab":
        for number in range(2):
            save(tmp_path / name / f"{name}_{number}.png", RED)
    with pytest.raises(InputError, match="Class 'a' has only one group, 'a', so it cannot be both to train"):
        load(tmp_path, 32, group="^(.)_")


# --- Files that a list leaves out


@pytest.mark.parametrize(
    "line",
    [
        "a/p0/P0_0.png",
        "a\\p0\\P0_0.png",
        "./a/p0/../p0/P0_0.png",
        "  a/p0/P0_0.png  ",
        "a/p0/P0_0.png # a near copy of another",
        "a/p0/P0_0.png #",
        "\ufeffa/p0/P0_0.png",
        "a/p0/P0_0.png\r",
        "# why\n\n   \na/p0/P0_0.png\na/p0/P0_0.png",
    ],
)
def test_each_spelling_of_a_line_leaves_its_file_out(patients, tmp_path, line):
    (tmp_path / "out.txt").write_text(line, encoding="utf-8", newline="")
    found = groups_of(patients, "folder", tmp_path / "out.txt")
    assert "a/p0/P0_0.png" not in found and len(found) == 11
    assert remarks_of(patients, "folder", tmp_path / "out.txt") == ""
    _, layout = laid_out(patients, "folder", str(tmp_path / "out.txt"))
    assert [reason for _, reason in layout.left_out] == [f"excluded by {tmp_path / 'out.txt'}"]


def test_absolute_paths_and_names_with_a_number_sign_are_files_too(patients, tmp_path):
    touch(patients, "a/p1/x #2.png")
    (tmp_path / "out.txt").write_text(f"{patients}/a/p0/P0_0.png\na/p1/x #2.png")
    found = groups_of(patients, "folder", tmp_path / "out.txt")
    assert len(found) == 11 and "a/p1/x #2.png" not in found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nothing.png", "1 line names no file of .*set: nothing.png."),
        ("a\nb\nc\nd\n", "4 lines name no file of .*set: a, b, c, …."),
        ("/etc/passwd", "1 line names no file"),
        ("../set/../other.png", "1 line names no file"),
        ("A/P0/P0_0.PNG", "1 line names no file"),
        ("a/p0", "1 line names no file"),
        ("x" * 5000, "1 line names no file"),
        ("a/p0/P0_0.png;b/p2/P2_0.png", "1 line names no file"),
        ("", "names no file, so none is excluded"),
        ("# nothing\n\n", "names no file, so none is excluded"),
        ("a\0b", "1 line names no file"),
    ],
)
def test_lines_that_name_no_file_are_said_and_leave_nothing_out(patients, tmp_path, text, sentence):
    (tmp_path / "out.txt").write_text(text)
    assert re.search(sentence, remarks_of(patients, "folder", tmp_path / "out.txt"))
    assert len(groups_of(patients, "folder", tmp_path / "out.txt")) == 12


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: None, "`exclude` must be a text file. .*out.txt: no such file"),
        (lambda path: path.mkdir(), "`exclude` must be a text file. .*out.txt: a folder"),
        (lambda path: path.write_bytes(b"\xff\xfea\0"), "must be a text file in UTF-8, one path a line"),
        (lambda path: save(path.with_suffix(".png")).rename(path), "must be a text file in UTF-8"),
        (lambda path: path.symlink_to(path), "`exclude` must be a text file"),
        (lambda path: path.symlink_to("/proc/self/mem"), "`exclude` must be a text file"),
        (os.mkfifo, "`exclude` must be a text file"),
    ],
)
def test_a_list_that_cannot_be_read_is_one_sentence(patients, tmp_path, make, sentence):
    make(tmp_path / "out.txt")
    with pytest.raises(InputError, match=sentence):
        laid_out(patients, "folder", str(tmp_path / "out.txt"))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [("", "`exclude` must be"), (3, "`exclude` must be"), ("a\0b", "a name that no file can have")],
)
def test_what_is_no_list_at_all_is_refused(patients, given, sentence):
    with pytest.raises(InputError, match=sentence):
        load(patients, 32, exclude=given)


def test_what_is_excluded_is_counted_and_stays_on_the_disk(tmp_path):
    folder = tmp_path / "set"
    for name in "ab":
        for number in range(10):
            save(folder / name / f"{number}.png", RED)
    (tmp_path / "out.txt").write_text("\n".join(f"a/{number}.png # near copy" for number in range(5)))
    with pytest.warns(
        UserWarning, match="Left out 5 files of .*set:\n  5 files: excluded by .*out.txt, among them"
    ):
        data = load(folder, 32, exclude=tmp_path / "out.txt")
    assert data.train.counts(2) == [4, 8] and len(data.skipped) == 5
    assert len(list(folder.rglob("*.png"))) == 20
    (tmp_path / "out.txt").write_text("\n".join(f"a/{number}.png" for number in range(10)))
    with pytest.raises(InputError, match=r"Class 'a' .* needs at least two images(.|\n)*excluded by"):
        load(folder, 32, exclude=tmp_path / "out.txt")


def test_excluded_images_are_in_no_group_and_in_no_remark(tmp_path):
    touch(
        tmp_path / "set", "train/a/P1.png", "train/b/P2.png", "val/a/P1 .png", "val/b/P3.png", "val/a/P4.png"
    )
    (tmp_path / "out.txt").write_text("val/a/P1 .png")
    assert "in train and in validation" in remarks_of(tmp_path / "set", r"(P\d)")
    assert "in train and in validation" not in remarks_of(tmp_path / "set", r"(P\d)", tmp_path / "out.txt")
