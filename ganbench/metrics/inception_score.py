"""Inception score of a classifier's probabilities (Salimans et al. 2016, arXiv 1606.03498)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ganbench.metrics.validation import Array, as_given, at_least

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
    rows = as_given("probabilities", probabilities)
    n = len(rows)
    if n < splits:
        raise ValueError(f"probabilities: {n} rows do not fill {splits} splits; give more samples or fewer splits")
    order = np.arange(n) if seed is None else np.random.RandomState(seed).permutation(n)
    parts = [order[i * n // splits : (i + 1) * n // splits] for i in range(splits)]
    scores = torch.stack([_score(rows[torch.from_numpy(part).to(rows.device)].double()) for part in parts])
    return float(scores.mean()), float(scores.std(correction=0))


class InceptionSums:
    """The score of probabilities that never lie in memory at once: batches in, one row of sums for each split kept."""

    def __init__(self, splits: int) -> None:
        at_least("splits", splits, 1)
        self._splits = splits
        self._sums: Tensor | None = None

    def add(self, probabilities: Array, split: Tensor) -> None:
        """Take in one batch (n, K), n >= 1; row i is of split number `split[i]`. ValueError as `inception_score`."""
        rows = distributions(as_given("probabilities", probabilities, rows=1).double())
        if self._sums is None:  # K sums of probabilities, one of entropies, one of rows
            self._sums = rows.new_zeros(self._splits, rows.shape[1] + 2)
        rows = torch.cat([rows, torch.special.entr(rows).sum(1, keepdim=True), rows.new_ones(len(rows), 1)], 1)
        self._sums.index_add_(0, split.to(rows.device), rows)

    def score(self) -> tuple[float, float]:
        """Return what `inception_score` would of the same splits; ValueError where one of them has no row."""
        if self._sums is None or bool((self._sums[:, -1] == 0).any()):
            raise ValueError(f"probabilities: a split of {self._splits} has no rows; give more samples")
        means = self._sums[:, :-1] / self._sums[:, -1:]
        scores = _exp_divergence(means[:, :-1], means[:, -1])
        return float(scores.mean()), float(scores.std(correction=0))


def distributions(rows: Tensor) -> Tensor:
    """Return float64 (n, K) rows, which are overwritten, each divided by its sum; ValueError for what is no softmax."""
    sums = rows.sum(dim=1, keepdim=True)
    if bool(rows.amin() < 0) or bool(((sums - 1).abs() > SUM_TOLERANCE).any()):
        raise ValueError("probabilities: a row is negative or does not sum to 1; give softmax outputs, not logits")
    return rows.div_(sums)


def _score(rows: Tensor) -> Tensor:
    """Return exp of the mean divergence of (n, K) rows, which are overwritten, from their mean."""
    rows = distributions(rows)
    return _exp_divergence(rows.mean(dim=0), torch.special.entr(rows).sum(dim=1).mean())


def _exp_divergence(marginal: Tensor, entropy: Tensor) -> Tensor:
    """Return exp of the divergence, from the mean (..., K) of rows and the mean (...) of their entropies.

    It is the entropy of the mean less the mean entropy, with 0 log 0 = 0: one logarithm for each value.
    """
    divergence: Tensor = torch.special.entr(marginal).sum(-1) - entropy
    return divergence.clamp(min=0).exp()  # rounding alone makes it negative
