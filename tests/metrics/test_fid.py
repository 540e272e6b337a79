"""Known answers of the Frechet distance, and its equality with independent implementations."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric

from ganbench.metrics import fid as frechet
from ganbench.metrics import frechet_distance, jackknife
from ganbench.metrics._pairwise import error_bounds as rounded
from ganbench.metrics.fid import (
    FrechetReference,
    Gaussian,
    Matrix,
    frechet_distance_gaussians,
    gaussian_of,
)

EXACT = 1e-12
"""Relative; some 1e4 roundings of 1e-16 add up in sums over rows."""


def rows(n: int, d: int, seed: int = 0, scale: float = 1.0) -> Matrix:
    """Correlated features whose spectrum falls off, as those of networks do."""
    random = np.random.default_rng(seed)
    mix = np.random.default_rng(99).standard_normal((d, d)) / np.sqrt(np.arange(1, d + 1))
    return scale * random.standard_normal((n, d)) @ mix.T + 0.1 * seed


def gaussian(mean: object, covariance: object) -> Gaussian:
    return Gaussian(np.atleast_1d(np.asarray(mean, float)), np.atleast_2d(np.asarray(covariance, float)), 10**6)


def by_qr(x: Matrix, y: Matrix) -> float:
    """The distance from the rows alone, no covariance formed: slow, and exact to 1e-15 of the traces."""
    shift = x.mean(0) - y.mean(0)
    a, b = (np.linalg.qr(s - s.mean(0), mode="r") / np.sqrt(len(s) - 1) for s in (x, y))
    root = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return float(shift @ shift + np.square(a).sum() + np.square(b).sum() - 2 * root)


def within(share: float, x: Matrix, y: Matrix) -> float:
    """A tolerance relative to the traces, since it is those that cancel."""
    return share * float(x.var(axis=0).sum() + y.var(axis=0).sum())


def test_one_dimension() -> None:
    assert frechet_distance_gaussians(gaussian(1, 4), gaussian(-2, 25)) == pytest.approx(3**2 + (2 - 5) ** 2, rel=EXACT)


def test_diagonal_covariances_commute() -> None:
    a, b = np.array([1.0, 4.0, 9.0]), np.array([16.0, 1.0, 2.0])
    shift = np.array([1.0, 0.0, -2.0])
    expected = shift @ shift + np.square(np.sqrt(a) - np.sqrt(b)).sum()
    assert frechet_distance_gaussians(gaussian(shift, np.diag(a)), gaussian(np.zeros(3), np.diag(b))) == pytest.approx(
        expected, rel=EXACT
    )


def test_non_commuting_two_by_two() -> None:
    a, b = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[5.0, -2.0], [-2.0, 1.0]])
    root = np.sqrt(np.trace(a @ b) + 2 * np.sqrt(np.linalg.det(a) * np.linalg.det(b)))
    expected = np.trace(a + b) - 2 * root
    assert frechet_distance_gaussians(gaussian([0, 0], a), gaussian([0, 0], b)) == pytest.approx(expected, rel=EXACT)


def test_fifty_digits() -> None:
    mpmath = pytest.importorskip("mpmath", reason="mpmath usually comes with torch's sympy")
    x, y = rows(40, 12), rows(50, 12, seed=1)
    with mpmath.workdps(50):
        moments = []
        for sample in (x, y):
            m = mpmath.matrix(sample.tolist())
            ones = mpmath.ones(1, m.rows)
            mean = ones * m / m.rows
            moments.append((mean, (m.T * m - mean.T * mean * m.rows) / (m.rows - 1)))
        (mean_a, a), (mean_b, b) = moments
        root = sum(mpmath.re(mpmath.sqrt(v)) for v in mpmath.eig(a * b, left=False, right=False))
        shift = mean_a - mean_b
        expected = float((shift * shift.T)[0] + sum((a + b)[i, i] for i in range(12)) - 2 * root)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=EXACT)


@pytest.mark.parametrize("n", [200, 20], ids=["n>d", "n<d"])
def test_shift_and_scale(n: int) -> None:
    x = rows(n, 32, seed=3)
    shift = np.linspace(-1, 2, 32)
    # The shift's error is that of the covariances, 1e-14 of their traces.
    assert frechet_distance(x, x + shift) == pytest.approx(shift @ shift, rel=1e-11)
    second_moment = np.square(x.mean(0)).sum() + x.var(axis=0, ddof=1).sum()
    assert frechet_distance(x, 1.7 * x) == pytest.approx(0.7**2 * second_moment, rel=1e-11)


@pytest.mark.parametrize("n", [2, 20, 32, 33, 200])
def test_identical_sets_score_zero(n: int) -> None:
    x = rows(n, 32)
    # n = d + 1 is the hardest: the smallest eigenvalue is near nothing. 1e-11 of the trace; the reference asks 1e-9.
    assert 0 <= frechet_distance(x, x.copy()) <= 1e-11 * x.var(axis=0, ddof=1).sum()


def test_symmetry() -> None:
    for x, y in ((rows(200, 32), rows(90, 32, 1)), (rows(20, 32), rows(90, 32, 1)), (rows(9, 32), rows(20, 32, 1))):
        assert frechet_distance(x, y) == pytest.approx(frechet_distance(y, x), rel=EXACT)


def test_textbook_formula() -> None:
    x, y = rows(300, 16), rows(200, 16, seed=1)
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    shift = x.mean(0) - y.mean(0)
    expected = shift @ shift + np.trace(a + b) - 2 * np.trace(scipy.linalg.sqrtm(a @ b)).real
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-10)  # the dense root's own error: 1e-13 measured


@pytest.mark.parametrize(("n", "m"), [(20, 25), (20, 300), (300, 20), (65, 300), (300, 300)])
def test_any_number_of_rows(n: int, m: int) -> None:
    x, y = rows(n, 64), rows(m, 64, seed=1)
    assert frechet_distance(x, y) == pytest.approx(by_qr(x, y), abs=within(1e-11, x, y))
    # From covariances where n < d: roots of eigenvalues that are zero but for 1e-16, so 1e-8 each and no tighter.
    moments = frechet_distance_gaussians(gaussian_of(x), gaussian_of(y))
    assert moments == pytest.approx(frechet_distance(x, y), rel=1e-7)


def test_steep_spectrum() -> None:
    x, y = rows(300, 32), rows(200, 32, seed=1)
    rotation = np.linalg.qr(rows(32, 32, seed=2))[0]
    steep = np.logspace(0, -6, 32)
    x, y = x * steep @ rotation, y * steep @ rotation
    assert frechet_distance(x, y) == pytest.approx(by_qr(x, y), abs=within(1e-11, x, y))


def test_collapsed_generator() -> None:
    x, point = rows(300, 32), np.linspace(0, 1, 32)
    y = np.tile(point, (100, 1))
    expected = np.square(x.mean(0) - point).sum() + x.var(axis=0, ddof=1).sum()
    assert frechet_distance(x, y) == pytest.approx(expected, rel=EXACT)
    assert frechet_distance(x, y[:10]) == pytest.approx(expected, rel=EXACT)
    assert frechet_distance(y, y) <= 1e-24  # only the rounding of a mean


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e4])
def test_dead_features_change_nothing(constant: float) -> None:
    for seed in range(10):  # the variance of 0.1 is rounding, and only some roundings look like a variance
        x, y = rows(300, 32, seed), rows(200, 32, seed + 10)
        expected = frechet_distance(x, y)
        dead_x, dead_y = (np.insert(s, [3, 7, 32], constant, axis=1) for s in (x, y))
        assert frechet_distance(dead_x, dead_y) == pytest.approx(expected, abs=within(1e-11, x, y))
        y[:, 5] = constant  # dead in one set only: the other's variance counts, and the shift
        assert frechet_distance(x, y) == pytest.approx(by_qr(x, y), rel=1e-11)


def test_all_features_dead() -> None:
    x, y = rows(50, 8), np.full((40, 8), 0.5)
    assert frechet_distance(y, y + 3) == pytest.approx(8 * 9, rel=EXACT)
    assert frechet_distance(x, y) == pytest.approx(np.square(x.mean(0) - 0.5).sum() + x.var(axis=0, ddof=1).sum())


@pytest.mark.parametrize("copied", [1, 12])
def test_dependent_features(copied: int) -> None:
    for seed in range(10):
        x, y = rows(300, 32, seed), rows(200, 32, seed + 10)
        x[:, 20 : 20 + copied], y[:, 20 : 20 + copied] = x[:, :copied], y[:, :copied]
        assert frechet_distance(x, y) == pytest.approx(by_qr(x, y), abs=within(1e-11, x, y))
        assert frechet_distance(x, x) <= within(1e-11, x, x)


def test_features_far_from_the_origin() -> None:
    x, y = rows(300, 32), rows(200, 32, seed=1)
    # Adding 1e4 costs a value of size 1 four of its sixteen digits.
    assert frechet_distance(x + 1e4, y + 1e4) == pytest.approx(frechet_distance(x, y), rel=1e-9)


def test_equals_torch_fidelity() -> None:
    x, y = rows(400, 64), rows(500, 64, seed=1)
    theirs = fid_statistics_to_metric(
        fid_features_to_statistics(torch.from_numpy(x)), fid_features_to_statistics(torch.from_numpy(y)), False
    )[KEY_METRIC_FID]
    assert frechet_distance(x, y) == pytest.approx(theirs, rel=1e-10)
    # On float32 features it takes a float32 mean: 1e-7 typically, 1e-5 at worst.
    x32, y32 = x.astype(np.float32), y.astype(np.float32)
    theirs = fid_statistics_to_metric(
        fid_features_to_statistics(torch.from_numpy(x32)), fid_features_to_statistics(torch.from_numpy(y32)), False
    )[KEY_METRIC_FID]
    assert frechet_distance(x32, y32) == pytest.approx(theirs, rel=1e-5)


def test_moments_equal_rows() -> None:
    x, y = rows(400, 64), rows(500, 64, seed=1)
    a, b = gaussian_of(x), gaussian_of(torch.from_numpy(y))
    assert (a.n, b.n) == (400, 500)
    np.testing.assert_allclose(a.mean, x.mean(0), rtol=0, atol=1e-14)
    np.testing.assert_allclose(a.covariance, np.cov(x, rowvar=False), rtol=0, atol=1e-13)
    assert frechet_distance_gaussians(a, b) == frechet_distance(x, y)


def test_bias_falls_as_one_over_n() -> None:
    d, sizes, draws = 32, np.array([1000, 2000, 4000]), 8
    truth = gaussian(np.zeros(d), np.eye(d))
    random = np.random.default_rng(0)
    scores = [
        np.mean([frechet_distance_gaussians(truth, gaussian_of(random.standard_normal((n, d)))) for _ in range(draws)])
        for n in sizes
    ]
    slope, limit = np.polyfit(1 / sizes, scores, 1)
    # To first order d + d (d + 1) / 4; the draws scatter by 2 %, terms of higher order add as much.
    assert slope == pytest.approx(d + d * (d + 1) / 4, rel=0.06)
    assert abs(limit) < 0.01


def test_moments_that_do_not_fit() -> None:
    good = gaussian_of(rows(50, 4))
    with pytest.raises(ValueError, match="a has 4 features, b has 3"):
        frechet_distance_gaussians(good, gaussian_of(rows(50, 3)))
    with pytest.raises(ValueError, match="^b: a moment is not finite"):
        frechet_distance_gaussians(good, Gaussian(good.mean * np.nan, good.covariance, 50))
    with pytest.raises(ValueError, match="^a: mean .* do not fit"):
        frechet_distance_gaussians(Gaussian(good.mean, good.covariance[:3], 50), good)


@pytest.mark.parametrize("n", [300, 60, 20], ids=["n>d", "the rest is n>d", "n<d"])
def test_a_reference_is_used_again(n: int) -> None:
    x, others = rows(200, 32), [rows(n, 32, seed) for seed in (1, 2)]
    reference = FrechetReference(x)
    for y in others:
        assert reference.distance(y) == frechet_distance(x, y)
        assert FrechetReference(gaussian_of(x)).distance(y) == pytest.approx(frechet_distance(x, y), rel=1e-10)
    with pytest.raises(ValueError, match="^real has 32 columns, fake has 31"):
        reference.distance(others[0][:, :31])


@pytest.mark.parametrize("n", [300, 35, 20], ids=["n>d", "the rest is n<d", "n<d"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_jackknife_of_moments_is_that_of_rows(n: int, dtype: type) -> None:
    x, y = rows(200, 32).astype(dtype), rows(n, 32, seed=1).astype(dtype)
    y[:, 3] = 0.1  # dead, and one that lives in a single row
    y[:, 4], y[7, 4] = 0, 1
    for seed in (0, 1):
        expected = jackknife(lambda fake: frechet_distance(x, fake), y, groups=7, seed=seed)[1]
        assert FrechetReference(x).jackknife(y, groups=7, seed=seed) == pytest.approx(expected, rel=1e-8)


def test_jackknife_refusals() -> None:
    reference, y = FrechetReference(rows(200, 32)), rows(50, 32)
    with pytest.raises(ValueError, match="^groups=1: must be at least 2"):
        reference.jackknife(y, groups=1)
    with pytest.raises(ValueError, match="^fake: 10 rows do not fill 20 groups"):
        reference.jackknife(y[:10])


def test_blocks_and_tiles_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = rows(300, 40), rows(200, 40, seed=1)
    x[:, 5] = 2.0
    expected = frechet_distance(x, y)
    monkeypatch.setattr(frechet, "BLOCK", 7)
    monkeypatch.setattr(rounded, "TILE", 64)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-12)
    single = x.astype(np.float32), y.astype(np.float32)
    assert frechet_distance(*single) == pytest.approx(frechet_distance(*(s.astype(float) for s in single)), rel=1e-12)
