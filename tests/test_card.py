"""The run card: what is read back, and what an HTML parser makes of it."""

from html.parser import HTMLParser

import numpy as np
import pytest

from test_history import make_history
from test_mistakes import LABELS, NAMES, images, predicted
from vgglab.errors import InputError
from vgglab.experiment import FIELDS, Experiment
from vgglab.history import History
from vgglab.share import card
from vgglab.share.card import history_of_card, load_card, run_card, save_card

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "</title></style></svg><img src=x onerror=alert(1)>",
    "\"'><a href='javascript:alert(1)'>&amp;<\\/script>",
    "ümläut, 花, \u2028 and \x85",
    "\ud800 is half a character",
)
RECORD = b'<script type="application/jsonl" id="vgglab-history">'
LOADING = {"link", "img", "image", "use", "iframe", "object", "embed", "audio", "video", "base", "a", "form"}


class Page(HTMLParser):
    """The elements of a page, and the text in them."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.open = [], {}, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        where = self.open[-1] if self.open else None
        self.texts[where] = self.texts.get(where, "") + data

    @property
    def tags(self):
        return {tag for tag, _ in self.elements}


def full_history(text="plain"):
    """A history with everything in it, `text` wherever there may be text."""
    history = make_history(augment={"flip": 1, "rotation": 30}, l2=0.01, dataset=text, weights=None)
    history.experiment = history.experiment.then(unfreeze=5, l2=0.0, epochs=2)
    history.data = dict(name=text, classes=[text, "b"], train=20, validation=10, fingerprint=text)
    history.versions = {"keras": text, text: "1"}
    history.epochs[0] |= dict(train_loss=0.1 + 0.2, seconds=1e-300, source_accuracy=None, drift_block1=1 / 3)
    history.note("stopped", text)
    history.layers.append(dict(phase=1, layer=text, trainable=True, moved=None))
    return history


@pytest.mark.parametrize("history", [make_history(), full_history(), History(Experiment())])
def test_a_card_gives_back_the_history(history, tmp_path):
    path = save_card(history, "a run", tmp_path / "card.html")
    assert path == tmp_path / "card.html" and load_card(path) == history
    assert [each.name for each in tmp_path.iterdir()] == ["card.html"]


def test_a_card_shows_curves_configuration_and_diagnosis():
    page = Page(run_card(full_history(), "my best run"))
    assert page.texts["title"] == page.texts["h1"] == "my best run"
    assert page.texts["p"] == "Epoch 3 of 7: train 100.0%, validation 50.0%, gap 50.0 points"
    strokes = [attributes["stroke"] for tag, attributes in page.elements if tag == "polyline"]
    assert len(strokes) == 5 and "as Keras logs it" in page.texts["text"]
    assert "too-early" not in page.texts["b"] and page.texts["b"].strip()
    for words in ("flip left-right, rotation ±30°", "unfreeze depth, phase 2", "L2", "0.01", "plain"):
        assert words in page.texts["td"]
    assert "plain, 20 training and 10 validation images" in page.texts["footer"]


def test_a_card_says_what_came_out_on_the_test_part():
    history = make_history(label_noise=0.4)
    assert "test images" not in run_card(history, "run")
    history.test = dict(accuracy=0.875, loss=0.4321, calibration_error=0.0625, images=16)
    written = run_card(history, "run")
    assert history.tested() in Page(written).texts["p"] and "87.5%" in history.tested()
    assert history_of_card(written, "it") == history


def test_a_card_counts_what_is_taken_for_what_and_shows_no_photograph():
    history = predicted(images(LABELS))
    page = Page(run_card(history, "run"))
    assert "What the weights of epoch 3 take the validation images for:" in page.texts["p"]
    titles = [
        attributes["title"] for tag, attributes in page.elements if tag == "td" and "title" in attributes
    ]
    assert "aster, taken for bell: 1 of 2" in titles and "bell, recognised: 1 of 2" in titles
    assert page.tags.isdisjoint({"img", "image"}) and "data:image" not in run_card(history, "run")
    assert "th" not in Page(run_card(make_history(), "run")).tags


def test_of_many_classes_a_card_has_the_worst_pairs():
    rng = np.random.default_rng(0)
    labels = rng.integers(17, size=200)
    history = predicted(images(labels, [f"class {k}" for k in range(17)]), rng.dirichlet(np.ones(17), 200))
    page = Page(run_card(history, "run"))
    assert len([tag for tag, attributes in page.elements if "data-cell" in attributes]) == 10
    assert "true ↓ given →" not in "".join(page.texts["td"]) and "taken for class" in page.texts["li"]
    assert len([each for each in page.elements if each == ("th", {"scope": "row", "title": "class 9"})]) == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_names_of_classes_stay_text_in_the_confusion(text):
    """Only the words differ from those of a card with tame names."""
    pages = [
        Page(run_card(predicted(images(LABELS, (name, *NAMES[1:]))), "run")) for name in (text, NAMES[0])
    ]
    assert [tag for tag, _ in pages[0].elements] == [tag for tag, _ in pages[1].elements]
    assert text in pages[0].texts["th"]


def test_a_phase_lists_only_what_it_changed():
    cells = Page(run_card(full_history(), "run")).texts["td"]
    labels = ("unfreeze depth", "L2", "epochs", "dropout", "seed")
    assert [label for label in labels if f"{label}, phase 2" in cells] == ["unfreeze depth", "L2", "epochs"]


def test_every_field_is_listed_as_people_write_it():
    history = make_history(augment={"flip": 1, "rotation": 30}, learning_rate=1e-5, patience=None)
    page = run_card(history, "run")
    for name, toggle in FIELDS.items():
        value = toggle.written(getattr(history.experiment, name))
        assert f"<tr><td>{toggle.label}</td><td>{value}</td></tr>" in page
    assert "<td>1e-05</td>" in page and "<td>none</td>" in page


@pytest.mark.parametrize("text", ["plain", *HOSTILE])
def test_nothing_is_loaded_and_nothing_runs(text):
    written = run_card(full_history(text), text)
    page = Page(written)
    assert [attributes for tag, attributes in page.elements if tag == "script"] == [
        {"type": "application/jsonl", "id": "vgglab-history"}
    ]
    assert page.tags.isdisjoint(LOADING)
    names = {name for _, attributes in page.elements for name in attributes}
    assert names.isdisjoint({"src", "href", "xlink:href", "srcset", "action", "http-equiv"})
    assert not any(name.startswith("on") for name in names)
    assert "url(" not in page.texts["style"] and "@import" not in page.texts["style"]
    addresses = written.replace('xmlns="http://www.w3.org/2000/svg"', "", 1)
    assert "http://" not in addresses and "https://" not in addresses


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_and_comes_back(text, tmp_path):
    history = full_history(text)
    written = run_card(history, text)
    page, plain = Page(written), Page(run_card(full_history(), "run"))
    assert page.open == [] and [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]
    assert page.texts["h1"] == text and page.texts["footer"].startswith(text)
    assert "<" not in page.texts["script"]  # neither an end tag nor a comment, which would hide the end tag
    path = save_card(history, text, tmp_path / "card.html")
    assert load_card(path) == history_of_card(written, "it") == history


def test_a_card_of_an_older_version_is_read():
    """Its page was laid out otherwise; the element with the record, and the record, are as they were."""
    history = full_history()
    page = f"""<!DOCTYPE html>
<html lang="en"><body><h1>run</h1><ul></ul><table><tr><td>seed</td><td>0</td></tr></table>
<script type="application/jsonl" id="vgglab-history">
{history.to_lines()}</script>
</body></html>
"""
    assert history_of_card(page, "it") == history


def test_a_card_whose_line_ends_were_changed_is_read(tmp_path):
    text = run_card(full_history(), "run").replace("\n", "\r\n")
    assert history_of_card(text, "it") == full_history()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is not a run card of vgglab: it holds no record"),
        (b"<html><body>a page</body></html>", "is not a run card of vgglab: it holds no record"),
        (bytes(range(256)) * 4, "is not a run card of vgglab: it holds no record"),
        (make_history().to_lines().encode(), "is not a run card of vgglab: it holds no record"),
        (run_card(make_history(), "run").encode()[:-40], "is not a run card of vgglab: it holds no record"),
        (RECORD + b"\n</script>", "it is empty"),
        (RECORD + b'\n{"kind": 1}\n</script>', "line 1 is not a record"),
    ],
)
def test_a_file_that_is_no_card_is_an_input_error(tmp_path, content, sentence):
    path = tmp_path / "no-card.html"
    path.write_bytes(content)
    with pytest.raises(InputError, match=sentence) as error:
        load_card(path)
    assert str(path) in str(error.value)


def test_no_file_and_a_folder_are_input_errors(tmp_path):
    for path in (tmp_path / "absent.html", tmp_path):
        with pytest.raises(InputError, match="There is no run card at"):
            load_card(path)


@pytest.mark.parametrize("kind", ["run", "epoch", "event", "layer"])
def test_a_record_that_lacks_something_is_an_input_error(kind):
    """Cards come from other people and other versions; what is missing must not show up in a chart later."""
    needed = dict(run="experiment", epoch="validation_accuracy", event="text", layer="trainable")[kind]
    lines = run_card(full_history(), "run").split("\n")
    (place, *_) = [number for number, line in enumerate(lines) if line.startswith(f'{{"kind": "{kind}"')]
    damaged = [*lines[:place], lines[place].replace(f'"{needed}"', '"other"'), *lines[place + 1 :]]
    assert damaged != lines
    with pytest.raises(InputError, match="the card is not a history of vgglab: line . is not a record"):
        history_of_card("\n".join(damaged), "the card")


def test_figures_that_are_no_numbers_are_an_input_error():
    text = run_card(full_history(), "run").replace('"train_accuracy": 0.5', '"train_accuracy": "half"')
    with pytest.raises(InputError, match="line 2 is not a record"):
        history_of_card(text, "the card")


def test_a_card_that_cannot_be_made_leaves_the_old_one(tmp_path, monkeypatch):
    path = save_card(make_history(), "old", tmp_path / "card.html")
    before = path.read_bytes()

    def fail(*arguments, **options):
        raise ZeroDivisionError

    monkeypatch.setattr(card, "live_svg", fail)
    with pytest.raises(ZeroDivisionError):
        save_card(full_history(), "new", path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_card_that_cannot_be_written_says_so_and_leaves_nothing(tmp_path):
    with pytest.raises(OSError):
        save_card(make_history(), "run", tmp_path / "absent" / "card.html")
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_begins_a_record_again_and_again_is_read_through_once():
    """Looked for with a pattern, its end would be looked for from each of a million beginnings on."""
    page = RECORD.decode() + 200_000 * ("\n" + RECORD.decode())
    with pytest.raises(InputError, match="holds no record of a run"):
        history_of_card(page, "the card")
