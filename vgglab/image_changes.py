"""The table of the random changes of images: what each is called, how strong it can be, and how that is said."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Augmentation:
    """One random change of the training images: `strength` lies between `low` and `high`, in `unit`.

    `form` and `spoken` are how a strength is written and read aloud, with `{0}` for it and `{percent}` for a hundred
    times it. A slider moves in `step`s, and one that has none has a single strength. Some changes leave a `rim` of
    the frame that has to be filled.
    """

    label: str
    default: float
    low: float
    high: float
    unit: str
    form: str
    spoken: str
    step: float = 0.05
    rim: bool = False

    def written(self, strength: float) -> str:
        """A strength with its unit, in a word or two, such as "±20°"."""
        return self.form.format(strength, percent=100 * strength)

    def said(self, strength: float) -> str:
        """A strength in words that can be read aloud, such as "20 degrees to either side"."""
        return self.spoken.format(strength, percent=100 * strength)

    def named(self, strength: float) -> str:
        """The change with its strength, such as "rotation ±20°"; without it where there is but one."""
        return f"{self.label} {self.written(strength)}" if self.stops[1:] else self.label

    @property
    def stops(self) -> tuple[float, ...]:
        """The places of its slider; 0 would be off, so the lowest is one step."""
        if not self.step:
            return (self.default,)
        steps = range(1, round(self.high / self.step) + 1)
        return tuple(round(place * self.step, 6) for place in steps)


AUGMENTATIONS = {
    "flip": Augmentation(
        "flip left-right", 1, 1, 1, "always one image in two", "one in two", "one image in two", step=0
    ),
    "rotation": Augmentation(
        "rotation",
        20,
        0,
        180,
        "degrees to either side",
        "±{0:g}°",
        "{0:g} degrees to either side",
        step=5,
        rim=True,
    ),
    "width_shift": Augmentation(
        "shift sideways",
        0.2,
        0,
        1,
        "fraction of the width",
        "±{percent:g} %",
        "{percent:g} percent of the width to either side",
        rim=True,
    ),
    "height_shift": Augmentation(
        "shift up/down",
        0.2,
        0,
        1,
        "fraction of the height",
        "±{percent:g} %",
        "{percent:g} percent of the height up or down",
        rim=True,
    ),
    "shear": Augmentation(
        "shear", 0.2, 0, 1, "slope", "slope ±{0:g}", "a slope of {0:g} to either side", rim=True
    ),
    "zoom": Augmentation(
        "zoom", 0.2, 0, 0.9, "fraction in or out", "±{percent:g} %", "{percent:g} percent in or out", rim=True
    ),
    "crop": Augmentation(
        "random crop",
        0.15,
        0,
        0.9,
        "fraction of each side cut off",
        "{percent:g} %",
        "{percent:g} percent of each side cut off",
    ),
    "brightness": Augmentation(
        "brightness",
        0.2,
        0,
        1,
        "fraction of the range 0-255",
        "±{percent:g} %",
        "{percent:g} percent darker or lighter",
    ),
    "contrast": Augmentation(
        "contrast",
        0.3,
        0,
        1,
        "fraction around the mean",
        "±{percent:g} %",
        "{percent:g} percent less or more",
    ),
    "color_jitter": Augmentation(
        "colour jitter",
        0.4,
        0,
        1,
        "of brightness, contrast, saturation; a quarter of it for hue",
        "±{percent:g} %",
        "{percent:g} percent of brightness, contrast and saturation, a quarter of it for hue",
    ),
    "erasing": Augmentation(
        "random erasing",
        0.5,
        0,
        1,
        "probability an image",
        "p {0:g}",
        "a probability of {0:g} for each image",
    ),
}
SHORTHAND = {"shift": ("width_shift", "height_shift")}
