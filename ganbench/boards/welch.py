"""Welch's t-test between the training seeds of two rows, pair by pair, and what follows for places.

B. L. Welch, "The generalization of 'Student's' problem when several different population variances are involved",
Biometrika 34, 1947. Three to five seeds are no sample for a bootstrap, and corrections for all pairs at once leave no
power: ``benchmarks/ranks.py`` simulates seven rules, and ``docs/statistics.md`` shows what it found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

ALPHA = 0.05
"""Two-sided, for a pair."""
JOINT_ALPHA = 0.05
"""For the statement about the first place, whatever the number of rivals."""


@dataclass(frozen=True)
class Sample:
    """What is known of a row on the scale that is compared: the mean of `n` seeds, and the variance of one of them."""

    mean: float
    variance: float
    n: int

    @property
    def squared_error(self) -> float:
        """The squared standard error of the mean."""
        return self.variance / self.n

    @property
    def squared_prediction_error(self) -> float:
        """The expected squared distance of the next seed from the mean of these: v (1 + 1/n)."""
        return self.variance + self.squared_error

    def half_width(self, confidence: float = 1 - ALPHA) -> float:
        """Return half the width of the t-interval of the mean; infinite for one seed."""
        if self.n < 2:
            return math.inf
        return _quantile(self.n - 1, 0.5 + confidence / 2) * math.sqrt(self.squared_error)


def probability_less(a: Sample, b: Sample) -> float | None:
    """Return the probability that the mean of A is less than that of B, None where one has a single seed.

    It is one minus the one-sided p-value of Welch's test: the confidence that the difference has this sign.
    """
    if min(a.n, b.n) < 2:
        return None
    return _distribution(b.mean - a.mean, (a.squared_error, a.n), (b.squared_error, b.n))


def probability_next_less(a: Sample, b: Sample) -> float | None:
    """Return the probability that the next seed of A is less than the next of B, None where one has a single seed.

    The same test with the variance of a prediction, v (1 + 1/n), for each.
    """
    if min(a.n, b.n) < 2:
        return None
    return _distribution(b.mean - a.mean, (a.squared_prediction_error, a.n), (b.squared_prediction_error, b.n))


def difference_interval(a: Sample, b: Sample, confidence: float = 1 - ALPHA) -> tuple[float, float] | None:
    """Return the interval of the mean of B less that of A, None where one has a single seed."""
    if min(a.n, b.n) < 2:
        return None
    df = _degrees_of_freedom((a.squared_error, a.n), (b.squared_error, b.n))
    half = _quantile(df, 0.5 + confidence / 2) * math.sqrt(a.squared_error + b.squared_error)
    return b.mean - a.mean - half, b.mean - a.mean + half


def probabilities_less(samples: Sequence[Sample]) -> np.ndarray:
    """Return `probability_less` of every pair, (K, K): of the row less than the column; NaN where one has one seed."""
    import numpy as np
    from scipy.special import stdtr

    mean, error, n = (
        np.array([getattr(sample, name) for sample in samples]) for name in ("mean", "squared_error", "n")
    )
    gap, total = mean[None, :] - mean[:, None], error[None, :] + error[:, None]
    with np.errstate(all="ignore"):  # what has no variance is decided below
        share = error[:, None] / total
        df = 1 / (share**2 / (n[:, None] - 1) + (1 - share) ** 2 / (n[None, :] - 1))
        found: np.ndarray = np.where(total > 0, stdtr(df, gap / np.sqrt(total)), 0.5 + 0.5 * np.sign(gap))
    found[(n < 2)[:, None] | (n < 2)[None, :]] = np.nan
    return found


def places(samples: Sequence[Sample]) -> list[tuple[int, int]]:
    """Return the best and the worst place of each row, of which the least is the best.

    The best is behind the rivals that beat it, the worst before those that it beats, at two-sided 5 % a pair. A row of
    a single seed beats nobody and is beaten by nobody.
    """
    chances = probabilities_less(samples)  # of a row against itself: 0.5
    beaten_by, beats = (chances < ALPHA / 2).sum(1), (chances > 1 - ALPHA / 2).sum(1)
    return [(1 + int(better), len(samples) - int(worse)) for better, worse in zip(beaten_by, beats, strict=True)]


def possible_firsts(samples: Sequence[Sample]) -> list[bool]:
    """Tell of each row whether it may be the best of all, jointly at 95 %.

    It may unless some rival beats it at one-sided 5 % / (K - 1): Bonferroni over the rivals of the best row, which is
    the only row that must not be lost. Rows of a single seed are left out, and not among the K.
    """
    judged = sum(sample.n > 1 for sample in samples)
    if judged < 2:
        return [False] * len(samples)
    losses = (probabilities_less(samples) < JOINT_ALPHA / (judged - 1)).sum(1)
    return [sample.n > 1 and not lost for sample, lost in zip(samples, losses, strict=True)]


def seeds_to_tell_apart(a: Sample, b: Sample, *, power: float = 0.8, most: int = 1000) -> int | None:
    """Return how many seeds of each would tell the two apart with so much power, if they are as they seem.

    None where that takes more than `most`. The power of Welch's test is taken from the noncentral t distribution,
    exact where the variances are equal. That gap and variances are themselves estimates weighs more.
    """
    from scipy.special import nctdtr

    gap = abs(b.mean - a.mean)
    if not gap:
        return None
    for n in range(2, most + 1):
        errors = a.variance / n, b.variance / n
        df = _degrees_of_freedom((errors[0], n), (errors[1], n))
        noncentrality = min(gap / math.sqrt(sum(errors)), FAR) if sum(errors) else FAR
        if 1 - nctdtr(df, noncentrality, _quantile(df, 1 - ALPHA / 2)) >= power:
            return n
    return None


def detectable_gap(a: Sample, b: Sample, *, alpha: float = ALPHA, power: float = 0.8) -> float | None:
    """Return the least difference of means that these seeds would show with so much power, at two-sided `alpha`.

    None where a row has a single seed, 0 where neither varies. On a scale of logarithms it is that of a ratio.
    """
    from scipy.special import nctdtr

    if min(a.n, b.n) < 2:
        return None
    df = _degrees_of_freedom((a.squared_error, a.n), (b.squared_error, b.n))
    critical, low, high = _quantile(df, 1 - alpha / 2), 0.0, FAR
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if 1 - nctdtr(df, middle, critical) >= power else (middle, high)
    return high * math.sqrt(a.squared_error + b.squared_error)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number (S. Holm, Scandinavian Journal of Statistics 6, 1979), in their order.

    The chance that any of them falls below 5 % where no difference is real is at most 5 %.
    """
    order = sorted(range(len(p_values)), key=lambda at: p_values[at])
    adjusted, least = [0.0] * len(p_values), 0.0
    for rank, at in enumerate(order):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = least
    return adjusted


FAR = 1000.0
"""Standard errors of distance from which on nothing changes, and the noncentral t distribution is not trusted."""


def _degrees_of_freedom(*terms: tuple[float, int]) -> float:
    """Return Welch's (Satterthwaite's) degrees of freedom of a sum of squared errors, each estimated from n seeds."""
    total = sum(error for error, _ in terms)
    if not total:
        return float(sum(n - 1 for _, n in terms))
    return 1 / sum((error / total) ** 2 / (n - 1) for error, n in terms)


def _distribution(gap: float, *terms: tuple[float, int]) -> float:
    """Return Student's distribution at a gap, whose squared errors `terms` are, each estimated from n seeds."""
    variance = sum(error for error, _ in terms)
    if not variance:
        return 0.5 if not gap else float(gap > 0)
    from scipy.special import stdtr  # scipy.stats is slow to import

    return float(stdtr(_degrees_of_freedom(*terms), gap / math.sqrt(variance)))


def _quantile(df: float, share: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(df, share))
