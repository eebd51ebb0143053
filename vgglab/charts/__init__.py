"""Charts: of a run, of what several seeds did, and of images; each takes `ax=None` and returns the Axes."""

from vgglab.charts.curves import (
    detached_axes,
    plot_accuracy,
    plot_drift,
    plot_forgetting,
    plot_images,
    plot_loss,
    plot_runs,
)
from vgglab.charts.reliability import plot_reliability
from vgglab.charts.seeds import plot_arms, plot_growth, plot_matrix, plot_on_seeds

__all__ = [
    "detached_axes",
    "plot_accuracy",
    "plot_arms",
    "plot_drift",
    "plot_forgetting",
    "plot_growth",
    "plot_images",
    "plot_loss",
    "plot_matrix",
    "plot_on_seeds",
    "plot_reliability",
    "plot_runs",
]
