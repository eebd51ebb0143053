"""A sweep in this process: what it makes, what it reads, what it goes on with, and what it comes to."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from test_history import make_history
from test_store import PLAIN, Killed, same
from vgglab import sweep_run
from vgglab.charts.sweep import plot_sweep, save_sweep
from vgglab.combinations import grid, in_effect
from vgglab.engine.control import Control
from vgglab.errors import InputError
from vgglab.experiment import Experiment, with_seed
from vgglab.history import History
from vgglab.measures.sweep_table import best_setting, sweep_table
from vgglab.share import run_folder
from vgglab.share.store import CHECKPOINT, MODEL, RECORD, locked, read_run
from vgglab.share.sweep_folder import PICTURE, TABLE, SweepFolder
from vgglab.sweeping import run_sweep, sweep
from vgglab.training import train

SHORT = dataclasses.replace(PLAIN, epochs=2)


def quiet(sentence):
    pass


def runs_of(settings, seeds, accuracy):
    """Records made by hand, whose last validation accuracy is that of `accuracy(setting, seed)`."""
    made = {}
    for each in settings:
        for seed in seeds:
            history = make_history(validation=(0.1, accuracy(each, seed)), train=(0.5, 0.9))
            history.experiment = with_seed(each, seed)
            made[in_effect(history.experiment)] = history
    return made


# The table


def test_the_table_has_the_means_by_hand():
    settings = grid(unfreeze=[0, 3], learning_rate=[1e-3, 1e-4])
    rng = np.random.default_rng(0)
    drawn = {(each, seed): rng.uniform(0.4, 0.9) for each in settings for seed in range(4)}
    table = sweep_table(settings, range(4), runs_of(settings, range(4), lambda *of: drawn[of]))
    assert table[["unfreeze", "learning_rate"]].values.tolist() == [
        [0, 1e-3],
        [0, 1e-4],
        [3, 1e-3],
        [3, 1e-4],
    ]
    for each, row in zip(settings, table.itertuples()):
        values = np.array([drawn[each, seed] for seed in range(4)])
        low, high = stats.t.interval(0.95, 3, loc=values.mean(), scale=stats.sem(values))
        assert row.validation_accuracy == pytest.approx(values.mean())
        assert (row.validation_accuracy_low, row.validation_accuracy_high) == pytest.approx((low, high))
        assert row.gap == pytest.approx((0.9 - values).mean()) and row.train_accuracy == pytest.approx(0.9)
        assert (row.seeds, row.diverged, row.kept_epoch, row.seconds) == (4, 0, 2, 1.0)


def test_the_kept_epoch_counts_and_what_is_missing_is_said():
    settings = grid(unfreeze=[0, 3, 5, 7])
    runs = runs_of(settings[:3], [0, 1], lambda each, seed: 0.5)
    for share, history in zip((0.2, 0.4), runs.values()):  # of the first setting; older records have none
        history.epochs[-1]["validation_balanced_accuracy"] = history.epochs[0][
            "validation_balanced_accuracy"
        ] = share
    back = runs[in_effect(settings[0])]
    back.epochs[0]["validation_accuracy"] = 0.8
    back.note("restored", "", kept_epoch=1)
    del runs[in_effect(with_seed(settings[1], 1))]
    gone = runs[in_effect(settings[2])]
    gone.epochs.clear()
    gone.note("diverged", "The loss became nan.")
    table = sweep_table(settings, [0, 1], runs)
    assert table["seeds"].tolist() == [2, 1, 1, 0] and table["diverged"].tolist() == [0, 0, 1, 0]
    assert table["validation_accuracy"][:3].tolist() == pytest.approx([0.65, 0.5, 0.5])
    assert table["validation_balanced_accuracy"][0] == pytest.approx(0.3)
    assert (
        table["validation_balanced_accuracy"][1:].isna().all() and table["validation_macro_f1"].isna().all()
    )
    assert table["kept_epoch"][0] == 1.5
    assert math.isnan(table["validation_accuracy"][3]) and table["gap_low"][1:].isna().all()


def test_settings_are_written_so_that_they_can_be_told_apart():
    phases = [Experiment(), Experiment().then(unfreeze=5)]
    settings = [
        *grid(patience=[None, 3], augment=[(), ("flip",)], backbone=["vgg16-mini", "vgg16"]),
        phases[1],
    ]
    table = sweep_table(settings, [0], {})
    assert table["patience"].unique().tolist() == ["none", 3] and "later" in table
    assert len(table[["patience", "augment", "backbone", "later"]].drop_duplicates()) == 9


def test_the_best_is_called_optimistic_and_others_alike():
    settings = grid(unfreeze=[0, 3, 5])
    luck = [0.02, -0.01, 0.0]
    level = {0: 0.4, 3: 0.80, 5: 0.79}
    runs = runs_of(
        settings, range(3), lambda each, s: level[each.unfreeze] + luck[s] * (-1 if each.unfreeze == 5 else 1)
    )
    said = best_setting(settings, range(3), runs)
    assert said.startswith(
        "Of 3 settings the best on validation is unfreeze depth 3: 80.3%, the mean of 3 seeds."
    )
    assert "1 other cannot be distinguished" in said and "optimistic" in said and "test part" not in said
    for seed, history in enumerate(runs[in_effect(with_seed(settings[1], s))] for s in range(3)):
        history.test = dict(accuracy=0.7 + seed / 10, loss=1.0, calibration_error=0.1, images=9)
    assert "On the test part, which nothing was chosen on, it has 80.0%." in best_setting(
        settings, range(3), runs
    )
    assert best_setting(settings[:1], range(3), runs) == "" and best_setting(settings, range(3), {}) == ""
    # One run under two names is no second setting.
    same_run = grid(unfreeze=[0, 3], fill_mode=["nearest", "wrap"])
    assert best_setting(same_run, range(3), runs).startswith("Of 2 settings")


# The heatmap


def test_the_heatmap_has_a_cell_a_setting(tmp_path):
    settings = grid(unfreeze=[0, 3, 13], learning_rate=[1e-3, 1e-4])
    runs = runs_of(settings, range(2), lambda each, seed: 0.5 + each.unfreeze / 50 + seed / 10)
    del runs[in_effect(settings[1])], runs[in_effect(with_seed(settings[1], 1))]
    table = sweep_table(settings, range(2), runs)
    ax = plot_sweep(table)
    assert [each.get_text() for each in ax.get_xticklabels()] == ["0.001", "0.0001"]
    assert [each.get_text() for each in ax.get_yticklabels()] == ["0", "3", "13"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("learning rate", "unfreeze depth")
    half = stats.t.ppf(0.975, 1) * np.std([0.5, 0.6], ddof=1) / np.sqrt(2)
    written = [each.get_text() for each in ax.texts if each.get_text()]
    assert written[0] == f"55.0\n± {100 * half:.1f}" and len(written) == 5
    table.to_csv(tmp_path / "a.csv", index=False)
    again = plot_sweep(pd.read_csv(tmp_path / "a.csv"))
    assert [each.get_text() for each in again.texts] == [each.get_text() for each in ax.texts]


def test_one_field_is_a_row_none_is_a_cell_and_three_name_the_rows(tmp_path):
    for fields, shape, rows in [
        (dict(unfreeze=[0, 3, 13]), (1, 3), [""]),
        (dict(), (1, 1), [""]),
        (
            dict(unfreeze=[0, 3], dropout=[0, 0.5], augment=[(), dict(rotation=20), ("flip",)]),
            (4, 3),
            ["unfreeze depth 0, dropout 0", "unfreeze depth 0, dropout 0.5", "unfreeze depth 3, dropout 0"],
        ),
    ]:
        settings = grid(**fields)
        table = sweep_table(settings, [0], runs_of(settings, [0], lambda each, seed: 0.5))
        ax = plot_sweep(table, "gap")
        assert ax.collections[0].get_array().shape == shape
        assert [each.get_text() for each in ax.get_yticklabels()][:3] == rows
        save_sweep(table, tmp_path / "a.png")
        assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_no_table_is_not_drawn():
    table = sweep_table(grid(), [0], {})
    with pytest.raises(InputError, match="Unknown measure of a sweep. Received: 'accuracy'"):
        plot_sweep(table, "accuracy")
    for given in (pd.DataFrame(dict(a=[1])), None, [1, 2]):
        with pytest.raises(InputError, match="`table` must be a table that `sweep` returned"):
            plot_sweep(given)


# The runs


def test_each_run_is_that_of_train(tiny, tmp_path):
    settings, said = grid(SHORT, unfreeze=[0, 1]), []
    table = sweep(settings, tiny, [3], out=tmp_path / "out", say=said.append)
    assert said[0] == "2 runs: 2 settings, 1 seed each." and len(said) == 3
    assert said[1].startswith("1 of 2: unfreeze depth 0, seed 3: train ") and said[1].endswith(" left")
    assert table["runs"].tolist() == ["run-1", "run-2"]
    for setting, name in zip(settings, table["runs"]):
        stored, alone = read_run(tmp_path / "out" / name), train(with_seed(setting, 3), tiny)
        assert stored.is_finished and same(stored.history, alone)
        assert (tmp_path / "out" / name / MODEL).is_file()
    assert table["validation_accuracy"][1] == alone.kept["validation_accuracy"]
    assert (tmp_path / "out" / PICTURE).is_file()
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "out" / TABLE), table)
    bare = sweep(settings[1], tiny, [3], say=quiet)
    assert bare["validation_accuracy"][0] == table["validation_accuracy"][1] and "runs" not in bare


def test_the_same_call_reads_and_a_larger_one_adds(tiny, tmp_path, made_by_hand):
    first = sweep(grid(SHORT, unfreeze=[0, 1]), tiny, 2, out=tmp_path, say=quiet)
    assert len(made_by_hand) == 4
    again, said = sweep(grid(SHORT, unfreeze=[0, 1]), tiny, 2, out=tmp_path, say=quiet), []
    assert len(made_by_hand) == 4
    pd.testing.assert_frame_equal(first, again)
    more = sweep(grid(SHORT, unfreeze=[2, 1, 0]), tiny, 3, out=tmp_path, say=said.append)
    assert said[0] == "9 runs: 3 settings, 3 seeds each. Done already: 4."
    asked = [(each.unfreeze, each.seed) for each in made_by_hand[4:]]
    assert asked == [(2, 0), (2, 1), (2, 2), (1, 2), (0, 2)]
    assert more["unfreeze"].tolist() == [2, 1, 0] and more["seeds"].tolist() == [3, 3, 3]
    assert more["runs"][2] == "run-1 run-3 run-9"


def test_settings_that_are_equal_in_effect_share_their_runs(tiny, tmp_path, made_by_hand):
    said = []
    settings = grid(SHORT, unfreeze=[0, 1], fill_mode=["nearest", "wrap"])
    table = sweep(settings, tiny, 2, out=tmp_path / "a", say=said.append)
    assert len(made_by_hand) == 4 and "equal in effect share their runs" in said[0]
    assert table["runs"].tolist() == ["run-1 run-3"] * 2 + ["run-2 run-4"] * 2
    # Also with what an earlier call has run under the other name.
    sweep(settings[1::2], tiny, 2, out=tmp_path / "a", say=quiet)
    assert len(made_by_hand) == 4


def test_a_run_that_was_cut_short_goes_on_at_its_checkpoint(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(run_folder, "SHARE", 1e9)  # a checkpoint after every epoch
    settings, control, said = grid(PLAIN, unfreeze=[0, 1]), Control(), []

    def stop(history):
        if history.experiment.unfreeze == 1 and len(history.epochs) == 3:
            control.stop()

    ended = run_sweep(settings, tiny, 1, out=tmp_path, say=quiet, control=control, on_epoch=stop)
    assert ended.stopped and ended.table["seeds"].tolist() == [1, 0]
    cut = read_run(tmp_path / "run-2")
    assert not cut.is_finished and (cut.path / CHECKPOINT).is_file()
    table = sweep(settings, tiny, 1, out=tmp_path, say=said.append)
    assert "Done already: 1; cut short: 1." in said[0] and table["runs"].tolist() == ["run-1", "run-2"]
    whole = read_run(tmp_path / "run-2").history
    assert same(whole, train(settings[1], tiny))
    assert [row["seconds"] for row in whole.epochs[:3]] == [row["seconds"] for row in cut.history.epochs]


def test_a_killed_sweep_loses_no_finished_run(tiny, tmp_path, monkeypatch):
    settings = grid(PLAIN, unfreeze=[0, 1])

    def killed(history):
        if history.experiment.unfreeze == 1:
            raise Killed

    with pytest.raises(Killed):
        run_sweep(settings, tiny, 1, out=tmp_path, say=quiet, on_epoch=killed)
    (tmp_path / "run-3").mkdir()  # as of one that was killed before its record began
    (tmp_path / ("." + 16 * "a" + ".run-4")).mkdir()
    asked = []
    monkeypatch.setattr(sweep_run, "train", lambda e, *a, **o: asked.append(o) or train(e, *a, **o))
    table = sweep(settings, tiny, 1, out=tmp_path, say=quiet)
    assert [each.get("resume") for each in asked] == [tmp_path / "run-2"] and table["seeds"].tolist() == [
        1,
        1,
    ]
    assert {each.name for each in tmp_path.iterdir()} == {"run-1", "run-2", PICTURE, TABLE}


def test_a_run_that_fails_leaves_the_others_alone(tiny, tmp_path, monkeypatch, made_by_hand):
    right = sweep_run.train

    def fails(experiment, *args, **options):
        if experiment.unfreeze == 1:
            raise MemoryError("not enough")
        return right(experiment, *args, **options)

    monkeypatch.setattr(sweep_run, "train", fails)
    said = []
    with pytest.warns(
        UserWarning, match="1 run failed, such as unfreeze depth 1, seed 0: MemoryError: not enough"
    ):
        table = sweep(grid(SHORT, unfreeze=[0, 1, 2]), tiny, 1, out=tmp_path, say=said.append)
    assert table["seeds"].tolist() == [1, 0, 1] and "failed: MemoryError: not enough" in said[2]
    monkeypatch.setattr(sweep_run, "train", right)
    assert sweep(grid(SHORT, unfreeze=[0, 1, 2]), tiny, 1, out=tmp_path, say=quiet)["seeds"].tolist() == [
        1,
        1,
        1,
    ]


def test_without_data_each_run_reads_what_it_names_by_its_seed(tmp_path, made_by_hand, monkeypatch):
    loaded = []
    monkeypatch.setattr(
        sweep_run, "load_for", lambda e: loaded.append((e.image_size, e.seed)) or _blank(e.image_size)
    )
    sweep_run._loaded.cache_clear()
    sweep(grid(image_size=[32, 64], unfreeze=[0, 1]), None, 2, say=quiet)
    assert loaded == [(32, 0), (64, 0), (32, 1), (64, 1)] and len(made_by_hand) == 8
    sweep_run._loaded.cache_clear()


def _blank(size):
    from vgglab.datasets.dataset import Dataset, Split

    part = Split(np.zeros((40, size, size, 3), np.uint8), np.arange(40) % 2)
    return Dataset("blank", ("a", "b"), part, part)


# What cannot be


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (dict(experiments=[]), "`experiments` must have at least one Experiment"),
        (dict(experiments="blossoms"), "`experiments` must be a list of Experiments"),
        (dict(seeds=0), "`seeds` must be a number of at least 1"),
        (dict(seeds="a"), "Received: 'a'"),
        (
            dict(data="photos"),
            "`data` must be a Dataset, such as `load` returns, or None. Received: 'photos'.",
        ),
        (
            dict(experiments=grid(SHORT, image_size=[32, 64])),
            "`image_size` of the experiment is 64, but the data",
        ),
        (dict(experiments=grid(SHORT, batch_size=[8, 500])), "`batch_size` must be at most"),
        (dict(experiments=grid(SHORT, weights=["none", "no.h5"])), "There is no weights file at no.h5."),
        (dict(data=None, experiments=grid(dataset=["nowhere"])), "There is no folder of images at nowhere."),
        (dict(client="tcp://host:8786"), "`client` must be a distributed.Client, or None. Received: 'tcp"),
        (dict(out=3), "`out` must be the path of a folder. Received: 3."),
    ],
)
def test_what_cannot_be_run_is_said_before_the_first_run(tiny, made_by_hand, tmp_path, arguments, sentence):
    given = dict(experiments=SHORT, data=tiny, seeds=1, out=tmp_path / "out") | arguments
    with pytest.raises(InputError) as error:
        sweep(**given, say=quiet)
    assert sentence in str(error.value) and not made_by_hand and not (tmp_path / "out").exists()


def test_a_folder_of_something_else_is_left_alone(tiny, tmp_path, made_by_hand):
    out = tmp_path / "out"
    for made, sentence in [
        (lambda: out.touch(), "`out` must be a folder. Received:"),
        (
            lambda: (out.mkdir(), (out / "thesis.txt").touch()),
            "holds something else than a sweep, such as thesis.txt",
        ),
        (lambda: (out / "photos").mkdir(parents=True), "holds something else than a sweep, such as photos"),
        (
            lambda: ((out / "run-1").mkdir(parents=True), (out / "run-1" / "a.jpg").touch()),
            "holds something else than a sweep, such as run-1",
        ),
    ]:
        made()
        before = sorted(out.rglob("*"))
        with pytest.raises(InputError) as error:
            sweep(SHORT, tiny, 1, out=out, say=quiet)
        assert sentence in str(error.value) and sorted(out.rglob("*")) == before and not made_by_hand
        out.rename(tmp_path / f"aside-{len(sentence)}")


def test_another_sweep_another_data_set_and_two_at_once_are_refused(tiny, tmp_path, made_by_hand):
    sweep(grid(SHORT, unfreeze=[0, 1]), tiny, 1, out=tmp_path, say=quiet)
    with pytest.raises(
        InputError, match="holds a run that is not of this sweep, run-2: Experiment\\(.*unfreeze=1"
    ):
        sweep(grid(SHORT, unfreeze=[0, 2]), tiny, 1, out=tmp_path, say=quiet)
    other = dataclasses.replace(tiny, class_names=("night", "day"))
    with pytest.raises(InputError, match="can only go on as it began"):
        sweep(grid(SHORT, unfreeze=[0, 1]), other, 1, out=tmp_path, say=quiet)
    with locked(tmp_path), pytest.raises(InputError, match="Another sweep goes on in"):
        sweep(grid(SHORT, unfreeze=[0, 1]), tiny, 1, out=tmp_path, say=quiet)
    assert len(made_by_hand) == 2


def test_images_that_changed_between_two_runs_are_noticed(tmp_path, made_by_hand, monkeypatch):
    shades = iter([0, 1])
    monkeypatch.setattr(sweep_run, "images_of", lambda e: _shade(next(shades)))
    with pytest.raises(InputError, match="Two runs that name the same images have seen different ones"):
        sweep(grid(SHORT, unfreeze=[0, 1]), None, 1, out=tmp_path, say=quiet)
    assert read_run(tmp_path / "run-1").is_finished


def _shade(value):
    from vgglab.datasets.dataset import Dataset, Split

    part = Split(np.full((16, 32, 32, 3), value, np.uint8), np.arange(16) % 2)
    return Dataset("shade", ("a", "b"), part, part)


def test_what_a_worker_sends_is_put_into_its_folder_whole(tmp_path):
    run = with_seed(SHORT, 0)
    with SweepFolder.open(tmp_path / "out", [run]) as folder:
        assert folder.place(run).name == "run-1" and folder.finished(run) is None
        folder.receive(run, {RECORD: make_history().to_lines().encode(), MODEL: b"weights"})
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == ["run-1"]
    assert (tmp_path / "out" / "run-1" / MODEL).read_bytes() == b"weights"
    assert isinstance(read_run(tmp_path / "out" / "run-1").history, History)
