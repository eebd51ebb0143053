"""The parts of pages: what stands in them, and that a value stays text."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from jinja2 import UndefinedError

from vgglab import templates
from vgglab.templates import render

HOSTILE = "</pre></div><script>alert('1')</script> & \"q\""
ESCAPED = "&lt;/pre&gt;&lt;/div&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &#34;q&#34;"
FINDING = SimpleNamespace(finding="Overfitting.", evidence="The gap is 40 points.", advice="Hold it back.")
FINE = SimpleNamespace(finding="Fine.", evidence="The gap is 2 points.", advice="")
PARTS = {
    "status.html": (dict(text="Ready."), '<div role="status" aria-live="polite">Ready.</div>'),
    "line.html": (dict(text="Ready."), '<div class="vgglab-line">Ready.</div>'),
    "alert.html": (dict(text="No."), '<div role="alert"><b>No.</b></div>'),
    "code.html": (dict(text="a\n  b"), '<pre tabindex="0" role="region" aria-label="Code">a\n  b</pre>'),
    "events.html": (dict(texts=["One.", "Two."]), "<div>One.</div>\n<div>Two.</div>\n"),
}


@pytest.mark.parametrize(("name", "values", "text"), [(name, *part) for name, part in PARTS.items()])
def test_a_part_of_a_page(name, values, text):
    assert render(name, **values) == text


def test_an_alert_says_where_it_happened_when_that_is_known():
    page = render("alert.html", text="No.", details="line 1\nline 2")
    details = "<details><summary>Where it happened</summary><pre>line 1\nline 2</pre></details>"
    assert page == f'<div role="alert"><b>No.</b>{details}</div>'
    assert "<details>" not in render("alert.html", text="No.", details="")


def test_a_diagnosis():
    page = render("diagnosis.html", mark="✓", badge="It trained.", findings=[FINDING, FINE])
    assert page.splitlines() == [
        "<div>✓ It trained.</div>",
        "<div><b>Overfitting.</b> The gap is 40 points. <i>Hold it back.</i></div>",
        "<div><b>Fine.</b> The gap is 2 points.</div>",
    ]
    page = render("verdict.html", sentence="It overfits.", odd=["All black."])
    assert page.splitlines() == [
        '<div class="vgglab-sentence">It overfits.</div>',
        '<div role="alert"><b>All black.</b></div>',
    ]


def test_the_cost_card_warns_only_of_what_takes_long():
    table = '<table tabindex="0"><tr><td>the run</td><td>about 5 s</td></tr></table>'
    assert render("cost.html", rows=[("the run", "about 5 s")], hint="") == table
    warned = render("cost.html", rows=[("the run", "about 5 s")], hint="Fewer epochs.")
    assert warned.startswith('<p role="alert">') and " Fewer epochs.</p>" in warned and warned.endswith(table)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("status.html", dict(text=HOSTILE)),
        ("line.html", dict(text=HOSTILE)),
        ("alert.html", dict(text="", details=HOSTILE)),
        ("alert.html", dict(text=HOSTILE)),
        ("code.html", dict(text=HOSTILE)),
        ("events.html", dict(texts=[HOSTILE])),
        ("cost.html", dict(rows=[("the run", HOSTILE)], hint="")),
        ("diagnosis.html", dict(mark="✗", badge=HOSTILE, findings=[])),
        ("verdict.html", dict(sentence=HOSTILE, odd=[])),
        ("verdict.html", dict(sentence="", odd=[HOSTILE])),
        ("phases.html", dict(phases=[HOSTILE])),
        ("heading.html", dict(text=HOSTILE)),
        ("static.html", dict(pictures={HOSTILE: ""}, text=HOSTILE)),
    ],
)
def test_a_value_stays_text(name, values):
    page = render(name, **values)
    assert ESCAPED in page and "<script" not in page


def test_a_value_that_is_not_given_is_an_error():
    with pytest.raises(UndefinedError, match="'text' is undefined"):
        render("status.html", name="a value may have any name")


def test_nothing_but_a_chart_a_record_and_pages_of_these_templates_is_marked_as_safe():
    folder = Path(templates.__file__).parent
    found = {path.name: path.read_text().count("safe") for path in folder.glob("*.html")}
    assert {name: count for name, count in found.items() if count} == {
        "card.html": 2,
        "cell.html": 1,
        "findings.html": 1,
        "static.html": 1,
        "wall.html": 2,
    }


def test_templates_are_read_only_when_one_is_filled_in():
    code = "import sys, vgglab.templates; sys.exit('jinja2' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
