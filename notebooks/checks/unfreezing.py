"""Checks of lesson 07, unfreezing."""

from __future__ import annotations

import functools

from vgglab.architecture import BLOCKS, CONV_NAMES
from vgglab.studies import study_ends

LAST = 9  # layers of Keras's base that exercise 07.1 unfreezes
BELOW = 2  # blocks that exercise 07.2 leaves frozen
KEEP = 0.8  # of the source task, in exercise 07.4


def _convs_among_the_last(answer: int) -> str | None:
    convs = _convs_of_the_last(LAST)
    if answer == convs:
        return None
    if answer == LAST:
        return "some of these layers have no weights: print their names."
    if answer == _convs_of_the_last(5):
        return "that is what the last five hold; these are more layers."
    return "count the layers that are `keras.layers.Conv2D`, and leave the pooling layers out."


@functools.cache
def _convs_of_the_last(count: int) -> int:
    import keras

    base = keras.applications.VGG16(weights=None, include_top=False)
    return sum(isinstance(layer, keras.layers.Conv2D) for layer in base.layers[-count:])


def _depth_of_blocks(answer: int) -> str | None:
    upper = sum(convs for _, convs in BLOCKS[BELOW:])
    if answer == upper:
        return None
    if answer == len(BLOCKS) - BELOW:
        return "that is the number of blocks; the depth counts convolutional layers."
    if answer == len(CONV_NAMES) - upper:
        return "those are the layers that stay frozen; the depth counts the others, from the top."
    if answer == upper + len(BLOCKS) - BELOW:
        return "pooling layers do not count."
    return "add up the convolutional layers of blocks 3, 4 and 5."


def _frozen_without_compile(answer: str) -> str | None:
    said = answer.strip().lower().removesuffix("s")
    if said not in ("move", "stay", "error"):
        return 'answer "move", "stay" or "error".'
    if said == ("move" if _moves_when_frozen() else "stay"):
        return None
    if said == "error":
        return "Keras says nothing at all. What does the training step still do?"
    return "which weights does the step update that the first `fit` made? Try it in a cell of your own."


@functools.cache
def _moves_when_frozen() -> bool:
    import keras
    import numpy as np

    layer = keras.layers.Dense(1, kernel_initializer="ones")
    model = keras.Sequential([keras.Input((1,)), layer, keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse")
    ones = np.ones((1, 1))
    model.fit(ones, 3 * ones, verbose=0)
    layer.trainable = False
    before = layer.get_weights()[0]
    model.fit(ones, 3 * ones, verbose=0)
    return bool((layer.get_weights()[0] != before).any())


def _best_that_remembers(answer: str) -> str | None:
    ends = study_ends("depth_settings").query("arm != 'plain'")
    means = ends.groupby("arm")[["validation_accuracy", "source_accuracy"]].mean()
    if answer not in means.index:
        return f"it must be the name of an arm, such as {means.index[0]!r}."
    best = means[means["source_accuracy"] >= KEEP]["validation_accuracy"].idxmax()
    if answer == best:
        return None
    if means.loc[answer, "source_accuracy"] < KEEP:
        return f"it leaves only {means.loc[answer, 'source_accuracy']:.0%} on the source task."
    return "it remembers enough, but another that does is better on the validation images."


CHECKS = {
    "07.1": _convs_among_the_last,
    "07.2": _depth_of_blocks,
    "07.3": _frozen_without_compile,
    "07.4": _best_that_remembers,
}
