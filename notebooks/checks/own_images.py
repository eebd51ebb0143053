"""Checks of lesson 10: how certain an accuracy is, which splits leak, and which plan to begin with."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from vgglab.measures.intervals import interval
from vgglab.studies import study_ends

RIGHT, OF = 45, 50  # of exercise 10.1
NEAR = 0.005  # how far a bound may be off
TIED = 0.005  # accuracies of plans that are nearer than this are not told apart


def _interval(answer: tuple[float, float]) -> str | None:
    low, high = sorted(float(each) for each in answer)
    share, (right_low, right_high) = RIGHT / OF, interval(RIGHT, OF)
    if abs(low - right_low) <= NEAR and abs(high - right_high) <= NEAR:
        return None
    if high > 1:
        return "give fractions from 0 to 1, not per cent or numbers of images."
    if not low < share < high:
        return "what was measured should lie inside the interval."
    if math.isclose(share - low, high - share, abs_tol=NEAR):
        return "a symmetric interval suits shares near one half; near 1, use the one of `vgglab.measures.intervals`."
    return "use `interval(right, n)`, and 95 % confidence."


def _leaks(answer: set[str], photos: pd.DataFrame) -> str | None:
    if isinstance(answer, str):
        answer = answer.replace(",", " ").split()
    chosen, ways = set(answer), set(photos.columns) - {"plant"}
    if not chosen <= ways:
        return f"choose among {', '.join(sorted(ways))}."
    for way in sorted(ways):
        sides = photos.groupby("plant")[way].nunique()
        if (sides > 1).any() and way not in chosen:
            return f"look at {way} again: is every plant on one side only?"
        if (sides == 1).all() and way in chosen:
            return f"look at {way} again: which plant has photographs on both sides?"
    return None


def _plan(answer: Mapping[str, float]) -> str | None:
    means = study_ends("depth_settings").groupby("arm", sort=False)["validation_accuracy"].mean()
    alone, means = means["plain"], means.drop("plain")
    depth, rate, gained = int(answer["unfreeze"]), float(answer["learning_rate"]), float(answer["gained"])
    arm = f"{depth} layers, {rate:g}"
    if arm not in means.index:
        return "take a depth and a rate from the table, as numbers."
    if means[arm] < means.max() - TIED:
        best_of_depth = max(means[name] for name in means.index if name.startswith(f"{depth} layers,"))
        if means[arm] < best_of_depth - TIED:
            return "at this depth another rate does better."
        return "this is the best rate of its depth, but another depth has a higher mean."
    if abs(gained - 100 * (means[arm] - alone)) > 0.2:
        return "the plan is right; for the gain, compare with the head alone, in points."
    return None


CHECKS = {"10.1": _interval, "10.2": _leaks, "10.3": _plan}
