"""EfficientNet-Lite0 with its preprocessing, version 1: channels, size and range, in this order.

Grey is tiled to RGB; all sizes but 128x128 are resized to it (bicubic, antialiased, not clamped); ImageNet's mean and
standard deviation bring pixels to the range that the weights were trained for. Whoever changes any of it raises
`preprocessing` of the source: features of another version are other features.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ganbench.errors import RequestError
from ganbench.extractors.base import Features
from ganbench.extractors.efficientnet_lite import EfficientNetLite0

SIDE = 128
"""Pixels: on CIFAR-10 the order of faults is that found at 224, for a third of the time (docs/metrics.md)."""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
BATCH = 20
"""Images at once on a CPU, whose cache then holds the maps between layers: larger batches are slower."""


class FrozenEfficientNet:
    """Features (N, 1280) and the probabilities of ImageNet's classes (N, 1000) of uint8 images (N, 1 or 3, H, W)."""

    def __init__(self, network: EfficientNetLite0, device: torch.device, name: str) -> None:
        self._network = network.eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)
        self._name = name
        self._mean, self._deviation = (
            255 * torch.tensor(each, device=device).view(1, 3, 1, 1) for each in (MEAN, DEVIATION)
        )

    def __call__(self, images: Tensor) -> Features:
        if images.shape[1] not in (1, 3):
            raise RequestError(f"extractor {self._name}: images have {images.shape[1]} channels, it takes 1 or 3")
        with torch.no_grad():
            parts = [self._extract(part) for part in images.split(BATCH if images.device.type == "cpu" else 250)]
        features, logits = (torch.cat(part) for part in zip(*parts, strict=True))
        return Features(features, logits.softmax(1))

    def _extract(self, images: Tensor) -> tuple[Tensor, Tensor]:
        pixels = images.to(torch.float32)
        if pixels.shape[2:] != (SIDE, SIDE):
            pixels = F.interpolate(pixels, size=(SIDE, SIDE), mode="bicubic", antialias=True, align_corners=False)
        pixels = ((pixels - self._mean) / self._deviation).contiguous(memory_format=torch.channels_last)
        found: tuple[Tensor, Tensor] = self._network(pixels)
        return found
