"""How quickly the dashboard answers; the table of the README: `make bench-dashboard`."""

from __future__ import annotations

import os
import tempfile
import threading
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from tests.benchmarks import page
from tests.benchmarks.__main__ import HERE, Row, table, write
from tests.benchmarks.contestants import random_data
from vgglab import Dashboard, Experiment
from vgglab.charts.live import LiveDrawing, live_svg
from vgglab.charts.shown import Memo, Shown
from vgglab.history import DRIFT, History
from vgglab.image_changes import AUGMENTATIONS
from vgglab.panel.live import LiveChart
from vgglab.panel.strip import Strip

RESULTS = HERE / "dashboard.json"
REPEATS = 7
ALL = {name: rule.default for name, rule in AUGMENTATIONS.items()}


def seconds_to_first_point(dashboard: Dashboard) -> float:
    first = threading.Event()
    dashboard.observe(lambda change: change["new"] and first.set(), "history")
    start = time.perf_counter()
    dashboard.bar.train.click()
    first.wait()
    elapsed = time.perf_counter() - start
    dashboard.unobserve_all("history")
    return elapsed


def first_point() -> Row:
    """From the click on Train to the first point of the curve; every run has another seed and L2."""
    dashboard, values = Dashboard(random_data(160, 400), Experiment(epochs=3)), []
    for repeat in range(REPEATS + 1):
        dashboard.controls.widgets["seed"].value = repeat
        values.append(seconds_to_first_point(dashboard))
        dashboard.join()
    return Row("click on Train to first point, vgg16-mini, warm", "≤ 2 s", "s", values[1:])


def stop() -> Row:
    """From the click on Stop, somewhere in an epoch of all thirteen layers, to the end of the thread."""
    dashboard, values = Dashboard(random_data(), Experiment(epochs=1000, unfreeze=13)), []
    for repeat in range(REPEATS):
        seconds_to_first_point(dashboard)
        time.sleep(0.3 * repeat)
        start = time.perf_counter()
        dashboard.bar.stop.click()
        dashboard.join()
        values.append(time.perf_counter() - start)
    return Row("click on Stop to idle, vgg16-mini, all 13 layers", "≤ 0.5 s", "s", values)


def event() -> Row:
    """From a moment the main thread waits for to the end of a control's handler, while all of VGG16 trains."""
    experiment = Experiment(backbone="vgg16", weights=None, unfreeze=13, epochs=1000)
    dashboard = Dashboard(random_data(256, 64), experiment)
    seconds_to_first_point(dashboard)
    values = []
    for repeat in range(60):
        start = time.perf_counter()
        time.sleep(0.1)
        dashboard.controls.widgets["l2"].value = (0.0, 1e-3)[repeat % 2]
        values.append(1000 * (time.perf_counter() - start - 0.1))
    dashboard.stop()
    dashboard.join()
    return Row("a control's event handled while full VGG16 trains", "≤ 100 ms", "ms", values)


def strip(name: str, aim: str, **changes) -> Row:
    """From a strength that is set to the strip that is drawn, of 160 images of 64 pixels."""
    drawn, data, values = Strip(), random_data(160, 400), []
    drawn.show(Experiment(**changes), data)
    drawn.join()  # TensorFlow is loaded
    for repeat in range(REPEATS):
        augment = dict(changes["augment"]) | dict(rotation=10 + repeat)
        start = time.perf_counter()
        drawn.show(Experiment(**changes | dict(augment=augment)), data)
        drawn.join()
        values.append(1000 * (time.perf_counter() - start))
    drawn.close()
    return Row(name, aim, "ms", values)


def drawing_share() -> Row:
    """All that is shown after an epoch: curves, network, small chart, and what the numbers say."""
    dashboard, values = Dashboard(random_data(160, 400), Experiment(epochs=60)), []
    spent, update = [0.0], dashboard.update

    def timed(history: History) -> None:
        start = time.perf_counter()
        update(history)
        spent[0] += time.perf_counter() - start

    dashboard.update = timed
    for _ in range(3):
        spent[0], start = 0.0, time.perf_counter()
        dashboard.run()
        values.append(100 * spent[0] / (time.perf_counter() - start))
    return Row("what is shown after each epoch, of a run of 60 epochs", "≤ 2 %", "%", values)


def made_up(epochs: int, seed: int = 0) -> History:
    rng = np.random.default_rng(seed)
    history = History(Experiment(epochs=epochs))
    for epoch in range(1, epochs + 1):
        train, validation = rng.uniform(0.5, 1), rng.uniform(0.3, 0.8)
        figures = dict(train_accuracy=train, validation_accuracy=validation, gap=train - validation)
        figures |= dict(train_loss=1 - train, validation_loss=1 - validation, logged_accuracy=train)
        history.epochs.append(
            dict(epoch=epoch, phase=1, source_accuracy=None, **figures, **dict.fromkeys(DRIFT, 0.0))
        )
    return history


def one_drawing(epochs: int, aim: str) -> Row:
    history, values = made_up(epochs), []
    for _ in range(REPEATS):
        start = time.perf_counter()
        live_svg(history)
        values.append(1000 * (time.perf_counter() - start))
    return Row(f"one drawing at epoch {epochs:,}", aim, "ms", values)


def thirty(epochs: int) -> dict[str, Shown]:
    return {f"run {seed}": Shown((made_up(epochs, seed),)) for seed in range(1, 31)}


def next_drawing_among_thirty() -> Row:
    """The curves and their readings once more, after an epoch; the 30 runs beside it have ended."""
    runs, grown, memo, values = thirty(1000), made_up(1000), Memo(), []
    history = History(grown.experiment, epochs=grown.epochs[:-20])
    for row in grown.epochs[-20:]:
        history.epochs.append(row)
        start = time.perf_counter()
        drawing = LiveDrawing(history, runs, memo)
        drawing.svg(), drawing.readings()
        values.append(1000 * (time.perf_counter() - start))
    return Row("one drawing at epoch 1,000 beside 30 such runs", "", "ms", values[1:])


def drawing_share_among_thirty() -> Row:
    """Of a made-up run of 1,000 epochs, one each 10 ms, beside 30 such runs."""
    values, grown = [], made_up(1000)
    chart, history = LiveChart(grown.experiment), History(grown.experiment)
    chart.runs = thirty(1000)
    chart.draw(history)
    chart.seconds, start = 0.0, time.perf_counter()
    for row in grown.epochs:
        time.sleep(0.01)
        history.epochs.append(row)
        chart.update(history)
    values.append(100 * chart.seconds / (time.perf_counter() - start))
    return Row("drawing, of a run of 1,000 epochs beside 30 such runs", "≤ 2 %", "%", values)


def main() -> None:
    with tempfile.TemporaryDirectory() as runs:
        os.environ["VGGLAB_RUNS"] = runs
        rows = [first_point(), stop(), event(), drawing_share()]
        rows += page.rows()
    rows += [
        strip("the strip redrawn as a strength moves", "≤ 150 ms", augment=dict(rotation=20)),
        strip(
            "the same with every change, MixUp and CutMix on", "≤ 150 ms", augment=ALL, mixup=0.2, cutmix=1
        ),
    ]
    rows += [one_drawing(10, ""), one_drawing(1000, "as at epoch 10")]
    rows += [next_drawing_among_thirty(), drawing_share_among_thirty()]
    rows += [page.frames([live_svg(made_up(epochs), thirty(40)) for epochs in range(10, 30)])]
    write(rows, RESULTS)
    print(table(rows))


if __name__ == "__main__":
    main()
