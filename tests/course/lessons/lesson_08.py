"""What lesson 08 must come out as, and answers that its exercises must reject."""

RESULTS = """
assert 2.9 < step / forwards < 3
assert memory.loc["VGG16 with pooling"].idxmax() == "the activations"
assert memory.loc["VGG16 as published", "the weights"] > 9 * memory.loc["VGG16 with pooling", "the weights"]
assert paired_difference(by_arm["batches of 8"], by_arm["batches of 1"]).low > 0
assert mine["batches of 8"] > mine["batches of 1"]  # of 8 and 32, either may win on a machine
said = {name: run.events[0]["text"] for name, run in (depths | flipped).items()}
assert "nothing is frozen" in said[13]
assert "run once" in said[3] and "run once" in said[0]
assert "augmentation draws new images" in said["new images in every epoch"]
assert "Not cached" not in said["two epochs kept"]
assert days > 1 and 0 < small < 1
assert 0.1 < paper / (4 * 5.1e12) < 0.6
assert kept["weights that learn"] < narrow["weights that learn"]
assert kept["GFLOP a step"] < narrow["GFLOP a step"]
"""

WRONG = [
    ("08.1", 138_357_544 * 4 / 1e9, {}),  # the weights alone
    ("08.1", 138_357_544 * 8 / 1e9, {}),  # Adam's means alone
    ("08.1", 138_357_544 * 12 / 1e9, {}),  # no gradients
    ("08.1", 138_357_544 * 16, {}),  # bytes
    ("08.1", 138_357_544 * 16 / 2**30, {}),
    ("08.1", 138_357_544 * 128 / 1e9, {}),  # bits
    ("08.1", "2 GB", {}),
    ("08.2", 224 / 96, {}),  # in one direction only
    ("08.2", (224 / 96) ** 3, {}),
    ("08.2", (96 / 224) ** 2, {}),
    ("08.2", 1, {}),
    ("08.2", 4, {}),
    ("08.3", 0.684, {}),  # at 224 pixels
    ("08.3", 1.369, {}),  # twice as much
    ("08.3", 0.912, {}),  # forwards only
    ("08.3", 65.7, {}),  # hours
    ("08.3", 0, {}),
    ("08.4", "a", {}),
    ("08.4", "b", {}),
    ("08.4", "d", {}),
    ("08.4", "e", {}),
    ("08.4", "z", {}),
    ("08.4", 3, {}),
]
