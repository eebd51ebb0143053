"""Photographs that are dropped on the dashboard: what arrives, what is answered, and what is said of the rest."""

import io
import json
import threading
from collections.abc import Sequence

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from conftest import SCREENSHOTS
from test_pictures_browser import DARK, PAGE
from vgglab import Dashboard, Experiment, InputError, predict
from vgglab.engine.owner import alone
from vgglab.panel.asked import Asked, network_of
from vgglab.panel.drop import MOST_BYTES, MOST_FILES, Drop, Dropped
from vgglab.share.store import MODEL


def png(level: int = 200, **options) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(level).integers(0, 50, (40, 30, 3)) + level
    Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG", **options)
    return file.getvalue()


def drop(
    widget: Drop, files: Sequence[tuple[str, bytes]], sizes: Sequence[int] = (), part: int = 1000
) -> None:
    """What a page sends."""
    said = [
        dict(name=name, size=size)
        for (name, _), size in zip(files, sizes or [len(each) for _, each in files])
    ]
    widget._heard(widget, dict(kind="begin", batch="1", files=said), [])
    for number, (_, content) in enumerate(files[:MOST_FILES]):
        for at in range(0, len(content), part):
            slice_ = memoryview(content[at : at + part])
            widget._heard(widget, dict(kind="slice", batch="1", file=number), [slice_])
    widget._heard(widget, dict(kind="end", batch="1"), [])


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory):
    from vgglab.datasets.dataset import Dataset, Split

    rng = np.random.default_rng(0)
    labels = np.arange(12) % 2
    images = (rng.integers(0, 90, (12, 32, 32, 3)) + 160 * labels[:, None, None, None]).astype(np.uint8)
    data = Dataset("tiny", ("<dark>", "light"), Split(images, labels), Split(images, labels))
    experiment = Experiment(
        dataset="tiny",
        backbone="vgg16-micro",
        weights=None,
        image_size=32,
        batch_size=4,
        epochs=1,
        unfreeze=13,
    )
    dashboard = Dashboard(data, experiment, tmp_path_factory.mktemp("runs"))
    yield dashboard
    dashboard.close()


def test_before_a_run_there_is_nothing_to_ask(dashboard):
    assert dashboard.tabs.titles[:2] == ("Runs", "Predict")
    drop(dashboard.asked, [("a.png", png())])
    assert dashboard.asked.status == (
        "No network has been trained yet. Press Train, and drop your photographs when the run has ended."
    )


def test_the_network_that_was_trained_last_answers_as_predict_does(dashboard, tmp_path):
    dashboard.run()
    (tmp_path / "b.png").write_bytes(png(20))
    drop(dashboard.asked, [("a.png", png()), ("<b>.png", png(20))])
    dashboard.asked.join(60)
    html = dashboard.asked.html
    assert dashboard.asked.status == "run 1 answered 2 of 2."
    said = predict(dashboard.runs.folder_of("run 1"), tmp_path / "b.png").iloc[0]
    name = said["class"].replace("<", "&lt;").replace(">", "&gt;")
    assert f"<li>{name} {said['probability']:.1%}</li>" in html.partition("&lt;b&gt;.png")[2]
    assert html.count("data:image/png") == 2 and "<b>" not in html and "<dark>" not in html


def test_a_chosen_run_answers_and_one_without_a_network_says_so(dashboard):
    dashboard.run()
    assert network_of(dashboard.runs)[0] == "run 2"
    dashboard.runs.select("run 1")
    assert network_of(dashboard.runs)[1] == dashboard.runs.folder_of("run 1") / MODEL
    (dashboard.runs.folder_of("run 1") / MODEL).unlink()
    with pytest.raises(InputError, match="The network of run 1 is not kept"):
        network_of(dashboard.runs)
    dashboard.runs.select()


@pytest.fixture
def asked(dashboard):
    asked = Asked(lambda: network_of(dashboard.runs))
    yield asked
    asked.close()


def test_what_is_no_photograph_gets_its_sentence_and_the_others_are_answered(asked):
    odd = {
        "words.png": b"a photograph, honestly",
        "lfs.jpg": b"version https://git-lfs.github.com/spec/v1\n",
        "cut.png": png()[:900],
        "\x1b[31mred.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n",
        "page.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    }
    drop(asked, [*odd.items(), ("good.png", png())])
    asked.join(60)
    assert asked.status.endswith("answered 1 of 6.") and asked.html.count('role="alert"') == 5
    assert "lfs.jpg: not an image but a Git LFS pointer" in asked.html and "\x1b" not in asked.html


def test_what_did_not_arrive_whole_or_is_too_much_gets_its_sentence(asked):
    drop(asked, [("folder", b""), ("half.png", png()), ("large.png", b"")], [4096, 10**6, MOST_BYTES + 10**6])
    asked.join(60)
    assert "folder: it is a folder, or did not arrive whole." in asked.html
    assert "half.png: it is a folder, or did not arrive whole." in asked.html
    assert "large.png: it has 21.0 MB, and may have 20." in asked.html
    drop(asked, [(f"{number}.png", png()) for number in range(30)])
    asked.join(60)
    assert asked.status.endswith(f"answered {MOST_FILES} of {MOST_FILES + 1}.")
    assert (
        "12.png: it and what comes after it is left out, because 12 files are taken at a time." in asked.html
    )


def test_more_than_was_said_is_not_kept(monkeypatch):
    monkeypatch.setattr("vgglab.panel.drop.MOST_BYTES", 1500)
    arrived = []
    drop(Drop(arrived.extend), [("a.png", bytes(10_000))], [1200])
    assert arrived == [Dropped("a.png", bytes(1000), "it is a folder, or did not arrive whole")]


def test_slices_of_another_drop_are_none_of_this_one(asked):
    arrived = []
    widget = Drop(arrived.extend)
    widget._heard(widget, dict(kind="begin", batch="1", files=[dict(name="a", size=1)]), [])
    widget._heard(widget, dict(kind="begin", batch="2", files=[dict(name="b", size=1)]), [])
    for batch in "12":
        widget._heard(widget, dict(kind="slice", batch=batch, file=0), [memoryview(batch.encode())])
        widget._heard(widget, dict(kind="end", batch=batch), [])
    assert arrived == [Dropped("b", b"2", "")]


def test_while_a_run_has_the_network_it_waits_and_says_so(asked, monkeypatch):
    monkeypatch.setattr("vgglab.engine.owner.PATIENCE", 0.0)
    said = threading.Event()
    asked.observe(lambda change: change["new"].startswith("A run is in progress") and said.set(), "status")
    with alone():
        drop(asked, [("a.png", png())])
        assert said.wait(10) and not asked.html
    asked.join(60)
    assert asked.status.endswith("answered 1 of 1.")


def test_who_closes_the_page_waits_for_nothing(dashboard):
    asked = Asked(lambda: network_of(dashboard.runs))
    with alone():
        drop(asked, [("a.png", png())])
        asked.close()
        asked.join(10)
        assert not asked._thread.is_alive()


def test_a_failure_is_seen(asked, monkeypatch):
    def failing(*_):
        raise RuntimeError("out of colours")

    monkeypatch.setattr("vgglab.panel.asked.read_image", failing)
    drop(asked, [("a.png", png())])
    asked.join(60)
    assert "RuntimeError: out of colours" in asked.html and "Where it happened" in asked.html


@pytest.mark.slow
def test_files_are_chosen_by_keys_and_dropped_in_a_real_browser(browser, asked, tmp_path):
    drop(asked, [("a.png", png()), ("b.txt", b"no image")])
    asked.join(60)
    page = browser.new_page(viewport=dict(width=460, height=500))
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    state = {name: value for name, value in asked.get_state().items() if not name.startswith("_")}
    texts = [json.dumps(each).replace("</", "<\\/") for each in (state, asked._esm)]
    for theme in ("", DARK):
        page.set_content(PAGE % (asked._css + theme, *texts))
        page.wait_for_function("window.ready")
        violations = Axe().run(page).response["violations"]
        assert not violations, [each["help"] for each in violations]
        page.screenshot(path=SCREENSHOTS / f"asked-{'dark' if theme else 'light'}.png")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "file"
    content = png(compress_level=0) * 500
    (tmp_path / "a.png").write_bytes(content)
    (tmp_path / "huge.png").write_bytes(b"0" * (MOST_BYTES + 1))
    page.get_by_label("Your photographs").set_input_files([tmp_path / "a.png", tmp_path / "huge.png"])
    page.wait_for_function("sent.some((each) => each.kind === 'end')")
    sent = page.evaluate("sent")
    assert sent[0]["files"] == [
        dict(name="a.png", size=len(content)),
        dict(name="huge.png", size=MOST_BYTES + 1),
    ]
    slices = [each for each in sent if each["kind"] == "slice"]
    assert len(slices) == -(-len(content) // 2**20) and {each["file"] for each in slices} == {0}
    page.evaluate("""() => {
      sent.length = 0;
      const data = new DataTransfer();
      data.items.add(new File(["pixels"], "dropped.png"));
      const place = document.querySelector(".vgglab-drop");
      for (const kind of ["dragover", "drop"])
        place.dispatchEvent(new DragEvent(kind, { dataTransfer: data, cancelable: true, bubbles: true }));
    }""")
    page.wait_for_function("sent.some((each) => each.kind === 'end')")
    assert page.evaluate("sent")[0]["files"] == [dict(name="dropped.png", size=6)]
    page.close()
    assert not errors
