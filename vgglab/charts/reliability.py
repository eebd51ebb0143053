"""How honest a network's confidence is."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from vgglab.charts.curves import VALIDATION, new_axes
from vgglab.charts.text import legend_above


def plot_reliability(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = 10, ax: Axes | None = None
) -> Axes:
    """A bar for each bin of confidence: how often the network is right there; honesty is the diagonal.

    `probabilities` (n, classes), `labels` (n,). The width of a bar says how many images fall into the bin.
    Guo et al. 2017, arXiv:1706.04599.
    """
    ax = new_axes(ax, width=4.8)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    ax.plot([0, 1], [0, 1], color="0.4", linestyle="--", linewidth=1.2, label="honest")
    label: str | None = "this network"
    for each in np.unique(which):
        inside = which == each
        width = 0.95 / bins * np.sqrt(inside.sum() / np.bincount(which).max())
        ax.bar(
            (each + 0.5) / bins,
            right[inside].mean(),
            width,
            color=VALIDATION["color"],
            alpha=0.75,
            label=label,
        )
        label = None
    ax.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="confidence", ylabel="how often right")
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    legend_above(ax)
    return ax
