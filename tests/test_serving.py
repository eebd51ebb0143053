"""How many kernels the served dashboard has, and for how long; and what its options are."""

import asyncio
import gc
import os
import re
import signal
import sys
import tempfile
import time
import weakref
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.web import HTTPError

from conftest import free_port, printed_address, serve
from vgglab.cli import main
from vgglab.datasets import load
from vgglab.engine.cache import CACHE
from vgglab.engine.control import Control
from vgglab.experiment import Experiment, in_phases
from vgglab.panel import Dashboard
from vgglab.panel.link import Link
from vgglab.panel.page import page
from vgglab.serving.pages import RETRY, Pages
from vgglab.share.link import experiment_of
from vgglab.share.store import RECORD, read_run
from vgglab.training import train


@pytest.fixture(autouse=True)
def handlers_that_stay(monkeypatch):
    """A server that is set up closes every handler of the process, and absl's closes pytest's stderr with it."""
    monkeypatch.setattr("logging.config._clearExistingHandlers", lambda: None)


@pytest.fixture
def clock(monkeypatch):
    """What time it is for the pages; may be set."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr("vgglab.serving.pages.monotonic", lambda: clock.now)
    return clock


@pytest.fixture
def pages(monkeypatch, clock):
    """Pages whose kernels are no processes."""

    async def start(self, *, kernel_id, quits=False, **options):
        await asyncio.sleep(0)
        if quits:
            raise RuntimeError("no kernel")
        self._kernels[kernel_id] = SimpleNamespace(
            execution_state="idle",
            last_activity=datetime.now(UTC),
            kernel_spec=SimpleNamespace(metadata={}),
            kernel_name="python3",
        )
        self._kernel_connections[kernel_id] = 0
        return kernel_id

    async def shut_down(self, kernel_id):
        await asyncio.sleep(0)
        self.remove_kernel(kernel_id)

    monkeypatch.setattr(AsyncMappingKernelManager, "start_kernel", start)
    monkeypatch.setattr(AsyncMappingKernelManager, "shutdown_kernel", shut_down)
    return Pages(limit=2)


def test_a_start_beyond_the_limit_is_refused_however_close_together_they_are_asked_for(pages):
    async def ask():
        return await asyncio.gather(*(pages.start_kernel() for _ in range(5)), return_exceptions=True)

    answers = asyncio.run(ask())
    refused = [each for each in answers if isinstance(each, HTTPError)]
    assert len(refused) == 3 and len(pages) == 2 and {each.status_code for each in refused} == {503}
    assert "as many open pages as it allows, 2." in refused[0].log_message


def test_a_page_gives_its_place_back_when_its_kernel_ends_dies_or_does_not_start(pages):
    async def come_and_go():
        with pytest.raises(RuntimeError):
            await pages.start_kernel(quits=True)
        first, second = await pages.start_kernel(), await pages.start_kernel()
        pages.remove_kernel(first)
        third = await pages.start_kernel()
        # A page that is loaded again asks for its new kernel while the old one is still ending.
        await asyncio.gather(pages.shutdown_kernel(second), pages.start_kernel())
        return third

    assert asyncio.run(come_and_go()) in pages and len(pages) == 2


@pytest.mark.parametrize(
    ("connected", "unseen", "quiet", "stays"),
    [
        (True, 99_999, 99_999, True),  # an open page that nobody touches
        (False, 200, 99_999, True),  # a connection that was lost a moment ago
        (False, 400, 400, False),
        (False, 400, 10, True),  # trains
        (False, 3500, 10, True),
        (False, 3700, 10, False),  # trains, and nobody has looked for an hour
    ],
)
def test_a_kernel_without_its_page_ends(pages, clock, connected, unseen, quiet, stays):
    async def wait():
        kernel = await pages.start_kernel()
        pages.notify_connect(kernel)
        if not connected:
            pages.notify_disconnect(kernel)
        clock.now += unseen
        pages.get_kernel(kernel).last_activity = datetime.now(UTC) - timedelta(seconds=quiet)
        await pages.cull_kernels()
        return kernel

    assert (asyncio.run(wait()) in pages) == stays


@pytest.mark.parametrize(("unseen", "kept"), [(200, True), (400, False)])
def test_what_a_page_is_to_be_told_is_kept_for_a_lost_connection_and_no_longer(pages, clock, unseen, kept):
    stream = SimpleNamespace(
        socket=SimpleNamespace(closed=False), on_recv=lambda callback: None, close=lambda: None
    )

    async def wait():
        kernel = await pages.start_kernel()
        pages._kernel_buffers[kernel] |= dict(
            session_key="page", buffer=[b"chart"], channels=dict(iopub=stream)
        )
        clock.now += unseen
        await pages.cull_kernels()  # it trains, so that it stays
        return kernel

    kernel = asyncio.run(wait())
    assert kernel in pages and (kernel in pages._kernel_buffers) == kept


def test_a_page_that_never_connected_counts_as_unseen_from_its_start(pages, clock):
    async def wait():
        kernel = await pages.start_kernel()
        clock.now += 3601
        await pages.cull_kernels()
        return kernel

    assert asyncio.run(wait()) not in pages


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--prot=99"], "Unknown option of `vgglab dashboard`. Received: '--prot'. Did you mean '--port'?"),
        (["--port", "99", "x.ipynb"], "`vgglab dashboard` serves no other notebook. Received: 'x.ipynb'."),
        (["--no-browser", "x.ipynb"], "`vgglab dashboard` serves no other notebook. Received: 'x.ipynb'."),
        (["--pages", "0"], "`--pages` must be 1 or more. Received: 0."),
        (["--cache-memory", "nan"], "`--cache-memory` must be a number of GB, 0 or more. Received: nan."),
        (["--ip", "203.0.113.9", "--no-browser"], "cannot be served: cannot assign requested address."),
    ],
)
def test_what_a_server_cannot_be_started_with_is_one_sentence(
    options, sentence, monkeypatch, capsys, tmp_path
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(signal, "signal", lambda *given: None)  # Voilà takes one for the whole process
    monkeypatch.setattr("vgglab.serving.pages.DashboardServer.instance", make_server)
    for name in ("VGGLAB_RUNS", "VGGLAB_CACHE_MEMORY", "JUPYTER_PATH"):
        monkeypatch.setenv(name, "")  # so that what the command sets is taken back
    assert main(["dashboard", *options]) == 2
    assert sentence in capsys.readouterr().err.splitlines()[-1]


def test_no_home_at_all_is_one_sentence(monkeypatch, capsys):
    """As for a user that the system has no entry of."""

    def expanduser(path):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", expanduser)
    monkeypatch.setattr(signal, "signal", lambda *given: None)
    for name in ("VGGLAB_RUNS", "VGGLAB_CACHE_MEMORY"):
        monkeypatch.setenv(name, "")
    for name in ("JUPYTER_DATA_DIR", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert main(["dashboard"]) == 2
    assert capsys.readouterr().err.startswith(
        "vgglab: The dashboard keeps files in a home folder, and there is none."
    )


def test_the_page_takes_the_limits_that_the_command_was_given(monkeypatch):
    given = []
    monkeypatch.setattr("vgglab.serving.pages.serve", lambda *arguments: given.append(arguments))
    monkeypatch.setattr(signal, "signal", lambda *given: None)
    for name in ("VGGLAB_RUNS", "VGGLAB_CACHE_MEMORY"):
        monkeypatch.setenv(name, "")
    assert main(["dashboard", "--pages", "3", "--cache-memory", "0.5", "--port=99"]) == 0
    ((notebook, options, limit),) = given
    assert (options, limit) == (["--port=99"], 3)

    monkeypatch.setattr(CACHE, "memory", 1)
    monkeypatch.setattr("vgglab.panel.page.page", lambda *arguments: given.append(arguments))
    monkeypatch.setenv("QUERY_STRING", "token=0f&l2=0.1")  # as Voilà sets it for the kernel of a page
    (cell,) = nbformat.read(notebook, as_version=4).cells
    exec(cell.source, {})
    assert CACHE.memory == 2**29 and given[-1] == ("token=0f&l2=0.1", str(Path.cwd() / "runs"))


@pytest.mark.parametrize(
    ("query", "experiment"),
    [
        ("", Experiment()),
        ("token=0f", Experiment()),
        (
            "token=0f&image_size=32&augment=flip,zoom:0.4&then&mixup=0.2",
            Experiment(image_size=32, augment=dict(flip=1, zoom=0.4)).then(mixup=0.2),
        ),
    ],
)
def test_a_page_begins_with_what_its_address_says(query, experiment, tmp_path):
    dashboard = page(query, tmp_path / "runs")
    assert isinstance(dashboard, Dashboard) and dashboard.controls.experiment == experiment
    assert dashboard.data.image_size == experiment.image_size
    dashboard.close()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("unfreze=3", "Did you mean &#39;unfreeze&#39;?"),
        ("dataset=/etc", "a page opens no file that a link names. Received: &#39;/etc&#39;."),
        ("<script>=1", "Received: &#39;&lt;script&gt;&#39;."),
        ("unfreeze=99", "`unfreeze` must be 0 to 13. Received: 99."),
    ],
)
def test_an_address_that_cannot_be_followed_is_a_sentence_above_the_default_dashboard(query, said, tmp_path):
    opened = page(query, tmp_path / "runs")
    sentence, dashboard = opened.children
    assert "vgglab-page" in opened._dom_classes  # whose style makes room for the sentence
    assert said in sentence.value and "This link cannot be followed." in sentence.value
    assert isinstance(dashboard, Dashboard) and dashboard.controls.experiment == Experiment()
    dashboard.close()


def test_a_link_holds_what_restores_the_settings():
    link = Link()
    assert (link.code, link.cell) == ("", 'Dashboard(data, experiment_of(""))')
    experiment = Experiment(unfreeze=5, l2=0.01).then(mixup=0.2)
    link.show(experiment)
    assert experiment_of(link.code) == experiment and not link.problem
    made = eval(link.cell, dict(Dashboard=lambda data, given: given, data=None, experiment_of=experiment_of))
    assert made == experiment
    link.show(in_phases([Experiment(l2=0.001 * (phase % 2)) for phase in range(2001)]))
    assert link.code == "" and "too long for a link" in link.problem
    link.show(experiment)
    assert link.code and not link.problem


def test_a_link_that_was_closed_is_freed():
    def made_and_closed():
        link = Link(Experiment(l2=0.1))
        link.close()
        return weakref.ref(link)

    gone = made_and_closed()
    gc.collect()
    assert gone() is None


def make_server(**options):
    """A server of its own, where the command has the only one of the process."""
    from vgglab.serving.pages import DashboardServer

    return DashboardServer(**options)


# From here on with a real server and a real browser.


@contextmanager
def served(runtime, *options, command=("-m", "vgglab", "dashboard")):
    """A server until the block ends; gives its process and the address that it prints."""
    port = free_port()
    process = serve([sys.executable, *command, "--no-browser", f"--port={port}", *options], runtime)
    try:
        yield process.pid, printed_address(process, runtime, port)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def kernels(server):
    """The processes of a server's kernels: its own children, wherever their connection files are."""
    found = []
    for process in Path("/proc").iterdir():
        with suppress(OSError):  # ended since
            if process.name.isdigit() and b"ipykernel" in (process / "cmdline").read_bytes():
                # Behind the name, which may have blanks, come the state and the parent; man 5 proc_pid_stat.
                parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
                found += [int(process.name)] if parent == server else []
    return found


def none_left(server, seconds):
    """Wait until no kernel is left; says whether that was so within the time."""
    deadline = time.monotonic() + seconds
    while kernels(server):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def vanish(opened):
    """Close a page that cannot say so: a lost connection, a computer that is switched off."""
    opened.route("**/voila/api/shutdown/**", lambda route: route.abort())
    opened.close(run_before_unload=False)


# Of thirty pages too, which takes about six minutes: PAGES=30 python -m pytest tests/test_serving.py -k no_kernel
PAGES = int(os.environ.get("PAGES", 6))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are counted in /proc")
def test_no_kernel_is_left_of_many_pages(browser, tmp_path):
    most = 0
    # Not so short that a page on a busy machine has lost its kernel before it connects.
    options = ("--pages", str(PAGES), "--Pages.cull_idle_timeout=20", "--Pages.cull_interval=1")
    with served(tmp_path / "runtime", *options) as (server, address):
        for number in range(PAGES):
            opened = browser.new_page()
            opened.goto(address)
            opened.get_by_role("button", name=re.compile("Train")).first.wait_for(timeout=120_000)
            most = max(most, len(kernels(server)))
            if number % 3:
                opened.goto("about:blank")
                opened.close()
            else:
                vanish(opened)
        assert most, "they are seen while there are some"
        assert none_left(server, 20 + 2 * 1 + 15), "twenty seconds without a page, and a look every second"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are counted in /proc")
def test_a_run_without_its_page_ends_in_time_is_kept_and_goes_on_later(browser, tmp_path, monkeypatch):
    monkeypatch.setenv("VGGLAB_RUNS", str(tmp_path / "runs"))
    folder = tmp_path / "runs" / "run-1"
    options = ("--Pages.cull_idle_timeout=15", "--Pages.cull_unseen_timeout=20", "--Pages.cull_interval=1")
    with served(tmp_path / "runtime", *options) as (server, address):
        opened = browser.new_page()
        opened.goto(f"{address}&image_size=32&unfreeze=13&epochs=5000")
        opened.get_by_role("button", name=re.compile("Train")).first.click(timeout=60_000)
        deadline = time.monotonic() + 120
        while not (folder / RECORD).is_file() or (folder / RECORD).read_text().count('"epoch"') < 3:
            assert time.monotonic() < deadline, "it trains"
            time.sleep(0.2)
        vanish(opened)
        time.sleep(17)
        assert kernels(server), "what trains outlives its page by more than the idle time"
        assert none_left(server, 30)
    stored = read_run(folder)
    epochs = len(stored.history.epochs)
    assert epochs >= 2 and not stored.is_finished
    control = Control()
    history = train(
        stored.experiment,
        load("blossoms", 32),
        resume=folder,
        control=control,
        on_epoch=lambda history: control.stop() if len(history.epochs) > epochs else None,
    )
    assert [row["epoch"] for row in history.epochs] == [*range(1, len(history.epochs) + 1)]
    # Those after the last checkpoint are made again.
    assert len(history.epochs) > epochs and history.epochs[0] == stored.history.epochs[0]


NOTEBOOK = """
import ipywidgets as widgets
from vgglab import Experiment
from vgglab.panel.link import Link

link = Link(Experiment(unfreeze=5, augment="flip"))
move = widgets.Button(description="move")
move.on_click(lambda _: link.show(Experiment(l2=0.01)))
box = widgets.VBox([link, move], layout=widgets.Layout(height="var(--vgglab-height)"))
box.add_class("vgglab-dashboard")
box
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """The address of a server of one page at a time, whose dashboard is a link and as high as the window."""
    folder = tmp_path_factory.mktemp("bench")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(NOTEBOOK.strip())])
    notebook.metadata.update(kernelspec=dict(name="python3", display_name="Python 3"), title="vgglab")
    nbformat.write(notebook, folder / "bench.ipynb")
    code = (
        "import sys; from pathlib import Path; from vgglab.serving.pages import serve; "
        f"serve(Path({str(folder / 'bench.ipynb')!r}), sys.argv[1:], 1)"
    )
    with served(folder / "runtime", command=("-c", code)) as (_, address):
        yield address


@pytest.fixture
def opens(browser, bench):
    """Opens the page as somebody has it; one at a time, and each is closed."""
    context = None

    def opened(**looks):
        nonlocal context
        context = browser.new_context(viewport=dict(width=1366, height=768), **looks)
        context.set_default_timeout(60_000)
        seen = context.new_page()
        seen.goto(bench)
        seen.get_by_role("button", name="Copy link").wait_for()
        return seen

    yield opened
    for seen in context.pages:
        seen.goto("about:blank")
    context.close()


LOOK = """() => ({
    title: document.title, lang: document.documentElement.lang,
    viewport: document.querySelector("meta[name=viewport]").content,
    ground: getComputedStyle(document.body).backgroundColor,
    text: getComputedStyle(document.querySelector(".vgglab-link")).color,
    light: document.body.dataset.jpThemeLight,
    line: getComputedStyle(document.documentElement).getPropertyValue("--vgglab-line"),
    box: (({x, y, width, height}) => [x, y, width, height])(
        document.querySelector(".vgglab-dashboard").getBoundingClientRect()),
    scrolls: [...document.querySelectorAll("*")].filter(
        each => each.scrollHeight > each.clientHeight + 1 && getComputedStyle(each).overflowY === "auto"
    ).map(each => each.className),
})"""


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(17, 17, 17)")])
def test_a_page_follows_the_system_and_gives_the_dashboard_the_whole_window(opens, scheme, ground):
    seen = opens(color_scheme=scheme)
    look = seen.evaluate(LOOK)
    assert (look["title"], look["lang"], look["ground"]) == ("vgglab", "en", ground)
    assert look["light"] == str(scheme == "light").lower() and "width=device-width" in look["viewport"]
    assert look["box"] == [0, 0, 1366, 768] and look["scrolls"] == []
    assert seen.get_by_role("main").get_by_role("heading", level=1, name="vgglab").count() == 1
    assert seen.get_by_role("main").get_by_role("button", name="Copy link").count() == 1
    other = dict(light="dark", dark="light")[scheme]
    seen.emulate_media(color_scheme=other)  # while the page is open
    assert seen.evaluate(LOOK)["ground"] != ground
    seen.emulate_media(color_scheme=scheme)
    faults = Axe().run(seen).response["violations"]
    assert not [fault["id"] for fault in faults if fault["impact"] in ("serious", "critical")]


@pytest.mark.slow
def test_who_asks_for_contrast_gets_it(opens):
    seen = opens(color_scheme="dark")
    plain = seen.evaluate(LOOK)
    seen.emulate_media(color_scheme="dark", contrast="more")
    assert seen.evaluate(LOOK)["text"] == "rgb(255, 255, 255)" != plain["text"]
    seen.emulate_media(color_scheme="light", forced_colors="active")
    assert seen.evaluate(LOOK)["line"].strip() == "CanvasText"


@pytest.mark.slow
def test_a_link_is_copied_without_the_token_and_opens_the_same_settings(opens, bench):
    seen = opens(permissions=["clipboard-read", "clipboard-write"])
    field = seen.get_by_label("link to these settings")
    server = bench.partition("?")[0]
    assert field.input_value() == f"{server}?unfreeze=5&augment=flip" and "token=" in bench
    seen.get_by_role("button", name="Copy link").click()
    seen.get_by_role("status").filter(has_text="Copied.").wait_for()
    assert seen.evaluate("navigator.clipboard.readText()") == field.input_value()
    seen.get_by_role("button", name="move").click()
    seen.wait_for_url(f"{server}?l2=0.01")
    assert field.input_value() == f"{server}?l2=0.01" and not seen.get_by_text("Copied.").count()
    seen.reload()  # without the token: who has been here is known
    seen.get_by_role("button", name="Copy link").wait_for()


@pytest.mark.slow
def test_where_there_is_no_clipboard_the_link_is_selected(opens):
    """As on every page that comes over http from another machine."""
    seen = opens()
    seen.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    seen.evaluate("document.execCommand = () => false")
    seen.get_by_role("button", name="Copy link").focus()
    seen.keyboard.press("Enter")
    seen.get_by_text("Selected: copy it with Ctrl+C").wait_for()
    field = seen.get_by_label("link to these settings").input_value()
    assert seen.evaluate("document.getSelection().toString()") == field


@pytest.mark.slow
def test_one_page_too_many_waits_for_its_place(opens, bench):
    first = opens()
    full = first.context.new_page()
    full.clock.install()
    answer = full.goto(bench)
    assert answer.status == 503 and answer.headers["retry-after"] == str(RETRY)
    assert full.get_by_role("heading", level=1).inner_text() == "All places are taken"
    assert "as many open pages as it allows, 1." in full.get_by_role("alert").inner_text()
    assert full.title() == "vgglab: full"
    assert full.get_by_role("checkbox", name=f"Ask again every {RETRY} seconds.").is_checked()
    assert not Axe().run(full).response["violations"]
    full.clock.run_for(1000 * (RETRY + 1))
    full.wait_for_load_state()
    assert full.get_by_role("heading", level=1).inner_text() == "All places are taken"
    first.goto("about:blank")
    full.clock.run_for(1000 * (RETRY + 1))
    full.get_by_role("button", name="Copy link").wait_for()
