"""Inception score of a classifier's probabilities (Salimans et al. 2016, arXiv 1606.03498)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ganbench.metrics.arrays import Array, at_least, checked

SUM_TOLERANCE = 5e-3
"""How far a row's sum may be from 1; half-precision softmaxes stay within it, logits do not."""


def inception_score(probabilities: Array, *, splits: int = 10, seed: int | None = 2020) -> tuple[float, float]:
    """Return mean and population standard deviation, over splits, of exp(E KL(p(y|x) || p(y))).

    `probabilities` is (n, K), rows that sum to 1 (they are renormalised in float64, so that a float32 softmax
    keeps the bounds). Every split scores between 1 (all rows alike) and K (certain, and classes balanced);
    higher is better. Split i holds rows [i n // splits, (i + 1) n // splits). The score depends on n, on the
    splits and on the classifier: compare only where all three agree.

    Rows are shuffled by `seed` first, as samples may come sorted by class; the default is that of
    torch-fidelity's `calculate_metrics` and gives its result. `seed=None` keeps the order.

    Raises ValueError where there are fewer rows than splits, a value is negative or not finite, or a row does
    not sum to 1. Source: Salimans et al. 2016, arXiv 1606.03498; its flaws: Barratt and Sharma 2018,
    arXiv 1801.01973.
    """
    at_least("splits", splits, 1)
    rows = checked("probabilities", probabilities)
    n = len(rows)
    if n < splits:
        raise ValueError(f"probabilities: {n} rows do not fill {splits} splits; give more samples or fewer splits")
    sums = rows.sum(dim=1, keepdim=True)
    if bool((rows < 0).any()) or bool(((sums - 1).abs() > SUM_TOLERANCE).any()):
        raise ValueError("probabilities: a row is negative or does not sum to 1; give softmax outputs, not logits")
    rows = rows / sums
    if seed is not None:
        order = torch.from_numpy(np.random.RandomState(seed).permutation(n))
        rows = rows[order.to(rows.device)]
    scores = torch.stack([_score(rows[i * n // splits : (i + 1) * n // splits]) for i in range(splits)]).cpu().numpy()
    return float(scores.mean()), float(scores.std())


def _score(rows: Tensor) -> Tensor:
    """Return exp of the mean divergence of (n, K) rows from their mean, with 0 log 0 = 0."""
    marginal = rows.mean(dim=0, keepdim=True)
    divergence = (torch.xlogy(rows, rows) - torch.xlogy(rows, marginal)).sum(dim=1).mean()
    return divergence.clamp(min=0).exp()  # rounding alone makes it negative
