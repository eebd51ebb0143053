"""Keras belongs to one thread at a time, whoever asks for it."""

import threading
import time
import warnings

import pytest

from vgglab.engine import owner
from vgglab.engine.control import Control
from vgglab.engine.owner import alone, alone_at_once
from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.measures.evaluation import evaluate
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


@pytest.mark.parametrize("what", ["train", "train in place", "evaluate", "build a model"])
def test_everything_that_uses_keras_waits_and_says_so(tiny, what, monkeypatch, request):
    monkeypatch.setattr(owner, "PATIENCE", 0.1)
    model = build_model(SMALL, 2)
    taken = request.getfixturevalue("taken")
    threading.Timer(0.5, taken.set).start()
    start = time.monotonic()
    with pytest.warns(UserWarning, match="Another run has the network"):
        match what:
            case "train":
                assert len(train(SMALL, tiny).epochs) == 2
            case "train in place":
                assert len(train(SMALL, tiny, model=model).epochs) == 2
            case "evaluate":
                evaluate(model, tiny.validation)
            case "build a model":
                build_model(SMALL, 2)
    assert time.monotonic() - start >= 0.4


def test_a_run_that_waits_can_be_stopped(tiny, taken):
    control = Control()
    threading.Timer(0.2, control.stop).start()
    history = train(SMALL, tiny, control=control)
    assert not history.epochs and history.events[-1]["kind"] == "stopped" and not taken.is_set()


def test_a_click_does_not_wait(tiny, taken):
    with (
        pytest.raises(InputError, match="Saving has to wait for the run that is going"),
        alone_at_once("Saving"),
    ):
        pass
    dashboard = Dashboard(tiny, SMALL)
    dashboard.tabs.selected_index = dashboard.tabs.titles.index("Cost")
    assert "has to wait for the run that is going" in dashboard.cost_card.value
    taken.set()


def test_the_same_thread_may_enter_again_and_leaves_it_free(tiny):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
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
