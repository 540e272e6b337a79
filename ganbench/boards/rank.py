"""Rank rows by the headline metric, as far as their intervals tell them apart.

A rank is the range of places that a row can take. Only an interval that lies wholly beside another separates two
rows. A single seed says nothing about what the next one would give: its interval is unbounded, so it shares every
place, and a board of single seeds ranks all models ``1-N``. Pairs of intervals are compared, no more: "1" is not
a joint 95 % statement about the whole board.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from ganbench.boards.aggregate import Row

_PLACES = {"ceiling": 0, "model": 1, "memoriser": 2, "floor": 3}


@dataclass(frozen=True)
class Ranked:
    """A row and the best and the worst place that it can take; None where it is not ranked."""

    row: Row
    best: int | None = None
    worst: int | None = None

    @property
    def rank(self) -> str:
        """Return ``2``, ``1-2``, or nothing."""
        if self.best is None:
            return ""
        return str(self.best) if self.best == self.worst else f"{self.best}-{self.worst}"


def rank(rows: Sequence[Row]) -> list[Ranked]:
    """Order rows and give models their ranks by their headline metric, of which less is better.

    The ceiling comes first, then models by mean, then memorisers and floors, none of which is ranked; then what has no
    value because every run failed. Published rows stand below the user's own, in the same order.
    """
    contenders = [row for row in rows if row.role == "model" and row.headline]
    spans = [_span(row) for row in contenders]
    lows, highs = sorted(low for low, _ in spans), sorted(high for _, high in spans)
    ranked = {
        # rows that end before this one begins lie before it, rows that begin after it ends lie behind it
        (row.label, row.published): Ranked(row, 1 + bisect_left(highs, low), bisect_right(lows, high))
        for row, (low, high) in zip(contenders, spans, strict=True)
    }
    return [ranked.get((row.label, row.published), Ranked(row)) for row in sorted(rows, key=_order)]


def _span(row: Row) -> tuple[float, float]:
    headline = row.headline
    assert headline is not None
    if headline.low is None or headline.high is None:
        return -math.inf, math.inf
    return headline.low, headline.high


def _order(row: Row) -> tuple[bool, int, float, str]:
    if row.headline is None:
        return row.published, 5, 0.0, row.label
    return row.published, _PLACES.get(row.role, 4), row.headline.mean, row.label
