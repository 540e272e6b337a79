"""Do samples lie nearer to the training images than unseen images do? (Meehan et al. 2020, arXiv 2004.05675)"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ganbench.metrics._pairwise.knn import nearest
from ganbench.metrics.validation import Array, at_least, checked, checked_pair, same_width

FEWEST = 20
"""Cells with fewer fakes are left out, as by dgm-eval: a z-score of a handful says nothing."""


def data_copying(train: Array, test: Array, fake: Array, *, cells: int = 3, seed: int = 0) -> float:
    """Return C_T: by how many deviations fakes lie nearer to (below 0) or further from the training set than unseen
    real images do.

    `train` is (l, d), `test` (n, d) real features that the model never saw, `fake` (m, d). Space is cut into `cells`
    by k-means of `train`. In each cell the distances to the nearest training row, of fakes and of test rows, are
    compared by the Mann-Whitney U test; its z-score counts with the cell's share of the test rows, over cells that
    hold at least 20 fakes and a test row. Neither direction is better: 0 is what fresh draws from the data's
    distribution give (within 2 either way, mostly), far below 0 is copying, far above 0 is samples that are off the
    data, which is underfitting. It is a sum of evidence, so it grows with the square root of the samples: compare
    only at equal l, n and m. A model that copies in some samples and strays in others may score 0.

    Two details differ from the authors' code: ties count half and the deviation is corrected for them (they occur
    where rows are exact copies; where all distances of a cell are equal its score is 0), and the nearest row is
    sought in all of `train`, not in the cell alone. Features are used as they are, not projected to 64 dimensions.

    Raises ValueError where `cells` < 1, `train` has fewer than 2 rows or fewer than `cells`, another set fewer than
    2, no cell holds 20 fakes and a test row, widths differ, or a value is not finite.
    Source: Meehan, Chaudhuri and Dasgupta 2020, arXiv 2004.05675.
    """
    return CopyingReference(train, test, cells=cells, seed=seed).score(fake)


class CopyingCells(NamedTuple):
    """Centres (cells, d); squared distances (n,) of unseen images to the nearest original; their cells (n,)."""

    centres: Tensor
    distances: Tensor
    cells: Tensor


class CopyingReference:
    """Training and unseen real features, and what depends on them alone: cells and distances, computed once.

    `known` holds both, for whoever has them from before.
    """

    def __init__(
        self, train: Array, test: Array, *, cells: int = 3, seed: int = 0, known: CopyingCells | None = None
    ) -> None:
        """Take what `data_copying` takes; the same errors."""
        at_least("cells", cells, 1)
        originals, unseen = checked_pair("train", train, "test", test, first_rows=max(2, cells))
        self._mean = originals.mean(dim=0)
        self._originals = originals - self._mean
        if known is None:
            centres = _k_means(self._originals, cells, seed)
            located = self._located(unseen - self._mean, centres)
            known = CopyingCells(centres, *map(torch.from_numpy, located))
        self.known = known

    def score(self, fake: Array) -> float:
        """Return what `data_copying` returns; the same errors."""
        made = checked("fake", fake).to(self._mean.device)
        same_width("train", self._mean[None], "fake", made)
        centres = self.known.centres
        unseen_distances, unseen_cells = (part.cpu().numpy() for part in self.known[1:])
        made_distances, made_cells = self._located(made - self._mean, centres)
        total = weight = 0.0
        for cell in range(len(centres)):
            of_unseen, of_made = unseen_distances[unseen_cells == cell], made_distances[made_cells == cell]
            if len(of_made) >= FEWEST and len(of_unseen):
                total += len(of_unseen) * _z_score(of_unseen, of_made)
                weight += len(of_unseen)
        if not weight:
            raise ValueError(
                f"fake: no cell holds {FEWEST} of the {len(made)} rows and one of test;"
                " give more samples or fewer cells"
            )
        return total / weight

    def _located(self, rows: Tensor, centres: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Return squared distances of centred rows to the nearest original, and each row's cell."""
        return _distances(rows, self._originals), nearest(rows, centres)[1].cpu().numpy()


def _z_score(unseen: np.ndarray, made: np.ndarray) -> float:
    """Return the z-score of U, the number of pairs where the fake is the further one; ties count half."""
    n, m = len(unseen), len(made)
    ranks = _ranks(np.concatenate([made, unseen]))
    u = ranks[:m].sum() - m * (m + 1) / 2
    # The variance of a rank sum when m of these n + m ranks are drawn: ties included, no special case.
    variance = n * m / (n + m) * float(np.var(ranks, ddof=1))
    return float(u - n * m / 2) / math.sqrt(variance) if variance else 0.0


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return the rank of each value, from 1; equal values share the mean of theirs."""
    # scipy.stats.rankdata does the same, but importing it takes longer than all metrics together.
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last: np.ndarray = np.cumsum(counts)
    return (last - (counts - 1) / 2)[place]


def _distances(rows: Tensor, originals: Tensor) -> np.ndarray:
    """Return squared distances to the nearest original, from differences: exactly 0 for a copy."""
    index = nearest(rows, originals)[1]
    parts = zip(rows.split(2048), index.split(2048), strict=True)
    return torch.cat([(part - originals[at]).square().sum(dim=1) for part, at in parts]).cpu().numpy()


def _k_means(rows: Tensor, cells: int, seed: int) -> Tensor:
    """Return up to `cells` centres: k-means++ and Lloyd's steps. Fewer where there are fewer different rows."""
    random = np.random.default_rng(seed)
    centres = rows[[int(random.integers(len(rows)))]]
    while len(centres) < cells:
        weights = _distances(rows, centres)
        if not weights.any():
            break
        chosen = int(random.choice(len(rows), p=weights / weights.sum()))
        centres = torch.cat([centres, rows[[chosen]]])
    for _ in range(100):
        home = nearest(rows, centres)[1]
        members = torch.bincount(home, minlength=len(centres))
        sums = torch.zeros_like(centres).index_add_(0, home, rows)
        moved = torch.where(members[:, None] > 0, sums / members[:, None].clamp(min=1), centres)
        if torch.equal(moved, centres):
            break
        centres = moved
    return centres
