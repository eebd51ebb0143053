"""The full VGG16 with ImageNet's weights on a folder of photographs: `make bench-photographs ARGS="FOLDER WEIGHTS"`.

WEIGHTS is a file of its conv weights, or `imagenet`, which Keras may download. Three plans at each size, one seed: the
head alone, block 5 as well from the beginning, and both in turn. The first two run in bfloat16, too. Every run is a
folder below build/photographs, and one that was cut short goes on there, so nothing finished is computed twice.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path

PLACE, SIZES = Path("build", "photographs"), (64, 128, 224)
HEAD, BLOCK = dict(unfreeze=0, learning_rate=1e-3, epochs=15), dict(unfreeze=3, learning_rate=1e-4, epochs=8)


def main(folder: str, weights: str) -> None:
    os.environ.setdefault("VGGLAB_CACHE", str(PLACE.absolute() / "cache"))
    from vgglab import Experiment, History, train
    from vgglab.datasets import load_for
    from vgglab.share.store import CHECKPOINT, RECORD

    print(
        "| pixels | what learns | epochs | train | validation | test | seconds an epoch, first and median |"
    )
    print("|---|---|---|---|---|---|---|")
    for size in SIZES:
        plain = Experiment(dataset=folder, image_size=size, backbone="vgg16", weights=weights)
        coarse = dataclasses.replace(plain, precision="bfloat16")
        plans = {
            "the head alone": dataclasses.replace(plain, **HEAD),
            "block 5 and the head": dataclasses.replace(plain, **BLOCK),
            "the head, then block 5": dataclasses.replace(plain, **HEAD).then(**BLOCK),
            "the head alone, bfloat16": dataclasses.replace(coarse, **HEAD),
            "block 5 and the head, bfloat16": dataclasses.replace(coarse, **BLOCK),
        }
        data = None
        for name, experiment in plans.items():
            place = PLACE / f"{size} {name}"
            if not (place / RECORD).is_file() or (place / CHECKPOINT).is_file():
                data = data or load_for(experiment)
                train(experiment, data, **{"resume" if place.is_dir() else "out": place}, show=False)
            history = History.load(place / RECORD)
            kept = [history.kept[key] for key in ("train_accuracy", "validation_accuracy")]
            seconds = sorted(row["seconds"] for row in history.epochs)
            cells = [f"{100 * each:.1f} %" for each in (*kept, history.test["accuracy"])]
            times = f"{history.epochs[0]['seconds']:.1f}, {seconds[len(seconds) // 2]:.1f}"
            print(f"| {size} | {name} | {len(seconds)} | {' | '.join(cells)} | {times} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
