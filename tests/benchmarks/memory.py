"""What many images take, in memory and in time, beside Keras's own way: `make bench-memory ARGS="100000 100"`.

ARGS are the number of images, 5,000 by default, and how many of each class are trained on, by default all. The folder
is made here: drawn flowers, each JPEG written many times under other names with another comment in it, so that no two
files are the same. Each way runs in a process of its own, whose largest resident memory the system tells. Keras reads
with `image_dataset_from_directory`, keeps what it read with `.cache()`, in memory and in a file, and computes what
frozen layers make of it in every epoch, as it is usual.
"""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from vgglab.datasets.memory import free_memory

SIZE, DISTINCT, DRAWN_AT, VALIDATION = (
    224,
    80,
    64,
    800,
)  # a drawing is made larger: drawing at 224 pixels would take minutes
VARIANTS = {
    "vgglab, first time": "ours",
    "vgglab, second time": "ours",
    "Keras, .cache(file), first time": "keras_file",
    "Keras, .cache(file), second time": "keras_file",
    "Keras, .cache()": "keras_memory",
}


def make(folder: Path, images: int) -> None:
    """So many JPEGs of `SIZE` pixels and a little more, in two parts of eight classes."""
    from vgglab.datasets import draw_blossoms

    drawn = draw_blossoms(train_images=DISTINCT // 8, validation_images=1, image_size=DRAWN_AT)
    files: dict[int, list[bytes]] = {}
    with tempfile.TemporaryDirectory() as place:
        for picture, label in zip(drawn.train.images, drawn.train.labels):
            path = Path(place) / "x.jpg"
            Image.fromarray(picture).resize((300, 260)).save(path, quality=90)
            files.setdefault(int(label), []).append(path.read_bytes())
    for part, count in (("train", images - VALIDATION), ("validation", VALIDATION)):
        for label, name in enumerate(drawn.class_names):
            where = folder / part / name
            where.mkdir(parents=True)
            for number in range(count // 8):
                content = files[label][number % len(files[label])]
                comment = f"{part} {number}".encode()
                mark = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
                (where / f"{number:06}.jpg").write_bytes(content[:2] + mark + content[2:])


def ours(folder: Path, place: Path) -> dict[str, float]:
    from vgglab.datasets import load
    from vgglab.engine.cache import FeatureCache
    from vgglab.experiment import Experiment
    from vgglab.training import train

    begun = time.perf_counter()
    data = load(folder, SIZE, memory=float(os.environ.get("GB", "1")))
    loaded = time.perf_counter()
    ends: list[float] = []
    experiment = Experiment(backbone="vgg16-micro", weights=None, image_size=SIZE, unfreeze=0, epochs=3)
    few = int(os.environ["FEW"]) if os.environ.get("FEW") else None
    experiment = dataclasses.replace(experiment, images_a_class=few)
    cache = FeatureCache(folder=place / "cache")
    train(experiment, data, lambda history: ends.append(time.perf_counter()), cache=cache)
    return told(len(data.train) + len(data.validation), begun, loaded, ends)


def keras_file(folder: Path, place: Path) -> dict[str, float]:
    return keras(folder, place / "keras")


def keras_memory(folder: Path, place: Path) -> dict[str, float]:
    return keras(folder, None)


def keras(folder: Path, cached: Path | None) -> dict[str, float]:
    import keras
    import tensorflow as tf

    from vgglab.experiment import Experiment
    from vgglab.network import build_model

    begun = time.perf_counter()
    parts = {}
    for part in ("train", "validation"):
        images = keras.utils.image_dataset_from_directory(
            folder / part,
            label_mode="categorical",
            image_size=(SIZE, SIZE),
            crop_to_aspect_ratio=True,
            batch_size=None,
            shuffle=False,
            verbose=False,
        )
        count = images.cardinality().numpy()
        images = images.map(lambda image, label: (tf.cast(image, tf.uint8), label))
        images = images.cache(str(cached / part) if cached else "")
        cached and cached.mkdir(exist_ok=True)
        for _ in images.batch(256):  # reads all of them
            pass
        parts[part] = images, count
    loaded = time.perf_counter()
    model = build_model(Experiment(backbone="vgg16-micro", weights=None, image_size=SIZE, unfreeze=0), 8)
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    ends: list[float] = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            ends.append(time.perf_counter())

    (train, count), (validation, others) = parts["train"], parts["validation"]
    model.fit(
        train.shuffle(2048, seed=0)
        .take(8 * int(os.environ["FEW"]) if os.environ.get("FEW") else -1)
        .batch(32)
        .prefetch(2),
        validation_data=validation.batch(64).prefetch(2),
        epochs=2,
        verbose=0,
        callbacks=[Clock()],
    )
    return told(int(count + others), begun, loaded, ends)


def told(images: int, begun: float, loaded: float, ends: list[float]) -> dict[str, float]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    epochs = np.diff([loaded, *ends])
    return dict(
        images=images, load=loaded - begun, first=float(epochs[0]), later=float(epochs[1:].mean()), peak=peak
    )


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    build = Path("build")
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build) as temporary:
        folder, place = Path(temporary) / "images", Path(temporary)
        begun = time.perf_counter()
        make(folder, count)
        print(f"{count:,} JPEGs made in {time.perf_counter() - begun:.0f} s.", flush=True)
        held, free = count * SIZE * SIZE * 3, shutil.disk_usage(place).free
        print(f"At {SIZE} pixels they take {held / 1e9:.1f} GB. Free on this disk: {free / 1e9:.0f} GB.\n")
        print("| | load | images a second | first epoch | a later epoch | largest resident memory |")
        print("|---|---|---|---|---|---|", flush=True)
        available = free_memory()
        for what, way in VARIANTS.items():
            if way == "keras_memory" and 1.3 * held > available:
                print(f"| {what} | not run: it needs more than the {available / 1e9:.0f} GB free | | | | |")
                continue
            environment = {**os.environ, "VGGLAB_CACHE": str(place / "cache"), "FEW": "".join(sys.argv[2:])}
            command = [sys.executable, "-m", "tests.benchmarks.memory", "--way", way, str(folder), str(place)]
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            if done.returncode:
                print(f"| {what} | failed: {done.stderr.strip().splitlines()[-1:]} | | | | |", flush=True)
                continue
            found = json.loads(done.stdout.splitlines()[-1])
            print(
                f"| {what} | {found['load']:.1f} s | {found['images'] / found['load']:,.0f} | {found['first']:.1f} s | "
                f"{found['later']:.1f} s | {found['peak'] / 1e9:.2f} GB |",
                flush=True,
            )
            if "second" in what:  # room for the next
                shutil.rmtree(place / ("cache" if way == "ours" else "keras"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--way"]:
        warnings.simplefilter("ignore")
        print(json.dumps(globals()[sys.argv[2]](Path(sys.argv[3]), Path(sys.argv[4]))))
    else:
        main()
