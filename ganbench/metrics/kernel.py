"""Kernel distance between two sets of features (Binkowski et al. 2018, arXiv 1801.01401; "KID" on Inception's)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ganbench.metrics.arrays import Array, at_least, checked_pair


def kernel_distance(
    real: Array, fake: Array, *, subsets: int = 100, subset_size: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Return mean and standard deviation, over random subsets, of the squared maximum mean discrepancy.

    `real` is (n, d), `fake` (m, d). The kernel is (x.y / d + 1)^3; each of `subsets` draws takes `subset_size`
    rows of either set without replacement; the estimator is unbiased, so a value may be slightly negative where
    the distributions agree. Lower is better; the units are the kernel's. The deviation (population, over
    subsets) describes one subset, not the mean: subsets overlap, and it says nothing of the training seed.
    With `subsets=1` and `subset_size` = n = m it is the estimate from all pairs, and the deviation is 0.

    With the same seed the subsets are those of torch-fidelity, whose own default is `rng_seed=2020`.

    Raises ValueError where either set has fewer than `subset_size` rows, `subset_size` < 2, `subsets` < 1, widths
    differ, or a value is not finite. Source: Binkowski et al. 2018, arXiv 1801.01401.
    """
    at_least("subsets", subsets, 1)
    at_least("subset_size", subset_size, 2)
    x, y = checked_pair("real", real, "fake", fake)
    for name, rows in (("real", x), ("fake", y)):
        if len(rows) < subset_size:
            raise ValueError(
                f"{name}: {len(rows)} rows do not fill subset_size={subset_size};"
                " give more samples or a smaller subset_size"
            )
    random = np.random.RandomState(seed)
    distances = []
    for _ in range(subsets):
        chosen_y = _draw(random, y, subset_size)  # fake first, as torch-fidelity draws
        chosen_x = _draw(random, x, subset_size)
        distances.append(_squared_mmd(chosen_x, chosen_y))
    estimates = torch.stack(distances).cpu().numpy()
    return float(estimates.mean()), float(estimates.std())


def _draw(random: np.random.RandomState, rows: Tensor, size: int) -> Tensor:
    return rows[torch.from_numpy(random.choice(len(rows), size, replace=False)).to(rows.device)]


def _squared_mmd(x: Tensor, y: Tensor) -> Tensor:
    """Return the unbiased estimate from two (n, d) sets: a sample is never paired with itself."""
    n = len(x)
    within = (_off_diagonal_sum(x) + _off_diagonal_sum(y)) / (n * (n - 1))
    return within - 2 * _kernel(x, y).mean()


def _off_diagonal_sum(x: Tensor) -> Tensor:
    kernel = _kernel(x, x)
    return kernel.sum() - kernel.trace()


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    base = torch.addmm(x.new_ones(()), x, y.T, alpha=1 / x.shape[1])
    return base.square().mul_(base)  # cheaper than ** 3
