"""The numbers of VGG16 against published ones: Simonyan & Zisserman 2015, and Keras's own model."""

import keras
import pytest

from vgglab.architecture import BACKBONES, CONV_NAMES, layers_of, unfrozen
from vgglab.experiment import CONV_LAYERS, FIELDS, Experiment
from vgglab.network import build_model

# Weights and biases of the thirteen conv layers, as `keras.applications.VGG16().summary()` prints them.
PARAMETERS = [1_792, 36_928, 73_856, 147_584, 295_168, 590_080, 590_080, 1_180_160, *[2_359_808] * 5]
# Multiply-adds of one 224-pixel image, as tables of the network's cost give them.
MULTIPLY_ADDS = [
    *(86_704_128, 1_849_688_064),
    *(924_844_032, 1_849_688_064),
    *(924_844_032, 1_849_688_064, 1_849_688_064),
    *(924_844_032, 1_849_688_064, 1_849_688_064),
    *(462_422_016, 462_422_016, 462_422_016),
]


def test_parameters_of_each_layer_and_of_all():
    convs = layers_of("vgg16", 224, 1000)[:CONV_LAYERS]
    assert [layer.parameters for layer in convs] == PARAMETERS
    assert sum(layer.parameters for layer in convs) == 14_714_688


def test_multiply_adds_of_each_layer_and_of_all():
    convs = layers_of("vgg16", 224, 1000)[:CONV_LAYERS]
    assert [layer.multiply_adds for layer in convs] == MULTIPLY_ADDS
    assert sum(layer.multiply_adds for layer in convs) == 15_346_630_656


def test_layers_are_those_of_keras():
    theirs = keras.applications.VGG16(weights=None, include_top=False, input_shape=(224, 224, 3))
    theirs = [layer for layer in theirs.layers if layer.count_params()]
    ours = layers_of("vgg16", 224, 10)[:CONV_LAYERS]
    assert tuple(layer.name for layer in ours) == CONV_NAMES == tuple(layer.name for layer in theirs)
    for our, their in zip(ours, theirs):
        _, height, width, channels = their.output.shape
        assert our.parameters == their.count_params() and our.outputs == height * width * channels
        _, height, width, channels = their.input.shape
        assert our.inputs == height * width * channels


def test_the_head_is_two_dense_layers_on_the_averaged_features():
    fc, predictions = layers_of("vgg16", 64, 10)[CONV_LAYERS:]
    assert (fc.name, fc.inputs, fc.outputs) == ("fc", 512, 128)
    assert (fc.multiply_adds, fc.parameters) == (512 * 128, 512 * 128 + 128)
    assert (predictions.name, predictions.inputs, predictions.outputs) == ("predictions", 128, 10)
    assert (predictions.multiply_adds, predictions.parameters) == (1280, 1290)


@pytest.mark.parametrize(("backbone", "narrower"), [("vgg16-mini", 4), ("vgg16-micro", 16)])
def test_the_small_networks_have_a_fraction_of_the_filters(backbone, narrower):
    full, slim = (layers_of(each, 64, 10)[:CONV_LAYERS] for each in ("vgg16", backbone))
    assert set(BACKBONES) == {"vgg16", "vgg16-mini", "vgg16-micro"} == set(FIELDS["backbone"].options)
    for large, small in zip(full, slim):
        assert large.name == small.name and large.outputs == narrower * small.outputs
    # A quarter of the filters on a quarter of the channels; the image keeps its three.
    ratios = [large.multiply_adds / small.multiply_adds for large, small in zip(full, slim)]
    assert ratios == [narrower, *[narrower**2] * 12]


@pytest.mark.parametrize(("size", "sides"), [(224, (224, 112, 56, 28, 14)), (100, (100, 50, 25, 12, 6))])
def test_each_block_halves_the_image_and_drops_an_odd_pixel(size, sides):
    convs = layers_of("vgg16", size, 10)
    firsts = [layer for layer in convs if layer.name.endswith("conv1")]
    assert [layer.outputs for layer in firsts] == [
        side * side * filters for side, filters in zip(sides, (64, 128, 256, 512, 512))
    ]


def test_parameters_do_not_depend_on_the_image_and_multiply_adds_do():
    small, large = layers_of("vgg16", 32, 10), layers_of("vgg16", 64, 10)
    assert [layer.parameters for layer in small] == [layer.parameters for layer in large]
    ratios = [after.multiply_adds / before.multiply_adds for before, after in zip(small, large)]
    assert ratios == [*[4] * CONV_LAYERS, 1, 1]


@pytest.mark.parametrize(
    ("backbone", "unfreeze", "words"),
    [
        ("vgg16", 0, "only the head learns"),
        ("vgg16", 1, "block5_conv3 (2,359,808 weights) and the head"),
        ("vgg16", 3, "block5_conv1 and up (7,079,424 weights) and the head"),
        ("vgg16", 4, "block4_conv3 and up (9,439,232 weights) and the head"),
        ("vgg16", 13, "block1_conv1 and up (14,714,688 weights) and the head"),
        ("vgg16-mini", 0, "only the head learns"),
        ("vgg16-mini", 1, "block5_conv3 (147,584 weights) and the head"),
    ],
)
def test_what_learns_in_words(backbone, unfreeze, words):
    assert unfrozen(backbone, unfreeze) == words


@pytest.mark.parametrize("backbone", ["vgg16", "vgg16-mini", "vgg16-micro"])
@pytest.mark.parametrize("head", ["pooled", "dense"])
def test_the_counted_parameters_are_those_of_the_network(backbone, head):
    model = build_model(Experiment(backbone=backbone, weights=None, image_size=64, head=head), 10)
    counted = {layer.name: layer.parameters for layer in layers_of(backbone, 64, 10, head)}
    assert counted == {layer.name: layer.count_params() for layer in model.layers if layer.count_params()}
