"""One image as the network gets it, against the batches that it is fed with."""

import dataclasses

import numpy as np
import pytest

from vgglab.datasets import under_conditions
from vgglab.engine import feed
from vgglab.engine.drawn import drawn, share_of_others
from vgglab.errors import InputError
from vgglab.experiment import Experiment


def fed(phase, data, image, epoch):
    """An image and its target out of a whole epoch of training."""
    order = np.random.default_rng((phase.seed, 1, epoch)).permutation(len(data.train))
    images, targets = (np.concatenate(each) for each in zip(*feed._from_images(phase, 1, data, epoch)))
    place = order.tolist().index(image)
    return images[place].clip(0, 255).round().astype(np.uint8), targets[place]


@pytest.mark.parametrize(
    "fields", [{}, dict(augment="rotation,erasing"), dict(mixup=0.4, cutmix=1, augment="zoom")]
)
def test_an_image_is_drawn_as_training_draws_it(tiny, fields):
    phase = Experiment(image_size=32, batch_size=7, seed=3, **fields)
    for image, epoch in ((0, 0), (23, 2)):
        seen = drawn(phase, tiny, image, epoch)
        pixels, target = fed(phase, tiny, image, epoch)
        assert np.abs(seen.pixels.astype(int) - pixels).max() <= 1  # rounding
        np.testing.assert_allclose(seen.shares, target, atol=1e-6)
        assert seen.epoch == epoch + 1


def test_with_views_the_draws_repeat(tiny):
    phase = Experiment(image_size=32, batch_size=8, augment="rotation", views=2)
    pictures = [drawn(phase, tiny, 3, epoch).pixels for epoch in range(4)]
    assert (pictures[0] == pictures[2]).all() and (pictures[1] == pictures[3]).all()
    assert (pictures[0] != pictures[1]).any()


def test_a_wrong_label_is_the_target(tiny):
    noisy = under_conditions(tiny, Experiment(image_size=32, label_noise=1.0))
    wrong = int(np.flatnonzero(noisy.train.wrong)[0])
    seen = drawn(Experiment(image_size=32, batch_size=8, mixup=0.2), noisy, wrong, 0)
    clean = drawn(Experiment(image_size=32, batch_size=8), noisy, wrong, 0)
    assert clean.shares.argmax() == noisy.train.labels[wrong] != noisy.train.true_labels[wrong]
    assert seen.shares.sum() == pytest.approx(1)


def test_images_of_another_size_are_drawn_in_their_own(tiny):
    wanted = Experiment(image_size=64, batch_size=8, augment="rotation")
    own = dataclasses.replace(wanted, image_size=32)
    assert (drawn(wanted, tiny, 1, 0).pixels == drawn(own, tiny, 1, 0).pixels).all()


@pytest.mark.parametrize("image", [24, -1])
def test_an_image_that_is_not_there(tiny, image):
    with pytest.raises(InputError, match=f"`image` must be 0 to 23. Received: {image}."):
        drawn(Experiment(image_size=32, batch_size=8, mixup=0.2), tiny, image, 0)


@pytest.mark.parametrize(
    "fields", [{}, dict(mixup=0.4), dict(cutmix=1.0), dict(mixup=0.4, cutmix=1, augment="zoom")]
)
def test_how_much_another_class_has_is_known_without_a_pixel(tiny, fields):
    phase = Experiment(image_size=32, batch_size=8, **fields)
    for epoch in range(6):
        target = drawn(phase, tiny, 4, epoch).shares
        own = target[tiny.train.labels[4]]
        assert share_of_others(phase, tiny, 4, epoch) == pytest.approx(1 - own, abs=1e-6)
