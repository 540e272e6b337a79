"""Which modes of a known mixture do samples cover, and how evenly?

The counts of the literature on mode collapse: VEEGAN (Srivastava et al. 2017, arXiv 1705.07761) and PacGAN (Lin et al.
2018, arXiv 1712.04086). A sample belongs to the nearest mode and is of high quality within three standard deviations
of it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

from ganbench.metrics.validation import Array, checked_pair

REACH = 3.0
"""Standard deviations from its mode within which a sample is of high quality."""
LEAST_SHARE = 0.08
"""The part of its fair share, n / K samples, that a mode needs to be captured.

One sample is not enough: of 2,500 samples, uniform over the square, 1.8 on average lie within reach of each mode of
`grid25`, and noise would capture 20 of its 25 modes. Noise reaches 8 % of the fair share, 8 samples, in one mode of a
thousand. Samples of the mixture itself do not miss it: they put 100 on each mode, with a standard deviation of 10.
"""


class ModeCounts(NamedTuple):
    """`high_quality` samples of each mode, in the order of modes; of `n` samples; in `dimensions` of space."""

    high_quality: tuple[int, ...]
    n: int
    dimensions: int

    @property
    def captures(self) -> tuple[bool, ...]:
        """Whether each mode is captured: has at least `LEAST_SHARE` of n / K, and one, as high-quality samples.

        Both papers count a mode from its first high-quality sample on.
        """
        least = LEAST_SHARE * self.n / len(self.high_quality)
        return tuple(count > 0 and count >= least for count in self.high_quality)

    @property
    def captured(self) -> int:
        """How many modes are captured: 0 to K."""
        return sum(self.captures)

    @property
    def high_quality_share(self) -> float:
        """The share of high-quality samples: 0 to 1; `expected_high_quality` for samples of the mixture itself."""
        return sum(self.high_quality) / self.n

    @property
    def divergence(self) -> float:
        """KL(samples || truth) in nats over K + 1 cells: the high-quality samples of each mode, and all others.

        The true shares are h / K for each mode and 1 - h for the last cell, h = `expected_high_quality`. The last cell
        penalises scattered samples, even where the few near modes are spread evenly. 0 where the shares are true;
        log(K / h) where all samples are of high quality and of one mode; -log(1 - h) where none is of high quality. A
        missing mode costs a finite amount: this is PacGAN's direction ("reverse" KL). n samples of the mixture itself
        score K / (2n) on average.
        """
        modes, expected = len(self.high_quality), expected_high_quality(self.dimensions)
        shares = [count / self.n for count in self.high_quality]
        cells = [*((share, expected / modes) for share in shares), (1 - self.high_quality_share, 1 - expected)]
        return max(0.0, sum(share * math.log(share / true) for share, true in cells if share > 0))

    @property
    def divergence_of_high_quality(self) -> float | None:
        """KL(high-quality samples || uniform) over the K modes, nats, 0 to log K; None where there are none."""
        total, modes = sum(self.high_quality), len(self.high_quality)
        if not total:
            return None
        return max(0.0, sum(count / total * math.log(count * modes / total) for count in self.high_quality if count))


def count_modes(samples: Array, centres: Array, sigma: float) -> ModeCounts:
    """Count the high-quality samples of each mode.

    `samples` (n, D) and `centres` (K, D) are in the same units as `sigma`, the standard deviation of every mode in
    each dimension. Raises ValueError where a value is not finite, shapes differ or sigma is not positive.
    """
    points, modes = checked_pair("samples", samples, "centres", centres, first_rows=1, second_rows=1)
    if not sigma > 0:
        raise ValueError(f"sigma={sigma}: must be above 0")
    distance, nearest = torch.cdist(points, modes, compute_mode="donot_use_mm_for_euclid_dist").min(dim=1)
    counts = nearest[distance <= REACH * sigma].bincount(minlength=len(modes))
    return ModeCounts(tuple(counts.tolist()), len(points), points.shape[1])


def expected_high_quality(dimensions: int) -> float:
    """Return the share of a Gaussian within three standard deviations of its centre: 1 - exp(-4.5) in two dimensions.

    That is the chi-squared distribution's at 9, with as many degrees of freedom as dimensions.
    """
    half = torch.tensor([dimensions / 2, REACH**2 / 2], dtype=torch.float64)
    return float(torch.special.gammainc(half[0], half[1]))
