"""Rank rows by the headline metric, as far as Welch's t-test over training seeds tells them apart.

A rank is the range of places that the test leaves open, pair by pair at 5 %: docs/statistics.md says how often a true
rank lies within. The first place is a joint statement: the rows that no rival beats once the number of rivals is
accounted for (see `welch`). A single seed says nothing about what the next one would give, so it shares every place,
and a board of single seeds ranks all models ``1-N``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ganbench.boards.aggregate import Row
from ganbench.boards.welch import places, possible_firsts

_PLACES = {"ceiling": 0, "model": 1, "memoriser": 2, "floor": 3}


@dataclass(frozen=True)
class Ranked:
    """A row and the best and the worst place that it can take; None where it is not ranked.

    `may_be_first` tells whether no rival is shown to be better, jointly at 95 %.
    """

    row: Row
    best: int | None = None
    worst: int | None = None
    may_be_first: bool = False

    @property
    def rank(self) -> str:
        """Return ``2``, ``1-2``, or nothing."""
        if self.best is None:
            return ""
        return str(self.best) if self.best == self.worst else f"{self.best}-{self.worst}"


def rank(rows: Sequence[Row]) -> list[Ranked]:
    """Order rows and give models their ranks by their headline metric, of which less is better.

    The ceiling comes first, then models by mean, then memorisers and floors, none of which is ranked; then what has no
    value because every run failed. Published rows stand below the user's own, in the same order; of a
    model that the user trained, too, the published row has no rank: it is no rival of itself. What is merely claimed
    comes last and has no rank.
    """
    own = {row.label for row in rows if not (row.published or row.claimed) and row.headline}
    contenders = [
        (row, row.headline.sample)
        for row in rows
        if row.role == "model" and row.headline and not row.claimed
        if not (row.published and row.label in own)  # no rival of itself
    ]
    samples = [sample for _, sample in contenders]
    ranked = {
        _name(row): Ranked(row, *span, first)
        for (row, _), span, first in zip(contenders, places(samples), possible_firsts(samples), strict=True)
    }
    return [ranked.get(_name(row), Ranked(row)) for row in sorted(rows, key=_order)]


def _name(row: Row) -> tuple[str, bool, bool]:
    return row.label, row.published, row.claimed


def _order(row: Row) -> tuple[bool, bool, int, float, str]:
    if row.headline is None:
        return row.claimed, row.published, 5, 0.0, row.label
    return row.claimed, row.published, _PLACES.get(row.role, 4), row.headline.sample.mean, row.label
