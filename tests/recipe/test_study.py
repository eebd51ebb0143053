"""The study's machinery: on Dask, with runs so small that they only show that it works."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from recipe.study import plan, schedule, tables, trial
from recipe.study.atlas import COLUMNS, PILOT
from recipe.study.schedule import client_of, records_of, study
from recipe.study.tasks import TASKS, Task
from recipe.study.trial import Record, Trial, task_of, trials
from vgglab import studies
from vgglab.datasets import (
    NARROW,
    SPECIES,
    WIDE,
    draw_blossoms,
    draw_twins,
    shuffled_labels,
    validation_by_nuisance,
)
from vgglab.datasets.blossoms import draw
from vgglab.errors import InputError
from vgglab.experiment import Experiment, with_seed
from vgglab.measures.evaluation import calibration_error


def tiny(seed=0, **fields):
    return Trial("twins", Experiment(image_size=64, unfreeze=0, epochs=1, seed=seed, **fields))


def fake_run(one):
    """What `trial.run` returns, without training."""
    from test_history import make_history

    history = make_history()
    history.experiment = one.experiment
    return Record(history, dict(calibration_error=0.25)).to_lines()


def test_every_arm_of_every_seed_is_run_once():
    planned = trials(plan.STUDIES.values(), 2)
    keys = [each.key for each in planned]
    assert len(set(keys)) == len(keys)
    for each in plan.STUDIES.values():
        for arm in each.arms.values():
            for seed in each.seeds[:2]:
                assert Trial(arm.task, with_seed(arm.experiment, seed)).key in keys
    first = {each.seeds[0] for each in plan.STUDIES.values()}
    places = [each.experiment.seed in first for each in planned]
    assert places == sorted(places, reverse=True), "a first seed is whole before a second begins"
    assert {each.experiment.seed for each in trials([plan.STUDIES["twins"]])} == set(range(5))


def test_the_atlas_chooses_on_other_seeds_than_it_judges_on_and_without_a_test_part():
    for name, each in (plan.CHOICES | plan.ATLAS).items():
        tested = {arm.task.endswith(", tested") for arm in each.arms.values()}
        assert tested == {name in plan.ATLAS}
    for name, column in COLUMNS.items():
        assert not set(column.choosing) & set(column.judging) and len(column.judging) >= 10
        assert PILOT not in {*column.choosing, *column.judging}
        assert plan.ATLAS[name].seeds == column.judging


def test_an_arm_of_the_atlas_differs_from_plain_in_its_setting_alone():
    for name, column in COLUMNS.items():
        for arm, given in column.arms.items():
            for setting in given:
                changed = column.experiment(setting)
                assert len(changed.phases) == len(column.plain.phases)
                for before, after in zip(column.plain.phases[:-1], changed.phases[:-1]):
                    assert before == after or set(setting) & {"head", "weights"}, (name, arm)
                plain, last = column.plain.phases[-1].to_dict(), changed.phases[-1].to_dict()
                differ = {field for field in plain if plain[field] != last[field]}
                assert differ - {"views"} == set(setting) - {f for f in setting if plain[f] == last[f]}
                assert (last["views"] is not None) == (
                    last["unfreeze"] < 13 and bool({"augment", "mixup", "cutmix"} & set(setting))
                )
        assert set(column.predicted) <= set(column.arms)


def test_the_best_setting_is_chosen_and_of_equals_the_first(tmp_path, monkeypatch):
    name, arm = "label_noise", "weight decay"
    records = {}
    for each in trials(plan.CHOICES.values(), 2):
        record = Record.from_lines(fake_run(each), "")
        better = each.experiment.weight_decay == 0.02 and each.experiment.label_noise
        record.history.epochs[-1]["validation_accuracy"] = 0.9 if better else 0.5
        records[each.key] = record
    tables.write_settings(records, COLUMNS, 2, tmp_path)
    monkeypatch.setattr(plan, "SETTINGS", tmp_path / "settings.csv")
    chosen = plan.chosen_settings()
    assert chosen[name, arm] == "0.02" and chosen["few_images", arm] == "0.0005"
    assert plan.atlas_of(COLUMNS, chosen)[name].arms[arm].experiment.weight_decay == 0.02
    assert plan.atlas_of(COLUMNS, {})[name].arms[arm].experiment.weight_decay == 5e-4
    assert set(chosen) == {
        (name, arm)
        for name, column in COLUMNS.items()
        for arm, given in column.arms.items()
        if len(given) > 1
    }


def test_the_atlas_by_hand(tmp_path):
    """One brake is four points better on every seed, but for a tenth of a point; the others are as plain."""
    rng = np.random.default_rng(0)
    rows = []
    for name, column in COLUMNS.items():
        for seed in range(10):
            base, extra = rng.uniform(0.5, 0.6), rng.uniform(-0.001, 0.001)
            for arm in ("plain", *column.arms):
                gain = 0.04 + extra if arm == "dropout" else 0.0
                rows.append(
                    dict(
                        study=name,
                        arm=arm,
                        seed=seed,
                        test_accuracy=base + gain,
                        gap=0.3 - gain,
                        test_loss=1.0,
                    )
                    | dict(test_calibration_error=0.1, still_rising=0.02 * (arm == "MixUp"))
                )
    pd.DataFrame(rows).to_csv(tmp_path / "ends.csv", index=False)
    tables.write_atlas(COLUMNS, tmp_path)
    atlas = pd.read_csv(tmp_path / "atlas.csv").set_index(["column", "outcome", "arm"])
    row = atlas.loc["label_noise", "test_accuracy", "dropout"]
    assert row["mean"] == pytest.approx(0.04, abs=0.001) and row["low"] > 0.039 and row["verdict"] == "helps"
    assert (
        row["sign_flip_p"] == pytest.approx(2 / 2**10, rel=1e-4)
        and row["predicted"] == "yes"
        and row["n"] == 10
    )
    assert atlas.loc["label_noise", "gap", "dropout"]["mean"] == pytest.approx(-0.04, abs=0.001)
    assert pd.isna(atlas.loc["label_noise", "gap", "dropout"]["verdict"])
    assert atlas.loc["solved", "test_accuracy", "CutMix"]["verdict"] == "no gain of 2 points"
    assert set(atlas.xs("MixUp", level="arm")["still_rising"]) == {"yes"}
    # A column that is worked out again leaves the others as they are.
    before = (tmp_path / "atlas.csv").read_text()
    tables.write_atlas({"dense_head": COLUMNS["dense_head"]}, tmp_path)
    assert (tmp_path / "atlas.csv").read_text() == before


def test_a_seed_is_that_of_all_phases_and_changes_nothing_else():
    two = Experiment(unfreeze=0).then(unfreeze=3)
    moved = with_seed(two, 4)
    assert [phase.seed for phase in moved.phases] == [4, 4]
    assert with_seed(moved, 0) == two


@pytest.mark.slow
def test_every_task_draws_what_its_arms_expect():
    for each in plan.STUDIES.values():
        for arm in each.arms.values():
            assert arm.task in TASKS
    small = TASKS["small"].data(3)
    assert small.image_size == 32 and small.fingerprint != TASKS["small"].data(4).fingerprint
    shuffled = TASKS["shuffled"].data(3)
    assert sorted(shuffled.train.labels) == sorted(small.train.labels)
    assert (shuffled.train.images == small.train.images).all()
    assert (shuffled.train.labels != small.train.labels).mean() > 0.5
    assert (shuffled.validation.labels == small.validation.labels).all()
    assert shuffled_labels(small, 1).fingerprint != shuffled_labels(small, 2).fingerprint


def test_nuisances_come_one_at_a_time():
    splits = validation_by_nuisance(3, 32, seed=5)
    assert list(splits) == [each.name for each in dataclasses.fields(NARROW)]
    narrow = draw_blossoms(
        NARROW, NARROW, train_images=1, validation_images=3, image_size=32, seed=5
    ).validation
    for name, split in splits.items():
        assert (split.labels == narrow.labels).all() and (split.images != narrow.images).any()
        one = dataclasses.replace(NARROW, **{name: 1.0})
        drawn = draw_blossoms(WIDE, one, train_images=1, validation_images=3, image_size=32, seed=5)
        assert (split.images == drawn.validation.images).all()


def test_twins_are_one_species_and_its_mirror_image():
    data = draw_twins(train_images=3, validation_images=2, image_size=32, seed=1)
    assert data.class_names == ("left-handed", "right-handed")
    (pinwheel,) = (each for each in SPECIES if each.name == "pinwheel")
    turned = dataclasses.replace(WIDE, rotation=0.4)
    for split, seed, count in ((data.train, 2, 3), (data.validation, 3, 2)):
        left, right = (
            draw(dataclasses.replace(pinwheel, name=name), count, turned, 32, seed)
            for name in data.class_names
        )
        assert (split.images[split.labels == 0] == left[:, :, ::-1]).all()
        assert (split.images[split.labels == 1] == right).all()


def test_the_calibration_error_by_hand():
    # Two images at 0.9, one of them right; two at 0.6, both right: (|1 - 1.8| + |2 - 1.2|) / 4.
    probabilities = np.array([[0.9, 0.1], [0.1, 0.9], [0.6, 0.4], [0.6, 0.4]])
    assert calibration_error(probabilities, np.array([0, 0, 0, 0])) == pytest.approx(0.4)
    assert calibration_error(np.eye(3), np.arange(3)) == 0


def test_a_record_is_text_and_back():
    record = Record.from_lines(fake_run(tiny(seed=2)), "here")
    assert record.scores == {"calibration_error": 0.25} and len(record.history.epochs) == 3
    for text in ("", "no JSON\n", "[1]\n" + fake_run(tiny()).partition("\n")[2], '{"a": 1}\nnothing\n'):
        with pytest.raises(InputError, match="somewhere"):
            Record.from_lines(text, "somewhere")


def test_tables_are_tidy_and_come_back(tmp_path, monkeypatch):
    few = {name: plan.STUDIES[name] for name in ("twins", "depth_settings", "dense_head")}
    monkeypatch.setattr(tables, "STUDIES", few)
    planned = trials(few.values(), 2)
    records = {each.key: Record.from_lines(fake_run(each), "") for each in planned}
    tables.write_tables(records, few, 2, tmp_path)
    monkeypatch.setattr(studies, "FOLDER", tmp_path)
    for name, arms in ((name, each.arms) for name, each in few.items()):
        if name not in plan.CHOICES:
            curves = studies.study_curves(name)
            assert list(dict.fromkeys(curves["arm"])) == list(arms)
            assert len(curves) == len(arms) * 2 * 3, "arms, seeds, epochs"
        ends = studies.study_ends(name)
        assert list(dict.fromkeys(ends["arm"])) == list(arms), "in the order of the plan"
        assert len(ends) == len(arms) * 2 and not ends["gap"].isna().any()
    assert set(ends["calibration_error"]) == {0.25}
    with pytest.raises(InputError, match="Unknown study"):
        studies.study_ends("regularizers")
    # One study written again leaves the others as they are, in their order.
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    tables.write_tables(records, {"twins": few["twins"]}, 2, tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before


def test_a_study_alone_needs_no_atlas_and_passes_the_others_on_digit_by_digit(tmp_path):
    """As `--only twins` does where no condition of the atlas has run."""
    assert trials([]) == []
    tables.write_settings({}, {}, None, tmp_path)
    assert not list(tmp_path.iterdir())
    others = "study,arm,seed,gap\nstrength,0,0,12.345678\nstrength,0,1,0.000123\n"
    (tmp_path / "ends.csv").write_text(others)
    records = {each.key: Record.from_lines(fake_run(each), "") for each in trials([plan.STUDIES["twins"]], 2)}
    tables.write_tables(records, {"twins": plan.STUDIES["twins"]}, 2, tmp_path)
    tables.write_atlas({}, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"ends.csv", "twins.csv"}
    passed_on = pd.read_csv(tmp_path / "ends.csv", dtype=str).query("study == 'strength'")
    assert passed_on["gap"].tolist() == ["12.345678", "0.000123"]


def test_a_long_curve_is_thinned_and_keeps_its_ends():
    from test_history import make_history

    history = make_history()
    row = history.epochs[-1]
    history.epochs = [row | dict(epoch=epoch) for epoch in range(1, 201)]
    epochs = list(tables._curve(Record(history, {}), "plain", 0)["epoch"])
    assert len(epochs) == tables.EPOCHS and epochs[0] == 1 and epochs[-1] == 200


def test_what_still_rises():
    assert tables._still_rising([0.5] * 8 + [0.6, 0.7]) == pytest.approx(0.15)
    assert tables._still_rising([0.5] * 10) == 0 and tables._still_rising([0.5]) == 0


def test_what_a_run_ended_with_is_of_the_epoch_that_was_kept():
    from test_history import make_history

    history = make_history()
    history.note("restored", "")
    history.events[-1]["kept_epoch"] = 2
    measured = tables.measurements(Record(history, {}))
    assert measured["validation_accuracy"] == 0.6 and measured["epoch_seconds"] == 0.5
    # Losses made by hand are 1 - accuracy: the lowest 0.4 in epoch 2, the last 0.5.
    assert measured["validation_loss_rise"] == pytest.approx(0.1)
    assert "source_accuracy" not in measured


@pytest.mark.slow
def test_a_trial_trains_and_is_tested_elsewhere(monkeypatch):
    few = draw_blossoms(train_images=4, validation_images=2)
    task = Task(lambda seed: few, lambda seed: {"train": few.train})
    monkeypatch.setitem(TASKS, "here", task)
    one = Trial("here", Experiment(unfreeze=0, epochs=30))
    record = Record.from_lines(trial.run(one), "")
    assert record.history.experiment == one.experiment and len(record.history.epochs) == 30
    # Tested on the training images, it must score what the history says of them.
    assert record.scores["accuracy_train"] == pytest.approx(record.history.kept["train_accuracy"], abs=0.2)
    assert record.scores["accuracy_train"] > 0.8
    assert 0 <= record.scores["calibration_error"] <= 1 and 1 / 8 <= record.scores["confidence"] <= 1


def counted(one):
    """A run that leaves a mark each time it is begun; the third seed's kills its worker the first time."""
    import os
    import time
    from pathlib import Path

    folder = Path(os.environ["VGGLAB_TEST_MARKS"])
    mark = folder / f"{one.experiment.seed}.{len(list(folder.iterdir()))}"
    mark.touch()
    time.sleep(1)  # as long as it takes to fetch what was finished before: real runs take longer
    if one.experiment.seed == 2 and len(list(folder.glob("2.*"))) == 1:
        os._exit(1)
    if one.experiment.seed == 4:
        raise RuntimeError("this one never works")
    return fake_run(one)


@pytest.mark.slow
def test_a_lost_worker_loses_no_finished_run(tmp_path, monkeypatch):
    marks, folder = tmp_path / "marks", tmp_path / "records"
    marks.mkdir()
    monkeypatch.setenv("VGGLAB_TEST_MARKS", str(marks))
    monkeypatch.setattr(schedule, "run", counted)
    monkeypatch.setattr(schedule, "RETRIES", 1)
    planned, seen = [tiny(seed) for seed in range(4)], []
    with client_of(None, 1) as client:
        assert study(client, planned, folder, seen.append) == {}
        assert [len(list(marks.glob(f"{seed}.*"))) for seed in range(4)] == [1, 1, 2, 1]
        assert seen[0].done == 0 and seen[-1].done == 4
        # Again: nothing is left to do. With one more: only that one is done.
        assert study(client, planned, folder) == {} and len(list(marks.iterdir())) == 5
        failed = study(client, [*planned, tiny(4), tiny(5)], folder)
        assert list(failed) == [tiny(4).key] and "never works" in failed[tiny(4).key]
        assert len(list(marks.glob("5.*"))) == 1
    assert len(records_of([*planned, tiny(5)], folder)) == 5
    assert not [each for each in folder.iterdir() if ".part" in each.name]
    with pytest.raises(InputError, match=f"The study has no record of {tiny(4).key} in"):
        records_of([tiny(4)], folder)


def test_no_scheduler_there():
    with (
        pytest.raises(InputError, match="No Dask scheduler answers at nowhere"),
        client_of("nowhere://1:1", 1),
    ):
        pass
    with pytest.raises(InputError, match="`workers` must be at least 1"), client_of(None, 0):
        pass


class NobodyToAsk:
    """Stands for a cluster where every run is done already."""

    def submit(self, run, trial, **options):
        raise AssertionError(f"{trial.key} was run again")


def older(trial, without):
    """The name and the text of a record from before an experiment had a certain field."""
    scores, header, rest = fake_run(trial).split("\n", 2)
    plain = json.loads(header)
    del plain["experiment"][without]
    return "twins-seed0-0123456789ab.jsonl", "\n".join([scores, json.dumps(plain), rest])


def test_a_record_from_before_a_field_was_added_is_not_run_again(tmp_path):
    one = tiny()
    name, text = older(one, without="views")
    assert name != f"{one.key}.jsonl" and "views" not in text
    (tmp_path / name).write_text(text)
    assert study(NobodyToAsk(), [one], tmp_path) == {}
    (record,) = records_of([one], tmp_path).values()
    assert record.history.experiment == one.experiment
    for other in (tiny(views=4, augment=("flip",)), tiny(seed=1), Trial("5 a species", one.experiment)):
        with pytest.raises(AssertionError, match="was run again"):
            study(NobodyToAsk(), [other], tmp_path)


def test_a_file_that_is_no_record_is_passed_over(tmp_path):
    for name, text in (
        ("empty", ""),
        ("notes", "1\n2\n"),
        ("twins-seed0-0", '{}\n{"experiment": {"old": 1}}\n'),
    ):
        (tmp_path / f"{name}.jsonl").write_text(text)
    with pytest.raises(InputError, match="The study has no record of"):
        records_of([tiny()], tmp_path)


def test_of_a_record_that_is_there_no_more_is_read_than_what_it_is(tmp_path):
    planned = trials([plan.STUDIES["twins"], plan.STUDIES["depth"]], 2)
    for each in planned:
        unread = b"\n" + 100_000 * b"." + b"\xff no text"
        (tmp_path / f"{each.key}.jsonl").write_bytes(fake_run(each).encode() + unread)
    assert study(NobodyToAsk(), planned, tmp_path) == {}
    with pytest.raises(UnicodeDecodeError):
        records_of(planned, tmp_path)


def test_the_name_of_a_task_can_be_read_from_a_key():
    for task in TASKS:
        assert task_of(Trial(task, Experiment()).key) == task


def test_the_key_is_the_same_everywhere():
    one = tiny()
    assert (
        one.key == Trial(one.task, Experiment.from_dict(json.loads(json.dumps(one.experiment.to_dict())))).key
    )
    assert one.key != tiny(l2=0.1).key != tiny(seed=1).key
