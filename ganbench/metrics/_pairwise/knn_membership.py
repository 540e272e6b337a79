"""Which rows lie in whose nearest-neighbour ball: the counts behind precision, recall, density and coverage."""

from __future__ import annotations

import torch
from torch import Tensor


class Membership:
    """Counts over pairs of n real and m fake rows, gathered tile by tile.

    `real_closed` (n,) and `fake_closed` (m,) are the largest squared distances inside the balls of precision and
    recall, `real_open` (n,) those of density and coverage, margins of rounding included; None where not asked for.
    """

    def __init__(
        self, n: int, m: int, real_closed: Tensor | None, fake_closed: Tensor | None, real_open: Tensor | None,
        device: torch.device,
    ) -> None:  # fmt: skip
        self._real_closed, self._fake_closed, self._real_open = real_closed, fake_closed, real_open
        self.fake_in_real = torch.zeros(m, dtype=torch.bool, device=device)
        self.real_in_fake = torch.zeros(n, dtype=torch.bool, device=device)
        self.covered = torch.zeros(n, dtype=torch.bool, device=device)
        self.pairs = torch.zeros((), dtype=torch.int64, device=device)
        """Pairs of an open ball and a fake in it."""

    def add(self, rows: slice, columns: slice, squares: Tensor) -> None:
        """Count a tile of squared distances, real rows by fake columns."""
        if self._real_closed is not None and self._fake_closed is not None:
            self.fake_in_real[columns] |= (squares <= self._real_closed[rows, None]).any(dim=0)
            self.real_in_fake[rows] |= (squares <= self._fake_closed[columns]).any(dim=1)
        if self._real_open is not None:
            counts = (squares <= self._real_open[rows, None]).sum(dim=1)
            self.pairs += counts.sum()
            self.covered[rows] |= counts > 0
