"""Features as float32 rows whose products bound squared distances: half the time of float64, and the same decisions.

A set is taken relative to a mean and a unit, a power of two above every magnitude, and rounded to float32. With h_i
half the squared norm of row i, the product of the rows (x_i, h_i, 1) and (y_j, -1, -h_j) is H = -D / 2, where D is the
squared distance of i and j. How far may it err? With u = 2^-24, n_i and n_j the squared norms,

- rounding x and y moves x.y by at most (2u + u^2) |x| |y| <= (u + u^2 / 2) (n_i + n_j), and rounding h_i and h_j moves
  H by at most u (n_i + n_j) / 2;
- the sum of d + 2 products, in whatever order and with or without fused additions, errs by at most
  (d + 2) u / (1 - (d + 2) u) times the sum of their magnitudes, |x| |y| + h_i + h_j <= n_i + n_j.

Together |H + D / 2| <= b (n_i + n_j) with b = (d + 8) u, which leaves room for terms in u^2 as long as d < 2^17. As
|y_j|^2 <= 2 (|x_i|^2 + D), also |H + D / 2| <= 3 b n_i + 4 b D / 2: a bound that knows row i alone, so that a ball
around i becomes an interval of H. `sure` and `maybe` take 4 and 5 for 3 and 4: the rest is for their own rounding and
for the margin that float64 decisions have (neighbours.py), 2^-29 of this one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ganbench.metrics._pairwise.knn import TILE
from ganbench.metrics.validation import LARGEST, Array, checked

GROUP = 32
"""Rows are padded to a multiple, so that any tile splits into groups whose maxima are taken at once."""
FEWEST = 2**18
"""Up to so many pairs all is done in float64: it costs nothing, and a kernel distance keeps all its digits."""
FAR = 1e30
"""Half the squared distance of a row of padding to anything."""
WIDEST = 2**17
TINY = 2.0**-80
"""What underflow to 0 below 2^-126 can add up to, in squared units."""


def as_given(name: str, values: Array, *, rows: int = 2) -> Tensor:
    """Return what `checked` does, but keep float32 as it is; the same errors."""
    given = values
    if isinstance(given, np.ndarray) and given.dtype == np.float32:
        given = torch.from_numpy(np.require(given, requirements=["C", "W"]))
    if isinstance(given, Tensor) and given.dtype == torch.float32 and given.device.type != "mps":
        given = given.detach()
        if given.ndim == 2 and given.shape[1] and len(given) >= rows:
            low, high = extremes(given)
            if low >= -LARGEST and high <= LARGEST:  # false for NaN too
                return given
    return checked(name, values, rows=rows)


def extremes(rows: Tensor) -> tuple[float, float]:
    """Return the least and the largest value; NaN where any is."""
    low, high = torch.aminmax(rows)
    return float(low), float(high)


def same_width(first_name: str, first: Tensor, second_name: str, second: Tensor) -> None:
    """Raise ValueError, as `checked_pair` does, where two sets differ in width."""
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"{first_name} has {first.shape[1]} columns, {second_name} has {second.shape[1]};"
            " take both from one extractor"
        )


def enough(name: str, count: int, least: int) -> None:
    """Raise ValueError, as `checked` does, where a set has too few rows."""
    if count < least:
        raise ValueError(f"{name}: got {count} rows, needs at least {least}; give more samples")


def may_round(a: Tensor, b: Tensor) -> bool:
    """Tell whether the pairs of two sets are worth rounding, and can be."""
    return len(a) * len(b) > FEWEST and _products_are_float32(a) and _products_are_float32(b)


def _products_are_float32(rows: Tensor) -> bool:
    """Tell whether a product of such rows has the bound above: not where TF32, bfloat16 or autocast may be used."""
    if rows.dtype != torch.float32 or rows.shape[1] >= WIDEST or torch.is_autocast_enabled(rows.device.type):
        return False
    try:
        return torch.get_float32_matmul_precision() == "highest"
    except RuntimeError:  # settings of the older and the newer kind disagree
        return False


class Rounded:
    """One set, (n, d) float32, relative to `mean`, (d,) float64, and `unit`."""

    def __init__(self, given: Tensor, mean: Tensor, unit: float) -> None:
        self.given, self.mean, self.unit = given, mean, unit
        n, d = given.shape
        self.n, self.d, self.bound = n, d, (d + 8) * 2.0**-24
        self.rows = torch.zeros(-(-n // GROUP) * GROUP, d + 2, device=given.device)
        """(x, h, 1), and (0, FAR, 1) where it is padding."""
        self.norms = torch.empty(n, dtype=torch.float64, device=given.device)
        start = 0
        for wide in doubled(given):
            part = slice(start, start + len(wide))
            self.rows[part, :d] = wide.sub_(mean).mul_(1 / unit)
            self.norms[part] = wide.square_().sum(dim=1)
            start = part.stop
        self.rows[:n, d] = self.norms / 2
        self.rows[n:, d] = FAR
        self.rows[:, d + 1] = 1
        self.slack = self.bound * self.norms + TINY

    @classmethod
    def reference(cls, given: Tensor) -> Rounded:
        """Return a set relative to its own mean."""
        mean = mean_of(given)
        return cls(given, mean, 2.0 ** (math.frexp(_magnitude(given))[1] + 1))

    def beside(self, given: Tensor) -> Rounded | None:
        """Return another set relative to this one's mean; None where its values are too large for the unit."""
        return Rounded(given, self.mean, self.unit) if _magnitude(given) <= 2.0**20 * self.unit else None

    def wide(self, part: slice | Tensor) -> Tensor:
        """Return some rows in float64, in units."""
        return self.given[part].double().sub_(self.mean).mul_(1 / self.unit)

    def distances(self, at: Tensor, other: Rounded, others: Tensor) -> Tensor:
        """Return squared distances of pairs of rows, in squared units, from float64 differences."""
        found = torch.empty(len(at), dtype=torch.float64, device=at.device)
        size = max(1, TILE * TILE // self.d)
        shape = 2, min(len(at), size), self.d
        buffer = torch.empty(shape, dtype=torch.float64, device=at.device)
        for mine, theirs, squares in zip(at.split(size), others.split(size), found.split(size), strict=True):
            a, b = buffer[:, : len(mine)]
            a.copy_(self.given[mine]).sub_(b.copy_(other.given[theirs])).mul_(1 / self.unit)
            torch.linalg.vecdot(a, a, out=squares)
        return found

    def squares_to(self, other: Rounded, rows: slice | Tensor, columns: slice) -> Tensor:
        """Return squared distances of some rows to some of another set, in squared units, from float64 products."""
        found = torch.addmm(other.norms[columns], self.wide(rows), other.wide(columns).T, alpha=-2)
        return found.add_(self.norms[rows, None]).clamp_(min=0)

    def sure(self, squares: Tensor) -> Tensor:
        """Return for each row's ball of some squared radius the least H that is certainly inside; padding has none."""
        return self._padded(4 * self.slack - (1 - 5 * self.bound) / 2 * squares)

    def maybe(self, squares: Tensor) -> Tensor:
        """Return for each row's ball of some squared radius the least H that may be inside."""
        return self._padded(-4 * self.slack - (1 + 5 * self.bound) / 2 * squares)

    def _padded(self, floors: Tensor) -> Tensor:
        padded = torch.full((len(self.rows),), torch.inf, device=floors.device)
        padded[: self.n] = floors
        return padded


def _magnitude(rows: Tensor) -> float:
    low, high = extremes(rows)
    return max(-low, high)


def mean_of(given: Tensor) -> Tensor:
    """Return the mean of (n, d) rows, (d,) float64, without a float64 copy of them all."""
    total = torch.zeros(given.shape[1], dtype=torch.float64, device=given.device)
    for part in doubled(given):
        total += part.sum(dim=0)
    return total / len(given)


def doubled(given: Tensor) -> Iterator[Tensor]:
    """Yield rows in float64, some at a time; each part is overwritten by the next, and the caller may overwrite it."""
    buffer = torch.empty(min(len(given), TILE), given.shape[1], dtype=torch.float64, device=given.device)
    for part in given.split(TILE):
        yield buffer[: len(part)].copy_(part)  # cheaper than new memory or arithmetic of mixed dtypes


def products(a: Rounded, b: Rounded) -> Iterator[tuple[slice, slice, Tensor]]:
    """Yield (rows of a, rows of b, their H), padding included, which cover all pairs; for a set with itself, only
    tiles on and above the diagonal. A tile is overwritten by the next; the caller may overwrite it too.
    """
    buffer = torch.empty(min(TILE, len(a.rows)) * min(TILE, len(b.rows)), device=a.rows.device)
    for j in range(0, len(b.rows), TILE):
        columns = slice(j, min(j + TILE, len(b.rows)))
        right = b.rows[columns].clone()
        right[:, b.d] = -1
        right[:, b.d + 1] = -b.rows[columns, b.d]
        for i in range(0, columns.stop if a is b else len(a.rows), TILE):
            rows = slice(i, min(i + TILE, len(a.rows)))
            height, width = rows.stop - i, columns.stop - j
            tile = buffer[: height * width].view(height, width)
            if a is b and rows == columns:
                _symmetric(a.rows[rows], right, tile)
            else:
                torch.mm(a.rows[rows], right.T, out=tile)
            yield rows, columns, tile


def _symmetric(left: Tensor, right: Tensor, out: Tensor) -> None:
    """Write left right^T, which is symmetric, into `out`: three quarters of it are multiplied."""
    middle = len(left) // 2
    torch.mm(left[:middle], right.T, out=out[:middle])
    torch.mm(left[middle:], right[middle:].T, out=out[middle:, middle:])
    out[middle:, :middle].copy_(out[:middle, middle:].T)
