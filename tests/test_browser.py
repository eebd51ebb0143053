"""The dashboard as a person has it: JupyterLab and Voilà in a real browser."""

import dataclasses
import itertools
import json
import os
import re
import shutil
import signal
import sys
import time

import nbformat
import pytest
from PIL import Image

from conftest import ROOT, SCREENSHOTS, free_port, printed_address, running, serve
from person import Person
from test_live_chart import long_history
from vgglab.charts.live import LiveDrawing
from vgglab.charts.shown import Shown
from vgglab.experiment import FIELDS, Experiment
from vgglab.panel.controls import PRESETS
from vgglab.panel.styles import scripted, styled
from vgglab.toggles import AUGMENTATIONS, Number, Strengths

pytestmark = pytest.mark.slow
OWN = re.compile(r"(http|ws)://(127\.0\.0\.1|localhost):|(data|blob|file|about):")
# What Notebook 7 itself throws when it opens any notebook.
NOT_OURS = {"Cannot read properties of undefined (reading 'schema')"}
CELL = """
from vgglab import Dashboard, Experiment, draw_blossoms
data = draw_blossoms(train_images=8, validation_images=8, image_size=32)
dashboard = Dashboard(data, Experiment(image_size=32, epochs=400, batch_size=16), folder={folder!r})
dashboard
"""


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport=dict(width=1500, height=1300))
    page.set_default_timeout(60_000)
    errors, asked = [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None
    )
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    yield page
    page.screenshot(path=SCREENSHOTS / "last.png")  # of a test that failed, what was seen then
    page.close()
    assert not [each for each in errors if each not in NOT_OURS]
    assert asked and not {url for url in asked if not OWN.match(url)}, "all comes from this machine"


def run_only_cell(page):
    """Run the cell of a notebook; once more where the page still took the keys for itself, as it does on opening."""
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for()
    prompt = page.locator(".jp-InputPrompt", has_text=re.compile(r"\[[\d*]+\]"))
    for _ in range(30):
        page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
        page.keyboard.press("Shift+Enter")
        page.wait_for_timeout(2000)
        if prompt.count():
            return
    raise AssertionError(f"the cell does not run; the page says {page.inner_text('body')!r}")


def save(page, path):
    """Save the notebook, and wait until its file holds the widget: a reload before that finds none."""
    deadline = time.monotonic() + 60
    while "widget-view+json" not in path.read_text():
        assert time.monotonic() < deadline, "the notebook is saved"
        page.keyboard.press("Control+s")
        page.wait_for_timeout(500)


def write_notebook(path, folder):
    """Write a notebook whose only cell shows a dashboard that keeps its runs in a folder."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL.format(folder=folder).strip())])
    notebook.metadata["kernelspec"] = dict(name="python3", display_name="Python 3", language="python")
    nbformat.write(notebook, path)


def test_the_dashboard_in_jupyterlab(page, tmp_path):
    write_notebook(tmp_path / "dashboard.ipynb", str(tmp_path / "runs"))
    person = Person(page, "lab")
    with running("lab", tmp_path / "runtime", f"--ServerApp.root_dir={tmp_path}") as address:
        page.goto(address.replace("notebooks/00_start_here.ipynb", "dashboard.ipynb"))
        run_only_cell(page)
        person.button("Train").wait_for()
        person.look("1-ready")
        assert not page.get_by_text("Jupyter news").count(), "nobody is asked whether they would like any"

        person.press("Train")
        person.wait_for("of 400: train")
        person.see_charts(3)
        page.get_by_role(
            "switch", name="flip left-right"
        ).check()  # on the way: a new phase, marked on the chart
        page.locator("svg text", has_text="flip left-right on").first.wait_for()
        person.look("2-changed-while-training")
        person.press("Pause")
        person.button("Resume").wait_for()
        page.wait_for_timeout(500)
        held = person.chart()
        page.wait_for_timeout(700)
        assert person.chart() == held
        person.press("Resume")
        person.see_charts(2)
        person.press("Stop")
        page.get_by_text("Stopped; the epochs before are kept.").wait_for()
        assert "gap" in person.status()

        before = person.status()
        person.press("Train")
        while person.status() == before or "of 400: train" not in person.status():
            page.wait_for_timeout(40)
        person.press("Stop")
        person.row("run 2").wait_for()  # B, and run 1 is A
        page.locator("svg text", has_text="thick: validation, thin: train").first.wait_for()
        person.look("3-two-runs")

        person.row("run 1").locator("th").click()
        person.press("Export")
        page.get_by_text("Written to").first.wait_for()
        kinds = {path.suffix for path in (tmp_path / "runs").iterdir() if path.is_file()}
        assert kinds == {".jsonl", ".csv", ".png", ".svg"}
        person.press("Run card")
        page.get_by_text(".html").first.wait_for()
        page.get_by_role("tab", name="Cost").click()
        page.get_by_text("a training step").first.wait_for()
        person.look("4-cost")
        page.get_by_role("tab", name="Code").click()
        page.get_by_text("import keras").first.wait_for()
        person.look("5-code")
        page.get_by_role("tab", name="Predict").click()
        Image.new("RGB", (40, 30), "gold").save(tmp_path / "gold.png")
        page.get_by_label("Your photographs").set_input_files([tmp_path / "gold.png"])
        page.get_by_text("answered 1 of 1").first.wait_for()
        person.look("5-predict")

        save(page, tmp_path / "dashboard.ipynb")
        page.reload()
        page.locator(".vgglab-picture svg").first.wait_for()  # the kernel still has the widgets
        assert "gap" in person.status()
    (card,) = (tmp_path / "runs").glob("*.html")
    page.goto(card.as_uri())
    person.look("6-run-card")
    assert "gap" in page.locator("p.line").inner_text()


def test_the_runs_of_a_dashboard_outlive_the_page_and_its_kernel(page, tmp_path, monkeypatch):
    monkeypatch.setenv("VGGLAB_RUNS", str(tmp_path / "runs"))
    write_notebook(tmp_path / "lesson.ipynb", None)
    person = Person(page, "kept")
    with running("lab", tmp_path / "runtime", f"--ServerApp.root_dir={tmp_path}") as address:
        page.goto(address.replace("notebooks/00_start_here.ipynb", "lesson.ipynb"))
        run_only_cell(page)
        person.press("Train")
        person.wait_for("of 400: train")
        person.press("Stop")
        page.locator("td", has_text="stopped").first.wait_for()
        epochs = int(person.cell("run 1", "epochs run"))
        person.press("Train")
        page.get_by_text(re.compile(r"epoch \d+ of 400, \d+ s left")).first.wait_for()
        server, token = address.partition("/lab/tree")[0], address.partition("?")[2]
        (kernel,) = page.request.get(f"{server}/api/kernels?{token}").json()
        assert page.request.post(
            f"{server}/api/kernels/{kernel['id']}/restart?{token}"
        ).ok  # in the middle of it
        page.reload()
        run_only_cell(page)
        person.row("run 1").wait_for()
        assert person.cell("run 1", "epochs run") == str(epochs)
        assert person.cell("run 2", "state") == "interrupted"
        person.press("More")
        page.get_by_text(f"Runs are kept in {tmp_path / 'runs' / 'lesson'}.").wait_for()
        person.press("Less")
        person.row("run 1").locator("th").click()
        person.look("1-again")
        person.press("Go on")
        page.locator("td", has_text="going on").first.wait_for()
        deadline = time.monotonic() + 60
        while not (found := re.match(r"Epoch (\d+) of 400", person.status())) or int(found[1]) <= epochs + 1:
            assert time.monotonic() < deadline, "it goes on after the epochs that it had"
            page.wait_for_timeout(50)
        person.press("Stop")
        person.row("run 1").locator("td", has_text="stopped").wait_for()
        assert int(person.cell("run 1", "epochs run")) > epochs
        person.press("Delete")
        page.get_by_role("button", name="Really delete 1 run?").wait_for()
        person.look("2-really")
        assert not person.faults()
        person.press(r"Really delete 1 run\?")
        page.get_by_text("Deleted: run 1.").first.wait_for()
    assert [each.name for each in (tmp_path / "runs" / "lesson").iterdir()] == ["run-2"]


def test_the_dashboard_in_voila(page, tmp_path):
    person = Person(page, "voila")
    with running("dashboard", tmp_path / "runtime") as address:
        page.goto(address)
        person.button("Train").wait_for()
        assert not page.get_by_text("from vgglab import").count(), "people here see no code"
        person.look("1-ready")
        person.press("Train")
        person.wait_for("of 20: train")
        person.row("run 1").wait_for()
        person.look("2-trained")

        # Whoever leaves while it trains takes the kernel along.
        settings = json.loads(page.locator("#jupyter-config-data").text_content())
        kernel = f"{address.split('?')[0]}api/kernels/{settings['kernelId']}?{address.split('?')[1]}"
        person.press("Train")
        person.wait_for("of 20: train")
        assert page.request.get(kernel).status == 200
        page.goto("about:blank")
        deadline = time.monotonic() + 20
        while page.request.get(kernel).status != 404:
            assert time.monotonic() < deadline, "the kernel is ended"
            page.wait_for_timeout(200)


def test_the_dashboard_in_notebook_7(page, tmp_path):
    write_notebook(tmp_path / "dashboard.ipynb", str(tmp_path / "runs"))
    person, runtime = Person(page, "notebook"), tmp_path / "runtime"
    options = ["--no-browser", f"--port={free_port()}", f"--ServerApp.root_dir={tmp_path}", "--allow-root"]
    process = serve([sys.executable, "-m", "notebook", *options], runtime)
    try:
        address = printed_address(process, runtime, int(options[1].partition("=")[2]))
        page.goto(address.replace("/tree?", "/notebooks/dashboard.ipynb?"))
        run_only_cell(page)
        person.press("Train")
        person.wait_for("of 400: train")
        person.see_charts(3)
        page.locator(".vgglab-layers [role=slider]").focus()
        page.keyboard.press("End")
        page.locator("svg text", has_text="unfreeze depth 13").first.wait_for()
        person.press("Stop")
        page.get_by_text("Stopped; the epochs before are kept.").wait_for()
        person.row("run 1").wait_for()
        person.look("1-stopped")
        assert not person.faults()
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def as_shown(experiment):
    """What the controls should say of an experiment."""
    shown = {}
    for name, toggle in FIELDS.items():
        value = getattr(experiment, name)
        if isinstance(toggle, Strengths):
            shown[name] = {each: each in dict(value) for each in AUGMENTATIONS}
        elif isinstance(toggle, Number) and (value is None or (toggle.stops and not toggle.is_on(value))):
            shown[name] = "off"
        else:
            unit = " epochs" if toggle.unit == "epochs" else ""
            shown[name] = toggle.written(value) + unit
    return shown


def test_what_runs_is_what_every_control_shows(page, tmp_path):
    """Each preset after each other one, and Reset after each; by eye, by keyboard, and by a screen reader."""
    person = Person(page, "presets")
    with running("dashboard", tmp_path / "runtime") as address:
        page.goto(address)
        person.button("Train").wait_for()
        page.get_by_role("tab", name="Code").click()
        page.get_by_text("import keras").first.wait_for()
        person.choose("Full")
        page.get_by_label("precision", exact=True).wait_for()
        preset, start = page.get_by_label("preset", exact=True), person.experiment()
        assert person.shown() == as_shown(start)

        def settle(experiment):
            deadline = time.monotonic() + 20
            while (person.shown(), person.experiment()) != (as_shown(experiment), experiment):
                assert time.monotonic() < deadline, (person.shown(), person.experiment())
                page.wait_for_timeout(100)

        for first, second in itertools.permutations(PRESETS, 2):
            for name in (first, second):
                preset.select_option(label=name)
                settle(dataclasses.replace(start, **PRESETS[name]))
            person.press("Reset")
            settle(start)

        person.slider("unfreeze depth").focus()
        page.keyboard.press("ArrowRight")
        page.get_by_role("switch", name="rotation", exact=True).focus()
        page.keyboard.press("Space")
        settle(dataclasses.replace(start, unfreeze=4, augment=("rotation",)))
        person.look("1-moved")
        assert not person.faults()


def test_a_learner_walks_through_the_first_notebook(page, tmp_path):
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    person = Person(page, "walk")
    with running("lab", tmp_path / "runtime", f"--ServerApp.root_dir={tmp_path}") as address:
        page.goto(address)
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for()
        walk = Walk(page)
        walk.until("print(check_setup())")
        assert "✓ tensorflow" in walk.output() and "✗" not in walk.output()
        walk.until("unseen = GuessNumber")
        page.get_by_role("slider").first.focus()
        page.keyboard.press("ArrowRight")
        page.get_by_text("Your guess: 51 %. Now run the next cell.").wait_for()
        person.look("1-guessed")
        walk.until("print(unseen.reveal(")
        assert "Your guess: 51 %. It came out as" in walk.output() and "The gap between" in walk.output()
        assert page.locator(".jp-OutputArea-output").locator("img, svg").count() >= 2, (
            "the flowers and the curves"
        )
        person.look("2-revealed")
        walk.until("start = GuessChoice")
        page.get_by_label("the accuracy on other images").check()
        walk.until("print(start.reveal(")
        assert "as you said" in walk.output()
        walk.until("Dashboard(")
        person.button("Train").wait_for()
        walk.until('print(check("00.1", answer))')
        assert "put your answer in place of the dots" in walk.output()
        for answer, said in (
            ("8", "not yet, that is the number of species"),
            ("100 / 8", "Exercise 00.1: right."),
        ):
            walk.rewrite(f'answer = {answer}\nprint(check("00.1", answer))')
            walk.until('print(check("00.1", answer))')
            assert said in walk.output()
        person.look("3-checked")
        page.locator("summary", has_text="Solution").first.click()
        page.locator("details code", has_text="answer = 100 / len(flowers.class_names)").first.wait_for()
        assert not page.locator(".jp-OutputArea-output[data-mime-type*=stderr]").count()


class Walk:
    """Going down a notebook with Shift+Enter; `at` is the cell that was run last."""

    def __init__(self, page):
        self.page, self.at = page, None
        page.locator(".jp-Notebook .jp-Cell").first.click()
        page.keyboard.press("Escape")

    def until(self, words):
        """Run cell after cell, up to the one with these words, and wait until it is done."""
        for _ in range(60):
            self.at = self.page.locator(".jp-Cell.jp-mod-selected").first
            found = words in self.source()
            number = self.at.evaluate("cell => [...cell.parentNode.children].indexOf(cell)")
            self.page.keyboard.press("Shift+Enter")
            self.at = self.page.locator(".jp-Notebook .jp-Cell").nth(number)
            if found:
                self.page.wait_for_function(
                    "([number]) => /\\[\\d+\\]/.test(document.querySelectorAll('.jp-Notebook .jp-Cell')[number]"
                    ".querySelector('.jp-InputPrompt').innerText)",
                    arg=[number],
                    timeout=240_000,
                )
                return
        raise AssertionError(f"no cell has {words!r}")

    def source(self):
        return (
            self.at.locator(".cm-content").first.inner_text()
            if self.at.locator(".cm-content").count()
            else ""
        )

    def output(self):
        return "\n".join(self.at.locator(".jp-OutputArea-output").all_inner_texts())

    def rewrite(self, source):
        """Put other words into the cell that was run last, and select it."""
        self.at.locator(".cm-content").first.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(source)
        self.page.keyboard.press("Escape")


# A picture's widget as Jupyter runs it, without a kernel: `put` sets what Python would, `sent` has what it would get.
HARNESS = """async ([code, frames]) => {
    const url = URL.createObjectURL(new Blob([code], {type: "text/javascript"}));
    const widget = (await import(url)).default, listeners = {};
    const state = {width: 720, height: 470, description: "values at each epoch", ...frames[0]};
    window.sent = [];
    window.moved = 0;
    new PerformanceObserver(list => list.getEntries().forEach(each => window.moved += each.value))
        .observe({type: "layout-shift", buffered: true});
    const model = {
        get: name => state[name],
        set: changes => Object.assign(state, changes),
        save_changes: () => window.sent.push([state.width, state.height]),
        on: (event, listener) => (listeners[event] ??= []).push(listener),
        off: (event, gone) => listeners[event] = listeners[event].filter(each => each !== gone),
    };
    window.put = frame => {
        Object.assign(state, frame);
        for (const name of Object.keys(frame)) (listeners[`change:${name}`] ?? []).forEach(each => each());
    };
    window.left = () => Object.values(listeners).flat().length;
    window.end = widget.render({model, el: document.querySelector("#here")});
}"""


def growing(width, height):
    """What a run with another beside it looks like after each epoch from the third on."""
    other = {"other": Shown((long_history(20),), "B")}
    for epochs in range(3, 21):
        history = long_history(epochs)
        history.experiment = Experiment(epochs=20)
        drawing = LiveDrawing(history, other, letter="A", width=width, height=height)
        yield dict(svg=drawing.svg(), readings=drawing.readings())


@pytest.mark.parametrize("touch", [False, True])
@pytest.mark.parametrize(("width", "height"), [(720, 470), (643, 337), (390, 160)])
def test_a_picture_has_a_fixed_place_and_says_its_values(browser, width, height, touch):
    page = browser.new_context(
        viewport=dict(width=width + 40, height=height + 60), has_touch=touch
    ).new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_content(
        f"<body style='margin: 10px'><style>{styled('picture.css')}</style><div style='width: {width}px'>"
        f"<div id='here' style='height: {height}px'></div></div><p>below</p>"
    )
    frames = list(growing(width // 10 * 10, height // 10 * 10))
    page.evaluate(HARNESS, [scripted("picture.js"), frames])
    page.wait_for_timeout(400)
    rounded = [width // 10 * 10, height // 10 * 10]
    assert page.evaluate("sent") == ([rounded] if rounded != [720, 470] else [])
    box, slider = page.locator(".vgglab-picture-box"), page.get_by_role("slider", name="values at each epoch")

    def point(x):
        press = page.touchscreen.tap if touch else page.mouse.move
        press(x, 10 + height / 2)

    def epoch():
        return int(box.inner_text().splitlines()[0].removeprefix("epoch "))

    def is_inside():
        at = box.bounding_box()
        return (
            9.5 <= at["x"] <= at["x"] + at["width"] <= 10.5 + width
            and 9.5 <= at["y"] <= 10.5 + height - at["height"]
        )

    point(10 + width * 0.35)
    before = epoch()
    for frame in frames[1:]:  # a drawing after each epoch, under a pointer that rests
        page.evaluate("frame => put(frame)", frame)
        assert box.is_visible() and epoch() == before
    assert before == min(
        range(1, 21), key=lambda each: abs(frames[-1]["readings"][each - 1]["x"] - 0.35 * rounded[0])
    )
    assert "A: train" in box.inner_text() and "B: train" in box.inner_text() and is_inside()
    point(10 + width - 2)
    assert epoch() == 20 and is_inside()
    if not touch:
        page.mouse.move(width + 30, height + 50)
        assert not box.is_visible()
    slider.focus()
    for key, there in (("Home", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("ArrowLeft", 1), ("End", 20)):
        page.keyboard.press(key)
        assert epoch() == there and slider.get_attribute("aria-valuetext") == "; ".join(
            box.inner_text().splitlines()
        )
    page.keyboard.press("Escape")
    assert not box.is_visible()
    sizes = page.evaluate(
        "[...document.querySelectorAll('#here text')].map(each => {"
        "const to = each.getScreenCTM(); return Math.hypot(to.a, to.b) * each.getAttribute('font-size'); })"
    )
    assert min(sizes) >= 12 and page.evaluate("moved") == 0 and not errors
    page.evaluate("end()")
    assert page.evaluate("left()") == 0
    page.context.close()
