"""What a page says of a confusion: a small table whose mistakes are shaded or, of many classes, a list of the worst."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from vgglab.measures.mistakes import confused

_FAINTEST, _DARKEST = 0.14, 0.55  # how opaque the shade of a single mistake is, and of the most frequent one


@dataclass(frozen=True)
class Cell:
    """A count; its place (true, given), what it counts in words, and how opaque its shade is, 0 where it is right."""

    place: tuple[int, int]
    count: int
    words: str
    shade: float

    @property
    def is_right(self) -> bool:
        return self.place[0] == self.place[1]


@dataclass(frozen=True)
class Described:
    """A confusion for the template `confusion.html`: either rows of cells, or the most frequent mistakes."""

    names: list[str]
    rows: list[list[Cell]]
    pairs: list[Cell]


def described(table: pd.DataFrame, widest: int = 8) -> Described:
    """A `confusion` for a page: a table of at most `widest` classes, of more the ten most frequent mistakes."""
    names = [str(each) for each in table.index]
    counts, worst = table.to_numpy(), confused(table)
    most = counts[worst[0]] if worst else 1

    def cell(true: int, given: int) -> Cell:
        count, is_right = int(counts[true, given]), true == given
        what = f"{names[true]}, recognised" if is_right else f"{names[true]}, taken for {names[given]}"
        shade = 0.0 if is_right or not count else _FAINTEST + (_DARKEST - _FAINTEST) * count / most
        return Cell((true, given), count, f"{what}: {count} of {counts[true].sum()}", round(shade, 3))

    classes = range(len(names))
    if len(names) > widest:
        return Described(names, [], [cell(*place) for place in worst])
    return Described(names, [[cell(true, given) for given in classes] for true in classes], [])
