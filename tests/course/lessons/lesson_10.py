"""What lesson 10 must come out as, and answers that its exercises must reject."""

import pandas as pd

PHOTOS = pd.DataFrame(
    {
        "plant": ["p1", "p1", "p2", "p2"],
        "A": ["train", "train", "train", "valid"],
        "B": ["train", "train", "valid", "valid"],
        "C": ["train", "valid"] * 2,
    }
)
RESULTS = """
assert not FOLDER and not data.odd_pixels and not data.skipped
assert history.kept["validation_accuracy"] > 0.5
assert low < right / len(data.validation) < high
assert table.to_numpy().sum() == len(data.validation) and int(np.diag(table).sum()) == right
asked_again = model.predict(data.validation.images.astype("float32"), verbose=0)
assert np.allclose(asked_again, found.probabilities, atol=1e-3) and worst["probability"].is_monotonic_decreasing
assert len(worst) == min(12, len(data.validation) - right) > 0
assert maps.shape == true_maps.shape and 0 < maps.max() <= 1
assert leaky > honest + 0.1
assert planted and planted <= copies
assert np.isclose(report.balanced_accuracy.value, np.diag(table).sum() / table.to_numpy().sum())
assert np.allclose(answers["probability"], found.probabilities[few].max(axis=1), atol=1e-3)
assert len(folds.finished) == 4 and across.low < across.mean < across.high
assert "vgglab-history" in page
"""
WRONG = [
    ("10.1", (0.817, 0.983), {}),
    ("10.1", (78, 96), {}),
    ("10.1", (0.5, 0.7), {}),
    ("10.1", 0.9, {}),
    ("10.2", {"C"}, dict(photos=PHOTOS)),
    ("10.2", {"A", "B", "C"}, dict(photos=PHOTOS)),
    ("10.2", {"A"}, dict(photos=PHOTOS)),
    ("10.2", {"D"}, dict(photos=PHOTOS)),
    ("10.3", dict(unfreeze=13, learning_rate=0.01, gained=0), {}),  # the highest rate
    ("10.3", dict(unfreeze=3, learning_rate=0.00001, gained=0), {}),
    ("10.3", dict(unfreeze=13, learning_rate=0.0001, gained=50), {}),
    ("10.3", dict(unfreeze=5, learning_rate=0.0005, gained=1), {}),
    ("10.3", (3, 0.002), {}),
]
