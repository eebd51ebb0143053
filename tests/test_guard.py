"""Who may use a server, and what its pages may load."""

import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from conftest import ROOT, free_port
from vgglab.errors import InputError
from vgglab.serving.guard import OPEN, POLICY, check_closed, is_own


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("127.0.0.1", True),
        ("127.0.0.2", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("*", False),
        ("192.168.1.7", False),
        ("localhost.example.org", False),
        ("127.0.0.1.example.org", False),
    ],
)
def test_only_loopback_is_this_machine_alone(address, own):
    assert is_own(address) is own


@pytest.mark.parametrize("protected", [True, False])
def test_on_loopback_nothing_is_asked_or_said(capsys, protected):
    check_closed("127.0.0.1", SimpleNamespace(auth_enabled=protected))
    assert capsys.readouterr() == ("", "")


def test_other_machines_need_a_token(capsys):
    check_closed("0.0.0.0", SimpleNamespace(auth_enabled=True))
    assert capsys.readouterr().err == f"vgglab: {OPEN}\n"
    with pytest.raises(InputError, match="needs a token or a password. Received: '0.0.0.0'"):
        check_closed("0.0.0.0", SimpleNamespace(auth_enabled=False))


def test_the_policy_names_no_host():
    directives = dict(each.split(" ", 1) for each in POLICY.split("; "))
    sources = {source for each in directives.values() for source in each.split()}
    assert sources <= {"'self'", "'none'", "'unsafe-inline'", "'unsafe-eval'", "data:", "blob:"}
    assert directives["default-src"] == "'self'" and "data:" not in directives["script-src"]
    assert not re.search(r"https?:|\*", POLICY)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        ["lab", "--ip=0.0.0.0", "--IdentityProvider.token="],
        ["lab", "--ServerApp.ip=", "--IdentityProvider.token="],
        ["dashboard", "--ip=0.0.0.0", "--token="],
        ["dashboard", "--ip=::", "--Voila.token="],
    ],
    ids=" ".join,
)
def test_no_server_that_others_reach_starts_without_a_token(options):
    command = [sys.executable, "-m", "vgglab", *options, "--no-browser", f"--port={free_port()}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "vgglab: A server that other machines can reach needs a token" in done.stderr
    assert "Traceback" not in done.stderr
