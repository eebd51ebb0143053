"""Show the code: an experiment as a plain Keras script, to read, run and change without vgglab.

Each section of the script comes from one function; a line is written only when what it does is on.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent, wrap
from typing import Any

from vgglab.architecture import BACKBONES, BLOCKS
from vgglab.datasets import BLOSSOMS
from vgglab.experiment import CONV_LAYERS, Experiment, check_weights_exist, is_random
from vgglab.weights import PRETRAINED

WIDTH = 100  # characters a line


def script(experiment: Experiment, data: dict[str, Any] | None = None) -> str:
    """The text of a Python script that does with plain Keras what `train` does with the experiment.

    It needs keras and tensorflow, and ends by printing the clean accuracies of each epoch, as in
    "epoch 3: train 0.71, validation 0.55". The random numbers are others than those of `train`.
    `data`, what `Dataset.describe` returns, is noted in a comment. `InputError` when the weights
    do not exist for the backbone.
    """
    check_weights_exist(experiment)
    phases = experiment.phases
    sections = [_top(experiment, data), _images(experiment), _backbone(experiment), _head(experiment), _CURVE]
    before = _as_built(experiment)
    for number, phase in enumerate(phases, start=1):
        sections.append(len(phases) > 1 and f"# --- Phase {number} of {len(phases)} ---")
        sections.append(_training_images(phase, None if number == 1 else before))
        sections.append(_lines(_head_changes(phase, before), _unfreezing(phase, before), _fit(phase)))
        before = phase
    return "\n\n".join(section for section in [*sections, _PRINT] if section) + "\n"


def _as_built(experiment: Experiment) -> Experiment:
    """What the model is before its first phase: every layer learns, and a Dropout is there if ever needed."""
    rates = [phase.dropout for phase in experiment.phases if phase.dropout]
    return dataclasses.replace(experiment.phases[0], dropout=rates[0] if rates else 0, unfreeze=CONV_LAYERS)


def _lines(*lines: str | bool | None) -> str:
    """The lines that are on."""
    return "\n".join(line for line in lines if isinstance(line, str))


def _call(function: str, *arguments: str | bool) -> str:
    """A call with an argument a line; a comment may follow an argument after two spaces."""
    parts = [argument.partition("  #") for argument in arguments if isinstance(argument, str)]
    return _lines(f"{function}(", *(f"    {code},{mark}{note}" for code, mark, note in parts), ")")


def _number(value: float) -> str:
    value = float(f"{value:.12g}")
    return repr(int(value) if value.is_integer() else value)


def _constant(name: str, path: Path) -> str:
    text, line = str(path), f"{name} = {str(path)!r}"
    if len(line) <= WIDTH:
        return line
    return _lines(f"{name} = (", *(f"    {text[at : at + 60]!r}" for at in range(0, len(text), 60)), ")")


def _absolute(path: str) -> Path:
    return Path(os.path.abspath(Path(path).expanduser()))


def _folder(experiment: Experiment) -> Path:
    return BLOSSOMS if experiment.dataset == "blossoms" else _absolute(experiment.dataset)


def _top(experiment: Experiment, data: dict[str, Any] | None) -> str:
    return _lines(
        f'"""Trains {experiment.backbone} on a folder of images."""\n',
        "import math\n",
        "import keras",
        any(phase.mixup and phase.cutmix for phase in experiment.phases) and "import tensorflow as tf",
        "from keras import layers\n",
        _constant("DATA", _folder(experiment)),
        data is not None and _about(experiment, data),
        f"SIZE = {experiment.image_size}  # pixels a side",
        f"SEED = {experiment.seed}\n",
        "# The weights, the order of the images and every random change follow from it.",
        "keras.utils.set_random_seed(SEED)",
    )


def _about(experiment: Experiment, data: dict[str, Any]) -> str:
    classes, images, validation = len(data["classes"]), data["train"], data["validation"]
    text = f"{classes} classes, {images} images to train on, {validation} to validate on."
    if data["name"] != experiment.dataset and _absolute(data["name"]) != _folder(experiment):
        text += f" The run had others than this folder's: {data['name']!r}."
    return "\n".join(f"# {line}" for line in wrap(text, WIDTH - 2))


def _images(experiment: Experiment) -> str:
    folder = _folder(experiment)
    divide = folder.is_dir() and not (folder / "train").is_dir()
    validation = "val" if (folder / "val").is_dir() else "validation"
    read = _call(
        "keras.utils.image_dataset_from_directory",
        "DATA" if divide else "folder",
        'label_mode="categorical"  # one-hot',
        "image_size=(SIZE, SIZE)",
        "crop_to_aspect_ratio=True",
        experiment.dataset != "blossoms" and 'interpolation="area"  # uses all pixels of a larger photograph',
        "batch_size=None",
        not divide and "shuffle=False",
        divide and "validation_split=0.2",
        divide and 'subset="both"',
        divide and "seed=SEED",
    )
    return _lines(
        divide and f"train_images, validation_images = {read}",
        not divide and f"\ndef images_in(folder):\n{indent('return ' + read, '    ')}\n\n",
        not divide and 'train_images = images_in(DATA + "/train")',
        not divide and f'validation_images = images_in(DATA + "/{validation}")',
        "classes = len(train_images.class_names)\n",
        "# Read once, and kept in memory from then on.",
        "train_images, validation_images = train_images.cache(), validation_images.cache()",
        "validation = validation_images.batch(64)",
        "# Every k-th training image, so that there are no more than validation images.",
        "k = math.ceil(len(train_images) / len(validation_images))",
        "clean = train_images.shard(k, 0).batch(64)",
    )


def _backbone(experiment: Experiment) -> str:
    full, random = experiment.backbone == "vgg16", experiment.weights is None
    freezes = any(phase.unfreeze < CONV_LAYERS for phase in experiment.phases)
    return _lines(
        *(_full if full else _mini)(experiment),
        (freezes or (full and random))
        and "convs = [layer for layer in base.layers if isinstance(layer, layers.Conv2D)]",
        full
        and random
        and "# From Keras's own random weights, thirteen layers without normalisation do not learn.\n"
        "for layer in convs:\n    layer.kernel.assign(keras.initializers.HeNormal()(layer.kernel.shape))",
    )


def _full(experiment: Experiment) -> Iterator[str]:
    own_file = experiment.weights not in (None, "pretrained", "imagenet")
    if own_file:
        yield _constant("WEIGHTS", _absolute(experiment.weights))
    if experiment.precision == "bfloat16":
        yield "# Layers made under this policy compute in bfloat16; their weights stay float32."
        yield 'keras.config.set_dtype_policy("mixed_bfloat16")'
    weights = "WEIGHTS" if own_file else '"imagenet"' if experiment.weights else "None"
    yield "base = " + _call(
        "keras.applications.VGG16", "include_top=False", f"weights={weights}", "input_shape=(SIZE, SIZE, 3)"
    )
    if experiment.precision == "bfloat16":
        yield 'keras.config.set_dtype_policy("float32")'


def _mini(experiment: Experiment) -> Iterator[str]:
    blocks = ", ".join(f"({filters // BACKBONES['vgg16-mini']}, {convs})" for filters, convs in BLOCKS)
    conv = _call(
        "layers.Conv2D",
        "filters",
        "3",
        'padding="same"',
        'activation="relu"',
        'kernel_initializer="he_normal"',
        experiment.precision == "bfloat16" and 'dtype="mixed_bfloat16"  # the weights stay float32',
    )
    yield "# VGG16 with a quarter of its filters; it takes 0-255 RGB."
    yield "base = keras.Sequential()"
    yield "base.add(layers.Input((SIZE, SIZE, 3)))"
    yield "base.add(layers.Rescaling(1 / 127.5, offset=-1))"
    yield f"for filters, convs_in_block in [{blocks}]:"
    yield "    for _ in range(convs_in_block):"
    yield indent(f"conv = {conv}\nbase.add(conv)", " " * 8)
    yield "    base.add(layers.MaxPooling2D())"
    if experiment.weights:
        path = PRETRAINED if experiment.weights == "pretrained" else _absolute(experiment.weights)
        yield _constant("WEIGHTS", path)
        yield "base.load_weights(WEIGHTS)"


def _head(experiment: Experiment) -> str:
    full, built = experiment.backbone == "vgg16", _as_built(experiment)
    return _lines(
        "inputs = layers.Input((SIZE, SIZE, 3))",
        full and "# RGB to BGR, minus the mean colour of ImageNet.",
        full and "x = base(keras.applications.vgg16.preprocess_input(inputs))",
        not full and "x = base(inputs)",
        "x = layers.GlobalAveragePooling2D()(x)",
        built.l2 > 0 and f"l2 = keras.regularizers.L2({_number(built.l2)})",
        built.l2 > 0 and 'x = layers.Dense(128, activation="relu", kernel_regularizer=l2, name="fc")(x)',
        not built.l2 and 'x = layers.Dense(128, activation="relu", name="fc")(x)',
        built.dropout > 0 and f'x = layers.Dropout({_number(built.dropout)}, name="dropout")(x)',
        'outputs = layers.Dense(classes, activation="softmax")(x)',
        "model = keras.Model(inputs, outputs)",
    )


_CURVE = '''\
curve = []  # train and validation accuracy of each epoch


class Curve(keras.callbacks.Callback):
    """Measures train accuracy as validation accuracy is: on clean images, with the weights at rest.

    What `fit` logs as accuracy is a mean over the epoch, during which the network changed.
    """

    def on_epoch_end(self, epoch, logs):
        measured = self.model.evaluate(clean, verbose=0, return_dict=True)
        curve.append((measured["accuracy"], logs["val_accuracy"]))
'''

_PRINT = """\
for epoch, (train_accuracy, validation_accuracy) in enumerate(curve, start=1):
    print(f"epoch {epoch}: train {train_accuracy:.2f}, validation {validation_accuracy:.2f}")"""


def _training_images(phase: Experiment, before: Experiment | None) -> str | None:
    """The pipeline of a phase's training images; None when it goes on with that of the phase before."""
    views = phase.views if is_random(phase) else None
    if before and not views and _fed(phase) == _fed(before):
        return None
    crop = dict(phase.augment).get("crop")
    changes = list(_augmentation_layers(phase))
    mixes = phase.mixup or phase.cutmix
    return _lines(
        crop and _cropping(round(phase.image_size / (1 - crop))),
        changes and f"augment = keras.Sequential(\n    [\n{indent(_lines(*changes), ' ' * 8)}\n    ]\n)",
        mixes and _mixing(phase),
        views and f"# {views} augmented epochs are drawn once; then the same ones come round again.",
        "train = (",
        "    train_images.shuffle(len(train_images))",
        crop and "    .map(lambda image, label: (crop(image, training=True), label))",
        f"    .batch({phase.batch_size})",
        changes and "    .map(lambda images, labels: (augment(images, training=True), labels))",
        mixes and "    .map(mix)",
        views and f"    .repeat({views})\n    .cache()\n    .repeat()",
        "    .prefetch(2)",
        ")",
    )


def _fed(phase: Experiment) -> tuple:
    return phase.augment, phase.fill_mode, phase.mixup, phase.cutmix, phase.views, phase.batch_size


def _cropping(larger: int) -> str:
    return _lines(
        "# Mapped to single images: RandomCrop draws one place for a whole batch.",
        f"crop = keras.Sequential([layers.Resizing({larger}, {larger}), layers.RandomCrop(SIZE, SIZE)])",
    )


def _augmentation_layers(phase: Experiment) -> Iterator[str]:
    """A layer for each change but the crop, its strength in that layer's unit."""
    strengths = {name: _number(strength) for name, strength in phase.augment}
    fill = f'fill_mode="{phase.fill_mode}"'
    if "flip" in strengths:
        yield 'layers.RandomFlip("horizontal"),'
    if degrees := strengths.get("rotation"):
        yield f"layers.RandomRotation({degrees} / 360, {fill}),  # a fraction of the full turn"
    if {"width_shift", "height_shift"} & strengths.keys():
        down, across = strengths.get("height_shift", "0"), strengths.get("width_shift", "0")
        yield f"layers.RandomTranslation(height_factor={down}, width_factor={across}, {fill}),"
    if slope := strengths.get("shear"):
        yield f"layers.RandomShear(x_factor={slope}, {fill}),"
    if fraction := strengths.get("zoom"):
        yield f"layers.RandomZoom({fraction}, {fill}),"
    if fraction := strengths.get("brightness"):
        yield f"layers.RandomBrightness({fraction}),"
    if fraction := strengths.get("contrast"):
        yield f"layers.RandomContrast(({fraction}, {fraction})),  # a single number would only raise it"
    if "color_jitter" in strengths:
        yield _jitter(dict(phase.augment)["color_jitter"])
    if chance := strengths.get("erasing"):
        yield f"layers.RandomErasing(({chance}, {chance})),  # a single number would be the most"


def _jitter(strength: float) -> str:
    fraction = _number(strength)
    low, high = (f"{_number(1 + sign * strength)} / {_number(2 + sign * strength)}" for sign in (-1, 1))
    layer = _call(
        "layers.RandomColorJitter",
        f"brightness_factor={fraction}",
        f"contrast_factor=({fraction}, {fraction})",
        f"saturation_factor=({low}, {high})",
        f"hue_factor={fraction} / 2  # 1 is half a turn of the colour circle",
    )
    return f"# A saturation factor of f makes the saturation f / (1 - f) times as large.\n{layer},"


def _mixing(phase: Experiment) -> str:
    mixup, cutmix = (f'{layer}({{"images": images, "labels": labels}})' for layer in ("mixup", "cutmix"))
    alpha, both = _number(phase.cutmix), phase.mixup and phase.cutmix
    coin = "tf.random.uniform(()) < 0.5  # each batch gets one or the other"
    either = _call("tf.cond", coin, f"lambda: {mixup}", f"lambda: {cutmix}")
    mixed = either if both else mixup if phase.mixup else cutmix
    return _lines(
        phase.mixup > 0 and f"mixup = layers.MixUp({_number(phase.mixup)})",
        phase.cutmix > 0
        and f"cutmix = layers.CutMix(({alpha}, {alpha}))  # a single number would be the most",
        "\n\ndef mix(images, labels):",
        indent(f"mixed = {mixed}", "    "),
        '    return mixed["images"], mixed["labels"]\n\n',
    )


def _head_changes(phase: Experiment, before: Experiment) -> str | None:
    l2 = f"keras.regularizers.L2({_number(phase.l2)})" if phase.l2 else "None"
    changes = _lines(
        phase.l2 != before.l2 and f'model.get_layer("fc").kernel.regularizer = {l2}',
        phase.dropout != before.dropout and f'model.get_layer("dropout").rate = {_number(phase.dropout)}',
    )
    return changes or None


def _unfreezing(phase: Experiment, before: Experiment) -> str | None:
    if phase.unfreeze == before.unfreeze:
        return None
    count = phase.unfreeze
    top = "The top conv layer learns" if count == 1 else f"The top {count} conv layers learn"
    who = {0: "Only the head learns", CONV_LAYERS: "Every conv layer learns"}.get(count, top)
    flag = {0: "False", CONV_LAYERS: "True"}.get(count, f"layer in convs[-{count}:]")
    return _lines(
        f"# {who}. What `trainable` says only counts once `compile` is called after it.",
        f"for layer in convs:\n    layer.trainable = {flag}",
    )


def _fit(phase: Experiment) -> str:
    views = phase.views and is_random(phase)
    own_metric = phase.patience and phase.l2
    watched = '"val_categorical_crossentropy", mode="min"' if own_metric else '"val_loss"'
    metrics = '["accuracy", "categorical_crossentropy"]' if own_metric else '["accuracy"]'
    compiling = _call(
        "model.compile",
        f"optimizer=keras.optimizers.Adam(learning_rate={_number(phase.learning_rate)})",
        'loss="categorical_crossentropy"',
        f"metrics={metrics}",
        "jit_compile=False",
    )
    arguments = f"{watched}, patience={phase.patience}, restore_best_weights=True"
    stopping = f"stop = keras.callbacks.EarlyStopping(\n    {arguments}\n)"
    fitting = _call(
        "model.fit",
        "train",
        "validation_data=validation",
        f"epochs={phase.epochs}",
        views and f"steps_per_epoch=math.ceil(len(train_images) / {phase.batch_size})",
        f"callbacks=[Curve(){', stop' if phase.patience else ''}]",
        "shuffle=False  # the pipeline shuffles",
        "verbose=2",
    )
    return _lines(
        compiling,
        own_metric and "# Not the loss, because the L2 penalty is in it.",
        phase.patience and stopping,
        fitting,
    )
