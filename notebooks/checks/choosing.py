"""Checks of lesson 05, choosing augmentation: the best strength, and the best change for a nuisance."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vgglab.studies import study_ends

TIED = 0.005  # accuracies of arms that are nearer than this are not told apart


def _best_strength(answer: float) -> str | None:
    means = (
        study_ends("strength").groupby("arm", sort=False)[["train_accuracy", "validation_accuracy"]].mean()
    )
    means.index = means.index.astype(float)
    strength = float(answer)
    if strength not in means.index:
        return f"choose one of the strengths in the table: {', '.join(f'{each:g}' for each in means.index)}."
    validation = means["validation_accuracy"]
    if validation[strength] >= validation.max() - TIED:
        return None
    if means["train_accuracy"][strength] == means["train_accuracy"].max():
        return "that one is best on images that the network has learned by heart; look at the other column."
    return "another strength has a higher accuracy on images never seen."


def _best_change(answer: Mapping[str, str]) -> str | None:
    ends = study_ends("nuisances")
    for nuisance in ("position", "scale", "aspect"):
        means: pd.Series = ends.groupby("arm", sort=False)[f"accuracy_{nuisance}"].mean()
        means = means.drop(["none", "none, fine-tuned"])
        if answer[nuisance] not in means.index:
            return f"name a row of the picture for {nuisance}: {', '.join(means.index)}."
        if means[answer[nuisance]] < means.max() - TIED:
            return f"look down the column {nuisance} again: another row gained more, whatever its name."
    return None


CHECKS = {"05.1": _best_strength, "05.2": _best_change}
