"""What a run drew at the points of its curve, as far as its samples are still there: grids of images, or points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganbench.boards.entries import Entry
from ganbench.boards.formatting import metric_value
from ganbench.data.dataset import Dataset
from ganbench.errors import RequestError
from ganbench.metric import MetricInfo
from ganbench.pictures.scatter import frame_png
from ganbench.report.pictures import Picture, Shelf, grid_of
from ganbench.store.samples import SampleFile, read_samples
from ganbench.store.surfaces import read_surfaces


@dataclass(frozen=True)
class Stage:
    """Samples at one point of the curve."""

    images: str
    said: str
    picture: Picture

    @property
    def caption(self) -> str:
        return ", ".join(filter(None, (self.images, self.said)))


def stages(entry: Entry, headline: MetricInfo, dataset: Dataset | None, slug: str, shelf: Shelf) -> list[Stage]:
    """Return a picture for every point of a run's curve, in order; none where fewer than two are left."""
    run, found = entry.run, []
    scores = {at.images: at.metrics for at in entry.score.curve} if entry.score else {}
    surfaces = read_surfaces(entry.folder) if of_points(entry) else {}
    dataset = dataset if of_points(entry) and has_its_points(dataset, entry) else None
    for point in run.curve:
        file = point.samples or (run.samples if point.images == run.images else None)
        if of_points(entry):
            make = partial(frame_of, entry, file, dataset, surfaces.get(str(point.images)))
        else:
            make = partial(grid_of, entry, file)
        picture = shelf.put(f"curve/{slug}/{point.images}.png", make)
        if picture is None:
            continue
        value = scores.get(point.images, {}).get(headline.name)
        said = f"{headline.title} {metric_value(value, headline)}" if value is not None else ""
        found.append(Stage(f"{point.images:,} images", said, picture))
    return found if len(found) > 1 else []


def of_points(entry: Entry) -> bool:
    """Tell whether a run was trained on points of the plane."""
    return entry.run.spec.training.shape == (2,)


def has_its_points(dataset: Dataset | None, entry: Entry) -> bool:
    """Tell whether a data set is at hand, and is what a run was trained on."""
    return dataset is not None and dataset.train_sha256 == entry.run.spec.training.train_sha256


def frame_of(
    entry: Entry, file: SampleFile | None, dataset: Dataset | None, level: NDArray[Any] | None
) -> bytes | None:
    """Return sampled points over real ones; None where they are not there, not those recorded, or no points."""
    if file is None:
        return None
    try:
        points = read_samples(entry.folder, file)
    except (FileNotFoundError, RequestError):
        return None
    if points.shape[1:] != (2,) or points.dtype != np.float32 or not len(points):
        return None
    real, modes = (None, None) if dataset is None else (dataset.test.images, dataset.modes)
    return frame_png(points, real, level, modes)
