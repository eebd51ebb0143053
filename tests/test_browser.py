"""The panel as a person has it: JupyterLab in a real browser."""

import os
import shutil
import time

import nbformat
import pytest
from conftest import ROOT, running_lab

pytestmark = pytest.mark.slow
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SCREENSHOTS = ROOT / "build" / "screenshots"
CELL = """
from vgglab import Experiment, Panel, draw_blossoms
data = draw_blossoms(train_images=4, validation_images=2, image_size=32)
Panel(data, Experiment(image_size=32, epochs=1000, batch_size=8))
"""


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        assert "CI" not in os.environ, "CI must have Chromium"
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


def test_train_toggle_and_stop_in_jupyterlab(browser, tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL.strip())])
    notebook.metadata["kernelspec"] = dict(name="python3", display_name="Python 3", language="python")
    nbformat.write(notebook, tmp_path / "panel.ipynb")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with running_lab(tmp_path / "runtime", f"--ServerApp.root_dir={tmp_path}") as address:
        page = browser.new_page(viewport=dict(width=1400, height=1000))
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.set_default_timeout(60_000)
        page.goto(address.replace("notebooks/01_overfitting_gap.ipynb", "panel.ipynb"))
        page.locator(".jp-Notebook .jp-CodeCell").first.click()
        page.locator("text=Python 3 (ipykernel) | Idle").or_(
            page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
        ).first.wait_for()
        page.keyboard.press("Shift+Enter")
        train = page.locator("button", has_text="Train")
        try:
            train.wait_for()
        finally:
            page.screenshot(path=SCREENSHOTS / "panel-ready.png")

        page.locator("button", has_text="flip left-right").click()
        train.click()
        page.locator("[role=status]", has_text="of 1000: train").wait_for()
        seen, deadline = set(), time.monotonic() + 60
        while len(seen) < 3:
            assert time.monotonic() < deadline, "the chart is redrawn while it trains"
            seen.add(page.locator(".widget-image").get_attribute("src"))
            page.wait_for_timeout(50)
        page.screenshot(path=SCREENSHOTS / "panel-training.png")

        page.locator("button", has_text="Stop").click()
        page.get_by_text("Stopped; the epochs before are kept.").wait_for()
        assert "gap" in page.locator("[role=status]").inner_text()
        page.screenshot(path=SCREENSHOTS / "panel-stopped.png")
        assert not errors
