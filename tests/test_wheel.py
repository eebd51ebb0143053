"""What is installed without a checkout: the wheel, in an environment of its own, with nothing else of the project."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import urllib.request
import venv
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import ROOT, free_port, printed_address, serve
from vgglab.course.copying import FIRST_NOTEBOOK

NOBODY = (65534, 65533)  # two users without rights


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


def test_the_wheel_has_the_package_with_its_data_and_the_course_and_no_recipe(built):
    wheel, _ = built
    with zipfile.ZipFile(wheel) as archive:
        held = {
            name
            for name in archive.namelist()
            if ".dist-info/" not in name and ".ipynb_checkpoints" not in name
        }
    data = files_below("data/blossoms", "data/studies", "data/weights", "data/source_task")
    course = {f"vgglab/course/{name}" for name in files_below("notebooks")}
    assert held == files_below("vgglab") | {f"vgglab/{name}" for name in data} | course
    assert wheel.stat().st_size < 12e6, "quick to fetch, with the weights in it"


def test_the_source_archive_has_the_recipes_the_course_and_the_tests(built):
    with tarfile.open(built[1]) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert files_below("vgglab", "data", "notebooks", "tests") <= held
    assert {"Makefile", "requirements.lock", "CONTRIBUTING.md", "CHANGELOG.md"} <= held


def test_the_source_archive_makes_the_same_wheel(built, tmp_path):
    wheel, archive = built
    with tarfile.open(archive) as sources:
        sources.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=unpacked, check=True, capture_output=True)
    (again,) = tmp_path.glob("*.whl")
    contents = []
    for path in (wheel, again):
        with zipfile.ZipFile(path) as files:
            contents.append(
                {name: files.read(name) for name in files.namelist() if "checkpoints" not in name}
            )
    assert contents[0] == contents[1]


@pytest.fixture(scope="module")
def environment(built):
    """A new environment in which the wheel is installed, beside links to what it depends on; it has no checkout."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)  # for other users, too
        home = Path(name) / "env"
        venv.create(home, with_pip=False, symlinks=True)
        (packages,) = home.glob("lib/python*/site-packages")
        for path in Path(sysconfig.get_path("purelib")).iterdir():
            if "vgglab" not in path.name and path.name != "__pycache__":
                (packages / path.name).symlink_to(path)
        for folder in ("share", "etc"):
            if (Path(sys.prefix) / folder).is_dir():
                (home / folder).symlink_to(Path(sys.prefix) / folder)
        with_pip = [sys.executable, "-m", "pip", "--python", home / "bin" / "python", "install"]
        subprocess.run([*with_pip, "--no-deps", "--no-index", built[0]], check=True, capture_output=True)
        yield home


def own_python(environment):
    return [environment / "bin" / "python", "-I"]  # neither the present folder nor $PYTHONPATH


def vgglab_there(environment, *arguments, cwd, **more):
    return subprocess.run(
        [environment / "bin" / "vgglab", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=500,
        **more,
    )


@pytest.mark.slow
def test_what_is_installed_finds_its_data(environment, tmp_path):
    code = (
        "import vgglab; from vgglab import load; from vgglab.studies import FOLDER; "
        "from vgglab.course.copying import course_folder; "
        "print(vgglab.__file__, FOLDER, course_folder(), len(load('blossoms').train), sep='\\n')"
    )
    done = subprocess.run(
        [*own_python(environment), "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert not done.returncode, done.stderr
    package, tables, course, images = done.stdout.splitlines()
    there = Path(package).parent
    assert there.is_relative_to(environment), "nothing of the checkout"
    assert (Path(tables), Path(course), images) == (there / "data/studies", there / "course/notebooks", "160")


@pytest.mark.slow
def test_one_command_in_an_empty_folder_runs_lessons(environment, tmp_path):
    done = vgglab_there(environment, "course", "--run", "--lessons", "00,09", "--out", "out", cwd=tmp_path)
    assert not done.returncode, done.stdout + done.stderr
    assert re.fullmatch(r"(0[09]_\w+:  ?\d+ s\n){2}", done.stdout)
    (only,) = tmp_path.iterdir()
    assert len(list(only.glob("*.ipynb"))) == 2


@contextmanager
def served(environment, target, folder):
    port = free_port()
    command = [environment / "bin" / "vgglab", target, "--no-browser", f"--port={port}"]
    process = serve(command, folder / "runtime", cwd=folder / "own")
    try:
        yield printed_address(process, folder / "runtime", port)
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.slow
def test_one_command_in_an_empty_folder_opens_the_course(environment, tmp_path):
    (tmp_path / "own").mkdir()
    with served(environment, "lab", tmp_path) as address:
        page, token = address.split("?token=")
        assert page.endswith(f"/lab/tree/{FIRST_NOTEBOOK}")
        contents = f"{page.split('/lab')[0]}/api/contents/{FIRST_NOTEBOOK}?token={token}"
        with urllib.request.urlopen(contents) as answer:
            assert answer.status == 200
    assert (tmp_path / "own" / FIRST_NOTEBOOK).is_file() and (tmp_path / "own" / "checks").is_dir()


@pytest.mark.slow
def test_one_command_in_an_empty_folder_serves_the_dashboard(environment, tmp_path):
    (tmp_path / "own").mkdir()
    with served(environment, "dashboard", tmp_path) as address, urllib.request.urlopen(address) as answer:
        assert answer.status == 200 and "vgglab" in answer.read().decode()


@pytest.mark.slow
@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may become somebody else"
)
def test_users_share_an_install_that_none_of_them_may_write_to(environment):
    """As on a JupyterHub: each has a home, and in it a cache."""
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        for user in NOBODY:
            home = Path(place) / str(user)
            home.mkdir(mode=0o700)
            os.chown(home, user, user)
            who = dict(
                user=user, group=user, extra_groups=[], env={"HOME": str(home), "PATH": os.environ["PATH"]}
            )
            try:
                subprocess.run([*own_python(environment), "-c", "import keras"], cwd=home, check=True, **who)
            except (PermissionError, subprocess.CalledProcessError):
                pytest.skip("Python or its packages are in a folder that others may not read")
            for arguments in (
                ["course"],
                ["train", "--image-size", "32", "--images-a-class", "5", "--epochs", "1", "--out", "run"],
                ["predict", "run", "photo.png"],
            ):
                if arguments[0] == "predict":
                    write_photo(home / "photo.png")
                done = vgglab_there(environment, *arguments, cwd=home, **who)
                assert not done.returncode, done.stdout + done.stderr
            assert (home / "vgglab-course" / FIRST_NOTEBOOK).is_file() or (home / FIRST_NOTEBOOK).is_file()
            assert all(path.stat().st_uid in (user, 0) for path in home.rglob("*"))


def write_photo(path):
    shutil.copy(next((ROOT / "data" / "blossoms").rglob("*.png")), path)
