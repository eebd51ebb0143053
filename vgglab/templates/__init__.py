"""The texts that are filled in: a page, a part of one, or a script, each in a file of this folder."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def render(name: str, /, **values: Any) -> str:
    """The template `name` with these values in it.

    In a template whose name ends in ".html" a value stays text, whatever it holds, unless the template marks it as
    `safe`. A value that the template needs and is not given raises jinja2's `UndefinedError`.
    """
    return _environment().get_template(name).render(values)


@functools.cache
def _environment() -> Environment:
    # Here, not at the top: a tenth of a second that who only trains need not wait for.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
