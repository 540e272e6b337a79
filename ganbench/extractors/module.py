"""Any torch module as an extractor: float images in, one row of features an image out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ganbench.data.pixels import to_float
from ganbench.errors import RequestError
from ganbench.extractors.base import Features


class ModuleExtractor:
    """Features from a module of the caller's, which stays as it is: frozen meanwhile, in the mode that it was in.

    The module is given float32 images (n, C, H, W) in [-1, 1], or points (n, D), of the data's own size and channels,
    on the device where its parameters lie, and returns features (n, d), or `Features`, which has class probabilities
    (n, K) too. Resizing, channels and another range are the module's own affair.
    """

    def __init__(self, module: nn.Module) -> None:
        self._module = module

    def __call__(self, images: Tensor) -> Features:
        """Raises `RequestError` where what comes back is not one row of numbers for each image."""
        with torch.no_grad(), evaluating(self._module):
            found: Any = self._module(to_float(images))
        features, probabilities = found if isinstance(found, Features) else (found, None)
        for name, rows in (("features", features), ("probabilities", probabilities)):
            fits = isinstance(rows, Tensor) and rows.ndim == 2 and len(rows) == len(images)
            if not fits and not (name == "probabilities" and rows is None):
                what = f"shape {tuple(rows.shape)}" if isinstance(rows, Tensor) else type(rows).__name__
                raise RequestError(
                    f"extractor {type(self._module).__name__}: {name} of {len(images)} images are {what}: "
                    "return a tensor of one row an image"
                )
        return Features(features.float(), None if probabilities is None else probabilities.float())


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Put a module into evaluation mode meanwhile; each part of it is then put back into its own."""
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True


def device_of(module: nn.Module) -> torch.device | None:
    """Return where a module's parameters or buffers lie, None where it has none."""
    for tensor in (*module.parameters(), *module.buffers()):
        return tensor.device
    return None
