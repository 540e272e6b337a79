"""A frozen classifier with its preprocessing, version 1: range, channels and size, in this order.

uint8 becomes float in [-1, 1]; RGB becomes luma (BT.601) for a network that takes grey, and grey is tiled for one that
takes RGB; other sizes are resized to the network's own (bilinear, antialiased). Whoever changes any of it raises
`PREPROCESSING`: features of another version are other features.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import Module
from torch.nn import functional as F

from ganbench.errors import RequestError
from ganbench.extractors.base import Features

LUMA = (0.299, 0.587, 0.114)


def to_unit_range(images: Tensor) -> Tensor:
    """Map uint8 pixels to float in [-1, 1]."""
    return images.to(torch.float32).div_(127.5).sub_(1.0)


def prepared(images: Tensor, shape: tuple[int, ...], name: str) -> Tensor:
    """Return uint8 images (N, 1 or 3, H, W) as float (N, *shape) in [-1, 1]; `name` is for the error."""
    pixels = to_unit_range(images)
    channels, *size = shape
    if pixels.shape[1] not in (1, 3):
        raise RequestError(f"extractor {name}: images have {pixels.shape[1]} channels, it takes 1 or 3")
    if pixels.shape[1] > channels:
        luma = torch.tensor(LUMA, device=pixels.device).view(1, 3, 1, 1)
        pixels = (pixels * luma).sum(1, keepdim=True)
    if list(pixels.shape[2:]) != size:
        pixels = F.interpolate(pixels, size=size, mode="bilinear", antialias=True, align_corners=False)
    return pixels.expand(-1, channels, -1, -1)


class FrozenClassifier:
    """Features and class probabilities from a network that returns features (N, D) and logits (N, K).

    `shape` is what the network takes, (C, H, W); `name` stands in errors.
    """

    def __init__(self, network: Module, shape: tuple[int, ...], name: str) -> None:
        self._network: Callable[[Tensor], tuple[Tensor, Tensor]] = network.eval().requires_grad_(False)
        self._shape, self._name = shape, name

    def __call__(self, images: Tensor) -> Features:
        pixels = prepared(images, self._shape, self._name)
        with torch.no_grad():
            features, logits = self._network(pixels)
        return Features(features, logits.softmax(1))
