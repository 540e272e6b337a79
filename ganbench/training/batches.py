"""Batches drawn from images that already lie on the device: no DataLoader, no copy, no host in between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ganbench.data.pixels import to_float
from ganbench.model import Batch


class Batches:
    """An endless stream of batches in a fresh random order each epoch; an epoch's incomplete rest is left out.

    `images` is uint8 (N, C, H, W), or float (N, D) for points, and `labels` int64 (N,) or None, both on the training
    device. The order depends on `seed` alone.
    """

    def __init__(self, images: Tensor, labels: Tensor | None, batch_size: int, seed: int) -> None:
        if batch_size > len(images):
            raise ValueError(f"batch_size {batch_size} is larger than the data set of {len(images)} images")
        self._images, self._labels, self._size = images, labels, batch_size
        self._generator = torch.Generator(images.device).manual_seed(seed)
        self._epoch, self._dealt = self._generator.get_state(), 0

    def state(self) -> dict[str, Any]:
        """Return where the stream stands: the generator before this epoch's order, and the batches dealt since."""
        return {"epoch": self._epoch.clone(), "dealt": self._dealt}

    def load(self, state: dict[str, Any]) -> None:
        """Go on where a stream with this `state` was."""
        self._epoch, self._dealt = state["epoch"], state["dealt"]

    def __iter__(self) -> Iterator[Batch]:
        self._generator.set_state(self._epoch)
        while True:
            order = torch.randperm(len(self._images), generator=self._generator, device=self._images.device)
            for chosen in order.split(self._size)[self._dealt :]:
                if len(chosen) == self._size:
                    self._dealt += 1
                    labels = None if self._labels is None else self._labels[chosen]
                    yield Batch(to_float(self._images[chosen]), labels)
            self._epoch, self._dealt = self._generator.get_state(), 0
