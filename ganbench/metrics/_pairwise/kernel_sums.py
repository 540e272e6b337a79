"""The polynomial kernel (x.y / d + 1)^3 summed over pairs of rows: of all, or of each of many random subsets.

A subset's sum is a quadratic form of the kernel matrix, s^T K t with s and t telling who is in the subset. So one pass
over the tiles of K serves every subset: their sums are the diagonal of S^T K T.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganbench.metrics._pairwise.error_bounds import Rounded, doubled
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


class Half:
    """What one set brings to its kernels: base = H unit^2 / d + half + half', with H the product of rounded.py.

    `half` is |x|^2 / (2 d) + 1 / 2, uncentred, (n,).
    """

    def __init__(self, points: Rounded) -> None:
        d, unit = points.d, points.unit
        along = torch.cat([part.sub_(points.mean) @ points.mean for part in doubled(points.given)])
        norms = points.rows[: points.n, d].double() * unit**2  # as rounded there, so that it cancels
        exact = (norms + along + points.mean.square().sum() / 2) / d + 0.5
        self.scale, self.largest = unit**2 / d, float(exact.max())
        self.half = exact.float()


def cubes(tile: Tensor, x: Tensor, y: Tensor, scale: float, out: Tensor) -> Tensor:
    """Return the kernel from a product H and the halves of its rows and columns."""
    torch.add(y, tile, alpha=scale, out=out)
    return torch.pow(out.add_(x[:, None]), 3, out=out)


def members(chosen: Tensor | None, n: int, device: torch.device, *, everyone: bool) -> Tensor:
    """Return who is in each subset, (n, subsets), 1 or 0, and with `everyone` in one more that holds all."""
    count = 0 if chosen is None else len(chosen)
    table = torch.zeros(n, count + everyone, device=device)
    if chosen is not None:
        table[chosen.T, torch.arange(count, device=device)] = 1
    table[:, count:] = 1
    return table


class KernelSums:
    """Sums of the kernel over the pairs of each subset, (subsets,) float64, from tiles of H.

    Of a set with itself, pairs of a row with itself are left out, and tiles below the diagonal equal those above.
    """

    def __init__(self, x: Half, y: Half, x_members: Tensor, y_members: Tensor) -> None:
        self._x, self._y, self._x_members, self._y_members = x, y, x_members, y_members
        self.sums = torch.zeros(x_members.shape[1], dtype=torch.float64, device=x_members.device)
        self._buffer = x_members.new_empty(0)

    def take(self, rows: slice, columns: slice, tile: Tensor) -> None:
        """Take in one tile, which is left as it is."""
        x, y = self._x.half[rows], self._y.half[columns]
        if self._buffer.numel() < len(x) * len(y):
            self._buffer = x.new_empty(len(x) * len(y))
        kernel = self._buffer[: len(x) * len(y)].view(len(x), len(y))
        cubes(tile[: len(x), : len(y)], x, y, self._x.scale, kernel)
        within = self._x is self._y
        if within and rows == columns:
            kernel.fill_diagonal_(0)
        found = torch.mm(kernel, self._y_members[columns]).double().mul_(self._x_members[rows]).sum(dim=0)
        self.sums += found if not within or rows == columns else 2 * found


def direct_sums(x: Rounded, y: Rounded, halves: tuple[Half, Half], chosen: tuple[Tensor, Tensor]) -> list[Tensor]:
    """Return the sums within x, within y and across, each (subsets,), from each subset's own products."""
    sums = []
    for picks in zip(*chosen, strict=True):
        left = [points.rows[at] for points, at in zip((x, y), picks, strict=True)]
        sums.append([_picked_sum(left[i], left[j], halves[i], halves[j], picks[i], picks[j]) for i, j in ORDERS])
    return [torch.stack(each) for each in zip(*sums, strict=True)]


ORDERS = ((0, 0), (1, 1), (0, 1))


def _picked_sum(left: Tensor, rows: Tensor, x: Half, y: Half, at: Tensor, others: Tensor) -> Tensor:
    right = rows.clone()
    right[:, -2], right[:, -1] = -1, -rows[:, -2]
    tile = torch.mm(left, right.T)
    kernel = cubes(tile, x.half[at], y.half[others], x.scale, tile)
    if x is y:
        kernel.fill_diagonal_(0)
    return kernel.sum(dim=1).double().sum()


def wide_sums(x: Tensor, y: Tensor, chosen: tuple[Tensor, Tensor]) -> list[Tensor]:
    """Return the same from float64 rows."""
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
