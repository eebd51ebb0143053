"""What lesson 04 must come out as, and answers that its exercises must reject."""

RESULTS = """
ended = {name: run.kept for name, run in runs.items()}
assert ended["plain"]["train_accuracy"] >= 0.99
assert by_heart.kept["train_accuracy"] > 0.95, "known by heart"
assert gained_long > 0.05 and changed_copies.kept["gap"] < by_heart.kept["gap"] - 0.2, "the changes visibly help"
assert np.ptp(np.asarray(by_layers), axis=0).max() > 50, "eight different draws"
assert 5 < equal < 50
assert pair["no flip"] > pair["flip"] + 0.15 and 0.3 < pair["flip"] < 0.7, "with the flip, guessing"
"""
WRONG = [
    ("04.1", dict(rotation=45, shear=11.3), {}),
    ("04.1", dict(rotation=0.25, shear=11.3), {}),
    ("04.1", dict(rotation=0.7854, shear=11.3), {}),
    ("04.1", dict(rotation=0.125, shear=0.2), {}),
    ("04.1", dict(rotation=0.125, shear=72), {}),
    ("04.1", dict(rotation=0.125, shear=20), {}),
    ("04.1", 0.125, {}),
    ("04.2", {"a", "d", "f"}, {}),
    ("04.2", {"a", "b", "d", "e", "f"}, {}),
    ("04.2", {"a", "c", "d", "e", "f"}, {}),
    ("04.2", {"h"}, {}),
    ("04.2", 4, {}),
]
