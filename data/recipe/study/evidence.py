"""What bears on a claim: contrasts of measurements over seeds, and facts that can be counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from recipe.study.photographs import PHOTOGRAPHS
from recipe.study.plan import ATLAS
from vgglab.errors import InputError
from vgglab.measures.intervals import Effect, mean_interval


class Unit(NamedTuple):
    """How measurements become what is averaged, and how the average is read; `vgglab.studies` writes it by its name."""

    name: str
    inwards: Callable[[np.ndarray], np.ndarray]
    outwards: Callable[[float], float]


POINTS = Unit("points", lambda value: 100 * value, float)  # a difference of shares
SHARE = Unit("%", lambda value: 100 * value, float)
NATS = Unit("nats", np.positive, float)
TIMES = Unit("times", np.log, np.exp)  # ratios are averaged as logarithms
COUNT = Unit("count", np.positive, float)
DAYS = Unit("days", np.positive, float)
GIGABYTES = Unit("GB", np.positive, float)
AS_GOOD = 2  # points that count as no loss, for every claim alike
YES, NO, UNTESTED = "yes", "no", "not tested"


Term = tuple[float, str, str, str]  # weight, study, arm, measurement


class Finding(NamedTuple):
    """What a piece of evidence came out as; a counted fact has no `n` and no interval."""

    words: str
    n: int | None
    effect: float
    low: float | None
    high: float | None
    unit: str
    supports: str


@dataclass(frozen=True)
class Contrast:
    """A weighted sum of a seed's measurements; it supports its claim when `is_so` says yes to the interval of
    its mean over the seeds, in the unit: by default, when the whole of it lies above zero.

    It tested nothing where its two arms came out alike in every digit, or where `provided` does not hold."""

    words: str
    terms: tuple[Term, ...]
    unit: Unit = POINTS
    is_so: Callable[[Effect], bool] = Effect.above
    provided: Contrast | None = None

    def of(self, ends: pd.DataFrame) -> Finding:
        """Look it up in the table of ends; `InputError` where the study has no such measurement."""
        by_seed = self._by_seed(ends)
        effect = mean_interval(by_seed)
        supports = YES if self.is_so(effect) else NO
        # An arm that changed nothing, as early stopping that never stopped, says nothing on its claim.
        changed_nothing = not by_seed.any() and self._compares_arms()
        if changed_nothing or (self.provided and self.provided.of(ends).supports != YES):
            supports = UNTESTED
        return Finding(self.words, effect.n, *self._read(effect), self.unit.name, supports)

    def _compares_arms(self) -> bool:
        return len({(study, arm) for _, study, arm, _ in self.terms}) > 1

    def _by_seed(self, ends: pd.DataFrame) -> np.ndarray:
        total = 0.0
        for weight, study, arm, metric in self.terms:
            if (study, arm, metric) not in ends.index:
                raise InputError(f"The study has no '{metric}' of arm '{arm}' in '{study}'.")
            values = ends.loc[(study, arm, metric)].sort_values("seed")["value"].to_numpy()
            total = total + weight * self.unit.inwards(values)
        return total

    def _read(self, effect: Effect) -> tuple[float, float, float]:
        return tuple(float(self.unit.outwards(value)) for value in (effect.mean, effect.low, effect.high))


@dataclass(frozen=True)
class Fact:
    """Something that is counted or worked out; it supports its claim when `is_so` says yes to the number."""

    words: str
    count: Callable[[], float]
    is_so: Callable[[float], bool]
    unit: Unit = COUNT

    def of(self, ends: pd.DataFrame) -> Finding:
        """Count it; the table of ends has no part in it."""
        number = float(self.unit.inwards(self.count()))
        return Finding(
            self.words, None, number, None, None, self.unit.name, YES if self.is_so(number) else NO
        )


Case = tuple[Contrast | Fact, ...]  # it supports its claim when all of its pieces do


def each(*pieces: Contrast | Fact) -> tuple[Case, ...]:
    """Every piece a case of its own."""
    return tuple((piece,) for piece in pieces)


def outcome(case: list[str]) -> str:
    """Of a case, from what its pieces say."""
    if NO in case:
        return NO
    return UNTESTED if UNTESTED in case else YES


def level(words: str, study: str, arm: str, metric: str, above: float, unit: Unit = SHARE) -> Contrast:
    """That a measurement lies above a number."""
    return Contrast(words, ((1, study, arm, metric),), unit, lambda effect: effect.above(above))


def below(words: str, study: str, arm: str, metric: str, under: float) -> Contrast:
    """That a measurement, in per cent, lies under a number."""
    return Contrast(words, ((1, study, arm, metric),), SHARE, lambda effect: effect.high < under)


def more(words: str, study: str, a: str, b: str, metric: str, unit: Unit = POINTS) -> Contrast:
    """That a measurement is higher in arm `a` than in arm `b` of the same seed."""
    return Contrast(words, ((1, study, a, metric), (-1, study, b, metric)), unit)


def as_good(words: str, a: tuple[str, str], b: tuple[str, str], metric: str) -> Contrast:
    """That a measurement is at most two points lower in arm `a` than in arm `b`, each a (study, arm)."""
    return Contrast(words, ((1, *a, metric), (-1, *b, metric)), is_so=lambda effect: effect.above(-AS_GOOD))


def spoken(study: str) -> str:
    """The name of a study as the words of a piece of evidence say it."""
    return study.replace("_", " ")


def helps(study: str, arm: str, plain: str = "plain") -> Case:
    """That an arm narrows the gap, and that it is better on images never seen: one without the other is no help.

    On the test part, which the atlas has; in the other studies on the validation part.
    """
    is_tested = study in ATLAS or study.startswith(PHOTOGRAPHS)
    metric = "test_accuracy" if is_tested else "validation_accuracy"
    where, part = spoken(study), metric.partition("_")[0]
    return (
        more(f"{where}: gap, {plain} minus {arm}", study, plain, arm, "gap"),
        more(f"{where}: {part}, {arm} minus {plain}", study, arm, plain, metric),
    )


def covers(transform: str, nuisance: str, nuisances: tuple[str, ...]) -> Contrast:
    """That a transform gains more on the nuisance it matches than on the others, on average.

    A nuisance that costs the plain arm less than two points has nothing to gain, and tests nothing.
    """
    others = [other for other in nuisances if other != nuisance]
    weights = {nuisance: 1.0} | dict.fromkeys(others, -1 / len(others))
    terms = [
        (sign * weight, "nuisances", arm, f"accuracy_{tested}")
        for tested, weight in weights.items()
        for sign, arm in ((1, transform), (-1, "none"))
    ]
    costs = Contrast(
        f"what {nuisance} costs",
        ((1, "nuisances", "none", "validation_accuracy"), (-1, "nuisances", "none", f"accuracy_{nuisance}")),
        is_so=lambda effect: effect.above(AS_GOOD),
    )
    words = f"gain of {transform} on {nuisance} minus its gain elsewhere"
    return Contrast(words, tuple(terms), provided=costs)
