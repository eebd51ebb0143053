"""What each finding does to the accuracy: the probe's validation accuracy with and without its images."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from vgglab.doctor.findings import Finding
from vgglab.doctor.pictures import Pictures
from vgglab.doctor.probe import fitted
from vgglab.measures.intervals import interval, paired_images

LEAST_LEFT = 10  # validation images, for an accuracy to be said


class Effects:
    """A probe that was shown all training images; `right` says of each validation image whether it knows it."""

    def __init__(self, pictures: Pictures, features: np.ndarray) -> None:
        self.pictures, self.features = pictures, features
        self.train = np.flatnonzero(pictures.part == 0)
        self.validation = np.flatnonzero(pictures.part == 1)
        self.right = self._right(self.train)

    def _right(self, shown: np.ndarray) -> np.ndarray:
        probe = fitted(self.features[shown], self.pictures.labels[shown])
        return probe.predict(self.features[self.validation]) == self.pictures.labels[self.validation]

    @property
    def sentence(self) -> str:
        """The accuracy with all images, and whose it is."""
        count, n = int(self.right.sum()), len(self.right)
        return (
            f"A linear probe on the frozen base has a validation accuracy of {_percent(count, n)}; every effect "
            "below is measured on it."
        )

    def measured(self, found: Sequence[Finding]) -> tuple[Finding, ...]:
        """The findings with their effects."""
        return tuple(dataclasses.replace(each, effect=self._effect(each)) for each in found)

    def _effect(self, finding: Finding) -> str:
        if not finding.groups or finding.kind.startswith(("shortcut", "a question")):
            return ""
        # Images on which the probe errs are suspected for it: without them it is right more often in any case.
        is_chosen_by_probe = bool(finding.look) and not finding.exclude and "label" in finding.kind
        told = ["" if is_chosen_by_probe else self._of_validation(finding), self._of_train(finding)]
        return " ".join(filter(None, told))

    def _of_validation(self, finding: Finding) -> str:
        """The accuracy on the validation images that are none of the finding's: the same probe, fewer questions."""
        asked = np.isin(self.validation, finding.images)
        count, left = int(asked.sum()), int((~asked).sum())
        if not count or left < LEAST_LEFT:
            return ""
        those = "it" if count == 1 else "them"
        images = f"{count:,} validation image{'' if count == 1 else 's'}"
        all_right = f"{100 * self.right.mean():.1f} %"
        return (
            f"Of {images} among {'it' if len(finding.images) == 1 else 'these'} the probe gets "
            f"{100 * self.right[asked].mean():.0f} % right; without {those} its accuracy is "
            f"{_percent(int(self.right[~asked].sum()), left)} instead of {all_right}."
        )

    def _of_train(self, finding: Finding) -> str:
        """The paired difference that leaving the finding's images out of training makes."""
        leaves = [image for image in (*finding.exclude, *finding.look) if self.pictures.in_train(image)]
        stays = np.setdiff1d(self.train, leaves)
        labels = self.pictures.labels
        if len(stays) == len(self.train) or len(np.unique(labels[stays])) < len(
            np.unique(labels[self.train])
        ):
            return ""
        change = self._right(stays).astype(float) - self.right
        low, high = paired_images(change)
        count = len(self.train) - len(stays)
        return (
            f"Trained without {count:,} training image{'' if count == 1 else 's'} of these, its accuracy changes by "
            f"{100 * change.mean():+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})."
        )


def _percent(right: int, n: int) -> str:
    low, high = interval(right, n)
    return f"{100 * right / n:.1f} % ({100 * low:.1f} to {100 * high:.1f} %)"
