"""k folds and what cross-validation makes of them, against scikit-learn, formulas and plain `train`."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from test_store import PLAIN, same
from vgglab.cli import main
from vgglab.cross_validation import cross_validate
from vgglab.datasets import k_folds
from vgglab.datasets.dataset import Dataset, Split
from vgglab.engine.control import Control
from vgglab.errors import InputError
from vgglab.measures.intervals import fold_interval, mean_interval
from vgglab.training import train

SHORT = dataclasses.replace(PLAIN, epochs=1, batch_size=8)


def numbered(train, validation, groups=None, test=0, classes=2):
    """A data set whose images tell their own number: the first `train` of them to train on."""
    count = train + validation + test
    images = np.zeros((count, 32, 32, 3), np.uint8)
    images[..., 0] = np.arange(count)[:, None, None]
    labels = np.arange(count) % classes
    names = None if groups is None else np.array([*groups, *[None] * test], dtype=object)
    paths = np.array([f"{number}.png" for number in range(count)], dtype=object)
    whole = Split(images, labels, paths=paths, groups=names)
    parts = [whole.part(np.arange(*ends)) for ends in ((0, train), (train, train + validation))]
    return Dataset(
        "numbered",
        tuple("abcdef"[:classes]),
        *parts,
        whole.part(np.arange(train + validation, count)) if test else None,
    )


def numbers_in(split):
    return split.images[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("folds", [2, 3, 5, 20])
def test_each_image_validates_once_and_trains_otherwise(folds):
    data = numbered(30, 10, test=4)
    parts = k_folds(data, folds, seed=1)
    assert sorted(number for part in parts for number in numbers_in(part.validation)) == list(range(40))
    for part in parts:
        assert sorted(numbers_in(part.train) + numbers_in(part.validation)) == list(range(40))
        assert max(part.validation.counts(2)) - min(part.validation.counts(2)) <= 1
        assert part.test is data.test and numbers_in(part.train) == sorted(numbers_in(part.train))
        for split in (part.train, part.validation):
            assert [f"{number}.png" for number in numbers_in(split)] == split.paths.tolist()
            assert (np.array(numbers_in(split)) % 2 == split.labels).all()


def test_groups_stay_whole_and_the_seed_chooses():
    groups = [f"P{number // 4}" for number in range(40)]
    data = numbered(30, 10, groups)
    for part in k_folds(data, 5):
        assert not set(part.train.groups) & set(part.validation.groups) and len(part.validation) == 8
    chosen = {tuple(numbers_in(k_folds(data, 5, seed)[0].validation)) for seed in (0, 0, 1, 2)}
    assert len(chosen) == 3


def test_wrong_labels_stay_known_wherever_they_go():
    data = numbered(20, 10)
    redrawn = data.train.labels.copy()
    redrawn[:6] = 1 - redrawn[:6]
    data = dataclasses.replace(
        data, train=dataclasses.replace(data.train, labels=redrawn, truth=data.train.labels)
    )
    parts = k_folds(data, 3)
    assert sum(int(part.validation.wrong.sum()) for part in parts) == 6
    assert all((np.array(numbers_in(part.train)) % 2 == part.train.true_labels).all() for part in parts)


@pytest.mark.parametrize(
    ("folds", "sentence"),
    [
        (1, "`folds` must be a whole number, 2 to 100. Received: 1."),
        (0, "Received: 0."),
        (-5, "Received: -5."),
        (101, "Received: 101."),
        (2.5, "Received: 2.5."),
        ("5", "Received: '5'."),
        (True, "Received: True."),
        (None, "Received: None."),
        (math.nan, "Received: nan."),
        ([5], r"Received: \[5\]."),
        (13, "`folds` must be at most the number of images, 12. Received: 13."),
    ],
)
def test_a_number_of_folds_that_is_none_is_refused(folds, sentence):
    for of in (k_folds, lambda data, folds: cross_validate(SHORT, data, folds)):
        with pytest.raises(InputError, match=sentence):
            of(numbered(8, 4), folds)


def test_what_cannot_be_divided_is_refused():
    with pytest.raises(
        InputError, match="`folds` must be at most the number of groups of images, 3. Received: 4."
    ):
        k_folds(numbered(8, 4, ["x", "y", "z"] * 4), 4)
    with pytest.raises(InputError, match="Class 'a' has only one group, 'x'"):
        k_folds(numbered(8, 4, ["x", "y"] * 6), 2)
    with pytest.raises(InputError, match="`data` must be a Dataset"):
        k_folds("blossoms")
    with pytest.raises(InputError, match="`seed` must be"):
        k_folds(numbered(8, 4), 2, seed=-1)
    with pytest.warns(UserWarning, match="Class 'a' is in 2 of the 4 folds"):
        k_folds(numbered(8, 4, ["x", "1", "x", "2", "x", "3", "y", "4", "y", "5", "y", "6"]), 4)


@pytest.mark.parametrize("folds", [2, 5, 10])
def test_the_interval_is_that_of_nadeau_and_bengio(folds):
    values = np.random.default_rng(folds).random(folds)
    effect, plain = fold_interval(values, folds), mean_interval(values)
    variance = (1 / folds + (1 / folds) / (1 - 1 / folds)) * values.var(ddof=1)
    low, high = stats.t.interval(0.95, folds - 1, values.mean(), math.sqrt(variance))
    assert (effect.low, effect.high) == pytest.approx((low, high)) and effect.mean == plain.mean
    assert effect.high - effect.low > 1.4 * (plain.high - plain.low)


@pytest.mark.parametrize(
    "values, folds", [([0.5], 5), ([], 5), ([0.5, 0.6, 0.7], 2), ([0.5, math.nan], 2), ([0.5, 0.6], True)]
)
def test_an_interval_of_too_few_is_refused(values, folds):
    with pytest.raises(
        InputError, match="`values` must be at least two numbers, one a fold|`folds` must be a whole"
    ):
        fold_interval(values, folds)


def test_each_fold_is_trained_as_train_does_it(tiny):
    found = cross_validate(SHORT, tiny, 3)
    for history, part in zip(found.histories, k_folds(tiny, 3, SHORT.seed)):
        assert same(history, train(SHORT, part)) and history.data["fingerprint"] == part.fingerprint
    accuracies = [history.kept["validation_accuracy"] for history in found.histories]
    assert found.accuracy.mean == pytest.approx(np.mean(accuracies)) and found.accuracy.n == 3
    assert found.table["validation_accuracy"].tolist() == accuracies
    assert found.table["validation_images"].sum() == 34 and found.table["fold"].tolist() == [1, 2, 3]


def test_a_stop_keeps_the_finished_folds_and_the_same_call_goes_on(tiny, tmp_path):
    longer, control, seen = dataclasses.replace(SHORT, epochs=2), Control(), []

    def stop_in_the_second_fold(history):
        seen.append(len(history.epochs))
        if len(seen) == 3:
            control.stop()

    first = cross_validate(longer, tiny, 3, stop_in_the_second_fold, control=control, out=tmp_path / "cv")
    assert [len(each.epochs) for each in first.histories] == [2, 1] and len(first.finished) == 1
    assert sorted(each.name for each in (tmp_path / "cv").iterdir()) == ["fold-1", "fold-2"]
    with pytest.raises(InputError, match="at least two numbers, one a fold"):
        _ = first.accuracy
    seen.clear()
    again = cross_validate(longer, tiny, 3, lambda history: seen.append(1), out=tmp_path / "cv")
    assert len(seen) in (3, 4), "what the second fold has left after its checkpoint, and the third"
    assert all(same(*pair) for pair in zip(again.histories, cross_validate(longer, tiny, 3).histories))
    with pytest.raises(InputError, match="fold-1"):
        cross_validate(longer, tiny, 4, out=tmp_path / "cv")
    with pytest.raises(InputError, match="fold-1"):
        cross_validate(dataclasses.replace(longer, l2=0.1), tiny, 3, out=tmp_path / "cv")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--folds", "1"], "`folds` must be a whole number, 2 to 100. Received: 1."),
        (["--folds", "five"], "invalid int value: 'five'"),
        (["--out", "file"], "it is no folder"),
        (["--data", "/nowhere"], "There is no folder at /nowhere."),
        (["--group", "(", "--data", "."], "no regular expression"),
        (["--exclude", "absent.txt"], "`exclude` must be a text file. absent.txt: no such file"),
        (["--unfreeze", "14"], "`unfreeze` must be 0 to 13. Received: 14."),
        (["--fold", "3"], "Did you mean"),
        (["--resume", "x"], "unrecognized arguments: --resume"),
        (["extra"], "unrecognized arguments: extra"),
    ],
)
def test_bad_options_are_one_sentence(options, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    try:
        code = main(["cross-validate", *options])
    except SystemExit as ended:
        code = ended.code
    said = capsys.readouterr().err
    assert code == 2 and sentence in said and "Traceback" not in said and len(said.splitlines()) == 1


@pytest.mark.slow
def test_the_command_prints_a_row_a_fold_and_the_mean(tmp_path, capsys):
    command = ["cross-validate", "--folds", "3", "--epochs", "1", "--unfreeze", "0", "--image-size", "32"]
    command += ["--images-a-class", "5", "--out", str(tmp_path / "cv")]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "3 folds of 560 images" in said and "Mean validation accuracy:" in said and "3 folds)" in said
    assert sorted(each.name for each in (tmp_path / "cv").iterdir()) == ["fold-1", "fold-2", "fold-3"]
    assert main(command) == 0 and "Mean validation accuracy:" in capsys.readouterr().out
