"""Two models of a board: which is better, how sure that is, and by how much, in words and in numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from ganbench.boards.estimate import is_logarithmic
from ganbench.boards.formatting import metric_value
from ganbench.boards.welch import (
    ALPHA,
    Sample,
    difference_interval,
    probability_less,
    probability_next_less,
    seeds_to_tell_apart,
)
from ganbench.metric import HEADLINE, MetricInfo

_STEPS = (ALPHA / 2, 0.16, 0.4, 0.6, 0.84, 1 - ALPHA / 2)
"""Where the colour of a probability changes; the first and the last are where the test separates two rows."""


@dataclass(frozen=True)
class Pair:
    """What is known of two models. `first` tells whether the first of them is the better one on average.

    `sure` is the probability of that in percent, `next_one` that of the next seed of the better beating the next of
    the other, `effect` by how much, with its interval (see `effect_words`); `told_apart` is the two-sided test at 5 %,
    `seeds` how many of each would tell them apart, None where a thousand do not.
    """

    first: bool
    sure: str
    next_one: str
    effect: tuple[str, str, str]
    told_apart: bool
    seeds: int | None

    @property
    def compact(self) -> str:
        """The fields in their order, as short as can be: a board of 45 models has 990 of these."""
        effect = " ".join(self.effect)
        return f"{self.first:d} {self.sure} {self.next_one} {effect} {self.told_apart:d} {self.seeds or 0}"


@dataclass(frozen=True)
class Cell:
    """The probability that the row is better than the column, as two digits, and its colour, 0 to 6."""

    text: str
    tint: int


def percent(probability: float) -> str:
    """Return ``71.4`` for a probability of at least one half; ``100`` stands for more than 99.9 %."""
    return "100" if probability > 0.999 else f"{100 * probability:.1f}"


def pairs(samples: Sequence[Sample | None], metric: MetricInfo) -> dict[tuple[int, int], Pair]:
    """Return what is known of every two samples, by their indices; those of one seed say nothing of training."""
    known = [(index, sample) for index, sample in enumerate(samples) if sample is not None and sample.n > 1]
    return {(i, j): pair for (i, a), (j, b) in itertools.combinations(known, 2) if (pair := compare(a, b, metric))}


def compare(a: Sample, b: Sample, metric: MetricInfo) -> Pair | None:
    """Return what Welch's test says of two rows, None where one has a single seed."""
    less, next_less = probability_less(a, b), probability_next_less(a, b)
    if less is None or next_less is None:
        return None
    first = less >= 0.5
    better, other = (a, b) if first else (b, a)
    sure = less if first else 1 - less
    return Pair(
        first=first,
        sure=percent(sure),
        next_one=percent(next_less if first else 1 - next_less),
        effect=_effect(better, other, metric),
        told_apart=sure > 1 - ALPHA / 2,
        seeds=seeds_to_tell_apart(a, b),
    )


def effect_words(metric: MetricInfo) -> str:
    """Return the words around an effect: the ratio of a distance, of any other metric the difference."""
    title = metric.title.replace("{", "(").replace("}", ")")
    by = "{} times as large" if is_logarithmic(metric) else "lower by {}"
    return f"its {title} is {by} [{{}}, {{}}]"  # noqa: E501


def _effect(better: Sample, other: Sample, metric: MetricInfo) -> tuple[str, str, str]:
    found = difference_interval(other, better)
    assert found is not None
    if is_logarithmic(metric):
        return _ratio(better.mean - other.mean), _ratio(found[0]), _ratio(found[1])
    less, least, most = other.mean - better.mean, -found[1], -found[0]
    return metric_value(less, metric), metric_value(least, metric), metric_value(most, metric)


def _ratio(logarithm: float) -> str:
    return metric_value(math.exp(min(logarithm, 700)), HEADLINE)


def matrix(samples: Sequence[Sample]) -> list[list[Cell | None]]:
    """Return the probability of each row being less, on average, than each column; None on the diagonal."""
    return [[None if a is b else _cell(probability_less(a, b)) for b in samples] for a in samples]


def _cell(probability: float | None) -> Cell | None:
    if probability is None:
        return None
    text = f"{100 * probability:.0f}"
    text = ">99" if text == "100" else "<1" if text == "0" else text
    return Cell(text, sum(probability > step for step in _STEPS))


def verdict(names: tuple[str, str], pair: Pair | None, words: str) -> tuple[str, str]:
    """Return which of two is better, and how sure that is, as a headline and a sentence below it.

    `words` are `effect_words`. The page's script says the same when other models are chosen.
    """
    if pair is None:
        return "Not known", f"{names[0]} and {names[1]} are compared by their seeds: that takes two of each."
    better, other = names if pair.first else names[::-1]
    if pair.told_apart:
        head = f"{better} is better"
    else:
        more = f"; {pair.seeds} seeds of each might" if pair.seeds else ""
        head = f"These seeds do not tell them apart{more}"
    effect = words.format(*pair.effect)
    return head, (
        f"With probability {_spelt(pair.sure)}, {better} is better on average than {other}: {effect}. "
        f"The next seed of {better} beats the next of {other} with probability {_spelt(pair.next_one)}."
    )


def _spelt(percentage: str) -> str:
    return "more than 99.9 %" if percentage == "100" else f"{percentage} %"
