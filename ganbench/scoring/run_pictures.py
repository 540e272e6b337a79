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
    """Write ``samples.png``, sorted by class where there are `labels`; for points of the plane ``training.png``."""
    if samples.ndim == 4:
        order = np.arange(len(samples[:GRID])) if labels is None else by_class(labels.cpu().numpy())
        write_grid(folder / "samples.png", samples[order])
    elif samples.shape[1:] == (2,):
        surfaces, real = read_surfaces(folder), dataset.test.images
        final = surfaces.get(str(run.images))
        write_points(folder / "samples.png", samples, real, final, dataset.modes)
        panels = [
            (point.images, found, surfaces.get(str(point.images)))
            for index, point in enumerate(run.curve)
            if (found := _at(folder, run, index, samples)) is not None
        ]
        if len(panels) > 1:
            write_training(folder / "training.png", panels, real, dataset.modes)


def by_class(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return indices of the first samples of each class, as many of each, class by class: ten classes are ten rows.

    Where a class has too few samples for that, or there are more classes than a grid has room for, of the first ones.
    """
    classes, counts = np.unique(labels, return_counts=True)
    each = GRID // len(classes)
    if not 0 < each <= counts.min():
        return np.argsort(labels[:GRID], kind="stable")
    return np.concatenate([np.flatnonzero(labels == label)[:each] for label in classes])


def _at(folder: Path, run: RunRecord, index: int, final: NDArray[Any]) -> NDArray[Any] | None:
    point = run.curve[index]
    try:
        return final if point.samples is None else read_samples(folder, point.samples)
    except (FileNotFoundError, RequestError):
        return None
