"""Copies in a data set: exact ones by a hash, near ones by sight and by the network's features, and what they are."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vgglab.doctor.alignment import agreement
from vgglab.doctor.findings import Finding
from vgglab.doctor.neighbours import nearest_by_features
from vgglab.doctor.pictures import Pictures
from vgglab.doctor.sight import Sight

NEAREST_BY_SIGHT, NEAREST_BY_FEATURES = 4, 3
LEAST_ALIKE = 0.75  # of two views, before their details are compared
LEAST_AGREEMENT = 0.76  # of the details of near copies, in any set
CHANCE_PAIRS = 400  # of other images of one class, which say what agreement is no copy
SPREADS = 6.0  # above the middle of those, in robust standard deviations
PLACEHOLDER = 4  # of one picture, at the least


def near_copies(pictures: Pictures, features: np.ndarray, apart: Iterable[int]) -> list[tuple[int, int]]:
    """Pairs of images whose details agree when one is laid over the other, as no chance pair of the set does.

    Candidates are the nearest by sight and by the network's features; images that are `apart`, such as further exact
    copies and blank ones, are left out. What chance gives is measured on pairs of one class.
    """
    numbers = np.setdiff1d(np.arange(len(pictures)), np.fromiter(apart, int, -1))
    if len(numbers) < 2:
        return []
    sight = Sight(pictures.grey[numbers])
    candidates = np.concatenate(
        [
            sight.nearest(NEAREST_BY_SIGHT, LEAST_ALIKE),
            nearest_by_features(features[numbers], NEAREST_BY_FEATURES),
        ]
    )
    candidates = np.unique(candidates, axis=0)
    agreed = agreement(sight, candidates, LEAST_ALIKE)
    near = candidates[agreed >= _least_agreement(sight, pictures.labels[numbers])]
    return [(int(one), int(two)) for one, two in numbers[near]]


def _least_agreement(sight: Sight, labels: np.ndarray) -> float:
    """What the details of a pair must agree to, so that chance pairs of one class seldom do; on Fisher's z scale."""
    rng = np.random.default_rng(0)
    pairs = np.array([_chance_pair(rng, labels) for _ in range(CHANCE_PAIRS)])
    agreed = agreement(sight, pairs[pairs[:, 0] != pairs[:, 1]], least=0.5)
    z = np.arctanh(np.clip(agreed[agreed != 0], -0.999, 0.999))
    if len(z) < CHANCE_PAIRS // 10:  # hardly any two are alike enough to be laid over each other
        return LEAST_AGREEMENT
    middle = np.median(z)
    spread = 1.4826 * np.median(np.abs(z - middle))
    return max(LEAST_AGREEMENT, float(np.tanh(middle + SPREADS * spread)))


def _chance_pair(rng: np.random.Generator, labels: np.ndarray) -> tuple[int, int]:
    first = int(rng.integers(len(labels)))
    return first, int(rng.choice(np.flatnonzero(labels == labels[first])))


def clusters(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, ...]]:
    """Groups of what hangs together by pairs, each in the order of its numbers."""
    group_of: dict[int, set[int]] = {}
    for one, two in pairs:
        joined = group_of.get(one, {one}) | group_of.get(two, {two})
        for each in joined:
            group_of[each] = joined
    distinct = {id(group): group for group in group_of.values()}
    return sorted(tuple(sorted(group)) for group in distinct.values())


def findings_of_copies(pictures: Pictures, groups: list[tuple[int, ...]], how: str) -> list[Finding]:
    """What groups of copies are: placeholders, under several labels, across parts, or within a part.

    `how`: "exact" or "near". A group is told in the first of these that it is.
    """
    kinds: dict[str, list[tuple[int, ...]]] = {}
    for group in groups:
        kinds.setdefault(_kind(pictures, group, how), []).append(group)
    return [
        _finding(pictures, kind, kinds[kind], how)
        for kind in ("placeholder", "conflict", "across", "within")
        if kind in kinds
    ]


def _kind(pictures: Pictures, group: tuple[int, ...], how: str) -> str:
    labels = len(set(pictures.labels[list(group)]))
    if how == "exact" and labels > 1 and len(group) >= PLACEHOLDER:
        return "placeholder"
    if labels > 1:
        return "conflict"
    return "across" if len(set(pictures.part[list(group)])) > 1 else "within"


def _finding(pictures: Pictures, kind: str, groups: list[tuple[int, ...]], how: str) -> Finding:
    images = sum(len(group) for group in groups)
    sets = f"{len(groups):,} group{'' if len(groups) == 1 else 's'} of {how} copies"
    said = {
        "placeholder": (
            "placeholder pictures",
            f"{_pictures(len(groups))} {'stands' if len(groups) == 1 else 'stand'} in several classes and many times, "
            f"{images:,} times in all. Such a picture says nothing about its class.",
        ),
        "conflict": (
            f"{how} copies under different labels",
            f"{sets}, {images:,} images, have more than one label. At most one label of each group can be right.",
        ),
        "across": (
            f"{how} copies across the split",
            f"{sets}, {images:,} images, are in more than one part. The network is tested on what it trained on.",
        ),
        "within": (
            f"{how} copies within a part",
            f"{sets}, {images:,} images, are in one part and one class. Each copy counts once more.",
        ),
    }
    name, sentence = said[kind]
    notes = tuple(_note(pictures, group) for group in groups)
    exclude: dict[int, str] = {}
    look: dict[int, str] = {}
    for group in groups:
        for image, reason in _left_out(pictures, group, kind, how):
            # For a picture that judges the network, another one is not silently taken.
            is_sure = pictures.in_train(image) or kind in ("placeholder", "conflict")
            (exclude if is_sure else look)[image] = reason
    return Finding(name, sentence, tuple(groups), notes, exclude, look)


def _pictures(count: int) -> str:
    return "One picture" if count == 1 else f"{count:,} pictures"


def _left_out(pictures: Pictures, group: tuple[int, ...], kind: str, how: str) -> Iterable[tuple[int, str]]:
    """Which of a group may be left out, and why: where one stays, it is one that judges, rather than trains."""
    if kind in ("placeholder", "conflict"):
        why = "a placeholder picture" if kind == "placeholder" else f"{how} copies under different labels"
        return [(image, why) for image in group]
    stays = max(group, key=lambda image: (pictures.part[image], -image))
    return [(image, f"{_article(how)} copy of {pictures.name(stays)}") for image in group if image != stays]


def _article(how: str) -> str:
    return f"{'an' if how == 'exact' else 'a'} {how}"


def _note(pictures: Pictures, group: tuple[int, ...]) -> str:
    labels = sorted({pictures.class_of(image) for image in group})
    parts = sorted({int(pictures.part[image]) for image in group})
    return f"{' and '.join(labels)}, {' and '.join(pictures.parts[part] for part in parts)}"
