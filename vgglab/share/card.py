"""The run card: one HTML file with a run's configuration, curves and diagnosis, to hand in or to pin up.

The run's record stands in it as JSON lines, so that others can load the card and compare.
"""

from __future__ import annotations

import html
import os
import re
from pathlib import Path

from vgglab.measures.diagnosis import diagnose
from vgglab.errors import InputError
from vgglab.experiment import FIELDS, Experiment
from vgglab.files import written_whole
from vgglab.history import History
from vgglab.charts.live import live_svg

_RECORD = re.compile(r'<script type="application/jsonl" id="vgglab-history">\s*(.*?)</script>', re.DOTALL)
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 760px; margin: 2em auto; padding: 0 1em }
h1 { font-size: 1.5em; margin-bottom: 0 } p.line { font-size: 1.1em; margin-top: .2em }
table { border-collapse: collapse } td { padding: .15em 1em .15em 0; vertical-align: top } td:first-child { color: #666 }
footer { color: #666; margin-top: 2em; font-size: .85em }
"""


def run_card(history: History, name: str) -> str:
    """A run as a self-contained HTML page: no scripts, nothing loaded from elsewhere."""
    findings = "".join(
        f"<li><b>{html.escape(each.finding)}</b> {html.escape(each.evidence)} {html.escape(each.advice)}</li>"
        for each in diagnose(history)
    )
    data, versions = history.data, history.versions
    origin = f"{data.get('name', 'unknown data')}, {data.get('train', '?')} training and {data.get('validation', '?')} validation images"
    # JSON's other way to write it: a record can neither end the element that holds it nor hide its end.
    record = history.to_lines().replace("<", "\\u003c")
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{html.escape(name)}</title><style>{_STYLE}</style></head><body>
<h1>{html.escape(name)}</h1>
<p class="line">{html.escape(history.summary())}</p>
{live_svg(history, logged=True)}
<ul>{findings}</ul>
<table>{_configuration(history.experiment)}</table>
<footer>{html.escape(origin)} (fingerprint {html.escape(str(data.get("fingerprint", "none")))}) ·
{html.escape(", ".join(f"{tool} {version}" for tool, version in versions.items()))}</footer>
<script type="application/jsonl" id="vgglab-history">
{record}</script>
</body></html>
"""


def save_card(history: History, name: str, path: str | os.PathLike) -> Path:
    """Write a run card; the file is written beside `path` and then renamed."""
    path = Path(path)
    with written_whole(path) as beside:
        # Names may hold what UTF-8 does not: half a character of a file's name.
        beside.write_bytes(run_card(history, name).encode(errors="xmlcharrefreplace"))
    return path


def load_card(path: str | os.PathLike) -> History:
    """The run that a card shows; `InputError` when the file is not a card."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no run card at {path}.")
    return history_of_card(path.read_text(encoding="utf-8", errors="replace"), str(path))


def history_of_card(page: str, origin: str) -> History:
    """The run in a card's text; `origin` names it in errors."""
    found = _RECORD.search(page)
    if found is None:
        raise InputError(f"{origin} is not a run card of vgglab: it holds no record of a run.")
    return History.from_lines(found.group(1), origin)


def _configuration(experiment: Experiment) -> str:
    rows = []
    for number, phase in enumerate(experiment.phases, start=1):
        plain = phase.to_dict()
        for name in FIELDS:
            if name == "later" or (
                number > 1 and plain[name] == experiment.phases[number - 2].to_dict()[name]
            ):
                continue
            label = FIELDS[name].metadata["label"] + (f", phase {number}" if number > 1 else "")
            rows.append(f"<tr><td>{html.escape(label)}</td><td>{html.escape(words(plain[name]))}</td></tr>")
    return "".join(rows)


def words(value: object) -> str:
    """A plain value of an experiment as people write it."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {strength:g}" for name, strength in value.items()) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
