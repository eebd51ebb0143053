"""How much memory an open page of the served dashboard takes, and how many a machine has room for: `make bench-pages`.

The proportional set size counts what several processes share in parts (man 5 proc_pid_smaps), so that the pages may be
added up. Linux only.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.benchmarks.__main__ import HERE, Row, table, write

RESULTS = HERE / "pages.json"
PAGES = 4  # open at a time; more share more, so that each takes a little less
MACHINES = (4, 8, 16, 32)  # GB
SPARE = 1  # GB that are left for the system


def megabytes(process: int) -> float:
    """The proportional set size of a process."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)[1]) / 1024


def kernels(server: int) -> list[int]:
    """The processes of a server's kernels: its own children, wherever their connection files are."""
    found = []
    for process in Path("/proc").iterdir():
        with suppress(OSError):  # ended since
            if process.name.isdigit() and b"ipykernel" in (process / "cmdline").read_bytes():
                # Behind the name, which may have blanks, come the state and the parent; man 5 proc_pid_stat.
                parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
                found += [int(process.name)] if parent == server else []
    return found


@contextmanager
def server(folder: Path) -> Iterator[tuple[int, str]]:
    """A served dashboard with the default limits: its process and its address."""
    environment = os.environ | dict(JUPYTER_RUNTIME_DIR=str(folder), VGGLAB_RUNS=str(folder / "runs"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = f"--port={free.getsockname()[1]}"
    command = [sys.executable, "-m", "vgglab", "dashboard", "--no-browser", f"--pages={PAGES}", port]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, cwd=HERE.parent.parent, stdout=log, stderr=log, env=environment)
    try:
        for _ in range(600):
            found = re.search(r"http://\S+token=\w+", (folder / "server.log").read_text())
            if found:
                yield process.pid, found[0]
                return
            time.sleep(0.1)
        raise RuntimeError((folder / "server.log").read_text())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def measure() -> list[Row]:
    chromium = shutil.which("chromium")
    names = (
        "the server itself",
        "an open page that has not trained",
        "an open page after a run on the flowers",
    )
    if chromium is None or not Path("/proc/self/smaps_rollup").is_file():
        return [Row(name, "", "MB", []) for name in names]
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        runtime = Path(folder)
        with server(runtime) as (process, address):
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            pages = [browser.new_page() for _ in range(PAGES)]
            trains = [page.get_by_role("button", name=re.compile("Train")).first for page in pages]
            for page, train in zip(pages, trains):
                page.goto(address)
                train.wait_for(timeout=120_000)
            idle = [megabytes(each) for each in kernels(process)]
            for number, train in enumerate(trains, start=1):
                train.click()
                finished(runtime / "runs", number)
            trained = [megabytes(each) for each in kernels(process)]
            alone = [megabytes(process)]
            browser.close()
    rows = [Row(name, "", "MB", values) for name, values in zip(names, (alone, idle, trained))]
    page = max(trained) / 1024
    return rows + [
        Row(f"pages that {memory} GB have room for", "", "pages", [fit(memory, alone[0], page)])
        for memory in MACHINES
    ]


def fit(memory: float, server_megabytes: float, page: float) -> int:
    """How many pages of so many GB a machine has room for, beside its system and the server."""
    return int((memory - SPARE - server_megabytes / 1024) / page)


def finished(runs: Path, count: int) -> None:
    """Wait until so many runs have ended: what says so is their network."""
    for _ in range(3000):
        if len(list(runs.glob("run-*/model.keras"))) >= count:
            return
        time.sleep(0.1)
    raise RuntimeError(f"{count} runs have not ended after five minutes")


def main() -> None:
    rows = measure()
    write(rows, RESULTS)
    print(table(rows))


if __name__ == "__main__":
    main()
