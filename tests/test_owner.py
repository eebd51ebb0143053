"""Keras belongs to one thread at a time, whoever asks for it."""

import threading
import time

import pytest

from vgglab.engine import owner
from vgglab.engine.control import Control
from vgglab.engine.owner import alone, alone_at_once
from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.measures.evaluation import evaluate
from vgglab.measures.grad_cam import grad_cam
from vgglab.network import build_model
from vgglab.panel import Dashboard
from vgglab.training import train

SMALL = Experiment(weights=None, image_size=32, epochs=2, batch_size=8, unfreeze=1)


@pytest.fixture
def taken():
    """Keras is in another thread's hands until the event is set."""
    give_back, has_it = threading.Event(), threading.Event()

    def hold():
        with alone():
            has_it.set()
            give_back.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    assert has_it.wait(10)
    yield give_back
    give_back.set()
    thread.join()


@pytest.mark.parametrize("what", ["train", "train in place", "evaluate", "build a model", "grad_cam"])
def test_everything_that_uses_keras_waits_and_says_so(tiny, what, monkeypatch, request, capsys):
    monkeypatch.setattr(owner, "PATIENCE", 0.1)
    model = build_model(SMALL, 2)
    taken = request.getfixturevalue("taken")
    threading.Timer(0.5, taken.set).start()
    start = time.monotonic()
    match what:
        case "train":
            assert len(train(SMALL, tiny).epochs) == 2
        case "train in place":
            assert len(train(SMALL, tiny, model=model).epochs) == 2
        case "evaluate":
            evaluate(model, tiny.validation)
        case "build a model":
            build_model(SMALL, 2)
        case "grad_cam":
            grad_cam(model, tiny.validation.images)
    assert time.monotonic() - start >= 0.4
    assert capsys.readouterr().out.count("Another run has the network") == 1


def test_a_run_that_waits_can_be_stopped(tiny, taken):
    control = Control()
    threading.Timer(0.2, control.stop).start()
    history = train(SMALL, tiny, control=control)
    assert not history.epochs and history.events[-1]["kind"] == "stopped" and not taken.is_set()


def test_a_click_does_not_wait(tiny, tmp_path, request):
    trained = Dashboard(tiny, SMALL, folder=tmp_path)
    trained.run()
    taken = request.getfixturevalue("taken")
    with (
        pytest.raises(InputError, match="Saving has to wait for the run in progress"),
        alone_at_once("Saving"),
    ):
        pass
    dashboard = Dashboard(tiny, SMALL, folder=tmp_path)
    dashboard.tabs.selected_index = dashboard.tabs.titles.index("Cost")
    assert "has to wait for the run in progress" in dashboard.facts.cost.value
    trained.runs.select("run 1")
    trained.runs.buttons["Save model"].click()  # a copy of a file, for which nobody has to wait
    assert (tmp_path / "run-1.keras").is_file()
    taken.set()


def test_a_dashboard_that_waits_says_so_on_its_chart(tiny, taken, monkeypatch):
    monkeypatch.setattr(owner, "PATIENCE", 0.1)
    dashboard, said = Dashboard(tiny, SMALL), []
    say = dashboard.chart.say
    dashboard.chart.say = lambda text: said.append(text) or say(text)
    threading.Timer(0.5, taken.set).start()
    dashboard.start()
    dashboard.join(60)
    assert any("Another run has the network" in text for text in said) and len(dashboard.history.epochs) == 2


def test_the_same_thread_may_enter_again_and_leaves_it_free(tiny):
    with alone(), alone(), alone_at_once("This"):
        train(SMALL, tiny, on_epoch=lambda history: build_model(SMALL, 2))
    thread = threading.Thread(target=lambda: train(SMALL, tiny))
    thread.start()
    thread.join(60)
    assert not thread.is_alive()


def test_a_failure_gives_it_back(tiny):
    with pytest.raises(ZeroDivisionError), alone():
        1 / 0
    thread = threading.Thread(target=lambda: alone().__enter__() and None)
    thread.start()
    thread.join(5)
    assert not thread.is_alive()
