"""Which images train and which validate: a fifth of every class, or folds, and no group on both sides.

Pure functions of labels, groups and a seed, which know nothing of pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vgglab.errors import InputError

SHARE = 0.2  # of the images of a class, to validate on
FOLDS = round(1 / SHARE)
NAMED = 5  # names that a sentence lists


def divide(
    labels: np.ndarray, groups: np.ndarray | None, seed: int, class_names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of the images to train on and of those to validate on, both ascending.

    `labels`: int, shape (n,). `groups`: shape (n,), a name or None for an image that is a group of its own; None for
    all of them. About a fifth of each class validates, and at least one image; `seed` chooses which. Groups stay
    whole, so that the share of a class may be another where its groups are large. `InputError` where a class cannot be
    on both sides, because it has one group only.
    """
    if groups is None or not any(groups):
        rng = np.random.default_rng(seed)
        validates = np.zeros(len(labels), dtype=bool)
        for label in np.unique(labels):
            members = rng.permutation(np.flatnonzero(labels == label))
            validates[members[: max(1, round(SHARE * len(members)))]] = True
    else:
        validates = _divided_by_groups(labels, groups, seed, class_names)
    return np.flatnonzero(~validates), np.flatnonzero(validates)


def deal(
    labels: np.ndarray, groups: np.ndarray | None, folds: int, seed: int, class_names: Sequence[str]
) -> np.ndarray:
    """The fold of each image, 0 to `folds` - 1: groups whole, and every class spread over the folds evenly.

    Groups are dealt out from the largest to the smallest, each to the fold that has least of its classes: the greedy
    way of scikit-learn's StratifiedGroupKFold, whose loop in Python takes two minutes for 100,000 groups, where this
    takes seconds. `seed` orders groups of about one size. `InputError` where some fold would leave none of a class to
    train on, as a class with one group does.
    """
    numbers = numbers_of(groups, len(labels))
    dealt = _deal(labels, numbers, folds, seed)[numbers]
    for label in np.unique(labels):
        if len(np.unique(dealt[labels == label])) < 2:
            raise _one_sided(class_names[label], label, labels, numbers, groups)
    return dealt


def numbers_of(groups: np.ndarray | None, count: int) -> np.ndarray:
    """The number of each image's group, from 0 without a gap; an image without a name has one of its own."""
    if groups is None:
        return np.arange(count)
    known: dict[str, int] = {}
    numbers = [-1 if not name else known.setdefault(name, len(known)) for name in groups]
    alone = iter(range(len(known), len(known) + count))
    return np.array([next(alone) if number < 0 else number for number in numbers], dtype=np.int64)


def _deal(labels: np.ndarray, numbers: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """The fold of each group."""
    whose, of_class, count, classes = _contents(labels, numbers)
    total = np.bincount(labels, minlength=classes)
    weight = count / total[of_class]  # of the class, in this group
    starts = np.searchsorted(whose, np.arange(whose[-1] + 2))
    size = np.bincount(whose, weight**2)
    shuffled = np.random.default_rng(seed).permutation(len(size))
    fold_of = np.empty(len(size), np.int64)
    held, images = np.zeros((folds, classes)), np.zeros(folds)
    # Of one size are those within a factor of two; were it exact, a seed would choose nothing where no two are equal.
    octave = np.floor(np.log2(size) / 2)
    for group in shuffled[np.argsort(-octave[shuffled], kind="stable")]:
        inside = slice(starts[group], starts[group + 1])
        which, share = of_class[inside], weight[inside]
        # To add to the sum of squares as little as can be: where there is least of what the group has.
        fold = np.lexsort((images, (held[:, which] @ share).round(12)))[0]
        held[fold, which] += share
        images[fold] += count[inside].sum()
        fold_of[group] = fold
    return fold_of


def _contents(labels: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """What groups hold, a row for each class of each, in the order of groups: group, class, images; and all classes."""
    classes = int(labels.max()) + 1
    pairs, count = np.unique(numbers * classes + labels, return_counts=True)
    return pairs // classes, pairs % classes, count, classes


def _divided_by_groups(
    labels: np.ndarray, groups: np.ndarray, seed: int, class_names: Sequence[str]
) -> np.ndarray:
    """Whether each image validates: of five folds the nearest to a fifth of every class, mended where it must be."""
    numbers = numbers_of(groups, len(labels))
    _check_two_groups(labels, numbers, groups, class_names)
    fold_of = _deal(labels, numbers, FOLDS, seed)
    sides = _Sides(labels, numbers)
    chosen = min((fold_of == fold for fold in range(FOLDS)), key=sides.cost)
    while lacking := sides.lacking(chosen):
        moved = min((sides.moved(chosen, group) for group in sides.movable(chosen)), key=sides.cost)
        if sides.lacking(moved) >= lacking:
            names = ", ".join(f"'{class_names[label]}'" for label in sides.one_sided(chosen)[:NAMED])
            raise InputError(
                f"No whole groups can be set aside that leave every class on both sides: {names} would be to train on "
                "or to validate on alone. Name other groups, or make train/ and validation/ folders yourself."
            )
        chosen = moved
    return chosen[numbers]


class _Sides:
    """How good a choice of groups to validate on is: bool, one a group."""

    def __init__(self, labels: np.ndarray, numbers: np.ndarray) -> None:
        self._whose, self._of_class, count, self._classes = _contents(labels, numbers)
        self._share = count / np.bincount(labels, minlength=self._classes)[self._of_class]
        self._present = np.unique(labels)

    def _shares(self, chosen: np.ndarray) -> np.ndarray:
        """How much of each class validates."""
        validates = self._share * chosen[self._whose]
        return np.bincount(self._of_class, validates, self._classes)[self._present]

    def one_sided(self, chosen: np.ndarray) -> np.ndarray:
        shares = self._shares(chosen)
        return self._present[(shares < 1e-9) | (shares > 1 - 1e-9)]

    def lacking(self, chosen: np.ndarray) -> int:
        return len(self.one_sided(chosen))

    def cost(self, chosen: np.ndarray) -> tuple[int, float]:
        return self.lacking(chosen), float(((self._shares(chosen) - SHARE) ** 2).sum())

    def movable(self, chosen: np.ndarray) -> np.ndarray:
        """The groups that hold some of a class which is on one side alone."""
        return np.unique(self._whose[np.isin(self._of_class, self.one_sided(chosen))])

    def moved(self, chosen: np.ndarray, group: int) -> np.ndarray:
        """The same choice with this group on the other side."""
        other = chosen.copy()
        other[group] = not other[group]
        return other


def _check_two_groups(
    labels: np.ndarray, numbers: np.ndarray, groups: np.ndarray | None, class_names: Sequence[str]
) -> None:
    for label in np.unique(labels):
        if len(np.unique(numbers[labels == label])) < 2:
            raise _one_sided(class_names[label], label, labels, numbers, groups)


def _one_sided(
    name: str, label: int, labels: np.ndarray, numbers: np.ndarray, groups: np.ndarray | None
) -> InputError:
    members = np.flatnonzero(labels == label)
    of_class = len(np.unique(numbers[members]))
    if of_class > 1:
        return InputError(
            f"The {of_class} groups of class '{name}' would all be in one fold, with none left to train on. "
            "Name other groups."
        )
    only = f"one group, '{groups[members[0]]}'" if groups is not None and groups[members[0]] else "one image"
    return InputError(
        f"Class '{name}' has only {only}, so it cannot be both to train and to validate on. Add images of others, or "
        "divide it by smaller groups."
    )
