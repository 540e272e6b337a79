"""Welch's t-test between the training seeds of two rows, pair by pair, and what follows for places.

B. L. Welch, "The generalization of 'Student's' problem when several different population variances are involved",
Biometrika 34, 1947. Five rows of three seeds are no sample for a bootstrap, and corrections for all pairs at once
leave no power: ``benchmarks/ranks.py`` simulates eight rules, and ``docs/statistics.md`` shows what it found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

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

    def half_width(self, confidence: float = 1 - ALPHA) -> float:
        """Return half the width of the t-interval of the mean; infinite for one seed."""
        if self.n < 2:
            return math.inf
        from scipy.special import stdtrit  # scipy.stats is slow to import

        return float(stdtrit(self.n - 1, 0.5 + confidence / 2)) * math.sqrt(self.squared_error)


def probability_less(a: Sample, b: Sample) -> float | None:
    """Return the probability that the mean of A is less than that of B, None where one has a single seed.

    It is one minus the one-sided p-value of Welch's test: the confidence that the difference has this sign.
    """
    if min(a.n, b.n) < 2:
        return None
    return _distribution(b.mean - a.mean, a.squared_error + b.squared_error, _degrees_of_freedom(a, b))


def probability_next_less(a: Sample, b: Sample) -> float | None:
    """Return the probability that the next seed of A is less than the next of B, None where one has a single seed.

    The same test with the variance of a prediction, v (1 + 1/n), for each.
    """
    if min(a.n, b.n) < 2:
        return None
    variance = a.variance + a.squared_error + b.variance + b.squared_error
    return _distribution(b.mean - a.mean, variance, _degrees_of_freedom(a, b))


def difference_interval(a: Sample, b: Sample, confidence: float = 1 - ALPHA) -> tuple[float, float] | None:
    """Return the interval of the mean of B less that of A, None where one has a single seed."""
    if min(a.n, b.n) < 2:
        return None
    from scipy.special import stdtrit

    half = float(stdtrit(_degrees_of_freedom(a, b), 0.5 + confidence / 2)) * math.sqrt(
        a.squared_error + b.squared_error
    )
    return b.mean - a.mean - half, b.mean - a.mean + half


def places(samples: Sequence[Sample]) -> list[tuple[int, int]]:
    """Return the best and the worst place of each row, of which the least is the best.

    The best is behind the rivals that beat it, the worst before those that it beats, at two-sided 5 % a pair. A row of
    a single seed beats nobody and is beaten by nobody.
    """
    found = []
    for own in samples:
        chances = [probability_less(own, rival) for rival in samples if rival is not own]
        beaten_by = sum(chance is not None and chance < ALPHA / 2 for chance in chances)
        beats = sum(chance is not None and chance > 1 - ALPHA / 2 for chance in chances)
        found.append((1 + beaten_by, len(samples) - beats))
    return found


def possible_firsts(samples: Sequence[Sample]) -> list[bool]:
    """Tell of each row whether it may be the best of all, jointly at 95 %.

    It may unless some rival beats it at one-sided 5 % / (K - 1): Bonferroni over the rivals of the best row, which is
    the only row that must not be lost. Rows of a single seed are left out, and not among the K.
    """
    rivals = sum(sample.n > 1 for sample in samples) - 1
    if rivals < 1:
        return [False] * len(samples)
    least = JOINT_ALPHA / rivals
    return [
        own.n > 1
        and all(
            (chance := probability_less(own, rival)) is None or chance >= least for rival in samples if rival is not own
        )
        for own in samples
    ]


def seeds_to_tell_apart(a: Sample, b: Sample, *, power: float = 0.8, most: int = 1000) -> int | None:
    """Return how many seeds of each would tell the two apart with so much power, if they are as they seem.

    None where that takes more than `most`. By the normal approximation with t quantiles of 2 (n - 1) degrees of
    freedom, an approximation that is a seed off where few suffice.
    """
    from scipy.special import stdtrit

    gap, variance = abs(b.mean - a.mean), a.variance + b.variance
    if not gap:
        return None
    for n in range(2, most + 1):
        df = 2 * (n - 1)
        needed = float(stdtrit(df, 1 - ALPHA / 2)) + float(stdtrit(df, power))
        if gap >= needed * math.sqrt(variance / n):
            return n
    return None


def _degrees_of_freedom(a: Sample, b: Sample) -> float:
    total = a.squared_error + b.squared_error
    if not total:
        return float(a.n + b.n - 2)
    return total**2 / (a.squared_error**2 / (a.n - 1) + b.squared_error**2 / (b.n - 1))


def _distribution(gap: float, variance: float, df: float) -> float:
    """Return Student's distribution at a gap in units of its standard error."""
    if not variance:
        return 0.5 if not gap else float(gap > 0)
    from scipy.special import stdtr

    return float(stdtr(df, gap / math.sqrt(variance)))
