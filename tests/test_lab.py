"""`make lab` as a person on a new machine has it: a server on this machine only, closed without its token."""

import urllib.error
import urllib.request

import pytest

from conftest import running

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
        return error.code, ""


def test_the_notebook_is_served_to_whoever_has_the_token(address):
    page, token = address.split("?token=")
    assert "/tree/notebooks/00_start_here.ipynb" in page
    code, text = status(address)
    assert code == 200 and "JupyterLab" in text
    contents = page.split("/lab")[0] + "/api/contents/notebooks/00_start_here.ipynb"
    assert status(f"{contents}?token={token}")[0] == 200
    assert status(contents)[0] == 403
    assert status(f"{contents}?token={'0' * len(token)}")[0] == 403
