import numpy as np
import pytest

from vgglab import augmentation, image_draws
from vgglab.augmentation import augmented, augmenter
from vgglab.experiment import Experiment
from vgglab.image_changes import AUGMENTATIONS

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(0, 255, (8, 32, 32, 3)).astype("float32")
TARGETS = np.eye(8, dtype="float32")


def run(images=IMAGES, targets=TARGETS, **fields):
    changed, labels = augmenter(Experiment(image_size=32, **fields))(images, targets)
    return changed.numpy(), labels.numpy()


def test_every_change_of_the_table_is_made_somewhere():
    made = [*image_draws.GEOMETRY, *image_draws.COLOUR, "erasing"]
    assert made == list(AUGMENTATIONS), "in the table's order"
    assert {name for name, rule in AUGMENTATIONS.items() if rule.rim} < image_draws.GEOMETRY.keys()


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_every_change_is_seeded_and_differs_from_image_to_image(name):
    same = np.repeat(IMAGES[:1], 8, axis=0)
    first, labels = run(same, augment=(name,))
    assert first.shape == same.shape and first.min() >= -1e-3 and first.max() <= 255.001
    assert (labels == TARGETS).all()
    assert (run(same, augment=(name,))[0] == first).all()
    assert (run(same, augment=(name,), seed=1)[0] != first).any()
    assert len({image.tobytes() for image in first}) > 1, "one draw for the whole batch"


def test_flip_is_the_image_or_its_mirror():
    changed, _ = run(augment=("flip",))
    for image, result in zip(IMAGES, changed):
        assert np.allclose(result, image) or np.allclose(result, image[:, ::-1])


def test_shift_moves_by_at_most_its_strength():
    dot = np.zeros((64, 32, 32, 3), "float32")
    dot[:, 15:17, 15:17] = 255
    changed, _ = run(dot, np.zeros((64, 2), "float32"), augment={"width_shift": 0.25}, fill_mode="constant")
    columns = (changed.sum((1, 3)) * np.arange(32)).sum(1) / changed.sum((1, 2, 3))
    rows = (changed.sum((2, 3)) * np.arange(32)).sum(1) / changed.sum((1, 2, 3))
    assert np.ptp(columns) > 8 and np.abs(columns - 15.5).max() <= 8.01
    np.testing.assert_allclose(rows, 15.5, atol=0.01)


def test_crop_cuts_its_fraction_off():
    ramp = np.broadcast_to(np.arange(32, dtype="float32")[None, None, :, None], (8, 32, 32, 3)).copy()
    changed, _ = run(ramp, augment={"crop": 0.5})
    seen = changed[:, 0, -2, 0] - changed[:, 0, 1, 0]
    np.testing.assert_allclose(seen, 29 / 2, atol=0.3)


def test_erasing_strength_is_its_probability():
    grey = np.full((400, 32, 32, 3), 100, "float32")
    for strength in (0.3, 1.0):
        changed, _ = run(grey, np.zeros((400, 2), "float32"), augment={"erasing": strength})
        erased = (changed != 100).any((1, 2, 3)).mean()
        assert abs(erased - strength) < 4 * np.sqrt(strength * (1 - strength) / 400) + 0.02


@pytest.mark.parametrize("mode", ["nearest", "constant"])
def test_fill_mode_reaches_the_layers(mode):
    white = np.full((8, 32, 32, 3), 255, "float32")
    changed, _ = run(white, augment={"rotation": 45}, fill_mode=mode)
    assert (changed.min() == 0) == (mode == "constant")


def test_mixup_is_its_formula():
    mixed, labels = run(mixup=0.8)
    for image, label in zip(mixed, labels):
        assert label.sum() == pytest.approx(1, abs=1e-5) and (label > 1e-6).sum() <= 2
        np.testing.assert_allclose(image, np.tensordot(label, IMAGES, 1), atol=0.05)
    assert ((labels > 0.01).sum(1) == 2).any()


def test_cutmix_labels_are_the_shares_of_the_area():
    flat = np.broadcast_to(np.arange(8, dtype="float32")[:, None, None, None] * 30, (8, 32, 32, 3)).copy()
    mixed, labels = run(flat, cutmix=1.0)
    for image, label in zip(mixed, labels):
        shares = np.array([(image[:, :, 0] == 30 * other).mean() for other in range(8)])
        np.testing.assert_allclose(label, shares, atol=2.5 / 32)  # the border falls between pixels


def test_with_both_each_batch_gets_one():
    augment = augmenter(Experiment(image_size=32, mixup=1.0, cutmix=1.0))
    flat = np.broadcast_to(np.arange(8, dtype="float32")[:, None, None, None] * 30, (8, 32, 32, 3)).copy()
    blended = [bool((augment(flat, TARGETS)[0].numpy() % 30 != 0).any()) for _ in range(20)]
    assert any(blended) and not all(blended)


def test_adding_a_change_leaves_the_draws_of_the_others_alone():
    alone, _ = run(augment=("flip",))
    with_mix, labels = run(augment=("flip",), mixup=0.5)
    np.testing.assert_allclose(np.tensordot(labels, alone, 1), with_mix, atol=0.05)


def test_nothing_on_changes_nothing():
    assert augmenter(Experiment()) is None
    assert (augmented(Experiment(image_size=32), IMAGES, copies=2) == IMAGES.round().astype("uint8")).all()


def test_gallery_shows_another_draw_in_each_copy():
    copies = augmented(Experiment(image_size=32, augment=("rotation",)), IMAGES, copies=3)
    assert copies.shape == (3, 8, 32, 32, 3) and copies.dtype == np.uint8
    assert (copies[0] != copies[1]).any()


def moved(image, matrix, fill_mode="constant"):
    """An image moved by a matrix from a place in the result to one in the image, frame from -1 to 1."""
    size = image.shape[0]
    transform = augmentation._in_pixels(np.asarray(matrix, float)[None], size).astype("float32")
    return augmentation._move(image[None], transform, fill_mode)[0].numpy()


def test_a_quarter_turn_and_a_mirror_are_numpys():
    image = IMAGES[0]
    np.testing.assert_allclose(moved(image, [[0, -1, 0], [1, 0, 0], [0, 0, 1]]), np.rot90(image), atol=1e-3)
    np.testing.assert_allclose(moved(image, [[-1, 0, 0], [0, 1, 0], [0, 0, 1]]), image[:, ::-1], atol=1e-3)
    half_a_frame = moved(image, [[1, 0, 1], [0, 1, 0], [0, 0, 1]])
    np.testing.assert_allclose(half_a_frame[:, :16], image[:, 16:], atol=1e-3)
    assert (half_a_frame[:, 16:] == 0).all()


@pytest.mark.parametrize("name", image_draws.GEOMETRY)
def test_geometric_draws_stay_within_their_strength(name):
    matrices = image_draws.GEOMETRY[name](np.random.default_rng(0), 500, 0.4)
    scale = np.sqrt(np.abs(np.linalg.det(matrices)))
    places = matrices[:, :2, 2]
    ranges = {
        "flip": (1, 1, 0),
        "rotation": (1, 1, 0),
        "width_shift": (1, 1, 0.8),
        "height_shift": (1, 1, 0.8),
        "shear": (1, 1, 0),
        "zoom": (0.6, 1.4, 0),
        "crop": (0.6, 0.6, 0.4),
    }
    low, high, place = ranges[name]
    assert low - 1e-9 <= scale.min() and scale.max() <= high + 1e-9
    assert np.abs(places).max() == pytest.approx(place, rel=0.05)
    if name == "rotation":
        assert np.degrees(np.arccos(matrices[:, 0, 0])).max() == pytest.approx(0.4, rel=0.05)


def recoloured(change, images=IMAGES):
    return augmentation._recolour(images, change.astype("float32")).numpy()


def test_colour_changes_are_their_formulas():
    rng = np.random.default_rng(0)
    by = image_draws.COLOUR["brightness"](rng, 8, 0.1)
    assert np.abs(by[:, :, 6]).max() <= 25.5 and np.ptp(by[:, :, 6], axis=1).max() == 0
    flat = IMAGES * 0.2 + 100  # far from black and white, so that nothing is cut off
    np.testing.assert_allclose(recoloured(by, flat), flat + by[:, 0, 6][:, None, None, None], atol=1e-2)
    factor = np.linspace(0.6, 1.4, 8)
    mean = flat.mean((1, 2), keepdims=True)
    expected = mean + factor[:, None, None, None] * (flat - mean)
    eye = np.tile(np.eye(3), (8, 1, 1))
    np.testing.assert_allclose(recoloured(image_draws.colour_changes(eye, factor), flat), expected, atol=1e-2)


def test_a_full_turn_of_the_hue_is_none_and_a_third_swaps_the_channels():
    np.testing.assert_allclose(image_draws._hue(np.array([2 * np.pi])), np.eye(3)[None], atol=1e-9)
    third = image_draws._hue(np.array([2 * np.pi / 3]))[0]
    np.testing.assert_allclose(third @ [1, 2, 3], [3, 1, 2], atol=1e-9)


def test_grey_stays_grey_under_jitter():
    grey = np.full((8, 32, 32, 3), 120, "float32")
    grey[:, :16] = 90
    changed = recoloured(image_draws.COLOUR["color_jitter"](np.random.default_rng(0), 8, 0.5), grey)
    np.testing.assert_allclose(changed, changed[..., :1].repeat(3, axis=-1), atol=1e-2)


def test_two_colour_changes_are_one_after_the_other():
    rng = np.random.default_rng(0)
    flat = IMAGES * 0.2 + 100
    first, second = (image_draws.COLOUR["color_jitter"](rng, 8, 0.1) for _ in range(2))
    np.testing.assert_allclose(
        recoloured(image_draws.one_after_another(second, first), flat),
        recoloured(second, recoloured(first, flat)),
        atol=1e-2,
    )


def test_the_beta_distribution_of_mixup():
    drawn = augmentation._drawer(Experiment(image_size=32, mixup=0.4), 1, 0)(4000)
    # Mean and variance of Beta(a, a): 1/2 and 1 / (4 (2a + 1)).
    assert drawn.share.mean() == pytest.approx(0.5, abs=0.03)
    assert drawn.share.var() == pytest.approx(1 / (4 * 1.8), rel=0.05)


def test_epochs_and_phases_draw_anew():
    experiment = Experiment(image_size=32, augment=("rotation",))
    draws = {
        augmenter(experiment, phase, epoch)(IMAGES, TARGETS)[0].numpy().tobytes()
        for phase in (1, 2)
        for epoch in (0, 1)
    }
    assert len(draws) == 4


@pytest.mark.parametrize(
    "fields",
    [
        dict(augment=("rotation",), fill_mode="wrap"),
        dict(augment=tuple(AUGMENTATIONS)),
        dict(mixup=0.4),
        dict(cutmix=1.0),
        dict(augment=("flip", "erasing"), mixup=0.4, cutmix=1.0),
    ],
    ids=str,
)
def test_one_image_of_a_batch_is_changed_as_the_whole_batch_is(fields):
    experiment = Experiment(image_size=32, **fields)
    draw, change = augmentation.for_one(experiment, 2, 3)
    whole = augmenter(experiment, 2, 3)
    for _ in range(3):  # both kinds of mixing come up
        images, targets = whole(IMAGES, TARGETS)
        draws = draw(8)
        for place in (0, 7):
            pair = [place, draws.partner[place]]
            image, target = change(draws, place, IMAGES[pair], TARGETS[pair])
            np.testing.assert_allclose(image, images[place], atol=1e-3)
            np.testing.assert_allclose(target, targets[place], atol=1e-6)
