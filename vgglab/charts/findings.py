"""What was found in a data set, as images: a row for each finding."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from vgglab.charts.curves import plot_images
from vgglab.charts.text import as_given
from vgglab.doctor.findings import Finding, Findings
from vgglab.errors import InputError, shown

LONGEST = 15  # letters of a class above an image


def plot_findings(
    findings: Findings, kind: str | None = None, most: int = 16, ax: Axes | None = None
) -> Axes:
    """Images of what `check_images` found, `most` of them at most, eight in a row; each with its class and part.

    `kind` chooses one finding by its name, such as "near copies across the split"; without it each finding shows one
    example. Copies stand side by side. `InputError` for anything but findings, or a kind that was not found.
    """
    if not isinstance(findings, Findings):
        raise InputError(f"`findings` must be what `check_images` returned. Received: {shown(findings)}.")
    if isinstance(most, bool) or not isinstance(most, (int, np.integer)) or most < 1:
        raise InputError(f"`most` must be a whole number from 1 on. Received: {shown(most)}.")
    images = _chosen(findings, kind)[:most]
    columns = min(8, max(1, len(images)))
    if ax is None:
        rows = max(1, -(-len(images) // columns))
        ax = plt.subplots(figsize=(columns * 1.6, rows * 1.9), layout="constrained")[1]
    if not images:
        ax.axis("off")
        as_given([ax.text(0.5, 0.5, findings.summary, ha="center", va="center", wrap=True)])
        return ax
    pictures = findings.pictures
    labels = [f"{what}{_short(pictures.class_of(image))}\n{_part(findings, image)}" for what, image in images]
    return plot_images(np.stack([pictures.image(image) for _, image in images]), labels, columns, ax)


def _chosen(findings: Findings, kind: str | None) -> list[tuple[str, int]]:
    """What stands above an image, and the image."""
    if kind is None:
        examples = [(each.kind, each.groups[0][:2]) for each in findings if each.groups]
        return [(f"{name}:\n", image) for name, group in examples for image in group]
    found: list[Finding] = [each for each in findings if each.kind == kind]
    if not found:
        names = ", ".join(each.kind for each in findings) or "nothing"
        raise InputError(f"`kind` must be one of what was found: {names}. Received: {shown(kind)}.")
    return [("", image) for group in found[0].groups for image in group]


def _part(findings: Findings, image: int) -> str:
    return findings.pictures.parts[findings.pictures.part[image]]


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
