"""Verdicts of the atlas, on columns made by hand."""

import numpy as np
import pytest
from scipy import stats

from recipe.study.verdicts import CANNOT_TELL, HARMS, HELPS, NO_GAIN, column, judge, paired_t_p
from vgglab.errors import InputError
from vgglab.measures.intervals import Effect

SCATTER = np.array([-2, -1, 0, 1, 2, -2, -1, 0, 1, 2]) / 100  # ten seeds, mean 0, sd 1.49 points
MADE = dict(
    dropout=0.10 + SCATTER,
    mixup=-0.10 + SCATTER,
    flip=SCATTER / 10,
    erasing=0.02 + 5 * SCATTER,
    rotation=0.01 + SCATTER / 10,
)


def test_a_column_with_each_verdict():
    table = column(MADE)
    assert list(table["arm"]) == list(MADE)
    # Rotation helps by one point, and surely by less than two.
    assert list(table["verdict"]) == [HELPS, HARMS, NO_GAIN, CANNOT_TELL, HELPS]
    assert table["high"].iloc[-1] < 0.02
    assert NO_GAIN == "no gain of 2 points"


def test_the_numbers_of_a_column():
    table = column(MADE).set_index("arm")
    for arm, values in MADE.items():
        theirs = stats.ttest_1samp(values, 0)
        reach = theirs.confidence_interval()
        row = table.loc[arm]
        assert (row["mean"], row["low"], row["high"]) == pytest.approx((values.mean(), reach.low, reach.high))
        assert row["p"] == pytest.approx(theirs.pvalue) and row["n"] == 10
        # Ten pairs see 0.996 standard deviations (G*Power 3.1).
        assert row["detectable"] == pytest.approx(0.996 * values.std(ddof=1), rel=1e-3)
    assert table.loc["dropout", "sign_flip_p"] == 2 / 2**10
    # The least of five p values is made five times as large, the greatest of them stays.
    assert table["adjusted_p"].min() == pytest.approx(5 * table["p"].min())
    assert table.loc["flip", "adjusted_p"] == table.loc["flip", "p"] == pytest.approx(1)


def test_more_arms_make_a_doubtful_one_undecided():
    doubtful = 0.011 + SCATTER  # p = 0.045
    assert list(column(dict(one=doubtful))["verdict"]) == [HELPS]
    assert set(column(dict(one=doubtful, other=doubtful))["verdict"]) == {CANNOT_TELL}


@pytest.mark.parametrize(
    ("low", "high", "adjusted_p", "said"),
    [
        (0.001, 0.03, 0.049, HELPS),
        (0.001, 0.03, 0.05, CANNOT_TELL),
        (0.0, 0.03, 0.049, CANNOT_TELL),
        (0.001, 0.01, 0.05, NO_GAIN),
        (0.001, 0.01, 0.049, HELPS),
        (-0.03, -0.001, 0.049, HARMS),
        (-0.03, -0.001, 0.05, NO_GAIN),
        (-0.03, 0.0, 0.049, NO_GAIN),
        (-0.01, 0.0199, 0.9, NO_GAIN),
        (-0.01, 0.02, 0.9, CANNOT_TELL),
        (-0.5, 0.5, 0.9, CANNOT_TELL),
    ],
)
def test_verdicts_at_their_limits(low, high, adjusted_p, said):
    assert judge(Effect((low + high) / 2, low, high, 10), adjusted_p) == said


def test_an_arm_that_changed_nothing():
    assert paired_t_p([0, 0, 0]) == 1
    row = column(dict(stopping=[0.0] * 10)).iloc[0]
    assert (
        row["adjusted_p"] == row["sign_flip_p"] == 1 and row["detectable"] == 0 and row["verdict"] == NO_GAIN
    )


def test_columns_that_are_none():
    assert column({}).empty
    with pytest.raises(InputError, match="at least two numbers"):
        column(dict(one=[0.1]))
