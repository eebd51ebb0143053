"""What a fork is given: a workflow, a container, an environment for Binder. They are read; nothing here runs them."""

import json
import re
import shlex

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from conftest import ROOT
from test_environment import PROJECT, PYPROJECT
from vgglab.cli import _parser

WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
STEPS = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
LINES = [line.split(maxsplit=1) for line in DOCKERFILE.splitlines() if re.match("[A-Z]+ ", line)]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def given(instruction):
    return [rest for name, rest in LINES if name == instruction]


def test_the_workflow_calls_targets_that_exist():
    called = [word for step in STEPS for word in re.findall(r"\bmake ([a-z-]+)", step.get("run", ""))]
    assert {"env", "test", "html"} <= set(called) <= TARGETS
    assert WORKFLOW["jobs"]["course"]["steps"][-1]["with"]["path"] == "build/html"


def test_the_workflow_tests_every_python_that_is_supported():
    versions = WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"]
    supported = SpecifierSet(PROJECT["requires-python"])
    assert versions == [f"3.{minor}" for minor in range(30) if f"3.{minor}" in supported]


def test_the_workflow_pins_its_actions_and_may_do_little():
    assert all(re.search(r"@v\d+$", step["uses"]) for step in STEPS if "uses" in step)
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] <= 120 for job in WORKFLOW["jobs"].values())


def test_once_a_week_the_newest_versions_are_tried():
    """YAML takes the key `on` for true."""
    assert re.fullmatch(r"\d+ \d+ \* \* \d", WORKFLOW[True]["schedule"][0]["cron"])
    assert "schedule" in WORKFLOW["env"]["LOCK"] and "requirements.lock" in WORKFLOW["env"]["LOCK"]
    asked = re.search(r"--editable '\.\[(.+)\]'", (ROOT / "Makefile").read_text())[1].split(",")
    assert asked == sorted(PROJECT["optional-dependencies"])


def test_the_container_does_not_run_as_root():
    (user,) = given("USER")
    assert f"useradd --create-home --uid 1000 {user}" in DOCKERFILE
    after = DOCKERFILE.index(f"USER {user}")
    assert all(DOCKERFILE.index(f"\n{each}") > after for each in ("CMD", "EXPOSE", "VOLUME"))
    assert not re.search(r"^(RUN|COPY|ADD)", DOCKERFILE[after:], re.MULTILINE)


def test_the_container_gets_all_that_the_wheel_is_made_of():
    copied = {word.removeprefix("./") for line in given("COPY") for word in line.split()[:-1]}
    assert all((ROOT / name).exists() for name in copied)
    needed = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    allowed = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    assert {name.split("/")[0] for name in needed} | {"vgglab", "pyproject.toml", "README.md"} <= copied
    assert set(needed) <= allowed and copied - {"data"} <= allowed


@pytest.mark.parametrize(
    "command", [*given("CMD"), '["vgglab", "dashboard", "--no-browser", "--ip=0.0.0.0"]']
)
def test_the_commands_of_the_container_are_commands(command):
    program, *arguments = json.loads(command)
    assert program == "vgglab" and "--ip=0.0.0.0" in arguments
    options, rest = _parser().parse_known_args(arguments)
    assert callable(options.run) and rest == ["--no-browser", "--ip=0.0.0.0"]
    assert shlex.join(["vgglab", "dashboard", "--no-browser", "--ip=0.0.0.0"]) in DOCKERFILE


def test_binder_copies_the_project_before_it_installs():
    """repo2docker does where a requirement is a path, as "." is."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = [each["pip"] for each in environment["dependencies"] if isinstance(each, dict)]
    assert "--editable ." in pip
    assert not (ROOT / "binder").exists(), "or environment.yml would not be read"


def test_every_test_that_the_table_of_stages_names_is_there():
    table = (ROOT / "docs" / "stages.md").read_text()
    tests = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    assert set(re.findall(r"\btest_\w+", table)) <= tests
    assert "def test_users_share" in (ROOT / "tests" / "test_wheel.py").read_text()
