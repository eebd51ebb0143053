"""The study on a cluster elsewhere: its scheduler and its workers have the package installed, not the recipes."""

import os
import shutil
import subprocess
import sys
import time

import pytest

from recipe.study import schedule
from recipe.study.schedule import PACKAGE, client_of, records_of, send, study
from recipe.study.trial import Trial
from vgglab.experiment import Experiment

pytestmark = pytest.mark.slow


@pytest.fixture
def start(tmp_path):
    """Starts a Dask program by the command line, in a folder where nothing of the project is; ended with the test."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    started = []

    def command(program, *options):
        command = [sys.executable, "-m", f"distributed.cli.dask_{program}", *options]
        command += [
            "--host",
            "127.0.0.1",
            "--no-dashboard",
            "--scheduler-file",
            str(tmp_path / "scheduler.json"),
        ]
        with (tmp_path / "log").open("a") as log:
            process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
        started.append(process)
        return process

    yield command
    for process in reversed(started):
        process.kill()  # a worker that is asked to end may wait long for a scheduler that is ending, too
        process.wait(30)


@pytest.fixture
def address(start, tmp_path):
    """That of a scheduler in a process of its own."""
    import json

    scheduler, file = start("scheduler", "--port", "0"), tmp_path / "scheduler.json"
    for _ in range(120):
        if file.is_file() and (written := file.read_text()):
            return json.loads(written)["address"]
        assert scheduler.poll() is None, (tmp_path / "log").read_text()
        time.sleep(0.25)
    pytest.fail((tmp_path / "log").read_text())


def a_worker(start):
    return start("worker", "--nthreads", "1", "--no-nanny", "--local-directory", "scratch")


def trial(seed):
    return Trial("twins", Experiment(seed=seed))


def which_recipe():
    """A run that trains nothing and notes who ran it, from which files; made here, so that it is sent whole."""

    def run(one):
        import os

        from recipe.study import tasks, trial
        from vgglab.history import History

        history = History(one.experiment, dict(process=os.getpid(), file=trial.__file__))
        return trial.Record(history, dict(tasks=len(tasks.TASKS))).to_lines()

    return run


def test_it_is_sent_the_recipes_and_so_is_a_worker_that_joins_later(address, start, tmp_path, monkeypatch):
    monkeypatch.setattr(schedule, "run", which_recipe())
    folder, planned = tmp_path / "records", [trial(seed) for seed in range(3)]
    first = a_worker(start)
    with client_of(address, 1) as client:
        assert study(client, planned[:2], folder) == {}
        first.kill()
        first.wait(30)
        second = a_worker(start)
        assert study(client, planned, folder) == {}
    data = [record.history.data for record in records_of(planned, folder).values()]
    assert [each["process"] for each in data] == [first.pid, first.pid, second.pid]
    for each in data:
        assert str(tmp_path / "scratch") in each["file"] and ".zip" in each["file"]


def test_a_newer_recipe_takes_the_place_of_the_one_sent_before(address, start, tmp_path):
    a_worker(start)
    newer = tmp_path / "newer" / "recipe"
    shutil.copytree(PACKAGE, newer)
    with (newer / "study" / "tasks.py").open("a") as file:
        file.write('TASKS["one more"] = TASKS["5 a species"]\n')

    def tasks():
        from recipe.study.tasks import TASKS

        return sorted(TASKS)

    with client_of(address, 1) as client:
        client.wait_for_workers(1)
        before = client.submit(tasks, pure=False).result()
        send(client, newer)
        assert set(client.submit(tasks, pure=False).result()) - set(before) == {"one more"}
