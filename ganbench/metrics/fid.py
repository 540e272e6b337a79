"""Frechet distance between two sets of features (Heusel et al. 2017, arXiv 1706.08500; "FID" on Inception's)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganbench.metrics.validation import Array, as_given, at_least, same_width

Matrix = NDArray[np.float64]

ROWS = 2048
"""Rows that are converted to float64 at a time."""
BLOCK = 256
"""Columns of a block where only one half of a symmetric or triangular product is computed."""


@dataclass(frozen=True, eq=False)
class Gaussian:
    """The moments of n rows of features: mean (d,) and unbiased covariance (d, d), both float64."""

    mean: Matrix
    covariance: Matrix
    n: int


def gaussian_of(features: Array) -> Gaussian:
    """Return the moments of (n, d) features; ValueError where n < 2 or a value is not finite."""
    rows = as_given("features", features)
    mean = mean_of(rows)
    half = _comoment(rows, mean) / (len(rows) - 1)
    return Gaussian(mean.cpu().numpy(), (half.tril() + half.tril(-1).T).cpu().numpy(), len(rows))


def frechet_distance(real: Array, fake: Array) -> float:
    """Return |m1 - m2|^2 + Tr(S1 + S2 - 2 (S1 S2)^(1/2)) of the Gaussians fitted to two sets of features.

    `real` is (n, d), `fake` (m, d); covariances are unbiased. The value is in squared feature units, >= 0
    (rounding below 0 is clipped) and lower is better. It is biased upwards by about 1/n, so compare only at
    equal n, m and reference. Identical sets give 0 (to 1e-14 of the trace), also where n <= d; constant features
    and a fake set that is a single repeated row are no special cases. All is computed in float64.

    Raises ValueError where either set has fewer than 2 rows, widths differ, or a value is not finite.
    Source: Heusel et al. 2017, arXiv 1706.08500.
    """
    return FrechetReference(real).distance(fake)


def frechet_distance_gaussians(a: Gaussian, b: Gaussian) -> float:
    """Return the Frechet distance of two Gaussians, so that a reference's moments are computed once.

    Equals `frechet_distance` of the rows behind them: to rounding where n > d, to about 1e-7 where not, as a
    singular covariance no longer tells its zero eigenvalues from rounding.

    Raises ValueError where the widths differ or a moment is not finite.
    """
    for name, gaussian in (("a", a), ("b", b)):
        _check(name, gaussian)
    if len(a.mean) != len(b.mean):
        raise ValueError(f"a has {len(a.mean)} features, b has {len(b.mean)}; take both from one extractor")
    return _distance(a.mean - b.mean, _factor(_tensor(a.covariance)), _factor(_tensor(b.covariance)))


class FrechetReference:
    """The mean and the factored covariance of a real set, computed once: what every distance from it needs.

    `real` is (n, d), or a `Gaussian` where n > d (where not, its distances are exact to about 1e-7, not to rounding).
    """

    def __init__(self, real: Array | Gaussian) -> None:
        """Raises ValueError where `real` has fewer than 2 rows or a value that is not finite."""
        if isinstance(real, Gaussian):
            _check("real", real)
            self._mean, self._factor = _tensor(real.mean), _factor(_tensor(real.covariance))
        else:
            self._mean, self._factor = _fitted(as_given("real", real))

    def distance(self, fake: Array | Gaussian) -> float:
        """Return what `frechet_distance` of the two sets returns; the same errors.

        Of a `Gaussian` where its n > d; where not, to about 1e-7.
        """
        if isinstance(fake, Gaussian):
            _check("fake", fake)
            mean = _tensor(fake.mean).to(self._mean.device)
            same_width("real", self._mean[None], "fake", mean[None])
            return self._distance(mean, _factor(_tensor(fake.covariance)))
        rows = self._checked(fake)
        return self._distance(*_fitted(rows))

    def jackknife(self, fake: Array, *, groups: int = 20, seed: int = 0) -> float:
        """Return the standard error of the distance of `fake`, by the delete-a-group jackknife over its rows.

        What `jackknife(reference.distance, fake)` gives as its second value, to 1e-8, from the same groups; but each
        group's moments are taken from those of all, so that rows are multiplied twice and not `groups` times. Where
        the rows that are left are no more than d, distances come from rows instead.

        Raises ValueError where `groups` < 2, there are fewer fakes than groups, and as `frechet_distance` does.
        Source: Kott 2001, "The delete-a-group jackknife", Journal of Official Statistics 17.
        """
        at_least("groups", groups, 2)
        rows = self._checked(fake)
        n, d = rows.shape
        if n < groups:
            raise ValueError(f"fake: {n} rows do not fill {groups} groups; give more samples or fewer groups")
        parts = np.array_split(np.random.default_rng(seed).permutation(n), groups)  # those of `jackknife`
        left_out = [torch.from_numpy(part).to(rows.device) for part in parts]
        if n - len(left_out[0]) <= d or n - len(left_out[0]) < 2:
            without = [self.distance(_others(rows, part)) for part in left_out]
        else:
            mean = mean_of(rows)
            comoment = _comoment(rows, mean)
            without = [self._distance(*_fitted_without(rows[part], mean, comoment, n)) for part in left_out]
        return math.sqrt((groups - 1) * float(np.var(without)))

    def _checked(self, fake: Array) -> Tensor:
        rows = as_given("fake", fake).to(self._mean.device)
        same_width("real", self._mean[None], "fake", rows)
        return rows

    def _distance(self, mean: Tensor, factor: _Factor) -> float:
        return _distance((self._mean - mean).cpu().numpy(), self._factor, factor)


class _Factor(NamedTuple):
    """F, (d, r) on the CPU, with F F^T = S; `regular` where S is safely invertible on its live features, and then
    column c of F is 0 above row c.
    """

    matrix: Tensor
    regular: bool


def _check(name: str, gaussian: Gaussian) -> None:
    d = len(gaussian.mean)
    if gaussian.mean.shape != (d,) or gaussian.covariance.shape != (d, d):
        raise ValueError(
            f"{name}: mean {gaussian.mean.shape} and covariance {gaussian.covariance.shape} do not fit;"
            " make it with gaussian_of"
        )
    if not (np.isfinite(gaussian.mean).all() and np.isfinite(gaussian.covariance).all()):
        raise ValueError(f"{name}: a moment is not finite; make it with gaussian_of")


def _tensor(values: Matrix) -> Tensor:
    return torch.from_numpy(np.require(values, dtype=np.float64, requirements=["C", "W"]))


def _distance(shift: Matrix, a: _Factor, b: _Factor) -> float:
    """Return the distance from the difference of means and the covariances' factors.

    Tr (S1 S2)^(1/2) is the sum of the singular values of F1^T F2, a matrix no larger than the factors' ranks.
    """
    if a.regular and b.regular:
        # Cheaper than the singular values, and as exact where all eigenvalues are well above rounding. Not
        # where an eigenvalue is 0: the root would turn its rounding of 1e-16 into 1e-8.
        overlap = _triangular_overlap(a.matrix, b.matrix)
        rows = overlap if overlap.shape[0] <= overlap.shape[1] else overlap.T
        gram = rows.new_zeros(len(rows), len(rows))
        _add_half_gram(gram, rows)
        trace = torch.linalg.eigvalsh(gram).clamp_(min=0).sqrt_().sum()
    else:
        trace = torch.linalg.svdvals(a.matrix.T @ b.matrix).sum()
    total = float(shift @ shift) + float(a.matrix.square().sum() + b.matrix.square().sum() - 2 * trace)
    return max(total, 0.0)


def _fitted(rows: Tensor) -> tuple[Tensor, _Factor]:
    mean = mean_of(rows)
    n, d = rows.shape
    if n <= d:
        return mean, _factor_of_rows(rows.double() - mean)
    return mean, _factor(_comoment(rows, mean).div_(n - 1).cpu())


def _fitted_without(part: Tensor, mean: Tensor, comoment: Tensor, n: int) -> tuple[Tensor, _Factor]:
    """Return mean and factor of n rows less some, from the moments of all.

    About the mean m of all, the rows that stay have the co-moment C - A, A that of the part; about their own, which is
    m - g / k with g the sum of the part less m and k = n - p, it is C - A - g g^T / k.
    """
    kept = n - len(part)
    rest = comoment - _comoment(part, mean)
    gap = (part.double() - mean).sum(dim=0)
    rest.addr_(gap, gap, alpha=-1 / kept).div_(kept - 1)
    # What only the part had leaves rounding behind, which is no variance.
    variances = rest.diagonal()
    variances[variances * (n - 1) <= 1e-12 * comoment.diagonal()] = 0
    return mean - gap / kept, _factor(rest.cpu())


def _factor_of_rows(centred: Tensor) -> _Factor:
    n, d = centred.shape
    if n <= d:  # the rows are a factor themselves, smaller and more exact than one of their covariance
        return _Factor((centred.T / math.sqrt(n - 1)).cpu(), regular=False)
    return _factor(_comoment(centred, centred.new_zeros(d)).div_(n - 1).cpu())


def _factor(covariance: Tensor) -> _Factor:
    """Return the factor of a covariance, of which only the lower half is read."""
    alive = (covariance.diagonal() > 0).nonzero()[:, 0]
    whole = len(alive) == len(covariance)
    block = covariance if whole else covariance[alive[:, None], alive]
    found, failed = torch.linalg.cholesky_ex(block)
    regular = False
    if failed:  # singular: features that depend on one another, or fewer rows than features
        values, vectors = torch.linalg.eigh(block)
        found = vectors * values.clamp(min=0).sqrt()
    elif len(found):
        pivots = found.diagonal()
        # A constant feature such as 0.1 has a variance of rounding, a pivot that is no more than luck.
        regular = bool(pivots.min() > 1e-7 * pivots.max())
    if whole:
        return _Factor(found, regular)
    factor = covariance.new_zeros(len(covariance), len(block))
    factor[alive] = found
    return _Factor(factor, regular)


def _comoment(rows: Tensor, mean: Tensor) -> Tensor:
    """Return the sum of (x - mean) (x - mean)^T over (n, d) rows, of which only the lower half counts."""
    d = rows.shape[1]
    total = torch.zeros(d, d, dtype=torch.float64, device=rows.device)
    for part in doubled(rows):
        _add_half_gram(total, part.sub_(mean).T)
    return total


def _add_half_gram(total: Tensor, rows: Tensor) -> None:
    """Add the lower half of rows rows^T, by halves of halves."""
    if len(rows) <= BLOCK:
        total.addmm_(rows, rows.T)
        return
    middle = len(rows) // 2
    for half in (slice(None, middle), slice(middle, None)):
        _add_half_gram(total[half, half], rows[half])
    total[middle:, :middle].addmm_(rows[middle:], rows[:middle].T)


def _triangular_overlap(a: Tensor, b: Tensor) -> Tensor:
    """Return a^T b of factors whose column c is 0 above row c: a third of the work."""
    overlap = a.new_empty(a.shape[1], b.shape[1])
    for i in range(0, a.shape[1], BLOCK):
        for j in range(0, b.shape[1], BLOCK):
            first = max(i, j)
            torch.mm(a[first:, i : i + BLOCK].T, b[first:, j : j + BLOCK], out=overlap[i : i + BLOCK, j : j + BLOCK])
    return overlap


def _others(rows: Tensor, part: Tensor) -> Tensor:
    kept = torch.ones(len(rows), dtype=torch.bool, device=rows.device)
    kept[part] = False
    return rows[kept]


def mean_of(given: Tensor) -> Tensor:
    """Return the mean of (n, d) rows, (d,) float64, without a float64 copy of them all."""
    total = torch.zeros(given.shape[1], dtype=torch.float64, device=given.device)
    for part in doubled(given):
        total += part.sum(dim=0)
    return total / len(given)


def doubled(given: Tensor) -> Iterator[Tensor]:
    """Yield rows in float64, some at a time; each part is overwritten by the next, and the caller may overwrite it."""
    buffer = torch.empty(min(len(given), ROWS), given.shape[1], dtype=torch.float64, device=given.device)
    for part in given.split(ROWS):
        yield buffer[: len(part)].copy_(part)  # cheaper than new memory or arithmetic of mixed dtypes
