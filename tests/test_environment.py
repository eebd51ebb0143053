"""One set of pinned packages, however the environment is made; and what is installed without a checkout."""

import ast
import importlib.metadata
import re
import sys
import tomllib

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from conftest import ROOT

LOCK = [
    Requirement(line)
    for line in (ROOT / "requirements.lock").read_text().splitlines()
    if not line.startswith("#")
]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]


def test_the_lock_pins_every_dependency_within_its_range():
    asked = [
        *PROJECT["dependencies"],
        *(each for extra in PROJECT["optional-dependencies"].values() for each in extra),
    ]
    for requirement in map(Requirement, asked):
        pinned = [each for each in LOCK if each.name == requirement.name]
        assert pinned, f"{requirement.name} is not locked"
        for each in pinned:
            (version,) = [clause.version for clause in each.specifier if clause.operator == "=="]
            assert version in requirement.specifier


def test_conda_installs_the_lock_itself():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = [each["pip"] for each in environment["dependencies"] if isinstance(each, dict)]
    assert pip == ["--requirement requirements.lock", "--editable ."]
    (python,) = [each for each in environment["dependencies"] if str(each).startswith("python=")]
    assert python.removeprefix("python=") in Requirement(f"python{PROJECT['requires-python']}").specifier


def test_the_lock_serves_every_system_and_no_particular_host():
    text = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"://|index-url|file:", text)
    windows = dict(sys_platform="win32", os_name="nt", platform_system="Windows")
    markers = {each.name: each.marker for each in LOCK if each.marker}
    assert markers["pywinpty"].evaluate(windows) and not markers["pywinpty"].evaluate(dict(os_name="posix"))
    assert all(isinstance(marker, Marker) for marker in markers.values())


def test_the_kernel_that_loses_widget_updates_is_excluded():
    (kernel,) = [Requirement(each) for each in PROJECT["dependencies"] if each.startswith("ipykernel")]
    assert "7.0.1" not in kernel.specifier and "7.1.0" in kernel.specifier and "6.30.0" in kernel.specifier


def test_the_wheel_is_built_by_the_version_that_tests_build_it_with():
    assert PYPROJECT["build-system"]["requires"] == [str(each) for each in LOCK if each.name == "hatchling"]


def imported_in(folder):
    """The names of other projects that files below a folder import, without their submodules."""
    names = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
    return {name.split(".")[0] for name in names} - sys.stdlib_module_names


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("vgglab", ["heic", "onnx", "sweep"]),
        ("notebooks", []),
        ("data/recipe", ["sweep"]),
        ("tests", ["heic", "onnx", "sweep", "test"]),
    ],
)
def test_what_is_imported_is_asked_for(folder, extras):
    asked = [
        *PROJECT["dependencies"],
        *(each for extra in extras for each in PROJECT["optional-dependencies"][extra]),
    ]
    names = {canonicalize_name(Requirement(each).name) for each in asked}
    homes = importlib.metadata.packages_distributions()
    imported = {canonicalize_name(home) for name in imported_in(folder) for home in homes.get(name, ())}
    # PyTorch is only measured against, where somebody has it.
    assert imported - names <= {"vgglab", "torch"}
