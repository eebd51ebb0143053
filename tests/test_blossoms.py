import subprocess
import sys
from dataclasses import fields, replace
from itertools import combinations

import numpy as np
import pytest

from conftest import ROOT
from vgglab.datasets.blossoms import (
    NARROW,
    SPECIES,
    WIDE,
    Nuisances,
    Species,
    draw,
    sample_scene,
)
from vgglab.errors import InputError

DIALS = [field.name for field in fields(Nuisances)]
MOVES = {  # which numbers of a scene each dial may move
    "rotation": {"angle", "mirror"},
    "position": {"centre"},
    "scale": {"radius"},
    "aspect": {"aspect"},
    "light": {"light", "brightness", "gradient"},
    "hue": {"hue", "saturation", "throat", "core_value"},
    "texture": {"ground", "noise", "foliage"},
    "occlusion": {"reach"},
}


def _difference(a, b):
    """Mean absolute difference of two uint8 arrays, in bytes."""
    return np.abs(a.astype(int) - b).mean()


# The species


def test_eight_species_with_names_fit_for_folders():
    names = [species.name for species in SPECIES]
    assert len(set(names)) == 8
    assert names == sorted(names)
    assert all(name.isascii() and name.isalpha() and name.islower() for name in names)


def test_every_pair_of_species_differs_in_shape():
    for a, b in combinations(SPECIES, 2):
        # The name seeds the scene: with one name only the geometry can differ.
        one, other = (draw(replace(species, name="same"), 1, NARROW) for species in (a, b))
        assert _difference(one, other) > 3, (a.name, b.name)


def test_a_species_of_your_own_can_be_drawn():
    daisy = Species("daisy", 13, 1, 0.16, 0.6, 0.4, 0.0, 0.0, 0.3)
    assert draw(daisy, 2).shape == (2, 64, 64, 3)


# The dials


@pytest.mark.parametrize("dial", DIALS)
@pytest.mark.parametrize("value", [1.5, -0.1, float("nan")])
def test_a_dial_out_of_range_is_refused_by_name(dial, value):
    with pytest.raises(InputError, match=f"`{dial}` must be 0 to 1. Received: {value}."):
        Nuisances(**{dial: value})


def test_dials_are_wide_unless_told():
    assert Nuisances() == WIDE == Nuisances(*[1.0] * 8)
    assert Nuisances(*[0.0] * 8) == NARROW


def _equal(a, b):
    if isinstance(a, list):
        return all(_equal(x, y) for x, y in zip(a, b, strict=True))
    return np.array_equal(a, b)


@pytest.mark.parametrize("dial", DIALS)
@pytest.mark.parametrize("start", [NARROW, WIDE], ids=["narrow", "wide"])
def test_one_dial_leaves_the_other_numbers_alone(dial, start):
    turned = replace(start, **{dial: 0.5})
    for seed in range(20):
        one, other = (sample_scene(np.random.default_rng(seed), dials) for dials in (start, turned))
        names = [field.name for field in fields(one)]
        changed = {name for name in names if not _equal(getattr(one, name), getattr(other, name))}
        assert changed and changed <= MOVES[dial]


@pytest.mark.parametrize("dial", DIALS)
def test_every_dial_shows(dial):
    turned = replace(NARROW, **{dial: 1.0})
    assert _difference(draw(SPECIES[0], 6, NARROW), draw(SPECIES[0], 6, turned)) > 0.5


@pytest.mark.parametrize("species", SPECIES, ids=lambda species: species.name)
def test_with_every_dial_at_0_only_the_petals_irregularity_is_left(species):
    still, wide = draw(species, 10, NARROW), draw(species, 10)
    ground = still[:, :4].astype(int)
    assert np.ptp(ground, axis=0).max() <= 2  # a trace of the shadow, which has the bloom's outline
    assert _difference(still, np.median(still, axis=0)) < 8
    assert _difference(wide, np.median(wide, axis=0)) > 20


# The pictures


@pytest.mark.parametrize("size", [16, 50, 64])
def test_pictures_are_bytes_from_dark_to_light(size):
    images = draw(SPECIES[3], 3, image_size=size)
    assert (images.shape, images.dtype) == ((3, size, size, 3), np.uint8)
    assert images.min() < 60 and images.max() > 180


@pytest.mark.parametrize("species", SPECIES[::4], ids=lambda species: species.name)
def test_a_picture_does_not_depend_on_how_many_are_drawn(species):
    assert np.array_equal(draw(species, 8), draw(species, 80)[:8])


def test_pictures_differ_by_index_seed_and_species():
    images = [draw(species, 2, seed=seed) for species in SPECIES[:2] for seed in (0, 1)]
    for a, b in combinations(np.concatenate(images), 2):
        assert _difference(a, b) > 5


def test_the_global_generator_is_neither_read_nor_advanced():
    np.random.seed(0)
    expected = np.random.random()
    np.random.seed(0)
    first = draw(SPECIES[0], 1)
    assert np.random.random() == expected
    assert np.array_equal(first, draw(SPECIES[0], 1))


def test_a_larger_picture_shows_the_same_scene():
    small, large = (draw(SPECIES[5], 4, image_size=size) for size in (32, 96))
    assert _difference(small, large.reshape(4, 32, 3, 32, 3, 3).mean((2, 4))) < 4


def test_a_tiny_picture_is_refused():
    with pytest.raises(InputError, match="`image_size` must be at least 16. Received: 8."):
        draw(SPECIES[0], 1, image_size=8)


def test_drawing_needs_no_tensorflow():
    code = "import sys, vgglab.datasets.blossoms; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


# Colour does not give the species away


@pytest.fixture(scope="module")
def colours():
    """Histogram over 6 x 6 x 6 colours of 100 wide pictures a species, shape (8, 100, 216)."""
    images = np.stack([draw(species, 100, image_size=32, seed=5) for species in SPECIES])
    bins = (images.reshape(800, -1, 3) // 43).astype(int) @ [36, 6, 1]
    histograms = [np.bincount(one, minlength=216) / one.size for one in bins]
    return np.reshape(histograms, (8, 100, 216))


def test_species_share_their_colours(colours):
    means = colours.mean(1)
    overlaps = [np.minimum(a, b).sum() for a, b in combinations(means, 2)]  # 1 if equal
    assert min(overlaps) > 0.75


def test_colour_alone_does_not_classify(colours):
    known, unknown = np.split(np.sqrt(colours), 2, axis=1)
    distances = ((unknown[:, :, None] - known.mean(1)) ** 2).sum(-1)
    accuracy = (distances.argmin(-1) == np.arange(8)[:, None]).mean()
    assert accuracy < 0.28  # chance is 0.125
