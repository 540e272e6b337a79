"""Rules that say which of two models is better from the seeds of both: ours, the one before, and five others.

A rule takes log FID of shape (models, seeds), and the squared standard error of each model's log FID that the scored
images bring, of shape (models,), which ours alone uses. It returns a matrix (models, models): True where the row is
shown to be better than the column.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from ganbench.boards.estimate import estimate
from ganbench.boards.welch import ALPHA, Sample, difference_interval
from ganbench.metric import HEADLINE, Score

Floats, Bools = NDArray[np.float64], NDArray[np.bool_]
Rule = Callable[[Floats, Floats], Bools]


def samples_of(logs: Floats, errors: Floats) -> list[Sample]:
    """Return what a board knows of each model: `estimate` of scores of that FID with that standard error."""
    found = []
    for values, error in zip(np.exp(logs), errors, strict=True):
        known = estimate([Score(value=value, se=value * math.sqrt(error)) for value in values], HEADLINE)
        assert known is not None
        found.append(known.sample)
    return found


def ours(logs: Floats, errors: Floats) -> Bools:
    """Welch's test on log FID, pair by pair: the difference is above 0 with its whole interval."""
    samples = samples_of(logs, errors)
    return np.array([[(difference_interval(a, b) or (0.0, 0.0))[0] > 0 for b in samples] for a in samples])


def overlap(logs: Floats, errors: Floats) -> Bools:
    """The rule of version 0.1: 95 % t-intervals of raw FID that lie apart."""
    half = np.array([t_half_width(values) for values in np.exp(logs)])
    means = np.exp(logs).mean(1)
    return (means + half)[:, None] < (means - half)[None]


def t_half_width(values: Floats) -> float:
    n = len(values)
    return float(special.stdtrit(n - 1, 1 - ALPHA / 2) * values.std(ddof=1) / math.sqrt(n))


def bootstrap(logs: Floats, errors: Floats, resamples: int = 1000) -> Bools:
    """Percentile intervals of the difference of means over seeds drawn with replacement, each model's apart."""
    count, n = logs.shape
    drawn = np.random.default_rng(0).integers(0, n, (count, resamples, n))
    means = np.take_along_axis(logs[:, None], drawn, 2).mean(2)
    at = resamples - 1 - int(resamples * ALPHA / 2)
    return np.array([np.partition(own - means, at, axis=1)[:, at] < 0 for own in means])


def welch(logs: Floats, variances: Floats, df: float) -> tuple[Floats, Floats]:
    """Return Welch's statistics of all pairs, positive where the row is better, and their degrees of freedom."""
    means, squared = logs.mean(1), variances / logs.shape[1]
    both = squared[:, None] + squared[None]
    return (means[None] - means[:, None]) / np.sqrt(both), df * both**2 / (squared[:, None] ** 2 + squared[None] ** 2)


def games_howell(logs: Floats, errors: Floats) -> Bools:
    """The studentised range with Welch's degrees of freedom: all pairs hold at once."""
    groups, n = logs.shape
    t, df = welch(logs, logs.var(1, ddof=1), n - 1)
    inverse, quantiles = studentised_range(groups, n - 1, 2 * (n - 1))
    return t * math.sqrt(2) > np.interp(-1 / df, inverse, quantiles)


def tukey(logs: Floats, errors: Floats) -> Bools:
    """Tukey's honest significant difference: one variance pooled over all models, all pairs at once."""
    groups, n = logs.shape
    error = math.sqrt(logs.var(1, ddof=1).mean() / n)
    _, (quantile, *_) = studentised_range(groups, groups * (n - 1), groups * (n - 1))
    return (logs.mean(1)[None] - logs.mean(1)[:, None]) / error > quantile


@cache
def studentised_range(groups: int, least: int, most: int) -> tuple[Floats, Floats]:
    """Return critical values over -1 / df, to interpolate between `least` and `most` degrees of freedom."""
    df = 1 / np.linspace(1 / least, 1 / most, 9 if most > least else 1)
    return -1 / df, np.array([stats.studentized_range.ppf(1 - ALPHA, groups, each) for each in df])


def holm(logs: Floats, errors: Floats) -> Bools:
    """Welch's test, corrected for all pairs by Holm's steps."""
    t, df = welch(logs, logs.var(1, ddof=1), logs.shape[1] - 1)
    pairs = np.triu_indices(len(logs), 1)
    p = 2 * special.stdtr(df, -np.abs(t))[pairs]
    order, adjusted = np.argsort(p), np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    apart = np.zeros_like(t, dtype=bool)
    apart[pairs] = adjusted < ALPHA
    return (apart | apart.T) & (t > 0)


def moderated(logs: Floats, errors: Floats) -> Bools:
    """Welch's test with variances drawn towards a common one by empirical Bayes, as in limma (G. K. Smyth, 2004)."""
    df, variances = logs.shape[1] - 1, logs.var(1, ddof=1)
    centred = np.log(variances) - special.digamma(df / 2) + math.log(df / 2)
    excess = centred.var(ddof=1) - special.polygamma(1, df / 2)
    half = 1e6  # half the degrees of freedom of the common variance; so many where no model's differs from it
    if excess > special.polygamma(1, half):
        half = optimize.brentq(lambda each: special.polygamma(1, each) - excess, 1e-3, half)
    common = math.exp(centred.mean() + special.digamma(half) - math.log(half))
    t, degrees = welch(logs, (2 * half * common + df * variances) / (2 * half + df), 2 * half + df)
    return t > special.stdtrit(degrees, 1 - ALPHA / 2)


RULES: dict[str, Rule] = {
    "overlap of 95 % t-intervals of FID (before)": overlap,
    "bootstrap over seeds": bootstrap,
    "**Welch on log FID, pair by pair (ours)**": ours,
    "Games-Howell": games_howell,
    "Welch, Holm over all pairs": holm,
    "Tukey, pooled variance": tukey,
    "moderated t (limma's kind)": moderated,
}
