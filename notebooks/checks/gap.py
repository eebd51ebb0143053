"""Checks of lesson 02, the overfitting gap."""

from __future__ import annotations

from math import isclose

from vgglab.history import History
from vgglab.studies import study_ends

SMALL = 0.08  # the gap that exercise 02.3 asks for


def _gap_in_points(answer: float, history: History) -> str | None:
    right = 100 * history.kept["gap"]
    if isclose(answer, right, abs_tol=0.5):  # as rounded as it is printed
        return None
    if isclose(answer, right / 100, abs_tol=0.001):
        return "that is a fraction; a point is a hundredth."
    if isclose(answer, -right, abs_tol=0.1):
        return "the other way round: train minus validation."
    if isclose(
        answer, 100 * (history.kept["logged_accuracy"] - history.kept["validation_accuracy"]), abs_tol=0.1
    ):
        return "that is the accuracy that Keras logs; take the one measured on clean images."
    return "subtract `validation_accuracy` from `train_accuracy`."


def _standard_error(answer: float, history: History) -> str | None:
    share = history.kept["validation_accuracy"]

    def error(images: int) -> float:
        return 100 * (share * (1 - share) / images) ** 0.5

    if isclose(answer, error(history.data["validation"]), rel_tol=0.02):
        return None
    if isclose(answer, error(history.data["train"]), rel_tol=0.02):
        return "on which images was the validation accuracy measured?"
    if isclose(answer, error(history.data["validation"]) / 100, rel_tol=0.02):
        return "that is a fraction; a point is a hundredth."
    return "put the accuracy as a fraction and the number of validation images into the formula."


def _images_needed(answer: int) -> str | None:
    gaps = study_ends("training_images").groupby("arm")["gap"].mean()
    enough = [count for count in (5, 10, 20, 50) if gaps[f"fine-tuned, {count}"] < SMALL]
    if answer == min(enough):
        return None
    if answer in enough:
        return "the gap is small enough there, but with fewer images too."
    return "average the column `gap` of `ends` over the seeds of each arm."


CHECKS = {"02.1": _gap_in_points, "02.2": _standard_error, "02.3": _images_needed}
