"""The tiled distances beneath the neighbour metrics."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from ganbench import metrics
from ganbench.metrics._pairwise import knn as neighbours
from ganbench.metrics._pairwise.knn import centred, nearest, squared_radii, tiles


def points(n: int, d: int = 16, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_differences(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (a[:, None] - b[None]).square().sum(dim=2)


@pytest.fixture(autouse=True, params=[13, 2048], ids=["many tiles", "one tile"])
def tile(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(neighbours, "TILE", request.param)
    return int(request.param)


def test_tiles_cover_all_pairs_once(tile: int) -> None:
    a, b = points(50), points(40, seed=1)
    found = torch.full((50, 40), torch.nan, dtype=torch.float64)
    for rows, columns, distances in tiles(a, b):
        assert distances.shape[0] <= tile
        assert found[rows, columns].isnan().all()
        assert (distances >= 0).all()
        found[rows, columns] = distances
    torch.testing.assert_close(found, by_differences(a, b), rtol=1e-13, atol=0)


@pytest.mark.parametrize("k", [1, 3, 49])
def test_radii(k: int) -> None:
    x = points(50)
    expected = by_differences(x, x).sort(dim=1).values[:, k]  # the 0th is the point itself
    radii, margin = squared_radii(x, k)
    torch.testing.assert_close(radii, expected, rtol=1e-13, atol=0)
    assert (margin > 0).all()
    assert (margin < 1e-11 * (radii + x.square().sum(dim=1))).all()


def test_nearest() -> None:
    x, y = points(50), points(40, seed=1)
    expected = by_differences(y, x).min(dim=1)
    distances, index = nearest(y, x)
    torch.testing.assert_close(distances, expected.values, rtol=1e-13, atol=0)
    assert torch.equal(index, expected.indices)


def test_a_copy_is_the_nearest() -> None:
    x = points(40) + 3
    distances, index = nearest(x.repeat(2, 1), x)
    assert torch.equal(index, torch.arange(40).repeat(2))
    assert (distances >= 0).all()
    assert distances.max() < 1e-12


@pytest.mark.parametrize("spread", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("distance", [0.0, 1e2, 1e4])
def test_the_margin_bounds_the_rounding(spread: float, distance: float) -> None:
    """Off the centre too: a cluster far from the mean of all has the largest error."""
    x = spread * points(60, 128) + distance
    exact = by_differences(x, x)
    exact.fill_diagonal_(torch.inf)
    radii, margin = squared_radii(x, 3)
    assert ((radii - exact.kthvalue(3, dim=1).values).abs() <= margin / 2).all()
    for rows, columns, distances in tiles(x, x):
        assert (distances >= 0).all()
        edge = exact[rows, columns] == exact.kthvalue(3, dim=1).values[rows, None]
        assert ((distances - radii[rows, None]).abs() <= margin[rows, None])[edge].all()


def test_centring_leaves_copies_equal() -> None:
    x = points(30).float().double() + 1e6
    a, b = centred(x, x[5:10].clone())
    assert torch.equal(a[5:10], b)
    assert a.mean(dim=0).abs().max() < 1e-8


def test_decisions_survive_the_largest_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a BLAS or a GPU does within the error bound: ties stay ties and copies stay copies."""
    generator = torch.Generator().manual_seed(0)
    honest = neighbours.tiles

    def rough(a: torch.Tensor, b: torch.Tensor) -> Iterator[tuple[slice, slice, torch.Tensor]]:
        for rows, columns, distances in honest(a, b):
            bound = a[rows].square().sum(dim=1)[:, None] + b[columns].square().sum(dim=1)
            error = (a.shape[1] + 3) * 2.0**-52 * bound  # one less than the bound has: honest tiles err too
            sign = torch.randint(-1, 2, distances.shape, generator=generator)
            yield rows, columns, (distances + sign * error).clamp_(min=0)

    monkeypatch.setattr(neighbours, "tiles", rough)
    x = points(100, 32)
    twice = x.repeat(2, 1)
    for offset in (0, 1e4):
        assert metrics.precision_recall(x + offset, x.flip(0) + offset) == (1, 1)
        assert metrics.density_coverage(x + offset, x.flip(0) + offset) == (1, 1)
        assert metrics.precision_recall(twice + offset, x + offset, k=1) == (1, 1)
        assert metrics.density_coverage(twice + offset, x + offset, k=1) == (0, 0)
        assert metrics.authenticity(x + offset, x + offset) == 0
        assert metrics.authenticity(twice + offset, x + offset) == 0
