"""What must not change a score, on random sets that include ties, duplicates and constant features."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ganbench.metrics import authenticity, density_coverage, frechet_distance, inception_score, precision_recall

few = settings(max_examples=60, deadline=None, derandomize=True)


@st.composite
def pairs_of_sets(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Two small sets on a coarse grid: shared rows and tied distances are the rule."""
    d = draw(st.integers(1, 4))
    grid = st.integers(-4, 4).map(float)
    return (
        draw(arrays(np.float64, (draw(st.integers(6, 12)), d), elements=grid)),
        draw(arrays(np.float64, (draw(st.integers(6, 12)), d), elements=grid)),
    )


def neighbour_scores(real: np.ndarray, fake: np.ndarray) -> tuple[float, ...]:
    return *precision_recall(real, fake, k=2), *density_coverage(real, fake, k=2)


def frechet_is(value: float, real: np.ndarray, fake: np.ndarray) -> object:
    """Within 1e-6 of the traces: singular covariances on either side of the root of rounding."""
    return pytest.approx(value, abs=1e-6 * (1 + real.var(axis=0).sum() + fake.var(axis=0).sum()))


@few
@given(pairs_of_sets(), st.integers(0, 2**32 - 1))
def test_order_of_rows(sets: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    real, fake = sets
    order = np.random.default_rng(seed)
    again = order.permutation(real), order.permutation(fake)
    assert neighbour_scores(*again) == neighbour_scores(real, fake)
    assert frechet_distance(*again) == frechet_is(frechet_distance(real, fake), real, fake)


@few
@given(pairs_of_sets(), st.sampled_from([-1e4, 0.5, 1024.0, 1e6]))
def test_joint_translation(sets: tuple[np.ndarray, np.ndarray], offset: float) -> None:
    real, fake = sets  # the grid plus these offsets is exact, so that ties stay ties
    assert neighbour_scores(real + offset, fake + offset) == neighbour_scores(real, fake)
    assert frechet_distance(real + offset, fake + offset) == frechet_is(frechet_distance(real, fake), real, fake)


@few
@given(pairs_of_sets(), st.integers(0, 2**32 - 1))
def test_rotation(sets: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    real, fake = sets
    d = real.shape[1]
    rotation = np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))[0]
    assert frechet_distance(real @ rotation, fake @ rotation) == frechet_is(frechet_distance(real, fake), real, fake)
    assert neighbour_scores(real @ rotation, fake @ rotation) == neighbour_scores(real, fake)
    assert authenticity(real @ rotation, real @ rotation) == 0


@few
@given(pairs_of_sets(), st.sampled_from([1e-3, 0.3, 7.0, 1e6]))
def test_scale(sets: tuple[np.ndarray, np.ndarray], factor: float) -> None:
    real, fake = sets
    assert neighbour_scores(factor * real, factor * fake) == neighbour_scores(real, fake)
    scaled = frechet_distance(factor * real, factor * fake) / factor**2
    assert scaled == frechet_is(frechet_distance(real, fake), real, fake)


@few
@given(pairs_of_sets())
def test_ranges_and_identities(sets: tuple[np.ndarray, np.ndarray]) -> None:
    real, fake = sets
    precision, recall, density, coverage = neighbour_scores(real, fake)
    assert min(precision, recall, density, coverage) >= 0
    assert max(precision, recall, coverage) <= 1
    assert precision_recall(fake, real, k=2) == (recall, precision)
    assert precision_recall(real, real, k=2) == (1, 1)
    assert authenticity(real, real) == 0
    assert 0 <= frechet_distance(real, fake) == frechet_is(frechet_distance(fake, real), real, fake)
    assert frechet_distance(real, real) == frechet_is(0, real, real)


@few
@given(arrays(np.float64, (12, 4), elements=st.floats(0, 1, width=32)), st.integers(1, 12))
def test_inception_score_bounds(weights: np.ndarray, splits: int) -> None:
    weights[:, 0] += 1e-3  # no row is all zeros
    p = weights / weights.sum(axis=1, keepdims=True)
    mean, sd = inception_score(p, splits=splits)
    assert 1 <= mean <= 4 * (1 + 1e-12)
    assert sd >= 0
    order = np.random.default_rng(0).permutation(12)
    assert inception_score(p[order], splits=1) == pytest.approx(inception_score(p, splits=1), rel=1e-12)
