import contextlib
import io
import os
import shlex
import shutil
import signal
import subprocess
import sys
from functools import partial

import keras
import numpy as np
import pytest
from PIL import Image

import vgglab
from vgglab import phase
from vgglab.charts import curves
from vgglab.cli import main
from vgglab.datasets import load
from vgglab.engine.feed import feed
from vgglab.epoch_bar import EpochBar
from vgglab.history import History
from vgglab.network import configure
from vgglab.share.run_folder import RunFolder
from vgglab.terminal import Output


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
    assert history.predictions.epoch == history.kept["epoch"]
    assert history.predictions.right.mean() == history.kept["validation_accuracy"]
    assert len(history.epochs) == 2 and dict(history.experiment.augment) == {"flip": 1, "rotation": 20}
    assert (history.experiment.l2, history.experiment.mixup, history.data["skipped"]) == (1e-3, 0.2, 1)
    assert keras.saving.load_model(out / "model.keras").output_shape == (None, 2)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["photos", "run"]


def test_a_test_part_is_judged_once_at_the_end(folder, tmp_path, capsys):
    """With wrong labels to train on, and against what Keras finds for the model that was written."""
    for part in ("train", "validation", "test"):
        shutil.copytree(folder, tmp_path / "split" / part)
    for number in range(3):
        (tmp_path / "split" / "test" / "dark" / f"{number}.png").unlink()
    arguments = ["train", "--data", tmp_path / "split", "--image-size", 32, "--epochs", 1, "--batch-size", 4]
    arguments += ["--images-a-class", 6, "--label-noise", 0.5, "--seed", 2, "--out", tmp_path / "run"]
    assert run(*arguments) == 0
    printed = " ".join(capsys.readouterr().out.split())
    history = History.load(tmp_path / "run" / "history.jsonl")
    assert printed.count("On the 13 test images, which no choice was made on:") == 1
    assert history.tested() in printed
    wrong = history.data["wrong_labels"]
    assert 0 < wrong <= 6 and history.experiment.label_noise == 0.5
    for sentence in (
        "12 of the 16 training images are used, 6 of each class.",
        f"Of the 12 training labels 6 were redrawn: {wrong} of them are wrong now",
    ):
        assert printed.count(sentence) == 1
    test = load(tmp_path / "split", 32).test
    model = keras.saving.load_model(tmp_path / "run" / "model.keras")
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    loss, accuracy = model.evaluate(test.images, test.labels, verbose=0)
    figures = (history.test["loss"], history.test["accuracy"])
    assert figures == (pytest.approx(loss, rel=1e-3), pytest.approx(accuracy))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train", "--unfreeeze", "3"], "Did you mean '--unfreeze'?"),
        (["train", "--epochs", "many"], "argument --epochs: invalid int value: 'many'"),
        (["train", "--unfreeze", "33"], "`unfreeze` must be 0 to 13. Received: 33."),
        (["train", "--label-noise", "1.5"], "`label_noise` must be 0 to 1. Received: 1.5."),
        (["train", "--images-a-class", "0"], "`images_a_class` must be 1 to 100000 or None. Received: 0."),
        (["train", "--images-a-class", "3"], "the number of training images, 24. Received: 32."),
        (["train", "--augment", "flipp"], "Did you mean 'flip'?"),
        (["train", "--backbone", "vgg-16"], "Did you mean 'vgg16'?"),
        (["train", "--class-weight", "balance"], "Did you mean 'balanced'?"),
        (["train", "--monitor", "macro-f1"], "Did you mean 'macro F1'?"),
        (["train", "--monitor", ""], "Unknown monitor. Received: ''."),
        (["train", "--data", "/nowhere"], "There is no folder at /nowhere."),
        (["train", "--out", "/"], "/ exists already; `out` must name a new folder."),
        (
            ["train", "--batch-size", "200"],
            "`batch_size` must be at most the number of training images, 160.",
        ),
        (["train", "--weights", "absent.h5"], "There is no weights file at absent.h5."),
        (
            ["train", "--weights", "~nobody_of_this_name/x.h5"],
            "There is no home folder for ~nobody_of_this_name.",
        ),
        (["train", "--weights", "/" + 300 * "x"], "There is no weights file at /xxx"),
        (["train", "--data", "~nobody_of_this_name"], "There is no home folder for ~nobody_of_this_name."),
        (["train", "--data", ""], "`dataset` must be a name or a path. Received: ''."),
        (["train", "--data", 1000 * "long/"], "cannot be read: file name too long."),
        (["train", "--out=~nobody_of_this_name/run"], "There is no home folder for ~nobody_of_this_name."),
        (["train", "--out", 300 * "x"], "xxx: file name too long."),
        (["train", "--out", "/dev/null/run"], "`out` cannot be in /dev/null: it is no folder."),
        (["train", "--seed", 5000 * "9"], "argument --seed: invalid int value"),
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


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit) as exit:
        main(["--version"])
    assert exit.value.code == 0 and capsys.readouterr().out == f"vgglab {vgglab.__version__}\n"


SMALL = ["train", "--image-size", 32, "--epochs", 1, "--batch-size", 4, "--unfreeze", 0]


def test_what_users_named_is_printed_as_it_is(folder, tmp_path, capsys, monkeypatch):
    """Brackets and colons mean something to Rich, and a tilde to the shell, which leaves it in `--out=~/x`."""
    monkeypatch.setenv("HOME", str(tmp_path))
    out = "exp [lr=0.01] :dog: [/x]"
    data = tmp_path / "[bold]set :cat: [/x]"
    data.parent.mkdir()
    folder.rename(data)
    (data / "dark" / "[red]broken.png").touch()
    assert run(*SMALL, "--data", data, f"--out=~/{out}") == 0
    printed = capsys.readouterr().out
    assert (
        f"Written to {tmp_path / out}: accuracy.png, history.jsonl, model.keras" in printed
        and f"{data}: 2 classes" in printed
    )
    assert f"{data}/dark/[red]broken.png: zero bytes" in printed
    assert sorted(each.name for each in (tmp_path / out).iterdir())[-1] == "model.keras"


def test_a_name_of_any_length_is_written(folder, tmp_path):
    assert run(*SMALL, "--data", folder, "--out", tmp_path / (255 * "n")) == 0


def test_of_a_weights_file_it_is_said_that_its_head_is_not_used(folder, tmp_path, capsys):
    assert run(*SMALL, "--data", folder, "--out", tmp_path / "first") == 0
    assert "its head is not" not in capsys.readouterr().out
    weights = tmp_path / "first" / "model.keras"
    assert run(*SMALL, "--data", folder, "--weights", weights, "--seed", 1, "--out", tmp_path / "second") == 0
    assert (
        f"Of {weights} the conv layers are used; its head is not, if it has one." in capsys.readouterr().out
    )
    before, after = (keras.saving.load_model(tmp_path / name / "model.keras") for name in ("first", "second"))
    for layer in before.layers:
        if layer.count_params():
            now = after.get_layer(layer.name).get_weights()[0]
            assert (now == layer.get_weights()[0]).all() == ("conv" in layer.name)


def test_odd_pixels_are_reported(folder, capsys):
    for path in folder.rglob("*.png"):
        Image.fromarray(np.asarray(Image.open(path)) // 255).save(path)
    assert run(*SMALL, "--data", folder) == 0
    assert "Warning: All training images are the same." in capsys.readouterr().out


def test_an_error_has_the_reasons(folder, capsys):
    for path in (folder / "dark").iterdir():
        path.write_text("no image")
    assert run(*SMALL, "--data", folder) == 2
    error = capsys.readouterr().err
    assert "Readable: 0. Left out:" in error and "8 files: not an image of a format that is read" in error


@pytest.mark.parametrize(
    ("happens", "code", "sentence"),
    [
        (
            lambda *given: signal.raise_signal(signal.SIGINT),
            130,
            "Interrupted before there was anything to keep.",
        ),
        (lambda *given: exec("raise MemoryError"), 2, "memory of this machine was not enough"),
        (lambda *given: os.listdir("/proc/nowhere"), 2, "cannot be read: no such file or directory."),
    ],
)
@pytest.mark.parametrize(
    "where",
    ["vgglab.datasets.folder.laid_out", "vgglab.datasets.decoding.read", "vgglab.network.build_network"],
)
def test_what_happens_while_it_gets_ready_is_one_sentence(
    folder, monkeypatch, capsys, happens, code, sentence, where
):
    monkeypatch.setattr(where, happens)
    assert run(*SMALL, "--data", folder) == code
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1 and sentence.replace("read", "used" if "network" in where else "read") in error[0]


def test_where_no_folder_may_be_made_is_said_before_the_run(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(os, "access", lambda *given: False)
    assert run(*SMALL, "--data", folder, "--out", tmp_path / "new" / "run") == 2
    printed = capsys.readouterr()
    assert f"`out` cannot be in {tmp_path}: no new folder may be made there." in printed.err
    assert not printed.out and not (tmp_path / "new").exists()


def test_a_run_that_was_cut_short_goes_on_by_command(folder, tmp_path, monkeypatch, capsys):
    out = tmp_path / "my run"
    command = [*SMALL, "--data", folder, "--epochs", 3, "--unfreeze", 1]
    assert run(*command) == 0
    whole = capsys.readouterr().out.splitlines()
    rows = [line for line in whole if line.startswith("│ last")]
    train_epoch = phase._Going._train_epoch
    monkeypatch.setattr(phase._Going, "_train_epoch", _interrupted_in(2, train_epoch))
    assert run(*command, "--out", out) == 130
    printed = capsys.readouterr().out
    assert "Stopped; the epochs before are kept." in printed
    assert f"To go on: vgglab train --resume '{out}'" in printed
    monkeypatch.undo()
    assert run("train", "--resume", out, "--l2", 0.1) == 2
    error = capsys.readouterr().err
    assert f"The run in {out} can only go on as it began, but `l2` was 0.0 and is 0.1." in error
    assert run("train", "--resume", out, "--unfreeze", 1) == 0
    printed = capsys.readouterr().out
    assert "Epochs finished: 1." in printed and "To go on" not in printed
    assert rows and all(row in printed for row in rows)
    assert run("train", "--resume", out) == 0
    assert f"Nothing is left to do in {out}." in capsys.readouterr().out
    assert run("train", "--resume", tmp_path / "nowhere") == 2
    assert "is not the folder of a run: there is no such folder." in capsys.readouterr().err


def _interrupted_in(epoch, train_epoch):
    def interrupted(self, steps, fed, number):
        if number == epoch - 1:
            signal.raise_signal(signal.SIGINT)
        train_epoch(self, steps, fed, number)

    return interrupted


BROKEN_OFF = "Interrupted before there was anything to keep."


def again(original, number=signal.SIGINT, times=1):
    """The same function, during which a signal arrives, or several."""

    def interrupted(*given, **named):
        for _ in range(times):
            signal.raise_signal(number)
        return original(*given, **named)

    return interrupted


def test_a_chart_that_fails_costs_nothing_that_was_trained(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("vgglab.charts.curves.plot_accuracy", lambda *given: exec("raise ValueError('no')"))
    assert run(*SMALL, "--data", folder, "--out", tmp_path / "run") == 0
    printed = capsys.readouterr().out
    assert "The chart could not be drawn (ValueError: no)." in printed
    assert sorted(each.name for each in (tmp_path / "run").iterdir()) == ["history.jsonl", "model.keras"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_asks_a_training_to_stop_ends_it_and_loses_nothing(
    folder, tmp_path, capsys, monkeypatch, number
):
    """It arrives twice in an epoch, as from somebody who presses Ctrl-C again, and again while the run is written."""
    before = signal.getsignal(number)
    monkeypatch.setattr(EpochBar, "count", again(EpochBar.count, number, times=2))
    monkeypatch.setattr("vgglab.charts.curves.save_chart", again(curves.save_chart, number))
    assert run(*SMALL, "--epochs", 500, "--data", folder, "--out", tmp_path / "run") == 130
    history = History.load(tmp_path / "run" / "history.jsonl")
    assert len(history.epochs) == 1 and history.events[-1]["kind"] == "stopped"
    assert "the epochs before are kept" in capsys.readouterr().out
    assert sorted(each.name for each in (tmp_path / "run").iterdir())[-1] == "model.keras"
    assert signal.getsignal(number) is before


def test_a_stop_while_a_finished_run_is_written_loses_nothing(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(RunFolder, "conclude", again(RunFolder.conclude, signal.SIGTERM, times=2))
    assert run(*SMALL, "--data", folder, "--out", tmp_path / "run") == 130
    assert len(History.load(tmp_path / "run" / "history.jsonl").epochs) == 1
    assert (tmp_path / "run" / "model.keras").is_file()


def broken_off(*given, **named):
    """What an extension module makes of a Ctrl-C while it is imported."""
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        raise ImportError("initialization failed") from None


def swallowed(*given, **named):
    with contextlib.suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    return []


@pytest.mark.parametrize(
    ("where", "happens"),
    [
        ("vgglab.phase.feed", again(feed)),
        ("vgglab.phase.configure", again(configure, signal.SIGTERM, times=2)),
        ("vgglab.network.build_network", broken_off),
        ("vgglab.commands.train.cautions", swallowed),
    ],
)
def test_a_stop_before_the_first_epoch_is_one_sentence_and_no_run(
    folder, tmp_path, capsys, monkeypatch, where, happens
):
    monkeypatch.setattr(where, happens)
    assert run(*SMALL, "--data", folder, "--out", tmp_path / "run") == 130
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [f"vgglab: {BROKEN_OFF}"]
    assert "did not move" not in printed.out and not (tmp_path / "run").exists()


def test_a_signal_that_is_ignored_stays_so(folder, monkeypatch):
    """As `nohup` has it for the end of the terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    monkeypatch.setattr(EpochBar, "count", again(EpochBar.count, signal.SIGHUP))
    try:
        assert run(*SMALL, "--data", folder) == 0
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def closed_pipe():
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w")


@pytest.mark.parametrize(
    ("output", "code", "sentence"),
    [
        (closed_pipe, 0, ""),
        (
            partial(open, "/dev/full", "w"),
            2,
            "vgglab: The output could not be written: no space left on device.",
        ),
        (partial(open, os.devnull, "w", encoding="ascii"), 0, ""),
        (lambda: None, 0, ""),
    ],
)
def test_a_training_goes_on_where_nothing_can_be_printed(
    folder, tmp_path, capsys, monkeypatch, output, code, sentence
):
    stream = output()
    monkeypatch.setattr(sys, "stdout", stream)
    data = folder.rename(tmp_path / "Blüten × 2 …")
    assert run(*SMALL, "--data", data, "--out", tmp_path / "run") == code
    assert sys.stdout is stream and capsys.readouterr().err.strip() == sentence
    assert len(History.load(tmp_path / "run" / "history.jsonl").epochs) == 1
    if stream:
        stream.close()  # nothing is left in it that would fail now


def test_what_an_encoding_lacks_is_printed_as_an_escape():
    written = io.BytesIO()
    output = Output(io.TextIOWrapper(written, encoding="ascii"))
    assert output.write("Blüten × 2\n") == 11
    output.flush()
    assert written.getvalue() == rb"Bl\xfcten \xd7 2" + b"\n" and output.error is None


@pytest.mark.slow
@pytest.mark.parametrize(("after", "code", "said"), [("| head -2", 0, 0), ("> /dev/full", 2, 1)])
def test_a_shell_that_takes_no_output_gets_the_run(folder, tmp_path, after, code, said):
    """To the end of Python itself, which writes what is left in its buffers."""
    arguments = shlex.join(map(str, [*SMALL, "--data", folder, "--out", tmp_path / "run"]))
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{sys.executable} -m vgglab {arguments} {after}"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == code and len(done.stderr.splitlines()) == said
    assert (tmp_path / "run" / "model.keras").is_file()


@pytest.mark.slow
def test_the_command_is_installed():
    subprocess.run([sys.executable, "-m", "vgglab", "train", "--help"], check=True, stdout=subprocess.DEVNULL)
