"""What lesson 01 must come out as, and answers that its exercises must reject."""

RESULTS = """
assert kinds["Conv2D"] == 13 and kinds["Dense"] == 3 and len(layers) == 16
assert layers["parameters"].sum() == vgg16.count_params()
assert dense_share > 0.85 and 0.7 < layers["share"]["fc1"] < 0.8
assert dense_arithmetic < 0.01 and 15.4e9 < arithmetic.sum() < 15.6e9
assert measured == fields["block3_conv3"] < fields["block5_conv3"] < 224
assert inside > 0.4  # more than its share of the area
assert times > 1000
assert 15 < fewer < 17 and 15 < work[0] / work[1] < 17
assert [each.shape[0] for each in maps] == [64, 32, 16, 8, 4]
assert min(each.std() for each in maps) > 0
"""

WRONG = [
    ("01.1", 3 * 3 * 128 * 256, {}),  # no biases
    ("01.1", 3 * 3 * 256 + 256, {}),  # one channel in
    ("01.1", 3 * 3 * 256 * 256 + 256, {}),  # the layer above
    ("01.1", 128 * 256 + 256, {}),
    ("01.1", 1, {}),
    ("01.1", "many", {}),
    ("01.2", (4, 4), {}),  # parameters do not grow
    ("01.2", (1, 2), {}),  # in one direction only
    ("01.2", (4, 1), {}),  # the other way round
    ("01.2", (2, 2), {}),
    ("01.2", (1, 16), {}),
    ("01.2", 4, {}),
    ("01.3", 15, {}),  # no pooling
    ("01.3", 44, {}),  # after the pooling
    ("01.3", 32, {}),  # a layer too early
    ("01.3", 39, {}),
    ("01.3", None, {}),
    ("01.4", 7 * 7 * 512 * 4096 + 4096, {}),  # at 224 pixels
    ("01.4", 512 * 4096 + 4096, {}),  # pooled
    ("01.4", 2 * 2 * 512 * 4096, {}),  # no biases
    ("01.4", 2 * 512 * 4096 + 4096, {}),
    ("01.4", 64 * 64 * 512 * 4096 + 4096, {}),
    ("01.4", 0, {}),
]
