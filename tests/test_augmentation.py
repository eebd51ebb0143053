import numpy as np
import pytest

from vgglab.augmentation import augmented, augmenter
from vgglab.experiment import AUGMENTATIONS, Experiment

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(0, 255, (8, 32, 32, 3)).astype("float32")
TARGETS = np.eye(8, dtype="float32")


def run(images=IMAGES, targets=TARGETS, **fields):
    changed, labels = augmenter(Experiment(image_size=32, **fields))(images, targets)
    return changed.numpy(), labels.numpy()


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
