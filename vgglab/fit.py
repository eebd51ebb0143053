"""What is known of a fit that vgglab did not set up: the numbers that Keras logged, and no experiment."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from vgglab.errors import InputError, shown
from vgglab.experiment import Experiment


@dataclass(frozen=True)
class Metric:
    """What the accuracy columns of a history hold: its name, and whether it is a share, written in per cent.

    The name is "" where nothing of the kind was logged.
    """

    name: str = "accuracy"
    is_share: bool = True

    def written(self, value: float) -> str:
        """A value for people: "62.5%", or "0.625" of what is no share."""
        return f"{value:.1%}" if self.is_share else f"{value:.3g}"

    def difference(self, value: float) -> str:
        """A difference of two values for people: "4.5 points", or "0.045" of what is no share."""
        return f"{100 * value:.1f} points" if self.is_share else f"{value:.3g}"


@dataclass(frozen=True)
class Fit:
    """Stands in a history where else its experiment stands, when vgglab did not set the run up.

    `planned_epochs` are those that `fit` was asked for, `metric` is what the accuracy columns hold, `is_clean` says
    whether train was measured after each epoch as validation is, and not taken from what Keras logs; `optimizer` is
    the name of its class, "" when unknown. What else an experiment knows raises `InputError`.
    """

    planned_epochs: int
    metric: Metric = Metric("", is_share=False)
    is_clean: bool = False
    optimizer: str = ""

    phases: ClassVar[tuple[Experiment, ...]] = ()  # none is known

    def __getattr__(self, name: str) -> Any:
        if not hasattr(Experiment, name):
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        raise InputError(
            "vgglab did not set this fit up, so its experiment is unknown. "
            f"Received: a history of LiveCurves, asked for `{name}`; a history of `train` would have it."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, all under one name."""
        return dict(
            fit=dict(
                planned_epochs=self.planned_epochs,
                metric=self.metric.name,
                is_share=self.metric.is_share,
                is_clean=self.is_clean,
                optimizer=self.optimizer,
            )
        )

    @staticmethod
    def wrote(plain: Mapping[str, Any]) -> bool:
        """Whether these are the values of a Fit; the `fit` of an experiment is a word."""
        return "fit" in plain and not isinstance(plain["fit"], str)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Fit:
        """What `to_dict` wrote; a ValueError says what is no such thing."""
        given = plain["fit"] if isinstance(plain["fit"], Mapping) else {}
        for name, example in cls(0).to_dict()["fit"].items():
            if name not in given:
                raise ValueError(f"`{name}` of the fit is missing")
            if type(given[name]) is not type(example):
                raise ValueError(
                    f"`{name}` of the fit is {shown(given[name])}, and must be as {example!r} is"
                )
        if not 0 <= given["planned_epochs"] <= sys.maxsize:
            raise ValueError(
                f"`planned_epochs` of the fit is {shown(given['planned_epochs'])}, and must be 0 to {sys.maxsize}"
            )
        metric = Metric(given["metric"], given["is_share"])
        return cls(given["planned_epochs"], metric, given["is_clean"], given["optimizer"])
