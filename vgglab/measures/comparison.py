"""Is B better than A, or is it luck? Two runs, or several seeds of two experiments, on the same validation images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vgglab.errors import InputError, shown
from vgglab.experiment import Experiment, with_seed
from vgglab.history import History
from vgglab.measures.intervals import Interval, paired_difference, paired_images
from vgglab.predictions import Predictions


@dataclass(frozen=True, eq=False)
class Comparison:
    """How much more often B is right than A, `difference`, a fraction of the validation images.

    `over_images` is the 95 % interval of the luck of the `images`: where the difference would lie on very many of them,
    with these same networks. `over_seeds` is that of the luck of the seed, on these same images; None unless A and B
    share at least two of the `seeds`, their number. `only_a_right` and `only_b_right` are the numbers of the images,
    0 being the first, that one gets right and the other does not; of several runs, in more than half of them.
    As text it is one sentence.
    """

    difference: float
    over_images: Interval
    over_seeds: Interval | None
    images: int
    seeds: int
    only_a_right: np.ndarray
    only_b_right: np.ndarray

    @property
    def kind(self) -> Literal["images", "seeds"]:
        """Which luck `low` and `high` are about: of the seed where that is known, else of the images."""
        return "seeds" if self.over_seeds else "images"

    @property
    def low(self) -> float:
        return (self.over_seeds or self.over_images)[0]

    @property
    def high(self) -> float:
        return (self.over_seeds or self.over_images)[1]

    def said(self, a: str = "A", b: str = "B") -> str:
        """The answer in a sentence, in which the better one comes first; `a` and `b` are their names."""
        better, other, sign = (b, a, 1) if self.difference >= 0 else (a, b, -1)
        ahead = f"{_points(abs(self.difference))} points better than" if self.difference else "as good as"
        over = [f"{_written(self.over_images, sign)} over the {self.images} validation images"]
        if self.over_seeds:
            over.insert(0, f"{_written(self.over_seeds, sign)} over {self.seeds} seeds")
        return f"{better} is {ahead} {other} ({', '.join(over)}): that {self._luck()}."

    def __str__(self) -> str:
        return self.said()

    def _luck(self) -> str:
        known = {"of the seed": self.over_seeds, "of the images": self.over_images}
        luck = [name for name, interval in known.items() if interval and interval[0] <= 0 <= interval[1]]
        if luck:
            return f"can be luck {' and '.join(luck)}"
        if self.over_seeds:
            return "is more than luck of the seed and of the images"
        return "is more than luck of the images, but another seed may say otherwise"


def compare(a: History | Sequence[History], b: History | Sequence[History]) -> Comparison:
    """How much better B is than A on the validation images that both have seen, and whether that can be luck.

    `a` and `b` are each a run, or runs of one experiment that differ in their seed. A run counts with the weights that
    it ended with, also one that was stopped. Where both have at least two of the same seeds, those alone are compared,
    seed by seed (`paired_difference`) and image by image; else all runs are. An image counts with the share of the runs
    that get it right (`paired_images`).
    `InputError` for runs without predictions, and unless the validation images are the same: their fingerprint tells.
    That of another image size is another one; such runs have the same images when name, classes and labels of the data
    and the seeds agree, because a seed may have chosen which images of a folder validate.
    """
    first, second = _by_seed("a", a), _by_seed("b", b)
    both = [seed for seed in first if seed in second]
    if len(both) > 1:
        first, second = ({seed: runs[seed] for seed in both} for runs in (first, second))
    _check_same_images(first, second)
    rights = [np.array([_said(run).right for run in runs.values()]) for runs in (first, second)]
    right_a, right_b = (right.mean(axis=0) for right in rights)
    over_seeds = None
    if len(both) > 1:
        effect = paired_difference(*(right.mean(axis=1).tolist() for right in reversed(rights)))
        over_seeds = effect.low, effect.high
    return Comparison(
        difference=float(rights[1].mean() - rights[0].mean()),
        over_images=paired_images((right_b - right_a).tolist()),
        over_seeds=over_seeds,
        images=len(right_a),
        seeds=len(both),
        only_a_right=np.flatnonzero((right_a > 0.5) & ~(right_b > 0.5)),
        only_b_right=np.flatnonzero((right_b > 0.5) & ~(right_a > 0.5)),
    )


def _by_seed(name: str, given: History | Sequence[History]) -> dict[int, History]:
    """The runs by their seeds; `InputError` unless they are of one experiment and can be compared."""
    runs = [given] if isinstance(given, History) else list(given) if isinstance(given, Sequence) else []
    if not runs or not all(isinstance(run, History) for run in runs):
        raise InputError(
            f"`{name}` must be a History, or several of one experiment. Received: {shown(given)}."
        )
    found: dict[int, History] = {}
    for run in runs:
        experiment = _experiment(name, run)
        if with_seed(experiment, 0) != with_seed(_experiment(name, runs[0]), 0):
            raise InputError(
                f"The runs of `{name}` must be of one experiment, and differ in the seed alone. "
                f"Received: {shown(runs[0].experiment)} and {shown(experiment)}."
            )
        if experiment.seed in found:
            raise InputError(
                f"The runs of `{name}` must have different seeds. Received: {experiment.seed} twice."
            )
        if run.predictions is None:
            why = "was recorded before they were kept" if run.epochs else "finished no epoch"
            raise InputError(
                f"`{name}` cannot be compared: its run of seed {experiment.seed} has no predictions on the validation "
                f"images, because it {why}."
            )
        found[experiment.seed] = run
    return found


def _experiment(name: str, run: History) -> Experiment:
    if not isinstance(run.experiment, Experiment):
        raise InputError(f"`{name}` cannot be compared: it is a fit that vgglab did not set up.")
    return run.experiment


def _said(run: History) -> Predictions:
    assert run.predictions is not None
    return run.predictions


def _check_same_images(first: dict[int, History], second: dict[int, History]) -> None:
    """`InputError` unless all runs saw the same validation images."""
    for name, runs in dict(a=first, b=second).items():
        one, *others = runs.items()
        for other in others:
            if not _same_pixels(one[1], other[1]):
                raise _other_images(f"The runs of `{name}`", one, other)
    one, other = next(iter(first.items())), next(iter(second.items()))
    if not _same_pixels(one[1], other[1]) and not (
        first.keys() == second.keys() and _same_but_for_the_size(one[1], other[1])
    ):
        raise _other_images("`a` and `b`", one, other)


def _same_pixels(one: History, other: History) -> bool:
    return _said(one).images == _said(other).images and _same_labels(one, other)


def _same_labels(one: History, other: History) -> bool:
    return np.array_equal(_said(one).labels, _said(other).labels)


def _same_but_for_the_size(one: History, other: History) -> bool:
    size, names, classes = (
        [run.data.get(name) for run in (one, other)] for name in ("image_size", "name", "classes")
    )
    if not all((*size, *names, *classes)) or size[0] == size[1]:
        return False
    return names[0] == names[1] and classes[0] == classes[1] and _same_labels(one, other)


def _other_images(what: str, *runs: tuple[int, History]) -> InputError:
    received = ", and ".join(
        f"{len(_said(run).labels)} images of {shown(run.data.get('name', ''))} with fingerprint {_said(run).images}, "
        f"image size {run.data.get('image_size', 'unknown')}, seed {seed}"
        for seed, run in runs
    )
    return InputError(f"{what} must have the same validation images. Received: {received}.")


def _written(interval: Interval, sign: int) -> str:
    low, high = sorted(sign * end for end in interval)
    return f"{_points(low)} to {_points(high)}"


def _points(share: float) -> str:
    """A share in points, with a true minus."""
    return f"{round(100 * share, 1) + 0.0:.1f}".replace("-", "\N{MINUS SIGN}")
