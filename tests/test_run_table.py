"""The table of runs on a page: what a mouse, a keyboard and a screen reader do with it."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe

from conftest import SCREENSHOTS
from test_history import make_history
from vgglab.panel.runs import Runs
from vgglab.panel.styles import scripted, styled
from vgglab.share.shelf import Shelf

pytestmark = pytest.mark.slow
# What anywidget gives a script: traits that can be read, set and followed, and a line to the kernel.
MODEL = """
const follow = {}, sent = [];
const model = {
  get: (name) => state[name],
  set: (name, value) => { state[name] = value; for (const each of follow["change:" + name] ?? []) each(); },
  save_changes: () => {},
  send: (content) => sent.push(content),
  on: (event, callback) => (follow[event] ??= []).push(callback),
  off: (event, callback) => { follow[event] = follow[event].filter((each) => each !== callback); },
};
Object.assign(window, { model, sent, follow });
"""
DARK = """:root { --jp-layout-color0: #111; --jp-layout-color1: #212121; --jp-border-color1: #616161;
--jp-ui-font-color1: rgba(255, 255, 255, 0.87); --jp-ui-font-color2: rgba(255, 255, 255, 0.6); }"""
LONG = "a <b>long</b> name שלום 花 {0} of a run that nobody could shorten"


@pytest.fixture
def runs(tmp_path):
    runs = Runs(Shelf(tmp_path), lambda name: None)
    for number, (name, l2) in enumerate((("run 1", 0.1), ("run 2", 0), (LONG, 0.01))):
        runs.add(make_history(validation=(0.1, 0.2, number / 5), l2=l2), name)
    runs.note("run 1", "mine")
    return runs


@pytest.fixture
def page(browser, runs):
    page = browser.new_page(viewport=dict(width=420, height=200))
    page.set_default_timeout(10_000)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    state = {name: getattr(runs.table, name) for name in ("columns", "rows", "chosen", "order")}
    script = scripted("run_table.js").replace("export default { render };", "")
    page.set_content(
        f"<!doctype html><html lang=en><title>runs</title><style>{styled('run_table.css')} body {{margin: 0}}</style>"
        "<main style='display: flex; height: 200px'><div id=place style='min-width: 0'></div></main>"
        f"<script type=module>const state = {json.dumps(state)};{MODEL}{script}"
        "window.end = render({ model, el: document.getElementById('place') });</script>"
    )
    page.locator("tbody tr").first.wait_for()
    yield page
    page.close()
    assert not errors


def sent(page):
    """What was told to the kernel since it was asked last."""
    return [tuple(each.values()) for each in page.evaluate("sent.splice(0)")]


def trait(page, name):
    return page.evaluate(f"model.get({name!r})")


def follow(page, runs):
    """What the kernel says of its runs after a change."""
    for name in ("columns", "rows"):
        page.evaluate("([name, value]) => model.set(name, value)", [name, getattr(runs.table, name)])


def focused(page):
    return page.evaluate("document.activeElement.ariaLabel || document.activeElement.textContent")


def name_of(page, run):
    return page.get_by_role("rowheader", name=run, exact=True)


def is_chosen(page):
    return [row.get_by_role("rowheader").inner_text() for row in page.locator("tr[aria-selected=true]").all()]


def test_rows_are_chosen_by_mouse(page):
    for run, keys, chosen in (
        ("run 2", [], ["run 2"]),
        ("run 1", ["Control"], ["run 2", "run 1"]),
        ("run 2", ["Control"], ["run 1"]),
        (LONG, ["Shift"], [LONG, "run 2"]),  # from the row that was pressed last
        ("run 1", [], ["run 1"]),
        ("run 1", [], []),
    ):
        name_of(page, run).click(modifiers=keys)
        assert trait(page, "chosen") == chosen and sorted(is_chosen(page)) == sorted(chosen)
        page.wait_for_timeout(600)  # two clicks that are no double one
    assert sent(page) == []


def test_a_head_that_is_pressed_sorts_upwards_then_downwards_then_no_more(page):
    head = page.get_by_role("columnheader", name="validation %")
    for order, word in (
        (["validation %", False], "ascending"),
        (["validation %", True], "descending"),
        ([], None),
    ):
        head.get_by_role("button").press("Enter")
        assert trait(page, "order") == order and head.get_attribute("aria-sort") == word
        assert focused(page).startswith("validation %"), "the table was drawn anew"


def test_buttons_of_a_row_say_what_they_are_and_whether_they_are_on(page, runs):
    row = page.locator("tbody tr").nth(1)
    for name, on in (
        ("run 2 on the chart", True),
        ("pin run 2", False),
        ("run 2 as A", True),
        ("run 2 as B", False),
    ):
        button = row.get_by_role("button", name=name, exact=True)
        assert button.get_attribute("aria-pressed") == str(on).lower()
        button.click()
    assert sent(page) == [(deed, "run 2", "") for deed in ("show", "pin", "A", "B")]
    runs.pin("run 1")
    follow(page, runs)
    assert page.get_by_role("button", name="pin run 1").get_attribute("aria-pressed") == "true"
    assert page.locator("tbody th").first.inner_text() == "run 1"


def test_one_stop_of_the_tab_key_and_arrows_within(page):
    page.keyboard.press("Tab")
    assert focused(page) == "run"
    page.keyboard.press("ArrowRight")
    assert focused(page) == "validation %"
    for key, where in (
        ("ArrowDown", f"pin {LONG}"),
        ("End", "pin run 1"),
        ("ArrowRight", "run 1 as A"),
        ("ArrowRight", "run 1 as B"),
        ("ArrowRight", "run 1"),
        ("ArrowRight", "note on run 1: mine"),
        ("ArrowRight", "note on run 1: mine"),
        ("ArrowLeft", "run 1"),
        ("ArrowUp", "run 2"),
        ("Home", LONG),
        ("ArrowDown", "run 2"),
    ):
        page.keyboard.press(key)
        assert focused(page) == where, key
    for key, chosen in (("Enter", ["run 2"]), ("ArrowDown", ["run 2"]), ("Space", ["run 2", "run 1"])):
        page.keyboard.press(key)
        assert trait(page, "chosen") == chosen
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement === document.body"), "out of the table"


def test_names_and_notes_are_written_in_place(page, runs):
    name_of(page, "run 2").locator("span").dblclick()
    page.keyboard.type("mine")
    page.evaluate("model.set('rows', model.get('rows'))")  # what comes meanwhile does not take the field away
    page.keyboard.press("Enter")
    assert sent(page) == [("name", "run 2", "mine")]
    runs.call("run 2", "mine")
    follow(page, runs)
    assert focused(page) == "mine"
    page.keyboard.press("F2")
    page.keyboard.type("not this")
    page.keyboard.press("Escape")
    assert sent(page) == [] and focused(page) == "mine"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.keyboard.type("a <i>note</i>")
    page.get_by_role("columnheader", name="run", exact=True).click()  # whoever leaves the field keeps it
    assert sent(page) == [("note", "mine", "a <i>note</i>")]
    page.get_by_role("button", name="note on run 1: mine").click()
    page.keyboard.press("Enter")
    assert sent(page) == [], "nothing was changed"


@pytest.mark.parametrize("theme", ["", DARK], ids=["light", "dark"])
def test_a_screen_reader_finds_nothing_amiss_and_the_name_is_whole_in_the_tooltip(page, runs, theme):
    page.add_style_tag(content=theme or "/* none */")
    name_of(page, "run 2").click()
    page.get_by_role("columnheader", name="run", exact=True).get_by_role("button").click()
    page.mouse.move(0, 0)
    page.screenshot(path=SCREENSHOTS / f"run-table-{'dark' if theme else 'light'}.png")
    found = Axe().run(page).response["violations"]
    faults = [each for each in found if each["impact"] in ("serious", "critical")]
    assert not faults, [node["failureSummary"] for each in faults for node in each["nodes"]]
    name = name_of(page, LONG).locator("span")
    assert name.get_attribute("title") == name.inner_text() == LONG and not page.locator("table b").count()
    heights = {row.bounding_box()["height"] for row in page.locator("tbody tr").all()}
    assert len(heights) == 1 and page.locator("tbody th").first.bounding_box()["width"] < 120
    sizes = page.evaluate(
        "[...document.querySelectorAll('#place *')].map((e) => getComputedStyle(e).fontSize)"
    )
    assert min(float(size.removesuffix("px")) for size in sizes) >= 12


def test_figures_scroll_under_the_names(page):
    before = name_of(page, "run 2").bounding_box(), page.locator("thead th").first.bounding_box()
    page.evaluate("document.getElementById('place').scrollTo(150, 0)")
    assert (name_of(page, "run 2").bounding_box(), page.locator("thead th").first.bounding_box()) == before


def test_an_empty_table_says_so_and_one_that_is_gone_hears_nothing(page):
    page.evaluate("model.set('rows', [])")
    assert page.get_by_text("No runs yet. Train one, and it stands here.").is_visible()
    assert not page.locator("table").is_visible()
    page.evaluate("window.end()")
    assert page.evaluate("Object.values(follow).flat().length") == 0
