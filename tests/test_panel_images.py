"""The images of a dashboard's runs: one split for every seed, here and in the next dashboard."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from test_store import same
from vgglab.datasets import load
from vgglab.experiment import Experiment
from vgglab.panel import Dashboard
from vgglab.panel.images import Images
from vgglab.share import run_folder


@pytest.fixture
def undivided(tmp_path):
    """An image folder without a validation part, in which no image is like another."""
    rng = np.random.default_rng(0)
    for label in ("dark", "light"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(20):
            pixels = rng.integers(0, 255, (40, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / label / f"{number}.png")
    return tmp_path / "photos"


def test_all_runs_of_a_dashboard_have_one_split_whatever_their_seed(undivided):
    given = load(undivided, 32, seed=5)
    begun = Experiment(dataset=str(undivided), image_size=32, batch_size=8, seed=5)
    images = Images(given, begun)
    larger = load(undivided, 48, seed=5)
    for seed in (5, 3, 0):
        assert images.fetch(dataclasses.replace(begun, seed=seed), print) is given
    for seed in (3, 0, 5):
        wanted = dataclasses.replace(begun, image_size=48, seed=seed)
        assert images.fetch(wanted, print).fingerprint == larger.fingerprint
        again = Images(given, begun)  # whichever seed is the first to ask for them
        assert again.fetch(wanted, print).fingerprint == larger.fingerprint


@pytest.mark.parametrize("size", [32, 48])
def test_a_run_with_another_seed_goes_on_in_a_new_dashboard(undivided, tmp_path, monkeypatch, size):
    begun = Experiment(dataset=str(undivided), image_size=32, batch_size=8, unfreeze=0)
    monkeypatch.setattr(run_folder._Pace, "due", True)
    runs = tmp_path / "runs"
    first = Dashboard(load(undivided, 32), begun, folder=runs)
    wanted = dataclasses.replace(begun, image_size=size, seed=3, epochs=4)
    first.controls.set(dict(image_size=size, seed=3, epochs=4))
    first.run()
    stopped = first.update
    first.update = lambda history: (stopped(history), first.stop())
    first.start()
    first.join(timeout=60)
    assert first.runs.histories["run 2"].was_cut_short
    first.close()
    second = Dashboard(load(undivided, 32), begun, folder=runs)
    second.controls.set(dict(image_size=size, seed=0, epochs=1))
    second.run()
    second.go_on("run 2")
    second.join(timeout=60)
    assert "others" not in second.verdict.message.value
    assert len(second.history.epochs) == 4 and second.history.experiment == wanted
    assert same(second.runs.histories["run 2"], second.runs.histories["run 1"])
