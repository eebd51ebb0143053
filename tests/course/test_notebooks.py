"""The course: its form, and every notebook run from top to bottom with the solutions of its exercises."""

import importlib
import os
import re

import nbformat
import pytest

from checks import checkers
from conftest import ROOT
from vgglab.cli import main
from vgglab.course import running
from vgglab.course.running import Run, report, run_all, to_pages, write_index

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
EXERCISE = re.compile(r'^print\(check\("(\d\d\.\d)".*\)\)$', re.MULTILINE)
SOLUTION = re.compile(r"<details><summary>Solution.*?```python\n(.*?)```.*?</details>", re.DOTALL)
PICTURES = {
    "00": 1,
    "01": 5,
    "02": 7,
    "03": 4,
    "04": 5,
    "05": 4,
    "06": 5,
    "07": 4,
    "08": 2,
    "09": 2,
    "10": 6,
}  # at least


def number(path):
    return path.stem[:2]


def code_of(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def prose_of(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def test_the_course_is_whole():
    assert [number(path) for path in NOTEBOOKS] == [f"{lesson:02d}" for lesson in range(11)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_form(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs and cell.execution_count is None, "outputs are stripped"
            assert len(cell.source.splitlines()) <= 12
            assert max(map(len, cell.source.splitlines())) <= 110
            assert not re.search(r"^\s*(class|try)\b|\bopen\(", cell.source, re.MULTILINE)
    assert not re.search(r"\$[^$]+\$", "\n".join(prose_of(notebook))), "formulas need no script to be shown"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_lesson_has_its_parts(path):
    notebook = nbformat.read(path, as_version=4)
    prose, code = "\n".join(prose_of(notebook)), "\n".join(code_of(notebook))
    for part in ("# ", "**After this lesson you can**", "**Time", "## What you have learned"):
        assert part in prose, part
    assert code.count(".reveal(") >= 1 and re.search(r"Guess(Number|Choice)\(", code)
    assert code.index("Guess") < code.index(".reveal("), "the question comes before the outcome"
    exercises = EXERCISE.findall(code)
    assert exercises == list(checkers(number(path))) and len(SOLUTION.findall(prose)) == len(exercises)


TITLES = dict(
    re.findall(r"^\| (\d\d) \| \[?([^\]|]+?)\]?(?:\(| \|)", prose_of(nbformat.read(NOTEBOOKS[0], 4))[1], re.M)
)


def around(path):
    """The links that a lesson has to the ones before and after it, in the words of the map in 00."""
    place = NOTEBOOKS.index(path)
    before = [f"[← {number(each)} {TITLES[number(each)]}]({each.name})" for each in NOTEBOOKS[:place][-1:]]
    whole = [f"[All lessons]({NOTEBOOKS[0].name})"] if place > 1 else []
    after = [f"[{number(each)} {TITLES[number(each)]} →]({each.name})" for each in NOTEBOOKS[place + 1 :][:1]]
    return " · ".join(before + whole + after)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_lesson_leads_on_and_back_at_its_top_and_at_its_end(path):
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].source.splitlines()[2] == around(path)
    assert cells[-1].source.splitlines()[-1] == around(path)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_lead_to_files_that_there_are(path):
    for link in re.findall(r"\]\(([^)#]+)\)", "\n".join(prose_of(nbformat.read(path, as_version=4)))):
        assert "://" in link or (path.parent / link).exists(), link


def test_the_rendered_pages_link_to_each_other():
    said = '<a href="05_choosing_augmentation.ipynb">on</a> <a href="https://example.org/01_anatomy.ipynb">away</a>'
    assert to_pages(said) == said.replace("05_choosing_augmentation.ipynb", "05_choosing_augmentation.html")


def solved(path):
    """The notebook with every solution run after its exercise, and the results asserted at its end."""
    notebook = nbformat.read(path, as_version=4)
    cells, asked = [], None
    for cell in notebook.cells:
        cells.append(cell)
        if cell.cell_type == "code" and EXERCISE.search(cell.source):
            asked = EXERCISE.search(cell.source)[0].removeprefix("print(").removesuffix(")")
        elif asked and SOLUTION.search(cell.source):
            tried = (
                f"{SOLUTION.search(cell.source)[1]}\nsaid = {asked}\nassert said.endswith(': right.'), said"
            )
            cells.append(nbformat.v4.new_code_cell(tried))
            asked = None
    assert asked is None, "an exercise has no solution"
    results = importlib.import_module(f"lessons.lesson_{number(path)}").RESULTS
    cells.append(nbformat.v4.new_code_cell(results))
    notebook.cells = cells
    return notebook


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """All notebooks, solved and run side by side: the runs by their number, and where the results are."""
    folder, out = tmp_path_factory.mktemp("solved"), tmp_path_factory.mktemp("run")
    for path in NOTEBOOKS:
        nbformat.write(solved(path), folder / path.name)
    # Under pytest a kernel does not show what is written to file descriptor 2, which people would see.
    os.environ.pop("PYTEST_CURRENT_TEST", None)
    # The longest first, so that no core is left with one of them at the end.
    paths = sorted(folder.glob("*.ipynb"), key=lambda path: -path.stat().st_size)
    # Where the tests themselves run side by side, one worker has this file, and the others have cores to use.
    jobs = max(1, (os.cpu_count() or 1) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1)))
    return {number(run.notebook): run for run in run_all(paths, out, jobs)}, out


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_headless_and_comes_out_as_it_says(path, course):
    runs, out = course
    assert not runs[number(path)].error, runs[number(path)].error
    outputs = [
        output
        for cell in nbformat.read(out / path.name, as_version=4).cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    shown = [output.get("data", {}) for output in outputs]
    pictures = [each for each in shown if "image/png" in each or "<svg" in each.get("text/html", "")]
    assert len(pictures) >= PICTURES[number(path)]
    said = "".join(output.get("text", "") for output in outputs)
    printed = [output.text for output in outputs if output.get("name") == "stdout"]
    # JupyterLab breaks wider lines, in the middle of a word.
    assert not [line for text in printed for line in text.splitlines() if len(line) > 100]
    assert "It came out as" in said and "put your answer in place of the dots" in said
    stray = [output.text for output in outputs if output.get("name") == "stderr"]
    assert not stray, "nothing but results on the page"


@pytest.mark.slow
def test_a_failure_in_training_fails_the_notebook_of_the_dashboard(tmp_path):
    text = (ROOT / "notebooks" / "09_dashboard.ipynb").read_text(encoding="utf-8")
    assert "epochs=100)" in text
    broken = tmp_path / "broken.ipynb"
    broken.write_text(text.replace("epochs=100)", "epochs=100, batch_size=4000)"), encoding="utf-8")
    (run,) = run_all([broken], tmp_path / "out")
    assert "`batch_size` must be at most the number of training images" in run.error


def small_notebook(path, source):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    notebook.metadata["kernelspec"] = dict(name="python3", display_name="Python 3", language="python")
    nbformat.write(notebook, path)
    return path


@pytest.mark.slow
def test_all_failures_are_reported_and_none_keeps_the_others_from_running(tmp_path):
    sources = dict(a="1 / 0", b="print('fine')", c="raise ValueError('no good')")
    paths = [small_notebook(tmp_path / f"{name}.ipynb", source) for name, source in sources.items()]
    said = []
    failed = report(run_all(paths, tmp_path / "out", jobs=2), said.append)
    assert {run.notebook.stem for run in failed} == {"a", "c"}
    text = "\n".join(said)
    assert (
        "ZeroDivisionError" in text and "no good" in text and re.search(r"^b:  ?\d+ s$", text, re.MULTILINE)
    )
    assert (tmp_path / "out" / "b.ipynb").is_file() and not (tmp_path / "out" / "a.ipynb").exists()


def test_the_exit_code_tells(monkeypatch, tmp_path):
    for error, code in (("", 0), ("it broke", 1)):
        monkeypatch.setattr(running, "run_all", lambda *_, error=error: [Run(NOTEBOOKS[0], 1.0, error)])
        assert main(["course", "--run", "--html", str(tmp_path)]) == code
    assert len(re.findall("<li>", (tmp_path / "index.html").read_text())) == len(NOTEBOOKS)


@pytest.mark.slow
def test_pages_ask_nothing_of_the_network_and_keep_solutions_folded(tmp_path):
    source = "import ipywidgets\nfrom vgglab import GuessNumber\nGuessNumber('How often?')"
    path = small_notebook(tmp_path / "page.ipynb", source)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(
        nbformat.v4.new_markdown_cell("<details><summary>Solution</summary>\n\nfolded\n\n</details>")
    )
    notebook.cells.append(nbformat.v4.new_markdown_cell("[on](01_anatomy.ipynb)"))
    nbformat.write(notebook, path)
    (run,) = run_all([path], tmp_path / "html", to="html")
    assert not run.error
    page = (tmp_path / "html" / "page.html").read_text(encoding="utf-8")
    assert re.search(r"<details><summary>Solution</summary>\s*<p>folded</p>\s*</details>", page)
    assert "Predict: How often?" in page and re.search(r'<a href="01_anatomy.html">on</a>', page)
    # nbconvert's page would fetch what draws diagrams, where there are any; the course has none.
    page = re.sub(r"import\(\"[^\"]*mermaid[^\"]*\"\)", "", page)
    assert not any("```mermaid" in each.read_text(encoding="utf-8") for each in NOTEBOOKS)
    assert not re.search(r"(src|href)=[\"']?(https?:)?//|url\([\"']?(https?:)?//|import\([^)]*//", page)
    write_index([path], tmp_path / "html")
    assert 'href="page.html"' in (tmp_path / "html" / "index.html").read_text()
    assert 'href="01_anatomy.html"' in page and "01_anatomy.ipynb" not in page
