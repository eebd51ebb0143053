"""The class wall: what is found in a folder, how it is drawn, and the page of it."""

import errno
import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Annotation

import vgglab
from test_card import HOSTILE, LOADING, Page
from test_history import make_history
from vgglab.charts.curves import detached_axes
from vgglab.charts.wall import plot_wall, wall_svg
from vgglab.cli import main
from vgglab.commands import wall as wall_command
from vgglab.errors import InputError
from vgglab.fit import Fit, Metric
from vgglab.share.card import save_card
from vgglab.share.link import experiment_of
from vgglab.share.shelf import rename
from vgglab.share.wall import COLUMNS, read_wall, wall
from vgglab.share.wall_page import wall_page


def run_with(validation, **fields):
    """A history that ended with this validation accuracy, and all right on train."""
    history = make_history(**fields)
    history.epochs[-1] |= dict(train_accuracy=1.0, validation_accuracy=validation, gap=1 - validation)
    return history


@pytest.fixture
def handed_in(tmp_path):
    """A card, a record and folders of runs, some of them in the folder of who handed them in."""
    folder = tmp_path / "handed in"
    (folder / "dora" / "run-4").mkdir(parents=True)
    (folder / "run-7").mkdir()
    save_card(run_with(0.5, l2=0.01), "whatever", folder / "anna.html")
    run_with(0.6, mixup=0.2).save(folder / "bert.jsonl")
    run_with(0.7, unfreeze=5).save(folder / "run-7" / "history.jsonl")
    rename(folder / "run-7", "cem's best")
    run_with(0.8, dropout=0.5).save(folder / "dora" / "run-4" / "history.jsonl")
    save_card(run_with(0.9, cutmix=0.2), "whatever", folder / "dora" / "second.html")
    return folder


def test_cards_records_and_folders_of_runs_have_a_row_each(handed_in):
    table = wall(handed_in)
    assert list(table.columns) == list(COLUMNS)
    found = {row.name: (row.validation, row.gap, row.epochs) for row in table.itertuples(index=False)}
    assert found == {
        "anna": (0.5, 0.5, 3),
        "bert": (0.6, pytest.approx(0.4), 3),
        "cem's best": (0.7, pytest.approx(0.3), 3),
        "dora: run 4": (0.8, pytest.approx(0.2), 3),
        "dora: second": (0.9, pytest.approx(0.1), 3),
    }
    assert {experiment_of(settings).l2 for settings in table["settings"]} == {0.0, 0.01}
    assert experiment_of(table.set_index("name")["settings"]["bert"]) == make_history(mixup=0.2).experiment


def test_a_run_that_is_there_twice_has_one_row(handed_in):
    history = run_with(0.7, unfreeze=5)
    save_card(history, "again", handed_in / "zoe.html")
    history.save(handed_in / "zoe.jsonl")
    assert len(wall(handed_in)) == 5


def test_the_figures_are_those_of_the_epoch_that_was_kept(tmp_path):
    history = run_with(0.5, patience=2)
    history.epochs[0] |= dict(train_accuracy=0.9, validation_accuracy=0.75, gap=0.15)
    history.note("restored", "Back to the best.", kept_epoch=1)
    history.save(tmp_path / "a.jsonl")
    (row,) = wall(tmp_path).to_dict("records")
    assert (row["validation"], row["gap"], row["epoch"], row["epochs"]) == (0.75, 0.15, 1, 3)


def test_what_is_no_run_is_named_in_a_warning(handed_in):
    (handed_in / "page.html").write_text("<p>nothing")
    (handed_in / "dora" / "odd.jsonl").write_bytes(b"\xff\xfe")
    (handed_in / "cut.jsonl").write_text(run_with(0.5).to_lines()[:40])
    empty = make_history()
    empty.epochs, empty.layers, empty.events = [], [], []
    empty.save(handed_in / "empty.jsonl")
    loss = run_with(0.5)
    loss.experiment, loss.layers = Fit(3, Metric("mse", is_share=False)), []
    loss.save(handed_in / "regression.jsonl")
    (handed_in / "notes.txt").write_text("for me")
    with pytest.warns(UserWarning) as warned:
        table = wall(handed_in)
    said = [str(each.message) for each in warned]
    assert len(table) == 5 and len(said) == 5 and all(each.startswith("Left out: ") for each in said)
    for name in ("page.html", "odd.jsonl", "cut.jsonl", "empty.jsonl", "regression.jsonl"):
        assert any(name in each for each in said), (name, said)
    assert any("It has no accuracy: what was measured is mse." in each for each in said)


def test_a_folder_that_cannot_be_listed_is_named_too(handed_in, monkeypatch):
    listed = Path.iterdir

    def iterdir(path):
        if path.name == "dora":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    with pytest.warns(UserWarning, match="Left out: .*dora cannot be read: permission denied."):
        assert len(wall(handed_in)) == 3


def test_a_folder_without_runs_is_a_wall_without_rows_and_no_folder_is_an_error(tmp_path):
    assert list(wall(tmp_path).columns) == list(COLUMNS) and not len(wall(tmp_path))
    assert "no run yet" in {text.get_text() for text in plot_wall(wall(tmp_path), detached_axes()).texts}
    with pytest.raises(InputError, match="There is no folder at .*nowhere"):
        wall(tmp_path / "nowhere")


def crowd(count, spread=0.05):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        dict(
            name=[f"learner {number}" for number in range(count)],
            validation=rng.normal(0.75, spread, count),
            gap=rng.normal(0.15, spread, count),
        )
    )


@pytest.mark.parametrize(("count", "spread"), [(1, 0.05), (30, 0.05), (30, 0.0), (120, 0.05)])
def test_no_name_covers_another_or_a_mark_or_leaves_the_axes(count, spread):
    table = crowd(count, spread)
    ax = plot_wall(table, detached_axes(9, 5))
    ax.figure.canvas.draw()
    names = [text for text in ax.texts if isinstance(text, Annotation)]
    assert {text.get_text() for text in names} <= set(table["name"])
    said = re.search(r"\((\d+) of", ax.get_xlabel())
    left_out = int(said[1]) if said else 0
    assert len(names) + left_out == count and (count > 30 or spread == 0 or not left_out)
    # The words alone: the extent of an annotation has the line to its mark in it.
    boxes = [super(Annotation, text).get_window_extent() for text in names]
    for first, second in itertools.combinations(boxes, 2):
        assert not first.overlaps(second)
    marks = ax.transData.transform(table[["validation", "gap"]].to_numpy())
    inside = ax.get_window_extent()
    for box in boxes:
        assert not any(box.contains(*mark) for mark in marks)
        assert inside.contains(box.x0, box.y0) and inside.contains(box.x1, box.y1)


def test_marks_stand_where_the_figures_say_and_what_was_not_measured_has_none():
    table = crowd(3)
    table.loc[1, "gap"] = float("nan")
    ax = plot_wall(table)
    (marks,) = ax.collections
    assert np.array_equal(marks.get_offsets(), table.loc[[0, 2], ["validation", "gap"]].to_numpy())
    assert "learner 1" not in {text.get_text() for text in ax.texts}


@pytest.mark.parametrize("given", ["cards", None, pd.DataFrame(dict(name=["a"]))])
def test_plot_wall_says_what_it_draws(given):
    with pytest.raises(InputError, match=r"as in plot_wall\(wall\(FOLDER\)\)"):
        plot_wall(given)


def test_a_name_is_no_mathematics_and_is_cut_where_it_is_long():
    table = crowd(2).assign(name=["$\\frac{1}$", "x" * 300])
    words = {text.get_text() for text in plot_wall(table, detached_axes()).texts}
    assert words == {"$\\frac{1}$", "x" * 23 + "…"}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_that_was_handed_in_becomes_part_of_the_page(tmp_path, hostile):
    history = run_with(0.5)
    history.data = dict(name=hostile)
    (tmp_path / "run-1").mkdir()
    history.save(tmp_path / "run-1" / "history.jsonl")
    (tmp_path / "run-1" / "name.txt").write_text(hostile, errors="replace")
    text = wall_page(read_wall(tmp_path), hostile.replace("\ud800", "")).encode(errors="xmlcharrefreplace")
    page = Page(text.decode())
    assert [tag for tag, _ in page.elements].count("script") == 1 and not page.tags & (LOADING - {"use"})
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    targets = [each.get("xlink:href") for tag, each in page.elements if tag == "use"]
    assert all(target.startswith("#") for target in targets), "an outline of this page, and nothing else"


def test_the_page_has_each_run_as_a_row_that_can_be_sorted(handed_in):
    page = Page(wall_page(read_wall(handed_in), "wall"))
    values = [each["data-value"] for tag, each in page.elements if tag == "td"]
    rows = [values[start : start + len(COLUMNS)] for start in range(0, len(values), len(COLUMNS))]
    assert [row[0] for row in rows] == ["anna", "bert", "dora: run 4", "dora: second", "cem's best"]
    assert [float(row[1]) for row in rows] == [0.5, 0.6, 0.8, 0.9, 0.7]
    assert all(row[COLUMNS.index("test")] == "" for row in rows), "what was not measured is no number"
    assert not any(each.get("id") == "again" for _, each in page.elements), (
        "only a watched page renews itself"
    )


def test_the_drawing_has_the_colour_of_the_page_s_text():
    drawn = wall_svg(crowd(3))
    assert drawn.startswith("<svg") and "currentColor" in drawn and "#010203" not in drawn
    assert "learner 1" not in drawn.replace("<!-- learner 1 -->", ""), "words are outlines"


def test_the_command_writes_a_page_and_names_what_it_left_out(handed_in, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (handed_in / "page.html").write_text("<p>nothing")
    assert main(["wall", str(handed_in), "--out", str(handed_in / "wall.html")]) == 0
    said = capsys.readouterr()
    assert "Written to" in said.out and "5 runs." in said.out and "page.html" in said.err
    # The page lies among the runs, and is none.
    assert main(["wall", str(handed_in)]) == 0
    assert "wall.html is not" not in capsys.readouterr().err and (tmp_path / "wall.html").is_file()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["nowhere"], "There is no folder at nowhere."),
        ([".", "--out", "wall.pdf"], "`--out` must be a file whose name ends in .html. Received: wall.pdf."),
        ([".", "--out", "nowhere/wall.html"], "nowhere/wall.html cannot be used: no such file or directory."),
    ],
)
def test_what_the_command_cannot_do_is_one_sentence(options, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["wall", *options]) == 2
    assert sentence in capsys.readouterr().err


def test_a_watched_page_follows_the_folder_until_it_is_interrupted(handed_in, tmp_path, monkeypatch, capsys):
    out, looks = tmp_path / "wall.html", []

    def look(seconds):
        looks.append(out.read_text().count("<tr>") - 1)
        if len(looks) == 2:
            run_with(0.3, seed=9).save(handed_in / "late.jsonl")
        if len(looks) == 4:
            (handed_in / "anna.html").unlink()
        if len(looks) == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(wall_command.time, "sleep", look)
    assert main(["wall", str(handed_in), "--out", str(out), "--watch"]) == 0
    assert looks == [5, 5, 6, 6, 5, 5]
    assert capsys.readouterr().out.count("Written to") == 3, "it is written when something has changed"
    assert "Renewed every 5 seconds." in out.read_text()


def test_a_folder_that_is_gone_for_a_moment_is_said_once_and_watched_on(
    handed_in, tmp_path, monkeypatch, capsys
):
    out, looks = tmp_path / "wall.html", itertools.count(1)
    away = handed_in.with_name("away")

    def look(seconds):
        number = next(looks)
        if number in (1, 7):
            handed_in.rename(away)
        if number in (4, 9):
            away.rename(handed_in)
        if number == 5:
            run_with(0.3, seed=9).save(handed_in / "late.jsonl")
        if number == 11:
            raise KeyboardInterrupt

    monkeypatch.setattr(wall_command.time, "sleep", look)
    assert main(["wall", str(handed_in), "--out", str(out), "--watch"]) == 0
    said = capsys.readouterr()
    assert said.err.count("There is no folder at") == 2, "once each time"
    assert said.out.count("Written to") == 2 and "6 runs." in said.out and out.read_text().count("<tr>") == 7


def test_an_empty_folder_that_is_gone_is_said_too(tmp_path, monkeypatch, capsys):
    folder, looks = tmp_path / "empty", itertools.count(1)
    folder.mkdir()

    def look(seconds):
        number = next(looks)
        if number == 1:
            folder.rmdir()
        if number == 3:
            # Raised here, not in exec(): Python would remember it, and end the tests' process by it at its very end.
            raise KeyboardInterrupt

    monkeypatch.setattr(wall_command.time, "sleep", look)
    assert main(["wall", str(folder), "--out", str(tmp_path / "wall.html"), "--watch"]) == 0
    assert capsys.readouterr().err.count("There is no folder at") == 1


def test_a_page_that_cannot_be_written_for_a_moment_is_said_once_and_written_later(
    handed_in, tmp_path, monkeypatch, capsys
):
    (tmp_path / "page").mkdir()
    out, looks = tmp_path / "page" / "wall.html", itertools.count(1)

    def look(seconds):
        number = next(looks)
        if number == 1:
            out.unlink()
            out.parent.rmdir()
            (handed_in / "anna.html").unlink()
        if number == 4:
            out.parent.mkdir()
        if number == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(wall_command.time, "sleep", look)
    assert main(["wall", str(handed_in), "--out", str(out), "--watch"]) == 0
    assert capsys.readouterr().err.count("cannot be used: no such file or directory.") == 1
    assert out.read_text().count("<tr>") == 5


def test_a_watched_folder_must_be_there_at_the_beginning(tmp_path, capsys):
    assert main(["wall", str(tmp_path / "nowhere"), "--out", str(tmp_path / "w.html"), "--watch"]) == 2
    assert "There is no folder at" in capsys.readouterr().err


def test_no_run_and_no_problem_is_there_twice_where_links_lead_round(handed_in):
    (handed_in / "dora" / "odd.jsonl").write_bytes(b"\xff\xfe")
    plain = read_wall(handed_in)
    (handed_in / "a loop").symlink_to(handed_in)
    (handed_in / "another dora").symlink_to(handed_in / "dora")
    (handed_in / "a run").symlink_to(handed_in / "dora" / "run-4")
    (handed_in / "dora" / "a run").symlink_to(handed_in / "run-7")
    (handed_in / "an odd one.jsonl").symlink_to(handed_in / "dora" / "odd.jsonl")
    found = read_wall(handed_in)
    pd.testing.assert_frame_equal(found.table, plain.table)
    assert found.problems == plain.problems and len(found.problems) == 1


def test_what_only_a_link_leads_to_is_on_the_wall(handed_in, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    run_with(0.3, seed=9).save(tmp_path / "elsewhere" / "eve.jsonl")
    (handed_in / "one").symlink_to(tmp_path / "elsewhere")
    (handed_in / "two").symlink_to(tmp_path / "elsewhere")
    assert [name for name in wall(handed_in)["name"] if "eve" in name] == ["one: eve"]


def test_a_folder_that_cannot_be_listed_at_all_is_an_error(handed_in, monkeypatch):
    def iterdir(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", iterdir)
    with pytest.raises(InputError, match="handed in cannot be read: permission denied."):
        wall(handed_in)


def test_the_names_are_in_the_glossary():
    assert vgglab.wall is wall and vgglab.plot_wall is plot_wall
