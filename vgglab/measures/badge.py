"""Did it train: whether exactly the layers that were told to learn have moved."""

from __future__ import annotations

from vgglab.history import History, Row


def badge(history: History) -> tuple[bool | None, str]:
    """Did it train: whether exactly the trainable layers moved, and a sentence; None before a phase ended.

    A phase that was stopped in its first epoch counts only if something in it went wrong.
    """
    finished = {row["phase"] for row in history.epochs}
    by_phase: dict[int, list[Row]] = {}
    for row in history.layers:
        by_phase.setdefault(row["phase"], []).append(row)
    good, bad = [], []
    for number, rows in by_phase.items():
        faults = {
            "no longer numbers": [row for row in rows if row["moved"] is None],
            "trainable but unmoved": [row for row in rows if row["trainable"] and row["moved"] == 0],
            "frozen but moved": [row for row in rows if not row["trainable"] and row["moved"]],
        }
        if number not in finished:  # there may have been no step
            del faults["trainable but unmoved"]
        named = {what: ", ".join(row["layer"] for row in which) for what, which in faults.items()}
        said = [f"{what}: {names}" for what, names in named.items() if names]
        trained = sum(row["trainable"] for row in rows)
        if said:
            bad.append(f"Phase {number}, {'; '.join(said)}.")
        elif number in finished:
            frozen = len(rows) - trained
            good.append(f"Phase {number}: {trained} trainable layers moved, {frozen} frozen ones stayed.")
    if bad:
        return False, " ".join(bad)
    return (True, " ".join(good)) if good else (None, "No phase has ended yet, so what moved is not known.")
