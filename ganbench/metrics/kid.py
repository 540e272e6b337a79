"""Kernel distance between two sets of features (Binkowski et al. 2018, arXiv 1801.01401; "KID" on Inception's)."""

from __future__ import annotations

from ganbench.metrics._pairwise.api import PairReference
from ganbench.metrics._pairwise.kernel_sums import Subsets
from ganbench.metrics.validation import Array


def kernel_distance(
    real: Array, fake: Array, *, subsets: int = 100, subset_size: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Return mean and standard deviation, over random subsets, of the squared maximum mean discrepancy.

    `real` is (n, d), `fake` (m, d). The kernel is (x.y / d + 1)^3; each of `subsets` draws takes `subset_size`
    rows of either set without replacement; the estimator is unbiased, so a value may be slightly negative where
    the distributions agree. Lower is better; the units are the kernel's. The deviation (population, over
    subsets) describes one subset, not the mean: subsets overlap, and it says nothing of the training seed.
    With `subsets=1` and `subset_size` = n = m it is the estimate from all pairs, and the deviation is 0.

    All is computed in float64. With the same seed the subsets are those of torch-fidelity, whose own default is
    `rng_seed=2020`.

    Raises ValueError where either set has fewer than `subset_size` rows, `subset_size` < 2, `subsets` < 1, widths
    differ, or a value is not finite. Source: Binkowski et al. 2018, arXiv 1801.01401.
    """
    chosen = Subsets(subsets, subset_size, seed)
    scores = PairReference(real).compare(fake, manifold=False, density=False, subsets=chosen)
    assert scores.kid is not None and scores.kid_sd is not None
    return scores.kid, scores.kid_sd
