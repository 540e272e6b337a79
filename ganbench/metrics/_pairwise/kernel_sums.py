"""The polynomial kernel (x.y / d + 1)^3 summed over pairs of rows: of all, or of each of many random subsets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganbench.metrics._pairwise.knn import TILE
from ganbench.metrics.validation import at_least


@dataclass(frozen=True)
class Subsets:
    """How `kernel_distance` draws: `count` subsets of `size` rows of either set, without replacement, from `seed`."""

    count: int = 100
    size: int = 1000
    seed: int = 0

    def check(self, real: Tensor, fake: Tensor) -> None:
        """Raise ValueError where there is no subset, or a set does not fill one."""
        at_least("subsets", self.count, 1)
        at_least("subset_size", self.size, 2)
        for name, rows in (("real", real), ("fake", fake)):
            if len(rows) < self.size:
                raise ValueError(
                    f"{name}: {len(rows)} rows do not fill subset_size={self.size};"
                    " give more samples or a smaller subset_size"
                )

    def draw(self, n: int, m: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return the rows of n real and of m fake ones in each subset, both (count, size)."""
        random = np.random.RandomState(self.seed)
        chosen = [  # fake first, as torch-fidelity draws
            [random.choice(rows, self.size, replace=False) for rows in (m, n)] for _ in range(self.count)
        ]
        fake, real = (torch.from_numpy(np.stack(each)).to(device) for each in zip(*chosen, strict=True))
        return real, fake


def polynomial(x: Tensor, y: Tensor) -> Tensor:
    """Return the kernel of all pairs of (n, d) and (m, d) rows, in their dtype."""
    base = torch.addmm(x.new_ones(()), x, y.T, alpha=1 / x.shape[1])
    return base.square().mul_(base)  # cheaper than ** 3


class KernelSum:
    """The sum of the kernel over all pairs of two centred sets, from tiles of their squared distances.

    Of a set with itself, pairs of a row with itself are left out. With D the squared distance of x and y, the product
    of the rows before they were centred is (|x + mean|^2 + |y + mean|^2 - D) / 2.
    """

    def __init__(self, x: Tensor, y: Tensor, mean: Tensor) -> None:
        self._same, d = x is y, x.shape[1]
        self._x, self._y = ((rows + mean).square().sum(dim=1).add_(d) / (2 * d) for rows in (x, y))
        self._scale = -0.5 / d
        self.total = x.new_zeros(())

    def add(self, rows: slice, columns: slice, squares: Tensor) -> None:
        """Add a tile, which is left as it is."""
        base = torch.add(self._y[columns], squares, alpha=self._scale).add_(self._x[rows, None])
        kernel = base.square().mul_(base)
        if self._same and rows == columns:
            kernel.fill_diagonal_(0)
        self.total += kernel.sum()


def subset_sums(x: Tensor, y: Tensor, chosen: tuple[Tensor, Tensor]) -> list[Tensor]:
    """Return the sums within x, within y and across, each (subsets,), of the rows in each subset."""
    sums = []
    for mine, others in zip(*chosen, strict=True):
        a, b = x[mine], y[others]
        sums.append((_apart(a), _apart(b), polynomial(a, b).sum()))
    return [torch.stack(each) for each in zip(*sums, strict=True)]


def _apart(x: Tensor) -> Tensor:
    kernel = polynomial(x, x)
    return kernel.sum() - kernel.trace()


def estimates(sums: Sequence[Tensor], n: int | Tensor, m: int | Tensor) -> Tensor:
    """Return the unbiased squared mean discrepancies of subsets of n and m rows from sums within either and across:
    no row is paired with itself.
    """
    within_x, within_y, across = sums
    return within_x / (n * (n - 1)) + within_y / (m * (m - 1)) - 2 * across / (n * m)


def squared_mmd(x: Tensor, y: Tensor, kernel: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Return the same of all rows of two sets and any kernel, tile by tile."""
    sums = [_within(x, kernel), _within(y, kernel), _across(x, y, kernel)]
    return estimates(sums, len(x), len(y))


def _within(x: Tensor, kernel: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Return the sum over pairs of different rows; tiles below the diagonal equal those above."""
    total, parts = x.new_zeros(()), x.split(TILE)
    for i, part in enumerate(parts):
        total += kernel(part, part).fill_diagonal_(0).sum()
        for other in parts[i + 1 :]:
            total += 2 * kernel(part, other).sum()
    return total


def _across(x: Tensor, y: Tensor, kernel: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    total = x.new_zeros(())
    for part in x.split(TILE):
        for other in y.split(TILE):
            total += kernel(part, other).sum()
    return total
