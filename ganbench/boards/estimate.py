"""What the seeds of a row say of a metric: a mean with its interval, made on the scale on which rows are compared."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ganbench.boards.welch import Sample
from ganbench.metric import MetricInfo, Score

LEAST = 1e-6
"""What a distance is floored at before its logarithm is taken."""
NORMAL = 1.959964
"""The 97.5 % quantile of the normal distribution."""


@dataclass(frozen=True)
class Estimate:
    """A mean over `n` seeds and its 95 % interval, on the metric's own scale.

    Distances that are at least 0 (FID) are averaged, and compared, as logarithms: their mean is geometric, and the
    interval cannot fall below 0. `sample` is the mean and the variance there. The interval of a single seed is that of
    the scored images alone and says nothing of training; None where the metric has no standard error.
    """

    mean: float
    low: float | None
    high: float | None
    n: int
    sample: Sample

    @property
    def half_width(self) -> float | None:
        """Half the width of the interval over seeds, from the side that the metric's range did not cut."""
        if self.low is None or self.high is None or self.n < 2:
            return None
        return max(self.mean - self.low, self.high - self.mean)


def is_logarithmic(metric: MetricInfo) -> bool:
    """Tell whether a metric is averaged and compared as a logarithm: a distance from 0 upwards."""
    return metric.direction == "lower" and metric.low == 0 and metric.high is None


def estimate(
    scores: Sequence[Score], metric: MetricInfo, *, worst: float = math.nan, failed: int = 0
) -> Estimate | None:
    """Return the mean over seeds with its interval, None where there is no value.

    The variance of a seed is at least that which other samples of the same models would bring (the mean squared
    standard error): seeds that agree by luck do not make a row certain. `failed` seeds count as `worst`.
    """
    if not scores:
        return None
    logarithmic = is_logarithmic(metric)
    scale, back = (_log, _exp) if logarithmic else (float, float)
    values = [*(scale(score.value) for score in scores), *[scale(worst)] * failed]
    errors = [_squared_error(score.value, score.se, logarithmic) for score in scores if score.se is not None]
    n, mean = len(values), statistics.fmean(values)
    sampling = statistics.fmean(errors) if errors else 0.0
    sample = Sample(
        mean, max(sum((value - mean) ** 2 for value in values) / (n - 1), sampling) if n > 1 else sampling, n
    )
    shown = back(mean) if n > 1 else scores[0].value  # to the last digit
    if n == 1 and not errors:
        return Estimate(shown, None, None, n, sample)
    half = sample.half_width() if n > 1 else NORMAL * math.sqrt(sampling)
    low, high = back(mean - half), back(mean + half)
    return Estimate(
        shown,
        low if metric.low is None else max(low, metric.low),
        high if metric.high is None else min(high, metric.high),
        n,
        sample,
    )


def _squared_error(value: float, se: float, logarithmic: bool) -> float:
    """Return the squared standard error on the compared scale.

    Of a logarithm it is (se / value)^2 where that is small. Near 0 that grows without bound, while log(1 + (se /
    value)^2), the variance of the logarithm of a log-normal value, does not.
    """
    return math.log1p((se / max(value, LEAST)) ** 2) if logarithmic else se**2


def _log(value: float) -> float:
    return math.log(max(value, LEAST))


def _exp(value: float) -> float:
    return math.exp(value) if value < 709 else math.inf
