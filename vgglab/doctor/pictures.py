"""All images of a data set in one row, whatever their part, and small grey pictures of them to compare."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np

from vgglab.datasets.dataset import Dataset, Split
from vgglab.doctor.resample import window
from vgglab.files import readable

SIDE = 64  # pixels of a grey picture
IMAGES_AT_A_TIME = 256
_GREY = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


class Pictures:
    """The images of train, validation and test one after another; a number stands for an image everywhere."""

    def __init__(self, data: Dataset) -> None:
        self.data = data
        splits = dict(train=data.train, validation=data.validation, test=data.test)
        self.splits: dict[str, Split] = {part: split for part, split in splits.items() if split}
        self.parts = list(self.splits)
        sizes = [len(split) for split in self.splits.values()]
        self._starts = np.cumsum([0, *sizes])
        self.part = np.repeat(np.arange(len(sizes)), sizes)
        self.labels = np.concatenate([np.asarray(split.labels) for split in self.splits.values()])
        self.paths = self._named("paths")
        self.groups = self._named("groups")

    def __len__(self) -> int:
        return len(self.labels)

    def _named(self, name: str) -> np.ndarray:
        """Of every image its path or group, None where it has none: object array (n,)."""
        columns = [getattr(split, name) for split in self.splits.values()]
        empty = [np.full(len(split), None, object) for split in self.splits.values()]
        return np.concatenate(
            [none if each is None else np.asarray(each, object) for each, none in zip(columns, empty)]
        )

    def chunks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """The images in order, some at a time: their numbers and uint8 (n, size, size, 3)."""
        for start, split in zip(self._starts, self.splits.values()):
            for first in range(0, len(split), IMAGES_AT_A_TIME):
                images = np.asarray(split.images[first : first + IMAGES_AT_A_TIME])
                yield slice(start + first, start + first + len(images)), images

    def image(self, number: int) -> np.ndarray:
        """One image, uint8 (size, size, 3)."""
        part = self.part[number]
        return np.asarray(self.splits[self.parts[part]].images[int(number - self._starts[part])])

    def in_train(self, number: int) -> bool:
        """Whether an image is in the train part."""
        return self.part[number] == 0

    def class_of(self, number: int) -> str:
        """The name of the class of an image."""
        return self.data.class_names[self.labels[number]]

    def name(self, number: int) -> str:
        """An image as people find it: its file below the folder of the set or, without one, part and place."""
        path = self.paths[number]
        if path is None:
            return f"{self.parts[self.part[number]]} {number - self._starts[self.part[number]]}"
        return readable(below(path, self.data.name))

    @cached_property
    def grey(self) -> np.ndarray:
        """Every image in grey, at most `SIDE` pixels a side: uint8 (n, side, side)."""
        size = self.data.image_size
        side = min(SIDE, size)
        rows = window(size, side)
        small = np.empty((len(self), side, side), np.uint8)
        for numbers, images in self.chunks():
            grey = images.astype(np.float32) @ _GREY
            small[numbers] = grey if side == size else np.rint(rows @ grey @ rows.T)
        return small


def below(path: str, folder: str) -> str:
    """A path as seen from a folder, with forward slashes; as it is where it lies elsewhere."""
    try:
        return Path(path).relative_to(Path(folder).expanduser()).as_posix()
    except ValueError:
        return path
