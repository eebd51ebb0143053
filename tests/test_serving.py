"""How many kernels the served dashboard has, and for how long; and what its options are."""

import asyncio
import gc
import signal
import tempfile
import weakref
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.web import HTTPError

from vgglab.cli import main
from vgglab.engine.cache import CACHE
from vgglab.experiment import Experiment, in_phases
from vgglab.panel import Dashboard
from vgglab.panel.link import Link
from vgglab.panel.page import page
from vgglab.serving.pages import Pages
from vgglab.share.link import experiment_of


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
