"""What lesson 06 must come out as, and answers that its exercises must reject."""

RESULTS = """
assert convs == 3 and without_compile == 0 < with_compile
assert block5.kept["validation_accuracy"] > slow.kept["validation_accuracy"] + 0.08, "a rate that is too low"
assert slow.kept["source_accuracy"] > block5.kept["source_accuracy"] + 0.01
assert head.kept["source_accuracy"] > 0.9, "a frozen base forgets nothing"
assert head.kept["source_accuracy"] > block5.kept["source_accuracy"] + 0.03
assert block5.kept["source_accuracy"] > deep.kept["source_accuracy"] + 0.03
assert deep.kept["source_accuracy"] > fast.kept["source_accuracy"] + 0.4, "catastrophic forgetting"
assert phased.kept["source_accuracy"] > block5.kept["source_accuracy"] + 0.03
assert list(moved.index[moved == 0]) == [name for name in moved.index if name.startswith(
    ("block1", "block2", "block3_conv1", "block3_conv2"))]
assert not [event for run in (head, block5, deep, fast, slow, phased) for event in run.events
            if event["kind"] in ("moved", "did not move")]
assert (grid["validation_accuracy"]["0.0001"] < grid["validation_accuracy"].max(axis=1)).all()
assert float(best[13]) < float(best[3]), "more layers bear a lower rate"
"""
WRONG = [
    ("06.1", 9, {}),  # pooling layers counted
    ("06.1", 3, {}),  # of the last five
    ("06.1", 7, {}),
    ("06.1", "block4", {}),
    ("06.2", 3, {}),  # blocks
    ("06.2", 4, {}),  # the frozen layers
    ("06.2", 12, {}),  # with pooling layers
    ("06.2", None, {}),
    ("06.3", "stay", {}),  # that the flag is enough
    ("06.3", "error", {}),
    ("06.3", 0, {}),
    ("06.4", "3 layers, 0.002", {}),  # the best of all, which forgets
    ("06.4", "0 layers, 0.0001", {}),  # remembers, and learns too little
    ("06.4", ("3 layers", 0.002), {}),
    ("06.4", 3, {}),
]
