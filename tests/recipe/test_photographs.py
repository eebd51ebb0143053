"""The atlas's question on photographs: its columns, their parts, and where they stand in the tables."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from test_study import fake_run

from recipe.study import plan, tables
from recipe.study.ledger import atlas_page
from recipe.study.photographs import columns_of
from recipe.study.tasks import task
from recipe.study.trial import Record, trials
from vgglab.datasets import load
from vgglab.errors import InputError
from vgglab.studies import study_atlas


@pytest.fixture
def garments(tmp_path):
    """Two classes of twenty noisy images, of which none is like another; no parts."""
    rng = np.random.default_rng(0)
    for name in ("hat", "shoe"):
        (tmp_path / "garments" / name).mkdir(parents=True)
        for number in range(20):
            pixels = rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "garments" / name / f"{number}.png")
    return tmp_path / "garments"


@pytest.fixture
def columns(garments, tmp_path):
    weights = tmp_path / "vgg16.weights.h5"
    weights.touch()
    return columns_of([garments], weights)


def pixels(split):
    return {image.tobytes() for image in split.images}


def test_a_folder_without_parts_gets_three_that_share_nothing(garments):
    data = task("photographs, tested", str(garments)).data(3)
    assert [np.bincount(part.labels).tolist() for part in (data.train, data.validation, data.test)] == [
        [12, 12],
        [4, 4],
        [4, 4],
    ]
    whole = load(garments, seed=3)
    assert pixels(data.train) | pixels(data.test) == pixels(whole.train) and len(pixels(data.train)) == 24
    assert pixels(data.validation) == pixels(whole.validation)
    other = task("photographs, tested", str(garments)).data(4)
    assert pixels(other.test) != pixels(data.test)
    chosen_on = task("photographs", str(garments)).data(3)
    assert chosen_on.test is None and pixels(chosen_on.train) == pixels(data.train)


def test_a_folders_own_parts_stay(garments, tmp_path):
    for part, first in (("train", 0), ("validation", 12), ("test", 16)):
        for name in ("hat", "shoe"):
            (tmp_path / "split" / part / name).mkdir(parents=True)
            for number in range(first, first + 4):
                file = garments / name / f"{number}.png"
                file.rename(tmp_path / "split" / part / name / file.name)
    own, ours = load(tmp_path / "split"), task("photographs, tested", str(tmp_path / "split")).data(9)
    assert own.fingerprint == ours.fingerprint and pixels(own.test) == pixels(ours.test)


def test_an_arm_differs_from_plain_in_its_setting_alone_and_settings_are_chosen_on_other_seeds(columns):
    (column,) = columns.values()
    assert column.plain.backbone == "vgg16" and column.plain.unfreeze == 0 and not column.plain.later
    for given in column.arms.values():
        for setting in given:
            plain, changed = column.plain.to_dict(), column.experiment(setting).to_dict()
            assert {name for name in plain if plain[name] != changed[name]} - {"views"} <= set(setting)
            assert (changed["views"] == 4) == bool({"augment", "mixup"} & set(setting))
    assert set(column.predicted) <= set(column.arms)
    assert not set(column.choosing) & set(column.judging)


def test_photographs_come_after_the_flowers_in_the_tables_and_both_stay(columns, tmp_path):
    twins = {"twins": plan.STUDIES["twins"]}
    judged = plan.atlas_of(columns, {})
    for studies in (judged, twins):
        planned = trials(studies.values(), 2)
        records = {each.key: Record.from_lines(fake_run(each), "") for each in planned}
        for each in records.values():
            each.history.test = dict(accuracy=0.5, loss=1.0, calibration_error=0.1, images=8)
        tables.write_tables(records, studies, 2, tmp_path)
    tables.write_atlas(columns, tmp_path)
    ends = pd.read_csv(tmp_path / "ends.csv")
    assert list(dict.fromkeys(ends["study"])) == ["twins", "photographs_garments"]
    assert set(study_atlas(folder=tmp_path)["column"]) == {"photographs_garments"}
    assert "### Photographs: garments; ImageNet's VGG16, frozen, at 64 pixels" in atlas_page(tmp_path)
    for path in tmp_path.glob("*.csv"):
        assert str(tmp_path) not in path.read_text(), "tables name no place on this machine"


def test_settings_of_photographs_are_chosen_beside_those_of_the_flowers(columns, tmp_path, monkeypatch):
    (name,) = columns
    planned = trials(plan.choices_of(columns).values(), 2)
    records = {each.key: Record.from_lines(fake_run(each), "") for each in planned}
    tables.write_settings(records, columns, 2, tmp_path)
    monkeypatch.setattr(plan, "SETTINGS", tmp_path / "settings.csv")
    chosen = plan.chosen_settings()
    assert chosen[name, "dropout"] == "0.5" and (name, "simple") not in chosen


def test_what_is_not_there_is_named(garments, tmp_path):
    with pytest.raises(InputError, match="nothing to read at .*absent"):
        columns_of([tmp_path / "absent"], tmp_path / "weights.h5")
    with pytest.raises(InputError, match=r"nothing to read at .*weights\.h5"):
        columns_of([garments], tmp_path / "weights.h5")
    (tmp_path / "weights.h5").touch()
    (tmp_path / "more" / "garments").mkdir(parents=True)
    with pytest.raises(InputError, match="a name of its own"):
        columns_of([garments, tmp_path / "more" / "garments"], tmp_path / "weights.h5")
