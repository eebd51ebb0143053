"""The run store: what is on disk while a run goes on, and going on from it."""

import dataclasses
import json
import multiprocessing
import os
import shutil
import signal
import time

import numpy as np
import pytest

from vgglab.datasets.dataset import Split
from vgglab.engine.cache import FeatureCache
from vgglab.engine.control import Control
from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.history import History
from vgglab.network import build_model
from vgglab.share import run_folder
from vgglab.share.store import CHECKPOINT, MODEL, RECORD, read_run
from vgglab.training import train

PLAIN = Experiment(image_size=32, batch_size=8, epochs=5, unfreeze=0, learning_rate=1e-3)
RUNS = dict(
    frozen=PLAIN,
    dropout=dataclasses.replace(PLAIN, dropout=0.5, unfreeze=2),
    phases=dataclasses.replace(PLAIN, epochs=3, schedule="cosine").then(unfreeze=4, epochs=4, l2=0.01),
    views=dataclasses.replace(PLAIN, augment=("rotation", "color_jitter"), mixup=0.3, views=2, epochs=6),
    augmented=dataclasses.replace(PLAIN, augment=("flip", "crop"), cutmix=0.5, unfreeze=1),
    # So large a rate that the validation loss rises at once and patience goes back.
    patient=dataclasses.replace(PLAIN, patience=2, epochs=12, learning_rate=0.05, unfreeze=1).then(
        learning_rate=1e-3, epochs=3
    ),
    noisy=dataclasses.replace(PLAIN, label_noise=0.4, images_a_class=8),
    dense=dataclasses.replace(
        PLAIN, head="dense", backbone="vgg16-micro", weights=None, dropout=0.3, unfreeze=13
    ),
)


class Killed(BaseException):
    """Ends a run as no code of it expects."""


@pytest.fixture
def every_epoch(monkeypatch):
    """A checkpoint after every epoch, however long it takes."""
    monkeypatch.setattr(run_folder._Pace, "due", True)


def same(one: History, other: History) -> bool:
    """All but the seconds, which no two runs share."""

    def plain(history):
        rows = [{name: value for name, value in row.items() if name != "seconds"} for row in history.epochs]
        return dataclasses.replace(history, epochs=rows).to_lines()

    return plain(one) == plain(other)


def killed_after(epochs: int, experiment, data, **options):
    """Run until so many epochs are finished in this session, then end as if the process were gone."""
    left = [epochs]

    def end(history):
        left[0] -= 1
        if not left[0]:
            raise Killed

    with pytest.raises(Killed):
        train(experiment, data, end, **options)


@pytest.mark.parametrize("name", RUNS)
def test_a_run_that_was_cut_short_goes_on_to_the_same_history(name, tiny, tmp_path, every_epoch):
    """Killed again and again, after every second epoch of a session, so that no place is left out."""
    data = dataclasses.replace(tiny, test=Split(tiny.validation.images // 2 + 30, tiny.validation.labels))
    experiment, folder = RUNS[name], tmp_path / "run"
    whole = train(experiment, data)
    finished = len(whole.epochs)
    killed_after(2, experiment, data, out=folder)
    for done in range(4, finished, 2):
        killed_after(2, experiment, data, resume=folder)
        assert len(read_run(folder).history.epochs) == done
    resumed = train(experiment, data, resume=folder)
    assert same(resumed, whole)
    assert same(read_run(folder).history, whole) and whole.test is not None
    assert resumed.predictions == whole.predictions == read_run(folder).history.predictions
    assert whole.predictions.epoch == whole.kept["epoch"]
    assert sorted(each.name for each in folder.iterdir()) == [RECORD, MODEL]
    with pytest.raises(InputError, match=f"Nothing is left to do .* after epoch {finished}"):
        train(experiment, data, resume=folder)


def test_the_network_of_a_resumed_run_is_that_of_the_uninterrupted_one(tiny, tmp_path, every_epoch):
    import keras

    experiment, model = RUNS["patient"], build_model(RUNS["patient"], 2)
    train(experiment, tiny, model=model)
    killed_after(3, experiment, tiny, out=tmp_path / "run")
    train(experiment, tiny, resume=tmp_path / "run")
    stored = keras.saving.load_model(tmp_path / "run" / MODEL)
    for mine, its in zip(model.get_weights(), stored.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)


def test_every_finished_epoch_is_on_disk_before_anybody_hears_of_it(tiny, tmp_path):
    folder, seen = tmp_path / "run", []

    def look(history):
        seen.append([row["epoch"] for row in read_run(folder).history.epochs])
        assert not read_run(folder).is_finished

    train(PLAIN, tiny, look, out=folder)
    assert seen == [[*range(1, epoch + 1)] for epoch in range(1, 6)]


def test_epochs_after_the_last_checkpoint_are_kept_until_they_are_made_again(tiny, tmp_path, monkeypatch):
    """There is only the checkpoint from before the first epoch."""
    monkeypatch.setattr(run_folder, "SHARE", 1e-9)
    folder = tmp_path / "run"
    killed_after(4, PLAIN, tiny, out=folder)
    assert int(np.load(folder / CHECKPOINT)["rows/epoch"]) == 0
    killed_after(2, PLAIN, tiny, resume=folder)
    assert len(read_run(folder).history.epochs) == 4
    assert same(train(PLAIN, tiny, resume=folder), train(PLAIN, tiny))


def test_a_change_on_the_way_is_part_of_what_goes_on(tiny, tmp_path, every_epoch):
    folder, control = tmp_path / "run", Control()

    def change(history):
        if len(history.epochs) == 2:
            control.change(dataclasses.replace(PLAIN, unfreeze=2, l2=0.1))
        if len(history.epochs) == 3:
            raise Killed

    with pytest.raises(Killed):
        train(PLAIN, tiny, change, control=control, out=folder)
    now = read_run(folder).history.experiment
    assert [(phase.epochs, phase.unfreeze) for phase in now.phases] == [(2, 0), (3, 2)]
    assert same(train(now, tiny, resume=folder), train(now, tiny))


def test_stopped_diverged_and_interrupted_runs(tiny, tmp_path, every_epoch):
    """What was stopped can go on; what diverged would diverge again."""
    control = Control()
    stopped = train(PLAIN, tiny, lambda history: control.stop(), control=control, out=tmp_path / "stopped")
    assert [event["kind"] for event in stopped.events] == ["cache", "stopped"]
    stored = read_run(tmp_path / "stopped")
    assert (
        not stored.is_finished and same(stored.history, stopped) and (tmp_path / "stopped" / MODEL).exists()
    )
    assert same(train(PLAIN, tiny, resume=tmp_path / "stopped"), train(PLAIN, tiny))
    wild = dataclasses.replace(PLAIN, learning_rate=1.0, l2=1.0, epochs=40, unfreeze=13)
    with pytest.warns(UserWarning, match="A lower learning rate"):
        diverged = train(wild, tiny, out=tmp_path / "diverged")
    stored = read_run(tmp_path / "diverged")
    assert stored.is_finished and same(stored.history, diverged)


@pytest.mark.parametrize("step", ["record", "checkpoint"])
def test_a_run_that_is_killed_as_it_begins_is_not_taken_for_one_that_has_ended(
    tiny, tmp_path, monkeypatch, step
):
    write = getattr(run_folder.RunFolder, step)

    def killed(self, *given):
        write(self, *given)
        raise Killed

    monkeypatch.setattr(run_folder.RunFolder, step, killed)
    with pytest.raises(Killed):
        train(PLAIN, tiny, out=tmp_path / "run")
    if (tmp_path / "run" / RECORD).exists():
        assert not read_run(tmp_path / "run").is_finished


def test_other_settings_images_or_weights_are_refused_by_name(tiny, tmp_path, every_epoch):
    folder = tmp_path / "run"
    killed_after(2, PLAIN, tiny, out=folder)

    def refused(experiment=PLAIN, data=tiny, **options):
        with pytest.raises(InputError) as error:
            train(experiment, data, resume=folder, **options)
        return str(error.value)

    assert "`l2` was 0.0 and is 0.1; `epochs` was 5 and is 6" in refused(
        dataclasses.replace(PLAIN, l2=0.1, epochs=6)
    )
    assert "`later` was []" in refused(PLAIN.then(epochs=1))
    fewer = dataclasses.replace(tiny, train=tiny.train.part(np.arange(20)))
    assert "`train` of the images was 24 and is 20" in refused(data=fewer)
    other = dataclasses.replace(tiny, train=Split(255 - tiny.train.images, tiny.train.labels))
    assert "images or labels are others" in refused(data=other)
    tested = dataclasses.replace(tiny, test=tiny.validation)
    assert "other weights or another test part" in refused(data=tested)
    model = build_model(dataclasses.replace(PLAIN, seed=1), 2)
    assert "other weights or another test part" in refused(model=model)
    assert "`out` must be left out" in refused(out=tmp_path / "second")
    moved = dataclasses.replace(tiny, name="the same images elsewhere")
    assert same(train(PLAIN, moved, resume=folder), train(PLAIN, tiny))


def test_folders_that_are_no_run(tiny, tmp_path, every_epoch):
    with pytest.raises(InputError, match="there is no such folder"):
        train(PLAIN, tiny, resume=tmp_path / "nowhere")
    with pytest.raises(InputError, match=f"it has no {RECORD}"):
        train(PLAIN, tiny, resume=tmp_path)
    with pytest.raises(InputError, match=r"^/\S* exists already; `out` must name a new folder\.$"):
        train(PLAIN, tiny, out=tmp_path)
    killed_after(1, PLAIN, tiny, out=tmp_path / "run")
    checkpoint = tmp_path / "run" / CHECKPOINT
    checkpoint.write_bytes(checkpoint.read_bytes()[:-200])
    with pytest.raises(InputError, match="checkpoint.npz is damaged .* cannot go on. Its record is whole"):
        train(PLAIN, tiny, resume=tmp_path / "run")


def test_one_run_is_not_gone_on_with_twice_at_once(tiny, tmp_path, every_epoch):
    folder = tmp_path / "run"

    def again(history):
        with pytest.raises(InputError, match="is going on already"):
            train(PLAIN, tiny, resume=folder)

    train(dataclasses.replace(PLAIN, epochs=1), tiny, again, out=folder)


def test_a_run_that_cannot_be_written_is_not_lost_and_is_written_when_it_can(tiny, tmp_path, monkeypatch):
    """A full disk from the second epoch to the fourth, then room again."""
    folder, append = tmp_path / "run", run_folder.RunFolder._append

    def full(self, lines):
        if '"epoch": 2' in lines and '"epoch": 5' not in lines:
            self._file.write(lines.encode()[:100])  # a part of a line comes through
            self._file.flush()
            raise OSError(28, "No space left on device")
        append(self, lines)

    monkeypatch.setattr(run_folder.RunFolder, "_append", full)
    history = train(PLAIN, tiny, out=folder)
    assert len(history.epochs) == 5 and same(read_run(folder).history, history)
    assert not any(event["kind"] == "not written" for event in history.events)


def test_a_disk_that_stays_full_is_said_and_the_history_is_returned(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(run_folder, "write_whole", _full)
    with pytest.warns(UserWarning, match="could not be written to .*run: no space left on device"):
        history = train(PLAIN, tiny, out=tmp_path / "run")
    assert len(history.epochs) == 5 and history.events[-1]["kind"] == "not written"


def test_a_network_that_cannot_be_written_is_said_and_can_be_made_later(
    tiny, tmp_path, monkeypatch, every_epoch
):
    monkeypatch.setattr(run_folder.RunFolder, "save_model", _without_room(run_folder.RunFolder.save_model))
    with pytest.warns(UserWarning, match="could not be written to .*run: no space left on device"):
        train(PLAIN, tiny, out=tmp_path / "run")
    assert not read_run(tmp_path / "run").is_finished
    monkeypatch.undo()
    assert same(train(PLAIN, tiny, resume=tmp_path / "run"), train(PLAIN, tiny))
    assert (tmp_path / "run" / MODEL).exists()


def _without_room(save_model):
    return lambda self, save: save_model(self, _full)


def _full(*given):
    raise OSError(28, "No space left on device")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="two processes that share a folder need fork")
def test_of_two_runs_with_one_name_one_is_made(tmp_path):
    def make(done):
        try:
            with run_folder.RunFolder.create(tmp_path / "run"):
                done.put("made")
                time.sleep(0.2)
        except InputError:
            done.put("refused")

    context = multiprocessing.get_context("fork")
    done = context.Queue()
    processes = [context.Process(target=make, args=(done,)) for _ in range(2)]
    for process in processes:
        process.start()
    assert sorted(done.get() for _ in processes) == ["made", "refused"]


def test_what_a_checkpoint_may_cost(monkeypatch):
    """After one that took a second, the next is due when 50 seconds are over, or 20 where it is large."""
    now = [100.0]
    monkeypatch.setattr(run_folder.time, "monotonic", lambda: now[0])
    for share, wait in ((0.02, 50), (0.05, 20)):
        pace = run_folder._Pace()
        assert pace.due
        with pace.kept(lambda share=share: share):
            now[0] += 1
        now[0] += wait - 1
        assert not pace.due
        now[0] += 1
        assert pace.due


def test_the_features_are_the_same_whether_they_are_cached_or_not(tiny, tmp_path, every_epoch):
    experiment = RUNS["dropout"]
    killed_after(2, experiment, tiny, out=tmp_path / "run", cache=FeatureCache(folder=tmp_path / "cache"))
    assert same(
        train(experiment, tiny, resume=tmp_path / "run", cache=FeatureCache(folder=tmp_path / "other")),
        train(experiment, tiny),
    )


def test_the_record_is_read_line_by_line(tiny, tmp_path):
    history = train(PLAIN, tiny, out=tmp_path / "run")
    lines = (tmp_path / "run" / RECORD).read_text().splitlines()
    kinds = [json.loads(line)["kind"] for line in lines]
    layers = len(history.layers)
    assert kinds == ["run", *["epoch"] * 5, "event", *["layer"] * layers, "validation"]


def test_a_record_that_grows_has_no_predictions_but_its_checkpoint_has(tiny, tmp_path, every_epoch):
    """Also where its first line is written anew on the way, and where it goes on from one that had them."""
    folder, control, has_them = tmp_path / "run", Control(), []

    def look(history):
        has_them.append(read_run(folder).history.predictions is not None)
        with np.load(folder / CHECKPOINT) as arrays:
            said = arrays["predictions/probabilities"]
            assert (said == history.predictions.probabilities).all()
            assert int(arrays["predictions/epoch"]) == len(history.epochs)
        if len(history.epochs) == 2:
            control.change(dataclasses.replace(PLAIN, unfreeze=1, epochs=5))
        if len(history.epochs) == 4:
            control.stop()

    stopped = train(PLAIN, tiny, look, control=control, out=folder)
    assert has_them == [False] * 4 and stopped.predictions.epoch == 4
    assert read_run(folder).history.predictions == stopped.predictions
    train(stopped.experiment, tiny, look, resume=folder)
    assert has_them == [False] * 5 and read_run(folder).history.predictions.epoch == 5


def test_a_run_that_is_stopped_before_it_goes_on_keeps_its_predictions(tiny, tmp_path, every_epoch):
    folder, control = tmp_path / "run", Control()
    killed_after(3, PLAIN, tiny, out=folder)
    control.stop()
    history = train(PLAIN, tiny, control=control, resume=folder)
    assert history.predictions.epoch == 3 == len(history.epochs)
    assert read_run(folder).history.predictions == history.predictions


def test_a_checkpoint_from_before_predictions_were_kept_is_gone_on_with(tiny, tmp_path, every_epoch):
    folder = tmp_path / "run"
    killed_after(3, PLAIN, tiny, out=folder)
    with np.load(folder / CHECKPOINT) as arrays:
        old = {name: array for name, array in arrays.items() if not name.startswith("predictions/")}
    np.savez(folder / CHECKPOINT, **old)
    assert train(PLAIN, tiny, resume=folder).predictions == train(PLAIN, tiny).predictions


def behind(experiment, data, folder):
    """A run of `experiment` whose checkpoint is of epoch 2 and whose record has four epochs."""
    kept = folder.parent / "checkpoint of epoch 2"

    def keep(history):
        if len(history.epochs) == 2:
            shutil.copy(folder / CHECKPOINT, kept)
        if len(history.epochs) == 4:
            raise Killed

    with pytest.raises(Killed):
        train(experiment, data, keep, out=folder)
    shutil.copy(kept, folder / CHECKPOINT)
    assert int(np.load(folder / CHECKPOINT)["rows/epoch"]) == 2 and len(read_run(folder).history.epochs) == 4


def changing(control, at, phase, killed_at=None):
    def change(history):
        if len(history.epochs) == at:
            control.change(phase)
        if len(history.epochs) == killed_at:
            raise Killed

    return change


def test_a_change_before_the_old_record_is_reached_is_a_run_of_its_own(tiny, tmp_path, every_epoch):
    """The epochs that were made with the old settings are none of it: killed on the way, and let through."""
    long, changed = dataclasses.replace(PLAIN, epochs=8), dataclasses.replace(PLAIN, epochs=8, unfreeze=2)
    for name, killed_at in (("killed", 5), ("through", None)):
        folder, control = tmp_path / name, Control()
        behind(long, tiny, folder)
        options = dict(control=control, resume=folder)
        if killed_at:
            with pytest.raises(Killed):
                train(long, tiny, changing(control, 3, changed, killed_at), **options)
            resumed = train(read_run(folder).history.experiment, tiny, resume=folder)
        else:
            resumed = train(long, tiny, changing(control, 3, changed), **options)
        assert [phase.epochs for phase in resumed.experiment.phases] == [3, 5]
        assert same(resumed, train(resumed.experiment, tiny)) and same(read_run(folder).history, resumed)
        assert read_run(folder).is_finished


def test_a_changed_run_that_ends_before_the_old_one_was_is_the_one_that_is_kept(tiny, tmp_path, every_epoch):
    folder, control = tmp_path / "run", Control()
    behind(dataclasses.replace(PLAIN, epochs=8), tiny, folder)
    shorter = dataclasses.replace(PLAIN, epochs=3, unfreeze=2)
    resumed = train(
        dataclasses.replace(PLAIN, epochs=8),
        tiny,
        changing(control, 3, shorter),
        control=control,
        resume=folder,
    )
    assert len(resumed.epochs) == 3 and same(read_run(folder).history, resumed)


def test_a_run_that_is_stopped_behind_its_record_keeps_record_and_network(tiny, tmp_path, every_epoch):
    folder, control = tmp_path / "run", Control()
    long = dataclasses.replace(PLAIN, epochs=8)
    behind(long, tiny, folder)
    before = (folder / RECORD).read_bytes(), (folder / MODEL).read_bytes()
    stopped = train(long, tiny, lambda history: control.stop(), control=control, resume=folder)
    assert len(stopped.epochs) == 3 and stopped.events[-1]["text"] == "Stopped; the epochs before are kept."
    assert ((folder / RECORD).read_bytes(), (folder / MODEL).read_bytes()) == before


def test_a_disk_that_is_really_full_ends_no_training(tiny, tmp_path):
    """No file may grow from the third epoch on; Python would write what its buffers hold when it closes the file."""
    resource, folder = pytest.importorskip("resource"), tmp_path / "run"
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def fill(history):
        if len(history.epochs) == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, ((folder / RECORD).stat().st_size + 300, limits[1]))

    try:
        with pytest.warns(UserWarning, match="could not be written to .*run: file too large"):
            history = train(PLAIN, tiny, fill, out=folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert len(history.epochs) == 5 and history.events[-1]["kind"] == "not written"
    stored = read_run(folder)
    assert [row["epoch"] for row in stored.history.epochs] == [1, 2] and not stored.is_finished
    assert same(train(PLAIN, tiny, resume=folder), train(PLAIN, tiny))


def test_a_checkpoint_is_never_ahead_of_the_record_and_refused_where_it_is(
    tiny, tmp_path, every_epoch, monkeypatch
):
    folder = tmp_path / "run"
    monkeypatch.setattr(run_folder.RunFolder, "_append", _full)
    monkeypatch.setattr(run_folder, "write_whole", _once(run_folder.write_whole))
    killed_after(3, PLAIN, tiny, out=folder)
    monkeypatch.undo()
    assert int(np.load(folder / CHECKPOINT)["rows/epoch"]) == len(read_run(folder).history.epochs) == 0
    other = tmp_path / "other"
    killed_after(4, PLAIN, tiny, out=other)
    lines = (other / RECORD).read_text().splitlines(keepends=True)
    (other / RECORD).write_text("".join(line for line in lines if '"epoch": 4' not in line))
    if int(np.load(other / CHECKPOINT)["rows/epoch"]) == 4:
        with pytest.raises(
            InputError, match="its checkpoint, after epoch 4 in phase 1, is ahead of its record"
        ):
            train(PLAIN, tiny, resume=other)


def _once(write_whole):
    calls = iter([True])

    def written(*given):
        if not next(calls, False):
            _full()
        write_whole(*given)

    return written


def test_a_run_without_its_checkpoint_is_not_taken_for_a_finished_one(tiny, tmp_path, every_epoch):
    folder = tmp_path / "run"
    killed_after(2, PLAIN, tiny, out=folder)
    (folder / CHECKPOINT).unlink()
    assert not read_run(folder).is_finished
    with pytest.raises(InputError, match=r"checkpoint\.npz is missing in .*run, so the run cannot go on"):
        train(PLAIN, tiny, resume=folder)


def test_a_folder_that_was_taken_away_and_made_again_is_another_runs(tiny, tmp_path, every_epoch):
    folder, other = tmp_path / "run", dataclasses.replace(PLAIN, seed=5, epochs=1)
    theirs = []

    def swap(history):
        if len(history.epochs) == 2:
            shutil.rmtree(folder)
            with run_folder.RunFolder.create(folder) as new:
                theirs.append(History(other))
                new.record(theirs[0])

    with pytest.warns(UserWarning, match="could not be written"):
        history = train(PLAIN, tiny, swap, out=folder)
    assert len(history.epochs) == 5
    assert (folder / RECORD).read_text() == theirs[0].to_lines() and [*folder.iterdir()] == [folder / RECORD]


def test_what_a_run_goes_on_with_is_the_phase_that_comes_next(tiny, tmp_path, every_epoch):
    folder = tmp_path / "run"
    killed_after(3, RUNS["phases"], tiny, out=folder)
    present = read_run(folder).present
    assert (present.unfreeze, present.l2, present.epochs) == (4, 0.01, 7)
