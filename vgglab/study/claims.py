"""What the seed text and the course claim, and the evidence that each claim is held against."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from vgglab.datasets import Nuisances
from vgglab.study import facts
from vgglab.study.evidence import NATS, TIMES, Contrast, Fact, below, covers, helps, level, more
from vgglab.study.plan import COVERS

NUISANCES = tuple(each.name for each in dataclasses.fields(Nuisances))
_CHANCE = 100 / 8
_LOW, _MIDDLE, _HIGH = "0.0001", "0.0005", "0.002"


@dataclass(frozen=True)
class Claim:
    """A claim in short, who makes it ("seed" or "course"), the notebook that teaches it, and its evidence."""

    name: str
    by: str
    lesson: str
    says: str
    evidence: tuple[Contrast | Fact, ...]


CLAIMS = (
    Claim("sixteen conv layers", "seed", "01", "VGG16 has 16 convolutional layers.", (
        Fact("conv layers in Keras's VGG16", facts.conv_layers, lambda n: n == 16),
    )),
    Claim("138 million", "seed", "01", "It has about 138 million parameters.", (
        Fact("parameters of Keras's VGG16", facts.parameters, lambda n: 137.5e6 <= n < 138.5e6),
    )),
    Claim("multiply-adds", "course", "01", "An image costs about 15.5 thousand million multiply-adds.", (
        Fact("multiply-adds an image of 224 pixels", facts.multiply_adds, lambda n: 15.45e9 <= n < 15.55e9),
    )),
    Claim("dense layers", "course", "01", "Most of the parameters are in the dense layers, which pooling replaces.", (
        Fact("share of the dense layers", facts.dense_share, lambda share: share > 0.5),
    )),
    Claim("99 and 70", "seed", "02", "99 % on training images goes with less than 70 % on others.", (
        level("from scratch: train accuracy above 99 %", "from_scratch", "plain", "train_accuracy", 99),
        below("from scratch: validation below 70 %", "from_scratch", "plain", "validation_accuracy", 70),
        level("fine-tuned: train accuracy above 99 %", "regularisers", "plain", "train_accuracy", 99),
        below("fine-tuned: validation below 70 %", "regularisers", "plain", "validation_accuracy", 70),
    )),
    Claim("few images", "seed", "02", "The fewer the images, the worse the overfitting.", (
        more("fine-tuned: gap with 5 minus with 20 images a species", "training_images",
             "fine-tuned, 5", "fine-tuned, 20", "gap"),
        more("fine-tuned: gap with 20 minus with 50", "training_images",
             "fine-tuned, 20", "fine-tuned, 50", "gap"),
        more("from scratch: gap with 5 minus with 20", "training_images",
             "from scratch, 5", "from scratch, 20", "gap"),
        more("from scratch: gap with 20 minus with 80", "training_images",
             "from scratch, 20", "from scratch, 80", "gap"),
    )),
    Claim("memory", "seed", "02", "The network can learn its training images by heart.", (
        level("shuffled labels: train accuracy above 95 %", "shuffled_labels", "shuffled labels",
              "train_accuracy", 95),
        below("shuffled labels: validation within 10 points of guessing", "shuffled_labels",
              "shuffled labels", "validation_accuracy", _CHANCE + 10),
    )),
    Claim("sure and wrong", "course", "02", "The validation loss rises again while the training loss falls.", (
        level("from scratch: last validation loss above the lowest", "from_scratch", "plain",
              "validation_loss_rise", 0.1, NATS),
        level("fine-tuned: last validation loss above the lowest", "regularisers", "plain",
              "validation_loss_rise", 0.1, NATS),
    )),
    Claim("head start", "course", "02", "What was learned elsewhere is worth more than any of these regularisers.",
          tuple(more(f"same images: validation, fine-tuned minus from scratch, {arm}", "from_scratch",
                     "fine-tuned", arm, "validation_accuracy")
                for arm in ("plain", "L2", "dropout", "early stopping", "simple", "MixUp", "advanced"))),
    Claim("L2", "seed", "03", "L2 of 0.001 on the head reduces overfitting.",
          (*helps("regularisers", "L2"), *helps("from_scratch", "L2"))),
    Claim("strong L2", "course", "03", "Ten times as much L2 helps more.",
          (*helps("regularisers", "strong L2", "L2"),)),
    Claim("dropout", "course", "03", "Dropout in the head reduces overfitting.",
          (*helps("regularisers", "dropout"), *helps("from_scratch", "dropout"))),
    Claim("early stopping", "seed", "03", "Early stopping on the validation loss prevents overfitting.",
          (*helps("regularisers", "early stopping"), *helps("from_scratch", "early stopping"))),
    Claim("early stopping, loss", "course", "03", "Early stopping ends with a lower validation loss.", (
        more("from scratch: validation loss, plain minus early stopping", "from_scratch", "plain",
             "early stopping", "validation_loss", NATS),
        more("fine-tuned: validation loss, plain minus early stopping", "regularisers", "plain",
             "early stopping", "validation_loss", NATS),
    )),
    Claim("simple is not enough", "seed", "04", "Cropping, flipping and rotation do not close the gap.", (
        level("fine-tuned: gap with simple augmentation above 2 points", "regularisers", "simple", "gap", 2),
        level("from scratch: gap with simple augmentation above 2 points", "from_scratch", "simple", "gap", 2),
    )),
    Claim("advanced helps", "seed", "04", "Colour jitter, erasing and MixUp on top of it are needed to do better.", (
        *(more(f"fine-tuned: validation, {arm} minus simple", "regularisers", arm, "simple",
               "validation_accuracy")
          for arm in ("simple + colour jitter", "simple + erasing", "simple + MixUp", "advanced")),
        more("from scratch: validation, advanced minus simple", "from_scratch", "advanced", "simple",
             "validation_accuracy"),
    )),
    Claim("generator", "seed", "04", "The settings of its ImageDataGenerator reduce overfitting.",
          helps("regularisers", "generator")),
    Claim("more data", "seed", "04", "Augmentation is worth a much larger training set.", (
        Contrast("validation, 5 images a species with the generator's settings minus 10 without", (
            (1, "regularisers", "generator", "validation_accuracy"),
            (-1, "training_images", "fine-tuned, 10", "validation_accuracy"),
        )),
        Contrast("validation, 5 images a species with the generator's settings minus 20 without", (
            (1, "regularisers", "generator", "validation_accuracy"),
            (-1, "training_images", "fine-tuned, 20", "validation_accuracy"),
        )),
    )),
    Claim("minor variations", "seed", "04", "Without augmentation, minor variations are enough to fail.", tuple(
        Contrast(f"accuracy without minus with variation of {each}", (
            (1, "nuisances", "none", "validation_accuracy"), (-1, "nuisances", "none", f"accuracy_{each}"),
        ))
        for each in NUISANCES
    )),
    Claim("depends on the data", "seed", "04", "Which augmentation works depends on the data.",
          tuple(covers(transform, nuisance, NUISANCES) for transform, (nuisance, _) in COVERS.items())),
    Claim("diversity against integrity", "seed", "04", "Between too little and too much lies a best strength.", (
        more("validation, the generator's strength minus none", "strength", "1", "0", "validation_accuracy"),
        more("validation, the generator's strength minus four times as much", "strength", "1", "4",
             "validation_accuracy"),
    )),
    Claim("wrong labels", "course", "04", "A change that alters what an image shows does harm.", (
        more("mirror twins: validation, no flip minus flip", "twins", "no flip", "flip", "validation_accuracy"),
    )),
    Claim("logged accuracy", "course", "05", "The training accuracy that Keras logs is too low under augmentation.", (
        *(Contrast(f"fine-tuned, {arm}: clean minus logged training accuracy", (
            (1, "regularisers", arm, "train_accuracy"), (-1, "regularisers", arm, "logged_accuracy"),
        )) for arm in ("generator", "erasing", "MixUp", "CutMix")),
    )),
    Claim("MixUp", "seed", "05", "MixUp improves generalisation.",
          (*helps("regularisers", "MixUp"), *helps("from_scratch", "MixUp"))),
    Claim("CutMix", "course", "05", "CutMix does too.", helps("regularisers", "CutMix")),
    Claim("calibration", "course", "05", "MixUp makes confidence more honest.", (
        more("fine-tuned: calibration error, plain minus MixUp", "regularisers", "plain", "MixUp",
             "calibration_error"),
        more("from scratch: calibration error, plain minus MixUp", "from_scratch", "plain", "MixUp",
             "calibration_error"),
    )),
    Claim("last five layers", "seed", "06", "The last five layers of the base are unfrozen.", (
        Fact("of them have weights", facts.last_five_that_learn, lambda n: n == 5),
    )),
    Claim("low rate", "seed", "06", "A rate of 0.0001 adapts without disrupting what was learned.", (
        *(more(f"{depth} layers: source task, rate {_LOW} minus {_HIGH}", "unfreezing",
               f"{depth} layers, {_LOW}", f"{depth} layers, {_HIGH}", "source_accuracy")
          for depth in (3, 13)),
        *(more(f"{depth} layers: validation, rate {_LOW} minus {_HIGH}", "unfreezing",
               f"{depth} layers, {_LOW}", f"{depth} layers, {_HIGH}", "validation_accuracy")
          for depth in (3, 13)),
    )),
    Claim("general features", "seed", "06", "The early layers are general: fine-tuning changes them least.", (
        Contrast("13 layers: drift of block 5 minus block 1", (
            (1, "unfreezing", f"13 layers, {_MIDDLE}", "drift_block5"),
            (-1, "unfreezing", f"13 layers, {_MIDDLE}", "drift_block1"),
        )),
    )),
    Claim("too deep", "seed", "06", "Unfreezing too many layers forgets what was learned.", (
        *(more(f"source task, 3 minus 13 layers at rate {rate}", "unfreezing", f"3 layers, {rate}",
               f"13 layers, {rate}", "source_accuracy")
          for rate in (_LOW, _MIDDLE, _HIGH)),
        more(f"validation, 3 minus 13 layers at rate {_MIDDLE}", "unfreezing", f"3 layers, {_MIDDLE}",
             f"13 layers, {_MIDDLE}", "validation_accuracy"),
    )),
    Claim("freezing, generalisation", "seed", "06", "Freezing the whole base generalises better.", (
        *(more(f"validation, 0 minus {depth} layers at rate {_MIDDLE}", "unfreezing",
               f"0 layers, {_MIDDLE}", f"{depth} layers, {_MIDDLE}", "validation_accuracy")
          for depth in (3, 13)),
    )),
    Claim("two phases", "course", "06", "Head first, then three layers at a low rate, is better than all at once.", (
        more("validation, two phases minus one", "phases", "two phases", "one phase", "validation_accuracy"),
        more("source task, two phases minus one", "phases", "two phases", "one phase", "source_accuracy"),
    )),
    Claim("freezing, speed", "seed", "07", "Freezing the base makes training faster.", (
        more("seconds an epoch, 13 layers to none", "unfreezing", f"13 layers, {_MIDDLE}",
             f"0 layers, {_MIDDLE}", "epoch_seconds", TIMES),
    )),
    Claim("batches", "seed", "07", "Larger batches are more efficient.", (
        more("seconds an epoch, batches of 1 to batches of 8", "batch_size", "batches of 1", "batches of 8",
             "epoch_seconds", TIMES),
        more("seconds an epoch, batches of 8 to batches of 32", "batch_size", "batches of 8", "batches of 32",
             "epoch_seconds", TIMES),
    )),
    Claim("days on a GPU", "seed", "07", "Training takes days on a fast GPU, not hours.", (
        Fact("days for ImageNet as in the paper, on a V100 at half its peak",
             lambda: facts.gpu_days(facts.IMAGENET_IMAGES, facts.PAPER_EPOCHS), lambda days: days > 1),
        Fact("days for 100 epochs of 2,000 photographs, all layers, on the same",
             lambda: facts.gpu_days(2_000, 100), lambda days: days > 1),
    )),
)  # fmt: skip
