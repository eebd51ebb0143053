import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image

from vgglab.cli import main
from vgglab.history import History


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name, low in (("dark", 0), ("light", 150)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(8):
            pixels = rng.integers(low, low + 100, (40, 50, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


def run(*arguments):
    return main([str(each) for each in arguments])


def test_a_run_is_written_whole(folder, tmp_path, capsys):
    out = tmp_path / "run"
    (folder / "dark" / "broken.png").touch()
    code = run(
        "train",
        "--data",
        folder,
        "--image-size",
        32,
        "--unfreeze",
        3,
        "--epochs",
        2,
        "--batch-size",
        4,
        "--augment",
        "flip,rotation",
        "--mixup",
        0.2,
        "--l2",
        "1e-3",
        "--out",
        out,
    )
    printed = capsys.readouterr().out
    assert code == 0 and "gap" in printed and "points" in printed and "broken.png: zero bytes" in printed
    assert sorted(each.name for each in out.iterdir()) == ["accuracy.png", "history.jsonl", "model.keras"]
    history = History.load(out / "history.jsonl")
    assert len(history.epochs) == 2 and dict(history.experiment.augment) == {"flip": 1, "rotation": 20}
    assert (history.experiment.l2, history.experiment.mixup, history.data["skipped"]) == (1e-3, 0.2, 1)
    assert keras.saving.load_model(out / "model.keras").output_shape == (None, 2)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["photos", "run"]


def test_a_test_part_is_judged_once_at_the_end(folder, tmp_path, capsys):
    for part in ("train", "validation", "test"):
        shutil.copytree(folder, tmp_path / "split" / part)
    assert (
        run("train", "--data", tmp_path / "split", "--image-size", 32, "--epochs", 1, "--batch-size", 4) == 0
    )
    printed = " ".join(capsys.readouterr().out.split())
    assert "On the 16 test images, which no choice was made on:" in printed


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train", "--unfreeeze", "3"], "Did you mean '--unfreeze'?"),
        (["train", "--epochs", "many"], "argument --epochs: invalid int value: 'many'"),
        (["train", "--unfreeze", "33"], "`unfreeze` must be 0 to 13. Received: 33."),
        (["train", "--augment", "flipp"], "Did you mean 'flip'?"),
        (["train", "--backbone", "vgg-16"], "Did you mean 'vgg16'?"),
        (["train", "--data", "/nowhere"], "There is no folder at /nowhere."),
        (["train", "--out", "/"], "/ exists already; `--out` must name a new folder."),
        (
            ["train", "--batch-size", "200"],
            "`batch_size` must be at most the number of training images, 160.",
        ),
        (["train", "--weights", "absent.h5"], "There is no weights file at absent.h5."),
        ([], "the following arguments are required: COMMAND"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_code_2(arguments, sentence, capsys):
    try:
        code = main(arguments)
    except SystemExit as exit:
        code = exit.code
    error = capsys.readouterr().err
    assert code == 2 and sentence in error and len(error.splitlines()) == 1


@pytest.mark.slow
def test_the_command_is_installed():
    subprocess.run([sys.executable, "-m", "vgglab", "train", "--help"], check=True, stdout=subprocess.DEVNULL)
