"""The image folder of the data set: that the shipped one is what is drawn, and how another is written."""

import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from conftest import ROOT
from recipe import blossoms
from recipe.blossoms import write_folder
from vgglab.datasets.blossoms import NARROW, SPECIES, WIDE, draw
from vgglab.errors import InputError

SHIPPED = ROOT / "data" / "blossoms"


@pytest.mark.parametrize(("split", "count", "seed"), [("train", 20, 0), ("validation", 50, 1)])
def test_shipped_pixels_are_reproduced(split, count, seed):
    names = [species.name for species in SPECIES]
    assert sorted(path.name for path in (SHIPPED / split).iterdir()) == names
    shipped = []
    for name in names:
        files = sorted((SHIPPED / split / name).iterdir())
        assert [file.name for file in files] == [f"{index:03d}.png" for index in range(count)]
        for file in files:
            with Image.open(file) as image:
                assert (image.format, image.mode, image.size) == ("PNG", "RGB", (64, 64))
                shipped.append(np.asarray(image, dtype=int))
    drawn = np.concatenate([draw(species, count, seed=seed) for species in SPECIES])
    difference = np.abs(np.stack(shipped) - drawn)
    # Not plainly equal: the last bits of sine and power differ between processors, and now and
    # then they decide which of two bytes a value is rounded to.
    assert difference.max() <= 1
    assert (difference == 0).mean() >= 0.999


def test_write_folder_writes_what_draw_draws(tmp_path):
    folder = tmp_path / "new" / "flowers"
    write_folder(folder, train=1, validation=2, validation_nuisances=NARROW, image_size=16, seed=3)
    assert len(list(folder.rglob("*.png"))) == 8 * 3
    for species in SPECIES:
        with Image.open(folder / "train" / species.name / "000.png") as image:
            assert np.array_equal(image, draw(species, 1, WIDE, 16, seed=6)[0])
        with Image.open(folder / "validation" / species.name / "001.png") as image:
            assert np.array_equal(image, draw(species, 2, NARROW, 16, seed=7)[1])
    assert [path.name for path in folder.parent.iterdir()] == ["flowers"]


def test_write_folder_refuses_a_folder_that_exists(tmp_path):
    (tmp_path / "kept.txt").write_text("kept")
    with pytest.raises(InputError, match="must not exist yet. Received: .*" + tmp_path.name):
        write_folder(tmp_path, train=1, validation=1, image_size=16)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


@pytest.mark.parametrize("failure", [OSError, KeyboardInterrupt])
def test_write_folder_leaves_nothing_when_it_fails_midway(tmp_path, monkeypatch, failure):
    drawn = []

    def failing_draw(species, *arguments):
        if len(drawn) == 5:
            raise failure
        drawn.append(species)
        return draw(species, *arguments)

    monkeypatch.setattr(blossoms, "draw", failing_draw)
    with pytest.raises(failure):
        write_folder(tmp_path / "flowers", train=1, validation=1, image_size=16)
    assert len(drawn) == 5
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_when_the_folder_exists(tmp_path):
    command = [sys.executable, "-m", "recipe.blossoms", str(tmp_path)]
    path = dict(os.environ, PYTHONPATH=str(ROOT / "data"))
    run = subprocess.run(command, capture_output=True, text=True, env=path)
    assert run.returncode == 1
    assert run.stderr.startswith("blossoms: `folder` must not exist yet.")
