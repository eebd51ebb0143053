"""One contestant of a comparison: a process that does one epoch for each line it reads and says how long it took.

python -m tests.benchmarks.contestants vgglab '{"unfreeze": 3}'
"""

from __future__ import annotations

import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

TRAIN, VALIDATION, CLASSES, SIZE, BATCH = 1024, 256, 8, 64, 32
FILTERS = {"vgg16": 64, "vgg16-mini": 16}  # of the first block


def images_and_labels(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(count)
    return rng.integers(0, 256, (count, SIZE, SIZE, 3), dtype=np.uint8), np.arange(count) % CLASSES


def wait_for_go() -> None:
    if not sys.stdin.readline():
        os._exit(0)


def say(value: float) -> None:
    print(json.dumps(value), flush=True)


def random_data(train: int = TRAIN, validation: int = VALIDATION):
    from vgglab.datasets import Dataset, Split

    names = tuple("abcdefgh")
    return Dataset("random", names, Split(*images_and_labels(train)), Split(*images_and_labels(validation)))


def vgglab(**fields) -> None:
    """Epochs of `vgglab.train`, clean-train evaluation and forgetting meter included."""
    _epochs(random_data(), fields, lambda seconds: seconds)


def evaluation_share(**fields) -> None:
    """The same epochs; says what part of one the clean-train evaluation and the forgetting meter take."""
    from vgglab import training

    data, spent, outputs = random_data(), [], training.outputs

    def timed(predict, split, control):
        start = time.perf_counter()
        result = outputs(predict, split, control)
        if split.images is not data.validation.images:
            spent.append(time.perf_counter() - start)
        return result

    def share(seconds: float) -> float:
        part = sum(spent) / seconds
        spent.clear()
        return part

    training.outputs = timed
    _epochs(data, fields, share)


def _epochs(data, fields: dict, figure) -> None:
    from vgglab import Experiment, train

    experiment = Experiment(
        **{**dict(image_size=SIZE, batch_size=BATCH, epochs=10_000, learning_rate=1e-5), **fields}
    )

    def after(history) -> None:
        value = figure(history.epochs[-1]["seconds"])
        if len(history.epochs) > 1:
            say(value)
        wait_for_go()

    train(experiment, data, on_epoch=after)


def plain_keras(backbone: str, unfreeze: int):
    """The network as one writes it in plain Keras, frozen by `layer.trainable` as tutorials do."""
    import keras
    from keras import layers

    inputs = layers.Input((SIZE, SIZE, 3))
    if backbone == "vgg16":
        base = keras.applications.VGG16(include_top=False, weights=None, input_tensor=inputs)
        convs, x = [layer for layer in base.layers if "conv" in layer.name], base.output
    else:
        convs, x = [], layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
        for factor, count in ((1, 2), (2, 2), (4, 3), (8, 3), (8, 3)):
            for _ in range(count):
                convs.append(layers.Conv2D(FILTERS[backbone] * factor, 3, activation="relu", padding="same"))
                x = convs[-1](x)
            x = layers.MaxPooling2D()(x)
    for conv in convs[: len(convs) - unfreeze]:
        conv.trainable = False
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(128, activation="relu", kernel_regularizer=keras.regularizers.l2(0.001))(x)
    model = keras.Model(inputs, layers.Dense(CLASSES, activation="softmax")(x))
    model.compile(keras.optimizers.Adam(1e-5), "categorical_crossentropy", metrics=["accuracy"])
    return model


def keras_fit(backbone: str, unfreeze: int) -> None:
    """Epochs of plain `model.fit`, validation included."""
    import keras

    class Timed(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch > 0:
                wait_for_go()
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            if epoch > 0:
                say(time.perf_counter() - self.start)

    (train, labels), (held_out, held_out_labels) = images_and_labels(TRAIN), images_and_labels(VALIDATION)
    one_hot = np.eye(CLASSES, dtype=np.float32)
    plain_keras(backbone, unfreeze).fit(
        train.astype(np.float32),
        one_hot[labels],
        batch_size=BATCH,
        epochs=10_000,
        validation_data=(held_out.astype(np.float32), one_hot[held_out_labels]),
        callbacks=[Timed()],
        verbose=0,
    )


def plain_pytorch():
    """vgg16-mini in PyTorch, channels last."""
    import torch
    from torch import nn

    layers, channels = [], 3
    for factor, count in ((1, 2), (2, 2), (4, 3), (8, 3), (8, 3)):
        for _ in range(count):
            layers += [nn.Conv2d(channels, 16 * factor, 3, padding=1), nn.ReLU()]
            channels = 16 * factor
        layers.append(nn.MaxPool2d(2))
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, CLASSES)]
    return nn.Sequential(*layers, *head).to(memory_format=torch.channels_last)


def pytorch(precision: str, optimizer: str) -> None:
    """Epochs of all of vgg16-mini in PyTorch, validation included."""
    import torch
    from torch import nn

    model = plain_pytorch()
    adam = torch.optim.Adam(model.parameters(), 1e-5, **{optimizer: True})
    (train, labels), (held_out, held_out_labels) = images_and_labels(TRAIN), images_and_labels(VALIDATION)
    half = torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16")

    def batch(images: np.ndarray, chosen: np.ndarray) -> torch.Tensor:
        # A view of NHWC memory as NCHW is what PyTorch calls channels last.
        return torch.from_numpy(images[chosen]).float().permute(0, 3, 1, 2) / 127.5 - 1

    def epoch() -> None:
        order = np.random.permutation(TRAIN)
        for first in range(0, TRAIN, BATCH):
            chosen = order[first : first + BATCH]
            adam.zero_grad(set_to_none=True)
            with half:
                loss = nn.functional.cross_entropy(
                    model(batch(train, chosen)), torch.from_numpy(labels[chosen])
                )
            loss.backward()
            adam.step()
        with torch.no_grad(), half:
            for first in range(0, VALIDATION, 64):
                chosen = np.arange(first, first + 64)
                model(batch(held_out, chosen)).argmax(1).eq(
                    torch.from_numpy(held_out_labels[chosen])
                ).sum().item()

    epoch()
    while True:
        wait_for_go()
        start = time.perf_counter()
        epoch()
        say(time.perf_counter() - start)


def first_epoch() -> None:
    """A run of three epochs a line; says how much longer the first took than the others, getting ready included."""
    from vgglab import Experiment, train

    data = random_data(256, 64)
    for seed in range(10_000):
        wait_for_go()
        ends = [time.perf_counter()]
        experiment = Experiment(unfreeze=13, epochs=3, seed=seed)
        train(experiment, data, on_epoch=lambda history, ends=ends: ends.append(time.perf_counter()))
        first, *others = np.diff(ends)
        say(float(first - np.median(others)))


def many_runs(runs: int) -> None:
    """Runs in one process, head only, three layers and all in turn; says how resident memory grew after the third."""
    from vgglab import Experiment, train

    data = random_data(256, 64)
    wait_for_go()
    for seed in range(runs):
        train(Experiment(unfreeze=(0, 3, 13)[seed % 3], epochs=1, seed=seed), data)
        if seed == 2:
            before = resident()
    say(resident() / before)


def resident() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


if __name__ == "__main__":
    globals()[sys.argv[1]](**json.loads(sys.argv[2]))
