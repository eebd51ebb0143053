"""The site from disk: it builds without a warning, no link is broken, nothing is asked of other machines."""

import importlib.util
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import vgglab
from conftest import ROOT, free_port

pytestmark = pytest.mark.slow
HOW_TOS = sorted((ROOT / "docs" / "pages" / "how-to").glob("*.md"))
COMMANDS = re.compile(r"^<!-- (run|serve|start)(?:: 0 or (1))? -->\n```sh\n(.*?)^```$", re.M | re.S)


class Page(HTMLParser):
    """What a page links to, what it loads, and the anchors that it has."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.links, self.loads, self.anchors = [], [], set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag == "link" and given.get("href") and given.get("rel") not in ("canonical", "prev", "next"):
            self.loads.append(given["href"])
        elif given.get("src"):
            self.loads.append(given["src"])


@cache
def read(file):
    return Page(file)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    if importlib.util.find_spec("material") is None:
        pytest.skip("the packages of the extra `site` are not installed")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", "docs/mkdocs.yml"]
    done = subprocess.run(
        [*command, "--site-dir", str(folder)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "VGGLAB_SITE_LESSONS"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_link_leads_somewhere(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 20
    broken = []
    for page in pages:
        for link in [*read(page).links, *read(page).loads]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            missing = not target.is_file()
            if not missing and parts.fragment and target.suffix == ".html":
                missing = unquote(parts.fragment) not in read(target).anchors | {"top"}
            if missing:
                broken.append(f"{page.relative_to(site)}: {link}")
    assert broken == []


def test_nothing_is_loaded_from_another_machine(site):
    loaded = {link for page in site.rglob("*.html") for link in read(page).loads}
    assert {
        link for link in loaded if urlsplit(link).scheme not in ("", "data") or urlsplit(link).netloc
    } == set()


def test_every_public_name_is_explained(site):
    anchors = set().union(*(read(page).anchors for page in (site / "reference").glob("*.html")))
    assert {name.lower() for name in vgglab.__all__} <= anchors
    text = (site / "reference" / "train.html").read_text(encoding="utf-8")
    assert "Run an experiment on a data set" in text  # its docstring
    assert "vgglab/live_train.py, line" in text  # where it stands


def test_every_lesson_is_there(site):
    lessons = {each.stem for each in (ROOT / "notebooks").glob("*.ipynb")}
    listed = {
        Path(link).stem for link in read(site / "lessons" / "index.html").links if link.endswith(".html")
    }
    assert lessons <= listed


def test_links_between_executed_lessons_lead_to_pages():
    spec = importlib.util.spec_from_file_location("site_hooks", ROOT / "docs" / "site.py")
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)
    page = '<a href="01_anatomy.ipynb#x">next</a> <a href="README.md">guide</a> <a href="#top">top</a>'
    shown = hooks._among_lessons(page, {"01_anatomy"})
    assert shown == '<a href="01_anatomy.html#x">next</a> guide <a href="#top">top</a>'


def test_from_disk_it_asks_for_nothing_and_finds(site, browser):
    page = browser.new_page()
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    for place in ("ledger.html", "reference/data.html", "lessons/01_anatomy.html", "index.html"):
        page.goto((site / place).as_uri())
        page.wait_for_load_state("networkidle")
    page.focus("input[name=query]")
    # What is asked before the index is read is answered by nothing.
    page.locator(".md-search-result__meta", has_text="Type to start searching").wait_for(state="attached")
    page.keyboard.type("find_learning_rate")  # a key at a time: the page listens to keys
    found = page.locator(".md-search-result__link", has_text="find_learning_rate").first
    found.wait_for()
    assert found.get_attribute("href").startswith("file:")
    assert [each for each in asked if urlsplit(each).scheme not in ("file", "data", "blob", "about")] == []
    assert wrong == []
    page.close()


@pytest.mark.skipif(os.name != "posix", reason="the commands are those of a POSIX shell")
@pytest.mark.parametrize("page", HOW_TOS, ids=lambda page: page.stem)
def test_every_command_of_a_how_to_runs(page, tmp_path):
    port, running = free_port(), []
    env = {
        **{name: value for name, value in os.environ.items() if name != "VGGLAB_RUNS"},
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "jupyter"),
    }
    commands = COMMANDS.findall(page.read_text(encoding="utf-8"))
    assert commands
    try:
        for kind, other, text in commands:
            text = text.replace("8786", str(port))
            if kind == "run":
                done = subprocess.run(
                    ["sh", "-e"],
                    input=text,
                    cwd=tmp_path,
                    env=env,
                    capture_output=True,
                    text=True,
                    timeout=300,
                )
                assert done.returncode in {0, int(other or 0)}, text + done.stdout + done.stderr
                continue
            text = f"{text.strip()} --port {port}" if kind == "serve" else text
            log = (tmp_path / f"log{len(running)}").open("w+")
            running.append(
                subprocess.Popen(
                    shlex.split(text), cwd=tmp_path, env=env, stdout=log, stderr=log, start_new_session=True
                )
            )
            _wait_for(
                r"token=\w+" if kind == "serve" else r"Scheduler at|Registered to", log.name, running[-1]
            )
    finally:
        for process in reversed(running):
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def _wait_for(pattern, log, process):
    for _ in range(120):
        said = Path(log).read_text()
        if re.search(pattern, said):
            return
        assert process.poll() is None, said
        time.sleep(0.5)
    pytest.fail(said)
