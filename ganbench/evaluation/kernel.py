"""The kernel distance with subsets that fit the samples at hand."""

from __future__ import annotations

from torch import Tensor

from ganbench.metrics import kernel_distance

LEAST = 100
"""Images that either side needs: below, the estimate is noise."""
SUBSET = 1000


def kernel_scores(real: Tensor, fake: Tensor) -> tuple[dict[str, float], dict[str, int] | None]:
    """Return ``kid`` and ``kid_sd`` of features (n, d) and (m, d), and how they were computed; nothing below `LEAST`.

    Where subsets would be the whole of both, ``kid`` is the one estimate from all pairs, and no deviation is told.
    """
    smaller = min(len(real), len(fake))
    if smaller < LEAST:
        return {}, None
    size = min(SUBSET, smaller)
    if size == len(real) == len(fake):
        value, _ = kernel_distance(real, fake, subsets=1, subset_size=size)
        return {"kid": value}, {"subsets": 1, "subset_size": size, "seed": 0}
    value, deviation = kernel_distance(real, fake, subset_size=size)
    return {"kid": value, "kid_sd": deviation}, {"subsets": 100, "subset_size": size, "seed": 0}
