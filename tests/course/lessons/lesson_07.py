"""What lesson 07 must come out as, and answers that its exercises must reject."""

RESULTS = """
assert convs == 3 and without_compile == 0 < with_compile
assert scores["7 layers"] > scores["0 layers"] + 0.03, "depth pays on the twins"
assert head.kept["source_accuracy"] > 0.9, "a frozen base forgets nothing"
assert head.kept["source_accuracy"] > deep.kept["source_accuracy"] > fast.kept["source_accuracy"] + 0.5
assert fast.test["accuracy"] > head.test["accuracy"], "what forgets may still be good at the new task"
assert slow.test["accuracy"] < deep.test["accuracy"] - 0.02, "a rate that is too low"
assert slow.kept["source_accuracy"] > deep.kept["source_accuracy"]
assert list(moved.index[moved == 0]) == [name for name in moved.index if name.startswith(
    ("block1", "block2", "block3_conv1", "block3_conv2"))]
assert not [event for run in (head, block5, deep, fast, slow, single, phased) for event in run.events
            if event["kind"] in ("moved", "did not move")]
assert list(grid["validation_accuracy"].columns) == [1e-5, 1e-4, 1e-3, 1e-2], "the rates in their order"
assert (grid["validation_accuracy"][1e-2] < grid["validation_accuracy"].max(axis=1) - 0.2).all()
"""
WRONG = [
    ("07.1", 9, {}),  # pooling layers counted
    ("07.1", 3, {}),  # of the last five
    ("07.1", 7, {}),
    ("07.1", "block4", {}),
    ("07.2", 3, {}),  # blocks
    ("07.2", 4, {}),  # the frozen layers
    ("07.2", 12, {}),  # with pooling layers
    ("07.2", None, {}),
    ("07.3", "stay", {}),  # that the flag is enough
    ("07.3", "error", {}),
    ("07.3", 0, {}),
    ("07.4", "13 layers, 0.001", {}),  # forgets
    ("07.4", "plain", {}),  # no depth of the grid
    ("07.4", ("3 layers", 0.0001), {}),
    ("07.4", 3, {}),
]
