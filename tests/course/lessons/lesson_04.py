"""What lesson 04 must come out as, and answers that its exercises must reject."""

RESULTS = """
ended = {name: run.kept for name, run in runs.items()}
assert ended["plain"]["train_accuracy"] >= 0.99
assert by_heart.kept["train_accuracy"] > 0.95, "known by heart"
assert gained_long > 0.05 and changed_copies.kept["gap"] < by_heart.kept["gap"] - 0.2, "the changes visibly help"
assert gained_wide > 0
assert np.ptp(np.asarray(by_layers), axis=0).max() > 50, "eight different draws"
assert best_strength not in ("0", "4")
assert 5 < equal < 50
assert pair["no flip"] > pair["flip"] + 0.15 and 0.3 < pair["flip"] < 0.7, "with the flip, guessing"
assert mine.loc["none", "rotation"] < 0.8
assert mine.loc["gained", "rotation"] > 0.15
assert mine.loc["gained", "rotation"] > rest.mean() + 0.15
assert gains.loc["rotation", "rotation"] > 0.15
assert (matrix.loc["none, fine-tuned"] > 0.9).all()
"""
WRONG = [
    ("04.1", dict(rotation=45, shear=11.3), {}),
    ("04.1", dict(rotation=0.25, shear=11.3), {}),
    ("04.1", dict(rotation=0.7854, shear=11.3), {}),
    ("04.1", dict(rotation=0.125, shear=0.2), {}),
    ("04.1", dict(rotation=0.125, shear=72), {}),
    ("04.1", dict(rotation=0.125, shear=20), {}),
    ("04.1", 0.125, {}),
    ("04.2", 0, {}),
    ("04.2", 4, {}),
    ("04.2", 3, {}),
    ("04.2", "half", {}),
    ("04.3", {"a", "d", "f"}, {}),
    ("04.3", {"a", "b", "d", "e", "f"}, {}),
    ("04.3", {"a", "c", "d", "e", "f"}, {}),
    ("04.3", {"h"}, {}),
    ("04.3", 4, {}),
    ("04.4", dict(position="brightness", scale="brightness", aspect="brightness"), {}),
    ("04.4", dict(position="none", scale="zoom", aspect="shear"), {}),
    ("04.4", "shift", {}),
]
