"""The pictures that lie beside a run: its samples, and for points how they moved while the model learnt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ganbench.data.dataset import Dataset
from ganbench.errors import RequestError
from ganbench.pictures.grid import GRID, write_grid
from ganbench.pictures.scatter import write_points, write_training
from ganbench.store.run_record import RunRecord
from ganbench.store.samples import read_samples
from ganbench.store.surfaces import read_surfaces


def write_pictures(
    folder: Path, run: RunRecord, samples: NDArray[Any], labels: Tensor | None, dataset: Dataset
) -> None:
    """Write ``samples.png``, in the order of `labels` where there are any; for points of the plane ``training.png``."""
    if samples.ndim == 4:
        shown = samples[:GRID]
        order = np.arange(len(shown)) if labels is None else np.argsort(labels[:GRID].cpu().numpy(), kind="stable")
        write_grid(folder / "samples.png", shown[order])
    elif samples.shape[1:] == (2,):
        surfaces, real = read_surfaces(folder), dataset.test.images
        final = surfaces.get(str(run.images))
        write_points(folder / "samples.png", samples, real, final)
        panels = [
            (point.images, found, surfaces.get(str(point.images)))
            for index, point in enumerate(run.curve)
            if (found := _at(folder, run, index, samples)) is not None
        ]
        if len(panels) > 1:
            write_training(folder / "training.png", panels, real)


def _at(folder: Path, run: RunRecord, index: int, final: NDArray[Any]) -> NDArray[Any] | None:
    point = run.curve[index]
    try:
        return final if point.samples is None else read_samples(folder, point.samples)
    except (FileNotFoundError, RequestError):
        return None
