"""A field of an experiment is one record: with it the field is everywhere, and it stands nowhere else."""

import shutil
import subprocess
import sys

import pytest

from conftest import ROOT

MADE_UP = """
    sharpness: float = _field(
        0.0,
        Number(low=0, high=1, stops=(0, 0.5), off=0, label="Sharpness", help="made up", role="{role}", holds_back=True),
    )
    later: tuple[Experiment, ...] = ()
"""
LOOK = """
import io, contextlib, tempfile
import numpy as np
from vgglab.cli import main
from vgglab.datasets import Dataset, Split
from vgglab.engine.objective import OBJECTIVE
from vgglab.engine.cache import FeatureCache
from vgglab.engine.control import Control
from vgglab.experiment import Experiment, brakes, of_role, what_changed
from vgglab.network import build_model
from vgglab.panel.controls import Controls
from vgglab.panel.table import compare
from vgglab.share.card import run_card
from vgglab.share.script import script
from vgglab.history import History
from vgglab.training import train

role = "{role}"
sharp = Experiment(image_size=32, unfreeze=0, epochs=1, batch_size=4, sharpness=0.5, augment="flip", views=1)
assert sharp.to_dict()["sharpness"] == 0.5 and Experiment.from_dict(sharp.to_dict()) == sharp
assert "sharpness" in brakes(sharp) and of_role(sharp, role)["sharpness"] == 0.5
assert what_changed(Experiment(), Experiment(sharpness=0.5)) == ["Sharpness on"]
try: Experiment(sharpness=2)
except ValueError as error: assert "`sharpness` must be 0 to 1. Received: 2." in str(error)
else: raise AssertionError

said = io.StringIO()
with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
    main(["train", "--help"])
assert "--sharpness NUMBER" in said.getvalue() and "made up" in said.getvalue()

controls = Controls(Experiment())
controls.widgets["sharpness"].value = 0.5
assert controls.experiment == Experiment(sharpness=0.5)
assert controls.widgets["sharpness"].labels == ["off", "0.5"]

assert "sharpness=0.5" in script(sharp) and "Sharpness" in run_card(History(sharp), "a run")
assert compare(dict(a=History(sharp), b=History(Experiment())))["Sharpness"].tolist() == ["0.5", "0"]

images, labels = np.random.default_rng(0).integers(0, 255, (8, 32, 32, 3), dtype=np.uint8), np.arange(8) % 2
data = Dataset("noise", ("a", "b"), Split(images, labels), Split(images, labels))
cache = FeatureCache(folder=tempfile.mkdtemp())
def keys(phase):
    train(phase, data, cache=cache)
    return set(cache._arrays)
before = keys(sharp)
after = keys(Experiment.from_dict(sharp.to_dict() | dict(sharpness=0.0)))
assert (after != before) == (role == "images"), "only what changes the images makes other features"
assert ("sharpness" in OBJECTIVE) == (role == "objective")
"""


@pytest.mark.slow
@pytest.mark.parametrize("role", ["objective", "images", "schedule"])
def test_a_made_up_field_is_everywhere_once_it_has_its_record(tmp_path, role):
    package = tmp_path / "vgglab"
    shutil.copytree(ROOT / "vgglab", package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "data").symlink_to(ROOT / "data")
    place, source = package / "experiment.py", (package / "experiment.py").read_text()
    before = "    later: tuple[Experiment, ...] = ()\n"
    assert source.count(before) == 1
    place.write_text(source.replace(before, MADE_UP.lstrip("\n").format(role=role)))
    (tmp_path / "look.py").write_text(LOOK.replace("{role}", role))
    done = subprocess.run(
        [sys.executable, "look.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_label_smoothing_stands_in_three_files_of_the_source():
    """The record, the objective's formula, and the line of the exported script."""
    sources = [*(ROOT / "vgglab").rglob("*.py"), *(ROOT / "vgglab").rglob("*.jinja")]
    holding = {path.name for path in sources if "label_smoothing" in path.read_text(encoding="utf-8")}
    assert holding == {"experiment.py", "objective.py", "phase.py.jinja"}
