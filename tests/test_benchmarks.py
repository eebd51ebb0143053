"""That the comparison of `make bench` is fair, and that README states what it measured."""

import importlib.util

import pytest

from benchmarks.__main__ import HERE, Row, load, table
from benchmarks.contestants import CLASSES, SIZE, plain_keras, plain_pytorch
from benchmarks.pages import fit
from conftest import ROOT
from vgglab.experiment import Experiment
from vgglab.network import build_model


def trainable(model) -> int:
    return sum(variable.value.numpy().size for variable in model.trainable_variables)


@pytest.mark.parametrize("backbone", ["vgg16", "vgg16-mini"])
@pytest.mark.parametrize("unfreeze", [0, 3, 13])
def test_plain_keras_trains_the_same_numbers(backbone, unfreeze):
    experiment = Experiment(backbone=backbone, weights=None, image_size=SIZE, unfreeze=unfreeze)
    ours, theirs = build_model(experiment, CLASSES), plain_keras(backbone, unfreeze)
    assert trainable(ours) == trainable(theirs) and ours.count_params() == theirs.count_params()


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_pytorch_trains_the_same_numbers():
    ours = trainable(build_model(Experiment(weights=None, image_size=SIZE, unfreeze=13), CLASSES))
    assert sum(weight.numel() for weight in plain_pytorch().parameters()) == ours


def test_a_row_is_its_median_and_spread():
    row = Row("this", "≥ 2 ×", "×", [3.0, 1.0, 250.0])
    assert table([row]).splitlines()[-1] == "| this | ≥ 2 × | 3.00 × | 1.00 – 250 |"
    assert "not measured" in table([Row("that", "", "×", [])])


def test_the_pages_that_a_machine_has_room_for():
    """Beside 1 GB for the system and half a GB for the server, pages of 0.75 GB each."""
    assert [fit(memory, 512, 0.75) for memory in (4, 8, 1.5)] == [3, 8, 0]


@pytest.mark.parametrize("results", ["results.json", "dashboard.json", "pages.json"])
def test_readme_states_what_was_measured(results):
    assert table(load(HERE / results)) in (ROOT / "README.md").read_text(encoding="utf-8")
