"""How many different samples is a set worth? (Friedman and Dieng 2023, arXiv 2210.02410)"""

from __future__ import annotations

import torch

from ganbench.metrics.validation import Array, checked


def vendi_score(features: Array) -> float:
    """Return exp of the entropy of the eigenvalues of K / n, K the cosine similarities of (n, d) features.

    The effective number of different rows: 1 where all point one way, min(n, d) at most, reached where they are
    orthogonal. Higher is more diverse, not better: noise is diverse, so compare with real features at equal n.
    Lengths of rows do not count, their directions from the origin do: features that are all positive, such as
    ReLU's, score low. Takes O(n d min(n, d)) time, from a (d, d) matrix where d < n.

    Raises ValueError where there is no row, a row is all zeros (it has no direction), or a value is not finite.
    Source: Friedman and Dieng 2023, arXiv 2210.02410.
    """
    rows = checked("features", features, rows=1)
    rows = rows / rows.abs().amax(dim=1, keepdim=True).clamp(min=torch.finfo(rows.dtype).tiny)  # no square underflows
    lengths = rows.square().sum(dim=1, keepdim=True).sqrt()
    zeros = int((lengths == 0).sum())
    if zeros:
        raise ValueError(
            f"features: {zeros} of {len(rows)} rows are all zeros, the first is row {int(lengths.argmin())};"
            " they have no direction, leave them out"
        )
    rows = rows / lengths
    n, d = rows.shape
    similarity = (rows.T @ rows if d < n else rows @ rows.T) / n  # the same eigenvalues but for zeros
    shares = torch.linalg.eigvalsh(similarity).clamp(min=0)
    shares /= shares.sum()
    return float(torch.special.entr(shares).sum().clamp(min=0).exp())
