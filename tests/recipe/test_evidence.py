"""Claims held against numbers made by hand."""

import keras
import numpy as np
import pandas as pd
import pytest

from conftest import ROOT
from recipe.study import facts as counted
from recipe.study.claims import CLAIMS
from recipe.study.evidence import (
    NATS,
    NO,
    TIMES,
    UNTESTED,
    YES,
    Contrast,
    Fact,
    as_good,
    below,
    covers,
    helps,
    level,
    more,
    outcome,
)
from recipe.study.ledger import BEGIN, END, PAGE, atlas_page, ledger, long, page, put_into, summary, verdict
from recipe.study.photographs import PHOTOGRAPHS, columns_of
from recipe.study.plan import ATLAS, CHOICES, STUDIES, atlas_of, chosen_settings
from vgglab.errors import InputError
from vgglab.measures import facts
from vgglab.studies import FOLDER, claims_ledger, lesson_claims, study_atlas, study_curves, study_ends


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
    assert found.effect == pytest.approx(20) and found.n == 3 and found.supports == YES and found.low > 0
    assert more("gap", "s", "b", "a", "gap").of(table).supports == NO
    table = ends(s__a__gap=[0.30, 0.10, 0.36], s__b__gap=[0.10, 0.20, 0.18])
    assert more("gap", "s", "a", "b", "gap").of(table).supports == NO, "the interval reaches below zero"


def test_what_reaches_below_zero_is_no_support_by_a_hair_either():
    # Student's t for 2 degrees of freedom is 4.303: 1.5 points, from -0.1 to 3.1.
    table = ends(
        s__a__validation_accuracy=[0.60856, 0.615, 0.62144], s__b__validation_accuracy=[0.6, 0.6, 0.6]
    )
    found = more("validation", "s", "a", "b", "validation_accuracy").of(table)
    assert (found.effect, found.low, found.high) == pytest.approx((1.5, -0.1, 3.1), abs=0.01)
    assert found.supports == NO


def test_levels_have_a_threshold():
    table = ends(s__a__train_accuracy=[0.992, 0.995, 1.0], s__a__loss=[0.3, 0.35, 0.4])
    assert level("train", "s", "a", "train_accuracy", 90).of(table).supports == YES
    assert level("train", "s", "a", "train_accuracy", 99.5).of(table).supports == NO
    found = below("train", "s", "a", "train_accuracy", 90).of(table)
    assert found.supports == NO and found.effect == pytest.approx(100 * 2.987 / 3) and found.unit == "%"
    assert below("train", "s", "a", "train_accuracy", 100.8).of(table).supports == YES
    assert level("loss", "s", "a", "loss", 0.1, NATS).of(table).effect == pytest.approx(0.35)


def test_ratios_are_averaged_as_logarithms():
    table = ends(s__slow__seconds=[2.0, 8.0], s__fast__seconds=[1.0, 1.0])
    found = more("seconds", "s", "slow", "fast", "seconds", TIMES).of(table)
    assert found.effect == pytest.approx(4.0), "the geometric mean of 2 and 8"
    assert found.low * found.high == pytest.approx(16.0)


def test_a_transform_covers_a_nuisance_when_it_gains_more_there_than_elsewhere():
    table = ends(
        nuisances__none__validation_accuracy=[0.6, 0.6, 0.6],
        nuisances__none__accuracy_hue=[0.5, 0.52, 0.51],
        nuisances__none__accuracy_scale=[0.5, 0.5, 0.5],
        nuisances__jitter__accuracy_hue=[0.9, 0.93, 0.91],
        nuisances__jitter__accuracy_scale=[0.6, 0.61, 0.6],
    )
    found = covers("jitter", "hue", ("hue", "scale")).of(table)
    assert found.supports == YES and found.effect == pytest.approx(100 * (1.21 / 3 - 0.31 / 3))
    assert covers("jitter", "scale", ("hue", "scale")).of(table).supports == NO
    # A nuisance that costs a point and a half has nothing to gain.
    table.loc[("nuisances", "none", "validation_accuracy"), "value"] = [0.515, 0.535, 0.525]
    assert covers("jitter", "hue", ("hue", "scale")).of(table).supports == UNTESTED


def test_less_gap_with_less_accuracy_is_no_help():
    table = ends(
        s__plain__gap=[0.3, 0.31, 0.32], s__x__gap=[0.1, 0.12, 0.11],
        s__plain__validation_accuracy=[0.7, 0.7, 0.7], s__x__validation_accuracy=[0.6, 0.61, 0.6],
    )  # fmt: skip
    pieces = [piece.of(table).supports for piece in helps("s", "x")]
    assert pieces == [YES, NO] and outcome(pieces) == NO


def test_an_arm_that_changed_nothing_tested_nothing():
    table = ends(
        s__plain__gap=[0.3, 0.31], s__x__gap=[0.3, 0.31],
        s__plain__validation_accuracy=[0.7, 0.7], s__x__validation_accuracy=[0.7, 0.8],
        s__plain__loss_rise=[0.0, 0.0],
    )  # fmt: skip
    assert [piece.of(table).supports for piece in helps("s", "x")] == [UNTESTED, NO]
    assert level("rise", "s", "plain", "loss_rise", 0.1, NATS).of(table).supports == NO, "no arms, a plain no"
    assert [outcome(case) for case in ([YES, UNTESTED], [NO, UNTESTED], [YES, YES])] == [UNTESTED, NO, YES]


def test_help_is_judged_on_the_part_that_the_study_has():
    assert {term[3] for piece in helps("label_noise", "x") for term in piece.terms} == {
        "gap",
        "test_accuracy",
    }
    of_scratch = {term[3] for piece in helps("from_scratch", "x") for term in piece.terms}
    assert of_scratch == {"gap", "validation_accuracy"}


def test_as_good_lets_two_points_less_pass():
    table = ends(
        s__a__gap=[0.50, 0.51, 0.52], s__b__gap=[0.51, 0.52, 0.53],
        s__c__gap=[0.53, 0.54, 0.551],
    )  # fmt: skip
    assert as_good("", ("s", "a"), ("s", "b"), "gap").of(table).supports == YES, "one point less on each seed"
    assert as_good("", ("s", "a"), ("s", "c"), "gap").of(table).supports == NO, "three less"


def test_a_measurement_that_the_study_lacks_is_named():
    with pytest.raises(InputError, match="The study has no 'gap' of arm 'b' in 's'"):
        more("gap", "s", "a", "b", "gap").of(ends(s__a__gap=[0.1, 0.2]))


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ([YES, YES], "holds"),
        ([YES, NO], "holds in part"),
        ([NO], "not here"),
        ([YES, UNTESTED], "holds"),
        ([NO, UNTESTED], "not here"),
        ([UNTESTED], "not tested"),
    ],
)
def test_verdicts(outcomes, said):
    assert verdict(outcomes, failed="not here") == said


def pieces_of(claim):
    return [piece for case in (*claim.cases, *claim.photographs) for piece in case]


def test_every_contrast_asks_for_arms_of_the_plan(tmp_path):
    for name in ("clothing", "bloodcells"):
        (tmp_path / name).mkdir()
    (tmp_path / "weights.h5").touch()
    columns = columns_of([tmp_path / "clothing", tmp_path / "bloodcells"], tmp_path / "weights.h5")
    studies = STUDIES | atlas_of(columns, {})
    for claim in CLAIMS:
        for piece in pieces_of(claim):
            assert isinstance(piece, Contrast | Fact)
            for _, study, arm, _ in getattr(piece, "terms", ()):
                assert arm in studies[study].arms, (claim.name, study, arm)
    assert len({claim.name for claim in CLAIMS}) == len(CLAIMS)


def test_facts_agree_with_the_paper_and_with_layer_by_layer_arithmetic():
    # Simonyan & Zisserman 2015, table 1 (column D) and table 2: 13 conv layers, 138 million parameters.
    assert counted.conv_layers() == 13 and counted.parameters() == 138_357_544
    channels, side, total = 3, 224, 0
    for filters, convs in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(convs):
            total, channels = total + 9 * channels * filters * side**2, filters
        side //= 2
    dense = 7 * 7 * 512 * 4096 + 4096 * 4096 + 4096 * 1000
    assert facts.multiply_adds() == total + dense
    assert counted.dense_share() == pytest.approx((dense + 4096 + 4096 + 1000) / 138_357_544)
    base = keras.applications.VGG16(weights=None, include_top=False)
    assert counted.dense_work() == pytest.approx(dense / (total + dense))
    assert (
        counted.last_five_that_learn() == len([1 for layer in base.layers[-5:] if "conv" in layer.name]) == 3
    )


def test_the_memory_of_a_step_by_hand():
    sides_and_filters = ((224, 64, 2), (112, 128, 2), (56, 256, 3), (28, 512, 3), (14, 512, 3))
    made = sum(side**2 * filters * convs for side, filters, convs in sides_and_filters) + 4096 + 4096 + 1000
    made += 224 * 224 * 3 + sum((side // 2) ** 2 * filters for side, filters, _ in sides_and_filters)
    assert counted.step_gigabytes(10) == pytest.approx((16 * 138_357_544 + 40 * made) / 1e9)
    share = 16 * 138_357_544 / (16 * 138_357_544 + 40 * made)
    assert counted.parameters_in_memory(10) == pytest.approx(share)


def test_days_on_a_gpu():
    assert facts.gpu_days(2e6, 10) == pytest.approx(2 * facts.gpu_days(1e6, 10))
    operations = 1e6 * 10 * facts.multiply_adds() * 6
    assert facts.gpu_days(1e6, 10) == pytest.approx(operations / 7.85e12 / 86_400)


def all_ends():
    """A table with every measurement that the claims ask for, of three seeds of noise."""
    rng = np.random.default_rng(0)
    asked = {term[1:] for claim in CLAIMS for each in pieces_of(claim) for term in getattr(each, "terms", ())}
    rows = [(*each, seed, rng.uniform(0.2, 0.8)) for each in sorted(asked) for seed in range(3)]
    return pd.DataFrame(rows, columns=["study", "arm", "metric", "seed", "value"])


def test_the_ledger_has_every_claim_with_all_of_its_evidence():
    table = ledger(all_ends())
    assert len(table) == sum(len(pieces_of(claim)) for claim in CLAIMS) and set(table["claim"]) == {
        claim.name for claim in CLAIMS
    }
    assert (table.groupby(["claim", "images"])["verdict"].nunique() == 1).all()
    verdicts = table.groupby("claim")["verdict"].first()
    assert verdicts["sixteen conv layers"] == "wrong" and verdicts["138 million"] == "holds"
    assert verdicts["days on a GPU"] == "holds"
    shown, short = page(table), summary(table)
    assert all(words in shown for words in table["words"]) and short.count("\n") == len(CLAIMS) + 2


def test_photographs_have_a_verdict_of_their_own_and_a_disagreement_is_said():
    ends = all_ends().set_index(["study", "arm", "metric", "seed"])["value"]
    for study, better in (
        ("label_noise", 0.1),
        ("photographs_clothing", -0.1),
        ("photographs_bloodcells", -0.1),
    ):
        for seed in range(3):
            for metric, sign in (("gap", -1), ("test_accuracy", 1)):
                change = sign * (better + 0.001 * seed)
                ends[study, "weight decay", metric, seed] = ends[study, "plain", metric, seed] + change
    table = ledger(ends.reset_index())
    rows = table[table["claim"] == "weight decay"]
    said = rows.groupby("images", sort=False)["verdict"].first()
    assert dict(said) == {"drawn flowers": "holds in part", "photographs": "not here"}
    assert "on drawn flowers **holds in part**, on photographs **not here**. They disagree." in page(rows)
    line = summary(table).splitlines()[[*dict.fromkeys(table["claim"])].index("weight decay") + 2]
    assert line.endswith("| **holds in part** (1 of 4) | **not here** (0 of 2) |")
    assert "photographs" not in table[table["lesson"] == "08"]["images"].tolist()


def test_without_tables_of_photographs_the_ledger_is_of_the_flowers_alone():
    ends = all_ends()
    table = ledger(ends[~ends["study"].str.startswith(PHOTOGRAPHS)])
    assert set(table["images"]) == {"drawn flowers", "none"} and "photographs" not in summary(table)
    assert set(table["claim"]) == {claim.name for claim in CLAIMS}


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
    worked_out = ledger(long(pd.read_csv(FOLDER / "ends.csv", dtype={"arm": str})))
    assert list(written.columns) == list(worked_out.columns)
    for column in written:
        if written[column].dtype.kind == "f":
            assert np.allclose(written[column], worked_out[column], atol=1e-4, equal_nan=True), column
        else:
            assert written[column].tolist() == worked_out[column].tolist(), column
    assert written["n"].dropna().min() >= 5, "seeds"


def test_support_in_the_ledger_keeps_to_the_rule_that_lesson_02_teaches():
    """The whole interval lies above zero; two points less pass where the claim is that two arms are as good."""
    as_good_as = {"low rate", "more data"}
    rows = claims_ledger()
    compared = rows[rows["words"].str.contains(" minus ") & rows["n"].notna() & (rows["supports"] == "yes")]
    below_zero = compared[compared["low"] <= 0]
    either_way = below_zero["claim"] == "logged accuracy"  # which claims a difference, not its direction
    assert (below_zero.loc[either_way, "high"] < 0).all()
    assert set(below_zero.loc[~either_way, "claim"]) <= as_good_as
    assert (below_zero.loc[~either_way, "low"] > -2).all() and len(compared) > 20


def test_one_comparison_is_one_case():
    """Where training stays at 100 %, gap and accuracy are the same figures, and must not count twice."""
    for claim in CLAIMS:
        arms_of = [
            {frozenset(term[1:3] for term in piece.terms) for piece in case if isinstance(piece, Contrast)}
            for case in (*claim.cases, *claim.photographs)
            if {"gap"} & {term[3] for piece in case for term in getattr(piece, "terms", ())}
        ]
        assert sum(map(len, arms_of)) == len(set().union(*arms_of)), claim.name


def test_both_pages_say_what_the_ledger_says():
    written = claims_ledger()
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == PAGE + atlas_page(FOLDER) + page(written)
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
    for study, each in STUDIES.items():
        arms = each.arms
        ends = study_ends(study)
        assert list(dict.fromkeys(ends["arm"])) == list(arms)
        seeds = ends.groupby("arm")["seed"].apply(set)
        assert all(found == set(each.seeds) for found in seeds)
        if study in CHOICES:
            continue
        last = study_curves(study).groupby(["arm", "seed"])["epoch"].max()
        for name, arm in arms.items():
            planned = arm.experiment.planned_epochs
            reached = last[name]
            assert (reached <= planned).all() and (arm.experiment.patience or (reached == planned).all())


def test_the_settings_in_the_project_are_what_the_runs_on_the_choosing_seeds_say():
    chosen = chosen_settings()
    for study in CHOICES:
        means = study_ends(study).groupby("arm", sort=False)["validation_accuracy"].mean().drop("plain")
        column = study.removesuffix("_settings")
        for arm in {name.partition(", ")[0] for name in means.index}:
            of_arm = means[means.index.str.startswith(f"{arm}, ")]
            assert of_arm.round(6).idxmax() == f"{arm}, {chosen[column, arm]}"


def test_the_atlas_in_the_project_is_what_its_tables_say():
    """With pandas and SciPy alone."""
    from scipy import stats

    atlas = study_atlas()
    assert {name for name in atlas["column"] if not name.startswith(PHOTOGRAPHS)} == set(ATLAS)
    for row in atlas.itertuples():
        accuracy = study_ends(row.column).pivot(index="seed", columns="arm", values="test_accuracy")
        gain = accuracy[row.arm] - accuracy["plain"]
        assert gain.mean() == pytest.approx(row.mean, abs=1e-4) and len(gain) == row.n
        if gain.any():
            low, high = stats.t.interval(0.95, len(gain) - 1, gain.mean(), stats.sem(gain))
            assert (low, high) == pytest.approx((row.low, row.high), abs=1e-4)
            assert (row.verdict == "helps") <= (low > 0) and (row.verdict == "harms") <= (high < 0)
            assert (row.verdict == "no gain of 2 points") <= (high < 0.02)
    with pytest.raises(InputError, match="Unknown outcome"):
        study_atlas("accuracy")
