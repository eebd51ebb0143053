"""Write the data set blossoms as an image folder: `PYTHONPATH=data python -m recipe.blossoms FOLDER`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from PIL import Image

from vgglab.datasets.blossoms import SPECIES, WIDE, Nuisances, draw
from vgglab.errors import InputError


def write_folder(
    folder: str | os.PathLike,
    *,
    train: int = 20,
    validation: int = 50,
    train_nuisances: Nuisances = WIDE,
    validation_nuisances: Nuisances = WIDE,
    image_size: int = 64,
    seed: int = 0,
) -> None:
    """Write the data set as `folder/{train,validation}/<species>/<NNN>.png`, all of it or nothing.

    `train` and `validation` are images a species, `image_size` is in pixels a side. The training images are those
    that `draw` makes of seed `2 * seed`, the validation images those of `2 * seed + 1`; the defaults are the shipped
    data set. `InputError` for a folder that exists; its parents are made.
    """
    folder = Path(folder)
    if folder.exists():
        raise InputError(f"`folder` must not exist yet. Received: {folder}.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Written beside its place and moved there when complete: nobody ever reads half a data set.
    with tempfile.TemporaryDirectory(prefix=".blossoms-", dir=folder.parent) as beside:
        whole = Path(beside) / "blossoms"
        _write_split(whole / "train", train, train_nuisances, image_size, 2 * seed)
        _write_split(whole / "validation", validation, validation_nuisances, image_size, 2 * seed + 1)
        whole.rename(folder)


def _write_split(folder: Path, count: int, nuisances: Nuisances, image_size: int, seed: int) -> None:
    for species in SPECIES:
        part = folder / species.name
        part.mkdir(parents=True)
        for index, image in enumerate(draw(species, count, nuisances, image_size, seed)):
            Image.fromarray(image).save(part / f"{index:03d}.png", optimize=True)


def main() -> None:
    """Write the data set blossoms as an image folder."""
    parser = argparse.ArgumentParser(prog="python -m recipe.blossoms", description=main.__doc__)
    parser.add_argument("folder", help="where to; must not exist yet")
    try:
        write_folder(parser.parse_args().folder)
    except InputError as error:
        sys.exit(f"blossoms: {error}")


if __name__ == "__main__":
    main()
