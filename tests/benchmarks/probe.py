"""How far the embedded weights carry: a linear probe on real photographs, `make probe DATA="FOLDER ..."`.

20 images a class train a logistic regression on the pooled features of blocks 3 to 5; all validation
images judge it. The same network with random weights is the comparison, and each of 5 seeds draws
other training images and other random weights.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vgglab import draw_blossoms, load
from vgglab.datasets import Dataset, Split

IMAGES, SEEDS, SIZE = 20, 5, 64


def features(split: Split, weights: str | None, seed: int) -> np.ndarray:
    """Pooled features of blocks 3, 4 and 5 side by side, (n, 320)."""
    from vgglab import Experiment
    from vgglab.engine.control import Control
    from vgglab.engine.lending import borrowed
    from vgglab.measures.evaluation import outputs

    with borrowed(Experiment(weights=weights, seed=seed, image_size=SIZE), 2) as network:
        _, pooled = outputs(network.predict(0), split, Control())
    return np.concatenate(pooled[-3:], axis=1)


def accuracies(data: Dataset, weights: str | None) -> list[float]:
    """Accuracy of the probe on the validation images for each seed."""
    result = []
    for seed in range(SEEDS):
        if seed == 0 or weights is None:
            train, validation = (features(split, weights, seed) for split in (data.train, data.validation))
        rng = np.random.default_rng(seed)
        few = [
            rng.permutation(np.flatnonzero(data.train.labels == label))[:IMAGES]
            for label in range(len(data.class_names))
        ]
        chosen = np.concatenate(few)
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, C=0.1))
        probe.fit(train[chosen], data.train.labels[chosen])
        result.append(float(probe.score(validation, data.validation.labels)))
    return result


def main(folders: list[str]) -> None:
    print("| data | random | pretrained | points |\n|---|---|---|---|")
    gains = []
    for data in [
        draw_blossoms(train_images=100, image_size=SIZE),
        *(load(folder, SIZE) for folder in folders),
    ]:
        random, pretrained = (100 * np.array(accuracies(data, weights)) for weights in (None, "pretrained"))
        gains.append(pretrained.mean() - random.mean())
        cells = [f"{each.mean():.1f} % ± {each.std(ddof=1):.1f}" for each in (random, pretrained)]
        print(f"| {Path(data.name).name} | {' | '.join(cells)} | {gains[-1]:+.1f} |", flush=True)
    print(f"| mean | | | {np.mean(gains):+.1f} |")


if __name__ == "__main__":
    main(sys.argv[1:])
