"""What the site shows of the project itself: signatures and docstrings, lessons, ledger and changelog.

MkDocs calls the functions that begin with `on_`. Nothing is imported that loads TensorFlow.
"""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import vgglab
from vgglab.course.running import FETCHED
from vgglab.experiment import DEFAULTS, FIELDS

ROOT = Path(__file__).parent.parent
PACKAGE = Path(vgglab.__file__).parent
RENDERED = "VGGLAB_SITE_LESSONS"  # a folder of executed lessons; without it they are shown as they are read
_WORKER = "https://unpkg.com/iframe-worker/shim"
_NAME = re.compile(r"^## `(\w+)`$", re.M)
_GLOSSARY = re.compile(r'^    "(\w+)": "([\w.]+)",  # (.+)$', re.M)
_CODE = re.compile(r"(`[^`]*`)")


class Entry(NamedTuple):
    """A public name: where it is imported from, and what it is in a line."""

    module: str
    line: str


def glossary() -> dict[str, Entry]:
    """The public names, as the glossary in `vgglab/__init__.py` has them."""
    text = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    return {name: Entry(module, line) for name, module, line in _GLOSSARY.findall(text)}


class Found(NamedTuple):
    """The statement that defines a name, and its file."""

    file: Path
    node: ast.stmt

    @property
    def code(self) -> str:
        """Its lines, with its decorators."""
        first = min([self.node.lineno, *(each.lineno for each in getattr(self.node, "decorator_list", []))])
        return "\n".join(self.file.read_text(encoding="utf-8").splitlines()[first - 1 : self.node.end_lineno])

    @property
    def source(self) -> str:
        """Its file and its line."""
        return f"{PACKAGE.name}/{self.file.relative_to(PACKAGE).as_posix()}, line {self.node.lineno}"


def find(module: str, name: str) -> Found:
    """Follow a name to the statement that defines it; a wrapper to what it wraps."""
    place = PACKAGE.parent / module.replace(".", "/")
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return find(node.module, alias.name)
        if name in _names(node):
            wrapped = _wrapped(node)
            return find(*wrapped) if wrapped else Found(file, node)
    raise LookupError(f"{module} does not define {name}.")


def _names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _wrapped(node: ast.stmt) -> tuple[str, str] | None:
    for each in getattr(node, "decorator_list", []):
        if isinstance(each, ast.Call) and ast.unparse(each.func) == "functools.wraps":
            module, _, name = ast.unparse(each.args[0]).rpartition(".")
            return f"{PACKAGE.name}.{module}", name
    return None


def describe(name: str) -> str:
    """What the reference says of a public name before its example: signature, docstring, fields, methods, source."""
    entry = glossary()[name]
    found = find(entry.module, name)
    parts = [f"*{escaped(entry.line)}*"]
    if isinstance(found.node, ast.FunctionDef):
        parts += [_block(_signature(found.node)), _prose(found.node)]
    elif isinstance(found.node, ast.ClassDef):
        parts += [_block(_class_signature(found.node)), _prose(found.node)]
        parts += [_fields()] if name == "Experiment" else []
        parts += list(_methods(found.node))
    code = "\n".join(f"    {line}".rstrip() for line in _block(found.code).splitlines())
    return "\n\n".join(filter(None, [*parts, f'??? quote "{found.source}"\n\n{code}']))


def escaped(text: str) -> str:
    """Plain text as Markdown: signs that mean something there stand for themselves, and code stays code."""
    parts = _CODE.split(text)
    parts[::2] = [re.sub(r"([*_<>\[\]])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def _prose(node: ast.FunctionDef | ast.ClassDef) -> str:
    return escaped(ast.get_docstring(node) or "")


def _block(code: str) -> str:
    return f"```python\n{code}\n```"


def _signature(node: ast.FunctionDef, method: bool = False) -> str:
    given = node.args
    plain = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(plain) - len(given.defaults)) + given.defaults
    arguments = [_argument(*each) for each in zip(plain, defaults)]
    if given.posonlyargs:
        arguments.insert(len(given.posonlyargs), "/")
    if given.vararg:
        arguments.append(f"*{ast.unparse(given.vararg)}")
    elif given.kwonlyargs:
        arguments.append("*")
    arguments += [_argument(*each) for each in zip(given.kwonlyargs, given.kw_defaults)]
    if given.kwarg:
        arguments.append(f"**{ast.unparse(given.kwarg)}")
    arguments = arguments[1:] if method else arguments
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    line = f"{node.name}({', '.join(arguments)}){returns}"
    if len(line) <= 90:
        return line
    return f"{node.name}(\n" + "".join(f"    {each},\n" for each in arguments) + f"){returns}"


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    text = ast.unparse(argument)
    if default is None:
        return text
    return f"{text} = {ast.unparse(default)}" if argument.annotation else f"{text}={ast.unparse(default)}"


def _class_signature(node: ast.ClassDef) -> str:
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and each.name == "__init__":
            return _signature(each, method=True).replace("__init__", node.name, 1).removesuffix(" -> None")
    fields = [each for each in node.body if isinstance(each, ast.AnnAssign) and _public(each)]
    if node.name == "Experiment" or not fields:
        return (
            f"class {ast.unparse(ast.Module([_without_body(node)], [])).removeprefix('class ').split(':')[0]}"
        )
    return f"class {node.name}:\n" + "\n".join(f"    {ast.unparse(each)}" for each in fields)


def _without_body(node: ast.ClassDef) -> ast.ClassDef:
    return ast.ClassDef(node.name, node.bases, [], [ast.Pass()], [])


def _public(node: ast.AnnAssign) -> bool:
    return isinstance(node.target, ast.Name) and not node.target.id.startswith("_")


def _methods(node: ast.ClassDef) -> Iterator[str]:
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and not each.name.startswith("_") and ast.get_docstring(each):
            decorators = {ast.unparse(decorator) for decorator in each.decorator_list}
            is_property = bool(decorators & {"property", "functools.cached_property", "cached_property"})
            shown = each.name if is_property else _signature(each, "staticmethod" not in decorators)
            yield f"**`.{each.name}`**\n\n{_block(shown)}\n\n{_prose(each)}"


def _fields() -> str:
    """The records of an experiment's fields as a table."""
    rows = ["| field | default | what may be given | unit | what it does |", "|---|---|---|---|---|"]
    for name, toggle in FIELDS.items():
        low, high = getattr(toggle, "low", None), getattr(toggle, "high", None)
        options = getattr(toggle, "options", None) or getattr(toggle, "suggestions", None)
        may = f"{low:g} to {high:g}" if high is not None else ", ".join(f"`{each}`" for each in options or ())
        may += " or `None`" if getattr(toggle, "optional", False) else ""
        cells = (f"`{name}`", f"`{DEFAULTS[name]!r}`", may, getattr(toggle, "unit", ""), escaped(toggle.help))
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Put what is known of each name under its heading, and a list of all names on the first page of the reference."""
    if not page.file.src_uri.startswith("reference/"):
        return markdown
    if page.file.src_uri == "reference/index.md":
        return markdown + "\n" + _index(Path(page.file.abs_src_path).parent)
    return _NAME.sub(lambda found: f"## `{found[1]}`\n\n{_described(found[1])}", markdown)


def _described(name: str) -> str:
    return "*the version of vgglab, as text*" if name == "__version__" else describe(name)


def _index(folder: Path) -> str:
    known = glossary()
    rows = ["| name | what it is |", "|---|---|"]
    for page in sorted(folder.glob("*.md")):
        for name in _NAME.findall(page.read_text(encoding="utf-8")):
            line = escaped(known[name].line) if name in known else "the version of vgglab"
            rows.append(f"| [`{name}`]({page.name}#{name.lower()}) | {line} |")
    return "\n".join([*rows[:2], *sorted(rows[2:], key=str.lower)])


def on_files(files: Any, config: Any) -> Any:
    """Add what stands elsewhere in the project: lessons, ledger and changelog."""
    from mkdocs.structure.files import File

    def add(place: str, content: str) -> None:
        files.append(File.generated(config, place, content=content))

    add("ledger.md", _linked((ROOT / "data" / "studies" / "README.md").read_text(encoding="utf-8")))
    add("changes.md", _linked((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))
    rendered = os.environ.get(RENDERED)
    lessons = sorted((ROOT / "notebooks").glob("*.ipynb"))
    for notebook in lessons:
        page = (
            (Path(rendered) / f"{notebook.stem}.html").read_text(encoding="utf-8")
            if rendered
            else _unexecuted(notebook)
        )
        add(f"lessons/{notebook.stem}.html", _among_lessons(page, {each.stem for each in lessons}))
    add("lessons/index.md", _lesson_list(lessons, executed=bool(rendered)))
    return files


def on_post_build(config: Any, **_: Any) -> None:
    """Ask no other machine for the script that lets search work from disk: the site has one of its own."""
    site = Path(config.site_dir)
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        own = os.path.relpath(site / "worker.js", page.parent).replace(os.sep, "/")
        if _WORKER in text:
            page.write_text(text.replace(_WORKER, own), encoding="utf-8")
    for only_served in ("404.html", "sitemap.xml", "sitemap.xml.gz"):
        (site / only_served).unlink(missing_ok=True)


def _linked(markdown: str) -> str:
    """Without links to files of the project that the site does not have; their text stays."""
    return re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?:|#)[^)]+\)", r"\1", markdown)


def _unexecuted(notebook: Path) -> str:
    from nbconvert import HTMLExporter

    exporter = HTMLExporter()
    for name in FETCHED:
        setattr(exporter, name, "")
    return exporter.from_filename(str(notebook))[0]


def _among_lessons(page: str, lessons: set[str]) -> str:
    """With links to the other lessons as pages; a link to a file that the site does not have becomes its text."""

    def follow(found: re.Match[str]) -> str:
        target, _, anchor = found[1].partition("#")
        if re.match(r"https?:|data:|mailto:", target) or not target:
            return found[0]
        stem = Path(target).stem
        if target.endswith((".ipynb", ".html")) and stem in lessons:
            return f'<a href="{stem}.html{"#" + anchor if anchor else ""}"{found[2]}>{found[3]}</a>'
        return found[3]

    return re.sub(r'<a href="([^"]*)"([^>]*)>(.*?)</a>', follow, page, flags=re.S)


def _lesson_list(lessons: list[Path], executed: bool) -> str:
    lines = ["# Lessons", ""]
    if executed:
        lines += [
            "Each lesson as a run from top to bottom left it. Widgets need a kernel, so their text stands instead."
        ]
    else:
        lines += [
            "The lessons before anybody ran them. `make site` runs them first, and shows what came out."
        ]
    lines += ["To work through them, open them with `vgglab lab`.", ""]
    for each in lessons:
        cells = json.loads(each.read_text(encoding="utf-8"))["cells"]
        text = "".join(next(cell["source"] for cell in cells if cell["cell_type"] == "markdown"))
        title = re.search(r"^# (.+)$", text, re.M)
        lines.append(f"- [{title[1] if title else each.stem}]({each.stem}.html)")
    return "\n".join(lines) + "\n"
