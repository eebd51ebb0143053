"""The servers as a person on a new machine has them: on this machine only, closed without the token, gone when told."""

import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from conftest import ROOT, free_port, listens, printed_address, running, serve
from vgglab.serving.guard import POLICY

pytestmark = pytest.mark.slow


@pytest.fixture
def address(tmp_path):
    with running("lab", tmp_path) as address:
        yield address


def status(address):
    try:
        with urllib.request.urlopen(address) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_the_notebook_is_served_to_whoever_has_the_token(address):
    page, token = address.split("?token=")
    assert "/tree/notebooks/00_start_here.ipynb" in page
    code, text = status(address)
    assert code == 200 and "JupyterLab" in text
    contents = page.split("/lab")[0] + "/api/contents/notebooks/00_start_here.ipynb"
    assert status(f"{contents}?token={token}")[0] == 200
    assert status(contents)[0] == 403
    assert status(f"{contents}?token={'0' * len(token)}")[0] == 403


@pytest.mark.parametrize("target", ["lab", "dashboard"])
def test_every_answer_forbids_what_comes_from_elsewhere(tmp_path, target):
    with running(target, tmp_path) as address:
        page, _, token = address.partition("?")
        top = page.partition("/lab")[0].rstrip("/")
        files = dict(
            lab=["/static/favicon.ico"], dashboard=["/voila/static/voila.js", "/voila/static/not-there.js"]
        )
        # The page, what asks for the token, and files.
        for each in (address, page, *(f"{top}{file}?{token}" for file in files[target])):
            try:
                answer = urllib.request.urlopen(each)
            except urllib.error.HTTPError as error:
                answer = error
            with answer:
                assert answer.headers["Content-Security-Policy"].startswith(POLICY), each
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Referrer-Policy"] == "same-origin"


def vgglab(*arguments):
    return [sys.executable, "-m", "vgglab", *arguments]


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("lab", signal.SIGTERM),
        ("lab", signal.SIGINT),
        ("dashboard", signal.SIGTERM),
        ("dashboard", signal.SIGHUP),
    ],
)
def test_a_server_listens_where_it_was_told_and_ends_with_its_command(tmp_path, target, told):
    """The signal goes to the command alone, as `kill` and a service manager send it."""
    port = free_port()
    process = serve(vgglab(target, "--no-browser", "--port", str(port), "--ip=127.0.0.2"), tmp_path)
    try:
        assert printed_address(process, tmp_path, port).startswith(f"http://127.0.0.2:{port}/")
        assert listens("127.0.0.2", port) and not listens("127.0.0.1", port)
        process.send_signal(told)
        assert process.wait(20) == 0
        assert not listens("127.0.0.2", port)
        assert "Traceback" not in (tmp_path / "server.log").read_text()
    finally:
        process.kill()


@pytest.mark.parametrize("target", ["lab", "dashboard"])
def test_a_home_that_cannot_be_made_is_one_sentence(target):
    done = subprocess.run(
        vgglab(target, "--no-browser"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        env=dict(PATH="", PYTHONPATH=str(ROOT), HOME="/dev/null/home"),
    )
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2 and "cannot keep its files in /dev/null/home" in line


def test_kernels_are_few_and_end(tmp_path):
    """Pages that nobody looks at: they are fetched, and no script of theirs ever runs."""
    quick = "--Pages.cull_idle_timeout=4 --Pages.cull_interval=1"
    with running("dashboard", tmp_path, f"--pages 1 {quick}") as address:
        code, page = status(address)
        token = address.split("?")[1]
        (kernel,) = re.findall(r'"kernelId": "([-0-9a-f]+)"', page)
        kernel = f"{address.split('?')[0]}api/kernels/{kernel}?{token}"
        assert code == 200 and status(kernel)[0] == 200
        code, refused = status(address)
        assert (
            code == 503
            and "The server has as many open pages as it allows, 1. A place is free as soon as" in refused
        )
        deadline = time.monotonic() + 30
        while status(kernel)[0] == 200:
            assert time.monotonic() < deadline, "the kernel is ended"
            time.sleep(0.5)
        assert status(kernel)[0] == 404 and status(address)[0] == 200
