"""The command `vgglab export`: a trained network for machines that have no Keras; returns the exit code."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from vgglab.files import readable

_NAMES = {
    "tflite": "TensorFlow Lite, for phones and small computers",
    "onnx": "ONNX, for many languages and programs",
    "savedmodel": "SavedModel, for TensorFlow Serving",
}


def add_export(commands: Any) -> None:
    """Add the command to those of the command line."""
    parser = commands.add_parser(
        "export",
        help="write a trained network in a format that runs without Keras",
        description="Write a trained network in a format that runs without Keras, and check what was written against "
        "Keras on 16 images: where a probability differs by more than 0.0001, nothing is kept. The names of the "
        "classes are written beside it, or into the folder of a SavedModel.",
        allow_abbrev=False,
    )
    parser.set_defaults(run=_export)
    parser.add_argument(
        "model", type=Path, metavar="RUN_DIR_OR_MODEL", help="folder of a run, or a .keras file"
    )
    formats = "; ".join(f"{name}: {what}" for name, what in _NAMES.items())
    parser.add_argument("--to", required=True, metavar="FORMAT", help=formats)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="PATH",
        help="new file or folder that ends in .tflite, .onnx or .savedmodel (default: beside the network)",
    )


def _export(options: argparse.Namespace, rest: list[str]) -> int:
    from vgglab.exporting import export

    done = export(options.model, options.to, options.out)
    size, fit = done.reading.image_size, done.reading.fit
    print(f"Written: {readable(done.path)}, and the names of the classes to {readable(done.labels)}.")
    print(f"Largest difference from Keras's probabilities on 16 images: {done.difference:.1e}.")
    print(
        f"It takes float32 images of shape (n, {size}, {size}, 3), RGB from 0 to 255, made square by "
        f"'{fit}'; preprocessing is inside."
    )
    return 0
