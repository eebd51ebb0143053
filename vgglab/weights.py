"""Where the embedded weights are; `provenance.json` says how they were made."""

from vgglab.files import shipped

FOLDER = shipped("weights")
PRETRAINED = FOLDER / "vgg16-mini.weights.h5"
SOURCE_HEAD = FOLDER / "vgg16-mini.source-head.npz"
PROVENANCE = FOLDER / "provenance.json"
