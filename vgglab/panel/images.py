"""The images that a dashboard trains on: those it was given, or others of their name in another size."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from vgglab.datasets import Dataset, check_fits, is_there, load
from vgglab.errors import InputError
from vgglab.experiment import DEFAULTS, FIELDS, Experiment, loaded_from

PAUSE = 0.5  # seconds between two sentences on how far the reading is


class Images:
    """`data` are those at hand; `experiment` is what the dashboard began with, and says what those given go by.

    The seed of a run is none of its images. Those given stay as their owner split them. What is read anew, in another
    size or from another folder, is split by the seed of `experiment` where the folder has no validation part. So runs
    of several seeds differ in luck alone, and one goes on in any dashboard that was given the same.
    """

    def __init__(self, given: Dataset, experiment: Experiment) -> None:
        self._seed = experiment.seed
        self.data = self._given = given
        self._at_hand = self._given_as = loaded_from(experiment)

    def fetch(
        self,
        experiment: Experiment,
        say: Callable[[str], object],
        check: Callable[[], object] = lambda: None,
    ) -> Dataset:
        """What an experiment asks `load` for: the images at hand, those given, or others, of which `say` is told.

        What `check` raises ends the reading.
        """
        wanted = loaded_from(experiment)
        if wanted != self._at_hand:
            say("Reading the images.")
            if wanted == self._given_as:
                self.data = self._given
            else:
                wanted_here = wanted | dict(dataset=self._place(experiment))
                self.data = load(**wanted_here, seed=self._seed, progress=_counting(say, check))
            self._at_hand = wanted
        return self.data

    def not_yet(self, experiment: Experiment) -> list[str]:
        """A sentence where the images at hand are not those that an experiment asks for."""
        wanted = loaded_from(experiment)
        if wanted == self._at_hand:
            return []
        return [f"Still images of {_in_words(self._at_hand)}: {_in_words(wanted)} is read by Train."]

    def check(self, experiment: Experiment) -> None:
        """`InputError` where there are no such images, or fewer than a batch of the experiment takes."""
        wanted = loaded_from(experiment)
        if wanted not in (self._at_hand, self._given_as):
            self._place(experiment)  # how many images there are is known once they are read
            return
        check_fits(experiment, self.data if wanted == self._at_hand else self._given)

    def _place(self, experiment: Experiment) -> str:
        """What `load` is asked for to read images anew; `InputError` where it would not find them."""
        name = experiment.dataset
        if name == self._given_as["dataset"]:
            name = self._given.name
            if not is_there(name):
                # What `load` has under the experiment's name would be other images, unsaid.
                raise InputError(
                    f"The images of '{name}' are in memory only, {self._given.image_size} pixels a side. "
                    f"Received: {_in_words(loaded_from(experiment))}. Make them anew like that, for a new Dashboard."
                )
        if not is_there(name):
            raise InputError(
                "`dataset` must be 'blossoms', or the path of an image folder or of a table. "
                f"There is no folder at {name}."
            )
        return name


def _counting(say: Callable[[str], object], check: Callable[[], object]) -> Callable[[int, int], None]:
    """Says how many images are read, from time to time."""
    due = time.monotonic() + PAUSE

    def count(done: int, total: int) -> None:
        nonlocal due
        check()
        if time.monotonic() >= due:
            due = time.monotonic() + PAUSE
            say(f"Reading the images: {done:,} of {total:,}.")

    return count


def _in_words(loaded: Mapping[str, Any]) -> str:
    """What `load` takes, as in "blossoms in 96 pixels, fit pad"; what is as always goes without saying."""
    others = [
        f"{FIELDS[name].label} {FIELDS[name].written(value)}"
        for name, value in loaded.items()
        if name not in ("dataset", "image_size") and value != DEFAULTS[name]
    ]
    return ", ".join([f"{loaded['dataset']} in {loaded['image_size']} pixels", *others])
