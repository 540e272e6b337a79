"""Known answers of the data-copying test C_T."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu, norm

from ganbench.metrics.data_copying import _k_means, data_copying


def draws(n: int, d: int = 8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d))


def clusters(n: int, seed: int) -> np.ndarray:
    """Three far clusters in turn, so that k-means finds them whatever its start."""
    return draws(n, 4, seed) + 50 * np.eye(4)[np.arange(n) % 3]


def by_scipy(train: np.ndarray, test: np.ndarray, fake: np.ndarray) -> float:
    """The z-score by SciPy's Mann-Whitney test, from distances without a matrix product."""
    of_test, of_fake = (np.linalg.norm(s[:, None] - train[None], axis=2).min(axis=1) for s in (test, fake))
    test_of = mannwhitneyu(of_fake, of_test, alternative="less", method="asymptotic", use_continuity=False)
    return float(norm.ppf(test_of.pvalue))


def test_equals_scipy() -> None:
    train, test = draws(200), draws(70, seed=1)
    for fake in (draws(90, seed=2), 1.1 * draws(90, seed=2), train[:90] + 0.8 * draws(90, seed=2)):
        # Through a p-value and back: 1e-9 of a z-score that is not extreme.
        assert data_copying(train, test, fake, cells=1) == pytest.approx(by_scipy(train, test, fake), rel=1e-9)


def test_copies_score_the_least_and_strays_the_most() -> None:
    train, test, n, m = draws(300), draws(80, seed=1), 80, 120
    far = train[:m] + 1000 + np.arange(m)[:, None]
    most = (n * m / 2) / np.sqrt(n * m * (n + m + 1) / 12)
    assert data_copying(train, test, far, cells=1) == pytest.approx(most, rel=1e-12)
    # m ties among n + m ranks take m (m^2 - 1) / ((n + m) (n + m - 1)) off n + m + 1.
    tied = np.sqrt(n * m / 12 * (n + m + 1 - m * (m**2 - 1) / ((n + m) * (n + m - 1))))
    for offset in (0.0, 1e4, 1e6):  # a copy's distance is exactly 0 anywhere
        copies = train[np.random.default_rng(3).integers(300, size=m)]
        value = data_copying(train + offset, test + offset, copies + offset, cells=1)
        assert value == pytest.approx(-(n * m / 2) / tied, rel=1e-12)
    assert data_copying(train, test, copies, cells=3) < -4


def test_fresh_draws_score_as_a_normal_variable() -> None:
    random = np.random.default_rng(0)
    values = [
        data_copying(*(random.standard_normal((n, 4)) for n in (150, 80, 90)), cells=1, seed=i) for i in range(200)
    ]
    # Mean 0 and deviation 1, each within 4 of its own errors: 1 / sqrt(200) and 1 / sqrt(400).
    assert abs(np.mean(values)) < 4 / np.sqrt(200)
    assert abs(np.std(values, ddof=1) - 1) < 4 / np.sqrt(400)


def test_cells_count_by_their_share_of_test_rows() -> None:
    """Cell 0: copies; cell 1: strays; cell 2: the fakes are too few to count."""
    train = clusters(300, 0)
    test = np.concatenate([clusters(60, 1)[::3], clusters(180, 2)[1::3], clusters(30, 3)[2::3]])  # 20, 60, 10
    copies, strays = train[::3][:40], train[1::3][:50] + 8
    fake = np.concatenate([copies, strays, train[2::3][:19]])
    first = data_copying(train[::3], test[:20], copies, cells=1)
    second = data_copying(train[1::3], test[20:80], strays, cells=1)
    assert first < -5
    assert second > 5
    expected = (20 * first + 60 * second) / 80
    for seed in range(4):
        assert data_copying(train, test, fake, seed=seed) == pytest.approx(expected, rel=1e-12)
    third = data_copying(train[2::3], test[80:], train[2::3][:20], cells=1)
    fake = np.concatenate([copies, strays, train[2::3][:20]])  # one more, and the cell counts
    assert data_copying(train, test, fake) == pytest.approx((20 * first + 60 * second + 10 * third) / 90, rel=1e-12)


def test_copies_of_one_cell_are_seen() -> None:
    """What a test without cells misses: strays elsewhere hide them."""
    train, test = clusters(300, 0), clusters(90, 1)
    copies, strays = train[::3][:60], np.concatenate([train[1::3][:30], train[2::3][:30]]) + 8
    assert data_copying(train, test, np.concatenate([copies, copies + 1e-6]), cells=3) < -5
    assert abs(data_copying(train, test, np.concatenate([copies, strays]), cells=1)) < 2


def test_no_difference_at_all_scores_zero() -> None:
    ones = np.ones((50, 3))
    assert data_copying(ones, ones, ones) == 0  # one cell, whatever was asked
    assert data_copying(ones, ones, ones + 1) > 5
    train = draws(100)
    assert data_copying(train, train, train, cells=1) == 0


def test_invariances() -> None:
    train, test, fake = draws(200), draws(90, seed=1), draws(100, seed=2)
    value = data_copying(train, test, fake)
    assert type(value) is float
    rotation = np.linalg.qr(draws(8, seed=5))[0]
    for change in (lambda x: x @ rotation, lambda x: x + 1024.0, lambda x: 7 * x, torch.from_numpy):
        assert data_copying(change(train), change(test), change(fake)) == pytest.approx(value, rel=1e-9)
    assert data_copying(train, test[::-1], fake[::-1]) == pytest.approx(value, rel=1e-9)


def test_k_means() -> None:
    x = clusters(300, 0)
    centres = _k_means(torch.from_numpy(x), 3, 0).numpy()
    expected = np.array([x[i::3].mean(0) for i in range(3)])
    order = [np.linalg.norm(centres - mean, axis=1).argmin() for mean in expected]
    np.testing.assert_allclose(centres[order], expected, rtol=1e-12)
    assert len(_k_means(torch.ones(9, 2, dtype=torch.float64), 3, 0)) == 1
    assert len(_k_means(torch.from_numpy(np.repeat(draws(2), 5, axis=0)), 4, 0)) == 2


def test_refusals() -> None:
    train, test, fake = draws(60), draws(40, seed=1), draws(30, seed=2)
    with pytest.raises(ValueError, match="^cells=0: must be at least 1"):
        data_copying(train, test, fake, cells=0)
    with pytest.raises(ValueError, match="^train: got 60 rows, needs at least 61"):
        data_copying(train, test, fake, cells=61)
    with pytest.raises(ValueError, match="^fake: no cell holds 20 of the 19 rows and one of test"):
        data_copying(train, test, fake[:19], cells=1)
    with pytest.raises(ValueError, match="^test: got 1 rows, needs at least 2"):
        data_copying(train, test[:1], fake)
    with pytest.raises(ValueError, match="^fake: got 0 rows, needs at least 2"):
        data_copying(train, test, fake[:0])
    with pytest.raises(ValueError, match="^train has 8 columns, fake has 7"):
        data_copying(train, test, fake[:, :7])
    test[5, 5] = np.nan
    with pytest.raises(ValueError, match="^test: 1 of 40 rows hold NaN"):
        data_copying(train, test, fake)
