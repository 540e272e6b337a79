"""Metrics of samples whose features never lie in memory at once: batches in, a score out, the same room for any n.

FID and KID are those of the evaluator to rounding. IS and the standard errors come from random parts of the samples:
the evaluator draws these once n is known, here rows are dealt out as they come.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ganbench.extractors.base import Features
from ganbench.metric import Score
from ganbench.metrics.inception_score import InceptionSums
from ganbench.metrics.kernel_moments import WIDEST, KernelMoments
from ganbench.metrics.moments import Moments
from ganbench.scoring.metric_context import Real

GROUPS = 20
"""Groups of the jackknife, as the evaluator has."""
SPLITS = 10
"""Splits of the Inception Score, as the evaluator has."""


class Stream(Protocol):
    """One metric: `add` takes in the features of further samples, `score` returns what they amount to."""

    def add(self, found: Features) -> None: ...

    def score(self) -> Score: ...


class Dealer:
    """Deals rows out to groups as they come: of as many rows in a row as there are groups, each group has one.

    Which one is drawn at random, as samples may come with their classes in turn; from a seed, so that the same rows
    are dealt out in the same way, whatever the batches.
    """

    def __init__(self, groups: int) -> None:
        self._random, self._groups, self._left = np.random.default_rng(0), groups, np.empty(0, dtype=np.int64)

    def deal(self, n: int) -> Tensor:
        """Return the groups, int64 (n,), of the next n rows."""
        parts, count = [self._left], len(self._left)
        while count < n:
            parts.append(self._random.permutation(self._groups))
            count += self._groups
        dealt = np.concatenate(parts)
        self._left = dealt[n:]
        return torch.from_numpy(dealt[:n])


class FrechetStream:
    """FID from moments; with `errors` from those of 20 groups, whose jackknife gives the standard error."""

    def __init__(self, real: Real, *, errors: bool) -> None:
        self._reference = real.frechet
        self._groups = [Moments() for _ in range(GROUPS if errors else 1)]
        self._dealer = Dealer(len(self._groups))

    def add(self, found: Features) -> None:
        dealt = self._dealer.deal(len(found.features)).to(found.features.device)
        for number, group in enumerate(self._groups):
            rows = found.features[dealt == number]
            if len(rows):
                group.add(rows)

    def score(self) -> Score:
        value = self._distance(self._groups)
        if len(self._groups) == 1:
            return Score(value=value)
        without = [self._distance(self._groups[:i] + self._groups[i + 1 :]) for i in range(len(self._groups))]
        return Score(value=value, se=math.sqrt((GROUPS - 1) * float(np.var(without))))

    def _distance(self, groups: list[Moments]) -> float:
        merged = Moments()
        for group in groups:
            merged.merge(group)
        return self._reference.distance(merged.gaussian())


class InceptionStream:
    """IS from sums over 10 splits; their spread gives the standard error."""

    def __init__(self, real: Real, *, errors: bool) -> None:
        self._sums, self._dealer, self._errors = InceptionSums(SPLITS), Dealer(SPLITS), errors

    def add(self, found: Features) -> None:
        if found.probabilities is None:
            raise ValueError("needs probabilities: this extractor gives features alone")
        self._sums.add(found.probabilities, self._dealer.deal(len(found.probabilities)))

    def score(self) -> Score:
        value, sd = self._sums.score()
        return Score(value=value, sd=sd, se=sd / math.sqrt(SPLITS - 1) if self._errors else None)


class KernelStream:
    """KID of all pairs from third moments, of features of at most 256 columns."""

    def __init__(self, real: Real, *, errors: bool) -> None:
        self._real, self._samples = real.kernel, KernelMoments()

    def add(self, found: Features) -> None:
        self._samples.add(found.features)

    def score(self) -> Score:
        return Score(value=self._real.distance(self._samples))


STREAMS: dict[str, Callable[..., Stream]] = {"fid": FrechetStream, "is": InceptionStream, "kid": KernelStream}
"""The metrics that can be streamed, by name."""


def can_stream(name: str, real: Real) -> bool:
    """Tell whether a metric can be streamed against this reference."""
    return name in STREAMS and not (name == "kid" and real.features is not None and real.features.shape[1] > WIDEST)
