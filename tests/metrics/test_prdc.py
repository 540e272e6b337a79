"""Known answers of precision, recall, density and coverage, and equality with torch-fidelity and prdc."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch_fidelity.metric_prc import KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric

from ganbench.metrics import density_coverage, precision_recall
from ganbench.metrics._pairwise import knn as neighbours


def pair(n: int = 300, m: int = 250, d: int = 8, shift: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    real, fake = random.standard_normal((n, d)), 0.9 * random.standard_normal((m, d)) + shift
    return real.astype(np.float32).astype(np.float64), fake.astype(np.float32).astype(np.float64)


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)[:, None]


def all_four(real: np.ndarray, fake: np.ndarray) -> tuple[float, ...]:
    return *precision_recall(real, fake), *density_coverage(real, fake)


def test_on_a_line() -> None:
    assert precision_recall(column(0, 1, 2, 3, 4), column(0.5, 10), k=1) == (0.5, 1.0)


def test_an_edge_is_inside_for_precision_and_outside_for_density() -> None:
    # k=1: real radii are all 1. The fake 5 lies on the edge of the ball of 4; 7 lies outside.
    real, fake = column(0, 1, 2, 3, 4), column(5, 7)
    assert precision_recall(real, fake, k=1) == (0.5, 0.4)  # fake radii 2: 3 (on the edge of 5) and 4
    assert density_coverage(real, fake, k=1) == (0.0, 0.0)
    # The fake 0.5 is in the balls of 0 and 1; the fake 1 is in its own, on the edge of those of 0 and 2.
    assert density_coverage(real, column(0.5, 1), k=1) == (1.5, 0.4)


def test_far_clusters_share_nothing() -> None:
    real, fake = pair()
    assert all_four(real, fake + 1000) == (0, 0, 0, 0)


def test_a_set_against_itself() -> None:
    real, _ = pair()
    shuffled = np.random.default_rng(1).permutation(real)
    assert all_four(real, real) == (1, 1, 1, 1)
    # Not 1 + 1/k: each copy of a k-th neighbour lies on an edge, and rounding must not move it inside.
    assert all_four(real, shuffled) == (1, 1, 1, 1)


def test_swapping_the_sets_swaps_precision_and_recall() -> None:
    real, fake = pair()
    assert precision_recall(real, fake) == precision_recall(fake, real)[::-1]


def test_collapsed_generator() -> None:
    real, _ = pair()
    middle = real[np.square(real - real.mean(0)).sum(1).argmin()]
    precision, recall = precision_recall(real, np.tile(middle, (250, 1)))
    assert (precision, recall) == (1, 1 / 300)
    near = np.tile(middle + 1e-3, (250, 1))
    assert precision_recall(real, near) == (1, 0)
    assert density_coverage(real, near)[1] < 0.2


@pytest.mark.parametrize("offset", [1e4, 1e6])
def test_features_far_from_the_origin(offset: float) -> None:
    real, fake = pair()
    assert all_four(real + offset, fake + offset) == all_four(real, fake)


@pytest.mark.parametrize("tile", [1, 7, 250])
def test_tiles_change_nothing(monkeypatch: pytest.MonkeyPatch, tile: int) -> None:
    n = 60 if tile == 1 else 300
    real, fake = pair(n)
    fake[:20] = real[:20]  # with ties
    whole = all_four(real, fake[:n])
    monkeypatch.setattr(neighbours, "TILE", tile)
    assert all_four(real, fake[:n]) == whole


@pytest.mark.parametrize("k", [1, 3, 5])
def test_equals_torch_fidelity(k: int) -> None:
    real, fake = pair()
    theirs = prc_features_to_metric(
        torch.from_numpy(fake), torch.from_numpy(real), prc_neighborhood=k, verbose=False
    )  # counts, so equal but for torch-fidelity's float32 mean
    assert precision_recall(real, fake, k=k) == pytest.approx(
        (theirs[KEY_METRIC_PRECISION], theirs[KEY_METRIC_RECALL]), rel=1e-6
    )


def prdc_of(real: np.ndarray, fake: np.ndarray, k: int) -> tuple[float, ...]:
    prdc = pytest.importorskip("prdc", reason="prdc is a test extra: pip install 'ganbench[test]'")
    scores = prdc.compute_prdc(real, fake, nearest_k=k)
    return tuple(scores[key] for key in ("precision", "recall", "density", "coverage"))


@pytest.mark.parametrize("k", [1, 5])
def test_equals_prdc(k: int) -> None:
    real, fake = pair()
    ours = *precision_recall(real, fake, k=k), *density_coverage(real, fake, k=k)
    assert ours == pytest.approx(prdc_of(real, fake, k), rel=1e-14)  # counts, divided in another order


def test_documented_divergence_from_prdc_on_duplicates() -> None:
    point = np.ones((20, 4))
    assert prdc_of(point, point, 5) == (0, 0, 0, 0)
    assert all_four(point, point) == (1, 1, 0, 0)  # closed balls of radius 0 hold their centre, open ones do not
    assert all_four(0.1 * point + 1e4, 0.1 * point + 1e4) == (1, 1, 0, 0)  # a mean that is not exact


def test_duplicates_within_the_real_set() -> None:
    real, _ = pair(100)
    doubled = np.concatenate([real, real])
    assert precision_recall(doubled, real) == (1, 1)
    # k = 1: the nearest other is the duplicate, so every open ball is empty.
    assert density_coverage(doubled, real, k=1) == (0, 0)
    assert density_coverage(doubled, real, k=2)[1] == 1


def test_expected_density_and_coverage() -> None:
    n, k, draws = 500, 5, 30
    random = np.random.default_rng(0)
    scores = np.array(
        [density_coverage(random.standard_normal((n, 8)), random.standard_normal((n, 8)), k=k) for _ in range(draws)]
    )
    i = np.arange(1, k + 1)
    expected = 1.0, 1 - np.prod((n - i) / (2 * n - i))
    error = scores.std(axis=0, ddof=1) / np.sqrt(draws)
    assert (np.abs(scores.mean(axis=0) - expected) < 4 * error).all()
    assert (error < 0.01).all()  # else the line above says nothing


def test_constant_features_change_nothing() -> None:
    real, fake = pair()
    assert all_four(np.insert(real, [0, 4], 0.1, axis=1), np.insert(fake, [0, 4], 0.1, axis=1)) == all_four(real, fake)


def test_k_needs_k_others() -> None:
    real, fake = pair(5, 4)
    precision_recall(real, fake, k=3)
    with pytest.raises(ValueError, match="^fake: got 4 rows, needs at least 5"):
        precision_recall(real, fake, k=4)
    density_coverage(real, fake, k=4)
    with pytest.raises(ValueError, match="^real: got 5 rows, needs at least 6"):
        density_coverage(real, fake)
    with pytest.raises(ValueError, match="^k=0: must be at least 1"):
        precision_recall(real, fake, k=0)
