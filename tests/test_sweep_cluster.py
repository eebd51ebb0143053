"""A sweep on Dask: on threads of this process, on worker processes that are killed, and on workers elsewhere."""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pandas as pd
import pytest

from test_store import PLAIN, same
from vgglab import cluster
from vgglab.cluster import check_shared, check_workers, client_of, facts_of, outcomes, sees, time_left
from vgglab.combinations import grid
from vgglab.datasets import Split, load_for
from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.share.store import MODEL, read_run
from vgglab.stored.stored_rows import Rows
from vgglab.sweeping import sweep
from vgglab.training import train

SHORT = dataclasses.replace(PLAIN, epochs=2)
LONG = Experiment(backbone="vgg16-micro", weights=None, image_size=32, unfreeze=13, epochs=15)


@pytest.fixture(scope="module")
def here():
    """A client of a worker in this process."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(1, threads_per_worker=1, processes=False, dashboard_address=None) as local,
        Client(local) as client,
    ):
        yield client


def quiet(sentence):
    pass


# The machinery


def test_outcomes_come_by_their_keys_and_what_fails_is_an_exception(here):
    arguments = {f"outcomes-{each}": (12, each) for each in (3, 0, 4)}
    found = dict(outcomes(here, divmod, arguments, retries=0))
    assert found["outcomes-3"] == (4, 0) and found["outcomes-4"] == (3, 0)
    assert isinstance(found["outcomes-0"], ZeroDivisionError)


def test_the_time_that_is_left():
    assert time_left(30, 3, 5) == "about 50 s left" and time_left(600, 2, 4) == "about 20 min left"
    assert time_left(30, 3, 0) == time_left(0, 0, 7) == ""


def test_a_worker_that_differs_is_named(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.png").write_bytes(b"12")
    paths = (str(tmp_path / "a"), str(tmp_path / "weights.h5"))
    mine = cluster.facts_of.__wrapped__(paths)
    check_shared(mine, cluster.facts_of.__wrapped__(paths))
    assert mine.found[paths[1]] == "not there" and mine.found[paths[0]].startswith("a folder of 1 file")
    (tmp_path / "a" / ".DS_Store").touch()  # of the system, no image
    assert cluster.facts_of.__wrapped__(paths) == mine
    for change in (
        lambda: (tmp_path / "a" / "two.png").touch(),
        lambda: (tmp_path / "a" / "one.png").write_bytes(b"1"),
        lambda: (tmp_path / "a" / "one.png").rename(tmp_path / "a" / "1.png"),
        lambda: shutil.rmtree(tmp_path / "a"),
    ):
        change()
        other = cluster.facts_of.__wrapped__(paths)
        with pytest.raises(
            InputError, match="All workers must .* Received: on worker w .*a is .*, and here it is"
        ):
            check_shared(mine, other, "worker w")
        mine = other
    older = dataclasses.replace(mine, found=mine.found | {"vgglab": "0.0.9 (12345678)"})
    with pytest.raises(InputError, match="on this worker vgglab is 0.0.9 .12345678., and here it is 0.1"):
        check_shared(mine, older)


def test_workers_are_asked_before_anything_runs(here, monkeypatch, tmp_path):
    assert check_workers(here, []).paths == () and sees(here, tmp_path) and not any(tmp_path.iterdir())
    found = dict(facts_of(()).found)
    monkeypatch.setattr(type(here), "run", lambda self, ask: {"tcp://w": found | dict(keras="1.0")})
    with pytest.raises(InputError, match="Received: on worker tcp://w keras is 1.0, and here it is"):
        check_workers(here, [])


def test_other_pythons_no_worker_and_no_vgglab_are_said(monkeypatch):
    class Asked:
        """Stands for the client of a cluster as it is set up below."""

        python, answer, waits = sys.version, {}, True

        def wait_for_workers(self, count, timeout):
            if not self.waits:
                raise TimeoutError

        def get_versions(self):
            return dict(workers={"tcp://w": dict(host=dict(python=self.python))})

        def run(self, ask):
            return self.answer

    asked = Asked()
    asked.waits = False
    with pytest.raises(InputError, match="The Dask scheduler has no worker. Start one on each machine"):
        check_workers(asked, [])
    asked.waits, asked.python = True, "3.9.1.final.0"
    with pytest.raises(
        InputError, match=r"must have Python 3.1\d. Received: worker tcp://w with Python 3.9.1"
    ):
        check_workers(asked, [])
    asked.python, asked.answer = (
        ".".join(map(str, sys.version_info[:3])),
        {"tcp://w": "No module named 'vgglab'"},
    )
    with pytest.raises(
        InputError, match="Each worker needs vgglab 0.1.* Received: worker tcp://w, No module"
    ):
        check_workers(asked, [])


def test_dask_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    for place, what in (
        (dict(scheduler="tcp://h:1", workers=1), "scheduler"),
        (dict(scheduler=None, workers=2), "workers"),
    ):
        with (
            pytest.raises(InputError, match=f"`{what}` needs Dask, which is not installed. `pip install"),
            client_of(**place),
        ):
            pass


@pytest.mark.parametrize("address", ["nowhere://1:1", "127.0.0.1:1", ""])
def test_no_scheduler_there(address, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    with pytest.raises(InputError, match="No Dask scheduler answers at"), client_of(address, 1):
        pass


# Sweeps


def test_workers_that_see_the_folder_train_in_it(here, tiny, tmp_path):
    settings = grid(SHORT, unfreeze=[0, 1])
    table = sweep(settings, tiny, 2, here, out=tmp_path, say=quiet)
    alone = sweep(settings, tiny, 2, say=quiet)
    timeless = ["seconds", "runs"]
    pd.testing.assert_frame_equal(table.drop(columns=timeless), alone.drop(columns="seconds"))
    assert (tmp_path / "run-1" / MODEL).is_file()
    said = []
    sweep(settings, tiny, 2, here, out=tmp_path, say=said.append)
    assert said == ["4 runs: 2 settings, 2 seeds each. Done already: 4."]


def test_workers_that_do_not_see_it_send_their_runs(here, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("vgglab.sweep_going.sees", lambda client, folder: False)
    said = []
    sweep(grid(SHORT, unfreeze=[0, 1]), tiny, 1, here, out=tmp_path, say=said.append)
    assert "The workers do not see" in said[1]
    for name, depth in (("run-1", 0), ("run-2", 1)):
        stored = read_run(tmp_path / name)
        assert (
            stored.is_finished and stored.experiment.unfreeze == depth and (tmp_path / name / MODEL).is_file()
        )
    assert same(read_run(tmp_path / "run-2").history, train(dataclasses.replace(SHORT, unfreeze=1), tiny))


def test_images_in_a_file_of_this_machine_are_not_sent(here, tiny, tmp_path):
    far = dataclasses.replace(tiny, train=Split(Rows(tiny.train.images), tiny.train.labels))
    with pytest.raises(
        InputError, match="The images of tiny are in a file of this machine.* Leave `data` out"
    ):
        sweep(SHORT, far, 1, here, out=tmp_path / "a", say=quiet)
    assert not (tmp_path / "a").exists()


def test_a_run_that_fails_on_a_worker_leaves_the_others_alone(here, tiny, tmp_path, monkeypatch):
    from vgglab import sweep_run

    right = sweep_run.train

    def fails(experiment, *args, **options):
        if experiment.unfreeze == 1:
            raise RuntimeError("this one never works")
        return right(experiment, *args, **options)

    monkeypatch.setattr(sweep_run, "train", fails)
    with pytest.warns(UserWarning, match="1 run failed, such as unfreeze depth 1, seed 0: .*never works"):
        table = sweep(grid(SHORT, unfreeze=[1, 0]), tiny, 1, here, out=tmp_path, say=quiet)
    assert table["seeds"].tolist() == [0, 1]


@pytest.mark.slow
def test_a_lost_worker_loses_no_finished_run_and_another_goes_on_where_it_was(tmp_path):
    """Of two worker processes the one that trains is killed within its run."""
    short, before = dataclasses.replace(LONG, epochs=1), []
    with client_of(None, 2) as client:
        sweep(short, None, 1, client, out=tmp_path, say=quiet)
        finished = (tmp_path / "run-1" / "history.jsonl").stat().st_mtime_ns

        def kill():
            record = tmp_path / "run-2" / "history.jsonl"
            while not record.exists() or len((found := read_run(record.parent).history).epochs) < 3:
                time.sleep(0.1)
            busy = [address for address, keys in client.processing().items() if keys]
            (process,) = client.run(os.getpid, workers=busy).values()
            before.append(found)
            os.kill(process, signal.SIGKILL)

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        table = sweep([short, LONG], None, 1, client, out=tmp_path, say=quiet)
        killer.join(10)
    assert table["seeds"].tolist() == [1, 1] and table["runs"].tolist() == ["run-1", "run-2"]
    assert (tmp_path / "run-1" / "history.jsonl").stat().st_mtime_ns == finished
    (known,), after = before, read_run(tmp_path / "run-2")
    assert after.is_finished and len(after.history.epochs) == LONG.epochs > len(known.epochs)
    assert after.history.epochs[0]["seconds"] == known.epochs[0]["seconds"], (
        "it went on, and did not begin anew"
    )


@contextmanager
def program(name, folder, *options):
    """A Dask program of the command line, in a folder where nothing of the project is; ended with the block."""
    command = [sys.executable, "-m", f"distributed.cli.dask_{name}", *options]
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            [*command, "--no-dashboard", "--scheduler-file", str(folder / "scheduler.json")],
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)


@pytest.mark.slow
def test_on_a_scheduler_elsewhere_by_the_command(tmp_path, capsys, monkeypatch):
    """Without a worker it says so; with one it sweeps, from a folder that is named from the present one on."""
    import json

    from vgglab.cli import main

    data = load_for(Experiment(image_size=32))
    for label, name in enumerate(data.class_names[:2]):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number, image in enumerate(data.train.images[data.train.labels == label][:10]):
            from PIL import Image

            Image.fromarray(image).save(tmp_path / "photos" / name / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with program("scheduler", elsewhere, "--port", "0", "--host", "127.0.0.1") as scheduler:
        for _ in range(240):
            if (elsewhere / "scheduler.json").is_file():
                break
            assert scheduler.poll() is None, (elsewhere / "log").read_text()
            time.sleep(0.25)
        time.sleep(0.5)
        address = json.loads((elsewhere / "scheduler.json").read_text())["address"]
        command = ["sweep", "--scheduler", address, "--data", "photos", "--image-size", "32", "--epochs", "1"]
        command += ["--batch-size", "8", "--unfreeze", "0,1", "--seeds", "2", "--out", "swept"]
        monkeypatch.setattr(cluster, "PATIENCE", 10)
        monkeypatch.setattr(cluster.check_workers, "__defaults__", (2,))
        assert main(command) == 2 and "The Dask scheduler has no worker" in capsys.readouterr().err
        monkeypatch.setattr(cluster.check_workers, "__defaults__", (60,))
        with program("worker", elsewhere, "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1"):
            assert main(command) == 0
    printed = capsys.readouterr().out
    assert (
        "4 runs: 2 settings, 2 seeds each." in printed and "Written to swept: sweep.csv, sweep.png" in printed
    )
    assert read_run(tmp_path / "swept" / "run-1").experiment.dataset == str(tmp_path / "photos")
