"""One set of pinned packages, however the environment is made; and what is installed without a checkout."""

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile

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


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The wheel and the source archive, made by the backend that pip would call."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,), (archive,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, archive


def files_below(*folders):
    return {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and ".ipynb_checkpoints" not in path.parts
    }


def test_the_wheel_has_the_package_with_its_data_and_no_recipe(built):
    wheel, _ = built
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    data = files_below("data/blossoms", "data/studies", "data/weights", "data/source_task")
    assert held == files_below("vgglab") | {f"vgglab/{name}" for name in data}
    assert wheel.stat().st_size < 12e6, "quick to fetch, with the weights in it"


def test_what_is_installed_from_the_wheel_finds_its_data(built, tmp_path):
    with zipfile.ZipFile(built[0]) as archive:
        archive.extractall(tmp_path)
    code = (
        "from vgglab import load; from vgglab.weights import PRETRAINED; from vgglab.studies import FOLDER; "
        "print(PRETRAINED, FOLDER, len(load('blossoms').train), sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    weights, tables, images = done.stdout.splitlines()
    assert weights == str(tmp_path / "vgglab" / "data" / "weights" / "vgg16-mini.weights.h5")
    assert tables == str(tmp_path / "vgglab" / "data" / "studies") and images == "160"


def test_the_source_archive_has_the_recipes_the_course_and_the_tests(built):
    with tarfile.open(built[1]) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert files_below("vgglab", "data", "notebooks", "tests") <= held
    assert {"Makefile", "requirements.lock", "CONTRIBUTING.md", "CHANGELOG.md"} <= held
