"""A trial's samples as one picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from ganbench.files import write_whole

COLUMNS = 10
GAP = 2
SCALE = 2


def write_grid(path: Path, images: Tensor) -> None:
    """Write uint8 images (N, C, H, W), one or three channels, as a PNG grid of ten columns, row by row."""
    n, channels, height, width = images.shape
    rows = -(-n // COLUMNS)
    sheet = np.full((rows * (height + GAP) + GAP, COLUMNS * (width + GAP) + GAP, channels), 96, dtype=np.uint8)
    for index, image in enumerate(images.numpy().transpose(0, 2, 3, 1)):
        top, left = (index // COLUMNS) * (height + GAP) + GAP, (index % COLUMNS) * (width + GAP) + GAP
        sheet[top : top + height, left : left + width] = image
    picture = Image.fromarray(sheet[..., 0] if channels == 1 else sheet)
    picture = picture.resize((picture.width * SCALE, picture.height * SCALE), Image.Resampling.NEAREST)
    write_whole(path, lambda stream: picture.save(stream, format="PNG", optimize=True))
