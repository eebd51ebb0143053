"""The direction of imports, and what a bare import costs."""

import ast
import graphlib
import subprocess
import sys

import pytest

import vgglab
from conftest import ROOT

# A module may import from the layers before its own, and within its own.
LAYERS = [
    ["vgglab", "vgglab.quiet", "vgglab.errors", "vgglab.files", "vgglab.templates", "vgglab.engine.owner"],
    ["vgglab.stored", "vgglab.course"],
    ["vgglab.image_changes", "vgglab.image_draws", "vgglab.toggles", "vgglab.studies"],
    ["vgglab.experiment"],
    ["vgglab.combinations"],
    [
        "vgglab.architecture",
        "vgglab.weights",
        "vgglab.checkup",
        "vgglab.fit",
        "vgglab.history",
        "vgglab.predictions",
        "vgglab.record",
        "vgglab.record_checks",
        "vgglab.record_reader",
        "vgglab.rate_search",
        "vgglab.cluster",
        "vgglab.measures.intervals",
    ],
    ["vgglab.engine.control", "vgglab.engine.rates"],
    [
        "vgglab.datasets",
        "vgglab.augmentation",
        "vgglab.network",
        "vgglab.charts",
        "vgglab.doctor.exact",
        "vgglab.doctor.findings",
        "vgglab.doctor.pictures",
        "vgglab.doctor.quick",
        "vgglab.doctor.resample",
        "vgglab.doctor.sides",
        "vgglab.measures.badge",
        "vgglab.measures.comparison",
        "vgglab.measures.evidence",
        "vgglab.measures.diagnosis",
        "vgglab.measures.mistakes",
        "vgglab.measures.auc",
        "vgglab.measures.class_counts",
        "vgglab.measures.class_intervals",
        "vgglab.measures.classes",
        "vgglab.measures.sweep_table",
    ],
    ["vgglab.share"],
    ["vgglab.engine"],
    ["vgglab.measures"],
    ["vgglab.doctor"],
    ["vgglab.phase", "vgglab.training", "vgglab.measures.learning_rate"],
    ["vgglab.classifier", "vgglab.answers", "vgglab.gallery", "vgglab.exporting"],
    ["vgglab.panel"],
    ["vgglab.serving", "vgglab.terminal", "vgglab.epoch_bar", "vgglab.image_bar"],
    ["vgglab.live_display", "vgglab.live_load"],
    [
        "vgglab.live_train",
        "vgglab.in_turn",
        "vgglab.seeds",
        "vgglab.cross_validation",
        "vgglab.sweep_run",
        "vgglab.sweep_going",
        "vgglab.sweeping",
        "vgglab.commands",
        "vgglab.cli",
        "vgglab.__main__",
    ],
]
ONLY = {
    "matplotlib": ("charts", "gallery"),
    "seaborn": ("charts",),
    "anywidget": ("panel",),
    "ipywidgets": ("panel",),
    "IPython": ("panel",),
    "rich": ("commands", "epoch_bar", "image_bar", "live_display", "live_load"),
    "distributed": ("cluster",),
    "jupyterlab": ("serving",),
    "voila": ("serving.pages",),
    "tornado": ("serving.pages",),
    "scipy": ("measures.intervals",),
    "sklearn": ("doctor.probe",),
    "threadpoolctl": ("doctor.sight", "doctor.alignment", "doctor.probe"),
    "jinja2": ("templates",),
}
MODULES = sorted((ROOT / "vgglab").rglob("*.py"))


def module_name(path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


NAMES = {module_name(path) for path in MODULES}


def imported_by(path) -> set[str]:
    """The modules that a file imports, wherever in it; `from a import b` is a.b where that is a module."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {part if part in NAMES else node.module for part in parts}
    return names


def layer_of(name: str) -> int:
    """The layer of the longest name that covers it; `vgglab` itself covers nothing but itself."""
    places = {each: place for place, layer in enumerate(LAYERS) for each in layer}
    covering = [each for each in places if name == each or (each != "vgglab" and name.startswith(each + "."))]
    return places[max(covering, key=len)]


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_go_one_way(path):
    own = layer_of(module_name(path))
    for name in imported_by(path):
        if name.split(".")[0] == "vgglab":
            assert layer_of(name) <= own, f"{module_name(path)} imports {name}"
        allowed = ONLY.get(name.split(".")[0], ("",))
        assert any(place in module_name(path) for place in allowed), f"{module_name(path)} imports {name}"


def test_no_module_imports_itself_by_a_detour():
    graph = {module_name(path): imported_by(path) & NAMES - {"vgglab"} for path in MODULES}
    list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError and names the circle


def test_the_package_knows_no_recipe_and_no_lesson():
    for path in MODULES:
        assert not {name.split(".")[0] for name in imported_by(path)} & {"recipe", "checks", "course"}


def test_charts_see_only_records():
    seen = {
        name
        for path in (ROOT / "vgglab/charts").glob("*.py")
        for name in imported_by(path)
        if name.startswith("vgglab") and not name.startswith("vgglab.charts")
    }
    # The images of a mistake are in the data set.
    assert seen == {
        "vgglab.datasets.dataset",
        "vgglab.doctor.findings",
        "vgglab.errors",
        "vgglab.experiment",
        "vgglab.files",
        "vgglab.combinations",
        "vgglab.history",
        "vgglab.measures.class_intervals",
        "vgglab.measures.classes",
        "vgglab.measures.mistakes",
        "vgglab.measures.sweep_table",
        "vgglab.rate_search",
    }


def test_a_bare_import_loads_nothing_heavy():
    heavy = ("tensorflow", "keras", "numpy", "pandas", "matplotlib", "ipywidgets")
    code = f"import sys, vgglab; sys.exit(' '.join(name for name in {heavy!r} if name in sys.modules) or 0)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_tensorflow_is_loaded_without_a_word_and_its_errors_are_heard():
    done = subprocess.run(
        [sys.executable, "-c", "import vgglab, sys; vgglab.train; print('heard', file=sys.stderr)"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "heard\n")
    broken = "import vgglab, sys; sys.modules['tensorflow.python'] = None; import tensorflow"
    done = subprocess.run([sys.executable, "-c", broken], capture_output=True, text=True)
    assert done.returncode == 1 and "ModuleNotFoundError" in done.stderr


def test_every_name_of_the_glossary_exists():
    for name in vgglab.__all__:
        assert getattr(vgglab, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'Experimnt'"):
        vgglab.Experimnt
