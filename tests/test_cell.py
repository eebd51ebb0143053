"""`train` in a cell and in a terminal: what is seen while it runs, and what stays."""

import fcntl
import inspect
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from types import SimpleNamespace

import nbclient
import nbformat
import numpy as np
import pytest

from conftest import ROOT
from test_history import make_history
from vgglab import live_display, live_train, training
from vgglab.engine.control import Control
from vgglab.errors import InputError
from vgglab.experiment import Experiment
from vgglab.live_train import train
from vgglab.network import build_model
from vgglab.panel import cell
from vgglab.panel.cell import CellChart, chart_of, present_cell
from vgglab.seeds import train_seeds

SMALL = Experiment(unfreeze=0, epochs=3, image_size=32, batch_size=8)


class Shown:
    """Stands for a page: what each display shows now, and how often it was sent."""

    def __init__(self):
        self.bundles, self.sent = [], 0

    def display(self, bundle, *, raw, display_id):
        self.bundles.append(bundle)
        self.sent += 1
        return SimpleNamespace(update=self._updater(len(self.bundles) - 1))

    def _updater(self, place):
        def update(bundle, *, raw):
            self.bundles[place] = bundle
            self.sent += 1

        return update

    @property
    def lines(self):
        return self.bundles[-1]["text/plain"].splitlines()


@pytest.fixture
def page(monkeypatch):
    """A notebook whose cell has the id `page.cell`."""
    shown = Shown()
    shown.cell = "first"
    shell = SimpleNamespace(kernel=None, get_parent=lambda: {"header": {"msg_id": shown.cell}})
    monkeypatch.setattr(cell, "get_ipython", lambda: shell)
    monkeypatch.setattr(cell, "display", shown.display)
    monkeypatch.setattr(cell, "_CHARTS", {})
    monkeypatch.setitem(sys.modules, "ipykernel", SimpleNamespace())
    return shown


def test_a_run_leaves_its_picture_and_its_line_in_one_place(page, tiny):
    seen = []
    history = train(SMALL, tiny, lambda history: seen.append(len(history.epochs)))
    (bundle,) = page.bundles
    assert bundle["text/plain"] == history.summary() + "." and len(history.epochs) == 3
    assert bundle["text/html"].count("<svg") == 1 and bundle["text/plain"] in bundle["text/html"]
    assert "<progress" not in bundle["text/html"]
    assert seen == [1, 2, 3], "one's own function is called as well"


def test_the_runs_of_a_cell_share_a_picture_and_have_a_line_each(page, tiny):
    runs = [train(Experiment(**{**SMALL.to_dict(), "dropout": dropout}), tiny) for dropout in (0.0, 0.8)]
    (bundle,) = page.bundles
    assert bundle["text/html"].count("<svg") == 1
    assert page.lines == [f"1. {runs[0].summary()}.", f"2. (dropout on) {runs[1].summary()}."]
    page.cell = "second"
    train(SMALL, tiny)
    assert len(page.bundles) == 2 and len(page.lines) == 1, "another cell begins anew"


def test_a_run_that_fails_leaves_what_there_is_and_the_error(page, tiny):
    def fail(history):
        if len(history.epochs) == 2:
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        train(SMALL, tiny, fail)
    assert page.lines[0].startswith("Epoch 2 of 3: ") and page.lines[0].endswith(". Broken off: ValueError.")
    assert "<svg" in page.bundles[0]["text/html"] and "<progress" not in page.bundles[0]["text/html"]


def test_what_cannot_be_run_leaves_no_empty_picture(page, tiny):
    with pytest.raises(InputError):
        train(Experiment(image_size=32, batch_size=4000), tiny)
    assert page.lines == ["No epoch was finished. Broken off: InputError."]
    assert "<svg" not in page.bundles[0]["text/html"]


def interrupt(history):
    raise KeyboardInterrupt


@pytest.mark.parametrize(("on_epoch", "event"), [(interrupt, "Interrupted"), (None, "Stopped")])
def test_a_run_that_was_ended_says_so(page, tiny, on_epoch, event):
    control = Control()
    history = train(SMALL, tiny, on_epoch or (lambda history: control.stop()), control=control)
    assert len(history.epochs) == 1
    assert page.lines == [f"{history.summary()}. {event}; the epochs before are kept."]


def test_a_run_that_was_stopped_before_it_began_says_so(page, tiny):
    control = Control()
    control.stop()
    train(SMALL, tiny, control=control)
    assert page.lines == ["Stopped; no epoch was finished."]


def test_a_loss_that_is_no_number_is_in_the_line_and_a_warning_where_the_run_was_called(page, tiny):
    model = build_model(SMALL, 2)

    def poison(history):
        layer = model.get_layer("predictions")
        layer.set_weights([weights * np.nan for weights in layer.get_weights()])

    with pytest.warns(UserWarning, match="The loss became nan in epoch 2") as warned:
        history = train(SMALL, tiny, poison, model=model)
    assert page.lines == [f"{history.summary()}. {history.events[-1]['text']}"]
    assert [each.filename for each in warned] == [__file__]


def test_a_test_part_is_in_the_line(page):
    history = make_history()
    history.test = dict(accuracy=0.5, loss=1.0, calibration_error=0.1, images=20)
    with chart_of("first").showing(history.experiment) as chart:
        chart.conclude(history)
    assert page.lines[0].endswith(history.tested())


def test_show_false_a_thread_and_no_notebook_show_nothing(page, tiny, monkeypatch, capfd):
    train(SMALL, tiny, show=False)
    thread = threading.Thread(target=train, args=(SMALL, tiny))
    thread.start()
    thread.join()
    monkeypatch.setattr(cell, "get_ipython", lambda: None)
    assert present_cell() is None
    train(SMALL, tiny)
    assert page.bundles == [] and tuple(capfd.readouterr()) == ("", "")


def test_the_same_run_whether_it_is_shown_or_not(page, tiny):
    shown, quiet = train(SMALL, tiny), training.train(SMALL, tiny)
    for row in (*shown.epochs, *quiet.epochs):
        row["seconds"] = 0
    assert shown.epochs == quiet.epochs


def slow(monkeypatch, seconds):
    """Drawings that take so long, on a clock that only they move; returns the clock's hand."""
    now = [0.0]
    monkeypatch.setattr(cell.time, "monotonic", lambda: now[0])

    def draw(history):
        now[0] += seconds
        return "<svg/>"

    monkeypatch.setattr(cell, "live_svg", draw)
    return now


@pytest.mark.parametrize(("seconds", "most"), [(0.001, 5.5), (0.1, 0.25)])
def test_it_is_drawn_at_most_five_times_a_second_and_takes_a_fiftieth_of_a_run(
    page, monkeypatch, seconds, most
):
    now, chart, history = slow(monkeypatch, seconds), CellChart(), make_history()
    row, history.epochs = history.epochs[0], []
    with chart.showing(history.experiment):
        for epoch in range(1, 2001):  # one every hundredth of a second
            now[0] += 0.01
            history.epochs.append(dict(row, epoch=epoch))
            chart.count(history)
    assert page.sent <= most * now[0] + 2
    assert chart.seconds <= 0.02 * now[0] + 2 * seconds, "but for the first and the last drawing"
    assert page.lines[0].startswith("Epoch 2000 "), "the last state is always drawn"


def test_while_it_runs_it_says_how_much_is_done_and_what_is_left(page, monkeypatch):
    now, history = slow(monkeypatch, 0.0), make_history()
    history.experiment = Experiment(epochs=10)
    history.epochs[-1]["seconds"] = 4.0
    with CellChart().showing(history.experiment) as chart:
        now[0] = 10
        chart.count(history)
        assert page.lines[0].endswith(f"{history.summary()}, 28 s left")
        assert '<progress value="0.300"' in page.bundles[0]["text/html"]
        now[0] = 20
        chart.move(1, 2)
        assert page.lines[0].endswith(", 26 s left") and 'value="0.350"' in page.bundles[0]["text/html"]


def test_a_picture_that_fails_is_a_warning_and_no_end_of_the_run(page, tiny, monkeypatch):
    monkeypatch.setattr(cell, "live_svg", lambda history: exec("raise ValueError('no ink')"))
    with pytest.warns(UserWarning, match="no longer shown. ValueError: no ink"):
        assert len(train(SMALL, tiny).epochs) == 3


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Makes the standard error a terminal of 80 columns: in the test, for pytest takes it back before."""

    def opened():
        stream = Terminal()
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "80")
        return stream

    return opened


def seen_last(written):
    """The lines that stand on a terminal at the end, without their colours."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written)
    lines = plain.replace("\r\n", "\n").removesuffix("\n").split("\n")
    return [line.rsplit("\r", 1)[-1].rstrip() for line in lines]


def test_a_terminal_has_one_line_and_the_output_none(tiny, terminal, capsys):
    stream = terminal()
    history = train(SMALL, tiny)
    (line,) = seen_last(stream.getvalue())
    assert line.startswith("epoch 3/3 ") and len(line) <= 80
    assert history.summary().partition(": ")[2][:25] in line and "left" in line
    assert capsys.readouterr().out == ""


def test_what_a_script_prints_into_a_file_stays_there(tiny, terminal, capsys):
    stream = terminal()
    train(SMALL, tiny, lambda history: print("mine"))
    assert capsys.readouterr().out == "mine\n" * 3 and "mine" not in stream.getvalue()


def test_an_error_gives_the_terminal_back(tiny, terminal):
    stream = terminal()
    with pytest.raises(InputError):
        train(Experiment(image_size=32, batch_size=4000), tiny)
    assert stream.getvalue().endswith("\x1b[?25h"), "the cursor is seen again"
    assert train(SMALL, tiny, show=False) and stream.getvalue().count("\x1b[?25h") == 1


class Written:
    """Takes what is written, and knows nothing else of a stream."""

    def write(self, text):
        return len(text)

    def flush(self):
        pass


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stream", [lambda: None, Written, closed])
@pytest.mark.parametrize("name", ["stderr", "stdout"])
def test_a_stream_that_is_absent_closed_or_a_stand_in_is_no_terminal(
    tiny, terminal, monkeypatch, recwarn, name, stream
):
    terminal()
    with monkeypatch.context() as patched:
        patched.setattr(sys, name, stream())
        assert len(train(SMALL, tiny).epochs) == 3
    assert not recwarn.list


@pytest.mark.parametrize("after", [0, 1])
def test_a_terminal_that_goes_away_is_no_end_of_the_run(tiny, terminal, monkeypatch, after):
    stream = terminal()
    monkeypatch.setattr(threading, "excepthook", lambda thrown: None)  # rich draws in a thread of its own
    if after == 0:
        stream.close()
    with pytest.warns(
        UserWarning, match="This run is no longer shown. ValueError: I/O operation on closed file"
    ):
        assert len(train(SMALL, tiny, lambda history: stream.close()).epochs) == 3


def test_a_warning_that_nobody_can_read_is_no_end_of_the_run(tiny, terminal):
    """As Python warns by default: on the standard error, which is closed."""
    terminal().close()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            live_display.warnings, "warn", lambda *given, **options: print(given, file=sys.stderr)
        )
        assert len(train(SMALL, tiny).epochs) == 3


class Broken:
    """A view of which one thing fails, or everything after it as well."""

    def __init__(self, fails):
        self.fails, self.heard = fails, []

    def __getattr__(self, name):
        def hear(*given):
            self.heard.append(name)
            if name == self.fails:
                raise OSError("gone")
            return self if name == "open" else None

        return hear

    def __enter__(self):
        return self.open()

    def __exit__(self, *given):
        self.close()


@pytest.mark.parametrize("fails", ["open", "count", "move", "conclude", "close"])
def test_nothing_that_goes_wrong_in_showing_a_run_ends_it(tiny, monkeypatch, fails):
    view, seen = Broken(fails), []
    monkeypatch.setattr(live_display, "_place", lambda experiment: view)
    with pytest.warns(UserWarning, match="This run is no longer shown. OSError: gone") as warned:
        history = train(SMALL, tiny, lambda history: seen.append(len(history.epochs)))
    assert len(history.epochs) == 3 and seen == [1, 2, 3] and len(warned) == 1
    assert view.heard[-1] == ("open" if fails == "open" else "close") and view.heard.count(fails) == 1


def test_what_goes_wrong_in_showing_hides_no_error_of_the_run(tiny, monkeypatch):
    monkeypatch.setattr(live_display, "_place", lambda experiment: Broken("close"))
    with pytest.warns(UserWarning, match="gone"), pytest.raises(ZeroDivisionError):
        train(SMALL, tiny, lambda history: 1 / 0)


@pytest.mark.parametrize("wrong", ["x", None, dict(epochs=3)])
def test_what_is_no_experiment_or_no_data_is_said_as_the_quiet_one_says_it(tiny, page, terminal, wrong):
    for given in ((wrong, tiny), (SMALL, wrong)):
        with pytest.raises(InputError) as quiet:
            training.train(*given)
        for get_ipython in (cell.get_ipython, lambda: None):
            terminal()
            with pytest.MonkeyPatch.context() as patched, pytest.raises(InputError) as live:
                patched.setattr(cell, "get_ipython", get_ipython)
                train(*given)
            assert str(live.value) == str(quiet.value)


def test_several_seeds_have_a_line_each_and_so_has_what_was_read(page, tiny, tmp_path):
    runs = train_seeds(SMALL, tiny, 2, out=tmp_path)
    (bundle,) = page.bundles
    lines = [f"1. {runs[0].summary()}.", f"2. (seed 1) {runs[1].summary()}."]
    assert page.lines == lines and bundle["text/html"].count("<svg") == 1
    page.cell = "second"
    train_seeds(SMALL, tiny, 2, out=tmp_path)
    assert len(page.bundles) == 2 and page.lines == lines
    page.cell = "third"
    train_seeds(SMALL, tiny, 1, show=False)
    assert len(page.bundles) == 2


def test_several_seeds_have_a_line_each_in_a_terminal(tiny, terminal, tmp_path):
    for _ in ("trained", "read"):
        stream = terminal()
        train_seeds(SMALL, tiny, 2, out=tmp_path)
        lines = seen_last(stream.getvalue())
        assert len(lines) == 2 and all(line.startswith("epoch 3/3 ") for line in lines)


def test_it_takes_what_the_quiet_one_takes():
    public, quiet = (inspect.signature(each).parameters for each in (live_train.train, training.train))
    assert [name for name in public if name != "show"] == list(quiet)
    assert {name: public[name].default for name in quiet} == {name: quiet[name].default for name in quiet}
    assert training.train.__doc__.partition("\n\n")[2].strip() in live_train.train.__doc__


SCRIPT = """
from vgglab import Experiment, draw_blossoms, train
data = draw_blossoms(train_images=5, image_size=32)
plain = Experiment(unfreeze=0, epochs=3, image_size=32)
"""
CELLS = {
    "one": "history = train(plain, data)",
    "loop": "for epochs in (2, 3, 4):\n    train(Experiment(unfreeze=0, epochs=epochs, image_size=32), data)",
    "value": "train(plain, data).kept['epoch']",
    "quiet": "history = train(plain, data, show=False)",
    "error": "train(plain, data, lambda history: 1 / (2 - len(history.epochs)))",
    "ctrl_c": "import os, signal\n"
    "history = train(plain, data, lambda history: os.kill(os.getpid(), signal.SIGINT))",
    "after": "print(len(history.epochs), train(plain, data).epochs[-1]['epoch'])",
}


def environment():
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**inherited, "PYTHONPATH": path, "TERM": "xterm"}


@pytest.fixture(scope="module")
def outputs():
    """What a real kernel leaves in the notebook, by cell."""
    cells = [nbformat.v4.new_code_cell(source) for source in (SCRIPT, *CELLS.values())]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=300, allow_errors=True).execute(env=environment())
    assert notebook.cells[0].outputs == []
    return dict(zip(CELLS, (each.outputs for each in notebook.cells[1:])))


@pytest.mark.slow
def test_a_notebook_keeps_one_picture_and_one_line(outputs):
    (shown,) = outputs["one"]
    assert shown.output_type == "display_data" and shown.data["text/html"].count("<svg") == 1
    assert re.fullmatch(r"Epoch 3 of 3: train .*points\.", shown.data["text/plain"])
    assert set(shown.data) == {"text/html", "text/plain"}, "it is seen without a widget"
    assert [each.output_type for each in outputs["value"]] == ["display_data", "execute_result"]
    assert outputs["quiet"] == []


@pytest.mark.slow
def test_a_loop_in_a_notebook_keeps_one_picture_and_three_lines(outputs):
    (shown,) = outputs["loop"]
    assert shown.data["text/html"].count("<svg") == 1
    assert [line[:2] for line in shown.data["text/plain"].splitlines()] == ["1.", "2.", "3."]


@pytest.mark.slow
def test_a_notebook_is_left_clean_by_errors_and_by_ctrl_c(outputs):
    shown, error = outputs["error"]
    assert error.ename == "ZeroDivisionError" and shown.data["text/html"].count("<svg") == 1
    assert shown.data["text/plain"].endswith("Broken off: ZeroDivisionError.")
    (shown,) = outputs["ctrl_c"]
    assert shown.data["text/plain"].startswith("Epoch 1 of 3")
    assert shown.data["text/plain"].endswith("Interrupted; the epochs before are kept.")
    assert [each.output_type for each in outputs["after"]] == ["display_data", "stream"]
    assert outputs["after"][1].text == "1 3\n"


@pytest.mark.slow
def test_a_script_without_a_terminal_prints_nothing():
    script = [sys.executable, "-c", f"{SCRIPT}train(plain, data)"]
    done = subprocess.run(script, capture_output=True, text=True, env=environment())
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.slow
def test_a_script_in_a_terminal_prints_one_line():
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-c", f"{SCRIPT}train(plain, data)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=follower, env=environment()) as process:
        os.close(follower)
        written = b""
        while part := _read(leader):
            written += part
        assert process.stdout.read() == b""
    os.close(leader)
    (line,) = seen_last(written.decode())
    assert process.returncode == 0 and line.startswith("epoch 3/3 ") and len(line) <= 80


def _read(leader):
    try:
        return os.read(leader, 4096)
    except OSError:  # as Linux says that the other end is closed
        return b""
