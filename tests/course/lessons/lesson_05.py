"""What lesson 05 must come out as, and answers that its exercises must reject."""

RESULTS = """
assert gained_wide > 0
assert best_strength not in ("0", "4")
assert mine.loc["none", "rotation"] < 0.8
assert mine.loc["gained", "rotation"] > 0.15
assert mine.loc["gained", "rotation"] > rest.mean() + 0.15
assert gains.loc["rotation", "rotation"] > 0.15
assert (matrix.loc["none, fine-tuned"] > 0.9).all()
"""
WRONG = [
    ("05.1", 0, {}),
    ("05.1", 4, {}),
    ("05.1", 3, {}),
    ("05.1", "half", {}),
    ("05.2", dict(position="brightness", scale="brightness", aspect="brightness"), {}),
    ("05.2", dict(position="none", scale="zoom", aspect="shear"), {}),
    ("05.2", "shift", {}),
]
