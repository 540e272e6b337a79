"""Known answers of the Vendi score."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganbench.metrics.vendi import vendi_score


def rows(n: int, d: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d)) + 0.3


def by_gram(x: np.ndarray) -> float:
    """The definition: all n eigenvalues of the cosine similarities."""
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    shares = np.linalg.eigvalsh(unit @ unit.T / len(x))
    shares = shares[shares > 1e-14]
    return float(np.exp(-(shares * np.log(shares)).sum()))


@pytest.mark.parametrize("n", [1, 2, 40], ids=["one", "n<d", "n>d"])
def test_one_direction_scores_one(n: int) -> None:
    """Known answer 24. Eigenvalues that are 0 come as 1e-17, whose entropy is 4e-16 each."""
    x = np.outer(np.linspace(0.1, 5, n), [1.0, -2.0, 0.5])  # lengths do not count
    assert vendi_score(x) == pytest.approx(1, abs=1e-13)
    assert vendi_score(x) >= 1


@pytest.mark.parametrize("n", [1, 5, 12])
def test_orthogonal_rows_score_their_number(n: int) -> None:
    rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((12, 12)))[0]
    scales = np.arange(1, n + 1)[:, None]
    assert vendi_score(scales * rotation[:n]) == pytest.approx(n, rel=1e-12)
    assert vendi_score(np.tile(rotation[:n], (9, 1))) == pytest.approx(n, rel=1e-12)  # copies add nothing


def test_unequal_groups() -> None:
    # Three directions with shares 1/2, 1/4, 1/4: exp of their entropy, 2^1.5.
    assert vendi_score(np.eye(3)[[0, 0, 1, 2]]) == pytest.approx(2**1.5, rel=1e-14)


def test_two_rows_by_angle() -> None:
    for angle in (0.3, 1.0, 2.5):
        shares = np.array([1 + np.cos(angle), 1 - np.cos(angle)]) / 2
        expected = np.exp(-(shares * np.log(shares)).sum())
        assert vendi_score([[1.0, 0.0], [np.cos(angle), np.sin(angle)]]) == pytest.approx(expected, rel=1e-12)  # type: ignore[arg-type]


@pytest.mark.parametrize(("n", "d"), [(30, 8), (8, 30), (20, 20)])
def test_both_routes_equal_the_definition(n: int, d: int) -> None:
    x = rows(n, d)
    value = vendi_score(x)
    assert value == pytest.approx(by_gram(x), rel=1e-11)
    assert 1 <= value <= min(n, d)
    # A column of zeros moves n = d to the other route.
    assert vendi_score(np.insert(x, 0, 0, axis=1)) == pytest.approx(value, rel=1e-11)


@pytest.mark.parametrize(("n", "d"), [(30, 8), (8, 30)])
def test_takes_the_smaller_matrix(monkeypatch: pytest.MonkeyPatch, n: int, d: int) -> None:
    honest, sizes = torch.linalg.eigvalsh, []
    monkeypatch.setattr(torch.linalg, "eigvalsh", lambda matrix: sizes.append(matrix.shape) or honest(matrix))
    vendi_score(rows(n, d))
    assert sizes == [(8, 8)]


def test_invariances() -> None:
    x = rows(40, 6)
    value = vendi_score(x)
    rotation = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 6)))[0]
    random = np.random.default_rng(2)
    assert type(value) is float
    for same in (x @ rotation, random.permutation(x), 1e-30 * x, x * random.uniform(1e-3, 1e3, (40, 1)), -x):
        assert vendi_score(same) == pytest.approx(value, rel=1e-12)
    assert vendi_score(1e-200 * x) == pytest.approx(value, rel=1e-12)  # whose squares underflow
    assert vendi_score(torch.from_numpy(x).float()) == pytest.approx(value, rel=1e-6)  # the input's own rounding
    assert vendi_score(x + 10) < value  # directions are seen from the origin


def test_refusals() -> None:
    x = rows(10, 4)
    x[[4, 6]] = 0
    with pytest.raises(ValueError, match="^features: 2 of 10 rows are all zeros, the first is row 4"):
        vendi_score(x)
    with pytest.raises(ValueError, match="^features: got 0 rows, needs at least 1"):
        vendi_score(x[:0])
    x[4, 0] = np.nan
    with pytest.raises(ValueError, match="^features: 1 of 10 rows hold NaN"):
        vendi_score(x)
    with pytest.raises(ValueError, match=r"^features: expected shape \(n, d\), got \(4,\)"):
        vendi_score(x[0])
