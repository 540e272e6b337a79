"""Known answers of the kernel distances over all pairs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric

from ganbench.metrics import kernel_distance
from ganbench.metrics._pairwise import kernel_sums
from ganbench.metrics.mmd import kernel_distance_exact, rbf_kernel_distance

Distance = Callable[..., float]
both = pytest.mark.parametrize("distance", [kernel_distance_exact, rbf_kernel_distance])


def pair(n: int = 60, m: int = 50, d: int = 5, shift: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.standard_normal((n, d)), random.standard_normal((m, d)) + shift


def by_loops(x: np.ndarray, y: np.ndarray, kernel: Callable[[np.ndarray, np.ndarray], float]) -> float:
    """The unbiased estimate, pair by pair."""
    within = [[kernel(a, b) for i, a in enumerate(s) for j, b in enumerate(s) if i != j] for s in (x, y)]
    across = [kernel(a, b) for a in x for b in y]
    return float(np.mean(within[0]) + np.mean(within[1]) - 2 * np.mean(across))


def rbf(sigma: float) -> Callable[[np.ndarray, np.ndarray], float]:
    return lambda a, b: float(np.exp(-np.square(a - b).sum() / (2 * sigma**2)))


@pytest.fixture(params=[7, 2048], ids=["many tiles", "one tile"], autouse=True)
def tile(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_sums, "TILE", request.param)


def test_polynomial_by_hand() -> None:
    # k(0,1) = 1; k(2,3) = 343; cross: k(0,2) = k(0,3) = 1, k(1,2) = 27, k(1,3) = 64.
    value = kernel_distance_exact(np.array([[0.0], [1.0]]), np.array([[2.0], [3.0]]))
    assert value == pytest.approx(1 + 343 - 2 * (1 + 1 + 27 + 64) / 4, rel=1e-15)


def test_rbf_by_hand() -> None:
    value = rbf_kernel_distance(np.array([[0.0], [1.0]]), np.array([[2.0], [3.0]]), sigma=1)
    expected = 2 * np.exp(-1 / 2) - (2 * np.exp(-4 / 2) + np.exp(-9 / 2) + np.exp(-1 / 2)) / 2
    assert value == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("m", [50, 20])
def test_equals_the_definition(m: int) -> None:
    x, y = pair(m=m)
    # 1e-11: differences of sums up to a thousand times larger than the result.
    expected = by_loops(x, y, lambda a, b: float((a @ b / 5 + 1) ** 3))
    assert kernel_distance_exact(x, y) == pytest.approx(expected, rel=1e-11)
    for sigma in (0.5, 2.0, 10.0):
        assert rbf_kernel_distance(x, y, sigma=sigma) == pytest.approx(by_loops(x, y, rbf(sigma)), rel=1e-11)


def test_is_one_subset_of_all_rows() -> None:
    x, y = pair(60, 60)
    assert kernel_distance_exact(x, y) == pytest.approx(kernel_distance(x, y, subsets=1, subset_size=60)[0], rel=1e-12)


@pytest.mark.parametrize(("distance", "kernel"), [(kernel_distance_exact, "poly"), (rbf_kernel_distance, "rbf")])
def test_equals_torch_fidelity(distance: Distance, kernel: str) -> None:
    """Known answer 16, in float64 and in the float32 that extractors give."""
    x, y = (torch.from_numpy(s) for s in pair(60, 60))
    options = {"kid_subsets": 1, "kid_subset_size": 60, "kid_kernel": kernel, "verbose": False}
    theirs = kid_features_to_metric(y, x, **options)[KEY_METRIC_KID_MEAN]
    assert distance(x, y) == pytest.approx(theirs, rel=1e-10)
    theirs32 = kid_features_to_metric(y.float(), x.float(), **options)[KEY_METRIC_KID_MEAN]
    assert distance(x, y) == pytest.approx(theirs32, rel=1e-4, abs=1e-6)  # float32 sums of kernels near 1


def test_expected_rbf_distance_of_gaussians() -> None:
    """E k of N(m, s^2 I) and N(0, s^2 I) is (v / w)^(d/2) exp(-|m|^2 / (2 w)), with v = sigma^2 and w = v + 2 s^2."""
    d, s, sigma, draws = 6, 1.5, 3.0, 60
    spread = sigma**2 + 2 * s**2
    random = np.random.default_rng(0)
    for shift in (0.0, 0.8):
        expected = 2 * (sigma**2 / spread) ** (d / 2) * (1 - np.exp(-d * shift**2 / (2 * spread)))
        values = [
            rbf_kernel_distance(
                s * random.standard_normal((80, d)), s * random.standard_normal((60, d)) + shift, sigma=sigma
            )
            for _ in range(draws)
        ]
        error = np.std(values, ddof=1) / np.sqrt(draws)
        assert abs(np.mean(values) - expected) < 4 * error < 0.015  # unbiased: 0 where shift = 0
        assert shift or min(values) < 0


def test_polynomial_is_unbiased() -> None:
    random = np.random.default_rng(0)
    values = [
        kernel_distance_exact(random.standard_normal((50, 8)), random.standard_normal((40, 8))) for _ in range(200)
    ]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(200)


def test_less_noise_than_subsets() -> None:
    random = np.random.default_rng(0)
    sets = [(random.standard_normal((200, 8)), random.standard_normal((200, 8))) for _ in range(40)]
    exact = np.std([kernel_distance_exact(x, y) for x, y in sets])
    subsets = np.std([kernel_distance(x, y, subsets=4, subset_size=50)[0] for x, y in sets])  # the same work
    assert exact < subsets


def test_limits_of_the_rbf_kernel() -> None:
    x, y = pair()
    assert rbf_kernel_distance(x, x) < 0
    ones = np.ones((5, 3))
    assert rbf_kernel_distance(ones, ones) == 0
    assert rbf_kernel_distance(ones, ones + 1e4) == 2  # two points, far apart
    assert rbf_kernel_distance(x, y + 100, sigma=1e-3) == 0  # documented: no row is near any other
    # A wide kernel sees the means alone: MMD^2 -> (|m1 - m2|^2 less its noise) / sigma^2.
    across = np.square(x.mean(0) - y.mean(0)).sum() - x.var(0, ddof=1).sum() / 60 - y.var(0, ddof=1).sum() / 50
    assert 1e8 * rbf_kernel_distance(x, y, sigma=1e4) == pytest.approx(across, rel=1e-5)  # 1 - 1e-8 keeps 8 digits


@pytest.mark.parametrize("offset", [1e4, 1e6])
def test_rbf_far_from_the_origin(offset: float) -> None:
    x, y = pair()
    # The offset takes 4 and 6 of 16 digits from the values themselves.
    assert rbf_kernel_distance(x + offset, y + offset) == pytest.approx(rbf_kernel_distance(x, y), rel=1e-12 * offset)


@both
def test_invariances(distance: Distance) -> None:
    x, y = pair()
    value = distance(x, y)
    assert type(value) is float
    rotation = np.linalg.qr(np.random.default_rng(1).standard_normal((5, 5)))[0]
    # 1e-10: sums in another order, up to a thousand times larger than the result.
    assert distance(y, x) == pytest.approx(value, rel=1e-10)
    assert distance(x[::-1], y[::-1]) == pytest.approx(value, rel=1e-10)
    assert distance(x @ rotation, y @ rotation) == pytest.approx(value, rel=1e-10)


@both
def test_refusals(distance: Distance) -> None:
    x, y = pair()
    with pytest.raises(ValueError, match="^real: got 1 rows, needs at least 2"):
        distance(x[:1], y)
    with pytest.raises(ValueError, match="^fake: got 0 rows, needs at least 2"):
        distance(x, y[:0])
    with pytest.raises(ValueError, match="^real has 5 columns, fake has 4"):
        distance(x, y[:, :4])
    with pytest.raises(ValueError, match="^fake: 50 of 50 rows hold NaN"):
        distance(x, y * np.nan)


@pytest.mark.parametrize("sigma", [0.0, -1.0, float("nan"), float("inf")])
def test_sigma(sigma: float) -> None:
    with pytest.raises(ValueError, match=f"^sigma={sigma}: must be positive and finite"):
        rbf_kernel_distance(*pair(), sigma=sigma)
