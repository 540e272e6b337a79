"""Known answers of authenticity."""

from __future__ import annotations

import numpy as np
import pytest

from ganbench.metrics import authenticity
from ganbench.metrics._pairwise import knn as neighbours


def draws(n: int, d: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d))


def by_differences(train: np.ndarray, fake: np.ndarray) -> float:
    """The definition, written out without a matrix product."""
    between = np.linalg.norm(train[:, None] - train[None], axis=2)
    np.fill_diagonal(between, np.inf)
    across = np.linalg.norm(fake[:, None] - train[None], axis=2)
    return float(np.mean(across.min(axis=1) > between.min(axis=1)[across.argmin(axis=1)]))


def test_on_a_line() -> None:
    train = np.array([[0.0], [1.0], [5.0]])  # distances to the nearest other: 1, 1, 4
    fake = np.array([[-0.5], [-1.5], [2.5], [3.5], [8.0], [9.5]])
    # nearest 0: .5 copy, 1.5 authentic; nearest 1: 1.5 authentic; nearest 5: 1.5 copy, 3 copy, 4.5 authentic
    assert authenticity(train, fake) == 0.5
    assert authenticity(train, np.array([[-1.0], [9.0]])) == 0  # as far as the nearest other is not further


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e6])
def test_copies_score_zero(offset: float) -> None:
    train = draws(400, 32) + offset
    copies = train[np.random.default_rng(1).integers(400, size=300)]
    assert authenticity(train, copies) == 0
    assert authenticity(np.concatenate([train, train]), copies) == 0  # where rounding alone would be "further"
    assert authenticity(train.astype(np.float32), copies.astype(np.float32)) == 0


def test_near_copies_score_zero_and_far_samples_one() -> None:
    train = draws(400, 32)
    assert authenticity(train, train + 1e-3 * draws(400, 32, 1)) == 0
    assert authenticity(train, train + 100) == 1


def test_beside_duplicates_all_but_copies_are_authentic() -> None:
    train = np.repeat(draws(50, 8), 2, axis=0)
    assert authenticity(train, np.concatenate([train, train + 1e-3])) == 0.5


@pytest.mark.parametrize("tile", [9, 2048])
def test_equals_the_definition(monkeypatch: pytest.MonkeyPatch, tile: int) -> None:
    monkeypatch.setattr(neighbours, "TILE", tile)
    train, fake = draws(120, 5), draws(100, 5, 1)
    score = authenticity(train, fake)
    assert score == by_differences(train, fake)
    assert 0.2 < score < 0.8
    assert authenticity(train + 1e4, fake + 1e4) == score


def test_fresh_draws_in_one_dimension_score_a_third() -> None:
    # Neighbours' gaps are exponential: the nearest point lies at Exp(2), beyond it a gap of Exp(1); 1 / (1 + 2).
    random = np.random.default_rng(0)
    scores = [authenticity(random.random((500, 1)), random.random((500, 1))) for _ in range(20)]
    assert abs(np.mean(scores) - 1 / 3) < 4 * np.std(scores, ddof=1) / np.sqrt(20) < 0.03


def test_refusals() -> None:
    with pytest.raises(ValueError, match="^train: got 1 rows, needs at least 2"):
        authenticity(draws(1, 3), draws(5, 3))
    with pytest.raises(ValueError, match="^train has 3 columns, fake has 4"):
        authenticity(draws(5, 3), draws(5, 4))
