"""Known answers of the kernel distance, and its equality with torch-fidelity."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD, kid_features_to_metric

from ganbench.metrics import kernel_distance


def pair(n: int, m: int, d: int, shift: float = 0.3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(n, d, generator=generator), torch.randn(m, d, generator=generator) + shift
    return x.double(), y.double()


def test_two_rows_by_hand() -> None:
    # k(0,1) = 1; k(2,3) = 343; cross: k(0,2) = k(0,3) = 1, k(1,2) = 27, k(1,3) = 64.
    mean, sd = kernel_distance(np.array([[0.0], [1.0]]), np.array([[2.0], [3.0]]), subsets=1, subset_size=2)
    assert mean == pytest.approx(1 + 343 - 2 * (1 + 1 + 27 + 64) / 4, rel=1e-15)
    assert sd == 0


def test_all_pairs() -> None:
    x, y = (t.numpy() for t in pair(60, 60, 5))
    kernels = [[(a @ b.T / 5 + 1) ** 3 for b in (x, y)] for a in (x, y)]
    apart = ~np.eye(60, dtype=bool)
    expected = kernels[0][0][apart].mean() + kernels[1][1][apart].mean() - 2 * kernels[0][1].mean()
    # 1e-12: differences of sums some hundred times larger than the result.
    assert kernel_distance(x, y, subsets=1, subset_size=60)[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", [0, 2020])
def test_equals_torch_fidelity(seed: int) -> None:
    real, fake = pair(300, 250, 16)
    theirs = kid_features_to_metric(fake, real, kid_subsets=7, kid_subset_size=100, rng_seed=seed, verbose=False)
    mean, sd = kernel_distance(real, fake, subsets=7, subset_size=100, seed=seed)
    assert mean == pytest.approx(theirs[KEY_METRIC_KID_MEAN], rel=1e-10)  # the same subsets, both in float64
    assert sd == pytest.approx(theirs[KEY_METRIC_KID_STD], rel=1e-10)
    theirs32 = kid_features_to_metric(
        fake.float(), real.float(), kid_subsets=7, kid_subset_size=100, rng_seed=seed, verbose=False
    )
    assert mean == pytest.approx(theirs32[KEY_METRIC_KID_MEAN], rel=1e-4)  # float32 sums of the cubes


def test_a_set_against_itself_is_not_positive() -> None:
    x, _ = pair(100, 100, 8)
    assert kernel_distance(x, x, subsets=1, subset_size=100)[0] < 0


def test_unbiased() -> None:
    random = np.random.default_rng(0)
    draws = [
        kernel_distance(random.standard_normal((50, 8)), random.standard_normal((50, 8)), subsets=1, subset_size=50)[0]
        for _ in range(400)
    ]
    assert abs(np.mean(draws)) < 3 * np.std(draws) / np.sqrt(len(draws))


def test_seed_decides_and_the_caller_state_stays() -> None:
    real, fake = pair(80, 80, 4)
    np.random.seed(5)  # noqa: NPY002 - it is the global state that is under test
    before = np.random.random()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    first = kernel_distance(real, fake, subsets=3, subset_size=40)
    assert np.random.random() == before  # noqa: NPY002
    assert first == kernel_distance(real, fake, subsets=3, subset_size=40, seed=0)
    assert first != kernel_distance(real, fake, subsets=3, subset_size=40, seed=1)


def test_too_few_rows() -> None:
    real, fake = pair(1000, 999, 4)
    with pytest.raises(ValueError, match="^fake: 999 rows do not fill subset_size=1000"):
        kernel_distance(real, fake)
    with pytest.raises(ValueError, match="^real: 999 rows"):
        kernel_distance(fake, real)
    with pytest.raises(ValueError, match="^subset_size=1: must be at least 2"):
        kernel_distance(real, fake, subset_size=1)
    with pytest.raises(ValueError, match="^subsets=0"):
        kernel_distance(real, fake, subsets=0)
