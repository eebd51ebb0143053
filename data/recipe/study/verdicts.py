"""What a column of the atlas comes to: does a brake help, harm, gain too little to matter, or can nobody tell?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from vgglab.measures.intervals import Effect, holm, mean_interval, minimal_detectable, sign_flip_p

SMALLEST = 0.02  # of interest: two points
ALPHA = 0.05  # for all arms of a column together
HELPS, HARMS, CANNOT_TELL = "helps", "harms", "cannot tell"
NO_GAIN = f"no gain of {100 * SMALLEST:g} points"


def column(differences: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    """One condition of the atlas, a row an arm in the order given.

    `differences`: of each arm its outcome minus that of the plain arm, as shares, one a seed, 2 to 20 of them; more is
    better. Of each come `mean`, `low` and `high` (Student's 95 % interval), the `p` of the paired t test, `sign_flip_p`
    beside it, `adjusted_p` (of t's, by Holm, over the arms of this column), `detectable` (the true difference that so
    many seeds with this scatter see with a power of 80 %) and `verdict`.
    """
    effects = {arm: mean_interval(values) for arm, values in differences.items()}
    p = {arm: paired_t_p(values) for arm, values in differences.items()}
    adjusted = dict(zip(p, holm(list(p.values()))))
    return pd.DataFrame(
        dict(
            arm=arm,
            n=effect.n,
            mean=effect.mean,
            low=effect.low,
            high=effect.high,
            p=p[arm],
            sign_flip_p=sign_flip_p(differences[arm]),
            adjusted_p=adjusted[arm],
            detectable=minimal_detectable(float(np.std(differences[arm], ddof=1)), effect.n),
            verdict=judge(effect, adjusted[arm]),
        )
        for arm, effect in effects.items()
    )


def judge(effect: Effect, adjusted_p: float) -> str:
    """One of four verdicts on a paired difference, its arm minus plain, as shares.

    It helps or harms when the adjusted p is below 0.05 and the whole interval lies on that side of 0; a gain may be
    smaller than two points. Otherwise two points are excluded when the whole interval lies below them. Whatever is
    left, nobody can tell.
    """
    if adjusted_p < ALPHA and effect.above():
        return HELPS
    if adjusted_p < ALPHA and effect.high < 0:
        return HARMS
    return NO_GAIN if effect.high < SMALLEST else CANNOT_TELL


def paired_t_p(differences: Sequence[float]) -> float:
    """Two-sided, of the mean of differences, one a seed; 1 when they are all 0, as where a brake never acted."""
    from scipy import stats

    if not np.any(differences):
        return 1.0
    return float(stats.ttest_1samp(differences, 0.0).pvalue)
