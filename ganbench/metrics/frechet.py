"""Frechet distance between two sets of features (Heusel et al. 2017, arXiv 1706.08500; "FID" on Inception's)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganbench.metrics.arrays import Array, checked, checked_pair

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Gaussian:
    """The moments of n rows of features: mean (d,) and unbiased covariance (d, d), both float64."""

    mean: Matrix
    covariance: Matrix
    n: int


def gaussian_of(features: Array) -> Gaussian:
    """Return the moments of (n, d) features; ValueError where n < 2 or a value is not finite."""
    rows = checked("features", features)
    mean = rows.mean(dim=0)
    return Gaussian(mean.cpu().numpy(), _covariance(rows - mean).cpu().numpy(), len(rows))


def frechet_distance(real: Array, fake: Array) -> float:
    """Return |m1 - m2|^2 + Tr(S1 + S2 - 2 (S1 S2)^(1/2)) of the Gaussians fitted to two sets of features.

    `real` is (n, d), `fake` (m, d); covariances are unbiased. The value is in squared feature units, >= 0
    (rounding below 0 is clipped) and lower is better. It is biased upwards by about 1/n, so compare only at
    equal n, m and reference. Identical sets give 0 (to 1e-14 of the trace), also where n <= d; constant features
    and a fake set that is a single repeated row are no special cases.

    Raises ValueError where either set has fewer than 2 rows, widths differ, or a value is not finite.
    Source: Heusel et al. 2017, arXiv 1706.08500.
    """
    x, y = checked_pair("real", real, "fake", fake)
    mean_x, mean_y = x.mean(dim=0), y.mean(dim=0)
    shift = (mean_x - mean_y).cpu().numpy()
    return _distance(shift, _factor_of_rows(x - mean_x), _factor_of_rows(y - mean_y))


def frechet_distance_gaussians(a: Gaussian, b: Gaussian) -> float:
    """Return the Frechet distance of two Gaussians, so that a reference's moments are computed once.

    Equals `frechet_distance` of the rows behind them: to rounding where n > d, to about 1e-7 where not, as a
    singular covariance no longer tells its zero eigenvalues from rounding.

    Raises ValueError where the widths differ or a moment is not finite.
    """
    for name, gaussian in (("a", a), ("b", b)):
        d = len(gaussian.mean)
        if gaussian.mean.shape != (d,) or gaussian.covariance.shape != (d, d):
            raise ValueError(
                f"{name}: mean {gaussian.mean.shape} and covariance {gaussian.covariance.shape} do not fit;"
                " make it with gaussian_of"
            )
        if not (np.isfinite(gaussian.mean).all() and np.isfinite(gaussian.covariance).all()):
            raise ValueError(f"{name}: a moment is not finite; make it with gaussian_of")
    if len(a.mean) != len(b.mean):
        raise ValueError(f"a has {len(a.mean)} features, b has {len(b.mean)}; take both from one extractor")
    return _distance(a.mean - b.mean, _factor(a.covariance), _factor(b.covariance))


class _Factor(NamedTuple):
    """F, (d, r), with F F^T = S; `regular` where S is safely invertible on its live features."""

    matrix: Matrix
    regular: bool


def _distance(shift: Matrix, a: _Factor, b: _Factor) -> float:
    """Return the distance from the difference of means and the covariances' factors.

    Tr (S1 S2)^(1/2) is the sum of the singular values of F1^T F2, a matrix no larger than the factors' ranks.
    """
    overlap = a.matrix.T @ b.matrix
    if a.regular and b.regular:
        # Cheaper than the singular values, and as exact where all eigenvalues are well above rounding. Not
        # where an eigenvalue is 0: the root would turn its rounding of 1e-16 into 1e-8.
        gram = overlap @ overlap.T if overlap.shape[0] <= overlap.shape[1] else overlap.T @ overlap
        trace = np.sqrt(np.linalg.eigvalsh(gram).clip(min=0)).sum()
    else:
        trace = np.linalg.svd(overlap, compute_uv=False).sum()
    total = shift @ shift + np.square(a.matrix).sum() + np.square(b.matrix).sum() - 2 * trace
    return max(float(total), 0.0)


def _factor_of_rows(centred: Tensor) -> _Factor:
    n, d = centred.shape
    if n <= d:  # the rows are a factor themselves, smaller and more exact than one of their covariance
        return _Factor((centred.T / math.sqrt(n - 1)).cpu().numpy(), regular=False)
    return _factor(_covariance(centred).cpu().numpy())


def _factor(covariance: Matrix) -> _Factor:
    alive = np.diagonal(covariance) > 0
    block = covariance[np.ix_(alive, alive)]
    factor = np.zeros((len(covariance), len(block)))
    try:
        lower = np.linalg.cholesky(block)
    except np.linalg.LinAlgError:  # singular: features that depend on one another, or fewer rows than features
        values, vectors = np.linalg.eigh(block)
        factor[alive] = vectors * np.sqrt(values.clip(min=0))
        return _Factor(factor, regular=False)
    factor[alive] = lower
    pivots = np.diagonal(lower)
    # A constant feature such as 0.1 has a variance of rounding, a pivot that is no more than luck.
    return _Factor(factor, regular=bool(len(pivots) and pivots.min() > 1e-7 * pivots.max()))


def _covariance(centred: Tensor) -> Tensor:
    return torch.matmul(centred.T, centred) / (len(centred) - 1)
