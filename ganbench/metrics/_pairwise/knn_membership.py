"""Who lies in whose ball: the counts behind precision, recall, density and coverage, gathered tile by tile."""

from __future__ import annotations

import torch
from torch import Tensor

from ganbench.metrics._pairwise.error_bounds import Rounded
from ganbench.metrics._pairwise.knn_radii import Balls, Pairs, by_column, by_row, inside, pairs_within


class Inside:
    """Decisions about n real and m fake rows.

    `real_closed` and `fake_closed`, balls around rows of either set, give precision and recall; `real_open` density
    and coverage; what is None is not asked for.
    """

    def __init__(
        self, n: int, m: int, real_closed: Balls | None, fake_closed: Balls | None, real_open: Balls | None
    ) -> None:
        device = next(balls.edges.device for balls in (real_closed, real_open) if balls is not None)
        self.real_closed, self.fake_closed, self.real_open = real_closed, fake_closed, real_open
        self.precise = torch.zeros(m, dtype=torch.bool, device=device)
        self.recalled = torch.zeros(n, dtype=torch.bool, device=device)
        self.covered = torch.zeros(n, dtype=torch.bool, device=device)
        self.held = 0
        """Pairs of an open ball and a fake in it."""

    def take(self, rows: slice, columns: slice, squares: Tensor) -> None:
        """Take in a tile of float64 squared distances, real rows by fake columns."""
        if self.real_closed is not None and self.fake_closed is not None:
            self.precise[columns] |= (squares <= self.real_closed.edges[rows, None]).any(dim=0)
            self.recalled[rows] |= (squares <= self.fake_closed.edges[columns]).any(dim=1)
        if self.real_open is not None:
            counts = (squares <= self.real_open.edges[rows, None]).sum(dim=1)
            self.held += int(counts.sum())
            self.covered[rows] |= counts > 0

    def take_rounded(self, real: Rounded, fake: Rounded, rows: slice, columns: slice, tile: Tensor) -> None:
        """Take in a tile of float32 products; where too many pairs are near, its distances in float64 instead."""
        around_fake = None
        around_real = pairs_within(by_row(tile), self._floors()[rows], rows.start, columns.start)
        if self.fake_closed is not None:
            floors = self.fake_closed.maybe[columns]
            around_fake = pairs_within(by_column(tile), floors, columns.start, rows.start)
        if around_real is None or (self.fake_closed is not None and around_fake is None):
            within = slice(rows.start, min(rows.stop, real.n)), slice(columns.start, min(columns.stop, fake.n))
            self.take(*within, real.squares_to(fake, *within))
            return
        self._take_around_real(around_real, real, fake)
        if self.fake_closed is not None and around_fake is not None:
            at = inside(around_fake, self.fake_closed, fake, real)
            self.recalled[around_fake.other[at]] = True

    def _floors(self) -> Tensor:
        floors = [balls.maybe for balls in (self.real_closed, self.real_open) if balls is not None]
        return torch.minimum(floors[0], floors[-1])

    def _take_around_real(self, pairs: Pairs, real: Rounded, fake: Rounded) -> None:
        if self.real_closed is not None:
            self.precise[pairs.other[inside(pairs, self.real_closed, real, fake)]] = True
        if self.real_open is not None:
            at = inside(pairs, self.real_open, real, fake)
            self.held += len(at)
            self.covered[pairs.centre[at]] = True
