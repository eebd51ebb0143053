"""The pictures of the atlas, of a table made by hand."""

import pandas as pd
import pytest

from vgglab import studies
from vgglab.charts.atlas import plot_atlas, plot_brakes, plot_cell
from vgglab.charts.curves import detached_axes
from vgglab.errors import InputError
from vgglab.studies import study_atlas

ROWS = [  # column, arm, mean, low, high, verdict, setting
    ("noise", "dropout", 0.10, 0.08, 0.12, "helps", "0.8"),
    ("noise", "MixUp", -0.04, -0.06, -0.02, "harms", "1"),
    ("noise", "colour", 0.001, -0.004, 0.006, "no gain of 2 points", None),
    ("few", "dropout", 0.01, -0.02, 0.04, "cannot tell", "0.5"),
    ("few", "freezing", 0.03, 0.01, 0.05, "helps", None),
]


@pytest.fixture(autouse=True)
def by_hand(tmp_path, monkeypatch):
    names = ("column", "arm", "mean", "low", "high", "verdict", "setting")
    accuracy = pd.DataFrame(ROWS, columns=names).assign(outcome="test_accuracy", n=10)
    gap = accuracy.drop(columns="verdict").assign(outcome="gap", mean=-2 * accuracy["mean"])
    pd.concat([accuracy, gap]).to_csv(tmp_path / "atlas.csv", index=False)
    monkeypatch.setattr(studies, "FOLDER", tmp_path)


def written(ax):
    return [each.get_text() for each in ax.texts]


def test_the_atlas_has_a_cell_for_each_brake_and_condition_in_points():
    ax = plot_atlas(study_atlas(), detached_axes())
    assert [each.get_text() for each in ax.get_xticklabels()] == ["noise", "few"]
    assert [each.get_text() for each in ax.get_yticklabels()] == ["dropout", "MixUp", "colour", "freezing"]
    assert [each for each in written(ax) if each] == ["▲ +10.0", "? +1.0", "▼ -4.0", "· +0.1", "▲ +3.0"]
    of_few = study_atlas("gap").query("column == 'few'")
    assert [each for each in written(plot_atlas(of_few, detached_axes())) if each] == ["-2.0", "-6.0"]


def test_better_is_green_whichever_way_better_is():
    """A gap that is narrower by 20 points has the colour of an accuracy that is higher."""
    of_accuracy, of_gap = (
        plot_atlas(study_atlas(outcome).query("column == 'noise'"), detached_axes())
        for outcome in ("test_accuracy", "gap")
    )
    values = [ax.collections[0].get_array().ravel() for ax in (of_accuracy, of_gap)]
    assert (values[0][:2] > 0).tolist() == (values[1][:2] > 0).tolist() == [True, False]


def test_one_condition_with_its_intervals():
    ax = plot_brakes(study_atlas(), "noise", detached_axes())
    names = [each.get_text() for each in ax.get_yticklabels()]
    assert names == ["colour  ·", "MixUp 1  ▼", "dropout 0.8  ▲"]
    spans = {tuple(each.get_xdata()) for each in ax.lines if len(each.get_xdata()) == 2}
    assert {(8, 12), (-6, -2)} <= {tuple(round(float(x), 6) for x in span) for span in spans}
    colours = [each.get_color() for each in ax.lines if each.get_marker() == "o"]
    assert len(set(colours)) == 3, "better, worse, and neither"
    of_gap = plot_brakes(study_atlas("gap"), "few", detached_axes())
    assert all("▲" not in name.get_text() for name in of_gap.get_yticklabels())


def test_a_condition_or_an_outcome_that_there_is_not():
    with pytest.raises(InputError, match="Did you mean 'noise'"):
        plot_brakes(study_atlas(), "noisy")
    with pytest.raises(InputError, match="Unknown outcome"):
        study_atlas("accuracy")
    both = pd.concat([study_atlas(), study_atlas("gap")])
    with pytest.raises(InputError, match="`atlas` must be of one outcome of test_accuracy"):
        plot_atlas(both)


def test_a_cell_opens_the_runs_of_the_brake_and_of_plain():
    """Every seed's two curves, of the two arms alone; a run that stopped early ends where it ended."""
    rows = [
        dict(arm=arm, seed=seed, epoch=epoch, train_accuracy=0.9, validation_accuracy=0.5 + 0.1 * seed)
        for arm, epochs in (("plain", 3), ("dropout", 2), ("MixUp", 3))
        for seed in range(2)
        for epoch in range(1, epochs + 1)
    ]
    ax = plot_cell(pd.DataFrame(rows), "dropout", detached_axes())
    assert sorted(len(line.get_xdata()) for line in ax.lines) == [2] * 4 + [3] * 4
    assert {line.get_ydata()[0] for line in ax.lines} == {0.9, 0.5, 0.6}
    said = [text.get_text() for text in ax.get_legend().get_texts()]
    assert said == ["train, plain", "validation, plain", "train, dropout", "validation, dropout"]
    with pytest.raises(InputError, match="Unknown brake. Received: 'L2'"):
        plot_cell(pd.DataFrame(rows), "L2")
