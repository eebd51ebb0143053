"""One experiment with several seeds, stopped, killed and gone on with."""

import dataclasses

import numpy as np
import pytest

from test_store import PLAIN, Killed, same
from vgglab import training
from vgglab.datasets.dataset import Dataset, Split
from vgglab.engine.control import Control
from vgglab.errors import InputError
from vgglab.experiment import with_seed
from vgglab.measures.evaluation import judged
from vgglab.seeds import train_seeds
from vgglab.share import run_folder
from vgglab.share.store import CHECKPOINT, MODEL, RECORD, read_run
from vgglab.training import train

SHORT = dataclasses.replace(PLAIN, epochs=2, seed=4)
NOISY = dataclasses.replace(SHORT, images_a_class=8, label_noise=0.5).then(unfreeze=1, epochs=1)


def at(seed, epoch, then):
    """What to do after an epoch of the run of a seed."""

    def look(history):
        if (history.experiment.seed, len(history.epochs)) == (seed, epoch):
            then()

    return look


def killed():
    raise Killed


@pytest.mark.parametrize(
    ("experiment", "seeds", "expected"), [(SHORT, 2, [4, 5]), (NOISY, [7, 0], [7, 0]), (SHORT, range(1), [0])]
)
def test_each_run_is_that_of_its_seed(tiny, experiment, seeds, expected):
    heard = []
    histories = train_seeds(experiment, tiny, seeds, lambda history: heard.append(history.experiment.seed))
    assert [history.experiment.seed for history in histories] == expected
    assert heard == [seed for seed in expected for _ in range(experiment.planned_epochs)]
    for seed, history in zip(expected, histories):
        alone = train(with_seed(experiment, seed), tiny)
        assert same(history, alone) and history.predictions == alone.predictions
        assert {phase.seed for phase in history.experiment.phases} == {seed}
    assert len({history.predictions.images for history in histories}) == 1


@pytest.mark.parametrize("seed", [4, 5])
def test_stop_ends_the_run_that_goes_on_and_begins_no_other(tiny, seed):
    control = Control()
    histories = train_seeds(SHORT, tiny, 3, at(seed, 1, control.stop), control=control)
    assert [len(history.epochs) for history in histories] == [2] * (seed - 4) + [1]
    assert histories[-1].was_cut_short and histories[-1].predictions.epoch == 1
    assert train_seeds(SHORT, tiny, 3, control=control) == []


def test_ctrl_c_ends_them_too_wherever_it_comes(tiny, monkeypatch):
    def interrupt(*given, **options):
        raise KeyboardInterrupt

    histories = train_seeds(SHORT, tiny, 3, at(5, 1, interrupt))
    assert [len(history.epochs) for history in histories] == [2, 1]
    control = Control()
    monkeypatch.setattr(control, "take_change", lambda: interrupt() if len(done) == 4 else None)
    done = []
    assert len(train_seeds(SHORT, tiny, 3, done.append, control=control)) == 1


def test_a_run_that_diverges_does_not_keep_the_others_from_being_trained(tiny):
    wild = dataclasses.replace(PLAIN, learning_rate=1.0, l2=1.0, epochs=40, unfreeze=13)
    with pytest.warns(UserWarning, match="A lower learning rate"):
        histories = train_seeds(wild, tiny, 2)
    assert [history.experiment.seed for history in histories] == [0, 1]


def test_a_change_is_for_the_run_that_goes_on_alone(tiny):
    control, changed = Control(), dataclasses.replace(SHORT, unfreeze=2)
    histories = train_seeds(SHORT, tiny, 2, at(4, 1, lambda: control.change(changed)), control=control)
    assert [len(history.experiment.phases) for history in histories] == [2, 1]


def test_a_change_that_comes_too_late_for_its_run_is_none_for_the_next(tiny, monkeypatch):
    """It is asked for while the test part is measured."""
    control, changes = Control(), iter([dataclasses.replace(SHORT, unfreeze=2)])

    def late(*given):
        for change in changes:
            control.change(change)
        return judged(*given)

    monkeypatch.setattr(training, "judged", late)
    tested = dataclasses.replace(tiny, test=tiny.validation)
    histories = train_seeds(SHORT, tested, 2, control=control)
    assert [len(history.experiment.phases) for history in histories] == [1, 1] and histories[1].test


def test_what_was_killed_goes_on_and_what_is_finished_is_read(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(run_folder._Pace, "due", True)
    place, control, heard = tmp_path / "deeper" / "seeds", Control(), []
    with pytest.raises(Killed):
        train_seeds(NOISY, tiny, 3, at(5, 2, killed), out=place)
    assert sorted(each.name for each in place.iterdir()) == ["seed-4", "seed-5"]
    assert read_run(place / "seed-4").is_finished and not read_run(place / "seed-5").is_finished
    stopped = train_seeds(NOISY, tiny, 3, at(6, 1, control.stop), control=control, out=place)
    assert [len(history.epochs) for history in stopped] == [3, 3, 1]
    again = train_seeds(
        NOISY,
        tiny,
        3,
        lambda history: heard.append((history.experiment.seed, len(history.epochs))),
        out=place,
    )
    assert heard == [(6, 2), (6, 3)]
    for history, whole in zip(again, train_seeds(NOISY, tiny, 3), strict=True):
        assert same(history, whole) and history.predictions == whole.predictions
    for each in place.iterdir():
        assert sorted(file.name for file in each.iterdir()) == [RECORD, MODEL]
    more = train_seeds(NOISY, tiny, [6, 9], out=place)
    assert same(more[0], again[2]) and read_run(place / "seed-9").is_finished


@pytest.mark.parametrize("left", [[], [CHECKPOINT], [CHECKPOINT, "0123456789abcdef.part." + RECORD]])
def test_a_run_that_was_killed_before_its_record_began_is_begun_again(tiny, tmp_path, left):
    place = tmp_path / "seed-4"
    place.mkdir()
    for name in left:
        (place / name).write_text("half")
    (history,) = train_seeds(SHORT, tiny, 1, out=tmp_path)
    assert same(read_run(place).history, history) and len(history.epochs) == 2


def test_a_folder_that_holds_something_else_is_refused(tiny, tmp_path):
    train_seeds(SHORT, tiny, 1, out=tmp_path / "runs")
    other = dataclasses.replace(SHORT, l2=0.01)
    with pytest.raises(InputError, match=r"seed-4 can only go on as it began, but `l2` was 0.0 and is 0.01"):
        train_seeds(other, tiny, 1, out=tmp_path / "runs")
    images = Split(tiny.validation.images[::-1], tiny.validation.labels[::-1])
    with pytest.raises(
        InputError, match="seed-4 can only go on as it began, but images or labels are others"
    ):
        train_seeds(SHORT, dataclasses.replace(tiny, validation=images), 1, out=tmp_path / "runs")
    (tmp_path / "mine" / "seed-4").mkdir(parents=True)
    (tmp_path / "mine" / "seed-4" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="seed-4 is not the folder of a run: it has no history.jsonl"):
        train_seeds(SHORT, tiny, 1, out=tmp_path / "mine")
    assert (tmp_path / "mine" / "seed-4" / "thesis.txt").read_text() == "years of work"
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="`out` cannot be in .*: it is no folder"):
        train_seeds(SHORT, tiny, 1, out=tmp_path / "file")


@pytest.mark.parametrize(
    "wrong", [0, -1, True, 1.5, "3", None, [], [1, 1], [1, True], [0, -1], [0.5], [2**31]]
)
def test_what_is_no_seed_is_said_before_anything_is_trained(tiny, wrong):
    with pytest.raises(InputError, match=r"^`seeds?` must be .* Received: .*\.$"):
        train_seeds(SHORT, tiny, wrong, killed)


def test_seeds_that_run_out_are_said(tiny):
    with pytest.raises(InputError, match="`seed` must be 0 to"):
        train_seeds(with_seed(SHORT, 2**31 - 2), tiny, 3, killed)


def test_what_does_not_fit_together_is_said_before_anything_is_trained(tiny):
    for experiment, sentence in (
        (dataclasses.replace(SHORT, image_size=64), "`image_size`"),
        (3, "`experiment`"),
    ):
        with pytest.raises(InputError, match=sentence):
            train_seeds(experiment, tiny, 2, killed)
    one = Split(np.zeros((4, 32, 32, 3), np.uint8), np.arange(4) % 2)
    with pytest.raises(InputError, match="`batch_size`"):
        train_seeds(SHORT, Dataset("few", ("a", "b"), one, one), 2, killed)
