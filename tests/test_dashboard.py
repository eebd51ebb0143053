import dataclasses
import gc
import html
import itertools
import re
import subprocess
import sys
import threading
import time
import warnings
import weakref

import ipywidgets as widgets
import pytest
from PIL import Image

from test_layers import choose_on_page
from test_store import same
from vgglab import train, training
from vgglab.datasets import Split, check_fits, load
from vgglab.engine.cache import CACHE
from vgglab.engine.control import Control
from vgglab.errors import InputError
from vgglab.experiment import FIELDS, Experiment
from vgglab.history import History
from vgglab.measures.badge import badge
from vgglab.measures.diagnosis import diagnose
from vgglab.panel import Dashboard, opened
from vgglab.panel.controls import Controls
from vgglab.panel.inputs import Slider
from vgglab.panel.presets import PRESETS, QUESTIONS
from vgglab.panel.verdict import Verdict
from vgglab.share import run_folder, store
from vgglab.share.card import load_card
from vgglab.toggles import AUGMENTATIONS

START = Experiment(image_size=32, epochs=2, batch_size=8, unfreeze=1)
ENDLESS = dataclasses.replace(START, epochs=1000)


def wait(dashboard):
    dashboard.join(timeout=120)
    assert not dashboard.running


def train_until_the_first_epoch(dashboard):
    first = threading.Event()
    dashboard.observe(lambda change: change["new"] and first.set(), "history")
    dashboard.bar.train.click()
    assert first.wait(60)


def switch(controls, name, on):
    """Press a switch as the page does: the states of all of them are sent."""
    augment = controls.widgets["augment"]
    place = list(AUGMENTATIONS).index(name)
    augment.states = [(on if at == place else was, stop) for at, (was, stop) in enumerate(augment.states)]


def test_every_field_has_a_control():
    assert list(Controls(Experiment()).widgets) == list(FIELDS)


def test_controls_start_where_the_experiment_is_and_change_it():
    start = Experiment(l2=0.0023, augment={"zoom": 0.5}, patience=4, seed=7)
    controls = Controls(start)
    assert controls.experiment == start
    controls.widgets["unfreeze"].value = 3
    controls.widgets["l2"].value = 0.01
    controls.widgets["mixup"].value = 0.2
    switch(controls, "flip", True)
    assert controls.experiment == Experiment(
        l2=0.01, augment={"zoom": 0.5, "flip": 1}, patience=4, seed=7, unfreeze=3, mixup=0.2
    )
    switch(controls, "zoom", False)
    assert controls.experiment.augment == (("flip", 1.0),)


def seen(controls):
    """The fields whose control is on the page, in order; none is seen in what is taken off it."""

    def within(widget):
        if widget.layout.display == "none":
            return
        yield from [name for name, each in controls.widgets.items() if each is widget]
        for child in getattr(widget, "children", ()):
            yield from within(child)

    return list(within(controls))


def test_a_lesson_shows_the_controls_that_it_is_about(tiny):
    dashboard = Dashboard(tiny, Experiment(image_size=32, l2=0.1, epochs=3), controls=("l2", "augment"))
    assert seen(dashboard.controls) == ["l2", "augment"] and not dashboard.controls.questions
    dashboard.controls.widgets["l2"].value = 0.01
    assert dashboard.controls.experiment == Experiment(image_size=32, l2=0.01, epochs=3)
    dashboard.bar.modes.index = 1
    assert sorted(seen(dashboard.controls)) == sorted(FIELDS), "Full has every other control, and each once"
    dashboard.controls.preset.value = "example 2: its augmentation"
    assert "rotation" in dict(dashboard.controls.experiment.augment)
    dashboard.reset()
    assert dashboard.controls.experiment == Experiment(image_size=32, l2=0.1, epochs=3)
    dashboard.bar.modes.index = 0
    assert seen(dashboard.controls) == ["l2", "augment"]
    with pytest.raises(InputError, match="Unknown control. Received: 'l3'"):
        Dashboard(tiny, controls=("l3",))


def test_simple_has_seven_controls_and_three_questions(tiny):
    dashboard = Dashboard(tiny, Experiment(image_size=32, epochs=3))
    simple = {"images_a_class", "label_noise", "unfreeze", "l2", "dropout", "mixup", "augment"}
    assert set(seen(dashboard.controls)) == simple
    assert len(seen(Dashboard(tiny, full=True).controls)) == len(FIELDS)
    for question, settings in QUESTIONS.items():
        assert question.endswith("?")
        button = next(each for each in dashboard.controls.questions if each.description == question)
        button.click()
        plain = dashboard.controls.experiment.to_dict()
        assert {name: plain[name] for name in settings} == settings
        assert dashboard.controls.experiment.image_size == 32, "what a question is not about stays"


def test_a_field_moved_by_a_question_can_be_taken_back(tiny):
    controls = Dashboard(tiny, Experiment(image_size=32, l2=0.01)).controls
    controls.questions[0].click()
    controls.questions[2].click()
    assert controls.experiment.label_noise == 0, "one question's settings do not leak into the next"
    controls.reset()
    assert controls.experiment == Experiment(image_size=32, l2=0.01)


def test_train_draws_each_epoch_and_frees_the_kernel(tiny):
    dashboard = Dashboard(tiny, START)
    pictures = set()
    dashboard.chart.picture.observe(lambda change: pictures.add(change["new"]), "svg")
    start = time.monotonic()
    dashboard.bar.train.click()
    assert time.monotonic() - start < 5 and dashboard.running and dashboard.bar.train.disabled
    dashboard.bar.train.click()  # a second click while it runs changes nothing
    wait(dashboard)
    assert len(dashboard.history.epochs) == 2 and len(pictures) >= 2
    assert list(dashboard.runs.histories) == ["run 1"]
    assert dashboard.chart.text == dashboard.history.summary()
    assert not dashboard.bar.train.disabled and dashboard.bar.stop.disabled


def test_stop_ends_the_run_and_keeps_the_epochs(tiny):
    dashboard = Dashboard(tiny, ENDLESS)
    train_until_the_first_epoch(dashboard)
    dashboard.bar.stop.click()
    wait(dashboard)
    assert 1 <= len(dashboard.history.epochs) < 1000 and "Stopped" in dashboard.verdict.message.value


def test_a_new_run_stops_that_of_another_dashboard(tiny):
    endless, other = (
        Dashboard(tiny, ENDLESS),
        Dashboard(tiny, START),
    )
    endless.bar.train.click()
    other.bar.train.click()
    wait(endless)
    wait(other)
    assert len(other.history.epochs) == 2


def test_bad_input_is_one_sentence_in_the_dashboard(tiny):
    """It is refused when it is set, not after Train has blanked the chart."""
    dashboard = Dashboard(tiny, Experiment(image_size=32, batch_size=64))
    said = "`batch_size` must be at most the number of training images, 24. Received: 64."
    assert said in dashboard.controls.note.value and dashboard.bar.train.disabled
    dashboard.start()
    assert not dashboard.running
    with pytest.raises(InputError, match="`batch_size` must be at most"):
        dashboard.run()
    dashboard.controls.widgets["batch_size"].value = 16
    assert not dashboard.controls.note.value.strip() and not dashboard.bar.train.disabled


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (dict(dataset="flowers"), "There is no folder at flowers"),
        (dict(weights="imagenet"), "exists for backbone &#39;vgg16&#39; only"),
        (dict(weights="absent.h5"), "There is no weights file at absent.h5"),
        (dict(backbone="vgg16-micro"), "starts from `weights=None`"),
        (dict(image_size=64), "are in memory only, 32 pixels a side"),
        (dict(images_a_class=5, batch_size=16), "at most the number of training images, 10"),
    ],
)
def test_what_cannot_be_run_is_refused_when_it_is_set(tiny, changes, said):
    dashboard = Dashboard(tiny, START)
    for name, value in changes.items():
        dashboard.controls.widgets[name].value = value
    assert said in dashboard.controls.note.value and dashboard.bar.train.disabled
    dashboard.controls.reset_button.click()
    assert dashboard.controls.experiment == START and not dashboard.bar.train.disabled


def test_a_control_moved_to_what_cannot_be_goes_back_while_a_run_goes_on(tiny):
    dashboard = Dashboard(tiny, ENDLESS)
    train_until_the_first_epoch(dashboard)
    dashboard.controls.widgets["batch_size"].value = 64
    assert dashboard.controls.widgets["batch_size"].value == dashboard.controls.experiment.batch_size == 8
    assert "Received: 64." in dashboard.controls.note.value
    dashboard.bar.stop.click()
    wait(dashboard)
    assert not dashboard.bar.train.disabled


def test_the_preset_shown_is_the_one_that_the_controls_agree_with():
    controls = Controls(Experiment())
    deep, plain = "all layers, nothing held back", "as it was"
    controls.preset.value = deep
    controls.widgets["dropout"].value = 0.5
    assert controls.preset.value is None
    controls.preset.value = deep  # a second time, which takes the dropout back
    assert controls.experiment == Experiment(unfreeze=13)
    controls.widgets["unfreeze"].value = 3
    assert controls.preset.value == plain


@pytest.mark.parametrize("name", ["fill_mode", "views", "horizon"])
def test_a_control_without_effect_says_why_beneath_it(name):
    controls = Controls(Experiment())
    assert FIELDS[name].why_idle(Experiment()) in controls.idle[name].value
    controls.set(dict(augment=("rotation",), schedule="cosine"))
    assert controls.idle[name].value == ""


def test_a_paused_run_says_that_it_is(tiny):
    dashboard = Dashboard(tiny, ENDLESS)
    train_until_the_first_epoch(dashboard)
    dashboard.bar.pause.click()
    time.sleep(0.5)
    done = len(dashboard.history.epochs)
    assert f"paused after epoch {done} of 1000" in dashboard.progress.left.value
    dashboard.bar.pause.click()
    assert "paused" not in dashboard.progress.left.value
    dashboard.bar.stop.click()
    wait(dashboard)


@pytest.mark.parametrize("given", ["blossoms", None, [1, 2]])
def test_a_dashboard_takes_a_data_set_alone(given):
    with pytest.raises(InputError, match="`data` must be a Dataset"):
        Dashboard(given)


def test_a_failure_in_training_is_shown_never_swallowed(tiny, monkeypatch):
    def fail(*rest, **options):
        raise RuntimeError("<the disk is on fire>")

    monkeypatch.setattr(training, "train", fail)
    dashboard = Dashboard(tiny, START)
    dashboard.bar.train.click()
    wait(dashboard)
    assert (
        "RuntimeError: &lt;the disk is on fire&gt;" in dashboard.verdict.message.value
        and "Traceback" in dashboard.verdict.message.value
    )


def test_every_control_is_labelled(tiny):
    def inside(widget):
        yield widget
        for child in getattr(widget, "children", ()):
            yield from inside(child)

    for widget in inside(Dashboard(tiny, START)):
        if isinstance(
            widget,
            (
                widgets.Button,
                Slider,
                widgets.Dropdown,
            ),
        ):
            assert widget.description


def test_the_default_experiment_fits_the_data(tiny):
    dashboard = Dashboard(tiny)
    assert dashboard.controls.experiment.image_size == 32 and not dashboard.bar.train.disabled


def test_pause_holds_the_run_and_resume_goes_on(tiny):
    dashboard = Dashboard(tiny, ENDLESS)
    train_until_the_first_epoch(dashboard)
    dashboard.bar.pause.click()
    assert dashboard.bar.pause.description == "Resume"
    time.sleep(0.3)  # the running batch ends
    before = len(dashboard.history.epochs)
    time.sleep(0.3)
    assert len(dashboard.history.epochs) == before and dashboard.running
    dashboard.bar.pause.click()
    deadline = time.monotonic() + 30
    while len(dashboard.history.epochs) <= before + 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    dashboard.bar.stop.click()
    wait(dashboard)


def test_a_control_moved_on_the_way_is_a_phase_marked_on_the_chart(tiny):
    dashboard = Dashboard(tiny, Experiment(image_size=32, epochs=60, batch_size=8, unfreeze=1))

    dashboard.bar.train.click()
    assert dashboard.controls.widgets["seed"].disabled, "what cannot change within a run is locked"
    deadline = time.monotonic() + 60
    while not (dashboard.history and len(dashboard.history.epochs) >= 5):
        assert time.monotonic() < deadline
        if dashboard.history and dashboard.controls.experiment.mixup == 0:
            dashboard.controls.widgets["mixup"].value = 0.2
        time.sleep(0.005)
    wait(dashboard)
    first, second = dashboard.history.experiment.phases
    assert (first.mixup, second.mixup) == (0, 0.2) and len(dashboard.history.epochs) == 60
    assert first.epochs + second.epochs == 60
    assert "MixUp on" in dashboard.chart.picture.svg
    assert not dashboard.controls.widgets["seed"].disabled


def test_runs_are_listed_overlaid_and_their_networks_saved(tiny, tmp_path):
    import keras

    from vgglab.measures.evaluation import evaluate

    dashboard = Dashboard(tiny, START, folder=tmp_path / "runs")
    for seed in (1, 2):
        dashboard.controls.widgets["seed"].value = seed
        dashboard.start()
        wait(dashboard)
    assert list(dashboard.runs.histories) == ["run 1", "run 2"]
    assert dashboard.runs.shown == ("run 1", "run 2"), "A and B, without a click"
    assert "thick: validation, thin: train" in dashboard.chart.picture.svg
    dashboard.runs.select("run 1")
    dashboard.runs.buttons["Save model"].click()
    dashboard.runs.buttons["Save model"].click()  # is there already
    assert sorted(each.name for each in (tmp_path / "runs").iterdir()) == ["run-1", "run-1.keras", "run-2"]
    saved = keras.saving.load_model(tmp_path / "runs" / "run-1.keras")
    accuracy, loss = evaluate(saved, tiny.validation)
    row = dashboard.runs.histories["run 1"].kept
    assert (accuracy, pytest.approx(loss, rel=1e-3)) == (row["validation_accuracy"], row["validation_loss"])


def test_run_leaves_pictures_that_need_no_widget(tiny, monkeypatch):
    """As in a notebook that nbconvert executes: the page that comes out has no kernel."""
    shown = []
    monkeypatch.setattr("IPython.get_ipython", lambda: "a shell")
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append(bundle))
    shuffled = dataclasses.replace(
        tiny, validation=Split(tiny.validation.images, 1 - tiny.validation.labels)
    )  # all are mistakes
    dashboard = Dashboard(shuffled, dataclasses.replace(START, augment=("rotation",), epochs=5))
    history = dashboard.run()
    (bundle,) = shown
    assert bundle["text/plain"] == history.summary() and html.escape(history.summary()) in bundle["text/html"]
    captions = re.split(r"<figcaption><b>(.*?)</b></figcaption>", bundle["text/html"])
    figures = dict(zip(captions[1::2], captions[2::2]))
    assert list(figures) == ["Curves", "Network", "What it trains on", "Mistakes"]
    assert "<svg" in figures["Curves"] and "<svg" in figures["Network"]
    assert (
        figures["What it trains on"].count("data:image/png") == 5 and "data:image/png" in figures["Mistakes"]
    )
    assert "<script" not in bundle["text/html"]
    monkeypatch.undo()
    dashboard.run()  # outside of a notebook nothing is printed
    assert len(shown) == 1


def test_simple_draws_no_curve_of_the_source_task(tiny):
    dashboard = Dashboard(tiny, START)
    history = dashboard.run()
    assert history.epochs[-1]["source_accuracy"] is not None
    words = re.findall(r"<text[^>]*>([^<]*)</text>", dashboard.chart.picture.svg)
    assert "train" in words and "source task" not in words
    dashboard.bar.modes.index = 1
    assert "source task" in re.findall(r"<text[^>]*>([^<]*)</text>", dashboard.chart.picture.svg)


def test_a_layer_that_is_chosen_on_the_network_sets_the_depth_and_is_refused_where_that_is(tiny):
    dashboard = Dashboard(tiny, START)
    choose_on_page(dashboard.network, 7)
    assert dashboard.controls.experiment.unfreeze == dashboard.controls.widgets["unfreeze"].value == 7
    dashboard.controls.widgets["unfreeze"].value = 2
    assert dashboard.network.unfreeze == 2
    dashboard.controls.hold(everything=True)
    assert dashboard.network.disabled
    choose_on_page(dashboard.network, 5)
    assert dashboard.network.unfreeze == dashboard.controls.experiment.unfreeze == 2
    dashboard.controls.release()
    assert not dashboard.network.disabled


def test_mistakes_are_those_of_the_run_that_was_trained_and_of_a_paused_one(tiny):
    dashboard = Dashboard(tiny, ENDLESS)
    train_until_the_first_epoch(dashboard)
    dashboard.pause()
    time.sleep(0.3)
    epoch = dashboard.history.predictions.epoch
    dashboard.pause()
    dashboard.stop()
    wait(dashboard)
    assert epoch >= 1
    kept = dashboard.history.kept["epoch"]
    assert f"this run: weights of epoch {kept}" in dashboard.mistakes.views["Worst"].casefold()


def test_a_run_that_went_on_is_compared_with_others_and_never_with_itself(tiny, tmp_path, every_epoch):
    cut_short(tiny, dataclasses.replace(START, epochs=4), tmp_path / "run-1")
    dashboard = Dashboard(tiny, dataclasses.replace(START, l2=0.01), folder=tmp_path)
    dashboard.run()
    assert (dashboard.runs.a, dashboard.runs.b) == ("run 1", "run 2")
    press(dashboard, "run 1", "Go on")
    wait(dashboard)
    assert "Choose a second run" in dashboard.mistakes.views["A against B"], "run 1 is A itself"
    dashboard.show_mistakes()
    assert "B is judged by the weights of epoch 2, A by" in dashboard.mistakes.views["A against B"]


def test_the_strip_and_the_network_follow_the_controls(tiny):
    dashboard = Dashboard(tiny, START)
    assert dashboard.strip.join(60)
    before = dashboard.strip.contents["tiles"][1]["source"]
    switch(dashboard.controls, "rotation", True)
    assert dashboard.strip.join(60) and dashboard.strip.contents["tiles"][1]["source"] != before
    assert "rotation" in dict(dashboard.controls.experiment.augment)


def test_several_seeds_are_trained_in_turn_and_each_is_kept(tiny, tmp_path):
    dashboard = Dashboard(tiny, dataclasses.replace(START, seed=4), folder=tmp_path)
    dashboard.bar.seeds.index = 1
    dashboard.start()
    assert all(widget.disabled for widget in dashboard.controls.widgets.values()), (
        "a change would be of one alone"
    )
    wait(dashboard)
    histories = dashboard.runs.histories
    assert [history.experiment.seed for history in histories.values()] == [4, 5, 6]
    for history in histories.values():
        assert same(history, training.train(history.experiment, tiny))
    assert not any(widget.disabled for widget in dashboard.controls.widgets.values())


def test_each_seed_begins_with_nothing_of_the_one_before(tiny, tmp_path):
    dashboard, seen = Dashboard(tiny, START, folder=tmp_path), []
    original = dashboard.began

    def began(history, number, of, folder):
        original(history, number, of, folder)
        worst = dashboard.mistakes.views["Worst"]
        seen.append((dashboard.history, dashboard.verdict.sentence.value, "Weights of epoch" in worst))

    dashboard.began = began
    dashboard.bar.seeds.index = 1
    dashboard.start()
    wait(dashboard)
    assert [each[0] for each in seen] == [None] * 3 and not any(each[2] for each in seen)
    assert len({each[1] for each in seen}) == 1
    assert "Seed 2:" in dashboard.verdict.sentence.value, "the latest of three, and it is said"


def test_a_stop_before_the_second_seed_began_leaves_the_first_on_the_screen(tiny, tmp_path):
    dashboard = Dashboard(tiny, START, folder=tmp_path)
    original = dashboard.began

    def began(history, number, of, folder):
        original(history, number, of, folder)
        if number == 2:
            dashboard.stop()

    dashboard.began = began
    dashboard.bar.seeds.index = 1
    dashboard.start()
    wait(dashboard)
    (first,) = dashboard.runs.histories.values()
    assert dashboard.history is first and dashboard.chart.text == "Stopped before it began."
    assert "Seed" not in dashboard.verdict.sentence.value


def test_more_seeds_than_there_are_is_said_before_anything_is_trained(tiny):
    dashboard = Dashboard(tiny, dataclasses.replace(START, seed=2**31 - 1))
    dashboard.bar.seeds.index = 1
    dashboard.start()
    assert not dashboard.running and "`seed` must be" in dashboard.verdict.message.value
    dashboard.bar.seeds.index = 0
    dashboard.start()
    wait(dashboard)
    assert len(dashboard.history.epochs) == 2


def test_a_run_that_is_stopped_while_it_gets_ready_is_a_history_without_epochs(tiny, monkeypatch):
    dashboard = Dashboard(tiny, START)
    monkeypatch.setattr(dashboard._images, "fetch", lambda *given: dashboard.stop() or tiny)
    history = dashboard.run()
    assert not history.epochs and dashboard.chart.text == "Stopped before it began."


def test_a_new_run_shows_nothing_of_the_one_before(tiny):
    dashboard = Dashboard(tiny, START.then(l2=0.01))
    dashboard.run()
    assert "from epoch 3" in dashboard.phases.value and "moved farthest" in dashboard.network.summary
    dashboard.show_beginning(History(START))
    assert not dashboard.phases.value.strip() and not dashboard.network.summary
    assert "Epoch" not in dashboard.bar.mini.value and "Press Train" in dashboard.mistakes.views["Worst"]


def test_a_failure_is_still_said_when_other_runs_are_on_the_table(tiny, monkeypatch):
    dashboard = Dashboard(tiny, START)
    dashboard.run()
    dashboard.run()
    monkeypatch.setattr(Dashboard, "update", lambda self, history: exec("raise MemoryError"))
    dashboard.start()
    wait(dashboard)
    assert dashboard.chart.text == "The run failed." and "MemoryError" in dashboard.verdict.message.value
    dashboard.bar.modes.index = 1
    assert dashboard.chart.text == "The run failed.", "what is drawn anew does not change what is said"


def test_a_deleted_run_is_off_the_screen(tiny):
    dashboard = Dashboard(tiny, START)
    dashboard.run()
    dashboard.runs.select("run 1")
    for _ in range(2):
        dashboard.runs.buttons["Delete"].click()
    assert not dashboard.runs.histories and dashboard.history is None
    assert (
        "Press Train" in dashboard.verdict.sentence.value and dashboard.chart.text == "No epoch finished yet."
    )


def test_without_a_run_pause_does_nothing(tiny):
    dashboard = Dashboard(tiny, START)
    dashboard.run()
    dashboard.pause()
    assert dashboard.bar.pause.description == "Pause" and "paused" not in dashboard.progress.left.value


def test_nothing_is_set_in_secret(tiny):
    """A link, or a lesson, may begin with what only Full shows."""
    start = Experiment(image_size=32, views=3, seed=7, learning_rate=0.01, augment=("flip",))
    dashboard = Dashboard(tiny, start.then(epochs=30, l2=0.1))
    said = dashboard.controls.beyond.value
    assert "Set as well: views 3, learning rate 0.01, seed 7." in said
    assert "Then 30 more epochs: L2 on." in said
    assert "image size" not in said, "that is of the images"


def test_a_control_moved_and_back_before_the_next_epoch_is_no_phase(tiny, every_epoch):
    dashboard = Dashboard(tiny, ENDLESS)
    train_until_the_first_epoch(dashboard)
    dashboard.pause()
    dashboard.controls.widgets["l2"].value = 0.01
    dashboard.controls.widgets["l2"].value = 0.0
    done = len(dashboard.history.epochs)
    dashboard.pause()
    deadline = time.monotonic() + 60
    while len(dashboard.history.epochs) < done + 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    dashboard.stop()
    wait(dashboard)
    assert len(dashboard.history.experiment.phases) == 1


def test_images_that_would_be_read_anew_are_named(tmp_path):
    dashboard = Dashboard(load("blossoms"), Experiment(unfreeze=0))
    assert not dashboard.elsewhere.value.strip()
    dashboard.controls.set(dict(image_size=96))
    assert (
        "Still images of blossoms in 64 pixels: blossoms in 96 pixels is read by Train."
        in dashboard.elsewhere.value
    )


def test_a_control_is_not_lost_while_the_run_ends(tiny):
    """Whoever moves a control in the instant in which all are unlocked is heard."""
    for _ in range(10):
        dashboard = Dashboard(tiny, START)
        controls, going = dashboard.controls, threading.Event()

        def unlock(controls=controls, going=going):
            going.wait()
            for _ in range(40):
                controls.hold()
                controls.release()

        thread = threading.Thread(target=unlock)
        thread.start()
        going.set()
        for turn in range(40):
            controls.widgets["l2"].value = (0.0, 0.01)[turn % 2]
        thread.join()
        assert controls.experiment.l2 == controls.widgets["l2"].value
        dashboard.close()


def test_stop_ends_the_seed_that_trains_and_begins_no_other(tiny, tmp_path):
    dashboard = Dashboard(tiny, START, folder=tmp_path)
    dashboard.bar.seeds.index = 2
    original = dashboard.began

    def began(history, number, of, folder):
        original(history, number, of, folder)
        if number == 2:
            assert "seed 2 of 5:" in dashboard.progress._which
            dashboard.stop()

    dashboard.began = began
    dashboard.start()
    wait(dashboard)
    assert [history.experiment.seed for history in dashboard.runs.histories.values()] == [0]


def test_run_trains_in_the_foreground_and_raises(tiny, monkeypatch):
    dashboard = Dashboard(tiny, START)
    history = dashboard.run()
    assert len(history.epochs) == 2 and not dashboard.running and dashboard.chart.text == history.summary()

    def fail(*rest, **options):
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr(training, "train", fail)
    with pytest.raises(RuntimeError, match="the disk is on fire"):
        dashboard.run()
    assert not dashboard.bar.train.disabled


def test_reset_and_presets_move_the_controls(tiny):
    start = Experiment(image_size=32, l2=0.0023, epochs=7, batch_size=8)
    dashboard = Dashboard(tiny, start)
    dashboard.controls.preset.value = "example 2: its augmentation"
    assert dict(dashboard.controls.experiment.augment).keys() == {
        "flip", "rotation", "width_shift", "height_shift", "shear", "zoom",
    }  # fmt: skip
    assert dashboard.controls.experiment.epochs == 7
    dashboard.controls.widgets["dropout"].value = 0.5
    dashboard.controls.reset_button.click()
    assert dashboard.controls.experiment == start


@pytest.mark.parametrize("first", PRESETS)
def test_every_preset_can_follow_every_other_and_be_taken_back(first):
    start = Experiment(views=4, patience=5, augment=("zoom",))
    controls = Controls(start)
    for second in PRESETS:
        controls.preset.value = first
        controls.preset.value = second
        assert controls.experiment == Experiment(**start.to_dict() | dict(later=()) | PRESETS[second])
        for name, widget in controls.widgets.items():
            value = FIELDS[name].check(name, widget.value)  # "none" is none
            assert value == getattr(controls.experiment, name), name
        controls.reset()
        assert controls.experiment == start


def test_a_slider_moves_to_off_where_off_is_none():
    controls = Controls(Experiment(views=4, patience=5))
    for name in ("views", "patience"):
        controls.widgets[name].value = None
        slider = controls.widgets[name]
        assert slider.labels[slider.index] == "off" and getattr(controls.experiment, name) is None
        slider.index = 1  # as the page does
        assert slider.value == getattr(controls.experiment, name) == FIELDS[name].stops[1]


def test_a_value_between_the_stops_gets_a_place_of_its_own():
    controls = Controls(Experiment())
    controls.set(dict(l2=0.0023, patience=7))
    assert (controls.experiment.l2, controls.experiment.patience) == (0.0023, 7)
    assert controls.widgets["l2"].labels[controls.widgets["l2"].index] == "0.0023"
    assert controls.widgets["patience"].labels == ["off", "3 epochs", "5 epochs", "7 epochs", "10 epochs"]
    controls.widgets["l2"].index = 99  # from a page that is not ours
    assert controls.experiment.l2 == 0.1


def test_reset_moves_nothing_that_is_locked(tiny):
    dashboard = Dashboard(tiny, ENDLESS)
    dashboard.controls.set(dict(epochs=500))
    train_until_the_first_epoch(dashboard)
    dashboard.controls.reset_button.click()
    assert dashboard.controls.experiment.epochs == 500 and dashboard.running
    dashboard.bar.stop.click()
    wait(dashboard)


def test_every_control_says_what_it_does():
    controls = Controls(Experiment(augment={"rotation": 40}))
    assert controls.widgets["image_size"].tooltip == "how large every image is made [pixels a side]"
    augment, place = controls.widgets["augment"], list(AUGMENTATIONS).index("rotation")

    def said():
        return augment.rows[place]["said"][augment.states[place][1]]

    assert said() == "40 degrees to either side"
    controls.set(dict(augment={"rotation": 5}))
    assert said() == "5 degrees to either side"
    switch(controls, "rotation", False)
    switch(controls, "rotation", True)
    assert controls.experiment.augment == (("rotation", 5.0),)


def test_what_has_no_effect_is_said():
    controls = Controls(Experiment())
    controls.widgets["fill_mode"].value = "wrap"
    assert "Fill mode has no effect" in controls.note.value
    switch(controls, "rotation", True)
    assert "no effect" not in controls.note.value


def test_phases_that_were_planned_keep_the_run_its_length_when_a_control_is_moved(tiny):
    planned = Experiment(image_size=32, epochs=2, batch_size=8, unfreeze=1).then(unfreeze=0, epochs=300)
    dashboard = Dashboard(tiny, planned)
    dashboard.controls.widgets["seed"].value = 3  # the whole run's, and so every phase's
    assert [phase.seed for phase in dashboard.controls.experiment.phases] == [3, 3]
    train_until_the_first_epoch(dashboard)
    dashboard.controls.widgets["l2"].value = 0.01
    assert dashboard.progress.planned == 302
    dashboard.bar.stop.click()
    wait(dashboard)


def test_what_the_script_cannot_say_stands_on_its_tab(tiny):
    dashboard = Dashboard(tiny, START)
    dashboard.tabs.selected_index = dashboard.tabs.titles.index("Code")
    dashboard.controls.widgets["weights"].value = "imagenet"
    assert "exists for backbone" in dashboard.facts.code.value and "alert" in dashboard.facts.code.value
    assert dashboard.controls.experiment.weights == "imagenet" and dashboard.bar.train.disabled


def test_the_depth_is_told_in_layers_and_weights(tiny):
    dashboard = Dashboard(tiny, Experiment(image_size=32, unfreeze=3))
    # Three layers of 3 x 3 x 128 x 128 weights and 128 biases.
    assert f"block5_conv1 and up ({3 * (9 * 128 * 128 + 128):,} weights)" in dashboard.controls.depth.value
    dashboard.controls.widgets["unfreeze"].value = 0
    assert "only the head learns" in dashboard.controls.depth.value


def test_code_and_cost_are_there_when_their_tab_is_opened(tiny):
    dashboard = Dashboard(tiny, START)
    assert not dashboard.facts.code.value and not dashboard.facts.cost.value
    dashboard.tabs.selected_index = dashboard.tabs.titles.index("Code")
    assert "import keras" in dashboard.facts.code.value
    dashboard.controls.widgets["mixup"].value = 0.2
    assert "MixUp" in dashboard.facts.code.value
    dashboard.tabs.selected_index = dashboard.tabs.titles.index("Cost")
    assert "a training step" in dashboard.facts.cost.value


def test_the_verdict_is_one_sentence_and_the_evidence_unfolds(tiny):
    dashboard = Dashboard(tiny, START)
    history = dashboard.run()
    first, *others = diagnose(history)
    said, behind = (
        html.unescape(each.value) for each in (dashboard.verdict.sentence, dashboard.verdict.evidence)
    )
    assert first.finding in said and first.evidence not in said
    assert all(each.finding in behind and each.evidence in behind for each in (first, *others))
    assert badge(history)[1] in behind


def test_the_verdict_says_since_which_phase(tiny):
    history = train(START.then(l2=0.01), tiny)
    verdict = Verdict()
    verdict.show(history)
    finding = diagnose(history)[0].finding
    assert f"{finding[:-1]} (phase 2 since epoch 3)." in html.unescape(verdict.sentence.value)
    verdict.show(dataclasses.replace(history, epochs=history.epochs[:2]), whose="Seed 4:")
    assert "phase" not in verdict.sentence.value and "Seed 4: " in verdict.sentence.value


def test_conditions_and_the_test_part_are_said_and_drawn(tiny):
    data = dataclasses.replace(tiny, test=tiny.validation)
    dashboard = Dashboard(data, dataclasses.replace(START, epochs=1))
    for name, label, value in (("images_a_class", "10", 10), ("label_noise", "0.4", 0.4)):
        widget = dashboard.controls.widgets[name]
        assert widget.labels[widget.index] == "off"
        widget.value = value
        assert widget.labels[widget.index] == label
    dashboard.tabs.selected_index = dashboard.tabs.titles.index("Code")
    assert (
        "images_a_class=10" in dashboard.facts.code.value and "labels[redrawn]" in dashboard.facts.code.value
    )
    history = dashboard.run()
    assert history.experiment.label_noise == 0.4 and history.data["train"] == 20
    assert history.test["images"] == 10 and history.tested() in dashboard.verdict.message.value
    for sentence in ("20 of the 24 training images are used, 10 of each class.", "labels 8 were redrawn"):
        assert sentence in dashboard.verdict.message.value
    assert "wrong labels memorised" in dashboard.chart.picture.svg
    dashboard.controls.hold()
    assert all(dashboard.controls.widgets[name].disabled for name in ("images_a_class", "label_noise"))


def test_the_cost_is_that_of_the_images_that_are_used(tiny, monkeypatch):
    from vgglab.panel import costs

    counted = []
    monkeypatch.setattr(
        costs, "cost_table", lambda experiment, data, history: f"{counted.append(len(data.train))}"
    )
    dashboard = Dashboard(tiny, START)
    dashboard.tabs.selected_index = dashboard.tabs.titles.index("Cost")
    dashboard.controls.widgets["images_a_class"].value = 5
    assert counted == [24, 10]


def test_a_not_a_number_is_said(tiny):
    dashboard = Dashboard(
        tiny, Experiment(image_size=32, epochs=30, batch_size=8, unfreeze=13, learning_rate=1.0, weights=None)
    )
    with pytest.warns(UserWarning):
        dashboard.run()
    assert "A lower learning rate usually helps" in dashboard.verdict.message.value


def test_a_dashboard_that_is_thrown_away_leaves_no_thread(tiny):
    dashboard = Dashboard(tiny, ENDLESS)
    assert dashboard.strip.join(60)  # which draws in a thread of its own
    before = set(threading.enumerate())
    dashboard.start()
    (thread,) = {each for each in set(threading.enumerate()) - before if "_run_on" in each.name}
    Dashboard(tiny, START).start()  # what running the cell again does
    thread.join(60)
    assert not thread.is_alive()


def test_train_right_after_stop_trains_as_soon_as_the_stopped_run_has_ended(tiny):
    dashboard, states, said = Dashboard(tiny, ENDLESS), [], []
    train_until_the_first_epoch(dashboard)
    dashboard._runner.observe(lambda change: states.append(change["new"]), "state")
    dashboard.chart._status.observe(lambda change: said.append(change["new"]), "value")
    for times in range(1, 11):
        dashboard.bar.stop.click()
        assert not dashboard.bar.train.disabled and dashboard.bar.stop.disabled
        train_until_the_first_epoch(dashboard)
        assert len(dashboard.runs.histories) == times, "the stopped run is kept"
    assert states == ["stopping", "waiting", "running"] * 10
    assert sum("Trains as soon as the stopped run has ended." in each for each in said) == 10
    dashboard.bar.stop.click()
    wait(dashboard)
    assert dashboard.bar.train.disabled is False and len(dashboard.runs.histories) == 11


def test_stop_takes_a_train_back_that_waits(tiny):
    dashboard = Dashboard(tiny, ENDLESS)
    train_until_the_first_epoch(dashboard)
    for button in (dashboard.bar.stop, dashboard.bar.train, dashboard.bar.stop):
        assert not button.disabled
        button.click()
    wait(dashboard)
    assert list(dashboard.runs.histories) == ["run 1"] and not dashboard.controls.held


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes", [{}, dict(augment=("flip",), views=2, patience=3)], ids=["plain", "views"]
)
def test_a_run_stopped_anywhere_before_its_first_epoch_says_so_quietly(tiny, changes, monkeypatch):
    """It listens to Stop at every call of `Control.check`: before the network, in the features, in batches, in the
    evaluation."""
    listen, left = Control.check, [0]

    def stop_at_the_last(control):
        left[0] -= 1
        if left[0] == 0:
            control.stop()
        listen(control)

    dashboard = Dashboard(tiny, dataclasses.replace(ENDLESS, **changes))
    dashboard.start()
    dashboard.stop()  # before the thread has done anything
    wait(dashboard)
    assert dashboard.chart.text == "Stopped before it began."
    monkeypatch.setattr(Control, "check", stop_at_the_last)
    for place in itertools.count(1):
        CACHE.clear()
        left[0] = place
        dashboard.start()
        wait(dashboard)
        if dashboard.history:
            break
        assert dashboard.chart.text == "Stopped before it began."
        assert not dashboard.verdict.message.value and not dashboard.runs.histories
        assert not dashboard.bar.train.disabled and dashboard.bar.stop.disabled
    assert place > 5 and dashboard.chart.text.startswith("Epoch 1 of 1000")


def test_two_dashboards_started_in_turn_end_cleanly(tiny, monkeypatch):
    broken = []
    monkeypatch.setattr(threading, "excepthook", broken.append)
    boards = Dashboard(tiny, ENDLESS), Dashboard(tiny, START)
    for turn in range(10):
        boards[turn % 2].bar.train.click()
        time.sleep(0.02 * turn)
    for dashboard in boards:
        wait(dashboard)
        assert "alert" not in dashboard.verdict.message.value and not dashboard.bar.train.disabled
    assert len(boards[1].history.epochs) == 2 and not broken
    first = boards[0].chart.text
    assert first == "Stopped before it began." or first == boards[0].history.summary()


def test_pause_does_not_hold_up_a_run_that_was_stopped(tiny):
    dashboard = Dashboard(tiny, ENDLESS)
    train_until_the_first_epoch(dashboard)
    dashboard.pause()
    assert dashboard.bar.pause.description == "Resume"
    dashboard.stop()
    dashboard.pause()
    wait(dashboard)
    assert dashboard.bar.pause.description == "Pause"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_of_many_dashboards_in_a_kernel_few_are_kept_and_the_others_are_freed(tiny, capsys):
    def made(experiment=START):
        return weakref.ref(Dashboard(tiny, experiment))

    for each in list(opened._OPEN):
        each.close()
    before = len(widgets.Widget.widgets)
    made()
    each = len(widgets.Widget.widgets) - before
    boards = [made() for _ in range(19)]
    assert len(widgets.Widget.widgets) - before == opened.AT_MOST * each
    gc.collect()
    assert [board() is not None for board in boards] == [False] * (19 - opened.AT_MOST) + [
        True
    ] * opened.AT_MOST
    said = "The oldest dashboard of this notebook was closed, because at most 8 are kept open.\n"
    assert capsys.readouterr().out == said * (20 - opened.AT_MOST)


def test_a_dashboard_whose_run_goes_on_is_not_closed_for_others(tiny):
    dashboard = Dashboard(tiny, ENDLESS)
    train_until_the_first_epoch(dashboard)
    others = [Dashboard(tiny, START) for _ in range(opened.AT_MOST)]
    assert dashboard.comm is not None and others[0].comm is None and others[1].comm is not None
    dashboard.stop()
    wait(dashboard)


def test_a_closed_dashboard_stops_lets_go_of_everything_and_keeps_its_records(tiny):
    other, dashboard = Dashboard(tiny, START), Dashboard(tiny, ENDLESS)
    train_until_the_first_epoch(dashboard)
    inside = [*opened.parts(dashboard)]
    assert {
        dashboard,
        dashboard.progress,
        dashboard.progress.bar.layout,
        dashboard.runs.buttons["Export"],
    } <= {*inside}
    dashboard.close()
    wait(dashboard)
    assert not [each for each in inside if each.comm is not None] and "closed" in repr(dashboard)
    assert dashboard.history.epochs and list(dashboard.runs.histories) == ["run 1"]
    assert all(each.comm is not None for each in opened.parts(other)), "they share no widget"
    for action in (dashboard.start, dashboard.run):
        with pytest.raises(InputError, match="This dashboard was closed"):
            action()
    dashboard.close()  # once more
    left, inside = weakref.ref(dashboard), None
    del dashboard, action
    gc.collect()
    assert left() is None


def other_value(name, value):
    """One that the field may have, and does not have now."""
    toggle = FIELDS[name]
    options = getattr(toggle, "options", None) or getattr(toggle, "stops", None) or ("somewhere", 7)
    fitting = [
        each for each in options if each is not None and each != value and isinstance(each, (int, str, float))
    ]
    for each in fitting:
        try:
            return toggle.check(name, each)
        except InputError:
            continue
    raise AssertionError(name)


def test_what_a_run_keeps_cannot_be_moved_in_it_and_its_export_and_card_load_again(tmp_path):
    """Neither by a control, nor by Reset after it was moved before the run; the record is one that can be replayed."""
    for name, part, label in itertools.product(("one", "two"), ("train", "validation"), ("dark", "light")):
        (tmp_path / name / part / label).mkdir(parents=True)
        for number in range(8):
            level = 40 if label == "dark" else 220
            picture = Image.new("RGB", (32, 32), (level, level, 8 * number))
            picture.save(tmp_path / name / part / label / f"{number}.png")
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    start = dataclasses.replace(ENDLESS, dataset=one)
    moved = dict(dataset=two, image_size=64, images_a_class=5, label_noise=0.2, backbone="vgg16-micro")
    moved |= dict(weights=None, precision="bfloat16", head="dense", seed=3, fit="pad", group=r"(\d+)")
    (tmp_path / "leave out.txt").write_text("train/dark/7.png\n")
    moved |= dict(exclude=str(tmp_path / "leave out.txt"))
    fixed = [name for name, toggle in FIELDS.items() if toggle.fixed]
    assert moved.keys() == {*fixed}
    dashboard = Dashboard(load(one, 32), start, folder=tmp_path / "runs")
    dashboard.controls.set(moved)
    asked = dashboard.controls.experiment
    assert not dashboard.controls.problem
    train_until_the_first_epoch(dashboard)
    dashboard.controls.reset_button.click()
    for name in fixed:
        dashboard.controls.widgets[name].value = other_value(name, getattr(asked, name))
        sentence = f"`{name}` belongs to the whole run and cannot change in a later phase."
        assert sentence in dashboard.controls.note.value, name
        assert dashboard.controls.experiment == asked, name
        with pytest.raises(InputError, match=sentence):
            change = {name: other_value(name, getattr(asked, name))}
            dashboard._runner.control.change(dataclasses.replace(asked, **change))
    dashboard.controls.widgets["l2"].value = 0.01  # what a phase may change, it does
    done = len(dashboard.history.epochs)
    deadline = time.monotonic() + 60
    while len(dashboard.history.experiment.phases) < 2 or len(dashboard.history.epochs) < done + 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    dashboard.bar.stop.click()
    wait(dashboard)
    history = dashboard.runs.histories["run 1"]
    assert [phase.l2 for phase in history.experiment.phases][:2] == [0, 0.01]
    dashboard.runs.select("run 1")
    for button in ("Export", "Run card"):
        dashboard.runs.buttons[button].click()
    assert History.load(tmp_path / "runs" / "run-1.jsonl") == history
    assert load_card(tmp_path / "runs" / "run-1.html") == history
    check_fits(history.experiment, dashboard.data)


def test_another_image_size_or_data_set_is_read_when_it_is_needed(tmp_path):
    for part in ("train", "validation"):
        for label, level in (("dark", 40), ("light", 220)):
            (tmp_path / part / label).mkdir(parents=True)
            for number in range(8):
                Image.new("RGB", (40, 40), (level, level, number)).save(
                    tmp_path / part / label / f"{number}.png"
                )
    dashboard = Dashboard(
        load(tmp_path, 32), Experiment(dataset=str(tmp_path), image_size=32, epochs=1, batch_size=8)
    )
    dashboard.controls.widgets["image_size"].value = 64
    assert dashboard.run().data["image_size"] == 64
    dashboard.controls.widgets["dataset"].value = str(tmp_path / "absent")
    assert "There is no folder at" in dashboard.controls.note.value and dashboard.bar.train.disabled


def test_images_in_memory_are_not_exchanged_for_others_of_another_size():
    from vgglab.datasets import draw_blossoms

    drawn = draw_blossoms(train_images=1, validation_images=1, image_size=32)
    dashboard = Dashboard(drawn, Experiment(image_size=32, epochs=1, batch_size=8))
    size = dashboard.controls.widgets["image_size"]
    size.value = 64
    with pytest.raises(InputError, match="'blossoms drawn on request' are in memory only, 32 pixels a side"):
        dashboard.run()
    size.value = 32
    assert dashboard.run().data["fingerprint"] == drawn.fingerprint
    size.value = 64
    assert "Make them anew like that" in dashboard.controls.note.value and dashboard.bar.train.disabled


def test_the_data_given_come_back_with_their_size():
    given = load("blossoms", 32)
    dashboard = Dashboard(given, Experiment(image_size=32, epochs=1))
    dashboard.controls.widgets["image_size"].value = 64
    dashboard._images.fetch(dashboard.controls.experiment, print)
    assert dashboard.data.image_size == 64
    dashboard.controls.widgets["image_size"].value = 32
    dashboard._images.fetch(dashboard.controls.experiment, print)
    assert dashboard.data is given


def test_an_empty_name_leaves_the_experiment_as_it_was(tiny):
    dashboard = Dashboard(tiny, START)
    dashboard.controls.widgets["dataset"].value = ""
    assert (
        dashboard.controls.experiment == START and "`dataset` must be a name" in dashboard.controls.note.value
    )


def test_pixels_that_are_no_0_255_images_are_pointed_out(tiny):
    from vgglab.datasets import Split

    assert not tiny.odd_pixels
    halved = dataclasses.replace(tiny, train=Split(tiny.train.images // 255, tiny.train.labels))
    assert "divided by 255" in halved.odd_pixels[0]
    dark = dataclasses.replace(tiny, validation=Split(tiny.validation.images // 20, tiny.validation.labels))
    assert "differ in brightness" in dark.odd_pixels[0]
    same = dataclasses.replace(
        tiny, train=Split(tiny.train.images[:1].repeat(4, axis=0), tiny.train.labels[:4])
    )
    assert "the same" in " ".join(same.odd_pixels)
    dashboard = Dashboard(dark, START)
    dashboard.run()
    assert "differ in brightness" in dashboard.verdict.sentence.value


class Killed(BaseException):
    """Ends a run as no code of it expects."""


def cut_short(data, experiment, folder, epochs=2):
    """What is left of a run whose process was killed after so many epochs."""

    def end(history):
        if len(history.epochs) == epochs:
            raise Killed

    with pytest.raises(Killed):
        training.train(experiment, data, end, out=folder)


@pytest.fixture
def every_epoch(monkeypatch):
    """A checkpoint after every epoch, however long it takes."""
    monkeypatch.setattr(run_folder._Pace, "due", True)


def press(dashboard, name, button):
    dashboard.runs.select(name)
    dashboard.runs.buttons[button].click()
    return dashboard.runs._message.value


def test_a_new_dashboard_has_the_runs_before_it_on_its_table(tiny, tmp_path):
    first = Dashboard(tiny, START, folder=tmp_path)
    first.run()
    first.start()
    wait(first)
    second = Dashboard(tiny, START, folder=tmp_path)
    assert second.runs.histories == first.runs.histories and list(second.runs.histories) == ["run 1", "run 2"]
    assert second.runs.table.rows == first.runs.table.rows
    second.run()
    first.run()
    assert list(second.runs.histories) == ["run 1", "run 2", "run 3"]
    assert list(first.runs.histories) == ["run 1", "run 2", "run 4"], "two that are open share no number"
    press(first, "run 4", "Save model")
    assert (tmp_path / "run-4.keras").is_file()


ONE_PHASE = dataclasses.replace(START, epochs=4, dropout=0.3)


@pytest.mark.parametrize("experiment", [ONE_PHASE, ONE_PHASE.then(unfreeze=3, epochs=3)], ids=["one", "two"])
def test_a_run_that_was_cut_short_goes_on_to_the_same_history(tiny, tmp_path, every_epoch, experiment):
    cut_short(tiny, experiment, tmp_path / "run-1", epochs=5 if experiment.later else 3)
    dashboard, drawn = Dashboard(tiny, START, folder=tmp_path), []
    dashboard.chart._status.observe(lambda change: drawn.append(dashboard.chart.text), "value")
    dashboard.runs.add(dashboard.runs.histories["run 1"], "a card")
    assert "interrupted" in str(dashboard.runs.table.rows)
    assert "run 1 goes on." in press(dashboard, "run 1", "Go on")
    assert dashboard.controls.widgets["dropout"].value == 0.3
    assert dashboard.controls.widgets["unfreeze"].value == (3 if experiment.later else 1)
    assert dashboard.controls.widgets["seed"].disabled and "going on" in str(dashboard.runs.table.rows)
    wait(dashboard)
    assert drawn[0].startswith(f"Epoch {5 if experiment.later else 3} of"), (
        "the epochs so far are drawn at once"
    )
    whole = training.train(experiment, tiny)
    assert same(dashboard.history, whole) and same(dashboard.runs.histories["run 1"], whole)
    assert list(dashboard.runs.histories) == ["run 1", "a card"]
    assert "interrupted" not in str(dashboard.runs.table.rows) and not dashboard.verdict.message.value.count(
        "alert"
    )
    assert same(Dashboard(tiny, START, folder=tmp_path).runs.histories["run 1"], whole)


def test_a_run_that_was_stopped_goes_on_while_the_next_one_still_stops(tiny, tmp_path):
    dashboard = Dashboard(tiny, dataclasses.replace(START, epochs=40), folder=tmp_path)
    train_until_the_first_epoch(dashboard)
    dashboard.stop()
    wait(dashboard)
    assert "stopped" in str(dashboard.runs.table.rows)
    dashboard.controls.set(dict(epochs=1000, l2=0.1))
    train_until_the_first_epoch(dashboard)
    assert "Another run has to end before run 1 can go on" in press(dashboard, "run 1", "Go on")
    dashboard.stop()
    press(dashboard, "run 1", "Go on")
    wait(dashboard)
    assert len(dashboard.history.epochs) == 40 and len(dashboard.history.experiment.phases) == 1
    assert same(dashboard.runs.histories["run 1"], training.train(dashboard.history.experiment, tiny))
    assert list(dashboard.runs.histories) == ["run 1", "run 2"]


def test_a_control_moved_in_a_run_that_goes_on_changes_that_alone(tiny, tmp_path, every_epoch):
    """Also of what has no control on the page; afterwards that is still set, and said."""
    cut_short(tiny, dataclasses.replace(ENDLESS, dropout=0.3, l2=0.1), tmp_path / "run-1")
    dashboard = Dashboard(tiny, START, folder=tmp_path, controls=["weight_decay", "l2"])
    press(dashboard, "run 1", "Go on")
    dashboard.controls.widgets["weight_decay"].value = 0.01
    deadline = time.monotonic() + 60
    while not (dashboard.history and len(dashboard.history.experiment.phases) == 2):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    dashboard.stop()
    wait(dashboard)
    before, after = dashboard.history.experiment.phases
    assert (before.dropout, before.l2, before.weight_decay) == (0.3, 0.1, 0)
    assert (after.dropout, after.l2, after.weight_decay) == (0.3, 0.1, 0.01)
    assert dashboard.history.experiment.planned_epochs == 1000
    set_so = dict(weight_decay=0.01, l2=0.1, dropout=0.3, epochs=1000)
    assert dashboard.controls.experiment == dataclasses.replace(START, **set_so)
    assert (
        "Set as well: unfreeze depth 1, dropout 0.3, batch size 8, epochs 1000."
        in dashboard.controls.beyond.value
    )
    dashboard.bar.modes.index = 1  # there they are seen
    assert not dashboard.controls.beyond.value.strip()


def test_what_cannot_go_on_says_why_in_a_sentence(tiny, tmp_path, every_epoch):
    training.train(START, tiny, out=tmp_path / "run-1")
    for number in (2, 3):
        cut_short(tiny, dataclasses.replace(START, epochs=4), tmp_path / f"run-{number}")
    checkpoint = tmp_path / "run-3" / "checkpoint.npz"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-200])
    cut_short(tiny, dataclasses.replace(START, epochs=4, dataset=str(tmp_path / "gone")), tmp_path / "run-4")
    others = dataclasses.replace(tiny, train=Split(255 - tiny.train.images, tiny.train.labels))
    dashboard = Dashboard(others, START, folder=tmp_path)
    dashboard.runs.add(dashboard.runs.histories["run 2"], "card")
    before = [row["cells"] for row in dashboard.runs.table.rows]
    assert "Nothing is left to do: run 1 ended after epoch 2." in press(dashboard, "run 1", "Go on")
    assert "There is no run &#39;card&#39; in" in press(dashboard, "card", "Go on")
    assert "There is no folder at" in press(dashboard, "run 4", "Go on")
    for name, said in (("run 2", "images or labels are others"), ("run 3", "checkpoint.npz is damaged")):
        press(dashboard, name, "Go on")
        wait(dashboard)
        assert said in dashboard.verdict.message.value and "Traceback" not in dashboard.verdict.message.value
        assert said in dashboard.runs._message.value, "the button may be far below the chart"
    assert [row["cells"] for row in dashboard.runs.table.rows] == before and not dashboard.bar.train.disabled
    with store.locked(tmp_path / "run-2"):
        assert "run 2 is going on already." in press(dashboard, "run 2", "Go on") and not dashboard.running


def test_epochs_that_could_not_be_written_are_shown_with_the_reason(tiny, tmp_path, every_epoch, monkeypatch):
    cut_short(tiny, dataclasses.replace(START, epochs=4), tmp_path / "run-1")
    dashboard = Dashboard(tiny, START, folder=tmp_path)

    def full(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vgglab.share.run_folder.write_whole", full)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is said on the page
        press(dashboard, "run 1", "Go on")
        wait(dashboard)
    assert len(dashboard.history.epochs) == len(dashboard.runs.histories["run 1"].epochs) == 4
    assert "could not be written" in dashboard.verdict.message.value


def test_where_runs_cannot_be_kept_training_works_and_one_sentence_says_so(tiny, tmp_path):
    (tmp_path / "file").write_text("in the way")
    dashboard = Dashboard(tiny, START, folder=tmp_path / "file")
    said = f"Runs are not kept, because {tmp_path / 'file'} cannot be written: it is no folder."
    assert dashboard.runs._problems.value.count(said) == 1
    assert len(dashboard.run().epochs) == 2 and list(dashboard.runs.histories) == ["run 1"]
    assert "alert" not in dashboard.verdict.message.value and [*tmp_path.iterdir()] == [tmp_path / "file"]


def test_a_run_that_failed_on_its_way_can_go_on(tiny, tmp_path, every_epoch, monkeypatch):
    dashboard, update = (
        Dashboard(tiny, dataclasses.replace(START, epochs=4), folder=tmp_path),
        Dashboard.update,
    )

    def fail(self, history):
        update(self, history)
        if len(history.epochs) == 2:
            raise MemoryError

    monkeypatch.setattr(Dashboard, "update", fail)
    dashboard.start()
    wait(dashboard)
    assert "MemoryError" in dashboard.verdict.message.value and "interrupted" in str(
        dashboard.runs.table.rows
    )
    monkeypatch.undo()
    monkeypatch.setattr(run_folder._Pace, "due", True)
    press(dashboard, "run 1", "Go on")
    wait(dashboard)
    assert same(dashboard.runs.histories["run 1"], training.train(dashboard.controls.experiment, tiny))


def test_a_dashboard_opens_before_tensorflow_is_loaded(tiny, tmp_path):
    training.train(START, tiny, out=tmp_path / "run-1")
    code = f"""
import sys
from vgglab import Dashboard, draw_blossoms
dashboard = Dashboard(draw_blossoms(train_images=1, validation_images=1, image_size=32), folder={str(tmp_path)!r})
assert list(dashboard.runs.histories) == ["run 1"]
sys.exit("tensorflow" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
