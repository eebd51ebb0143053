"""What a moment's look finds before a training."""

from __future__ import annotations

from vgglab.datasets.dataset import Dataset
from vgglab.doctor.exact import exact_copies
from vgglab.doctor.pictures import Pictures
from vgglab.doctor.sides import findings_of_classes


def quick_check(data: Dataset) -> list[str]:
    """What a moment's look finds before a training: exact copies and very unequal classes, two sentences at most."""
    pictures = Pictures(data)
    groups = exact_copies(pictures)
    sentences = []
    if groups:
        across = sum(len(set(pictures.part[list(group)])) > 1 for group in groups)
        conflicts = sum(len(set(pictures.labels[list(group)])) > 1 for group in groups)
        sentences.append(
            f"{len(groups):,} picture{' is' if len(groups) == 1 else 's are'} there more than once: {across:,} on both "
            f"sides of the split, {conflicts:,} under different labels. `vgglab check` shows which."
        )
    return sentences + [each.sentence for each in findings_of_classes(pictures)]
