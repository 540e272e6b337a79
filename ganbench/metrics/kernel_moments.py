"""The kernel distance of features that never lie in memory at once: batches in, one tensor of third moments kept."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganbench.metrics._pairwise.kernel_sums import estimates
from ganbench.metrics.validation import Array, checked, enough

WIDEST = 256
"""Columns of features that fit: their moments take d^3 / 2 numbers, 68 MB at 256 columns."""
ROWS = 256
"""Rows that are multiplied at a time."""


class KernelMoments:
    """What the kernel (x.y / d + 1)^3 of all pairs of rows seen so far depends on, in float64.

    With z = (x / sqrt(d), 1) the kernel is (z.w)^3, so that its sum over all pairs of two sets is the scalar product of
    their sums of z (x) z (x) z. Of z (x) z the half above the diagonal is kept. Takes the same room whatever the number
    of rows, and d^3 multiplications a row. Source of the kernel: Binkowski et al. 2018, arXiv 1801.01401.
    """

    def __init__(self) -> None:
        self.n = 0
        self._sum: Tensor | None = None
        self._own = 0.0

    def add(self, features: Array) -> None:
        """Take in one batch, (n, d) with n >= 1.

        Raises ValueError where it is empty, not 2-D, wider than `WIDEST` or not as wide as the first, or not finite;
        what was there before then stays as it was.
        """
        rows = checked("features", features, rows=1)
        d = rows.shape[1]
        if d > WIDEST:
            raise ValueError(f"features: {d} columns, third moments are kept of at most {WIDEST}")
        if self._sum is None:
            self._sum = rows.new_zeros((d + 1) * (d + 2) // 2, d + 1)
        elif self._sum.shape[1] != d + 1:
            raise ValueError(f"features has {d} columns, the batches before had {self._sum.shape[1] - 1}")
        i, j = torch.triu_indices(d + 1, d + 1, device=rows.device)
        for part in rows.split(ROWS):
            z = torch.cat([part / math.sqrt(d), part.new_ones(len(part), 1)], 1)
            self._sum.addmm_((z[:, i] * z[:, j]).T, z)
            self._own += float(z.square().sum(1).pow(3).sum())
        self.n += len(rows)

    def distance(self, other: KernelMoments) -> float:
        """Return the squared maximum mean discrepancy of all pairs, `kernel_distance_exact` of the rows.

        Unbiased, so that it may be slightly negative. Raises ValueError where a set has fewer than 2 rows, or widths
        differ.
        """
        for each in (self, other):
            enough("features", each.n, 2)
        sums = [self._pairs(self) - self._own, other._pairs(other) - other._own, self._pairs(other)]
        return float(estimates([torch.tensor(each, dtype=torch.float64) for each in sums], self.n, other.n))

    def _pairs(self, other: KernelMoments) -> float:
        """Return the sum of the kernel over all pairs of a row of one set and a row of the other."""
        a, b = self._sum, other._sum
        assert a is not None and b is not None
        if a.shape != b.shape:
            raise ValueError(f"one set has {a.shape[1] - 1} columns, the other {b.shape[1] - 1}")
        i, j = torch.triu_indices(a.shape[1], a.shape[1], device=a.device)
        weights = torch.where(i == j, 1.0, 2.0).to(a)  # the half below the diagonal equals that above
        return float(torch.einsum("pd,pd,p->", a, b, weights))
