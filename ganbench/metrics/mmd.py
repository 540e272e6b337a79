"""Squared maximum mean discrepancy over all pairs of rows, in tiles: no subsets, no n x n matrix.

Every estimate is unbiased (Gretton et al. 2012, Lemma 6): mean k(x, x') over pairs of different real rows, plus the
same of fakes, less twice mean k(x, y).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganbench.metrics._pairwise.api import PairReference
from ganbench.metrics._pairwise.kernel_sums import squared_mmd
from ganbench.metrics._pairwise.knn import centred
from ganbench.metrics.validation import Array, checked_pair


def kernel_distance_exact(real: Array, fake: Array) -> float:
    """Return the squared maximum mean discrepancy under the kernel (x.y / d + 1)^3, from all pairs.

    `real` is (n, d), `fake` (m, d). It estimates what `kernel_distance` does, without its choice of subsets: the
    same for every seed and, as it uses each pair once, with less noise. Unbiased, so slightly negative values occur
    where the distributions agree; lower is better; the units are the kernel's. Takes O((n + m)^2 d) time and,
    beyond the features, a copy of them and some 100 MiB.

    Raises ValueError where either set has fewer than 2 rows, widths differ, or a value is not finite.
    Source: Binkowski et al. 2018, arXiv 1801.01401.
    """
    scores = PairReference(real).compare(fake, manifold=False, density=False, exact=True)
    assert scores.kid_exact is not None
    return scores.kid_exact


def rbf_kernel_distance(real: Array, fake: Array, *, sigma: float = 10.0) -> float:
    """Return the squared maximum mean discrepancy under exp(-|x - y|^2 / (2 sigma^2)), from all pairs.

    `real` is (n, d), `fake` (m, d). On CLIP's embeddings it is CMMD but for a factor: this is the unbiased estimate,
    as the paper defines it, in the kernel's units; the authors' code has the biased one (pairs of a row with itself
    count, which adds some 1 / n + 1 / m at most) and multiplies by 1000. At most 2 (two collapsed sets, far apart);
    slightly negative values occur where the distributions agree; lower is better.

    `sigma` is in feature units, and 10 was chosen for CLIP. Where all rows are many sigma from each other every
    kernel is 0 and so is the value, whatever the sets: choose sigma by the distances within `real`.

    Raises ValueError where sigma is not positive and finite, either set has fewer than 2 rows, widths differ, or a
    value is not finite. Source: Jayasumana et al. 2024, arXiv 2401.09603.
    """
    if not (math.isfinite(sigma) and sigma > 0):
        raise ValueError(f"sigma={sigma}: must be positive and finite")
    x, y = centred(*checked_pair("real", real, "fake", fake))  # distances are the same, and lose fewer digits
    return squared_mmd(x / sigma, y / sigma, _gaussian).item()


def _gaussian(x: Tensor, y: Tensor) -> Tensor:
    """Return exp(-|x - y|^2 / 2) for all pairs."""
    halves_x, halves_y = x.square().sum(dim=1) / 2, y.square().sum(dim=1) / 2
    return torch.addmm(-halves_y, x, y.T).sub_(halves_x[:, None]).clamp_(max=0).exp_()
