"""The picture of the network, against Keras's own counts and a record written by hand."""

import gc
import math
import re
import threading
import time
import weakref
from xml.etree import ElementTree

import pytest
import traitlets

from vgglab.architecture import BACKBONES, BLOCKS, HEADS, unfrozen
from vgglab.experiment import CONV_LAYERS, Experiment
from vgglab.fit import Fit
from vgglab.history import DRIFT, History
from vgglab.panel.layers import Layers


def moved(experiment, *phases, drift=()):
    """A history whose layers moved as told, by phase."""
    history = History(experiment)
    for number, layers in enumerate(phases, 1):
        history.layers += [
            dict(phase=number, layer=name, trainable=bool(by), moved=by) for name, by in layers.items()
        ]
    if drift:
        history.epochs.append(dict(zip(DRIFT, drift)))
    return history


def by_name(layers):
    return {layer["name"]: layer for layer in layers.layers}


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(
    "backbone", ["vgg16-mini", "vgg16-micro", pytest.param("vgg16", marks=pytest.mark.slow)]
)
def test_every_layer_says_as_many_weights_as_keras_counts(backbone, head):
    from vgglab.network import build_network

    experiment = Experiment(image_size=32, backbone=backbone, head=head, weights=None)
    model = build_network(experiment, 5)
    counted = {layer.name: layer.count_params() for layer in model.layers if layer.count_params()}
    shown = {name: layer["says"] for name, layer in by_name(Layers(experiment, 5)).items()}
    assert list(shown) == list(counted), "from the bottom up"
    for name, weights in counted.items():
        units = model.get_layer(name).kernel.shape[-1]
        assert shown[name].startswith(f"{units:,} ") and f" {weights:,} weights." in shown[name]


@pytest.mark.parametrize("backbone", BACKBONES)
def test_bars_stand_in_five_blocks_and_the_head_and_grow_with_the_channels(backbone):
    layers = Layers(Experiment(backbone=backbone), 4).layers
    groups = [layer["group"] for layer in layers]
    assert (
        groups
        == [f"block {n}" for n, (_, convs) in enumerate(BLOCKS, 1) for _ in range(convs)] + ["head"] * 2
    )
    heights = [layer["height"] for layer in layers]
    assert heights[:CONV_LAYERS] == [0.4] * 2 + [0.6] * 2 + [0.8] * 3 + [1.0] * 6
    assert all(0 < height <= 1 for height in heights)
    assert [layer["group"] for layer in Layers(Experiment(head="dense"), 4).layers].count("head") == 3


def test_each_depth_is_said_in_words():
    layers = Layers(Experiment(unfreeze=3), 4)
    assert layers.unfreeze == 3 and len(layers.words) == 14
    assert layers.words[0] == "Only the head learns."
    assert layers.words[1] == f"1 conv layer learns: {unfrozen('vgg16-mini', 1)}."
    assert layers.words[3].startswith("3 conv layers learn: block5_conv1 and up (")


def choose_on_page(layers, depth, choice=0.5):
    """What a page does when a person chooses a depth on it."""
    content = dict(unfreeze=depth, choice=choice)
    layers._handle_msg(dict(content=dict(data=dict(method="custom", content=content)), buffers=[]))


@pytest.fixture
def heard():
    return []


@pytest.fixture
def layers(heard):
    return Layers(Experiment(unfreeze=3), 4, heard.append)


def test_to_choose_a_layer_is_heard_and_answered_and_changes_nothing_by_itself(layers, heard, monkeypatch):
    sent = []
    monkeypatch.setattr(layers, "send", sent.append)
    choose_on_page(layers, 5, choice=0.25)
    assert heard == [5] and layers.unfreeze == 3 and sent == [dict(heard=0.25)]
    layers.disabled = True
    choose_on_page(layers, 7, choice=0.75)
    assert heard == [5] and sent[1:] == [dict(heard=0.75)], "so that the page goes back"


@pytest.mark.parametrize("depth", [-1, 14, "5", 2.0, None, True, [3]], ids=repr)
def test_what_is_no_depth_is_not_heard(depth, layers, heard):
    choose_on_page(layers, depth)
    assert heard == [] and layers.unfreeze == 3


def test_a_choice_that_fails_is_answered_too(monkeypatch):
    layers, sent = Layers(Experiment(), 4, lambda depth: 1 / 0), []
    monkeypatch.setattr(layers, "send", sent.append)
    choose_on_page(layers, 5)
    assert sent == [dict(heard=0.5)]


def test_what_is_shown_chooses_nothing(layers, heard):
    layers.show(Experiment(unfreeze=5))
    layers.show(Experiment(unfreeze=0))
    layers.update(None)
    assert heard == [] and layers.unfreeze == 0
    for wrong in (-1, 14):
        with pytest.raises(traitlets.TraitError):
            layers.unfreeze = wrong


def test_a_run_that_goes_on_undoes_no_choice():
    """A thread shows its course, over and over, while a person chooses."""
    layers = Layers(Experiment(), 4, lambda depth: layers.show(Experiment(unfreeze=depth)))
    over, history = threading.Event(), moved(Experiment(), dict(fc=0.5))

    def go_on():
        while not over.is_set():
            layers.update(history)

    thread = threading.Thread(target=go_on)
    thread.start()
    kept = []
    for depth in [5, 9, 0, 13] * 25:
        choose_on_page(layers, depth)
        time.sleep(0.001)
        kept.append(layers.unfreeze == depth)
    over.set()
    thread.join()
    assert all(kept) and layers.summary.startswith("fc moved farthest")


def test_of_two_threads_that_show_the_later_one_stays_whole():
    """The first is held up between what it sets."""
    layers, threads = Layers(Experiment(), 4), []
    other = Experiment(backbone="vgg16-micro", weights=None, unfreeze=13)

    def meanwhile(change):
        if not threads:
            threads.append(threading.Thread(target=layers.show, args=(other,)))
            threads[0].start()
            threads[0].join(0.3)

    layers.observe(meanwhile, "layers")
    layers.show(Experiment(head="dense", unfreeze=1))
    threads[0].join()
    alone = Layers(other, 4)
    for trait in ("layers", "words", "summary", "unfreeze"):
        assert getattr(layers, trait) == getattr(alone, trait), trait


def test_layers_show_how_far_they_moved_in_the_latest_phase():
    experiment = Experiment(unfreeze=3).then(unfreeze=1)
    first, second = (
        dict(block5_conv1=0.04, block5_conv3=0.01, fc=0.5),
        dict(block5_conv1=0.0, block5_conv3=0.25),
    )
    layers = Layers(experiment, 4)
    assert {layer["moved"] for layer in layers.layers} == {None} and layers.summary == ""
    layers.show(experiment, moved(experiment, first))
    assert by_name(layers)["block5_conv1"]["moved"] == pytest.approx(math.sqrt(0.04))
    assert "It moved by 4 %." in by_name(layers)["block5_conv1"]["says"]
    assert layers.summary == "fc moved farthest in phase 1, by 50 % of its weights' size."
    layers.show(experiment, moved(experiment, first, second))
    bars = by_name(layers)
    assert (bars["block5_conv1"]["moved"], bars["block5_conv3"]["moved"], bars["fc"]["moved"]) == (
        0,
        0.5,
        None,
    )
    assert layers.summary == "block5_conv3 moved farthest in phase 2, by 25 % of its weights' size."


def test_a_small_move_is_seen_and_a_large_one_fits():
    experiment = Experiment()
    history = moved(experiment, dict(block1_conv1=1e-4, block1_conv2=7.0, fc=math.inf, predictions=None))
    layers = Layers(experiment, 4)
    layers.show(experiment, history)
    bars = by_name(layers)
    assert bars["block1_conv1"]["moved"] == 0.01 and "moved by 0.01 %" in bars["block1_conv1"]["says"]
    assert bars["block1_conv2"]["moved"] == 1 and "moved by 700 %" in bars["block1_conv2"]["says"]
    assert bars["fc"]["moved"] == 1 and "more than any number" in bars["fc"]["says"]
    assert bars["predictions"]["moved"] is None


def test_frozen_layers_did_not_move():
    experiment = Experiment(unfreeze=0)
    layers = Layers(experiment, 4)
    layers.show(experiment, moved(experiment, dict(block1_conv1=0.0)))
    assert layers.summary == "No layer has moved."


def test_while_a_run_goes_on_its_blocks_show_their_drift():
    experiment = Experiment()
    layers = Layers(experiment, 4)
    layers.show(experiment, moved(experiment, drift=(0, 0, 0, 0.01, 0.36)))
    bars = by_name(layers)
    assert bars["block5_conv2"]["drift"] == 0.6 and bars["block4_conv1"]["drift"] == 0.1
    assert bars["block1_conv1"]["drift"] == 0 and bars["fc"]["drift"] is None
    assert "The features of block 5 drifted by 0.36." in bars["block5_conv2"]["says"]


@pytest.mark.parametrize(
    "other", [Experiment(backbone="vgg16-micro", weights=None), Experiment(head="dense"), Fit(5)], ids=repr
)
def test_a_run_of_another_network_moved_other_layers(other):
    layers = Layers(Experiment(), 4)
    layers.show(Experiment(), moved(other, dict(fc=0.5), drift=(1, 1, 1, 1, 1)))
    assert (
        {layer["moved"] for layer in layers.layers} == {None} == {layer["drift"] for layer in layers.layers}
    )


@pytest.mark.parametrize("unfreeze", [0, 3, 4, 13])
@pytest.mark.parametrize("head", HEADS)
def test_the_still_picture_has_a_bar_a_layer_filled_where_it_learns(unfreeze, head):
    experiment = Experiment(unfreeze=unfreeze, head=head)
    layers = Layers(experiment, 4)
    layers.show(experiment, moved(experiment, dict(fc=0.5), drift=(0, 0, 0, 0, 0.5)))
    picture = ElementTree.fromstring(layers.static())
    groups = list(picture.iter("{http://www.w3.org/2000/svg}g"))
    titles = [each[0].text for each in groups]
    assert len(groups) == len(layers.layers)
    learning = CONV_LAYERS - unfreeze
    assert ["learns" in title for title in titles] == [place >= learning for place in range(len(groups))]
    assert ["frozen" in each[1].attrib["fill"] for each in groups] == [
        place < learning for place in range(len(groups))
    ]
    assert picture.attrib["aria-label"] == f"{layers.words[unfreeze]} {layers.summary}"
    sizes = [int(size) for size in re.findall(r'font-size="(\d+)"', layers.static())]
    assert sizes and min(sizes) >= 12


def test_closed_layers_are_freed():
    layers = Layers(Experiment(), 4)
    gone = weakref.ref(layers)
    layers.close()
    del layers
    gc.collect()
    assert gone() is None
