"""Points drawn from Gaussians whose places are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ganbench.data.dataset import DataSource, content_hash, make_dataset
from ganbench.data.gaussian_mixtures import GRID25, RING8, grid, ring


@pytest.mark.parametrize(("source", "modes"), [(RING8, 8), (GRID25, 25)])
def test_they_are_the_known_ones(source: DataSource, modes: int) -> None:
    found = source.load(None)
    assert found.sha256 == source.sha256 == source.load(None).sha256
    assert (found.shape, found.classes, found.name) == ((2,), modes, source.name)
    assert [len(split) for split in (found.train, found.test, found.validation)] == [10_000, 2_500, 2_500]
    for split in (found.train, found.test, found.validation):
        assert (split.images.dtype, split.labels.dtype) == (np.float32, np.int64)
        assert np.abs(split.images).max() < 1
        assert np.unique(split.labels).tolist() == list(range(modes))


@pytest.mark.parametrize("source", [RING8, GRID25])
def test_they_lie_around_the_mode_that_their_label_names(source: DataSource) -> None:
    found = source.load(None)
    modes, train = found.modes, found.train
    from_centre = (train.images - modes.centres[train.labels]) / modes.sigma
    assert from_centre.mean(axis=0) == pytest.approx([0, 0], abs=0.04)
    assert from_centre.std(axis=0) == pytest.approx([1, 1], abs=0.03)
    good = (np.linalg.norm(from_centre, axis=1) <= 3).mean()
    assert good == pytest.approx(1 - np.exp(-4.5), abs=4 * np.sqrt(0.011 / 10_000))


def test_sigma_beside_the_distances_is_that_of_the_papers() -> None:
    circle, square = ring(), grid()
    assert np.linalg.norm(circle.centres, axis=1) == pytest.approx(np.full(8, 100 * circle.sigma))
    steps = np.unique(np.round(np.diff(np.unique(np.round(square.centres[:, 0], 9))), 9))
    assert steps.tolist() == pytest.approx([0.4])
    assert square.sigma / 0.4 == pytest.approx(0.05 / 2)
    assert square.centres.mean(axis=0) == pytest.approx([0, 0])


def test_the_hash_names_the_modes_too() -> None:
    found = RING8.load(None)
    splits = found.train, found.test, found.validation
    other = replace(found.modes, sigma=found.modes.sigma * 2)
    assert make_dataset("ring8", *splits, classes=8, modes=other).sha256 != found.sha256
    assert make_dataset("plain", *splits, classes=8).sha256 == content_hash(*splits)
