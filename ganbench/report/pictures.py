"""The pictures of a report: sample grids, samples as a model learnt, nearest training images; as files or inline."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganbench.boards.entries import Entry
from ganbench.data.dataset import Dataset
from ganbench.errors import RequestError
from ganbench.pictures.grid import COLUMNS, grid_png
from ganbench.store.samples import SampleFile, read_samples

BESIDE = 10
"""Samples that are shown beside their nearest training images."""
ON_THE_WAY = 20
"""Samples that are shown of a point of the curve."""
_MOST = 50_000_000
"""Pixels of a picture in a run's folder, which may be a stranger's."""
_BATCH = 512
"""Training images that are compared at once: so few stay in a core's cache."""


@dataclass(frozen=True)
class Picture:
    """Where a picture is loaded from, relative to the board's folder or as data, and its size in pixels."""

    src: str
    width: int
    height: int
    inline: bool = False


@dataclass
class Shelf:
    """Takes pictures: as files below the board's folder, or, where that is asked for, as data in the page itself."""

    inline: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    _taken: dict[str, Picture | None] = field(default_factory=dict)

    def put(self, path: str, make: Callable[[], bytes | None]) -> Picture | None:
        """Take the PNG that `make` returns, None where there is none; what has been taken is not made again."""
        if path not in self._taken:
            png = make()
            self._taken[path] = None if png is None else self._picture(path, png)
        return self._taken[path]

    def _picture(self, path: str, png: bytes) -> Picture:
        width, height = int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
        if self.inline:
            return Picture(f"data:image/png;base64,{base64.b64encode(png).decode()}", width, height, inline=True)
        self.files[f"pictures/{path}"] = png
        return Picture(f"pictures/{path}", width, height)


def read_picture(path: Path) -> bytes | None:
    """Return a PNG written anew, None where there is none, it is damaged, or larger than a grid can be.

    Pillow is to try no other format: some (EPS) are programs. Text chunks and whatever else it held are left behind.
    """
    from PIL import Image

    try:
        with Image.open(path, formats=("PNG",)) as image:
            if image.width * image.height > _MOST:
                return None
            plain = image.convert("L" if image.mode in ("1", "L", "I;16", "I") else "RGB")
        plain.info = {}
        stream = io.BytesIO()
        plain.save(stream, "PNG", optimize=True)
        return stream.getvalue()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def samples_of(entry: Entry, file: SampleFile | None, n: int) -> NDArray[np.uint8] | None:
    """Return the first `n` sampled images, None where they are not there, are not those recorded, or are points."""
    if file is None:
        return None
    try:
        found = read_samples(entry.folder, file, n)
    except (FileNotFoundError, RequestError):
        return None
    return found if found.ndim == 4 and found.dtype == np.uint8 and found.shape[1] in (1, 3) and len(found) else None


def grid_of(entry: Entry, file: SampleFile | None, n: int = ON_THE_WAY) -> bytes | None:
    """Return a grid of the first samples in a file."""
    found = samples_of(entry, file, n)
    return None if found is None else grid_png(found)


def beside_nearest(entry: Entry, dataset: Dataset | None) -> bytes | None:
    """Return ten samples in a row, and under each the training image whose pixels are nearest to its own."""
    if dataset is None or dataset.train_sha256 != entry.run.spec.training.train_sha256:
        return None
    found = samples_of(entry, entry.run.samples, BESIDE)
    if found is None or len(found) < COLUMNS or found.shape[1:] != dataset.shape:
        return None
    train = dataset.train.images
    return grid_png(np.concatenate([found, train[nearest(found, train)]]))


def nearest(samples: NDArray[np.uint8], train: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return, for each sample (n, C, H, W), the index of the training image (N, C, H, W) with the least squared
    difference of pixels; the first of several."""
    mine = samples.reshape(len(samples), -1).astype(np.float32)
    best, at = np.full(len(mine), np.inf, dtype=np.float32), np.zeros(len(mine), dtype=np.intp)
    for start in range(0, len(train), _BATCH):
        theirs = train[start : start + _BATCH].reshape(-1, mine.shape[1]).astype(np.float32)
        # less the samples' own squares, which are the same for all of them
        distances = np.einsum("ij,ij->i", theirs, theirs) - 2 * (theirs @ mine.T).T  # the faster order
        index = distances.argmin(1)
        least = distances[np.arange(len(mine)), index]
        at = np.where(least < best, start + index, at)
        best = np.minimum(least, best)
    return at
