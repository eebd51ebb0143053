"""Measure, print the table of the README, and write it to `results.json`: `make bench`.

Two contestants are two processes that take turns, an epoch each, so that both meet the same machine;
the ratio is taken pair by pair. What cannot be measured here is a row that says so.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from vgglab.files import written_whole
from vgglab.network import has_fast_bfloat16

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
REPEATS = 7

SIX_CHANGES = {
    "flip": 1,
    "rotation": 20,
    "width_shift": 0.2,
    "height_shift": 0.2,
    "zoom": 0.2,
    "color_jitter": 0.4,
    "erasing": 0.5,
}
RANDOM = dict(weights=None)


class Contestant:
    """A process that measures once for each line it is sent."""

    def __init__(self, name: str, **arguments) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.contestants", name, json.dumps(arguments)]
        self._process = subprocess.Popen(
            command,
            cwd=HERE.parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def measure(self) -> float:
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args} ended with {self._process.wait()}")
        return float(line)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@dataclass
class Row:
    """A line of the table: what, the aim in words, and the figures of each repeat."""

    what: str
    aim: str
    unit: str
    values: list[float]

    def cells(self) -> list[str]:
        if not self.values:
            return [self.what, self.aim, "not measured", ""]
        middle, low, high = statistics.median(self.values), min(self.values), max(self.values)
        spread = f"{_number(low)} – {_number(high)}" if len(self.values) > 1 else "one run"
        return [self.what, self.aim, f"{_number(middle)} {self.unit}".strip(), spread]


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def faster(
    what: str, aim: str, unit: str, ours: dict, theirs: tuple[str, dict], repeats: int = REPEATS
) -> Row:
    """How many times as long the other takes for an epoch."""
    pair = [Contestant("vgglab", **ours), Contestant(theirs[0], **theirs[1])]
    try:
        times = [[each.measure() for each in pair] for _ in range(repeats)]
    finally:
        for each in pair:
            each.close()
    print(f"{what}: {[[round(value, 3) for value in both] for both in times]}", flush=True)
    return Row(what, aim, unit, [other / own for own, other in times])


def against_keras(what: str, aim: str, backbone: str, unfreeze: int) -> Row:
    ours = dict(backbone=backbone, unfreeze=unfreeze, l2=1e-3, **RANDOM)
    return faster(what, aim, "× plain Keras", ours, ("keras_fit", dict(backbone=backbone, unfreeze=unfreeze)))


def against_pytorch(precision: str) -> Row:
    what, aim = f"vgg16-mini, all 13 layers, {precision}", "≥ 1.0 × PyTorch's best"
    if importlib.util.find_spec("torch") is None or (precision == "bfloat16" and not has_fast_bfloat16()):
        return Row(what, aim, "× PyTorch", [])
    ours = dict(precision=precision, unfreeze=13, **RANDOM)
    rows = [
        faster(what, aim, "× PyTorch", ours, ("pytorch", dict(precision=precision, optimizer=optimizer)))
        for optimizer in ("fused", "foreach")
    ]
    return min(rows, key=lambda row: statistics.median(row.values))  # against the better of theirs


def alone(
    what: str,
    aim: str,
    unit: str,
    name: str,
    arguments: dict,
    scale: float = 1.0,
    skip: int = 0,
    repeats: int = REPEATS,
) -> Row:
    contestant = Contestant(name, **arguments)
    try:
        values = [scale * contestant.measure() for _ in range(repeats + skip)][skip:]
    finally:
        contestant.close()
    print(f"{what}: {[round(value, 3) for value in values]}", flush=True)
    return Row(what, aim, unit, values)


def measure() -> list[Row]:
    plain, changed = dict(unfreeze=13, **RANDOM), dict(unfreeze=13, augment=SIX_CHANGES, **RANDOM)
    augmentation = faster(
        "augmentation (seven changes), vgg16-mini, all 13 layers",
        "≤ 10 % slower",
        "% slower",
        plain,
        ("vgglab", changed),
    )
    augmentation.values = [100 * (value - 1) for value in augmentation.values]
    growth = alone(
        "50 runs in one process: memory after the third",
        "< 5 % growth",
        "% growth",
        "many_runs",
        dict(runs=50),
        100,
        repeats=1,
    )
    growth.values = [value - 100 for value in growth.values]
    return [
        against_keras("VGG16, head only", "≥ 100 ×", "vgg16", 0),
        against_keras("VGG16, block5 unfrozen (3 layers)", "≥ 4 ×", "vgg16", 3),
        against_keras("vgg16-mini, head only", "≥ 20 ×", "vgg16-mini", 0),
        against_keras("vgg16-mini, 3 layers unfrozen", "≥ 3 ×", "vgg16-mini", 3),
        against_pytorch("float32"),
        against_pytorch("bfloat16"),
        augmentation,
        alone(
            "clean-train evaluation and forgetting meter, all 13 layers",
            "≤ 15 % of an epoch",
            "% of an epoch",
            "evaluation_share",
            dict(unfreeze=13),
            100,
            skip=1,
        ),
        alone("first epoch's extra, first run", "", "s", "first_epoch", {}, repeats=1),
        alone(
            "first epoch's extra, later runs of the same shape", "near zero", "s", "first_epoch", {}, skip=1
        ),
        growth,
    ]


def table(rows: list[Row]) -> str:
    """The rows as a table in Markdown."""
    lines = [["measured", "aim", "median", "lowest – highest"], ["---"] * 4, *(row.cells() for row in rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def load(path: Path = RESULTS) -> list[Row]:
    return [Row(**row) for row in json.loads(path.read_text())["rows"]]


def write(rows: list[Row], path: Path) -> None:
    """Write the rows as JSON, with the machine they are from."""
    machine = dict(system=platform.platform(), processors=os.cpu_count(), bfloat16=has_fast_bfloat16())
    with written_whole(path) as beside:
        text = json.dumps(dict(machine=machine, rows=[vars(row) for row in rows]), indent=1)
        beside.write_text(text + "\n")


def main() -> None:
    rows = measure()
    write(rows, RESULTS)
    print("\n" + table(rows))


if __name__ == "__main__":
    main()
