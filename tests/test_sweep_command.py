"""The command `vgglab sweep`: what it makes of its words, and how it ends."""

import itertools
import re
import sys

import pandas as pd
import pytest

from vgglab import sweep_run
from vgglab.cli import _FLAGS, main
from vgglab.commands.sweep import _values
from vgglab.experiment import FIELDS
from vgglab.share.store import read_run

SMALL = ("--image-size", "32", "--epochs", "2")


def run(*arguments):
    return main(["sweep", *map(str, arguments)])


def test_lists_make_a_grid_a_table_and_a_heatmap(tmp_path, capsys, made_by_hand):
    out = tmp_path / "swept"
    command = (*SMALL, "--unfreeze", "0,3,13", "--learning-rate", "1e-3, 1e-4", "--seeds", 2, "--out", out)
    assert run(*command) == 0
    asked = {(each.unfreeze, each.learning_rate, each.seed) for each in made_by_hand}
    assert asked == set(itertools.product((0, 3, 13), (1e-3, 1e-4), (0, 1))) and len(made_by_hand) == 12
    assert {each.image_size for each in made_by_hand} == {32}
    printed = capsys.readouterr().out
    assert printed.startswith("12 runs: 6 settings, 2 seeds each.\n")
    assert "12 of 12: unfreeze depth 13, learning rate 0.0001, seed 1: train" in printed
    assert "the best on validation is unfreeze depth 13" in printed and "optimistic" in printed
    # By hand: 0.5 + unfreeze / 100 + seed / 10, so the mean of two seeds is 0.05 higher.
    assert re.search(r"13 +0.001 +2 +68.0% ± 63.5", printed), printed
    table = pd.read_csv(out / "sweep.csv")
    assert table["validation_accuracy"].tolist() == pytest.approx([0.55, 0.55, 0.58, 0.58, 0.68, 0.68])
    assert (out / "sweep.png").exists() and len([*out.glob("run-*")]) == 12
    assert run(*command) == 0 and len(made_by_hand) == 12
    assert "Done already: 12." in capsys.readouterr().out


def test_what_holds_commas_is_repeated_and_seeds_may_be_a_list(tmp_path, made_by_hand):
    words = ("--augment", "none", "--augment", "flip,rotation=20", "--patience", "none,3")
    assert run(*SMALL, *words, "--seeds", "3,0", "--out", tmp_path / "a") == 0
    assert {(dict(e.augment).get("rotation"), e.patience, e.seed) for e in made_by_hand} == set(
        itertools.product((None, 20), (None, 3), (3, 0))
    )
    assert read_run(tmp_path / "a" / "run-1").experiment.seed == 3


def test_every_option_of_train_is_one_of_sweep_but_the_seed(capsys):
    with pytest.raises(SystemExit):
        run("--help")
    printed = " ".join(capsys.readouterr().out.split())
    for name, flag in _FLAGS.items():
        assert (f"{flag} " in printed) == (name != "seed"), flag
    assert "--augment" in printed.partition("may hold commas themselves")[0]
    for name, toggle in FIELDS.items():
        words = ["a,b"] if toggle.holds_commas else ["a", "b"]
        assert _values("--x", name, ["a,b"]) == words


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--unfreeze", ""), "`--unfreeze` must have a value on both sides of each comma. Received: ''."),
        (
            ("--unfreeze", "0,,3"),
            "`--unfreeze` must have a value on both sides of each comma. Received: '0,,3'.",
        ),
        (("--unfreeze", "0,three"), "`unfreeze` must be a whole number, 0 to 13. Received: 'three'."),
        (("--unfreeze", "0,14"), "`unfreeze` must be 0 to 13. Received: 14."),
        (("--unfreeze", "3,0,3"), "`unfreeze` has the value 3 twice; each may come once."),
        (("--unfreeze", "3", "--unfreeze", "3"), "`unfreeze` has the value 3 twice"),
        (("--learning-rate", "1e-3;1e-4"), "`learning_rate` must be 1e-08 to 1. Received: '1e-3;1e-4'."),
        (("--backbone", "vgg16-mini,vgg19"), "Unknown backbone. Received: 'vgg19'. Did you mean 'vgg16'?"),
        (("--augment", "flop"), "Unknown augmentation. Received: 'flop'. Did you mean"),
        (("--seeds", "0"), "`seeds` must be a number of at least 1, or different seeds. Received: 0."),
        (("--seeds", "a"), "`--seeds` must be a number of seeds, or whole numbers with commas between them."),
        (("--seeds", "1,1"), "`seeds` must be a number of at least 1, or different seeds. Received: [1, 1]."),
        (("--seeds", "2.5"), "`--seeds` must be a number of seeds"),
        (("--seed", "3"), "unrecognized arguments: --seed 3"),
        (("--unfreze", "3"), "unrecognized arguments: --unfreze 3. Did you mean '--unfreeze'?"),
        (("--data", "no such folder"), "There is no folder of images at no such folder."),
        (("--weights", "no.h5"), "There is no weights file at no.h5."),
        (("--workers", "0"), "`workers` must be at least 1. Received: 0."),
        (("--workers", "2", "--scheduler", "tcp://h:1"), "not allowed with argument"),
        (("--scheduler", "nowhere://1:1"), "No Dask scheduler answers at nowhere://1:1"),
    ],
)
def test_a_wrong_word_gets_one_sentence(words, sentence, tmp_path, capsys, made_by_hand):
    out = tmp_path / "swept"
    try:
        code = run(*words, "--out", out)
    except SystemExit as ended:
        code = ended.code
    captured = capsys.readouterr()
    assert code == 2 and captured.err.startswith("vgglab: ") and captured.err.count("\n") == 1
    assert sentence in captured.err and not made_by_hand and not out.exists()


def test_out_that_is_a_file_or_something_else_is_left_alone(tmp_path, capsys, made_by_hand):
    (tmp_path / "file").write_text("mine")
    assert run("--out", tmp_path / "file") == 2
    assert "`out` must be a folder. Received:" in capsys.readouterr().err
    assert run("--out", tmp_path) == 2
    assert "holds something else than a sweep, such as file" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine" and not made_by_hand


def test_without_dask_the_sentence_says_how_to_install_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert run("--scheduler", "tcp://h:1", "--out", tmp_path / "a") == 2
    error = capsys.readouterr().err
    assert (
        error
        == "vgglab: `scheduler` needs Dask, which is not installed. `pip install distributed` installs it.\n"
    )


def test_a_stop_keeps_what_is_finished_and_the_same_command_goes_on(
    tmp_path, capsys, monkeypatch, made_by_hand
):
    right, out = sweep_run.train, tmp_path / "swept"

    def stopped(experiment, *arguments, control=None, **options):
        if experiment.unfreeze == 3:
            control.came = True  # as Ctrl-C has it
        history = right(experiment, *arguments, control=control, **options)
        if experiment.unfreeze == 3:
            history.note("stopped", "Stopped; the epochs before are kept.")
        return history

    monkeypatch.setattr(sweep_run, "train", stopped)
    command = (*SMALL, "--unfreeze", "0,3,13", "--seeds", 1, "--out", out)
    assert run(*command) == 130
    captured = capsys.readouterr()
    assert f"The same command goes on in {out}." in captured.out and captured.err == ""
    assert pd.read_csv(out / "sweep.csv")["seeds"].tolist() == [1, 0, 0]
    monkeypatch.setattr(sweep_run, "train", right)
    assert run(*command) == 0 and pd.read_csv(out / "sweep.csv")["seeds"].tolist() == [1, 1, 1]


def test_what_fails_is_said_and_the_others_are_kept(tmp_path, capsys, monkeypatch, made_by_hand):
    right = sweep_run.train

    def fails(experiment, *arguments, **options):
        if experiment.unfreeze == 3:
            raise MemoryError("not enough")
        return right(experiment, *arguments, **options)

    monkeypatch.setattr(sweep_run, "train", fails)
    assert run(*SMALL, "--unfreeze", "0,3,13", "--seeds", 1, "--out", tmp_path / "a") == 2
    captured = capsys.readouterr()
    assert captured.err == "vgglab: unfreeze depth 3, seed 0: MemoryError: not enough\n"
    assert "The same command goes on in" in captured.out
