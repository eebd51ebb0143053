"""How the weights of vgg16-mini were made: `make pretrain` makes them again.

The pictures of the source task are drawn once and kept beside the checkpoint; training goes on from
the last finished epoch when it was interrupted. What it learned is exported in the right size: a new head expects
features of about 1, and those that training leaves are several times as large.
"""

from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
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
from vgglab.measures.forgetting import DRAWN_AT, source_images
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
    kernel, bias = model.get_layer("source_head").get_weights()
    divided_by, kernel = rescale(base, kernel)
    accuracy = _accuracy(model, recipe, folder)
    provenance = dict(
        source_accuracy=accuracy,
        classes=len(CLASS_NAMES),
        images_seen=len(CLASS_NAMES) * recipe.images * len(log),
        minutes=round(sum(epoch["seconds"] for epoch in log) / 60, 1),
        precision=model.layers[-3].compute_dtype,
        divided_by=divided_by,
        recipe=asdict(recipe),
        versions=versions(),
        class_names=CLASS_NAMES,
    )
    _write(base, kernel, bias, provenance)
    print(f"Source accuracy {accuracy:.1%} on pictures not trained on. Written to {PRETRAINED.parent}.")


def rescale(base: keras.Model, source_kernel: np.ndarray) -> tuple[int, np.ndarray]:
    """Make the base's pooled features about 1 in size, and the source head's kernel larger by the same factor.

    Returns the factor and the new kernel; the base is changed in place. All that the two say together stays the same
    to the last bit: a ReLU lets a positive factor through, and the factor is a power of two, the nearest (by its
    logarithm) to the features' root mean square on the source task's pictures, each at the largest size drawn. A head
    that starts as Glorot and Bengio 2010 say is made for inputs of size 1; on larger ones it starts sure and wrong.
    Doing it twice does no more than once.
    """
    pictures = source_images(max(DRAWN_AT)).images.astype(np.float32)
    features = np.concatenate([base(part, training=False) for part in np.array_split(pictures, 4)])
    size = float(np.sqrt(np.mean(np.square(features.mean(axis=(1, 2)), dtype=np.float64))))
    factor = 2 ** max(0, round(np.log2(size)))
    last = next(layer for layer in reversed(base.layers) if layer.weights)
    last.set_weights([each / factor for each in last.get_weights()])
    return factor, source_kernel * factor


def rescale_shipped() -> None:
    """Rescale the weights in `data/weights`, which is the last step of the recipe, and note it in their provenance."""
    base = build_base("vgg16-mini", image_size=None)
    base.load_weights(PRETRAINED)
    with np.load(SOURCE_HEAD, allow_pickle=False) as head:
        kernel, bias = head["kernel"], head["bias"]
    provenance = json.loads(PROVENANCE.read_text(encoding="utf-8"))
    factor, kernel = rescale(base, kernel)
    divided_by = provenance.pop("divided_by", 1) * factor
    _write(base, kernel, bias, dict(divided_by=divided_by) | provenance)
    print(f"The last conv layer was divided by {factor}. Written to {PRETRAINED.parent}.")


def _write(base: keras.Model, kernel: np.ndarray, bias: np.ndarray, provenance: dict[str, Any]) -> None:
    """Write base, source head and provenance, each beside and then renamed."""
    PRETRAINED.parent.mkdir(exist_ok=True)
    with written_whole(PRETRAINED) as beside:
        base.save_weights(beside)
    with written_whole(SOURCE_HEAD) as beside, beside.open("wb") as file:
        np.savez(file, kernel=kernel, bias=bias)
    with written_whole(PROVENANCE) as beside:
        beside.write_text(json.dumps(provenance, indent=1) + "\n", encoding="utf-8")


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
    parser.add_argument(
        "--rescale", action="store_true", help="do only the last step, on the weights in data/weights"
    )
    options = parser.parse_args()
    if options.rescale:
        rescale_shipped()
    else:
        pretrain(Recipe(), options.folder)


if __name__ == "__main__":
    main()
