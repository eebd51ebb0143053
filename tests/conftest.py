import os

os.environ.setdefault("MPLBACKEND", "agg")

from pathlib import Path

import numpy as np
import pytest

from vgglab.datasets.dataset import Dataset, Split

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real photographs are not at {folder}")
    return folder


@pytest.fixture(scope="session")
def tiny() -> Dataset:
    """Two classes of 32-pixel images, dark and light, that any network tells apart."""
    rng = np.random.default_rng(0)

    def split(count: int) -> Split:
        labels = np.arange(count) % 2
        images = rng.integers(0, 90, (count, 32, 32, 3)) + 160 * labels[:, None, None, None]
        return Split(images.astype(np.uint8), labels)

    return Dataset("tiny", ("dark", "light"), split(24), split(10))
