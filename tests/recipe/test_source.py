import importlib
import pkgutil
import warnings

import numpy as np
import pytest

from recipe import source_task as source
from recipe.source_task import CLASS_NAMES, FAMILIES, draw_source, flowers
from vgglab.datasets.blossoms import SPECIES


def test_there_are_more_than_a_hundred_classes_of_several_families():
    assert len(CLASS_NAMES) == len(set(CLASS_NAMES)) >= 100 and len(FAMILIES) >= 6
    modules = {name for _, name, _ in pkgutil.iter_modules(source.__path__)} - {"canvas"}
    assert {family.__name__.rpartition(".")[2] for family in FAMILIES} == modules


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__.rpartition(".")[2])
def test_every_class_can_be_drawn_and_no_two_are_the_same(family):
    pictures = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, recipe in family.CLASSES.items():
            rng = np.random.default_rng(0)
            drawn = family.draw(recipe, rng, 2, 32)
            assert drawn.shape == (2, 32, 32, 3) and drawn.dtype == np.float32, name
            assert np.isfinite(drawn).all() and drawn.std() > 0.01, name
            pictures[name] = drawn.tobytes()
    assert len(set(pictures.values())) == len(pictures)


def test_pictures_are_determined_by_class_number_and_seed():
    name = CLASS_NAMES[0]
    first = draw_source(name, 60, 32, seed=3)
    assert first.shape == (60, 32, 32, 3) and first.dtype == np.uint8
    assert (draw_source(name, 50, 32, seed=3) == first[:50]).all()
    assert (draw_source(name, 60, 32, seed=4) != first).any() and (first[0] != first[50]).any()


def test_the_flowers_are_none_of_the_data_set():
    apart = [flowers.distance(ours, theirs) for ours in flowers.CLASSES.values() for theirs in SPECIES]
    assert min(apart) >= flowers.NEAREST > 0
    assert flowers.distance(SPECIES[0], SPECIES[0]) == 0


def test_a_larger_picture_shows_the_same_scene():
    """Averaged down, 64 pixels look like 32: only the grain and the finest detail differ."""
    for family in FAMILIES:
        name = next(iter(family.CLASSES))
        module = importlib.import_module(family.__name__)
        small, large = (
            module.draw(module.CLASSES[name], np.random.default_rng(1), 4, size) for size in (32, 64)
        )
        halved = large.reshape(4, 32, 2, 32, 2, 3).mean((2, 4))
        assert np.abs(halved - small).mean() < 0.06, name
