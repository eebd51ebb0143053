import importlib.metadata
import os
import subprocess
import sys

import pytest
from packaging.requirements import Requirement

from conftest import ROOT
from test_environment import PROJECT
from vgglab.checkup import NEWEST, OLDEST, check_setup


def asked(**changed):
    """Versions as they are installed, but for some."""

    def version(name):
        found = changed.get(name, importlib.metadata.version(name))
        if found is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return found

    return check_setup(version)


def test_this_machine_is_fine():
    found = check_setup()
    assert [point.what for point in found if point.mend and point.what != "processor cores"] == []


@pytest.mark.parametrize(
    ("changed", "found", "remedy"),
    [
        (dict(seaborn=None), "seaborn: missing", "`make env` installs it, or: pip install"),
        (dict(keras="2.15.0"), "keras: 2.15.0", "Needed: 3.15 or newer. `make env` installs it"),
        (dict(ipykernel="7.0.1"), "ipykernel: 7.0.1", "Needed: 6.29 or newer, not 7.0.*."),
        (dict(numpy="a version of nobody's"), "numpy: a version of nobody's", "Needed: 2.0 or newer."),
    ],
)
def test_what_is_missing_old_or_broken_is_named_with_a_remedy(changed, found, remedy):
    setup = asked(**changed)
    assert not setup.fine and f"✗ {found}\n    {remedy}" in repr(setup)


@pytest.mark.parametrize("newer", ["99.1", "99.1rc1", "99.1+local"])
def test_a_newer_version_of_any_kind_will_do(newer):
    (keras,) = [point for point in asked(keras=newer) if point.what == "keras"]
    assert (keras.found, keras.mend) == (newer, "")


def test_it_looks_at_what_the_project_requires_and_at_no_extra():
    wanted = {Requirement(each).name for each in PROJECT["dependencies"]}
    extras = {Requirement(each).name for extra in PROJECT["optional-dependencies"].values() for each in extra}
    looked_at = {point.what for point in check_setup()}
    assert wanted <= looked_at and not looked_at & (extras - wanted)


def test_a_requirement_of_another_system_is_left_out():
    lines = ["nowhere>=1; sys_platform == 'none such'", f"pillow>=1; sys_platform == '{sys.platform}'"]
    looked_at = {point.what for point in check_setup(requires=lambda _: lines)}
    assert "pillow" in looked_at and "nowhere" not in looked_at


def test_without_packaging_it_says_so_and_looks_at_the_rest(monkeypatch):
    monkeypatch.setitem(sys.modules, "packaging.requirements", None)
    setup = check_setup()
    assert "✗ packaging: missing, so the other packages were not looked at\n    `make env`" in repr(setup)
    assert {"Python", "flowers", "processor cores"} <= {point.what for point in setup}


def test_a_checkout_that_is_not_installed_is_told_how(tmp_path):
    """Without the environment's packages, and so without the project's own record of what it requires."""
    code = "from vgglab import check_setup; print(check_setup())"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert "✗ vgglab: not installed, so the packages were not looked at" in done.stdout
    assert "pip install --no-deps --editable ." in done.stdout and "✓ flowers: here" in done.stdout


def test_it_asks_for_the_python_that_the_project_asks_for():
    python = Requirement(f"python{PROJECT['requires-python']}").specifier
    for edge, inside in (
        (OLDEST, True),
        (NEWEST, True),
        ((3, OLDEST[1] - 1), False),
        ((3, NEWEST[1] + 1), False),
    ):
        assert (f"{edge[0]}.{edge[1]}" in python) == inside
