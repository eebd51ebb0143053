import importlib
import pkgutil
import warnings

import numpy as np
import pytest
from PIL import Image

from conftest import ROOT
from recipe import source_task as source
from recipe.source_task import CLASS_NAMES, FAMILIES, draw_source, flowers
from recipe.source_task.__main__ import column
from test_imports import imported_by
from vgglab.datasets.blossoms import SPECIES
from vgglab.measures.forgetting import DRAWN_AT, SOURCE_TASK


def test_no_family_is_left_out_and_no_two_have_a_class_of_the_same_name():
    names = {name for _, name, _ in pkgutil.iter_modules(source.__path__)} - {"__main__"}
    modules = {importlib.import_module(f"{source.__name__}.{name}") for name in names}
    assert {module for module in modules if hasattr(module, "CLASSES")} == set(FAMILIES)
    assert sum(len(family.CLASSES) for family in FAMILIES) == len(CLASS_NAMES)


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


@pytest.mark.parametrize("size", DRAWN_AT)
def test_the_shipped_pictures_are_what_is_drawn(size):
    with Image.open(SOURCE_TASK / f"{size}.webp") as image:
        assert (image.format, image.mode, image.size) == ("WEBP", "RGB", (size, len(CLASS_NAMES) * size))
        shipped = np.asarray(image, dtype=int)
    difference = np.abs(shipped - column(size))
    # Not plainly equal: processors differ in the last bits of a sine, which now and then decide on a byte.
    assert difference.max() <= 1
    assert (difference == 0).mean() >= 0.999


def test_the_package_imports_no_recipe():
    imported = {name for path in (ROOT / "vgglab").rglob("*.py") for name in imported_by(path)}
    assert "vgglab.files" in imported and not {name for name in imported if name.split(".")[0] == "recipe"}


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
