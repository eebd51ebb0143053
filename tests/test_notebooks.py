import os
import subprocess
import sys

import nbformat
import pytest
from conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_form(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs and cell.execution_count is None, "outputs are stripped"
            assert len(cell.source.splitlines()) <= 12


def execute(path, folder):
    command = [sys.executable, "-m", "jupyter", "nbconvert", "--execute", "--to", "notebook"]
    return subprocess.run(
        [*command, "--output-dir", str(folder), str(path)],
        capture_output=True,
        text=True,
        env={**os.environ, "MPLBACKEND": "module://matplotlib_inline.backend_inline"},
    )


# How many pictures a notebook leaves, and words of a result that only a finished run prints.
LEAVES = {"01_overfitting_gap": (9, "The gap is"), "08_dashboard": (2, "Epoch 20 of 20: train")}


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_headless(path, tmp_path):
    done = execute(path, tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    outputs = [
        output
        for cell in nbformat.read(tmp_path / path.name, as_version=4).cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    printed = "".join(output.get("text", "") for output in outputs)
    count, words = LEAVES[path.stem]
    assert len(pictures) >= count and words in printed
    assert not [output for output in outputs if output.get("name") == "stderr"], (
        "nothing but results on the page"
    )


@pytest.mark.slow
def test_a_failure_in_training_fails_the_notebook_of_the_dashboard(tmp_path):
    text = (ROOT / "notebooks" / "08_dashboard.ipynb").read_text(encoding="utf-8")
    assert "epochs=20" in text
    (tmp_path / "broken.ipynb").write_text(
        text.replace("epochs=20", "epochs=20, batch_size=4000"), encoding="utf-8"
    )
    done = execute(tmp_path / "broken.ipynb", tmp_path / "out")
    assert (
        done.returncode != 0 and "`batch_size` must be at most the number of training images" in done.stderr
    )
