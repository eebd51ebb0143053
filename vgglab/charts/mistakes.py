"""The mistakes of a run as images, what it takes for what as a heatmap, and where it looks as a map over an image."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from PIL import Image

from vgglab.charts import colours
from vgglab.charts.curves import new_axes, plot_images
from vgglab.charts.text import name_cells
from vgglab.datasets.dataset import Dataset
from vgglab.errors import InputError
from vgglab.history import History
from vgglab.measures.mistakes import confusion, mistakes

LONGEST = 13  # letters of a class above an image
_RIGHT_CELL, _RIGHT_WORDS = "0.95", "0.4"  # what is right is there, and quiet
_FAINTEST = 0.25  # of the scale lies below zero, so that a single mistake has a colour
_COVERED = 0.65  # of a pixel where the map is highest


def plot_mistakes(history: History, data: Dataset, most: int = 8, ax: Axes | None = None) -> Axes:
    """The images of `mistakes`, four in a row, each with what it is → what it is taken for, and how surely."""
    table = mistakes(history, data, most)
    columns = min(4, max(1, len(table)))
    if ax is None:
        rows = max(1, -(-len(table) // columns))
        ax = plt.subplots(figsize=(columns * 2.2, rows * 2.3), layout="constrained")[1]
    if table.empty:
        ax.axis("off")
        ax.text(
            0.5, 0.5, f"All {len(data.validation)} validation images are right.", ha="center", va="center"
        )
        return ax
    said = zip(table["true"], table["given"], table["probability"])
    labels = [f"{short(true)} → {short(given)} {100 * share:.0f} %" for true, given, share in said]
    return plot_images(data.validation.images[table["image"]], labels, columns, ax)


def plot_confusion(history: History, data: Dataset | None = None, ax: Axes | None = None) -> Axes:
    """The counts of `confusion` as a heatmap: mistakes stand out, and what is right is grey."""
    table = confusion(history, data)
    classes = len(table)
    ax = new_axes(ax, width=max(4.6, 0.42 * classes + 1.6), height=max(3.6, 0.36 * classes + 1.4))
    counts = table.to_numpy()
    wrong = np.where(np.eye(classes, dtype=bool), 0, counts)
    sns.heatmap(
        wrong,
        ax=ax,
        vmin=-_FAINTEST * max(1, wrong.max()),
        vmax=max(1, wrong.max()),
        cmap=sns.light_palette(colours.VALIDATION, as_cmap=True),
        mask=wrong == 0,
        annot=True,
        fmt="d",
        cbar=False,
        linewidths=0.5,
        annot_kws=dict(size=9, color="black"),  # which stands out from the darkest of them
        xticklabels=False,
        yticklabels=False,
    )
    for place in range(classes):
        ax.add_patch(plt.Rectangle((place, place), 1, 1, facecolor=_RIGHT_CELL, edgecolor="white"))
        count, middle = counts[place, place], place + 0.5
        ax.text(middle, middle, f"{count}", ha="center", va="center", fontsize=9, color=_RIGHT_WORDS)
    name_cells(ax, table)
    ax.grid(False)
    for tick in ax.get_xticklabels():
        tick.set(rotation=35, ha="right", rotation_mode="anchor")
    return ax


def plot_grad_cam(
    images: np.ndarray, maps: np.ndarray, labels: Sequence[str] = (), columns: int = 3, ax: Axes | None = None
) -> Axes:
    """Each image, and beside it the same under its map of `grad_cam`: the brighter, the more speaks for the class.

    `images` (n, height, width, 3), 0-255; `maps` (n, h, w), 0 to 1, are stretched to the images' size; `columns` is how
    many such pairs stand in a row. `InputError` when there is not one map for each image, or not one label where there
    are any.
    """
    images, maps = np.asarray(images), np.asarray(maps)
    if maps.ndim != 3 or len(maps) != len(images):
        raise InputError(
            f"`maps` must be (n, h, w), one for each of the {len(images)} images. Received: {maps.shape}."
        )
    if len(labels) not in (0, len(images)):
        raise InputError(
            f"`labels` must be one for each of the {len(images)} images. Received: {len(labels)}."
        )
    covered = [_under(image, each) for image, each in zip(images, maps)]
    pairs = [picture for pair in zip(images, covered) for picture in pair]
    columns = max(1, min(columns, len(images)))
    if ax is None:
        rows = -(-len(images) // columns)
        ax = plt.subplots(figsize=(columns * 3.4, rows * 2.0), layout="constrained")[1]
    words = [word for label in labels for word in (label, "where it looked")]
    return plot_images(np.stack(pairs), words, 2 * columns, ax)


def _under(image: np.ndarray, share: np.ndarray) -> np.ndarray:
    """An image under a map that is stretched to its size."""
    height, width = image.shape[:2]
    wide = Image.fromarray(share.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    share = np.clip(np.asarray(wide), 0, 1)
    veil = _COVERED * share[..., None]
    return (1 - veil) * image + veil * 255 * plt.get_cmap("inferno")(share)[..., :3]


def short(name: object) -> str:
    """A name that fits above an image."""
    text = str(name)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
