"""Known answers of the extrapolated Frechet distance."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganbench.metrics.fid import frechet_distance
from ganbench.metrics.fid_infinity import frechet_distance_infinity


def exact_normal(d: int) -> np.ndarray:
    """2 d rows whose mean is 0 and whose unbiased covariance is the identity: a reference without noise."""
    corners = np.sqrt((2 * d - 1) / 2) * np.eye(d)
    return np.concatenate([corners, -corners])


def test_the_reference_is_exact() -> None:
    x = exact_normal(5)
    np.testing.assert_allclose(x.mean(0), 0, atol=1e-15)
    np.testing.assert_allclose(np.cov(x, rowvar=False), np.eye(5), atol=1e-14)


def test_equal_distributions_score_zero() -> None:
    """Known answer 13: the distance itself is 1104 / n = 0.055 at n = 20,000, d = 64; the extrapolation below 0.005."""
    d, n = 64, 20_000
    draws = [np.random.default_rng(seed).standard_normal((n, d)) for seed in range(6)]
    assert frechet_distance(exact_normal(d), draws[0]) == pytest.approx((d + d * (d + 1) / 4) / n, rel=0.05)
    values = [frechet_distance_infinity(exact_normal(d), draw) for draw in draws]
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    assert error < 0.003  # one draw scatters by 0.004, so 0.005 is asked of the mean
    assert abs(np.mean(values)) < 0.005
    assert min(values) < 0  # not clipped


def test_known_distance() -> None:
    """|shift|^2 + d (1 - scale)^2 = 4 + 1 from 4,000 samples, whose own distance is 0.026 too large."""
    d, shift = 16, np.full(16, 0.5)
    fakes = [1.25 * np.random.default_rng(seed).standard_normal((4000, d)) + shift for seed in range(8)]
    values = [frechet_distance_infinity(exact_normal(d), fake) for fake in fakes]
    error = np.std(values, ddof=1) / np.sqrt(8)
    assert abs(np.mean(values) - (4 + 1)) < 4 * error < 0.2


def test_line_through_two_sizes() -> None:
    real, fake = exact_normal(4), np.random.default_rng(0).standard_normal((50, 4)) + 1
    random = np.random.default_rng(7)
    small = frechet_distance(real, fake[random.permutation(50)[:5]])
    large = frechet_distance(real, fake)
    expected = (50 * large - 5 * small) / (50 - 5)  # where the line through (1/5, small), (1/50, large) meets 0
    assert frechet_distance_infinity(real, fake, sizes=2, seed=7) == pytest.approx(expected, rel=1e-10)


def test_seed_and_order_of_real_rows() -> None:
    random = np.random.default_rng(0)
    real, fake = random.standard_normal((300, 8)), random.standard_normal((400, 8)) + 0.2
    value = frechet_distance_infinity(real, fake)
    assert type(value) is float
    assert value == frechet_distance_infinity(torch.from_numpy(real), fake, seed=0)
    assert value == pytest.approx(frechet_distance_infinity(real[::-1], fake), rel=1e-9)
    assert value != frechet_distance_infinity(real, fake, seed=1)
    assert value < frechet_distance(real, fake)


def test_collapsed_generator_has_no_bias() -> None:
    real = exact_normal(6)
    # |point|^2 + Tr S, whatever the size; polyfit solves to 1e-12.
    assert frechet_distance_infinity(real, np.ones((40, 6))) == pytest.approx(6 + 6, rel=1e-10)


def test_refusals() -> None:
    x = exact_normal(4)
    fake = np.random.default_rng(0).standard_normal((20, 4))
    frechet_distance_infinity(x, fake)
    with pytest.raises(ValueError, match="^fake: got 19 rows, needs at least 20"):
        frechet_distance_infinity(x, fake[:19])
    with pytest.raises(ValueError, match="^real: got 1 rows"):
        frechet_distance_infinity(x[:1], fake)
    with pytest.raises(ValueError, match="^sizes=1: must be at least 2"):
        frechet_distance_infinity(x, fake, sizes=1)
    with pytest.raises(ValueError, match="^real has 3 columns, fake has 4"):
        frechet_distance_infinity(x[:, :3], fake)
    fake[2, 1] = np.inf
    with pytest.raises(ValueError, match="^fake: 1 of 20 rows hold NaN"):
        frechet_distance_infinity(x, fake)
