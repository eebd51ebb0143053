"""The dashboard as a bench on one screen: what a learner sees and does, at three widths, light and dark."""

import re
import time

import pytest

from conftest import running
from person import Person

pytestmark = pytest.mark.slow
SIZES = {"laptop": (1366, 768), "tablet": (768, 1024), "phone": (390, 844)}
# Of all that is seen and has letters: the size of the letters, and whether they stand in the bench.
LETTERS = """() => [...document.querySelectorAll('.vgglab-dashboard *')]
    .filter(each => [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
    .filter(each => each.checkVisibility() && !['STYLE', 'SCRIPT', 'OPTION'].includes(each.tagName))
    .map(each => [parseFloat(getComputedStyle(each).fontSize), each.tagName, each.textContent.slice(0, 40)])"""
SHIFTS = """() => {
    window.shifts = [];
    new PerformanceObserver(list => list.getEntries().forEach(each => window.shifts.push(
        [each.value, each.sources.map(source => source.node?.className ?? source.node?.nodeName)])))
        .observe({type: "layout-shift"});
}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VGGLAB_RUNS", str(tmp_path_factory.mktemp("runs")))
        with running("dashboard", tmp_path_factory.mktemp("bench") / "runtime") as address:
            yield address


# All on one screen, and one under the other, as on a tablet too; no colour has a part in where things stand.
ARRANGED = pytest.mark.parametrize(
    "bench", [("laptop", "light"), ("phone", "dark")], ids="-".join, indirect=True
)


@pytest.fixture(
    params=[("laptop", "light"), ("laptop", "dark"), ("tablet", "light"), ("phone", "dark")], ids="-".join
)
def bench(request, browser, address):
    """Somebody in front of the served dashboard, whose page is that of a size and a scheme."""
    size, scheme = request.param
    page = browser.new_page(
        viewport=dict(zip(("width", "height"), SIZES[size])), color_scheme=scheme, has_touch=size == "phone"
    )
    page.set_default_timeout(60_000)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    person = Person(page, f"bench-{size}-{scheme}")
    person.button("Train").wait_for()
    page.locator(".vgglab-strip img[src^='data:image']").nth(4).wait_for()
    person.size = size
    yield person
    person.look("last")
    page.goto("about:blank")  # whoever leaves gives the place back
    page.close()
    assert not errors


def in_view(page, locator):
    """Whether all of something is on the screen and nothing lies over its middle."""
    box = locator.bounding_box()
    height, width = page.viewport_size["height"], page.viewport_size["width"]
    inside = (
        box["y"] >= 0
        and box["x"] >= 0
        and box["y"] + box["height"] <= height
        and box["x"] + box["width"] <= width
    )
    at = dict(x=box["x"] + box["width"] / 2, y=box["y"] + box["height"] / 2)
    return inside and locator.evaluate(
        """(each, {x, y}) => {
            const top = document.elementFromPoint(x, y);
            return each.contains(top) || top.contains(each);
        }""",
        at,
    )


def train(person, runs):
    """Press Train, and wait until so many runs are on the table."""
    person.press("Train")
    person.page.wait_for_function(
        "count => document.querySelectorAll('.vgglab-run-table tbody tr').length >= count",
        arg=runs,
        timeout=120_000,
    )
    person.page.locator("button:not([disabled])", has_text=re.compile(r"Train$")).first.wait_for(
        timeout=120_000
    )


def test_a_learner_sees_what_a_toggle_does(bench):
    page = bench.page
    bench.look("1-ready")
    size = page.evaluate(
        "[document.documentElement.scrollHeight - innerHeight, document.documentElement.scrollWidth - innerWidth]"
    )
    assert max(size) <= 0, "the page itself never scrolls"
    if bench.size == "laptop":
        for part in ("try", "curves", "network", "images", "tabs", "mistakes", "verdict"):
            assert in_view(page, page.locator(f".vgglab-{part}.vgglab-card")), f"{part} is on the one screen"
    before = page.locator(".vgglab-strip img").nth(1).get_attribute("src")
    page.get_by_role("switch", name="rotation", exact=True).check()
    page.wait_for_function(
        "before => document.querySelectorAll('.vgglab-strip img')[1].src !== before", arg=before
    )
    page.get_by_role("switch", name="rotation", exact=True).uncheck()

    existing = page.locator(".vgglab-run-table tbody tr").count()
    page.evaluate(SHIFTS)
    train(bench, existing + 1)
    bench.look("2-trained")
    moved = page.evaluate("window.shifts")
    assert sum(value for value, _ in moved) == 0, f"nothing jumps while it trains: {moved}"
    assert "gap" in bench.status()
    bench.slider("dropout").focus()
    page.keyboard.press("ArrowRight")
    train(bench, existing + 2)
    page.get_by_text(re.compile(r"(A|B) is [\d.]+ points better than|equally good", re.I)).first.wait_for()
    page.get_by_role("tab", name="A against B").click()
    page.get_by_text(re.compile(r"that (A|B) gets right and (A|B) does not")).first.wait_for()
    bench.look("3-compared")

    assert in_view(page, bench.button("Train")), "the bar stays"
    if bench.size != "laptop":
        page.locator(".vgglab-board").evaluate("board => board.scrollTo(0, board.scrollHeight)")
        assert in_view(page, bench.button("Train")) and in_view(page, page.locator(".vgglab-mini svg"))
        bench.look("4-scrolled")
    small = [each for each in page.evaluate(LETTERS) if each[0] < 12]
    assert not small, small
    assert not bench.faults()


@ARRANGED
def test_the_network_is_a_control(bench):
    page = bench.page
    network = bench.slider("unfreeze depth on the network")
    bench.slider("unfreeze depth").focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        "() => document.querySelector('.vgglab-layers [role=slider]').getAttribute('aria-valuenow') === '0'"
    )
    network.focus()
    page.keyboard.press("End")
    deadline = time.monotonic() + 10
    while bench.slider("unfreeze depth").get_attribute("aria-valuetext") != "13":
        assert time.monotonic() < deadline, "what is chosen on the picture is what the control says"
        page.wait_for_timeout(50)


@ARRANGED
def test_questions_set_the_controls_and_say_what_else_they_set(bench):
    page = bench.page
    page.get_by_role("button", name="Does dropout hold that back?").click()
    page.get_by_text("Set as well: learning rate 0.003, epochs 60.").wait_for()
    assert bench.slider("dropout").get_attribute("aria-valuetext") == "0.75"
    bench.choose("Full")
    page.get_by_label("precision", exact=True).wait_for()
    assert not page.get_by_text("Set as well:").count()
    bench.press("Reset")
    bench.choose("Simple")
    page.get_by_label("precision", exact=True).wait_for(state="hidden")


@ARRANGED
def test_by_keys_alone(bench):
    """Tab to Train, Enter; and from there to every control that is on the page."""
    page = bench.page
    page.locator("body").focus()
    reached = []
    for _ in range(120):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText"
            ).strip()
        )
        if reached[-1] == "Train":
            page.keyboard.press("Enter")
        if reached[-1] == "Delete":
            break
    for name in (
        "Train",
        "dropout",
        "rotation strength",
        "Reset",
        "unfreeze depth on the network",
        "draw again",
        "Export",
    ):
        assert name in reached, f"{name} is reached by Tab alone: {reached}"
    page.get_by_text(re.compile(r"epoch \d+ of 20")).first.wait_for()
    bench.button("Stop").focus()
    page.keyboard.press("Space")
    page.locator("button:not([disabled])", has_text=re.compile(r"Train$")).first.wait_for()
