"""For points there is nothing to extract: their features are their coordinates."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.errors import RequestError
from ganbench.extractors.base import Extractor, ExtractorSource, Features

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_NAME = "coordinates"


def _coordinates(images: Tensor) -> Features:
    return Features(images.float(), None)


def _load(device: torch.device, weights: Path | None) -> Extractor:
    _sha256(weights)
    return _coordinates


def _sha256(weights: Path | None) -> str:
    """Return a hash of the name: there are no weights that could change what the features are."""
    if weights is not None:
        raise RequestError(f"extractor {_NAME!r}: has no weights: leave out --weights {weights}")
    return hashlib.sha256(_NAME.encode()).hexdigest()


COORDINATES = ExtractorSource(
    _NAME, "the coordinates of points, as they are", load=_load, sha256=_sha256, points=True,
    resize="never",
)  # fmt: skip
