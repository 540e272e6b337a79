"""Which modes of a known mixture did samples catch, and how evenly?

The counts of the literature on mode collapse: VEEGAN (Srivastava et al. 2017, arXiv 1705.07761) and PacGAN (Lin et al.
2018, arXiv 1712.04086). A sample belongs to the nearest mode, and is good within three standard deviations of it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

from ganbench.metrics.validation import Array, checked_pair

REACH = 3.0
"""Standard deviations from its mode within which a sample is good."""


class ModeCounts(NamedTuple):
    """`good` samples of each mode, in the order of modes; of `n` samples; in `dimensions` of space."""

    good: tuple[int, ...]
    n: int
    dimensions: int

    @property
    def caught(self) -> int:
        """How many modes at least one good sample is nearest to: 0 to K, as both papers count."""
        return sum(count > 0 for count in self.good)

    @property
    def good_share(self) -> float:
        """The share of good samples: 0 to 1; `expected_good` for samples of the mixture itself."""
        return sum(self.good) / self.n

    @property
    def divergence(self) -> float:
        """KL(samples || truth) in nats over K + 1 cells: the good of each mode, and all that is not good.

        The truth is `expected_good` / K a mode and the rest in the last cell: with it, scattered samples that are
        even over modes are not taken for good ones. 0 where the shares are true; log(K / expected_good) where all are
        good and of one mode; -log(1 - expected_good) where none is good. A lost mode costs a finite amount, for it is
        PacGAN's direction ("reverse"). n samples of the mixture itself score K / (2n) on average.
        """
        modes, expected = len(self.good), expected_good(self.dimensions)
        shares = [count / self.n for count in self.good]
        cells = [*((share, expected / modes) for share in shares), (1 - self.good_share, 1 - expected)]
        return max(0.0, sum(share * math.log(share / true) for share, true in cells if share > 0))

    @property
    def divergence_of_good(self) -> float | None:
        """KL(good samples || even) over the K modes, nats, 0 to log K; None where none is good."""
        total, modes = sum(self.good), len(self.good)
        if not total:
            return None
        return max(0.0, sum(count / total * math.log(count * modes / total) for count in self.good if count))


def mode_counts(samples: Array, centres: Array, sigma: float) -> ModeCounts:
    """Count the good samples of each mode.

    `samples` (n, D) and `centres` (K, D) are in the same units as `sigma`, the standard deviation of every mode in
    each dimension. Raises ValueError where a value is not finite, shapes differ or sigma is not positive.
    """
    points, modes = checked_pair("samples", samples, "centres", centres, first_rows=1, second_rows=1)
    if not sigma > 0:
        raise ValueError(f"sigma={sigma}: must be above 0")
    distance, nearest = torch.cdist(points, modes, compute_mode="donot_use_mm_for_euclid_dist").min(dim=1)
    good = nearest[distance <= REACH * sigma].bincount(minlength=len(modes))
    return ModeCounts(tuple(good.tolist()), len(points), points.shape[1])


def expected_good(dimensions: int) -> float:
    """Return the share of a Gaussian within three standard deviations of its centre: 1 - exp(-4.5) in two dimensions.

    That is the chi-squared distribution's at 9, with as many degrees of freedom as dimensions.
    """
    half = torch.tensor([dimensions / 2, REACH**2 / 2], dtype=torch.float64)
    return float(torch.special.gammainc(half[0], half[1]))
