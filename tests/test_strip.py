"""The strip of what is trained on, against the batches of training and the targets in them."""

import base64
import gc
import io
import subprocess
import sys
import threading
import time
import weakref

import numpy as np
import pytest
from PIL import Image

from vgglab.datasets import Dataset, Split, under_conditions
from vgglab.engine.drawn import drawn
from vgglab.experiment import Experiment
from vgglab.image_changes import AUGMENTATIONS
from vgglab.panel import tiles
from vgglab.panel.latest import Latest
from vgglab.panel.strip import GETTING_READY, Strip

TINY = dict(image_size=32, batch_size=8)


def shown(experiment, data, **traits):
    strip = Strip()
    strip.set_trait("image", traits.get("image", 0))
    strip.set_trait("first", traits.get("first", 0))
    strip.show(experiment, data)
    assert strip.join(60)
    return strip


def pixels(tile):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(tile["source"].split(",")[1]))))


def test_nothing_on_leaves_the_images_as_they_are(tiny):
    strip = shown(Experiment(**TINY), tiny)
    assert strip.contents["note"] == "As they are: nothing changes the images."
    first, *others = [pixels(tile) for tile in strip.contents["tiles"]]
    assert len(others) == 4 and all((each == first).all() for each in others)
    assert any((first == image).all() for image in tiny.train.images)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_draws_are_those_of_training(tiny, name):
    experiment = Experiment(augment=(name,), **TINY)
    original, *draws = shown(experiment, tiny, image=3, first=4).contents["tiles"]
    number = tiles.chosen(tiny, 3)
    assert (pixels(original) == tiny.train.images[number]).all()
    assert [tile["caption"] for tile in draws] == ["epoch 5", "epoch 6", "epoch 7", "epoch 8"]
    for epoch, tile in enumerate(draws, 4):
        assert (pixels(tile) == drawn(experiment, tiny, number, epoch).pixels).all()


@pytest.mark.parametrize("mix", [dict(mixup=1.0), dict(cutmix=1.0), dict(mixup=0.4, cutmix=1.0)], ids=str)
def test_a_label_bar_is_the_target(tiny, mix):
    experiment = Experiment(**TINY, **mix)
    _, *draws = shown(experiment, tiny).contents["tiles"]
    number = tiles.chosen(tiny, 0)
    for tile in draws:
        target = drawn(experiment, tiny, number, int(tile["caption"].split()[1]) - 1).shares
        shares = dict(tile["shares"])
        assert sum(shares.values()) == 100
        assert tile["shares"][0][0] == tiny.class_names[tiny.train.labels[number]], "its own label first"
        for name, share in zip(tiny.class_names, target):
            assert shares.get(name, 0) == pytest.approx(100 * share, abs=1)


def test_where_images_are_mixed_one_is_mixed_so_that_it_is_seen(tiny):
    for seed in range(5):
        _, *draws = shown(Experiment(seed=seed, mixup=0.4, **TINY), tiny).contents["tiles"]
        label = tiny.class_names[tiny.train.labels[tiles.chosen(tiny, 0)]]
        assert len(draws) == 4 or dict(draws[4]["shares"]).get(label, 0) <= 80
    repeated = Experiment(mixup=0.4, views=2, **TINY)
    assert len(shown(repeated, tiny).contents["tiles"]) == 5, "no epoch is new"


def test_views_and_wrong_labels_and_another_size_are_said(tiny):
    experiment = Experiment(image_size=64, batch_size=8, augment="rotation", views=2, label_noise=0.5)
    strip = shown(experiment, tiny)
    wrong = int(under_conditions(tiny, experiment).train.wrong.sum())
    assert strip.contents["note"] == (
        "What the network gets of this image in epochs 1 to 4. With 2 views the draws repeat every 2 epochs. "
        f"{wrong} of 24 labels are wrong. Here they have 32 pixels a side; the run reads them anew at 64."
    )
    draws = [tile["source"] for tile in strip.contents["tiles"][1:]]
    assert draws[0] == draws[2] != draws[1] == draws[3]


def test_a_wrong_label_is_marked(tiny):
    experiment = Experiment(label_noise=1.0, **TINY)
    noisy = under_conditions(tiny, experiment).train
    captions = [shown(experiment, tiny, image=at).contents["tiles"][0]["caption"] for at in range(24)]
    for place, caption in enumerate(captions):
        number = tiles.chosen(tiny, place)
        label, truth = (tiny.class_names[each[number]] for each in (noisy.labels, noisy.truth))
        assert caption == (truth if label == truth else f"labelled {label}, is {truth}")
    assert len({caption for caption in captions if "labelled" in caption}) == 2


def test_the_buttons_show_other_images_and_other_draws(tiny):
    strip = shown(Experiment(augment="rotation", **TINY), tiny)
    before = [tile["source"] for tile in strip.contents["tiles"]]
    strip.first = strip.first + strip.draws
    assert strip.join(60)
    again = [tile["source"] for tile in strip.contents["tiles"]]
    assert again[0] == before[0] and not set(again[1:]) & set(before[1:])
    strip.image += 1
    assert strip.join(60)
    assert strip.contents["tiles"][0]["source"] != before[0]
    strip.first = 0
    strip.image = 24  # round and round
    assert strip.join(60)
    assert [tile["source"] for tile in strip.contents["tiles"]] == before


def test_large_images_are_sent_no_larger_than_they_are_seen():
    images = np.random.default_rng(0).integers(0, 255, (2, 512, 512, 3), dtype=np.uint8)
    data = Dataset("large", ("a", "b"), Split(images, np.arange(2)), Split(images, np.arange(2)))
    tile = tiles.original(data, 0)
    assert pixels(tile).shape == (tiles.LARGEST, tiles.LARGEST, 3)


def test_a_still_picture_has_alternative_texts_and_escapes_names():
    images = np.random.default_rng(0).integers(0, 255, (8, 32, 32, 3), dtype=np.uint8)
    half = Split(images, np.arange(8) % 2)
    data = Dataset("odd", ("<b>lotus", "dahlia & co"), half, half)
    strip = Strip()
    assert strip.static() == ""
    strip.show(Experiment(mixup=1.0, **TINY), data)
    still = strip.static()
    assert strip.join(60)
    assert still.count("<img") == still.count(" alt=") == len(strip.contents["tiles"])
    assert "<b>lotus" not in still and "&lt;b&gt;lotus" in still and strip.contents["note"] in still


def test_only_the_latest_request_is_drawn():
    begun, go_on, done = threading.Event(), threading.Event(), []

    def work(request):
        begun.set()
        assert go_on.wait(10)
        done.append(request)

    latest = Latest(work)
    latest.ask(0)
    assert begun.wait(10)
    threads = [threading.Thread(target=latest.ask, args=(number,)) for number in range(1, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    latest.ask(50)
    assert not latest.join(0.01)
    go_on.set()
    assert latest.join(10) and done == [0, 50]
    latest.ask(51)  # in a thread of its own, the other has ended
    assert latest.join(10) and done == [0, 50, 51]


def test_what_waits_can_be_forgotten():
    go_on, done = threading.Event(), []
    latest = Latest(lambda request: (go_on.wait(10), done.append(request)))
    latest.ask(1)
    while latest._waiting:
        time.sleep(0.001)
    latest.ask(2)
    latest.forget()
    go_on.set()
    assert latest.join(10) and done == [1]


def test_many_quick_toggles_from_several_threads_end_at_the_last(tiny):
    strip = Strip()
    experiments = [Experiment(augment={"rotation": angle}, **TINY) for angle in range(1, 61)]

    def toggle(some):
        for experiment in some:
            strip.show(experiment, tiny)

    threads = [threading.Thread(target=toggle, args=(experiments[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    strip.show(experiments[7], tiny)
    assert strip.join(60)
    assert strip.contents == shown(experiments[7], tiny).contents


def test_a_toggle_answers_at_once_while_another_thread_has_keras(tiny):
    from vgglab.engine.owner import alone

    with alone():
        strip = Strip()
        start = time.monotonic()
        strip.show(Experiment(augment="zoom", **TINY), tiny)
        asked = time.monotonic() - start
        assert strip.join(60), "it waits for no run"
    assert asked < 0.1 and len(strip.contents["tiles"]) == 5


@pytest.mark.slow
def test_a_run_is_the_same_while_its_strip_is_drawn(tiny):
    from vgglab.training import train

    experiment = Experiment(unfreeze=1, epochs=4, augment=("flip", "rotation"), mixup=0.2, **TINY)
    alone, strip, over = train(experiment, tiny, cache=None), Strip(), threading.Event()
    drawn_meanwhile = []

    def toggle():
        while not over.is_set():
            strip.show(Experiment(augment={"rotation": 1 + len(drawn_meanwhile) % 180}, **TINY), tiny)
            assert strip.join(60)
            drawn_meanwhile.append(strip.contents["note"])

    thread = threading.Thread(target=toggle)
    thread.start()
    together = train(experiment, tiny, cache=None)
    over.set()
    thread.join()
    timed = ["seconds"]
    assert together.frame().drop(columns=timed).equals(alone.frame().drop(columns=timed))
    assert len(drawn_meanwhile) > 3 and not any("could not" in note for note in drawn_meanwhile)


def test_what_goes_wrong_is_said(tiny, monkeypatch):
    monkeypatch.setattr("vgglab.panel.strip.tiles_of", lambda *_: 1 / 0)
    strip = shown(Experiment(**TINY), tiny)
    assert strip.contents["note"] == "This could not be drawn: ZeroDivisionError: division by zero"


def test_a_closed_strip_is_freed(tiny):
    strip = shown(Experiment(augment="zoom", **TINY), tiny)
    strip.show(Experiment(augment="flip", **TINY), tiny)
    latest, gone = strip._latest, weakref.ref(strip)
    strip.close()
    assert latest.join(60)
    del strip, latest
    gc.collect()
    assert gone() is None


def test_a_strip_that_is_closed_while_it_draws_or_asked_later_lets_go_of_the_images(monkeypatch):
    images = np.random.default_rng(0).integers(0, 255, (4, 32, 32, 3), dtype=np.uint8)
    half = Split(images, np.arange(4) % 2)
    data, begun, go_on = Dataset("drawn", ("a", "b"), half, half), threading.Event(), threading.Event()

    def held_up(*given):
        begun.set()
        assert go_on.wait(10)
        return under_conditions(*given)

    monkeypatch.setattr("vgglab.panel.strip.under_conditions", held_up)
    strip, gone = Strip(), weakref.ref(data)
    strip.show(Experiment(label_noise=0.5, **TINY), data)
    assert begun.wait(10)
    strip.close()
    go_on.set()
    assert strip.join(60)
    drawn_before = strip.contents
    strip.show(Experiment(**TINY), data)  # as when its run ends
    assert strip.join(60) and strip.contents == drawn_before
    del data
    gc.collect()
    assert gone() is None


@pytest.mark.slow
def test_the_strip_is_there_before_tensorflow_is_loaded():
    """And a training that imports it at the same moment goes well."""
    code = f"""
import sys, threading
from vgglab import Experiment, draw_blossoms
from vgglab.panel.strip import Strip
seen, first = [], threading.Event()
def see(change):
    seen.append((change["new"]["note"], "tensorflow" in sys.modules))
    first.set()
data = draw_blossoms(train_images=1, validation_images=1, image_size=32)
strip = Strip()
strip.observe(see, "contents")
strip.show(Experiment(image_size=32, batch_size=4, augment="zoom"), data)
assert first.wait(60)
import vgglab.training
assert strip.join(60)
assert seen[0] == ({GETTING_READY!r}, False), seen
assert seen[-1] == ("What the network gets of this image in epochs 1 to 4.", True), seen
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
