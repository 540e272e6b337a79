"""Frechet distance extrapolated to infinitely many samples (Chong and Forsyth 2020, arXiv 1911.07023)."""

from __future__ import annotations

import numpy as np
import torch

from ganbench.metrics.fid import _distance, _factor_of_rows
from ganbench.metrics.validation import Array, at_least, checked_pair

LARGEST_FIRST = 5000
"""The smallest subset is a tenth of the samples, at most this: the paper's range for its 50,000."""


def frechet_distance_infinity(real: Array, fake: Array, *, sizes: int = 15, seed: int = 0) -> float:
    """Return the Frechet distance that endless samples would have, from its growth at smaller sizes.

    `real` is (n, d), `fake` (m, d) with m >= 20. The distance from all of `real` to random subsets of `fake` is taken
    at `sizes` sizes, evenly spaced from min(5000, m // 10) to m; a line in 1 / size is fitted by least squares; its
    value at 0 is returned, in squared feature units. Lower is better. It is not clipped: noise of either sign is
    left, so equal distributions score around 0, not above it.

    Two limits. The bias that is left is that of `real`, about as large as that of as many fakes: give all of the
    reference. And the bias is a line in 1 / size only where sizes are well above d: for fewer samples the value is
    too low, the more so the nearer the number of fakes is to d.
    Subsets overlap, so the fit's residuals are no measure of its error; `jackknife` gives one.

    Raises ValueError where `sizes` < 2, `real` has fewer than 2 rows or `fake` fewer than 20, widths differ, or a
    value is not finite. Source: Chong and Forsyth 2020, arXiv 1911.07023 (with plain instead of Sobol samples).
    """
    at_least("sizes", sizes, 2)
    x, y = checked_pair("real", real, "fake", fake, second_rows=20)
    mean_x = x.mean(dim=0)
    factor_x = _factor_of_rows(x - mean_x)
    counts = np.linspace(min(LARGEST_FIRST, len(y) // 10), len(y), sizes).astype(int)
    random = np.random.default_rng(seed)
    distances = []
    for count in counts:
        subset = y[torch.from_numpy(random.permutation(len(y))[:count]).to(y.device)]
        mean = subset.mean(dim=0)
        distances.append(_distance((mean_x - mean).cpu().numpy(), factor_x, _factor_of_rows(subset - mean)))
    _, at_infinity = np.polyfit(1 / counts, distances, 1)
    return float(at_infinity)
