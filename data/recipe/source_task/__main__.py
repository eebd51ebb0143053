"""Write one picture of each source class where lessons find them: `PYTHONPATH=data python -m recipe.source_task`.

They measure what fine-tuning forgets.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from recipe.source_task import CLASS_NAMES, draw_source
from vgglab.files import written_whole
from vgglab.measures.forgetting import DRAWN_AT, SOURCE_TASK

SEED = 2  # 0 and 1 drew what the weights were trained and tested on


def column(image_size: int) -> np.ndarray:
    """One picture of each class, one below the other: uint8 (classes * image_size, image_size, 3)."""
    return np.concatenate([draw_source(name, 1, image_size, SEED)[0] for name in CLASS_NAMES])


if __name__ == "__main__":
    SOURCE_TASK.mkdir(exist_ok=True)
    for size in DRAWN_AT:
        with written_whole(SOURCE_TASK / f"{size}.webp") as beside:
            Image.fromarray(column(size)).save(beside, lossless=True, quality=100, method=6)
