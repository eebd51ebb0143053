"""What the dashboard's page costs whoever looks at it: the rows of `make bench-dashboard` that need a browser."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

from tests.benchmarks.__main__ import HERE, Row

CHROMIUM = shutil.which("chromium")
OPENINGS = 3
NAMES = {
    "paint": ("first paint of the served page", "", "s"),
    "train": ("from the address to a Train button that can be pressed", "", "s"),
    "shift": ("layout shift while it trains (CLS)", "0", ""),
}
WATCH = """() => {
    window.shifts = [];
    new PerformanceObserver(list => list.getEntries().forEach(each => window.shifts.push(each.value)))
        .observe({type: "layout-shift"});
}"""


def rows() -> list[Row]:
    """Of the dashboard as `vgglab dashboard` serves it, in a window of 1366 by 768."""
    values: dict[str, list[float]] = {what: [] for what in NAMES}
    if CHROMIUM:
        with _served() as address, _browser() as browser:
            for _ in range(OPENINGS):
                page = browser.new_page(viewport=dict(width=1366, height=768))
                for what, value in _looked_at(page, address).items():
                    values[what].append(value)
                page.goto("about:blank")  # whoever leaves gives the place back
                page.close()
    return [Row(name, aim, unit, values[what]) for what, (name, aim, unit) in NAMES.items()]


def _looked_at(page, address: str) -> dict[str, float]:
    page.goto(address)
    train = page.get_by_role("button", name=re.compile(r"Train$")).first
    train.wait_for(timeout=120_000)
    ready = page.evaluate("performance.now()")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    page.wait_for_timeout(8000)  # TensorFlow is loaded, and the images are drawn
    page.evaluate(WATCH)
    train.click()
    page.get_by_text(re.compile(r"epoch \d+ of")).first.wait_for(timeout=120_000)
    page.locator("button:not([disabled])", has_text=re.compile("Train$")).first.wait_for(timeout=120_000)
    return dict(
        paint=paint / 1000,
        train=ready / 1000,
        shift=page.evaluate("window.shifts.reduce((a, b) => a + b, 0)"),
    )


def frames(charts: list[str]) -> Row:
    """Milliseconds a frame of Chromium takes when the chart, with 30 runs beside it, changes in every frame."""
    values: list[float] = []
    code = """charts => new Promise(done => {
        const times = []; let last = performance.now(), i = 0;
        const frame = now => { times.push(now - last); last = now;
            document.body.innerHTML = charts[i++ % charts.length];
            if (i < 60) requestAnimationFrame(frame); else done(times.slice(5)); };
        requestAnimationFrame(frame); })"""
    if CHROMIUM:
        with _browser() as browser:
            values = browser.new_page().evaluate(code, charts)
    return Row("a frame of the page with 30 runs overlaid, redrawn in each", "≤ 33 ms", "ms", values)


@contextlib.contextmanager
def _browser() -> Iterator:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@contextlib.contextmanager
def _served() -> Iterator[str]:
    """The address of a dashboard that is served while the block lasts."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "vgglab",
            "dashboard",
            "--no-browser",
            f"--port={18_000 + os.getpid() % 1000}",
        ],
        cwd=HERE.parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield next(found[0] for line in process.stdout if (found := re.search(r"http://\S+token=\w+", line)))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
