"""The mistakes of a run on a page: what a parser makes of the views, and what a person does with them in a browser."""

import base64
import gc
import io
import re
import threading
import weakref
from html.parser import HTMLParser

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from conftest import SCREENSHOTS
from test_history import make_history, of_a_fit
from test_mistakes import LABELS, images, predicted
from test_templates import HOSTILE
from vgglab import compare, confusion
from vgglab.charts.confusion import described
from vgglab.errors import InputError
from vgglab.fit import Metric
from vgglab.history import History
from vgglab.panel.mistakes import Mistakes, static
from vgglab.panel.styles import scripted, styled

SECOND = [
    [0.7, 0.2, 0.1],
    [0.9, 0.05, 0.05],
    [0.3, 0.4, 0.3],
    [0.6, 0.1, 0.3],
    [0.8, 0.1, 0.1],
    [0.1, 0.8, 0.1],
]


CHOOSE = "Choose a number to see its images."


class View(HTMLParser):
    """What stands in a view: its words, its pictures by their alternative texts, and its cells by their places."""

    def __init__(self, text):
        super().__init__()
        self.words, self.pictures, self.cells, self.tags, self._cell = "", {}, {}, set(), None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.add(tag)
        self._cell = attributes.get("data-cell")
        if tag == "img":
            self.pictures[attributes["alt"]] = attributes["src"]

    def handle_data(self, data):
        self.words += data
        if self._cell and data.strip():
            self.cells[self._cell] = data.strip()


def pixels(source):
    assert source.startswith("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))))


@pytest.fixture
def data():
    return images(LABELS)


@pytest.fixture
def shown(data):
    widget = Mistakes()
    widget.show([predicted(data)], data, ("B", [predicted(data, SECOND, epoch=2)]), "A")
    return widget


def view(widget, name):
    return View(widget.views[name])


def test_the_worst_mistakes_have_the_pixels_of_their_images_and_say_what_they_are(shown, data):
    worst = view(shown, "Worst")
    assert "A: weights of epoch 3: 2 of 6 right." in worst.words
    assert list(worst.pictures) == [
        "Image 1: aster, taken for bell, 95\N{NO-BREAK SPACE}% sure",
        "Image 4: clover, taken for aster, 80\N{NO-BREAK SPACE}% sure",
        "Image 5: clover, taken for bell, 80\N{NO-BREAK SPACE}% sure",
        "Image 2: bell, taken for clover, 40\N{NO-BREAK SPACE}% sure",
    ]
    assert "aster → bell 95\N{NO-BREAK SPACE}%" in worst.words
    for place, picture in zip((1, 4, 5, 2), worst.pictures.values(), strict=True):
        np.testing.assert_array_equal(pixels(picture), data.validation.images[place])


def test_a_large_image_is_made_small_and_eight_are_enough():
    data = images(np.zeros(20, int), size=224)
    widget = Mistakes()
    widget.show([predicted(data, np.tile([0.1, 0.9, 0.0], (20, 1)))], data)
    pictures = view(widget, "Worst").pictures
    assert len(pictures) == 8 and {pixels(each).shape for each in pictures.values()} == {(64, 64, 3)}


def test_every_count_of_the_confusion_can_be_chosen_and_no_empty_place(shown, data):
    table = confusion(predicted(data)).to_numpy()
    cells = {f"{i},{j}": str(count) for (i, j), count in np.ndenumerate(table) if count}
    assert view(shown, "Confusion").cells == cells


@pytest.mark.parametrize(
    ("place", "sentence", "pictures"),
    [
        ([0, 1], "aster, taken for bell: 1.", ["Image 1: aster, taken for bell, 95\N{NO-BREAK SPACE}% sure"]),
        ([1, 1], "bell, recognised: 1.", ["Image 3: bell, recognised, 60\N{NO-BREAK SPACE}% sure"]),
        ([2, 2], CHOOSE, []),
        ([], CHOOSE, []),
        ([7, 0], CHOOSE, []),
        ([-1, 0], CHOOSE, []),
        ([1], CHOOSE, []),
    ],
)
def test_a_chosen_place_shows_its_images(shown, place, sentence, pictures):
    shown.chosen = place
    cell = View(shown.cell)
    assert cell.words.strip().startswith(sentence) and list(cell.pictures) == pictures


def test_what_is_chosen_is_filled_anew_with_the_next_run(shown, data):
    shown.chosen = [0, 1]
    shown.show([predicted(data, np.eye(3)[LABELS])], data)
    assert CHOOSE in shown.cell and "None is wrong." in view(shown, "Worst").words
    shown.show([predicted(data)], data)
    assert "aster, taken for bell" in shown.cell


def test_two_runs_are_held_against_each_other_in_both_directions(shown, data):
    """By hand: B gets images 1 and 2 right, which A does not; A gets image 3 right, which B does not."""
    against = view(shown, "A against B")
    assert "A is judged by the weights of epoch 3, B by the weights of epoch 2." in against.words
    assert "2 images that B gets right and A does not." in against.words
    assert "1 image that A gets right and B does not." in against.words
    assert list(against.pictures) == [
        "Image 1: aster, taken for bell, 95\N{NO-BREAK SPACE}% sure",  # by A
        "Image 2: bell, taken for clover, 40\N{NO-BREAK SPACE}% sure",
        "Image 3: bell, taken for aster, 60\N{NO-BREAK SPACE}% sure",  # by B
    ]
    shown.show([predicted(data)], data, ("B", [predicted(data)]), "A")
    assert "No images that B gets right and A does not." in view(shown, "A against B").words


def seeds(data, *said, **fields):
    """A run for each of these answers, with the seeds from 0 on."""
    return [predicted(data, each, seed=seed, **fields) for seed, each in enumerate(said)]


def answers(*given, sure=0.6):
    """What a network says that gives these classes, with so much probability."""
    return np.where(np.arange(3) == np.array(given)[:, None], sure, (1 - sure) / 2)


# By hand, for the labels 0 0 1 1 2 2. Most of A's seeds get images 0, 1 and 4 right, most of B's 0, 2, 4 and 5.
A = answers(0, 0, 0, 2, 2, 1), answers(0, 1, 1, 2, 2, 0), answers(0, 0, 2, 1, 0, 0, sure=0.8)
B = answers(0, 1, 1, 2, 2, 2), answers(0, 2, 1, 1, 2, 2, sure=0.9), answers(0, 0, 0, 0, 2, 1)


def test_groups_of_seeds_are_held_against_each_other_as_they_are_compared(data):
    """Most seeds count, and a picture says what the surest of those says that are wrong."""
    a, b = seeds(data, *A), seeds(data, *B, l2=0.1)
    widget = Mistakes()
    widget.show(b, data, ("A", a), "B")
    against, found = view(widget, "A against B"), compare(a, b)
    assert "B is judged by most of 3 seeds, A by most of 3 seeds." in against.words
    assert f"{len(found.only_a_right)} image that A gets right and B does not." in against.words
    assert f"{len(found.only_b_right)} images that B gets right and A does not." in against.words
    assert list(against.pictures) == [
        "Image 1: aster, taken for clover, 90\N{NO-BREAK SPACE}% sure",  # by the second of B
        "Image 2: bell, taken for clover, 80\N{NO-BREAK SPACE}% sure",  # by the last of A
        "Image 5: clover, taken for aster, 80\N{NO-BREAK SPACE}% sure",
    ]
    assert found.only_a_right.tolist() == [1] and found.only_b_right.tolist() == [2, 5]
    worst = view(widget, "Worst").words
    assert f"B, seed 2: weights of epoch 3: {b[-1].predictions.right.sum()} of 6 right." in worst
    assert view(widget, "Confusion").words.count("B, seed 2: weights of epoch 3") == 1
    table = confusion(b[-1]).to_numpy()
    assert view(widget, "Confusion").cells == {f"{i},{j}": str(n) for (i, j), n in np.ndenumerate(table) if n}
    assert "A gets right and B does not" in static(b, data, ("A", a), "B")


@pytest.mark.parametrize(
    ("a", "b", "judged"),
    [
        ((0, 1, 2), (0, 1), "B is judged by both of 2 seeds, A by both of 2 seeds."),  # those that both have
        ((0, 1, 2), (1,), "B is judged by the weights of epoch 3, A by most of 3 seeds."),
        ((0, 1), (3, 4, 5), "B is judged by most of 3 seeds, A by both of 2 seeds."),
    ],
)
def test_what_each_side_is_judged_by_is_said(a, b, judged, data):
    first, second = (
        [predicted(data, A[seed % 3], seed=seed, **more) for seed in side]
        for side, more in ((a, {}), (b, dict(l2=0.1)))
    )
    widget = Mistakes()
    widget.show(second, data, ("A", first), "B")
    words, found = view(widget, "A against B").words, compare(first, second)
    assert judged in words
    for count, said in ((len(found.only_a_right), "A gets right"), (len(found.only_b_right), "B gets right")):
        assert re.search(rf"{count or 'No'} images? that {said}", words)


def test_runs_in_two_image_sizes_are_held_against_each_other_as_they_are_compared():
    """Their fingerprints differ; the pictures are those at hand."""
    small, large = images(LABELS), images(LABELS, size=16)
    a, b = predicted(large, SECOND, image_size=64), predicted(small)
    widget = Mistakes()
    widget.show([b], small, ("A", [a]), "B")
    against = view(widget, "A against B")
    assert "2 images that A gets right and B does not." in against.words and len(against.pictures) == 3
    assert len(compare(a, b).only_a_right) == 2
    np.testing.assert_array_equal(pixels(next(iter(against.pictures.values()))), small.validation.images[1])


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (None, "Choose a second run"),
        (("B", []), "Choose a second run"),
    ],
)
def test_without_another_run_it_says_what_to_do(other, sentence, data):
    widget = Mistakes()
    widget.show([predicted(data)], data, other)
    assert sentence in view(widget, "A against B").words and view(widget, "Worst").pictures


@pytest.mark.parametrize(
    "other",
    [
        make_history(),
        predicted(images(LABELS, seed=5)),
        predicted(images(LABELS, seed=5), image_size=64),
        of_a_fit(Metric()),
    ],
    ids=["no predictions", "other pixels", "other pixels of another size", "of a fit"],
)
def test_what_cannot_be_compared_is_refused_in_the_words_of_the_comparison(other, data):
    widget, history = Mistakes(), predicted(data)
    widget.show([history], data, ("A", [other]))
    with pytest.raises(InputError) as refused:
        compare(other, history)
    assert view(widget, "A against B").words.strip() == str(refused.value) and view(widget, "Worst").pictures


@pytest.mark.parametrize(
    ("history", "sentence"),
    [
        ([], "Press Train, and the images that the network gets wrong appear here."),
        ([History(make_history().experiment)], "The first epoch is not finished yet."),
        ([make_history()], "This run has no predictions on the validation images"),
    ],
)
def test_where_there_is_nothing_to_show_one_sentence_says_why(history, sentence, data):
    widget = Mistakes()
    widget.show(history, data)
    for name in ("Worst", "Confusion", "Classes", "A against B"):
        assert sentence in view(widget, name).words and view(widget, name).tags == {"p"}
    assert static(history, data).count(sentence) == 1
    widget.chosen = [0, 1]
    assert widget.cell == ""


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (None, "The images themselves are not available."),
        (images(LABELS, seed=3), "The images available are not those that this run was validated on"),
    ],
)
def test_without_its_images_there_are_counts_and_no_pictures(data, sentence):
    history = predicted(images(LABELS))
    widget = Mistakes(chosen=[0, 1])
    widget.show([history], data, ("A", [predicted(images(LABELS), SECOND)]))
    for name in ("Worst", "A against B"):
        assert sentence in view(widget, name).words and not view(widget, name).pictures
    assert "`" not in "".join(widget.views.values()) + widget.cell, "no arguments of a function on a page"
    assert sentence in widget.cell and "aster, taken for bell: 1." in widget.cell
    assert len(view(widget, "Confusion").cells) == 6


def test_the_same_again_does_nothing_and_new_predictions_do(data, monkeypatch):
    from vgglab.panel import mistakes

    history, widget, calls = predicted(data), Mistakes(), []
    drawn = mistakes._views
    monkeypatch.setattr(mistakes, "_views", lambda *given: calls.append(1) or drawn(*given))
    for _ in range(3):
        widget.show([history], data)
    assert len(calls) == 1
    history.predictions = predicted(data, SECOND).predictions  # as the next epoch of the same run
    widget.show([history], data)
    widget.show([history], data, ("B", [predicted(data)]))
    widget.show([history], data, ("B", [predicted(data)]), "A")
    assert len(calls) == 4
    widget.show([history, predicted(data, seed=1)], data, ("B", [predicted(data)]), "A")
    assert len(calls) == 5


def test_of_two_threads_that_show_the_later_one_stays_whole(data):
    """The first is held up between what it sets."""
    widget, threads = Mistakes(chosen=[0, 1]), []
    other = predicted(data, SECOND, epoch=2)

    def meanwhile(change):
        if not threads:
            threads.append(threading.Thread(target=widget.show, args=([other], data)))
            threads[0].start()
            threads[0].join(0.3)

    widget.observe(meanwhile, "views")
    widget.show([predicted(data)], data)
    threads[0].join()
    assert "epoch 2" in view(widget, "Worst").words
    assert CHOOSE in widget.cell, "which takes no aster for a bell"


def test_of_many_classes_the_ten_worst_pairs_are_a_list():
    rng = np.random.default_rng(0)
    labels = rng.integers(9, size=300)
    history = predicted(images(labels, [f"class {k}" for k in range(9)]), rng.dirichlet(np.ones(9), 300))
    widget = Mistakes()
    widget.show([history], None)
    cells = view(widget, "Confusion").cells
    table = confusion(history).to_numpy()
    counts = [table[tuple(map(int, place.split(",")))] for place in cells]
    wrong = np.sort(table[~np.eye(9, dtype=bool)])[::-1]
    assert counts == wrong[:10].tolist() and "table" not in view(widget, "Confusion").tags
    place, words = next(iter(cells.items()))
    true, given = map(int, place.split(","))
    assert words == f"class {true}, taken for class {given}: {counts[0]} of {table[true].sum()}"


def test_shades_grow_with_the_count_and_what_is_right_has_none(data):
    table = confusion(predicted(data))
    table.iloc[0, 1], table.iloc[1, 0] = 9, 3
    rows = described(table).rows
    assert rows[0][1].shade > rows[1][0].shade > rows[1][2].shade > 0
    assert {rows[k][k].shade for k in range(3)} == {0.0} and rows[0][2].shade == 0


def test_hostile_names_stay_text(data):
    data = images(LABELS, (HOSTILE, "b", "c"))
    history = predicted(data)
    page = static(history, data, (HOSTILE, [predicted(data, SECOND)]), HOSTILE)
    assert View(page).tags <= {"style", "div", "p", "ul", "li", "img", "span", "table", "tr", "th", "td"}
    assert f"{HOSTILE} → b" in View(page).words


def test_the_static_page_has_all_views_without_a_kernel(data):
    page = static(predicted(data), data, ("B", [predicted(data, SECOND)]), "A")
    assert {f"{i},{j}" for i, j in ((0, 1), (2, 0))} <= set(View(page).cells)
    assert "A gets right and B does not" in page and not re.search(r"<script|<button|https?:", page)
    assert "Choose" not in static(predicted(data), data)


def test_a_closed_widget_is_let_go(data):
    widget = Mistakes()
    widget.show([predicted(data)], data)
    gone = weakref.ref(widget)
    widget.close()
    del widget
    gc.collect()
    assert gone() is None


def test_a_closed_widget_lets_go_of_the_images_also_where_its_run_ends_later():
    widget, data = Mistakes(), images(LABELS)
    history, gone = predicted(data), weakref.ref(data)
    widget.show([history], data)
    widget.close()
    widget.show([history], data, name="later")
    del data
    gc.collect()
    assert gone() is None


PAGE = """<!doctype html><html lang="en"><head><title>t</title><style>{css} body {{ margin: 8px; background:
var(--vgglab-ground) }} main {{ width: 400px }}</style></head>
<body class="{theme}"><main><div></div></main></body></html>"""
DARK = (
    ":root { --jp-layout-color0: #111; --jp-layout-color1: #212121; --jp-ui-font-color1: rgba(255,255,255,0.87); \
--jp-ui-font-color2: rgba(255,255,255,0.54); --jp-border-color1: #616161 }"
)
# The front end's model of a widget, whose other side is the widget itself.
MODEL = """async ([script, state]) => {
  const own = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  const told = {};
  const model = {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; (told[`change:${name}`] ?? []).forEach((each) => each()); },
    save_changes: async () => {
      const now = await window.python(state.view, state.chosen);
      if (now.cell !== state.cell) model.set("cell", now.cell);
    },
    on: (name, does) => (told[name] ??= []).push(does),
  };
  window.model = model;
  own.default.render({ model, el: document.querySelector("main > div") });
}"""


@pytest.fixture
def opened(request, browser, shown):
    """The widget on a bare page, in the theme that the test asks for."""
    theme = getattr(request, "param", "light")
    page = browser.new_page(viewport=dict(width=420, height=300))
    page.set_default_timeout(10_000)

    def python(view, chosen):
        shown.view, shown.chosen = view, chosen
        return dict(cell=shown.cell)

    page.expose_function("python", python)
    page.set_content(PAGE.format(css=styled("mistakes.css") + (DARK if theme == "dark" else ""), theme=theme))
    names = ("views", "view", "chosen", "cell")
    page.evaluate(MODEL, [scripted("mistakes.js"), {name: getattr(shown, name) for name in names}])
    yield page
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize("opened", ["light", "dark"], indirect=True)
def test_it_is_used_with_keys_alone_and_has_no_faults(opened, shown, request):
    keys, theme = opened.keyboard, request.node.callspec.params["opened"]
    selected = opened.locator("[role=tab][aria-selected=true]")
    for number, name in enumerate(("Worst", "Confusion", "Classes", "A against B")):
        if number:
            keys.press("ArrowRight")
        else:
            keys.press("Tab")
        assert selected.inner_text() == name and selected.evaluate("each => each === document.activeElement")
        opened.screenshot(path=SCREENSHOTS / f"mistakes-{theme}-{number}.png")
        assert not [each["id"] for each in Axe().run(opened, context="main").response["violations"]]
    keys.press("Home")
    keys.press("ArrowRight")
    keys.press("Tab")
    keys.press("Tab")  # past the panel, which scrolls, to the first count
    label = "document.activeElement.getAttribute('aria-label')"
    assert opened.evaluate(label) == "aster, recognised: 1 of 2"
    keys.press("ArrowRight")
    assert opened.evaluate(label) == "aster, taken for bell: 1 of 2"
    keys.press("Enter")
    opened.get_by_alt_text("Image 1: aster, taken for bell").wait_for()
    assert shown.chosen == [0, 1]
    assert opened.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    opened.screenshot(path=SCREENSHOTS / f"mistakes-{theme}-cell.png")
    keys.press("ArrowDown")
    assert opened.evaluate(label) == "bell, recognised: 1 of 2"
    keys.press("ArrowUp")
    opened.evaluate("model.set('views', structuredClone(model.get('views')))")  # as after an epoch
    assert opened.evaluate(label) == "aster, taken for bell: 1 of 2", "the keys stay where they were"
    keys.press("Enter")
    opened.get_by_alt_text("Image 1: aster, taken for bell").wait_for(state="detached")
    assert shown.chosen == []


@pytest.mark.slow
def test_it_is_used_with_a_pointer_and_keeps_its_place(opened, shown):
    size = opened.locator("main").bounding_box()
    assert (size["width"], size["height"]) == (400, 220)
    for name in ("A against B", "Classes", "Confusion", "Worst", "Confusion"):
        opened.get_by_role("tab", name=name).click()
        assert opened.locator("main").bounding_box() == size
        assert opened.evaluate("document.documentElement.scrollHeight") <= 300
    opened.get_by_role("button", name="clover, taken for aster: 1 of 2").click()
    opened.get_by_alt_text("Image 4: clover, taken for aster").wait_for()
    opened.get_by_role("tab", name="Worst").click()
    assert opened.get_by_role("img").count() == 4
    smallest = (
        "[...document.querySelectorAll('main *')].map((each) => parseFloat(getComputedStyle(each).fontSize))"
    )
    assert min(opened.evaluate(smallest)) >= 12
