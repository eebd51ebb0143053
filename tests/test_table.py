"""Tables as data sets: what their cells may be, and the sentence for what they may not."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from test_folder import BLUE, RED, save
from vgglab.datasets import is_there, load
from vgglab.datasets.sources import laid_out
from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.share.script import script


@pytest.fixture
def scans(tmp_path):
    """A folder of files that a table can name: scans/0.png to scans/9.png."""
    for number in range(10):
        (tmp_path / "scans").mkdir(exist_ok=True)
        (tmp_path / "scans" / f"{number}.png").touch()
    return tmp_path


def write(folder, text, name="labels.csv", encoding="utf-8"):
    (folder / name).write_bytes(text.encode(encoding))
    return folder / name


def rows(header, *lines, end="\n"):
    return end.join([header, *lines]) + end


def read(table, group=None, exclude=None):
    """The layout, and its photographs as (path from the table's folder, class, group) by part."""
    base, layout = laid_out(table, group, exclude)
    shown = {
        part: [
            (photo.path.relative_to(base).as_posix(), layout.class_names[photo.label], photo.group)
            for photo in photos
        ]
        for part, photos in layout.photos.items()
    }
    return layout, shown


PLAIN = [("scans/0.png", "ill", None), ("scans/1.png", "well", None)]


@pytest.mark.parametrize(
    "text",
    [
        "file,label\nscans/0.png,ill\nscans/1.png,well\n",
        "LABEL,File\nill,scans/0.png\nwell,scans/1.png",
        "\ufefffile;label;age\nscans/0.png;ill;7\nscans/1.png;well;8\n",
        "file\tlabel\nscans\\0.png\till\nscans\\1.png\twell\n",
        'file,label\r\n"scans/0.png","ill"\r\n\r\n./scans/../scans/1.png, well \r\n',
        "file,label,,\nscans/0.png,ill,,\nscans/1.png,well,,\n,,,\n",
        "id,label,file,split\n1,ill,scans/0.png,\n2,well,scans/1.png,\n",
    ],
)
def test_each_way_to_write_a_table_is_read(scans, text):
    layout, shown = read(write(scans, text))
    found = {
        part: [(path.replace("scans/../", ""), *others) for path, *others in its]
        for part, its in shown.items()
    }
    assert found == {"all": PLAIN} and layout.class_names == ("ill", "well")
    assert not layout.left_out and not layout.remarks


@pytest.mark.parametrize("name", ["labels.csv", "LABELS.CSV", "labels.tsv", "labels.txt"])
def test_a_table_is_known_by_its_name(scans, name):
    table = write(scans, "file,label\nscans/0.png,ill\nscans/1.png,well\n", name)
    assert read(table)[1] == {"all": PLAIN} and is_there(table)


def test_groups_are_a_column_of_that_name_or_another(scans):
    lines = ["scans/0.png,ill,A,x", "scans/1.png,ill,,x", "scans/2.png,well,A,y", "scans/3.png,well,B,y"]
    table = write(scans, rows("file,label,group,Ward", *lines))
    layout, shown = read(table)
    assert [group for *_, group in shown["all"]] == ["A", None, "A", "B"]
    assert layout.remarks == ["1 image has no group and is a group alone: scans/1.png."]
    assert [group for *_, group in read(table, "WARD")[1]["all"]] == ["x", "x", "y", "y"]


def test_splits_are_spelt_as_folders_are(scans):
    lines = [
        f"scans/{n}.png,{'ab'[n % 2]},{split}"
        for n, split in enumerate(["train"] * 4 + ["VAL", "dev", "Testing", "test"])
    ]
    _, shown = read(write(scans, rows("file,label,split", *lines)))
    assert {part: len(its) for part, its in shown.items()} == {"train": 4, "validation": 2, "test": 2}


def test_a_group_in_two_splits_is_named(scans):
    lines = [
        "scans/0.png,a,train,P1",
        "scans/1.png,b,train,P2",
        "scans/2.png,a,val,P1",
        "scans/3.png,b,val,P3",
    ]
    layout, _ = read(write(scans, rows("file,label,split,group", *lines)))
    assert (
        "1 group is in train and in validation: P1; validation will look better than it is." in layout.remarks
    )


def test_what_is_no_image_is_left_out_with_its_reason(scans):
    (scans / "notes.pdf").touch()
    lines = [
        "scans/0.png,a",
        "scans/1.png,b",
        "missing.png,a",
        "scans,b",
        "notes.pdf,a",
        "C:\\x\\y.png,a",
        f"{'x' * 300}.png,b",
    ]
    layout, shown = read(write(scans, rows("file,label", *lines)))
    reasons = {path.name[:20]: reason for path, reason in layout.left_out}
    assert len(shown["all"]) == 2 and len(reasons) == 5
    assert "no such file" in reasons["missing.png"] and reasons["scans"] == "a folder"
    assert ".pdf is not one of" in reasons["notes.pdf"] and "too long" in reasons["x" * 20]


def test_a_file_that_is_listed_twice_is_read_once(scans):
    lines = ["scans/0.png,a", "./scans/0.png,a", "scans\\0.png,a", "scans/1.png,b"]
    layout, shown = read(write(scans, rows("file,label", *lines)))
    assert len(shown["all"]) == 2
    assert "2 files of" in layout.remarks[0] and "listed twice, read once" in layout.remarks[0]


def test_paths_may_be_absolute_and_lead_out_of_the_folder(scans):
    inner = scans / "inner"
    inner.mkdir()
    table = write(inner, rows("file,label", f"{scans}/scans/0.png,a", "../scans/1.png,b"))
    _, layout = laid_out(table, None, None)
    assert [photo.path.name for photo in layout.photos["all"]] == ["0.png", "1.png"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must begin with a line that names its columns, 'file' and 'label' at least. Found: nothing."),
        ("scans/0.png,ill\nscans/1.png,well\n", "Found: 'scans/0.png', 'ill'."),
        ("file|label\nscans/0.png|ill\n", "Found: 'file|label'."),
        ("file,label\n", "must have a line for each image. It has none."),
        ("file,file,label\na,b,c\n", "must have one column 'file'. Found: 2."),
        ("file,label\nscans/0.png\n", "Line 2 of .* has 1 cells where there are 2 columns"),
        ("file,label\nscans/a,b.png,ill\n", "Line 2 of .* has 3 cells .*must stand in quotes"),
        ('file,label\n"scans/0.png,ill\n', "cannot be read as a table: line 2: unexpected end of data"),
        ('file,label\n"a"b.png,ill\n', "cannot be read as a table: line 2"),
        ("file,label\nscans/0.png,\nscans/1.png,b\n", "must have a label in every line. Empty: line 2."),
        ("file,label\n,a\n ,a\n,b\n,b\n", "must have a file in every line. Empty: 4 lines, 2, 3, 4, …."),
        ("file,label\nscans/0.png,a\nscans/1.png,a\n", "must hold at least two labels. Found: one, 'a'."),
        (
            "file,label\nscans/0.png,a\n./scans/0.png,b\n",
            "lists ./scans/0.png twice, with label 'a' in line 2 and 'b'",
        ),
        (
            "file,label,split\nscans/0.png,a,train\nscans/0.png,a,test\nscans/1.png,b,train\n",
            "with split 'train' in",
        ),
        (
            "file,label,group\nscans/0.png,a,P\nscans/0.png,a,Q\nscans/1.png,b,\n",
            "with group 'P' in line 2 and 'Q'",
        ),
        (
            "file,label,split\nscans/0.png,a,train\nscans/1.png,b,\n",
            "split in every line, or in none, .*Empty: line 3.",
        ),
        ("file,label,split\nscans/0.png,a,train\nscans/1.png,b,fold7\n", "Received: 'fold7', in line 3 of"),
        (
            "file,label,split\nscans/0.png,a,test\nscans/1.png,b,val\n",
            "lines of the split 'train' to train on",
        ),
        (
            "file,label,split\nscans/0.png,a,train\nscans/1.png,b,val\n",
            "at least two labels to train on. Found: one, 'a'",
        ),
        (
            "file,label,split\nscans/0.png,a,train\nscans/1.png,b,train\nscans/2.png,c,val\n",
            "Label 'c' is in the validation part of .* .line 4., but not in its train part",
        ),
        (
            "file,label\nnot/0.png,a\nnot/1.png,b\n",
            "None of the 2 files of .* is there as an image; their paths count from",
        ),
        ("file,label\na\0.png,a\nb.png,b\n", "cannot be read as a table|is there as an image"),
        ("file,label\n" + "x" * 200_000 + ",a\n", "cannot be read as a table: line 2: field larger"),
    ],
)
def test_tables_that_cannot_be_used_are_one_sentence(scans, text, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        laid_out(write(scans, text), None, None)
    assert "\n" not in str(caught.value)


def test_other_encodings_other_files_and_other_columns_are_one_sentence(scans):
    good = "file,label\nscans/0.png,ill\nscans/1.png,wéll\n"
    for encoding in ("utf-16", "latin-1"):
        with pytest.raises(InputError, match="is no text in UTF-8. Save it as 'CSV UTF-8'."):
            laid_out(write(scans, good, encoding=encoding), None, None)
    with pytest.raises(
        InputError, match="Unknown column of .* for `group`. Received: 'fil'. Did you mean 'file'?"
    ):
        laid_out(write(scans, good), "fil", None)
    with pytest.raises(InputError, match="Unknown column of .* for `group`. Received: 'folder'"):
        laid_out(write(scans, good), "folder", None)
    with pytest.raises(
        InputError, match="There is no folder at .*labels.json but a file, and a table's name ends in .csv"
    ):
        load(write(scans, good, "labels.json"))
    assert not is_there(scans / "labels.json") and not is_there(scans / "absent.csv")


def test_lines_of_an_exclusion_count_from_the_table(scans):
    table = write(
        scans, rows("file,label", *(f"scans/{number}.png,{'ab'[number % 2]}" for number in range(6)))
    )
    out = write(scans, "scans/0.png\nscans/9.png\n", "out.txt")
    layout, shown = read(table, exclude=str(out))
    assert len(shown["all"]) == 5 and "name" in layout.remarks[0] and "scans/9.png" in layout.remarks[0]


def test_a_table_is_the_same_data_as_the_folder_that_it_lists(tmp_path):
    lines = []
    for name, color in (("cats", RED), ("dogs", BLUE)):
        for number in range(8):
            save(tmp_path / "pets" / name / f"{number}.png", tuple(part + number for part in color))
            lines.append(f"pets/{name}/{number}.png,{name}")
    table, folder = load(write(tmp_path, rows("file,label", *lines)), 32, 5), load(tmp_path / "pets", 32, 5)
    assert table.fingerprint == folder.fingerprint and table.class_names == folder.class_names
    assert table.train.paths.tolist() == folder.train.paths.tolist() and table.reading == folder.reading
    assert np.array_equal(table.validation.labels, folder.validation.labels)


@pytest.mark.parametrize("split", [["train", "Training", "TRAIN", "train", "val", "Dev"], None])
def test_the_script_lays_the_files_of_a_table_out_as_folders(scans, split):
    parts = split or [""] * 6
    lines = [f"{'ab'[number % 2]};scans\\{number}.png;{part}" for number, part in enumerate(parts)]
    table = write(scans, rows('Label;"File";Split', *lines))
    text = script(Experiment(dataset=str(table), exclude="out.txt"))
    made = {}
    exec(re.sub("(?m)^(import keras|from keras .*)$", "", text.partition("SIZE = ")[0]), made)
    place = Path(made["DATA"])
    found = {
        (each.parent.relative_to(place).as_posix(), each.resolve().name) for each in place.rglob("*.png")
    }
    shutil.rmtree(place)
    _, shown = read(table)
    names = {"all": "", "train": "train/", "validation": "validation/"}
    assert found == {
        (names[part] + label, Path(path.replace("\\", "/")).name)
        for part, its in shown.items()
        for path, label, _ in its
    }
    assert "# 'out.txt'" in text and ("kept whole groups" in text) == (split is None)


def test_one_image_of_a_label_is_one_sentence(tmp_path):
    for number in range(3):
        save(tmp_path / f"{number}.png")
    table = write(tmp_path, "file,label\n0.png,a\n1.png,a\n2.png,b\n")
    with pytest.raises(
        InputError, match=re.escape("Class 'b' in") + ".*labels.csv needs at least two images"
    ):
        load(table, 32)
