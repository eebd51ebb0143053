"""The images that a dashboard trains on: those it was given, or others of their name in another size."""

from __future__ import annotations

from collections.abc import Callable

from vgglab.datasets import Dataset, check_fits, is_there, load
from vgglab.errors import InputError
from vgglab.experiment import Experiment


class Images:
    """`data` are those at hand; `experiment` is what the dashboard began with, and says what those given go by.

    The seed of a run is none of its images. Those given stay as their owner split them. What is read anew, in another
    size or from another folder, is split by the seed of `experiment` where the folder has no validation part. So runs
    of several seeds differ in luck alone, and one goes on in any dashboard that was given the same.
    """

    def __init__(self, given: Dataset, experiment: Experiment) -> None:
        self._seed = experiment.seed
        self.data = self._given = given
        self._at_hand = self._given_as = _about(experiment)

    def fetch(self, experiment: Experiment, say: Callable[[str], object]) -> Dataset:
        """What data set and image size ask for: those at hand, those given, or read anew, of which `say` is told."""
        wanted = _about(experiment)
        if wanted != self._at_hand:
            say("Reading the images.")
            is_given = wanted == self._given_as
            self.data = (
                self._given if is_given else load(self._place(experiment), experiment.image_size, self._seed)
            )
            self._at_hand = wanted
        return self.data

    def not_yet(self, experiment: Experiment) -> list[str]:
        """A sentence where the images at hand are not those that an experiment asks for."""
        name, size = _about(experiment)
        if (name, size) == self._at_hand:
            return []
        return [
            f"Still images of {self._at_hand[0]} in {self._at_hand[1]} pixels: {name} in {size} is read by Train."
        ]

    def check(self, experiment: Experiment) -> None:
        """`InputError` where there are no such images, or fewer than a batch of the experiment takes."""
        wanted = _about(experiment)
        if wanted not in (self._at_hand, self._given_as):
            self._place(experiment)  # how many images there are is known once they are read
            return
        check_fits(experiment, self.data if wanted == self._at_hand else self._given)

    def _place(self, experiment: Experiment) -> str:
        """What `load` is asked for to read images anew; `InputError` where it would not find them."""
        name = experiment.dataset
        if name == self._given_as[0]:
            name = self._given.name
            if not is_there(name):
                # What `load` has under the experiment's name would be other images, unsaid.
                raise InputError(
                    f"The images of '{name}' are in memory only, {self._given.image_size} pixels a side. "
                    f"Received: image size {experiment.image_size}. Make them anew in that size, for a new Dashboard."
                )
        if not is_there(name):
            raise InputError(
                f"`dataset` must be 'blossoms' or the path of an image folder. There is no folder at {name}."
            )
        return name


def _about(experiment: Experiment) -> tuple[str, int]:
    """What says which images an experiment is about, before its conditions."""
    return experiment.dataset, experiment.image_size
