"""Modes captured, high-quality samples and their divergence, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ganbench.data.dataset import Modes
from ganbench.data.gaussian_mixtures import grid, ring
from ganbench.metrics.mode_counts import ModeCounts, count_modes, expected_high_quality

CENTRES = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
HIGH_QUALITY = 1 - math.exp(-4.5)


def counts(*rows: tuple[float, float]) -> ModeCounts:
    return count_modes(np.array(rows), CENTRES, 0.1)


def test_within_three_deviations_of_the_nearest_mode_is_high_quality() -> None:
    found = counts((0.29, 0), (0.31, 0), (0.71, 0), (0.2, 0.2), (0.25, 0.25), (9, 9))
    assert found.high_quality == (2, 1, 0, 0)
    assert (found.captured, found.high_quality_share) == (2, pytest.approx(0.5))


def test_a_mode_is_captured_from_8_percent_of_its_fair_share_on() -> None:
    # 1,000 samples, 4 modes: the fair share is 250, and 8 % of it are 20.
    assert ModeCounts((20, 19, 250, 0), 1000, 2).captured == 2
    assert ModeCounts((0, 0, 0, 0), 1000, 2).captured == 0
    # Where 8 % of the fair share is less than one sample, one is needed still.
    assert ModeCounts((1, 0, 2, 0), 10, 2).captured == 2


@pytest.mark.parametrize("modes", [ring(), grid()], ids=["ring", "grid"])
def test_noise_captures_no_modes_and_the_mixture_captures_all(modes: Modes) -> None:
    rng, n, k = np.random.default_rng(0), 2500, len(modes.centres)
    for _ in range(5):
        noise = rng.uniform(-1, 1, (n, 2))
        found = count_modes(noise, modes.centres, modes.sigma)
        assert sum(count > 0 for count in found.high_quality) > k / 4 and found.captured == 0
        true = modes.centres[rng.integers(k, size=n)] + modes.sigma * rng.standard_normal((n, 2))
        assert count_modes(true, modes.centres, modes.sigma).captured == k


@pytest.mark.parametrize(("dimensions", "share"), [(1, math.erf(3 / math.sqrt(2))), (2, HIGH_QUALITY), (3, 0.970709)])
def test_a_gaussian_has_so_many_within_three_deviations(dimensions: int, share: float) -> None:
    assert expected_high_quality(dimensions) == pytest.approx(share, abs=1e-6)


def test_true_shares_have_no_divergence() -> None:
    n = 10**8
    each = round(n * HIGH_QUALITY / 4)
    assert ModeCounts((each,) * 4, n, 2).divergence == pytest.approx(0, abs=1e-6)


def test_one_mode_alone_costs_the_logarithm_of_their_number() -> None:
    found = counts(*[(0.0, 0.0)] * 50)
    assert found.divergence == pytest.approx(math.log(4 / HIGH_QUALITY))
    assert found.divergence_of_high_quality == pytest.approx(math.log(4))
    half = counts(*[(0.0, 0.0), (1.0, 1.0)] * 25)
    assert half.divergence_of_high_quality == pytest.approx(math.log(2))


def test_samples_far_from_every_mode_cost_most() -> None:
    found = counts(*[(0.5, 0.5)] * 20)
    assert (found.captured, found.high_quality_share, found.divergence_of_high_quality) == (0, 0, None)
    assert found.divergence == pytest.approx(4.5)


def test_a_few_evenly_spread_ones_do_not_hide_the_scattered() -> None:
    scattered = counts((0, 0), (1, 0), (0, 1), (1, 1), *[(0.5, 0.5)] * 96)
    assert scattered.divergence_of_high_quality == pytest.approx(0)
    assert scattered.divergence == pytest.approx(0.04 * math.log(0.04 / HIGH_QUALITY) + 0.96 * (math.log(0.96) + 4.5))
    assert scattered.divergence > counts(*[(0.0, 0.0)] * 100).divergence


def test_samples_of_the_mixture_score_k_over_2n() -> None:
    rng = np.random.default_rng(0)
    n, found = 1000, []
    for _ in range(50):
        points = CENTRES[rng.integers(4, size=n)] + 0.1 * rng.standard_normal((n, 2))
        found.append(count_modes(points, CENTRES, 0.1))
    assert np.mean([each.high_quality_share for each in found]) == pytest.approx(HIGH_QUALITY, abs=0.002)
    assert all(each.captured == 4 for each in found)
    assert np.mean([each.divergence for each in found]) == pytest.approx(4 / (2 * n), rel=0.4)


def test_tensors_and_arrays_give_the_same() -> None:
    points = np.random.default_rng(1).random((40, 2)).astype(np.float32)
    assert count_modes(torch.from_numpy(points), CENTRES, 0.1) == count_modes(points, CENTRES, 0.1)


@pytest.mark.parametrize(
    ("samples", "sigma", "message"),
    [
        (np.full((3, 2), np.nan), 0.1, "samples: 3 of 3 rows hold NaN"),
        (np.zeros((3, 3)), 0.1, "samples has 3 columns, centres has 2"),
        (np.zeros((3, 2)), 0.0, "sigma=0.0: must be above 0"),
    ],
)
def test_nonsense_is_refused(samples: np.ndarray, sigma: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        count_modes(samples, CENTRES, sigma)
