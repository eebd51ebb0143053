"""Run notebooks of the course without a person, several at a time, and render them to pages that need no server."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

from vgglab.course.copying import course_folder
from vgglab.files import write_whole

SECONDS_A_CELL = 600  # far beyond the minute that a cell may take, for machines that are busy
# A page must not fetch formulas, widgets or fonts from anywhere.
FETCHED = (
    "mathjax_url",
    "require_js_url",
    "jquery_url",
    "jupyter_widgets_base_url",
    "widget_renderer_url",
)
_OFFLINE = (
    *(f"--HTMLExporter.{name}=" for name in FETCHED),
    # Without widgets, which need a kernel: their text stands instead.
    '--NbConvertBase.display_data_priority=["text/html","image/png","text/markdown","text/plain"]',
)


class Run(NamedTuple):
    """One notebook: how long it took, and what went wrong, empty when nothing did."""

    notebook: Path
    seconds: float
    error: str


def run_all(
    notebooks: Iterable[Path], folder: Path, jobs: int = os.cpu_count() or 1, to: str = "notebook"
) -> Iterator[Run]:
    """Execute notebooks, `jobs` at a time, and write them with their outputs to `folder`; yields each when it is done.

    `to`: "notebook" or "html". One that fails does not keep the others from running.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(_run, notebook, folder, jobs, to) for notebook in notebooks]
        for future in as_completed(futures):
            yield future.result()


def _run(notebook: Path, folder: Path, jobs: int, to: str) -> Run:
    start = time.monotonic()
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", to, "--log-level=ERROR"]
    if to == "html":
        # Not with --embed-images: it closes what a Markdown cell folds away, and leaves the solutions open.
        command += _OFFLINE
    command += [f"--ExecutePreprocessor.timeout={SECONDS_A_CELL}", "--output-dir", str(folder.resolve())]
    with tempfile.TemporaryDirectory() as own:
        runs = dict(VGGLAB_RUNS=f"{own}/runs")  # neither other runs on its tables, nor its runs on others'
        done = subprocess.run(
            [*command, *_transport(own), str(notebook.resolve())],
            capture_output=True,
            text=True,
            env={**os.environ, **_threads(jobs), **_path(notebook), **runs},
        )
    page = folder / f"{notebook.stem}.html"
    if to == "html" and not done.returncode:
        write_whole(page, to_pages(page.read_text(encoding="utf-8")))
    return Run(notebook, time.monotonic() - start, done.stderr.strip() if done.returncode else "")


def to_pages(page: str) -> str:
    """A page whose links to notebooks beside it lead to their pages."""
    return re.sub(r'href="(\d\d_\w+)\.ipynb"', r'href="\1.html"', page)


def _transport(folder: str) -> tuple[str, ...]:
    """Sockets in files where Jupyter has them, which is not on Windows.

    Kernels that start side by side may pick the same free port; the second to bind it dies (jupyter/nbconvert#1066).
    """
    if os.name != "posix":
        return ()
    return "--KernelManager.transport=ipc", f"--KernelManager.ip={folder}/kernel"


def _threads(jobs: int) -> dict[str, str]:
    """Notebooks that run side by side share the cores instead of fighting for them."""
    threads = str(max(1, (os.cpu_count() or 1) // jobs))
    backend = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    return backend | {"TF_NUM_INTRAOP_THREADS": threads, "TF_NUM_INTEROP_THREADS": threads}


def _path(notebook: Path) -> dict[str, str]:
    """A notebook finds `checks` beside itself; its copy elsewhere finds that of the course."""
    places = [str(notebook.parent.resolve()), str(course_folder()), os.environ.get("PYTHONPATH")]
    return dict(PYTHONPATH=os.pathsep.join(filter(None, places)))


def report(runs: Iterable[Run], say: Callable[[str], object] = print) -> list[Run]:
    """Say of each run how it went, the errors in full at the end; returns those that failed."""
    failed = []
    for run in runs:
        say(f"{run.notebook.stem}: {'failed after' if run.error else ''} {run.seconds:.0f} s")
        if run.error:
            failed.append(run)
    for run in failed:
        say(f"\n{run.notebook.stem} failed:\n{run.error}")
    return failed


def write_index(notebooks: Iterable[Path], folder: Path) -> None:
    """A page with a link to each of the rendered notebooks."""
    links = "".join(
        f'<li><a href="{each.stem}.html">{html.escape(each.stem.replace("_", " "))}</a></li>\n'
        for each in notebooks
    )
    page = (
        f"<!doctype html>\n<meta charset=utf-8>\n<title>vgglab</title>\n<h1>vgglab</h1>\n<ul>\n{links}</ul>\n"
    )
    write_whole(folder / "index.html", page)
