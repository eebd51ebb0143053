"""Write a sheet of paper for each lesson, one page of A4 to print: `PYTHONPATH=data python -m recipe.sheets`.

Aims and questions to predict are read from the notebooks, so that they cannot differ; the rest stands here.
"""

from __future__ import annotations

import ast
import html
import json
import re
from pathlib import Path
from typing import NamedTuple

from vgglab.files import write_whole

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks" / "sheets"


class Sheet(NamedTuple):
    """What a lesson's sheet adds to its notebook: a picture to draw, three questions, and the words to know."""

    draw: str
    questions: tuple[str, str, str]
    terms: tuple[str, ...]


SHEETS = {
    "00": Sheet(
        "Draw your two curves, train and validation, over the epochs. Shade the gap.",
        (
            "Which of the two curves matters for new images? Why?",
            "What did the better start change: train, validation or both?",
            "Why is one run not enough to draw a conclusion?",
        ),
        ("epoch", "training images", "validation images", "gap", "fine-tuning", "frozen layer"),
    ),
    "01": Sheet(
        "Draw VGG16 as two rows of bars, one bar a block: parameters above, multiply-adds below.",
        (
            "Why does a larger image add work but no parameters to a convolutional layer?",
            "What does global average pooling keep of a feature map, and what does it lose?",
            "How far does one number of block 3 see? Show how you count.",
        ),
        ("filter", "dense layer", "multiply-add", "receptive field", "feature map", "global average pooling"),
    ),
    "02": Sheet(
        "Draw a learning curve: train and validation accuracy over 5, 10, 20 and 50 images a species.",
        (
            "What does it prove that a network learns random labels by heart?",
            "Did fewer parameters close the gap? What did the two accuracies do?",
            "When do you call a difference between two ways of training real?",
        ),
        ("memorising", "capacity", "learning curve", "nat", "seed", "95 % interval"),
    ),
    "03": Sheet(
        "Draw the validation loss of a run. Mark the epoch that early stopping keeps and where it stops.",
        (
            "Which brake held back wrong labels and still learned the right ones?",
            "How can a gap become smaller although the network has become worse?",
            "In which condition had no brake anything to do? Why?",
        ),
        ("L2", "weight decay", "dropout", "patience", "early stopping", "label noise"),
    ),
    "04": Sheet(
        "Draw train and validation of the long run twice: without changed copies, and with them.",
        (
            "Which unit has each 0.2 in the settings of the generator?",
            "What can changed copies not give you that new photographs can?",
            "Name a change that would alter a label in your own images.",
        ),
        ("augmentation", "flip", "shear", "geometric change", "colour jitter", "random erasing"),
    ),
    "05": Sheet(
        "Draw validation accuracy over the strength of augmentation, from none to four times as strong.",
        (
            "Which changes helped the nuisance that they match, and which did not?",
            "What did rotation cost where nothing was turned?",
            "What will vary in your new images that your training images do not show?",
        ),
        ("nuisance", "hole", "strength", "matching change", "views", "test part"),
    ),
    "06": Sheet(
        "Draw the calibration bars of a network that is too sure, and of one that is too modest.",
        (
            "Why is the logged training accuracy not the accuracy on the training images?",
            "What does alpha change? Compare 0.2 with 1.",
            "For which network does MixUp make confidence more honest?",
        ),
        ("MixUp", "CutMix", "soft label", "Beta distribution", "confidence", "calibration error"),
    ),
    "07": Sheet(
        "Draw VGG16's five blocks. Shade those that learn at depth 3, and mark how far each moved.",
        (
            "What happens if you set trainable and do not compile again?",
            "Did forgetting the old task hurt the new one? Which figures say so?",
            "Why can a very low learning rate be worse than a higher one?",
        ),
        ("unfreeze depth", "head", "compile", "source task", "drift", "catastrophic forgetting"),
    ),
    "08": Sheet(
        "Draw the memory of one training step as a stack of four parts, the largest below.",
        (
            "Why does a training step cost about three forward passes?",
            "What does keeping the frozen layers' output save, and what does it cost you?",
            "Your own task: how many images, epochs and pixels? How long will it take?",
        ),
        ("FLOP", "activation", "batch size", "mixed precision", "optimiser", "kept output"),
    ),
    "09": Sheet(
        "Draw your best run against the first one: the two validation curves, and their ends.",
        (
            "What did you change, and why did you expect it to help?",
            "What does the sentence under the table say: better, or luck?",
            "What would you have to do to be surer?",
        ),
        ("run", "phase", "run card", "A and B", "interval", "chance"),
    ),
    "10": Sheet(
        "Sketch the worst mistake of your network, and mark where Grad-CAM says it looked.",
        (
            "What must be new in the validation images: photographs, patients, plants, days?",
            "What is the interval of your accuracy? What would always naming one class give?",
            "Which two classes does it mix up, and what would tell you which is which?",
        ),
        ("split", "leak", "fold", "recall", "precision", "Grad-CAM"),
    ),
}
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>
@page {{ size: A4; margin: 12mm 14mm }}
body {{ font: 10.5pt/1.3 sans-serif; max-width: 182mm; margin: auto; color: #111 }}
h1 {{ font-size: 17pt; margin: 0 0 1mm }}
h2 {{ font-size: 11pt; margin: 3mm 0 1mm }}
ul, ol {{ margin: 0; padding-left: 6mm }}
.name {{ float: right; margin-top: 2mm }}
.draw {{ border: 1px solid #777; height: 46mm; padding: 1mm 2mm }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ border: 1px solid #777; padding: 1mm 2mm; text-align: left; font-weight: normal; font-size: 9.5pt }}
td + td, th + th {{ width: 28mm }}
li.ask {{ height: 15mm }}
</style>
<p class="name">Name: ______________________</p>
<h1>{title}</h1>
<h2>After this lesson you can</h2>
<ul>
{aims}
</ul>
<h2>Draw</h2>
<div class="draw">{draw}</div>
<h2>Predict, then run</h2>
<table>
<tr><th>Question</th><th>My guess</th><th>It came out as</th></tr>
{rows}
</table>
<h2>Answer in your own words</h2>
<ol>
{questions}
</ol>
<h2>Say what each word means</h2>
<p style="margin:0">{terms}</p>
</html>
"""


def sheet_of(notebook: Path) -> str:
    """The page of a lesson."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    prose = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    number, sheet = notebook.name[:2], SHEETS[notebook.name[:2]]
    return _PAGE.format(
        title=f"{number} {_plain(prose.partition('# ')[2].splitlines()[0])}",
        aims="\n".join(f"<li>{_plain(aim)}</li>" for aim in aims(prose)),
        draw=_plain(sheet.draw),
        rows="\n".join(f"<tr><td>{_plain(each)}</td><td></td><td></td></tr>" for each in guesses(code)),
        questions="\n".join(f'<li class="ask">{_plain(each)}</li>' for each in sheet.questions),
        terms=" · ".join(map(_plain, sheet.terms)),
    )


def aims(prose: str) -> list[str]:
    """What one can do after the lesson, one entry a line of its list."""
    listed = prose.split("**After this lesson you can**")[1].split("**Time")[0]
    return [" ".join(each.split()).rstrip(";.") for each in re.split(r"^- ", listed, flags=re.MULTILINE)[1:]]


def guesses(code: list[str]) -> list[str]:
    """The questions that are asked before a run, in their order."""
    asked = []
    for source in code:
        tree = ast.parse(source)
        words = {
            target.id: node.value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("GuessNumber", "GuessChoice"):
                question = node.args[0]
                asked.append(
                    str(words[question.id] if isinstance(question, ast.Name) else ast.literal_eval(question))
                )
    return asked


def _plain(text: str) -> str:
    return html.escape(re.sub(r"[`*]", "", text), quote=False)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        write_whole(FOLDER / f"{notebook.name[:2]}.html", sheet_of(notebook))


if __name__ == "__main__":
    main()
