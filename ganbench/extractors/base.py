"""What an extractor is: a frozen network, its preprocessing included, that turns images into features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Features(NamedTuple):
    """Features, float32 (N, D), and class probabilities, float32 (N, K), or None where the network has none."""

    features: Tensor
    probabilities: Tensor | None


class Extractor(Protocol):
    """Turn uint8 images (N, C, H, W) on the device into features; resizing and scaling are its own affair."""

    def __call__(self, images: Tensor) -> Features: ...


@dataclass(frozen=True)
class ExtractorSource:
    """How an extractor is obtained.

    `load(device, weights)` builds it; `sha256(weights)` names its weights; `weights` is the file of ``--weights`` or
    None. Both raise `RequestError` where the weights cannot be had. `classes` is the number of classes it tells apart
    in a data set of its own domain (0: none); such an extractor also serves as the oracle of ``acc*``.
    `preprocessing` is raised when resizing, scaling or channels are treated another way.
    """

    name: str
    summary: str
    load: Callable[[torch.device, Path | None], Extractor]
    sha256: Callable[[Path | None], str]
    classes: int = 0
    preprocessing: int = 1

    def identity(self, weights: Path | None) -> str:
        """Return the hash that stands for network, weights and preprocessing in records and caches."""
        return f"{self.sha256(weights)}/p{self.preprocessing}"
