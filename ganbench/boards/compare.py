"""Two rows of one board compared: how sure is it that A is better than B, by how much, and at what cost.

The statistics are those of the board (`ganbench.boards.welch`): between training seeds, on the scale on which the
metric is compared. Nothing here is printed or read from a file.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass

from ganbench.boards.aggregate import Row
from ganbench.boards.board import Board
from ganbench.boards.compare_curves import EqualPoint, at_equal
from ganbench.boards.entries import Column, Entry
from ganbench.boards.estimate import Estimate, is_logarithmic
from ganbench.boards.formatting import name
from ganbench.boards.request import BoardRequest
from ganbench.boards.welch import (
    ALPHA,
    Sample,
    difference_interval,
    probability_less,
    probability_next_less,
    seeds_to_tell_apart,
)
from ganbench.errors import RequestError, did_you_mean
from ganbench.store.run_record import RunStatus
from ganbench.util.text import one_line


class Verdict(enum.StrEnum):
    """What the headline metric says of A and B, at two-sided 5 %."""

    BETTER = "better"
    WORSE = "worse"
    NOT_TOLD_APART = "not told apart"
    ONE_SEED = "one seed"
    NO_VALUE = "no value"


@dataclass(frozen=True)
class MetricComparison:
    """One metric on both sides, None where a side has no value.

    `change` is A / B where the metric is compared as a logarithm (`ratio`), else A - B, with its 95 % interval, None
    where a side has a single seed. `probability_better` is the confidence that A is better on average; None for one
    seed, and where neither direction is better.
    """

    column: Column
    a: Estimate | None
    b: Estimate | None
    change: float | None = None
    low: float | None = None
    high: float | None = None
    probability_better: float | None = None

    @property
    def ratio(self) -> bool:
        """Whether `change` is a ratio, not a difference."""
        return is_logarithmic(self.column.info)


@dataclass(frozen=True)
class Wins:
    """How many pairs of runs A won, B won, or neither; a failed run loses against every other."""

    a: int
    b: int
    ties: int

    @property
    def pairs(self) -> int:
        return self.a + self.b + self.ties


@dataclass(frozen=True)
class RowComparison:
    """A and B, and all that their runs say of which is better.

    `metrics` begins with the headline. `seeds_needed` is how many seeds each would have to have, in all, to be told
    apart with a power of 80 % if they are as they seem: None where a side has a single seed, or beyond 1,000.
    `at_images` and `at_seconds` are the curves of the headline at equal images and at equal training seconds.
    """

    request: BoardRequest
    a: Row
    b: Row
    verdict: Verdict
    metrics: tuple[MetricComparison, ...]
    probability_next_better: float | None
    same_seed: Wins
    all_pairs: Wins
    seeds_needed: int | None
    at_images: tuple[EqualPoint, ...]
    at_seconds: tuple[EqualPoint, ...]

    @property
    def headline(self) -> MetricComparison:
        """The metric that ranks, of which less is better."""
        return self.metrics[0]

    @property
    def same_machine(self) -> bool:
        """Whether all runs of both were trained on one kind of machine, so that their seconds compare."""
        return len({_machine(entry) for row in self.sides for entry in row.ok if row.role == "model"}) < 2

    @property
    def sides(self) -> tuple[Row, Row]:
        return self.a, self.b


def compare_on(board: Board, a: str, b: str) -> RowComparison:
    """Compare the rows of two labels; raise `RequestError` where the board has no such row, or both are one."""
    rows = [ranked.row for ranked in board.rows]
    if not rows:
        raise RequestError(f"the board {board.name} has no rows: `ganbench run` trains some")
    first, second = (find_row(rows, wanted, board.name, board.left_out) for wanted in (a, b))
    if first is second:
        raise RequestError(f"{one_line(a, 60)!r} and {one_line(b, 60)!r} are the same row of the board {board.name}")
    return compare(first, second, board.request, board.columns)


def compare(a: Row, b: Row, request: BoardRequest, columns: Sequence[Column]) -> RowComparison:
    """Compare two rows of a board that has these columns."""
    headline = request.headline.name
    ordered = sorted(columns, key=lambda column: column.name != headline)
    metrics = [compare_metric(column, a.metrics.get(column.name), b.metrics.get(column.name)) for column in ordered]
    metrics = [each for at, each in enumerate(metrics) if not at or each.a is not None or each.b is not None]
    samples = _samples(a, b)
    n, logarithmic = request.scoring.curve_samples, is_logarithmic(request.headline)
    return RowComparison(
        request=request,
        a=a,
        b=b,
        verdict=_verdict(metrics[0]),
        metrics=tuple(metrics),
        probability_next_better=probability_next_less(*samples) if samples else None,
        same_seed=_wins(a, b, headline, same_seed=True),
        all_pairs=_wins(a, b, headline, same_seed=False),
        seeds_needed=seeds_to_tell_apart(*samples) if samples and min(each.n for each in samples) > 1 else None,
        at_images=at_equal(a, b, "images", n, logarithmic=logarithmic),
        at_seconds=at_equal(a, b, "seconds", n, logarithmic=logarithmic),
    )


def compare_metric(column: Column, a: Estimate | None, b: Estimate | None) -> MetricComparison:
    """Compare what two rows have of one metric; better is what the metric's direction says."""
    if a is None or b is None:
        return MetricComparison(column, a, b)
    back = math.exp if is_logarithmic(column.info) else float
    found = difference_interval(b.sample, a.sample)  # its sign is that of its second less its first
    low, high = (None, None) if found is None else map(back, found)
    probability = {
        "lower": probability_less(a.sample, b.sample),
        "higher": probability_less(b.sample, a.sample),
        "neither": None,
    }[column.info.direction]
    return MetricComparison(column, a, b, back(a.sample.mean - b.sample.mean), low, high, probability)


def find_row(rows: Sequence[Row], wanted: str, board: str, left_out: Sequence[str] = ()) -> Row:
    """Return the row of a label, or of a name as boards show it: ``vae (published)``.

    Of a label that the user and the published board both have it is the user's. Raises `RequestError` for others, with
    the reason where it is among those that the board has `left_out`.
    """
    found = [row for row in rows if wanted in (row.label, name(row))]
    if found:
        return min(found, key=lambda row: (row.label != wanted, row.claimed, row.published))
    labels = [one_line(label, 60) for label in dict.fromkeys(row.label for row in rows)]
    hint = did_you_mean(wanted, labels)
    if not hint.startswith(" (there is"):
        hint += f"; there is: {', '.join(labels)}"
    why = "".join(f"; {reason}" for reason in left_out if f" of {wanted}:" in reason)
    raise RequestError(f"{one_line(wanted, 60)!r} is no row of the board {board}{hint}{why}")


def _machine(entry: Entry) -> tuple[str, ...]:
    return tuple(str(entry.run.provenance.get(part)) for part in ("device", "cpu", "cores", "threads"))


def _samples(a: Row, b: Row) -> tuple[Sample, Sample] | None:
    return (a.headline.sample, b.headline.sample) if a.headline and b.headline else None


def _verdict(headline: MetricComparison) -> Verdict:
    if headline.a is None or headline.b is None:
        return Verdict.NO_VALUE
    chance = headline.probability_better
    if chance is None:
        return Verdict.ONE_SEED
    if chance > 1 - ALPHA / 2:
        return Verdict.BETTER
    return Verdict.WORSE if chance < ALPHA / 2 else Verdict.NOT_TOLD_APART


def _wins(a: Row, b: Row, headline: str, *, same_seed: bool) -> Wins:
    if same_seed and not a.role == b.role == "model":  # what is made once has no seed
        return Wins(0, 0, 0)
    pairs = [
        (mine, other)
        for index, mine in _results(a, headline)
        for at, other in _results(b, headline)
        if index == at or not same_seed
    ]
    won, lost = sum(mine < other for mine, other in pairs), sum(mine > other for mine, other in pairs)
    return Wins(won, lost, len(pairs) - won - lost)


def _results(row: Row, headline: str) -> list[tuple[int, float]]:
    """Return seeds with their results, of which less is better; what was not scored has none."""
    found = ((entry.seed_index, _result(entry, headline)) for entry in row.entries)
    return [(seed, value) for seed, value in found if value is not None]


def _result(entry: Entry, headline: str) -> float | None:
    if entry.run.status is not RunStatus.OK:
        return math.inf
    score = entry.metrics.get(headline)
    return None if score is None else score.value
