"""`make lab` as a person on a new machine has it: a server on this machine only, closed without its token."""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from conftest import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture
def address(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            ["make", "lab", f"ARGS=--no-browser --port={port}"], cwd=ROOT, stdout=out, stderr=out, start_new_session=True,
            env={**os.environ, "JUPYTER_RUNTIME_DIR": str(tmp_path)},
        )
    try:
        for _ in range(240):
            found = re.search(rf"http://127\.0\.0\.1:{port}/\S*token=\w+", log.read_text())
            if found:
                yield found[0]
                break
            assert process.poll() is None, log.read_text()
            time.sleep(0.5)
        else:
            pytest.fail(log.read_text())
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)
    with socket.socket() as stopped:
        assert stopped.connect_ex(("127.0.0.1", port)) != 0, "the server still runs"


def status(address):
    try:
        with urllib.request.urlopen(address) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def test_the_notebook_is_served_to_whoever_has_the_token(address):
    page, token = address.split("?token=")
    assert "/tree/notebooks/01_overfitting_gap.ipynb" in page
    code, text = status(address)
    assert code == 200 and "JupyterLab" in text
    contents = page.split("/lab")[0] + "/api/contents/notebooks/01_overfitting_gap.ipynb"
    assert status(f"{contents}?token={token}")[0] == 200
    assert status(contents)[0] == 403
    assert status(f"{contents}?token={'0' * len(token)}")[0] == 403
