import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from conftest import ROOT
from recipe import pretraining
from recipe.pretraining import Recipe, pretrain, rescale
from vgglab.datasets import draw_blossoms
from vgglab.experiment import Experiment
from vgglab.measures.evaluation import evaluate
from vgglab.network import build_base, build_model
from vgglab.weights import PRETRAINED, PROVENANCE, SOURCE_HEAD

TINY = Recipe(images=2, held_out=1, sizes=(32, 32, 64), batch_size=32, warm_up=2)


@pytest.fixture
def little(tmp_path, monkeypatch):
    """Six classes, and places of their own for what is written."""
    monkeypatch.setattr(pretraining, "CLASS_NAMES", pretraining.CLASS_NAMES[::41])
    for name, file in (("PRETRAINED", "w.weights.h5"), ("SOURCE_HEAD", "head.npz"), ("PROVENANCE", "p.json")):
        monkeypatch.setattr(pretraining, name, tmp_path / "out" / file)
    return tmp_path


def written(folder):
    base = build_base("vgg16-mini", 32)
    base.load_weights(folder / "out" / "w.weights.h5")
    return (
        base.get_weights(),
        np.load(folder / "out" / "head.npz"),
        json.loads((folder / "out" / "p.json").read_text()),
    )


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_weights(little, monkeypatch):
    pretrain(TINY, little / "whole")
    weights, head, provenance = written(little)

    epochs, train_epoch = [], pretraining._epoch

    def killed(model, pictures, labels, recipe, epoch, tick):
        if epoch == 2 and epoch not in epochs:
            epochs.append(epoch)
            raise KeyboardInterrupt
        epochs.append(epoch)
        return train_epoch(model, pictures, labels, recipe, epoch, tick)

    monkeypatch.setattr(pretraining, "_epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        pretrain(TINY, little / "parts")
    pretrain(TINY, little / "parts")
    assert epochs == [0, 1, 2, 2]
    again, head_again, provenance_again = written(little)
    for one, other in zip(weights, again, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    np.testing.assert_allclose(head["kernel"], head_again["kernel"], atol=1e-5)
    assert provenance["images_seen"] == provenance_again["images_seen"] == 6 * 2 * 3
    assert provenance["classes"] == 6 and 0 <= provenance["source_accuracy"] <= 1


@pytest.mark.slow
def test_another_recipe_does_not_go_on_from_this_one(little):
    pretrain(TINY, little / "run")
    with pytest.raises(SystemExit, match="holds a run of another recipe"):
        pretrain(Recipe(images=2, held_out=1, sizes=(32,), batch_size=16), little / "run")


def test_the_learning_rate_warms_up_and_falls_to_nothing(little):
    model = pretraining._network(TINY)
    rate = model.optimizer._learning_rate
    steps = len(TINY.sizes) * 1  # six classes of two images are one batch
    assert isinstance(rate, keras.optimizers.schedules.LearningRateSchedule)
    assert float(rate(TINY.warm_up)) == pytest.approx(TINY.learning_rate)
    assert float(rate(0)) == 0 and float(rate(steps)) == pytest.approx(0, abs=1e-9)


def pooled(base, images):
    return np.asarray(base(images.astype("float32"))).mean(axis=(1, 2))


def as_trained():
    """The shipped base and source kernel as training left them, eight times as large and as small."""
    base = build_base("vgg16-mini", 64)
    base.load_weights(PRETRAINED)
    last = base.get_layer("block5_conv3")
    last.set_weights([8 * each for each in last.get_weights()])
    return base, np.load(SOURCE_HEAD)["kernel"] / 8


def test_rescaling_changes_no_output_by_a_bit():
    (base, kernel), (before, _) = as_trained(), as_trained()
    factor, larger = rescale(base, kernel)
    images = draw_blossoms(train_images=2, validation_images=1).train.images
    features, rescaled = pooled(before, images), pooled(base, images)
    assert factor == 8 and np.array_equal(features, 8 * rescaled)
    assert np.array_equal(features @ kernel, rescaled @ larger), "scores of the source head"
    assert 0.5 < np.sqrt(np.mean(rescaled**2)) < 2 < np.sqrt(np.mean(features**2))
    assert rescale(base, larger)[0] == 1, "twice is as once"


def test_what_is_shipped_has_been_through_it():
    base = build_base("vgg16-mini", 64)
    base.load_weights(PRETRAINED)
    assert rescale(base, np.load(SOURCE_HEAD)["kernel"])[0] == 1
    assert json.loads(PROVENANCE.read_text())["divided_by"] == 8


@pytest.mark.parametrize("size", [64, 96])
def test_training_begins_near_the_loss_of_guessing(size):
    data = draw_blossoms(train_images=5, validation_images=1, image_size=size)
    losses = [
        evaluate(build_model(Experiment(image_size=size, seed=seed), 8), data.train)[1] for seed in range(3)
    ]
    assert np.log(8) - 0.3 < np.mean(losses) < 1.5 * np.log(8)


def test_the_step_alone_writes_all_three_files(tmp_path, monkeypatch):
    base, kernel = as_trained()
    bias, shipped = np.load(SOURCE_HEAD)["bias"], json.loads(PROVENANCE.read_text())
    trained = {name: value for name, value in shipped.items() if name != "divided_by"}
    for name in ("PRETRAINED", "SOURCE_HEAD", "PROVENANCE"):
        monkeypatch.setattr(pretraining, name, tmp_path / getattr(pretraining, name).name)
    pretraining._write(base, kernel, bias, trained)
    pretraining.rescale_shipped()
    pretraining.rescale_shipped()
    written = np.load(tmp_path / SOURCE_HEAD.name)
    assert np.array_equal(written["kernel"], np.load(SOURCE_HEAD)["kernel"])
    assert np.array_equal(written["bias"], bias)
    assert json.loads((tmp_path / PROVENANCE.name).read_text()) == shipped
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.slow
@pytest.mark.parametrize("module", ["recipe.pretraining", "recipe.study", "recipe.blossoms"])
def test_what_the_makefile_runs_can_be_run(module):
    assert f"-m {module}" in (ROOT / "Makefile").read_text()
    environment = os.environ | {"PYTHONPATH": str(ROOT / "data")}
    command = [sys.executable, "-m", module, "--help"]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
    assert said.returncode == 0 and "usage" in said.stdout
