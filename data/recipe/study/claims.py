"""What the text and the course claim, and the evidence that each claim is held against."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from recipe.study import facts as counted
from recipe.study.atlas import COLUMNS
from recipe.study.evidence import (
    DAYS,
    GIGABYTES,
    NATS,
    POINTS,
    SHARE,
    TIMES,
    Case,
    Contrast,
    Fact,
    as_good,
    below,
    covers,
    each,
    helps,
    level,
    more,
    spoken,
)
from recipe.study.photographs import PHOTOGRAPHS
from recipe.study.plan import COVERS
from vgglab.datasets import Nuisances
from vgglab.measures import facts

NUISANCES = tuple(dial.name for dial in dataclasses.fields(Nuisances))
MINOR = tuple(name for name in NUISANCES if name != "rotation")  # half a turn is no minor variation
_CHANCE = 100 / 8
_RATES = ("1e-05", "0.0001", "0.001", "0.01")
_LOW, _MIDDLE, _HIGH = _RATES[1:]
_FROZEN = ("depth_settings", "plain")  # nothing that was learned before can change in it
# The conditions of the atlas in which there is something to gain.
_CONDITIONS = ("label_noise", "few_images", "dense_head", "narrow_to_wide", "scratch_long")
# The photographs that the project has tables of.
PHOTOS = tuple(f"{PHOTOGRAPHS}{name}" for name in ("clothing", "bloodcells"))


def _everywhere(arm: str, against: str = "plain") -> tuple[Case, ...]:
    """That a brake helps in each of the conditions that have it, every one a case."""
    return tuple(helps(column, arm, against) for column in _CONDITIONS if arm in COLUMNS[column].arms)


def _99_and_70(columns: tuple[str, ...]) -> tuple[Case, ...]:
    return tuple(
        (
            level(f"{spoken(column)}: train accuracy above 99 %", column, "plain", "train_accuracy", 99),
            below(f"{spoken(column)}: test below 70 %", column, "plain", "test_accuracy", 70),
        )
        for column in columns
    )


def _loss_rises(columns: tuple[str, ...]) -> tuple[Case, ...]:
    words, rise = "last validation loss above the lowest", "validation_loss_rise"
    return each(
        *(level(f"{spoken(column)}: {words}", column, "plain", rise, 0.1, NATS) for column in columns)
    )


def _gap_stays(columns: tuple[str, ...]) -> tuple[Case, ...]:
    words = "gap with simple augmentation above 2 points"
    return each(
        *(level(f"{spoken(column)}: {words}", column, "simple", "gap", 2, POINTS) for column in columns)
    )


def _stopping_saves_loss_and_costs_accuracy(columns: tuple[str, ...]) -> tuple[Case, ...]:
    words, arms = "plain minus early stopping", ("plain", "early stopping")
    return tuple(
        (
            more(f"{spoken(column)}: test loss, {words}", column, *arms, "test_loss", NATS),
            more(f"{spoken(column)}: test accuracy, {words}", column, *arms, "test_accuracy"),
        )
        for column in columns
    )


def _mixup_calibrates(columns: tuple[str, ...]) -> tuple[Case, ...]:
    words, error = "calibration error, plain minus MixUp", "test_calibration_error"
    return each(*(more(f"{spoken(column)}: {words}", column, "plain", "MixUp", error) for column in columns))


def _on_photographs(arm: str, against: str = "plain") -> tuple[Case, ...]:
    """The same of the photographs."""
    return tuple(helps(column, arm, against) for column in PHOTOS)


@dataclass(frozen=True)
class Claim:
    """A claim in short, who makes it ("text" or "course"), the notebook that teaches it, and its evidence.

    Evidence comes in cases, each of one or more pieces; a case bears the claim out when all of its pieces do. Those on
    photographs are judged apart from those on drawn flowers.
    """

    name: str
    by: str
    lesson: str
    says: str
    cases: tuple[Case, ...]
    photographs: tuple[Case, ...] = ()


CLAIMS = (
    Claim("sixteen conv layers", "text", "01", "VGG16 has 16 convolutional layers.", each(
        Fact("conv layers in Keras's VGG16", counted.conv_layers, lambda n: n == 16),
    )),
    Claim("138 million", "text", "01", "VGG16 has about 138 million parameters.", each(
        Fact("parameters of Keras's VGG16", counted.parameters, lambda n: 137.5e6 <= n < 138.5e6),
    )),
    Claim("multiply-adds", "course", "01", "An image costs about 15.5 billion multiply-adds.", each(
        Fact("multiply-adds an image of 224 pixels", facts.multiply_adds, lambda n: 15.45e9 <= n < 15.55e9),
    )),
    Claim("dense layers", "course", "01",
          "Most of the parameters are in the dense layers, which pooling replaces.", each(
        Fact("share of the dense layers", counted.dense_share, lambda share: share > 50, SHARE),
    )),
    Claim("99 and 70", "text", "02",
          "A network that reaches 99 % on its training images reaches less than 70 % on others.", (
        (level("from scratch: train accuracy above 99 %", "from_scratch", "plain", "train_accuracy", 99),
         below("from scratch: validation below 70 %", "from_scratch", "plain", "validation_accuracy", 70)),
        *_99_and_70(_CONDITIONS),
    ), _99_and_70(PHOTOS)),
    Claim("few images", "text", "02", "The fewer the images, the worse the overfitting.", each(
        more("fine-tuned: gap with 5 minus with 20 images a species", "training_images",
             "fine-tuned, 5", "fine-tuned, 20", "gap"),
        more("fine-tuned: gap with 20 minus with 50", "training_images",
             "fine-tuned, 20", "fine-tuned, 50", "gap"),
        more("from scratch: gap with 5 minus with 20", "training_images",
             "from scratch, 5", "from scratch, 20", "gap"),
        more("from scratch: gap with 20 minus with 80", "training_images",
             "from scratch, 20", "from scratch, 80", "gap"),
    )),
    Claim("by heart", "text", "02", "The network can learn its training images by heart.", (
        (level("shuffled labels: train accuracy above 95 %", "shuffled_labels", "shuffled labels",
               "train_accuracy", 95),
         below("shuffled labels: validation less than 10 points above guessing", "shuffled_labels",
               "shuffled labels", "validation_accuracy", _CHANCE + 10)),
    )),
    Claim("sure and wrong", "course", "02", "The validation loss rises again while the training loss falls.",
          _loss_rises(("from_scratch", *_CONDITIONS)), _loss_rises(PHOTOS)),
    Claim("head start", "course", "02", "What was learned elsewhere is worth more than any of these regularisers.",
          each(*(more(f"same images: validation, fine-tuned minus from scratch, {arm}", "from_scratch",
                      "fine-tuned", arm, "validation_accuracy")
                 for arm in ("plain", "L2", "dropout", "early stopping", "simple", "MixUp", "advanced")))),
    Claim("L2", "text", "03", "L2 of 0.001 on the head reduces overfitting.",
          (*_everywhere("L2, as in the text"), helps("from_scratch", "L2")), _on_photographs("L2, as in the text")),
    Claim("strong L2", "course", "03", "The best of 10 and 100 times as much L2 helps more.",
          _everywhere("L2", "L2, as in the text"), _on_photographs("L2", "L2, as in the text")),
    Claim("weight decay", "course", "03", "A weight penalty on every layer that learns reduces overfitting.",
          _everywhere("weight decay"), _on_photographs("weight decay")),
    Claim("dropout", "course", "03", "Dropout in the head reduces overfitting.",
          (*_everywhere("dropout"), helps("from_scratch", "dropout")), _on_photographs("dropout")),
    Claim("early stopping", "text", "03", "Early stopping on the validation loss prevents overfitting.",
          (*_everywhere("early stopping"), helps("from_scratch", "early stopping")),
          _on_photographs("early stopping")),
    Claim("early stopping, loss", "course", "03", "Early stopping keeps the loss from rising, but costs accuracy.",
          _stopping_saves_loss_and_costs_accuracy(_CONDITIONS), _stopping_saves_loss_and_costs_accuracy(PHOTOS)),
    Claim("recipe", "text", "03",
          "The text's first example, L2 with early stopping on a frozen base, reduces overfitting.",
          _everywhere("the text's recipe"), _on_photographs("the text's recipe")),
    Claim("simple is not enough", "text", "04", "Cropping, flipping and rotation do not close the gap.",
          _gap_stays((*_CONDITIONS, "from_scratch")), _gap_stays(PHOTOS)),
    Claim("advanced helps", "text", "04",
          "To do better, you also need colour jitter, erasing and MixUp.", each(
        *(more(f"{spoken(column)}: test, advanced minus simple", column, "advanced", "simple", "test_accuracy")
          for column in _CONDITIONS),
        more("from scratch: validation, advanced minus simple", "from_scratch", "advanced", "simple",
             "validation_accuracy"),
    )),
    Claim("generator", "text", "04", "The settings of the text's ImageDataGenerator reduce overfitting.",
          _everywhere("generator"), _on_photographs("generator")),
    Claim("more data", "text", "04", "Augmentation is worth a much larger training set.", each(
        *(as_good(f"validation, 5 images a species with the generator's settings minus {count} without",
                  ("strength", "1"), ("training_images", f"fine-tuned, {count}"),
                  "validation_accuracy")
          for count in (10, 20)),
    )),
    Claim("wrong labels", "course", "04", "A change that alters what an image shows does harm.", each(
        more("mirror twins: validation, no flip minus flip", "twins", "no flip", "flip", "validation_accuracy"),
    )),
    Claim("minor variations", "text", "05", "Without augmentation, minor variations are enough to fail.", each(*(
        Contrast(f"accuracy without minus with variation of {nuisance}", (
            (1, "nuisances", "none", "validation_accuracy"),
            (-1, "nuisances", "none", f"accuracy_{nuisance}"),
        ))
        for nuisance in MINOR
    ))),
    Claim("depends on the data", "text", "05", "Which augmentation works depends on the data.",
          each(*(covers(transform, nuisance, NUISANCES) for transform, (nuisance, _) in COVERS.items()))),
    Claim("diversity against integrity", "text", "05", "The best strength lies between too little and too much.", each(
        more("validation, the generator's strength minus none", "strength", "1", "0", "validation_accuracy"),
        more("validation, the generator's strength minus four times as much", "strength", "1", "4",
             "validation_accuracy"),
    )),
    Claim("logged accuracy", "course", "06",
          "With augmentation, the training accuracy that Keras logs is not the accuracy on the unchanged images.", each(
        *(Contrast(f"fine-tuned, {arm}: clean minus logged training accuracy", (
            (1, "few_images", arm, "train_accuracy"), (-1, "few_images", arm, "logged_accuracy"),
        ), is_so=lambda effect: effect.low > 0 or effect.high < 0)
          for arm in ("simple", "generator", "colour", "erasing", "MixUp", "CutMix")),
    )),
    Claim("MixUp", "text", "06", "MixUp improves generalisation.",
          (*_everywhere("MixUp"), helps("from_scratch", "MixUp")), _on_photographs("MixUp")),
    Claim("CutMix", "course", "06", "CutMix improves generalisation too.", _everywhere("CutMix")),
    Claim("calibration", "course", "06", "MixUp makes confidence more honest.", (
        *_mixup_calibrates(_CONDITIONS),
        (more("from scratch: calibration error, plain minus MixUp", "from_scratch", "plain", "MixUp",
              "calibration_error"),),
    ), _mixup_calibrates(PHOTOS)),
    Claim("last five layers", "text", "07", "The last five layers of the base are unfrozen.", each(
        Fact("of them have weights", counted.last_five_that_learn, lambda n: n == 5),
    )),
    Claim("low rate", "text", "07", "A rate of 0.0001 adapts the network without disrupting what it has learned.", each(
        *(more(f"disrupts less than a high rate: {depth} layers, source task, {_LOW} minus {_HIGH}", "depth_settings",
               f"{depth} layers, {_LOW}", f"{depth} layers, {_HIGH}", "source_accuracy")
          for depth in (3, 13)),
        *(as_good(f"disrupts nothing: {depth} layers, source task, {_LOW} minus frozen",
                  ("depth_settings", f"{depth} layers, {_LOW}"), _FROZEN, "source_accuracy")
          for depth in (3, 13)),
        *(as_good(f"adapts: {depth} layers, validation, {_LOW} minus {_MIDDLE}",
                  ("depth_settings", f"{depth} layers, {_LOW}"), ("depth_settings", f"{depth} layers, {_MIDDLE}"),
                  "validation_accuracy")
          for depth in (3, 13)),
    )),
    Claim("general features", "text", "07", "The early layers are general: fine-tuning changes them least.", each(
        *(Contrast(f"13 layers at rate {rate}: drift of block 5 minus block 1", (
            (1, "depth_settings", f"13 layers, {rate}", "drift_block5"),
            (-1, "depth_settings", f"13 layers, {rate}", "drift_block1"),
        )) for rate in _RATES),
    )),
    Claim("too deep", "text", "07", "Unfreezing too many layers forgets what was learned.", each(
        *(more(f"source task, 3 minus 13 layers at rate {rate}", "depth_settings", f"3 layers, {rate}",
               f"13 layers, {rate}", "source_accuracy")
          for rate in _RATES),
        more("test, 3 minus 13 layers, each at its best rate", "depth", "3 layers", "13 layers", "test_accuracy"),
    )),
    Claim("freezing, generalisation", "text", "07", "Freezing the whole base generalises better.", each(
        *(more(f"test, each at its best rate: none unfrozen minus {depth} layers", "depth",
               "plain", f"{depth} layers", "test_accuracy")
          for depth in (3, 7, 13)),
    ), each(*(more(f"{spoken(column)}: test, head alone minus block 5 unfrozen", column, "plain", "unfreezing block 5",
                   "test_accuracy") for column in PHOTOS))),
    Claim("two phases", "course", "07",
          "Training the head first, and then three layers at a low rate, is better than training all at once.", each(
        more("validation, two phases minus one", "phases", "two phases", "one phase", "validation_accuracy"),
        more("source task, two phases minus one", "phases", "two phases", "one phase", "source_accuracy"),
        more("validation, two phases minus the head alone for as long", "phases", "two phases", "head alone",
             "validation_accuracy"),
    )),
    Claim("parameters and work", "text", "08", "VGG16's many parameters translate directly into computation.", (
        (Fact("share of the dense layers in the parameters", counted.dense_share, lambda share: share > 50, SHARE),
         Fact("share of the dense layers in the multiply-adds", counted.dense_work, lambda share: share > 50,
              SHARE)),
        (Fact("share of what goes with the parameters in the memory of a step on 32 images",
              lambda: counted.parameters_in_memory(32), lambda share: share > 50, SHARE),),
    )),
    Claim("memory", "text", "08", "A training step takes a great deal of memory.", each(
        Fact("for the paper's batch of 256 images, more than the 6 GB of one of its GPUs",
             lambda: counted.step_gigabytes(counted.PAPER_BATCH), lambda gigabytes: gigabytes > 6, GIGABYTES),
    )),
    Claim("freezing, speed", "text", "08", "Freezing the base makes training faster.", each(
        more("seconds an epoch, 13 layers to none with the output of the frozen ones kept", "depth_settings",
             f"13 layers, {_LOW}", "plain", "epoch_seconds", TIMES),
    )),
    Claim("batches", "text", "08", "Larger batches are more efficient.", each(
        more("seconds an epoch, batches of 1 to batches of 8", "batch_size", "batches of 1", "batches of 8",
             "epoch_seconds", TIMES),
        more("seconds an epoch, batches of 8 to batches of 32", "batch_size", "batches of 8", "batches of 32",
             "epoch_seconds", TIMES),
    )),
    Claim("days on a GPU", "text", "08", "Training takes days on a fast GPU, not hours.", each(
        Fact("days for ImageNet as in the paper, on a V100 at half its peak",
             lambda: facts.gpu_days(facts.IMAGENET_IMAGES, facts.PAPER_EPOCHS), lambda days: days > 1, DAYS),
    )),
)  # fmt: skip
