"""Where the embedded weights are; `provenance.json` says how they were made."""

from pathlib import Path

PRETRAINED = Path(__file__).parent / "vgg16-mini.weights.h5"
SOURCE_HEAD = Path(__file__).parent / "vgg16-mini.source-head.npz"
PROVENANCE = Path(__file__).parent / "provenance.json"
