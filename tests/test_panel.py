import threading
import time

import ipywidgets as widgets

from vgglab import training
from vgglab.experiment import FIELDS, Experiment
from vgglab.panel import Panel
from vgglab.panel.controls import CONTROLS, Controls

START = Experiment(image_size=32, epochs=2, batch_size=8, unfreeze=1)


def wait(panel):
    panel.join(timeout=120)
    assert not panel.running


def test_every_field_has_a_control_or_belongs_to_the_data_and_network():
    assert set(FIELDS) - set(CONTROLS) == {
        "dataset",
        "backbone",
        "weights",
        "image_size",
        "precision",
        "later",
    }


def test_controls_start_where_the_experiment_is_and_change_it():
    start = Experiment(l2=0.0023, augment={"zoom": 0.5}, patience=4, seed=7)
    controls = Controls(start)
    assert controls.experiment == start
    controls.widgets["unfreeze"].value = 3
    controls.widgets["l2"].value = 0.01
    controls.widgets["mixup"].value = 0.2
    controls.widgets["augment"]._toggles["flip"].value = True
    assert controls.experiment == Experiment(
        l2=0.01, augment={"zoom": 0.5, "flip": 1}, patience=4, seed=7, unfreeze=3, mixup=0.2
    )
    controls.widgets["augment"]._toggles["zoom"].value = False
    assert controls.experiment.augment == (("flip", 1.0),)


def test_train_draws_each_epoch_and_frees_the_kernel(tiny):
    panel = Panel(tiny, START)
    pictures = set()
    panel.chart._image.observe(lambda change: pictures.add(change["new"]), "value")
    start = time.monotonic()
    panel.train_button.click()
    assert time.monotonic() - start < 5 and panel.running and panel.train_button.disabled
    panel.train_button.click()  # a second click while it runs changes nothing
    wait(panel)
    assert len(panel.history.epochs) == 2 and len(pictures) >= 2
    assert panel.chart.text == panel.history.summary()
    assert not panel.train_button.disabled and panel.stop_button.disabled


def test_stop_ends_the_run_and_keeps_the_epochs(tiny):
    panel = Panel(tiny, Experiment(image_size=32, epochs=1000, batch_size=8, unfreeze=1))
    first = threading.Event()
    panel.observe(lambda change: change["new"] and first.set(), "history")
    panel.train_button.click()
    assert first.wait(60)
    panel.stop_button.click()
    wait(panel)
    assert 1 <= len(panel.history.epochs) < 1000 and "Stopped" in panel.message.value


def test_a_new_run_stops_that_of_another_panel(tiny):
    endless, other = (
        Panel(tiny, Experiment(image_size=32, epochs=1000, batch_size=8, unfreeze=1)),
        Panel(tiny, START),
    )
    endless.train_button.click()
    other.train_button.click()
    wait(endless)
    wait(other)
    assert len(other.history.epochs) == 2


def test_bad_input_is_one_sentence_in_the_panel(tiny):
    panel = Panel(tiny, Experiment(image_size=32, batch_size=64))
    panel.train_button.click()
    wait(panel)
    assert (
        "`batch_size` must be at most the number of training images, 24. Received: 64." in panel.message.value
    )
    assert "Traceback" not in panel.message.value and not panel.train_button.disabled


def test_a_failure_in_training_is_shown_never_swallowed(tiny, monkeypatch):
    def fail(*rest, **options):
        raise RuntimeError("<the disk is on fire>")

    monkeypatch.setattr(training, "train", fail)
    panel = Panel(tiny, START)
    panel.train_button.click()
    wait(panel)
    assert (
        "RuntimeError: &lt;the disk is on fire&gt;" in panel.message.value
        and "Traceback" in panel.message.value
    )


def test_every_control_is_labelled(tiny):
    def inside(widget):
        yield widget
        for child in getattr(widget, "children", ()):
            yield from inside(child)

    for widget in inside(Panel(tiny, START)):
        if isinstance(
            widget,
            (
                widgets.Button,
                widgets.ToggleButton,
                widgets.IntSlider,
                widgets.SelectionSlider,
                widgets.Dropdown,
            ),
        ):
            assert widget.description


def test_the_default_experiment_fits_the_data(tiny):
    assert Panel(tiny).controls.experiment.image_size == 32
