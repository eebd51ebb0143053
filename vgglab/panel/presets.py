"""Settings that are put together: questions to begin with, and the recipes of the text and the lessons."""

from __future__ import annotations

from typing import Any

from vgglab.toggles import GENERATOR

_NOISY: dict[str, Any] = dict(label_noise=0.4, unfreeze=0, learning_rate=3e-3, epochs=60)

# Each has an answer within a minute; what five to ten seeds answered stands in the ledger (data/studies).
QUESTIONS: dict[str, dict[str, Any]] = {
    "Can it memorise wrong labels?": _NOISY,
    "Does dropout hold that back?": _NOISY | dict(dropout=0.75),
    "Five images a class: do turned and shifted copies help?": dict(
        images_a_class=5, augment=dict(rotation=20, width_shift=0.2, height_shift=0.2, zoom=0.2), epochs=40
    ),
}

# The three examples of the text that the course is built on stand among them.
PRESETS: dict[str, dict[str, Any]] = {
    "as it was": {},
    "all layers, nothing held back": dict(unfreeze=13),
    "example 1: frozen base, L2, early stopping": dict(unfreeze=0, l2=1e-3, patience=10, learning_rate=1e-3),
    "example 2: its augmentation": dict(augment=GENERATOR),
    "example 3: block5 unfrozen, low rate": dict(unfreeze=3, learning_rate=1e-4),
    "MixUp and CutMix": dict(mixup=0.2, cutmix=1.0),
}
