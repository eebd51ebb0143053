"""Claims held against numbers made by hand."""

import keras
import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from vgglab.experiment import InputError
from vgglab.study import claims_ledger, facts, lesson_claims, study_curves, study_ends
from vgglab.study.claims import CLAIMS
from vgglab.study.evidence import NATS, TIMES, Contrast, Fact, below, covers, helps, level, more
from vgglab.study.ledger import BEGIN, END, PAGE, ledger, page, put_into, summary, verdict
from vgglab.study.plan import STUDIES
from vgglab.study.tables import FOLDER


def ends(**values):
    """A table of ends: `study__arm__metric` to one value a seed."""
    rows = [
        (*name.split("__"), seed, value)
        for name, column in values.items()
        for seed, value in enumerate(column)
    ]
    frame = pd.DataFrame(rows, columns=["study", "arm", "metric", "seed", "value"])
    return frame.set_index(["study", "arm", "metric"]).sort_index()


def test_a_paired_contrast_is_in_points_and_needs_its_whole_interval():
    table = ends(s__a__gap=[0.30, 0.42, 0.36], s__b__gap=[0.10, 0.20, 0.18])
    found = more("gap", "s", "a", "b", "gap").of(table)
    assert found.effect == pytest.approx(20) and found.n == 3 and found.supports and found.low > 0
    assert not more("gap", "s", "b", "a", "gap").of(table).supports
    table = ends(s__a__gap=[0.30, 0.10, 0.36], s__b__gap=[0.10, 0.20, 0.18])
    assert not more("gap", "s", "a", "b", "gap").of(table).supports, "the interval reaches below zero"


def test_levels_have_a_threshold():
    table = ends(s__a__train_accuracy=[0.992, 0.995, 1.0], s__a__loss=[0.3, 0.35, 0.4])
    assert level("train", "s", "a", "train_accuracy", 90).of(table).supports
    assert not level("train", "s", "a", "train_accuracy", 99.5).of(table).supports
    assert not below("train", "s", "a", "train_accuracy", 90).of(table).supports
    assert level("loss", "s", "a", "loss", 0.1, NATS).of(table).effect == pytest.approx(0.35)


def test_ratios_are_averaged_as_logarithms():
    table = ends(s__slow__seconds=[2.0, 8.0], s__fast__seconds=[1.0, 1.0])
    found = more("seconds", "s", "slow", "fast", "seconds", TIMES).of(table)
    assert found.effect == pytest.approx(4.0), "the geometric mean of 2 and 8"
    assert found.low * found.high == pytest.approx(16.0)


def test_a_transform_covers_a_nuisance_when_it_gains_more_there_than_elsewhere():
    table = ends(
        **{
            "nuisances__none__accuracy_hue": [0.5, 0.52, 0.51],
            "nuisances__none__accuracy_scale": [0.5, 0.5, 0.5],
            "nuisances__jitter__accuracy_hue": [0.9, 0.93, 0.91],
            "nuisances__jitter__accuracy_scale": [0.6, 0.61, 0.6],
        }
    )
    found = covers("jitter", "hue", ("hue", "scale")).of(table)
    assert found.supports and found.effect == pytest.approx(100 * (1.21 / 3 - 0.31 / 3))
    assert not covers("jitter", "scale", ("hue", "scale")).of(table).supports


def test_less_gap_with_less_accuracy_is_half_a_help():
    table = ends(
        s__plain__gap=[0.3, 0.31, 0.32], s__x__gap=[0.1, 0.12, 0.11],
        s__plain__validation_accuracy=[0.7, 0.7, 0.7], s__x__validation_accuracy=[0.6, 0.61, 0.6],
    )  # fmt: skip
    assert [each.of(table).supports for each in helps("s", "x")] == [True, False]


def test_a_measurement_that_the_study_lacks_is_named():
    with pytest.raises(InputError, match="The study has no 'gap' of arm 'b' in 's'"):
        more("gap", "s", "a", "b", "gap").of(ends(s__a__gap=[0.1, 0.2]))


@pytest.mark.parametrize(
    ("supports", "said"),
    [([True, True], "holds"), ([True, False], "holds in part"), ([False], "not here")],
)
def test_verdicts(supports, said):
    assert verdict(supports) == said


def test_every_contrast_asks_for_arms_of_the_plan():
    for claim in CLAIMS:
        for evidence in claim.evidence:
            for _, study, arm, _ in getattr(evidence, "terms", ()):
                assert arm in STUDIES[study], (claim.name, study, arm)
    assert len({claim.name for claim in CLAIMS}) == len(CLAIMS)
    assert all(isinstance(each, Contrast | Fact) for claim in CLAIMS for each in claim.evidence)


def test_facts_agree_with_the_paper_and_with_layer_by_layer_arithmetic():
    # Simonyan & Zisserman 2015, table 1 (column D) and table 2: 13 conv layers, 138 million parameters.
    assert facts.conv_layers() == 13 and facts.parameters() == 138_357_544
    channels, side, total = 3, 224, 0
    for filters, convs in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(convs):
            total, channels = total + 9 * channels * filters * side**2, filters
        side //= 2
    dense = 7 * 7 * 512 * 4096 + 4096 * 4096 + 4096 * 1000
    assert facts.multiply_adds() == total + dense
    assert facts.dense_share() == pytest.approx((dense + 4096 + 4096 + 1000) / 138_357_544)
    base = keras.applications.VGG16(weights=None, include_top=False)
    assert facts.last_five_that_learn() == len([1 for layer in base.layers[-5:] if "conv" in layer.name]) == 3


def test_days_on_a_gpu():
    assert facts.gpu_days(2e6, 10) == pytest.approx(2 * facts.gpu_days(1e6, 10))
    operations = 1e6 * 10 * facts.multiply_adds() * 6
    assert facts.gpu_days(1e6, 10) == pytest.approx(operations / 7.85e12 / 86_400)


def all_ends():
    """A table with every measurement that the claims ask for, of three seeds of noise."""
    rng = np.random.default_rng(0)
    asked = {term[1:] for claim in CLAIMS for each in claim.evidence for term in getattr(each, "terms", ())}
    rows = [(*each, seed, rng.uniform(0.2, 0.8)) for each in sorted(asked) for seed in range(3)]
    return pd.DataFrame(rows, columns=["study", "arm", "metric", "seed", "value"])


def test_the_ledger_has_every_claim_with_all_of_its_evidence():
    table = ledger(all_ends())
    assert len(table) == sum(len(claim.evidence) for claim in CLAIMS) and set(table["claim"]) == {
        claim.name for claim in CLAIMS
    }
    for name, rows in table.groupby("claim"):
        assert set(rows["verdict"]) == {verdict(list(rows["supports"]))}
    assert table.loc[table["claim"] == "sixteen conv layers", "verdict"].item() == "not here"
    shown, short = page(table), summary(table)
    assert all(words in shown for words in table["words"]) and short.count("\n") == len(CLAIMS) + 2


def test_the_ledger_goes_between_its_marks(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}old\n{END}after\n")
    table = ledger(all_ends())
    put_into(readme, table)
    text = readme.read_text()
    assert text == f"before\n{BEGIN}{summary(table)}{END}after\n"
    put_into(readme, table)
    assert readme.read_text() == text
    readme.write_text("no marks\n")
    with pytest.raises(InputError, match="has no place for the ledger"):
        put_into(readme, table)


def test_the_ledger_in_the_project_is_what_its_tables_say():
    written = claims_ledger()
    worked_out = ledger(pd.read_csv(FOLDER / "ends.csv", dtype={"arm": str}))
    assert list(written.columns) == list(worked_out.columns)
    for column in written:
        if written[column].dtype.kind == "f":
            assert np.allclose(written[column], worked_out[column], atol=1e-4, equal_nan=True), column
        else:
            assert written[column].tolist() == worked_out[column].tolist(), column
    assert written["n"].dropna().min() >= 5, "seeds"


def test_both_pages_say_what_the_ledger_says():
    written = claims_ledger()
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == PAGE + page(written)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.partition(BEGIN)[2].partition(END)[0] == summary(written)


def test_every_lesson_that_the_ledger_names_is_there():
    for lesson in set(claims_ledger()["lesson"]):
        (path,) = (ROOT / "notebooks").glob(f"{lesson}_*.ipynb")
        assert f'lesson_claims("{lesson}")' in path.read_text(encoding="utf-8").replace('\\"', '"')
        table = lesson_claims(lesson).data
        assert len(table) == (claims_ledger()["lesson"] == lesson).sum()
    with pytest.raises(InputError, match="Unknown lesson"):
        lesson_claims("12")


def test_the_tables_have_every_arm_of_the_plan_with_every_seed():
    for study, arms in STUDIES.items():
        ends, curves = study_ends(study), study_curves(study)
        assert list(dict.fromkeys(ends["arm"])) == list(arms)
        assert (ends.groupby("arm")["seed"].nunique() >= 5).all()
        last = curves.groupby(["arm", "seed"])["epoch"].max()
        for name, arm in arms.items():
            planned = arm.experiment.planned_epochs
            reached = last[name]
            assert (reached <= planned).all() and (arm.experiment.patience or (reached == planned).all())
