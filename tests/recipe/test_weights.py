"""The weights that are shipped: that they are whole, say where they come from, and carry over."""

import json

import numpy as np
import pytest

from recipe.pretraining import Recipe
from recipe.source_task import CLASS_NAMES, draw_source
from vgglab.datasets import draw_blossoms, load
from vgglab.weights import PRETRAINED, PROVENANCE, SOURCE_HEAD

MAX_BYTES = 4_000_000


def test_the_files_are_small_and_hold_numbers():
    assert PRETRAINED.stat().st_size + SOURCE_HEAD.stat().st_size < MAX_BYTES
    head = np.load(SOURCE_HEAD, allow_pickle=False)
    assert head["kernel"].shape == (128, len(CLASS_NAMES)) and head["bias"].shape == (len(CLASS_NAMES),)
    assert np.isfinite(head["kernel"]).all()


def test_the_provenance_is_of_this_recipe_and_these_classes():
    provenance = json.loads(PROVENANCE.read_text())
    assert provenance["recipe"] == json.loads(json.dumps(vars(Recipe())))
    assert provenance["class_names"] == list(CLASS_NAMES)
    assert provenance["images_seen"] == len(CLASS_NAMES) * Recipe.images * len(Recipe.sizes)
    assert {"keras", "tensorflow", "numpy"} <= set(provenance["versions"])


def test_the_source_accuracy_is_as_stated():
    """On pictures of another seed, with plain NumPy and the network as it is used everywhere else."""
    from vgglab import Experiment
    from vgglab.datasets import Split
    from vgglab.engine.control import Control
    from vgglab.engine.lending import borrowed
    from vgglab.measures.evaluation import outputs

    labels = np.repeat(np.arange(len(CLASS_NAMES)), 2)
    pictures = Split(np.concatenate([draw_source(name, 2, 64, seed=11) for name in CLASS_NAMES]), labels)
    with borrowed(Experiment(), 2) as network:
        _, pooled = outputs(network.predict(0), pictures, Control())
    head = np.load(SOURCE_HEAD)
    accuracy = np.mean((pooled[-1] @ head["kernel"] + head["bias"]).argmax(1) == labels)
    stated = json.loads(PROVENANCE.read_text())["source_accuracy"]
    assert accuracy == pytest.approx(stated, abs=4 * np.sqrt(stated * (1 - stated) / len(labels)))


@pytest.mark.slow
def test_they_carry_over_to_real_photographs(shared):
    from benchmarks.probe import accuracies

    gains = []
    for data in (draw_blossoms(train_images=40), load(shared / "clothing"), load(shared / "bloodcells")):
        gains.append(np.mean(accuracies(data, "pretrained")) - np.mean(accuracies(data, None)))
        assert gains[-1] > 0, data.name
    assert np.mean(gains) > 0.15
