"""TensorFlow without what it writes to the terminal while it is imported, whatever its log level says.

Its notes on processors and missing GPUs would stand in red in every notebook. What goes wrong in the
import is an exception, and not affected.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType


@contextmanager
def silent_stderr() -> Iterator[None]:
    """File descriptor 2, to which C++ writes, leads nowhere until the block ends."""
    sys.stderr and sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # no terminal at all
        yield
        return
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _is_no_retracing(record: logging.LogRecord) -> bool:
    # A function for each layer or augmentation is traced on purpose; each of them is traced once.
    return "triggered tf.function retracing" not in str(record.msg)


class _Loader(importlib.abc.Loader):
    """A loader that does what another does, silently."""

    def __init__(self, loader: importlib.abc.Loader) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self.loader
        assert module.__spec__ is not None  # the import system has set it
        module.__spec__.loader = self.loader  # as if nobody had been in between
        with silent_stderr():
            self.loader.exec_module(module)
        logging.getLogger("tensorflow").addFilter(_is_no_retracing)


class QuietTensorFlow(importlib.abc.MetaPathFinder):
    """Finds TensorFlow as the other finders do, and has it imported silently."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


def install() -> None:
    """From now on TensorFlow is imported silently; too late when it has been imported already."""
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, QuietTensorFlow())
