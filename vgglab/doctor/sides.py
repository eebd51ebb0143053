"""How images are dealt out: unequal classes, and groups of images that are on both sides of the split."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from vgglab.doctor.findings import Finding
from vgglab.doctor.pictures import Pictures

VERY_UNEQUAL = 5  # times as many images in the largest class as in the smallest
EXAMPLES = 8  # groups that a finding shows
_NUMBERED = re.compile(
    r"^(.*?[A-Za-z][A-Za-z_ -]*\d+)[_ -].*\d"
)  # patient12_3: a word with a number, and another one


def findings_of_sides(pictures: Pictures) -> list[Finding]:
    """Groups that are known to be on both sides; and what names hint at, as a question, where none are known."""
    if any(each is not None for each in pictures.groups):
        both = _on_both(pictures, pictures.groups)
        if not both:
            return []
        images = sum(len(each) for each in both)
        sentence = (
            f"{_groups(len(both))}, {images:,} images, on both sides of the split: what the network learns on one side "
            "helps it on the other. Split by groups."
        )
        notes = tuple(str(pictures.groups[group[0]]) for group in both)
        exclude = {
            image: f"group {pictures.groups[image]} is in {_others(pictures, group)} as well"
            for group in both
            for image in group
            if pictures.in_train(image)
        }
        return [Finding("groups across the split", sentence, both, notes, exclude)]
    return _asked(pictures)


def _asked(pictures: Pictures) -> list[Finding]:
    prefixes = np.array([_prefix(path) for path in pictures.paths], dtype=object)
    both = _on_both(pictures, prefixes)
    named = np.array([each is not None for each in prefixes])
    families, sizes = np.unique(prefixes[named].astype(str), return_counts=True)
    # A prefix that half of the set has, or each image alone, is a way of numbering and names nobody.
    is_naming = len(families) >= 4 and sizes.max() <= len(pictures) / 4 and np.median(sizes) >= 2
    if not both or not is_naming or named.mean() < 0.5:
        return []
    first = both[0]
    pair = [
        next(image for image in first if pictures.part[image] == part) for part in _parts(pictures, first)[:2]
    ]
    sentence = (
        f"Do {pictures.name(pair[0])} and {pictures.name(pair[1])} show one thing, person or place? {len(both):,} "
        f"beginnings of names are on both sides of the split. If they do, split by groups. If not, ignore this."
    )
    notes = tuple(str(prefixes[group[0]]) for group in both)
    return [Finding("a question on names", sentence, both, notes)]


def _prefix(path: str | None) -> str | None:
    found = _NUMBERED.match(re.split(r"[\\/]", path)[-1].rpartition(".")[0]) if path else None
    return found[1] if found else None


def _on_both(pictures: Pictures, groups: np.ndarray) -> tuple[tuple[int, ...], ...]:
    members: dict[str, list[int]] = {}
    for image, group in enumerate(groups):
        if group is not None:
            members.setdefault(str(group), []).append(image)
    return tuple(tuple(each) for each in members.values() if len(_parts(pictures, each)) > 1)


def _parts(pictures: Pictures, images: Iterable[int]) -> list[int]:
    return sorted({int(pictures.part[image]) for image in images})


def _others(pictures: Pictures, group: Iterable[int]) -> str:
    return " and ".join(pictures.parts[part] for part in _parts(pictures, group) if part)


def _groups(count: int) -> str:
    return "1 group is" if count == 1 else f"{count:,} groups are"


def findings_of_classes(pictures: Pictures) -> list[Finding]:
    """Whether the classes are very unequal in number among the training images."""
    names = pictures.data.class_names
    counts = np.bincount(pictures.labels[pictures.part == 0], minlength=len(names))
    most, least = int(counts.argmax()), int(counts.argmin())
    if counts[most] < VERY_UNEQUAL * max(1, counts[least]):
        return []
    share = counts[most] / counts.sum()
    sentence = (
        f"'{names[most]}' has {counts[most]:,} training images and '{names[least]}' {counts[least]:,}. Always "
        f"answering '{names[most]}' would be right on {100 * share:.0f} % of such images. Look at the recall of each "
        "class."
    )
    return [Finding("unequal classes", sentence)]
