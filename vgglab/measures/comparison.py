"""Is B better than A, or is it luck? Two runs, or several seeds of two experiments, on the same validation images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vgglab.errors import InputError, shown
from vgglab.experiment import Experiment, with_seed
from vgglab.history import History
from vgglab.measures.intervals import Interval, paired_images, paired_seeds
from vgglab.predictions import Predictions

FEWEST_SEEDS = 3  # the interval of two is 4 times as wide as that of three, and says nothing
MOST_DIGITS = 6  # after the point: more than a difference of whole images needs


@dataclass(frozen=True, eq=False)
class Comparison:
    """How much more often B is right than A, `difference`, a fraction of the validation images.

    `over_images` is the 95 % interval of the luck of the `images`: where the difference would lie on very many of them,
    with these same networks. `over_seeds` is that of the luck of the seed, on these same images; None unless A and B
    share at least three `seeds`, which is the number of those they share. `runs` is how many runs of A and of B count.
    `only_a_right` and `only_b_right` are the numbers of the images, 0 being the first, that one gets right and the
    other does not; of several runs, in more than half of them. As text it is one sentence.
    """

    difference: float
    over_images: Interval
    over_seeds: Interval | None
    images: int
    seeds: int
    runs: tuple[int, int]
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
        if self._are_equal:
            others = dict(seed="with other seeds", images="on other images")
            elsewhere = " or ".join(others[each] for each in self._luck)
            equal = f"{a} and {b} are equally good to a tenth of a point"
            return f"{equal} ({self._over(a, b, 1)}): {elsewhere}, either may be better."
        better, other, sign = (b, a, 1) if self.difference > 0 else (a, b, -1)
        ahead = f"{_points(abs(self.difference), _digits(self.difference))} points better than"
        return f"{better} is {ahead} {other} ({self._over(a, b, sign)}): that {self._verdict}."

    def __str__(self) -> str:
        return self.said()

    @property
    def _luck(self) -> list[str]:
        """What the difference can be luck of."""
        known = dict(seed=self.over_seeds, images=self.over_images)
        return [name for name, interval in known.items() if interval and interval[0] <= 0 <= interval[1]]

    @property
    def _are_equal(self) -> bool:
        """Whether the difference is none, or luck of less than a twentieth of a point."""
        return not self.difference or bool(self._luck and _digits(self.difference) > 1)

    @property
    def _verdict(self) -> str:
        two = "two seeds cannot tell the luck of the seed" if self.seeds == 2 else ""
        if self._luck:
            return f"can be luck of the {' and of the '.join(self._luck)}" + (two and f", and {two}")
        if self.over_seeds:
            return "is more than luck of the seed and of the images"
        if two:
            return f"is more than luck of the images, but {two}"
        seeds = "another seed" if self.runs == (1, 1) else "other seeds"
        return f"is more than luck of the images, but {seeds} may say otherwise"

    def _over(self, a: str, b: str, sign: int) -> str:
        """The intervals in words, and what stands behind them."""
        over = [f"{_written(self.over_images, sign)} over the {self.images} validation images"]
        if self.over_seeds:
            over.insert(0, f"{_written(self.over_seeds, sign)} over {self.seeds} seeds")
        elif self.seeds > 1:
            over.append(f"averaged over {self.seeds} seeds")
        elif self.runs != (1, 1):
            first, second = self.runs
            same = "one" if self.seeds else "none"
            over.append(
                f"averaged over {first} seed{'s' * (first > 1)} of {a} and {second} of {b}, {same} of them the same"
            )
        return ", ".join(over)


def compare(a: History | Sequence[History], b: History | Sequence[History]) -> Comparison:
    """How much better B is than A on the validation images that both have seen, and whether that can be luck.

    `a` and `b` are each a run, or runs of one experiment that differ in their seed. A run counts with the weights that
    it ended with, also one that was stopped. Where both have at least two of the same seeds, those alone are compared,
    seed by seed and image by image; else all runs are. An image counts with the share of the runs that get it right
    (`paired_images`). Of three shared seeds or more there is an interval of the luck of the seed too (`paired_seeds`).
    `InputError` for runs without predictions, and unless the validation images are the same: their fingerprint tells.
    That of another image size is another one; such runs have the same images when name, classes and labels of the data
    and the seeds agree, because a seed may have chosen which images of a folder validate.
    """
    first, second = _by_seed("A", a), _by_seed("B", b)
    both = [seed for seed in first if seed in second]
    if len(both) > 1:
        first, second = ({seed: runs[seed] for seed in both} for runs in (first, second))
    _check_same_images(first, second)
    rights = [np.array([_said(run).right for run in runs.values()], dtype=float) for runs in (first, second)]
    right_a, right_b = (right.mean(axis=0) for right in rights)
    return Comparison(
        difference=float(rights[1].mean() - rights[0].mean()),
        over_images=paired_images((right_b - right_a).tolist()),
        over_seeds=paired_seeds(rights[1] - rights[0]) if len(both) >= FEWEST_SEEDS else None,
        images=len(right_a),
        seeds=len(both),
        runs=(len(first), len(second)),
        only_a_right=np.flatnonzero((right_a > 0.5) & ~(right_b > 0.5)),
        only_b_right=np.flatnonzero((right_b > 0.5) & ~(right_a > 0.5)),
    )


def _by_seed(name: str, given: History | Sequence[History]) -> dict[int, History]:
    """The runs by their seeds; `InputError` unless they are of one experiment and can be compared."""
    runs = [given] if isinstance(given, History) else list(given) if isinstance(given, Sequence) else []
    if not runs or not all(isinstance(run, History) for run in runs):
        raise InputError(
            f"`{name.lower()}` must be a History, or several of one experiment. Received: {shown(given)}."
        )
    found: dict[int, History] = {}
    for run in runs:
        experiment = _experiment(name, run)
        if with_seed(experiment, 0) != with_seed(_experiment(name, runs[0]), 0):
            raise InputError(
                f"The runs of {name} must be of one experiment, and differ in the seed alone. "
                f"Received: {shown(runs[0].experiment)} and {shown(experiment)}."
            )
        if experiment.seed in found:
            raise InputError(
                f"The runs of {name} must have different seeds. Received: {experiment.seed} twice."
            )
        if run.predictions is None:
            why = "was recorded before they were kept" if run.epochs else "finished no epoch"
            raise InputError(
                f"{name} cannot be compared: its run of seed {experiment.seed} has no predictions on the validation "
                f"images, because it {why}."
            )
        found[experiment.seed] = run
    return found


def _experiment(name: str, run: History) -> Experiment:
    if not isinstance(run.experiment, Experiment):
        raise InputError(f"{name} cannot be compared: it is a fit that vgglab did not set up.")
    return run.experiment


def _said(run: History) -> Predictions:
    assert run.predictions is not None
    return run.predictions


def _check_same_images(first: dict[int, History], second: dict[int, History]) -> None:
    """`InputError` unless all runs saw the same validation images."""
    for name, runs in dict(A=first, B=second).items():
        one, *others = runs.items()
        for other in others:
            if not _same_pixels(one[1], other[1]):
                raise _other_images(f"The runs of {name}", one, other)
    one, other = next(iter(first.items())), next(iter(second.items()))
    if not _same_pixels(one[1], other[1]) and not (
        first.keys() == second.keys() and _same_but_for_the_size(one[1], other[1])
    ):
        raise _other_images("A and B", one, other)


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
    return InputError(
        f"{what} were validated on different images, so they cannot be compared. Received: {received}."
    )


def _written(interval: Interval, sign: int) -> str:
    """An interval in points, from low to high; an end that is written as 0 is one that the interval reaches."""
    low, high = sorted(sign * end for end in interval)
    digits = 1 if low <= 0 <= high else _digits(min(low, high, key=abs))
    return f"{_points(low, digits)} to {_points(high, digits)}"


def _digits(share: float) -> int:
    """How many digits after the point a share in points needs so that it is not written as 0."""
    return next((each for each in range(1, MOST_DIGITS) if round(100 * share, each)), MOST_DIGITS)


def _points(share: float, digits: int) -> str:
    """A share in points, with a true minus."""
    return f"{round(100 * share, digits) + 0.0:.{digits}f}".replace("-", "\N{MINUS SIGN}")
