"""The pass over all pairs equals the definitions, whatever the features, their dtype and the size of tiles."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ganbench import metrics
from ganbench.metrics._pairwise import kernel_sums, knn
from ganbench.metrics._pairwise.api import PairReference, PairScores
from ganbench.metrics._pairwise.kernel_sums import Subsets

Sets = tuple[np.ndarray, np.ndarray]


def draws(n: int, d: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d))


def nasty() -> dict[str, Sets]:
    """What rounding, ties, duplicates and scales can spoil, (n, d) and (m, d)."""
    x, y = draws(150, 8), 0.9 * draws(130, 8, 1) + 0.2
    grid = np.random.default_rng(2).integers(-2, 3, (260, 4)).astype(float)
    far, steep = np.concatenate([x[:-1], 1e6 * x[-1:]]), np.logspace(0, -12, 8)
    spiral = np.exp(-0.2 * np.arange(150))[:, None] * x
    return {
        "plain": (x, y),
        "n <= d": (draws(40, 64), draws(33, 64, 1)),
        "one column": (x[:, :1], y[:, :1]),
        "far from the origin": (x + 1e4, y + 1e4),
        "identical": (x, x),
        "shuffled": (x, x[::-1].copy()),
        "duplicates": (np.repeat(x[:50], 3, axis=0), np.repeat(x[20:60], 2, axis=0)),
        "many duplicates": (np.repeat(x[:4], 40, axis=0), np.repeat(x[:3], 30, axis=0)),
        "one point": (np.ones((90, 4)), np.ones((70, 4))),
        "all zero": (np.zeros((90, 4)), np.zeros((70, 4))),
        "collapsed": (x, np.tile(x[np.square(x).sum(1).argmin()], (120, 1))),
        "nearly collapsed": (x, x[:1] + 1e-6 * y),
        "ties": (grid[:140], grid[140:]),
        "ties far away": (grid[:140] + 1024, grid[140:] + 1024),
        "an outlier": (far, y),
        "a far cluster": (np.concatenate([x, 1e-4 * x[:60] + 3e3]), np.concatenate([y, 1e-4 * y[:50] + 3e3])),
        "a far fake": (x, np.concatenate([y, 1e4 * y[:5]])),
        "fakes beyond the unit": (x, 1e9 * y),
        "tiny": (1e-30 * x, 1e-30 * y),
        "huge": (1e30 * x, 1e30 * y),
        "dynamic range": (x * steep, y * steep),
        "scales within a set": (spiral, spiral[::2] * 1.01),
        "far sets": (x, y + 1e3),
    }


CASES = nasty()
BELOW_RESOLUTION = {"a far cluster", "scales within a set"}
"""Radii below 1e-6 of the features' norm, which products of float64 do not tell from 0: only that all ways agree."""


@pytest.fixture(params=[32, 64, 2048], ids=["tile 32", "tile 64", "one tile"], autouse=True)
def tile(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knn, "TILE", request.param)
    monkeypatch.setattr(kernel_sums, "TILE", request.param)


def in_single(real: np.ndarray, fake: np.ndarray, k: int = 3, **wanted: object) -> PairScores:
    return PairReference(real.astype(np.float32), k_manifold=k).compare(fake.astype(np.float32), **wanted)  # type: ignore[arg-type]


def in_double(real: np.ndarray, fake: np.ndarray, k: int = 3, **wanted: object) -> PairScores:
    real, fake = (rows.astype(np.float32).astype(np.float64) for rows in (real, fake))
    return PairReference(real, k_manifold=k).compare(fake, **wanted)  # type: ignore[arg-type]


def by_definition(real: np.ndarray, fake: np.ndarray, k: int) -> PairScores:
    """From float64 differences of every pair; distances within 1e-9 of each other, or of 0, are equal."""
    x, y = (rows.astype(np.float32).astype(np.float64) for rows in (real, fake))
    size = max(np.abs(x).max(), np.abs(y).max()) or 1.0
    apart = lambda a, b: np.linalg.norm((a[:, None] - b) / size, axis=2)  # noqa: E731
    radius = lambda a, k: np.sort(apart(a, a), axis=1)[:, k]  # noqa: E731  # the nearest is the row itself
    across, margin = apart(x, y), 1e-9
    closed, opened = radius(x, k) * (1 + margin) + 1e-12, radius(x, 5) * (1 - margin) - 1e-12
    inside = across <= opened[:, None]
    return PairScores(
        (across <= closed[:, None]).any(axis=0).mean(),
        (across <= radius(y, k) * (1 + margin) + 1e-12).any(axis=1).mean(),
        inside.sum() / (5 * len(y)), inside.any(axis=1).mean(),
    )  # fmt: skip


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("case", CASES)
def test_equals_the_definition(case: str, k: int) -> None:
    for sets in (CASES[case], CASES[case][::-1]):
        found = in_single(*sets, k)
        assert found == in_double(*sets, k)
        if case not in BELOW_RESOLUTION:
            assert found[:4] == pytest.approx(by_definition(*sets, k)[:4], rel=1e-12)


@pytest.mark.parametrize("case", sorted(set(CASES) - {"ties", "ties far away"}))
def test_authenticity_decides_as_float64(case: str) -> None:
    """Where the nearest of several is a tie, either may be taken: there is no one answer."""
    train, fake = (rows.astype(np.float32) for rows in CASES[case])
    expected = metrics.authenticity(train.astype(np.float64), fake.astype(np.float64))
    assert metrics.authenticity(train, fake) == expected


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    arrays(np.float32, (40, 3), elements=st.floats(-8, 8, width=32)),
    arrays(np.float32, (40, 3), elements=st.integers(-3, 3).map(float)),
    st.sampled_from([0.0, 0.1, 1024.0]),
)
def test_decides_as_float64_on_anything(wild: np.ndarray, grid: np.ndarray, offset: float) -> None:
    for sets in ((grid, wild), (wild, grid), (grid, grid[::2]), (np.concatenate([wild, grid]), wild)):
        real, fake = (rows + np.float32(offset) for rows in sets)
        assert in_single(real, fake) == in_double(real, fake)


def test_parts_and_repeated_use() -> None:
    x, y = CASES["plain"]
    for kind in (np.float32, np.float64):
        reference = PairReference(x.astype(kind))
        fake, other = y.astype(kind), (1.1 * y[:100]).astype(kind)
        subsets = Subsets(4, 50, 1)
        whole = reference.compare(fake, subsets=subsets, exact=True)
        assert None not in whole
        assert reference.compare(other) == PairReference(x.astype(kind)).compare(other)
        assert reference.compare(fake, density=False) == PairScores(*whole[:2])
        assert reference.compare(fake, manifold=False)[2:4] == whole[2:4]
        # The other sums of a kernel come from another pass, or from each subset: the last digits differ.
        near = pytest.approx(whole[4:6], rel=1e-5)
        assert reference.compare(fake, manifold=False, density=False, subsets=subsets)[4:6] == near
        assert reference.compare(other, subsets=subsets).kid != pytest.approx(whole.kid)
        assert reference.compare(fake, subsets=subsets, exact=True) == pytest.approx(whole, rel=1e-6)
        assert reference.compare(fake, manifold=False, density=False) == PairScores()
        assert whole[:2] == metrics.precision_recall(x.astype(kind), fake)
        assert whole[2:4] == metrics.density_coverage(x.astype(kind), fake)


@pytest.mark.parametrize("case", ["plain", "n <= d", "far from the origin", "duplicates", "tiny", "far sets"])
def test_kernel_sums(case: str) -> None:
    """Within 1e-7 of the mean kernel within the sets: features far from the origin lose digits to its cube."""
    x, y = (rows.astype(np.float32).astype(np.float64) for rows in CASES[case])
    found = in_single(x, y, manifold=False, density=False, exact=True).kid_exact
    assert in_single(x, y, exact=True).kid_exact == pytest.approx(found, rel=1e-9)
    kernel = [(a @ b.T / x.shape[1] + 1) ** 3 for a, b in ((x, x), (y, y), (x, y))]
    within = [(each.sum() - each.trace()) / (len(each) * (len(each) - 1)) for each in kernel[:2]]
    expected = sum(within) - 2 * kernel[2].mean()
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-7 * (kernel[0].mean() + kernel[1].mean()))


def test_kernel_of_realistic_features() -> None:
    random = np.random.default_rng(0)
    mix = random.standard_normal((64, 64)) / np.sqrt(np.arange(1, 65))
    real, fake = (np.maximum(random.standard_normal((600, 64)) @ mix / 2 + s, 0) for s in (0.3, 0.4))
    wanted = {"subsets": Subsets(20, 200, 0), "exact": True}
    assert in_single(real, fake, **wanted) == pytest.approx(in_double(real, fake, **wanted), rel=1e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_devices_agree() -> None:
    for case, sets in CASES.items():
        real, fake = (torch.from_numpy(rows.astype(np.float32)).cuda() for rows in sets)
        assert PairReference(real).compare(fake) == in_double(*sets), case


def test_refusals() -> None:
    x, y = CASES["plain"]
    for kind in (np.float32, np.float64):
        real, fake = x.astype(kind), y.astype(kind)
        with pytest.raises(ValueError, match="^k=0: must be at least 1"):
            PairReference(real, k_manifold=0)
        with pytest.raises(ValueError, match="^real: got 5 rows, needs at least 6"):
            PairReference(real[:5]).compare(fake)
        PairReference(real[:5]).compare(fake, density=False)
        with pytest.raises(ValueError, match="^fake: got 3 rows, needs at least 4"):
            PairReference(real).compare(fake[:3])
        PairReference(real).compare(fake[:3], manifold=False)
        with pytest.raises(ValueError, match="^real has 8 columns, fake has 7"):
            PairReference(real).compare(fake[:, :7])
        with pytest.raises(ValueError, match="^fake: 130 rows do not fill subset_size=140"):
            PairReference(real).compare(fake, subsets=Subsets(1, 140))
        for bad in (np.nan, np.inf):
            spoilt = fake.copy()
            spoilt[7, 3] = bad
            with pytest.raises(ValueError, match="^fake: 1 of 130 rows hold NaN, infinity or .* the first is row 7"):
                PairReference(real).compare(spoilt)
            with pytest.raises(ValueError, match="^real: 1 of 130 rows hold NaN"):
                PairReference(spoilt)
