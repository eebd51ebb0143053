"""How the weights of vgg16-mini were made: `make pretrain` makes them again.

The pictures of the source task are drawn once and kept beside the checkpoint; training goes on from
the last finished epoch when it was interrupted.
"""

from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from rich.progress import Progress, TimeElapsedColumn, TimeRemainingColumn

from recipe.source_task import CLASS_NAMES, draw_source
from vgglab.augmentation import augmenter
from vgglab.experiment import Experiment
from vgglab.files import written_whole
from vgglab.network import build_base, has_fast_bfloat16
from vgglab.training import versions
from vgglab.weights import PRETRAINED, PROVENANCE, SOURCE_HEAD


@dataclass(frozen=True)
class Recipe:
    """Everything that determines the weights."""

    images: int = 600  # drawn of each source class, at the largest size
    held_out: int = 30  # further ones, to measure the source accuracy on
    sizes: tuple[int, ...] = (32,) * 14 + (64,) * 6  # image size of each epoch: small ones cost a third
    batch_size: int = 128
    learning_rate: float = 1.5e-3  # the highest, after the warm-up; then half a cosine down to 0
    warm_up: int = 500  # steps
    weight_decay: float = 0.02
    augment: tuple[tuple[str, float], ...] = (
        ("flip", 1),
        ("rotation", 10),
        ("zoom", 0.15),
        ("color_jitter", 0.2),
    )
    seed: int = 0


def pretrain(recipe: Recipe, folder: Path) -> None:
    """Train on the source task and write weights, source head and provenance into `data/weights`.

    `folder` keeps the drawn pictures and the checkpoint; with those of an interrupted run in it,
    that run goes on.
    """
    pictures, labels = _pictures(folder / "train", recipe.images, max(recipe.sizes), recipe.seed)
    model, log = _resumed(recipe, folder)
    with Progress(
        *Progress.get_default_columns()[:-1], TimeElapsedColumn(), "left", TimeRemainingColumn()
    ) as bar:
        weight = [size**2 for size in recipe.sizes]
        task = bar.add_task("training", total=sum(weight), completed=sum(weight[: len(log)]))
        for epoch in range(len(log), len(recipe.sizes)):
            steps = -(-len(labels) // recipe.batch_size)
            tick = functools.partial(bar.advance, task, weight[epoch] / steps)
            log.append(_epoch(model, pictures, labels, recipe, epoch, tick))
            bar.console.print(f"epoch {epoch + 1} of {len(recipe.sizes)}: {log[-1]}")
            _checkpoint(model, log, recipe, folder)
    _export(model, log, recipe, folder)


def _pictures(folder: Path, count: int, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """All source pictures, drawn where the folder does not have them yet, a file a class."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}-{count}-{size}-{seed}.npy" for name in CLASS_NAMES]
    missing = [(name, path) for name, path in zip(CLASS_NAMES, paths) if not path.exists()]
    if missing:
        work = functools.partial(_draw_file, count=count, size=size, seed=seed)
        # Spawned, because TensorFlow's threads do not survive a fork.
        with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool, Progress() as bar:
            for _ in bar.track(pool.map(work, *zip(*missing)), len(missing), description="drawing"):
                pass
    pictures = np.concatenate([np.load(path) for path in paths])
    return pictures, np.repeat(np.arange(len(CLASS_NAMES)), count)


def _draw_file(name: str, path: Path, *, count: int, size: int, seed: int) -> None:
    with written_whole(path) as beside:
        np.save(beside, draw_source(name, count, size, seed))


def _network(recipe: Recipe) -> keras.Model:
    """vgg16-mini for images of any size, with the source head."""
    keras.utils.set_random_seed(recipe.seed)
    base = build_base(
        "vgg16-mini", image_size=None, precision="bfloat16" if has_fast_bfloat16() else "float32"
    )
    pooled = layers.GlobalAveragePooling2D()(base.output)
    scores = layers.Dense(len(CLASS_NAMES), dtype="float32", name="source_head")(pooled)
    model = keras.Model(base.input, scores)
    steps = len(recipe.sizes) * -(-len(CLASS_NAMES) * recipe.images // recipe.batch_size)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - recipe.warm_up, warmup_target=recipe.learning_rate, warmup_steps=recipe.warm_up
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, global_clipnorm=1.0)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=False)
    return model


def _epoch(
    model: keras.Model,
    pictures: np.ndarray,
    labels: np.ndarray,
    recipe: Recipe,
    epoch: int,
    tick: Callable[[], object],
) -> dict[str, Any]:
    size = recipe.sizes[epoch]
    change = augmenter(Experiment(image_size=size, augment=recipe.augment, seed=recipe.seed), epoch + 1)
    order = np.random.default_rng((recipe.seed, epoch)).permutation(len(labels))
    start, right = time.perf_counter(), 0.0
    for first in range(0, len(order), recipe.batch_size):
        chosen = order[first : first + recipe.batch_size]
        images, _ = change(tf.constant(_shrunk(pictures[chosen], size)), tf.zeros((len(chosen), 1)))
        batch = model.train_on_batch(images, labels[chosen], return_dict=True)
        right += float(batch["accuracy"]) * len(chosen)
        tick()
    return dict(
        image_size=size, accuracy=round(right / len(order), 4), seconds=round(time.perf_counter() - start, 1)
    )


def _shrunk(pictures: np.ndarray, size: int) -> np.ndarray:
    factor = pictures.shape[1] // size
    blocks = pictures.reshape(len(pictures), size, factor, size, factor, 3)
    return blocks.mean((2, 4), dtype=np.float32)


def _checkpoint(model: keras.Model, log: list, recipe: Recipe, folder: Path) -> None:
    beside = folder / "beside.keras"
    model.save(beside)
    (folder / "beside.json").write_text(json.dumps(dict(recipe=asdict(recipe), log=log)))
    # The log last: it says how many epochs the checkpoint has, at the least.
    beside.replace(folder / f"epoch{len(log)}.keras")
    (folder / "beside.json").replace(folder / "log.json")
    (folder / f"epoch{len(log) - 1}.keras").unlink(missing_ok=True)


def _resumed(recipe: Recipe, folder: Path) -> tuple[keras.Model, list]:
    log_file = folder / "log.json"
    if not log_file.exists():
        return _network(recipe), []
    before = json.loads(log_file.read_text())
    if before["recipe"] != json.loads(json.dumps(asdict(recipe))):
        raise SystemExit(f"{folder} holds a run of another recipe. Delete it, or name another folder.")
    return keras.saving.load_model(folder / f"epoch{len(before['log'])}.keras"), before["log"]


def _export(model: keras.Model, log: list, recipe: Recipe, folder: Path) -> None:
    base = build_base("vgg16-mini", image_size=None)
    base.set_weights(model.get_weights()[:-2])
    PRETRAINED.parent.mkdir(exist_ok=True)
    beside = folder / "base.weights.h5"
    base.save_weights(beside)
    kernel, bias = model.get_layer("source_head").get_weights()
    with (folder / "head.npz").open("wb") as file:
        np.savez(file, kernel=kernel, bias=bias)
    accuracy = _accuracy(model, recipe, folder)
    provenance = dict(
        source_accuracy=accuracy,
        classes=len(CLASS_NAMES),
        images_seen=len(CLASS_NAMES) * recipe.images * len(log),
        minutes=round(sum(epoch["seconds"] for epoch in log) / 60, 1),
        precision=model.layers[-3].compute_dtype,
        recipe=asdict(recipe),
        versions=versions(),
        class_names=CLASS_NAMES,
    )
    (folder / "provenance.json").write_text(json.dumps(provenance, indent=1) + "\n")
    os.replace(beside, PRETRAINED)
    os.replace(folder / "head.npz", SOURCE_HEAD)
    os.replace(folder / "provenance.json", PROVENANCE)
    print(f"Source accuracy {accuracy:.1%} on pictures not trained on. Written to {PRETRAINED.parent}.")


def _accuracy(model: keras.Model, recipe: Recipe, folder: Path) -> float:
    pictures, labels = _pictures(folder / "held_out", recipe.held_out, max(recipe.sizes), recipe.seed + 1)
    scores = model.predict(pictures.astype(np.float32), batch_size=128, verbose=0)
    return round(float((scores.argmax(1) == labels).mean()), 4)


def main() -> None:
    """Run the recipe that made the shipped weights."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument(
        "--folder", type=Path, default=Path("build/pretraining"), help="keeps pictures and checkpoint"
    )
    pretrain(Recipe(), parser.parse_args().folder)


if __name__ == "__main__":
    main()
