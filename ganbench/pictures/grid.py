"""Samples as one picture: images side by side."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganbench.util.atomic_io import atomic_write

GRID = 100
"""Images shown in a run's picture."""
COLUMNS = 10
GAP = 2
SCALE = 2


def write_grid(path: Path, images: NDArray[np.uint8]) -> None:
    """Write uint8 images (N, C, H, W), one or three channels, as a PNG grid of ten columns, row by row."""
    png = grid_png(images)
    atomic_write(path, lambda stream: stream.write(png))


def grid_png(images: NDArray[np.uint8]) -> bytes:
    """Return the bytes of the picture that `write_grid` writes."""
    n, channels, height, width = images.shape
    rows = -(-n // COLUMNS)
    sheet = np.full((rows * (height + GAP) + GAP, COLUMNS * (width + GAP) + GAP, channels), 96, dtype=np.uint8)
    for index, image in enumerate(images.transpose(0, 2, 3, 1)):
        top, left = (index // COLUMNS) * (height + GAP) + GAP, (index % COLUMNS) * (width + GAP) + GAP
        sheet[top : top + height, left : left + width] = image
    picture = Image.fromarray(sheet[..., 0] if channels == 1 else sheet)
    picture = picture.resize((picture.width * SCALE, picture.height * SCALE), Image.Resampling.NEAREST)
    stream = io.BytesIO()
    picture.save(stream, format="PNG", optimize=True)
    return stream.getvalue()
