"""Does code compute gradients? Asked where a model has no reason to learn: while it draws samples, and in `finish`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks


class GradientWatch:
    """`seen` tells whether autograd kept anything for a backward pass, in this thread, during ``with watch.on():``."""

    def __init__(self) -> None:
        self.seen = False

    @contextmanager
    def on(self) -> Iterator[None]:
        with saved_tensors_hooks(self._note, lambda tensor: tensor):
            yield

    def _note(self, tensor: Tensor) -> Tensor:
        self.seen = True
        return tensor
