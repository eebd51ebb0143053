"""What the loss does as the learning rate grows."""

from __future__ import annotations

from matplotlib.axes import Axes

from vgglab.charts.curves import TRAIN, VALIDATION, new_axes
from vgglab.charts.text import legend_above
from vgglab.rate_search import RateSearch


def plot_learning_rate(search: RateSearch, ax: Axes | None = None) -> Axes:
    """The training loss against the learning rate on a logarithmic axis, with the rate that is suggested.

    The thin line is the loss of each batch, the thick one what is left when it is smoothed. The axis reaches as high
    as the smoothed loss does.
    """
    ax = new_axes(ax)
    if len(search.rates):
        ax.plot(search.rates, search.losses, color=TRAIN["color"], alpha=0.4, linewidth=1, label="each batch")
        ax.plot(search.rates, search.smoothed, color=TRAIN["color"], linewidth=2.5, label="smoothed")
        ax.set_ylim(0, 1.15 * search.smoothed.max())
    if search.suggested is not None:
        style = dict(color=VALIDATION["color"], linestyle=VALIDATION["linestyle"])
        ax.axvline(search.suggested, linewidth=2, label=f"suggested: {search.suggested:.2g}", **style)
    ax.set(xscale="log", xlabel="learning rate", ylabel="training loss")
    if len(search.rates):
        legend_above(ax)
    return ax
