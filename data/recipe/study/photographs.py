"""The atlas's question on photographs, with the real VGG16. Written down before its runs.

A column is a folder of photographs, `folder/<class>/*` or `folder/{train,validation,test}/<class>/*`, at 64 pixels,
with the full VGG16 from a file of ImageNet's weights. The plain arm trains the head on the frozen base, as in the
text's first example, at its rate of 0.001, for 60 epochs without a brake; an arm changes one thing. How settings are
chosen, outcome, difference of interest and verdicts are those of the atlas.

- *Parts.* A folder's own. Without a validation part, one image in five of each class is it; without a test part, a
  quarter of what is then left to train on. The seed says which.
- *Seeds.* Two to choose on, five to judge on: what is drawn anew in each epoch costs minutes a run here. Where a folder
  has all three parts, its images are the same on every seed; only the head's start and the order differ. The interval
  then says nothing on other photographs.
- *Changed images.* Four epochs of them are drawn and go round.
- *Unfreezing* is block 5 at 0.0001 for 8 epochs, from the same new head: about as many seconds as it is given in a
  lesson, and a fraction of the plain arm's steps.
- *Predictions* were made after exploratory runs on the garments: dropout, L2 and block 5 had gained on three seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recipe.study.atlas import BRAKES, RECIPE, Column
from vgglab.errors import InputError
from vgglab.experiment import Experiment

PHOTOGRAPHS = "photographs_"  # begins the name of a column; what follows is its folder's
TASK = "photographs"
CHOOSING = range(300, 302)
JUDGING = range(310, 315)
VIEWS = 4
_HEAD_ONLY = ("L2, as in the text", "L2", "weight decay", "dropout", "early stopping", "label smoothing")
_DRAWN = ("simple", "geometric", "generator", "MixUp")


def columns_of(folders: Sequence[Path], weights: Path) -> dict[str, Column]:
    """A column for each folder of photographs; `weights`: a file of ImageNet's, for the layers below the top.

    `InputError` when a folder or the file is not there, or two folders have one name.
    """
    for path, is_right in [*((folder, Path.is_dir) for folder in folders), (weights, Path.is_file)]:
        if not is_right(path):
            raise InputError(f"There is nothing to read at {path}.")
    found = {f"{PHOTOGRAPHS}{folder.resolve().name}": _column(folder, weights) for folder in folders}
    if len(found) < len(folders):
        raise InputError(f"Each folder needs a name of its own. Received: {', '.join(map(str, folders))}.")
    return found


def says(column: str) -> str:
    """What the heading of such a column says."""
    return f"Photographs: {column.removeprefix(PHOTOGRAPHS)}; ImageNet's VGG16, frozen, at 64 pixels"


def _column(folder: Path, weights: Path) -> Column:
    plain = Experiment(
        dataset=str(folder.resolve()),
        backbone="vgg16",
        weights=str(weights.resolve()),
        unfreeze=0,
        learning_rate=1e-3,
        epochs=60,
    )
    return Column(
        says(f"{PHOTOGRAPHS}{folder.resolve().name}"),
        TASK,
        plain,
        {
            **{name: BRAKES[name] for name in _HEAD_ONLY},
            **RECIPE,
            **{name: BRAKES[name][:1] for name in _DRAWN},
            "unfreezing block 5": (dict(unfreeze=3, learning_rate=1e-4, epochs=8),),
        },
        predicted=("L2", "dropout", "simple", "unfreezing block 5"),
        choosing=CHOOSING,
        judging=JUDGING,
        views=VIEWS,
    )
