"""What the runs of a sweep came to: a row a setting, with means over the seeds, and what may be said of the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from vgglab.combinations import LATER, counted, in_effect, later_words, setting_words, varied
from vgglab.experiment import FIELDS, Experiment, with_seed
from vgglab.history import History
from vgglab.measures.intervals import mean_interval, paired_difference

MEASURES = (
    "validation_accuracy",
    "train_accuracy",
    "gap",
    "validation_balanced_accuracy",
    "validation_macro_f1",
)
Histories = Mapping[Experiment, History]  # by `in_effect` of the run


def sweep_table(experiments: Sequence[Experiment], seeds: Sequence[int], runs: Histories) -> pd.DataFrame:
    """One row a setting: its values of the fields that vary, and what its finished runs came to, in their kept epochs.

    `seeds` is the number of runs that have a result, `diverged` of those whose loss stopped being a number, with an
    earlier epoch to keep or without. Each of `MEASURES` is a mean over the seeds, as a fraction, with Student's 95 %
    interval in `_low` and `_high`; NaN for fewer than two seeds, and a mean of what was not measured as well.
    `kept_epoch` and `seconds`, of all epochs of a run together, are means.
    """
    names = varied(experiments)
    return pd.DataFrame(
        [
            {name: _cell(each, name) for name in names} | _measured(_runs_of(each, seeds, runs))
            for each in experiments
        ]
    )


def _runs_of(experiment: Experiment, seeds: Sequence[int], runs: Histories) -> dict[int, History]:
    """The finished runs of a setting by their seeds."""
    found = {seed: runs.get(in_effect(with_seed(experiment, seed))) for seed in seeds}
    return {seed: history for seed, history in found.items() if history is not None}


def _cell(experiment: Experiment, name: str) -> Any:
    """A value as a table has it: a number, or what people write."""
    if name == LATER:
        return later_words(experiment)
    value = getattr(experiment, name)
    return value if isinstance(value, (int, float)) else FIELDS[name].written(value)


def _measured(done: Mapping[int, History]) -> dict[str, Any]:
    kept = [history.kept for history in done.values() if history.epochs]
    diverged = [any(event["kind"] == "diverged" for event in each.events) for each in done.values()]
    measured: dict[str, Any] = dict(seeds=len(kept), diverged=sum(diverged))
    for name in MEASURES:
        measured |= _interval(name, [row[name] for row in kept if row.get(name) is not None])
    seconds = [sum(row["seconds"] for row in history.epochs) for history in done.values() if history.epochs]
    return measured | dict(kept_epoch=_mean([row["epoch"] for row in kept]), seconds=_mean(seconds))


def _interval(name: str, values: Sequence[float]) -> dict[str, float]:
    if len(values) < 2:
        return {name: _mean(values), f"{name}_low": float("nan"), f"{name}_high": float("nan")}
    effect = mean_interval(values)
    return {name: effect.mean, f"{name}_low": effect.low, f"{name}_high": effect.high}


def _mean(values: Sequence[float]) -> float:
    return float(sum(values) / len(values)) if values else float("nan")


def best_setting(experiments: Sequence[Experiment], seeds: Sequence[int], runs: Histories) -> str:
    """Which setting came out best on validation, and how much that is worth, in sentences; "" for fewer than two."""
    different = {in_effect(each): each for each in reversed(experiments)}.values()
    every = {each: _scores(_runs_of(each, seeds, runs)) for each in reversed(different)}
    scores = {each: found for each, found in every.items() if found}
    if len(scores) < 2:
        return ""
    best = max(scores, key=lambda each: _mean([*scores[each].values()]))
    names = varied(experiments)
    sentences = [
        f"Of {len(scores)} settings the best on validation is {setting_words(best, names)}: "
        f"{_mean([*scores[best].values()]):.1%}, the mean of {counted(len(scores[best]), 'seed')}."
    ]
    alike = [each for each in scores if each != best and not _is_lower(scores[each], scores[best])]
    if alike:
        sentences.append(f"{counted(len(alike), 'other')} cannot be distinguished from it with these seeds.")
    sentences.append(
        "It was chosen on the images that its figure is measured on, so the figure is optimistic, "
        "the more so the more settings there were."
    )
    tested = [history.test["accuracy"] for history in _runs_of(best, seeds, runs).values() if history.test]
    if tested:
        sentences.append(f"On the test part, which nothing was chosen on, it has {_mean(tested):.1%}.")
    return " ".join(sentences)


def _scores(done: Mapping[int, History]) -> dict[int, float]:
    return {seed: history.kept["validation_accuracy"] for seed, history in done.items() if history.epochs}


def _is_lower(one: Mapping[int, float], other: Mapping[int, float]) -> bool:
    """Whether the seeds that both have say so, by the 95 % interval of the differences; one seed says nothing."""
    both = sorted(one.keys() & other.keys())
    if len(both) < 2:
        return False
    return paired_difference([other[seed] for seed in both], [one[seed] for seed in both]).above()
