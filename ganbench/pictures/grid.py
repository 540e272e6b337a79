"""A trial's samples as one picture; of points a second one shows how they moved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from ganbench.pictures.scatter import write_points, write_training
from ganbench.util.atomic_io import atomic_write

GRID = 100
"""Images shown in a trial's picture."""
COLUMNS = 10
GAP = 2
SCALE = 2


def write_pictures(
    folder: Path, samples: Tensor, labels: Tensor | None, data: np.ndarray, snapshots: Sequence[dict[str, Any]]
) -> None:
    """Write ``samples.png``, and ``training.png`` where there are two `snapshots` or more, as only points have.

    Images are shown in the order of `labels`; points over `data` and the last snapshot's surface.
    """
    if snapshots:
        write_points(folder / "samples.png", samples, data, snapshots[-1]["surface"])
        if len(snapshots) > 1:
            write_training(folder / "training.png", snapshots, data)
    elif samples.ndim == 4:
        order = labels[:GRID].argsort(stable=True) if labels is not None else slice(None)
        write_grid(folder / "samples.png", samples[:GRID][order].cpu())


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
    atomic_write(path, lambda stream: picture.save(stream, format="PNG", optimize=True))
