"""Kill processes that train, and kernels in which a dashboard trains; say what was lost."""

import argparse
import sys

from tests.torture.counting import undisturbed
from tests.torture.kernels import kill_kernels
from tests.torture.processes import kill_runs


def main() -> int:
    parser = argparse.ArgumentParser(prog="make torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="of processes")
    parser.add_argument("--kernels", type=int, default=5, help="that are killed")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    whole, seconds = undisturbed()
    counts = [
        kill_runs(options.kills, options.seed, whole, seconds),
        kill_kernels(options.kernels, options.seed, whole, seconds),
    ]
    for what, count in zip(("Processes", "Kernels"), counts):
        print(f"{what}: {count}")
    return int(not all(count.is_clean for count in counts))


if __name__ == "__main__":
    sys.exit(main())
