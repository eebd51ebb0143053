"""What was found in a data set, as images: a row for each finding."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from vgglab.charts.text import as_given
from vgglab.doctor.findings import Findings
from vgglab.errors import InputError, shown

LONGEST = 9  # letters of a class above an image
_IN_A_ROW = 8
_ABOVE, _BESIDE = 0.42, 0.08  # between images, in widths of one
_TITLE = 4  # widths of an image that the longest title takes


def plot_findings(
    findings: Findings, kind: str | None = None, most: int = 16, ax: Axes | None = None
) -> Axes:
    """Images of what `check_images` found, each with its class and part: a row of up to eight for each finding.

    `kind` chooses one finding by its name, such as "near copies across the split", of which up to `most` images are
    shown. Copies stand side by side. `InputError` for anything but findings, or a kind that was not found.
    """
    if not isinstance(findings, Findings):
        raise InputError(f"`findings` must be what `check_images` returned. Received: {shown(findings)}.")
    if isinstance(most, bool) or not isinstance(most, (int, np.integer)) or most < 1:
        raise InputError(f"`most` must be a whole number from 1 on. Received: {shown(most)}.")
    rows = _chosen(findings, kind, most)
    columns = max((len(images) for _, images in rows), default=1)
    if ax is None:
        size = max(3.2, columns * 1.25), max(1, len(rows)) * 1.75
        ax = plt.subplots(figsize=size, layout="constrained")[1]
    ax.axis("off")
    if not rows:
        as_given([ax.text(0.5, 0.5, findings.summary, ha="center", va="center", wrap=True)])
        return ax
    for row, (title, images) in enumerate(rows):
        _draw_row(ax, findings, row * (1 + _ABOVE), title, images)
    ax.set(
        xlim=(-0.02, max(columns, _TITLE) * (1 + _BESIDE)), ylim=(len(rows) * (1 + _ABOVE) - _ABOVE, -_ABOVE)
    )
    ax.set_aspect("equal")
    return ax


def _draw_row(ax: Axes, findings: Findings, top: float, title: str, images: Sequence[int]) -> None:
    """What was found, and below it images with their class and part."""
    drawn = [ax.text(0, top - 0.17, title, ha="left", va="bottom", fontsize=9, fontweight="bold")]
    for column, image in enumerate(images):
        left = column * (1 + _BESIDE)
        pixels = findings.pictures.image(image)
        ax.imshow(pixels, extent=(left, left + 1, top + 1, top), interpolation="lanczos")
        label = f"{_short(findings.pictures.class_of(image))}, {_part(findings, image)}"
        drawn.append(ax.text(left, top - 0.04, label, ha="left", va="bottom", fontsize=7))
    as_given(drawn)


def _chosen(findings: Findings, kind: str | None, most: int) -> list[tuple[str, list[int]]]:
    """The title of each row, and its images: the first ones of each finding, or all those of one kind, row by row."""
    told = [each for each in findings if each.groups and kind in (None, each.kind)]
    if kind is not None and kind not in [each.kind for each in findings]:
        names = ", ".join(each.kind for each in findings) or "nothing"
        raise InputError(f"`kind` must be one of what was found: {names}. Received: {shown(kind)}.")
    rows = []
    for finding in told:
        images = [image for group in finding.groups for image in group]
        title = f"{finding.title}: {_counted(len(finding.images))}"
        taken = images[: most if kind else min(most, _IN_A_ROW)]
        starts = range(0, len(taken), _IN_A_ROW)
        rows += [("" if start else title, taken[start : start + _IN_A_ROW]) for start in starts]
    return rows


def _counted(images: int) -> str:
    return "1 image" if images == 1 else f"{images:,} images"


def _part(findings: Findings, image: int) -> str:
    return findings.pictures.parts[findings.pictures.part[image]]


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
