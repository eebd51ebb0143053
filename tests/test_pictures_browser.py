"""The strip, the rows of strengths and the network in a real browser, by pointer and by keys, without a notebook."""

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from vgglab.experiment import Experiment
from vgglab.history import DRIFT, History
from vgglab.image_changes import AUGMENTATIONS
from vgglab.panel.layers import Layers
from vgglab.panel.strengths import StrengthRows
from vgglab.panel.strip import Strip

pytestmark = pytest.mark.slow
DARK = """
:root { --jp-layout-color0: #111; --jp-layout-color1: #212121; --jp-ui-font-color1: rgba(255, 255, 255, 0.87);
  --jp-ui-font-color2: rgba(255, 255, 255, 0.6); color-scheme: dark }
body { background: #111 }
"""
# The part of a widget's model that a page has to do with.
PAGE = """<!doctype html><html lang="en"><meta charset="utf8"><title>a widget</title><style>%s</style>
<main><h1>a widget</h1><div id="here"></div></main><script type="module">
const state = %s, heard = {}, sent = (window.sent = []);
window.model = {
  get: (name) => state[name],
  set: (name, value) => { state[name] = value; (heard[`change:${name}`] ?? []).forEach((each) => each()); },
  on: (name, each) => (heard[name] ??= []).push(each),
  save_changes: () => {},
  send: (content) => sent.push(content),
};
window.hear = (content) => (heard["msg:custom"] ?? []).forEach((each) => each(content));
const code = new Blob([%s], { type: "text/javascript" });
const widget = await import(URL.createObjectURL(code));
widget.default.render({ model, el: document.querySelector("#here") });
window.ready = true;
</script>"""


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport=dict(width=700, height=500))
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert not errors


def put(page, widget, style=""):
    state = {name: value for name, value in widget.get_state().items() if not name.startswith("_")}
    texts = [json.dumps(each).replace("</", "<\\/") for each in (state, widget._esm)]
    page.set_content(PAGE % (widget._css + style, *texts))
    page.wait_for_function("window.ready")


def value(page, trait):
    return page.evaluate("(name) => model.get(name)", trait)


def set_trait(page, trait, value):
    page.evaluate("([name, value]) => model.set(name, value)", [trait, value])


@pytest.fixture(scope="module")
def strip():
    from vgglab.datasets import load

    strip = Strip()
    strip.show(Experiment(augment=("rotation",), mixup=0.4, label_noise=0.4), load("blossoms", 64))
    assert strip.join(60)
    return strip


def network(**fields):
    experiment = Experiment(**fields)
    history = History(experiment)
    history.layers = [dict(phase=1, layer="block5_conv2", trainable=True, moved=0.04)]
    history.epochs.append(dict(zip(DRIFT, [0, 0, 0, 0, 0.3])))
    layers = Layers(experiment, 8)
    layers.show(experiment, history)
    return layers


@pytest.mark.parametrize("width", [390, 700])
@pytest.mark.parametrize("style", ["", DARK], ids=["light", "dark"])
@pytest.mark.parametrize("what", ["strip", "strengths", "layers"])
def test_axe_finds_no_fault_and_no_text_is_small(page, strip, what, style, width):
    page.set_viewport_size(dict(width=width, height=600))
    widgets = dict(
        strip=strip, strengths=StrengthRows([("zoom", 0.2)], description="augmentation"), layers=network()
    )
    put(page, widgets[what], style)
    faults = Axe().run(page).response["violations"]
    assert not [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in faults]
    sizes = page.evaluate(
        "[...document.querySelectorAll('#here *')].map((each) => parseFloat(getComputedStyle(each).fontSize))"
    )
    assert min(sizes) >= 12
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"


def answer(page):
    """What Python says to the choices on the network that it has not answered: it shows each, and answers it."""
    choices = page.evaluate("sent.splice(0)")
    for each in choices:
        set_trait(page, "unfreeze", each["unfreeze"])
        page.evaluate("hear", dict(heard=each["choice"]))
    return [each["unfreeze"] for each in choices]


def test_a_choice_on_the_network_is_seen_at_once_and_goes_back_where_it_is_refused(page):
    put(page, network(unfreeze=3))
    slider = page.get_by_role("slider", name="unfreeze depth on the network")
    slider.focus()

    def depth():
        return int(slider.get_attribute("aria-valuenow"))

    for _ in range(3):  # faster than Python answers
        page.keyboard.press("ArrowUp")
    assert depth() == 6 and value(page, "unfreeze") == 3
    choices = page.evaluate("sent.splice(0)")
    assert [each["unfreeze"] for each in choices] == [4, 5, 6]
    for each in choices[:-1]:
        set_trait(page, "unfreeze", each["unfreeze"])
        page.evaluate("hear", dict(heard=each["choice"]))
        assert depth() == 6, "nothing jumps back"
    page.evaluate("hear", dict(heard=choices[-1]["choice"]))
    assert depth() == 5, "the last was refused"
    assert page.locator(".readout").inner_text().startswith(value(page, "words")[5])


def test_the_keys_of_the_network_move_its_border(page):
    put(page, network(unfreeze=3))
    slider = page.get_by_role("slider", name="unfreeze depth on the network")
    slider.focus()
    presses = [
        "ArrowUp",
        "ArrowLeft",
        "ArrowRight",
        "PageUp",
        "PageUp",
        "PageDown",
        "End",
        "ArrowUp",
        "PageDown",
    ]
    depths = [4, 5, 4, 6, 9, 6, 13, 13, 11]
    for key, depth in zip([*presses, "Home", "ArrowDown"], [*depths, 0, 0]):
        page.keyboard.press(key)
        assert answer(page) == [depth], key
        assert slider.get_attribute("aria-valuenow") == str(depth)
        assert slider.get_attribute("aria-valuetext") == value(page, "words")[depth]
        assert slider.get_attribute("data-lm-suppress-shortcuts") is not None
        assert page.locator(".layer.learns").count() == depth + 2
    page.keyboard.press("Shift")
    assert slider.get_attribute("data-lm-suppress-shortcuts") is None


def test_a_click_on_a_layer_has_it_and_those_above_learn(page):
    put(page, network(unfreeze=3))
    bars = page.locator(".layer")
    for place, depth in [(7, 6), (7, 5), (12, 1), (12, 0), (0, 13), (14, 0)]:
        bars.nth(place).click()
        assert answer(page) == [depth], place
    set_trait(page, "unfreeze", 4)  # a control was moved
    assert page.locator(".layer.learns").count() == 6
    page.get_by_role("button", name="freeze all").click()
    assert answer(page) == [0]
    set_trait(page, "disabled", True)
    bars.nth(3).click(force=True)
    assert answer(page) == []
    assert page.get_by_role("slider").get_attribute("aria-disabled") == "true"


def test_the_pointer_over_a_layer_has_it_say_what_it_is(page):
    put(page, network(unfreeze=3))
    readout = page.locator(".readout")
    at_rest, height = readout.inner_text(), page.locator("#here").bounding_box()["height"]
    assert (
        at_rest.startswith("3 conv layers learn: block5_conv1") and "block5_conv2 moved farthest" in at_rest
    )
    page.locator(".layer").nth(11).hover()
    assert re.match(
        r"block5_conv2 learns. 128 channels, 147,584 weights. It moved by 4 %. ", readout.inner_text()
    )
    page.locator(".layer").nth(0).hover()
    assert readout.inner_text().startswith("block1_conv1 is frozen. 16 channels, 448 weights.")
    assert page.locator("#here").bounding_box()["height"] == height, "nothing jumps"
    page.mouse.move(0, 0)
    assert readout.inner_text() == at_rest


def test_a_slider_that_is_moved_switches_its_change_on_and_a_switch_keeps_the_strength(page):
    put(page, StrengthRows([("zoom", 0.2)]))
    at = list(AUGMENTATIONS).index("rotation")
    switch = page.get_by_role("switch", name="rotation", exact=True)
    slider = page.get_by_role("slider", name="rotation strength", exact=True)
    assert not switch.is_checked() and slider.get_attribute("aria-valuetext") == "20 degrees to either side"
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert slider.get_attribute("data-lm-suppress-shortcuts") is not None
    page.wait_for_function(f"model.get('states')[{at}][0]")
    assert value(page, "states")[at] == [True, 4] and switch.is_checked()
    assert slider.get_attribute("aria-valuetext") == "25 degrees to either side"
    page.keyboard.press("Home")
    page.wait_for_function(f"model.get('states')[{at}][1] === 0")
    switch.focus()
    page.keyboard.press("Space")
    assert value(page, "states")[at] == [False, 0] and not switch.is_checked()
    page.keyboard.press("Space")
    assert value(page, "states")[at] == [True, 0]
    states = [[False, place] for _, place in value(page, "states")]
    set_trait(page, "states", states)  # a preset
    assert page.get_by_role("switch", checked=True).count() == 0
    set_trait(page, "disabled", True)
    assert switch.is_disabled() and slider.is_disabled()
    assert page.get_by_role("slider").count() == len(AUGMENTATIONS) - 1


def test_a_drag_is_heard_on_the_way_and_ends_where_it_was_let_go(page):
    put(page, StrengthRows())
    at = list(AUGMENTATIONS).index("rotation")
    box = page.get_by_role("slider", name="rotation strength").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 20, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.wait_for_function(f"model.get('states')[{at}][0] && model.get('states')[{at}][1] > 10")
    page.mouse.move(box["x"] + box["width"] + 50, middle)
    page.mouse.up()
    page.wait_for_timeout(200)
    assert value(page, "states")[at] == [True, 35]


def test_the_buttons_of_the_strip_and_a_new_picture_move_nothing(page, strip):
    put(page, strip)
    height = page.locator("#here").bounding_box()["height"]
    page.get_by_role("button", name="draw again").click()
    page.get_by_role("button", name="another image").focus()
    page.keyboard.press("Enter")
    assert (value(page, "first"), value(page, "image")) == (strip.draws, 1)
    pictures = page.get_by_role("img")
    assert pictures.count() == len(strip.contents["tiles"])
    assert [each.get_attribute("alt") for each in pictures.all()] == [
        tile["alt"] for tile in strip.contents["tiles"]
    ]
    for tile, caption in zip(strip.contents["tiles"], page.locator("figcaption").all()):
        parts = [part.bounding_box()["width"] for part in caption.locator(".bar span").all()]
        for (_, percent), wide in zip(tile["shares"], parts, strict=True):
            assert wide / sum(parts) == pytest.approx(percent / 100, abs=0.04)
    plain = dict(tiles=[tile | dict(shares=[]) for tile in strip.contents["tiles"][:5]], note="As they are.")
    for contents in (plain, dict(tiles=[], note="")):
        set_trait(page, "contents", contents)
        assert page.locator("#here").bounding_box()["height"] == height
        assert page.get_by_role("img").count() == len(contents["tiles"])
