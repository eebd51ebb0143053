"""Checks of lesson 00, start here."""

from __future__ import annotations

from math import isclose

from vgglab.datasets import SPECIES
from vgglab.history import History


def _guessing(answer: float) -> str | None:
    right = 100 / len(SPECIES)
    if isclose(answer, right, abs_tol=0.1):
        return None
    if isclose(answer, right / 100, abs_tol=0.001):
        return "that is a fraction; the question asks for percent."
    if isclose(answer, len(SPECIES)):
        return "that is the number of species; how often does a guess hit the right one of them?"
    if isclose(answer, 50):
        return "that would be so with two species; count them in the picture."
    return "one species is right; how many are there to choose from?"


def _wrong_images(answer: int, history: History) -> str | None:
    images, accuracy = history.data["validation"], history.kept["validation_accuracy"]
    wrong = round((1 - accuracy) * images)
    if isclose(answer, wrong, abs_tol=0.01):
        return None
    if isclose(answer, images - wrong, abs_tol=0.01):
        return "that is how many it got right."
    if isclose(answer, 1 - accuracy, abs_tol=0.001) or isclose(answer, 100 * (1 - accuracy), abs_tol=0.1):
        return "that is the share of the images that is wrong; how many images is that?"
    if isclose(answer, round((1 - accuracy) * history.data["train"]), abs_tol=0.01):
        return "on which images was this accuracy measured, and how many are there?"
    return "multiply the share that is wrong by the number of validation images."


CHECKS = {"00.1": _guessing, "00.2": _wrong_images}
