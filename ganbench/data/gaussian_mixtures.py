"""Points of the plane drawn from mixtures of Gaussians: data sets that show which modes a model has lost.

`ring8` and `grid25` are those of the literature on mode collapse, scaled into [-1, 1]:

- unrolled GANs (arXiv:1611.02163): eight Gaussians on a circle of radius 2, standard deviation 0.02;
- VEEGAN (arXiv:1705.07761) and PacGAN (arXiv:1712.04086): the same with radius 1 and 0.01, and 25 Gaussians at
  (-4 + 2i, -4 + 2j) with standard deviation 0.05.

So sigma is 1 % of the radius on the ring and 2.5 % of the spacing on the grid, here as there.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from ganbench.data.dataset import Dataset, DataSource, Modes, Split, make_dataset

RADIUS, SPACING = 0.8, 0.4
RING_SIGMA, GRID_SIGMA = RADIUS / 100, SPACING / 40
TRAIN, TEST, VALIDATION = 10_000, 2_500, 2_500
"""Points; both papers score 2,500 samples."""
SEED = 3
"""Of 0 to 3 the one with typical validation points, the ceiling row: within three sigma are 0.987 and 0.990 of them."""


def ring(count: int = 8) -> Modes:
    """Return modes at equal distances on a circle, the first on the horizontal axis."""
    angles = 2 * np.pi * np.arange(count) / count
    return Modes(RADIUS * np.stack([np.cos(angles), np.sin(angles)], axis=1), RING_SIGMA)


def grid(side: int = 5) -> Modes:
    """Return modes on a square grid around the origin, column by column."""
    places = SPACING * (np.arange(side) - (side - 1) / 2)
    return Modes(np.stack([axis.ravel() for axis in np.meshgrid(places, places, indexing="ij")], axis=1), GRID_SIGMA)


def load(name: str, modes: Modes, data_dir: Path | None = None) -> Dataset:
    """Draw 10,000 training, 2,500 test and 2,500 validation points, float32 (n, 2); a label is the mode's index.

    Modes are drawn independently and equally likely, so that real points show how far from even n draws are.
    """
    # RandomState: its stream is the same in every version of NumPy.
    rng = np.random.RandomState(SEED)

    def draw(n: int) -> Split:
        labels = rng.randint(len(modes.centres), size=n).astype(np.int64)
        points = modes.centres[labels] + modes.sigma * rng.standard_normal((n, 2))
        return Split(points.astype(np.float32), labels)

    return make_dataset(name, draw(TRAIN), draw(TEST), draw(VALIDATION), classes=len(modes.centres), modes=modes)


RING8 = DataSource(
    "ring8",
    partial(load, "ring8", ring()),
    "15,000 points of 8 Gaussians on a circle, drawn here: shows mode collapse",
    "288311265b77bcf39d7ac543a2b2dacb61deaaf0d74eba8fd031afe59db2ad91",
)
GRID25 = DataSource(
    "grid25",
    partial(load, "grid25", grid()),
    "15,000 points of 25 Gaussians on a grid, drawn here: shows mode collapse",
    "8c804866bc2660f88bace0e0edc13e0e3a59198fa0587b8249ceefb348c30f66",
)
