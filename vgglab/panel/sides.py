"""A and B: which runs they are, with those of other seeds, and how they compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vgglab.charts.colours import looks
from vgglab.errors import InputError
from vgglab.panel.run_table import Mark
from vgglab.panel.table import Row

Rows = Mapping[str, Row]
SIDES = ("A", "B")


def sides_of(rows: Rows, chosen: Mapping[str, str]) -> dict[str, str]:
    """The name of A and that of B, "" for none: those that were `chosen`, and else the latest of two runs or more.

    The newest run is B, and the newest of another experiment is A. Runs of B's experiment are none, whatever their
    seed and however they ended; where all are, A is "", unless they are two: then it is the one before B.
    """
    newest = [name for name, row in reversed([*rows.items()]) if row.history.epochs]
    if len(newest) < 2:
        newest = []
    a, b = (chosen.get(side) for side in SIDES)
    if b is None:
        b = next((name for name in newest if name != a), "")
    if a is None:
        others = [name for name in newest if name != b]
        before = others[0] if len(others) == 1 else ""
        a = next((name for name in others if not b or not are_alike(rows[name], rows[b])), before)
    return dict(zip(SIDES, (a, b)))


class Choice:
    """Which runs somebody has chosen for A and B; a letter that was taken from a run and given to none is "".

    Until somebody chooses, `sides_of` says which runs they are.
    """

    def __init__(self) -> None:
        self._chosen: dict[str, str] = {}

    def sides(self, rows: Rows) -> dict[str, str]:
        """The name of A and that of B, "" for none."""
        return sides_of(rows, self._chosen)

    def choose(self, rows: Rows, side: str, name: str) -> None:
        """Give a letter to a run, or take it from the one that has it; the other letter's run takes the one before."""
        now, other = self.sides(rows), "AB"["AB".index(side) - 1]
        if side == "B":
            self._chosen["A"] = now["A"]  # which would follow the newest run that is not B
        if name == now[other]:
            self._chosen[other] = now[side]
        self._chosen[side] = "" if name == now[side] else name

    def forget_gone(self, rows: Rows) -> None:
        """Leave the letters of runs that are gone to `sides_of`."""
        self._chosen = {side: name for side, name in self._chosen.items() if not name or name in rows}

    def offer(self) -> None:
        """Leave the letters that were taken from a run and given to none to `sides_of`, as when there is a new run."""
        self._chosen = {side: name for side, name in self._chosen.items() if name}

    def rename(self, old: str, new: str) -> None:
        self._chosen = {side: new if name == old else name for side, name in self._chosen.items()}


def are_alike(one: Row, other: Row) -> bool:
    """Whether two runs are of the same experiment but for the seed."""
    return one.seedless is not None and one.seedless == other.seedless


def group_of(rows: Rows, name: str) -> list[str]:
    """A run and its siblings: runs of the same experiment with other seeds that came to their end.

    Of several with one seed the latest counts. In the order of the table.
    """
    row, by_seed = rows[name], dict[int, str]()
    if row.seedless is None or not row.is_whole:
        return [name]
    for each, other in rows.items():
        if other.is_whole and are_alike(row, other):
            by_seed[other.history.experiment.seed] = each
    by_seed[row.history.experiment.seed] = name
    return [each for each in rows if each in by_seed.values()]


def members_of(rows: Rows, name: str, sides: Mapping[str, str]) -> list[str]:
    """The runs that a name stands for: A and B for their groups, any other for itself.

    Where A and B are of the same experiment, each stands for itself too: they differ in nothing but the seed.
    """
    if name not in sides.values():
        return [name]
    other = next((each for each in sides.values() if each != name), "")
    return [name] if other and are_alike(rows[name], rows[other]) else group_of(rows, name)


def marks_of(
    rows: Rows,
    members: Mapping[str, list[str]],
    sides: Mapping[str, str],
    drawn: Sequence[str],
) -> dict[str, Mark]:
    """What stands beside each run; those of the names `drawn` are on the chart, in this order."""
    letter_of = {name: side for side, group in members.items() for name in group}
    letters = [letter_of[name] if name in sides.values() else "" for name in drawn]
    look_of = dict(zip(drawn, looks(letters)))
    return {
        name: Mark(
            letter=letter_of.get(name, ""),
            is_sibling=name not in sides.values(),
            look=look_of.get(name),
            is_pinned=row.is_pinned,
            note=row.note,
        )
        for name, row in rows.items()
    }


def means_of(rows: Rows, sides: Mapping[str, str]) -> list[str]:
    """For each side that is several seeds, a sentence on what they reach."""
    sentences = []
    for side, name in sides.items():
        group = members_of(rows, name, sides) if name else []
        if len(group) > 1:
            kept = [rows[each].history.kept for each in group]
            reached = [100 * row["validation_accuracy"] for row in kept]
            gap = sum(100 * row["gap"] for row in kept) / len(kept)
            sentences.append(
                f"{side} is {len(group)} seeds: validation {sum(reached) / len(reached):.1f} % on average "
                f"({min(reached):.1f} to {max(reached):.1f}), gap {gap:.1f} points."
            )
    return sentences


def comparison_of(rows: Rows, a: Sequence[str], b: Sequence[str]) -> str:
    """Whether B is better than A, or luck, in a sentence; or why these cannot be compared, and what would be.

    `a` and `b` are the names of the runs of each side.
    """
    if len(rows) < 2:
        return "The second run is compared with the first."
    if b and not a and all(are_alike(row, rows[b[0]]) for row in rows.values()):
        return "Another experiment would be compared with it."
    if not (a and b):
        return "Press A in the row of one run and B in that of another to compare them."
    from vgglab.measures.comparison import compare  # scipy, which who only trains need not wait for

    try:
        return str(compare(*([rows[name].history for name in side] for side in (a, b))))
    except InputError as error:
        return str(error)
