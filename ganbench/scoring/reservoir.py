"""A random choice of so many rows out of a stream of any length."""

from __future__ import annotations

import numpy as np
from torch import Tensor


class Reservoir:
    """Keeps at most `size` rows of several tensors: all in their order while no more came, then a random choice.

    Every row is as likely to be kept as any other, and which ones are is decided by a seed. Source: Vitter 1985,
    "Random sampling with a reservoir", algorithm R.
    """

    def __init__(self, size: int) -> None:
        self._size, self._random = size, np.random.default_rng(0)
        self._kept: dict[str, Tensor] = {}
        self.seen = 0

    def __len__(self) -> int:
        return min(self.seen, self._size)

    def add(self, rows: dict[str, Tensor]) -> None:
        """Take in the rows of a batch: tensors (n, ...) by name, the same names each time."""
        n = len(next(iter(rows.values())))
        numbers = np.arange(self.seen, self.seen + n)
        places = np.where(numbers < self._size, numbers, self._random.integers(0, numbers + 1))
        taken = {int(place): row for row, place in enumerate(places) if place < self._size}  # of one place the last row
        for name, tensor in rows.items():
            if name not in self._kept:
                self._kept[name] = tensor.new_empty(self._size, *tensor.shape[1:])
            kept = self._kept[name]
            kept[list(taken)] = tensor[list(taken.values())]
        self.seen += n

    def rows(self, name: str) -> Tensor | None:
        """Return what is kept under a name, None where nothing came under it."""
        return self._kept[name][: len(self)] if name in self._kept else None
