"""Which of the numbers that Keras logs is the accuracy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

_EXACT = ("accuracy", "acc")  # in any case, as Keras reads them
_RESOLVED = (
    "sparse_categorical_accuracy",
    "categorical_accuracy",
    "binary_accuracy",
)  # what Keras makes of them


def scalars(logs: Mapping[str, Any]) -> dict[str, float]:
    """Those of the logged values that are one number, NaN among them; a vector or a text is none."""
    found = {}
    for name, value in logs.items():
        try:
            array = np.asarray(value, dtype=float)
        except (TypeError, ValueError):
            continue
        if array.size == 1 and value is not None:
            found[name] = array.item()
    return found


def accuracies(names: Iterable[str]) -> list[str]:
    """Those of the names that stand for the accuracy most exactly; several where they are of equal right.

    "accuracy" comes first, then "acc", what Keras makes of either, those that end in them, as an output's, and last
    those that hold them as a word, as "acc_top2". A loss or an error is none.
    """
    ranked = [(_rank(name), name) for name in names]
    best = min((rank for rank, _ in ranked if rank is not None), default=None)
    return [name for rank, name in ranked if rank is not None and rank == best]


def _rank(name: str) -> int | None:
    for rank, exact in enumerate((*_EXACT, *_RESOLVED)):
        if name.lower() == exact:
            return min(rank, len(_EXACT))
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)]
    if not {*words} & {*_EXACT} or {*words} & {"loss", "error"}:
        return None
    ends = words[-1] in _EXACT and not any(word.startswith("top") for word in words)
    return 3 if ends else 4
